//! `token`: the current string, and nothing else, on standard output.

use super::Session;
use super::roster::Roster;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::store::Store;
use crate::token::{Label, Pattern};

/// Prints the string that programs are to use.
///
/// It asks nobody whether the string still lives: a program that meets an error runs
/// `metatoken refresh LABEL`.
pub fn print_token(session: &Session, label: &Label) -> Result<Exit, Complaint> {
    let store = session.reader()?;
    let credentials = store.as_ref().map_or_else(|| Ok(Vec::new()), Store::credentials)?;
    let roster = Roster::new(&session.config, credentials);
    roster.select(&[Pattern::new(label.as_str())])?;
    let current = roster.credential(label).and_then(|credential| credential.current.as_ref());
    let (Some(store), Some(current)) = (store.as_ref(), current) else {
        return Err(Complaint::new(Exit::Failed, "no_string", label.as_str(), "has no string yet")
            .hint(format!(
                "run `metatoken refresh {label}`, or `metatoken exchange {label}` to paste one"
            )));
    };
    Store::unlock(store, &session.key()?)?;
    let string = store.reveal(current.id)?;
    session.ui.secret(string.expose())?;
    Ok(Exit::Ok)
}
