//! Apps that are left alone for a while.
//!
//! Meta throttles an app as a whole, and calling it meanwhile lengthens the block, so a run leaves
//! word for the next one.

use std::collections::HashMap;

use super::columns::Cells;
use super::{Result, Store};
use crate::token::Time;

impl Store {
    /// Leaves word that no call is to be made for this app of the config before `until`.
    pub fn pause_app(&self, app: &str, until: Time, now: Time) -> Result<()> {
        let app = app.to_owned();
        self.write(move |connection| {
            connection.execute("DELETE FROM pause WHERE until <= ?1", [now.timestamp()])?;
            connection.execute(
                "INSERT INTO pause (app, until) VALUES (?1, ?2)
                 ON CONFLICT (app) DO UPDATE SET until = excluded.until",
                (app, until.timestamp()),
            )?;
            Ok(())
        })
    }

    /// The apps that are to be left alone at `now`, and until when. A pause that cannot be read is
    /// none: the worst that follows is one refusal that writes it anew.
    pub fn paused_apps(&self, now: Time) -> Result<HashMap<String, Time>> {
        self.read(move |connection| {
            let mut statement =
                connection.prepare("SELECT app, until FROM pause WHERE until > ?1")?;
            let rows = statement.query_map([now.timestamp()], |row| {
                let mut cells = Cells::of(row);
                let read = cells.take().and_then(|app| Ok((app, cells.time()?)));
                Ok(read.ok())
            })?;
            Ok(rows.filter_map(Result::transpose).collect::<rusqlite::Result<_>>()?)
        })
    }
}
