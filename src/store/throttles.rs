//! Records until when Meta is not to be asked: for an app, for the Pages of a token, about a token.
//!
//! Meta throttles an app as a whole, and calling it meanwhile lengthens the block.

use std::collections::HashMap;

use super::value::values;
use super::{Result, Store};
use crate::token::{Credential, Time};

impl Store {
    /// Records until when the list of a token's Pages is not to be asked for.
    pub fn pause_list(&self, credential: Credential, until: Time) -> Result<Credential> {
        self.change(credential, None, move |tx, credential| {
            tx.execute(
                "UPDATE token SET list_not_before = ?2 WHERE id = ?1",
                values![credential.id, until],
            )
        })
    }

    /// Records until when no access token of a token is to be asked about.
    pub fn pause_questions(&self, credential: Credential, until: Time) -> Result<Credential> {
        self.change(credential, None, move |tx, credential| {
            tx.execute(
                "UPDATE token SET ask_not_before = ?2 WHERE id = ?1",
                values![credential.id, until],
            )
        })
    }

    /// Records that no call is to be made for this app of the config before `until`.
    pub fn throttle_app(&self, app: &str, until: Time, now: Time) -> Result<()> {
        let app = app.to_owned();
        self.write_at(now, move |tx| {
            let now = tx.now();
            tx.execute("DELETE FROM pause WHERE until <= ?1", values![now])?;
            tx.execute(
                "INSERT INTO pause (app, until) VALUES (?1, ?2)
                 ON CONFLICT (app) DO UPDATE SET until = excluded.until",
                values![&app, until],
            )
        })
    }

    /// Returns the apps that are not to be called at `now`, and until when. A damaged row throttles
    /// nothing: the worst that follows is one refusal that writes it anew.
    pub fn throttled_apps(&self, now: Time) -> Result<HashMap<String, Time>> {
        let apps = self.read(move |tx| {
            tx.undamaged(
                "SELECT app, until FROM pause WHERE until > ?1",
                values![now],
                |mut row| Ok((row.text("pause.app")?.to_owned(), row.time("pause.until")?)),
            )
        })?;
        Ok(apps.into_iter().collect())
    }
}
