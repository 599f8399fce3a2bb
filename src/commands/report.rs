//! `report`: draws the page to look at.
//!
//! It shows what is stored, as `check` judges it, and needs no key, no secret, no lock and no right to
//! write anything but the page.

use std::path::Path;

use super::page;
use crate::error::CliError;
use crate::exit::Exit;
use crate::files::Readers;
use crate::policy::PageDetail;
use crate::run::hangs_on::Selection;
use crate::session::Session;
use crate::shell::quoted;
use crate::status::{self, AskGraph};

/// Draws the page into a file; `-` is standard output.
pub fn report(session: &Session, file: &Path) -> Result<Exit, CliError> {
    let status =
        status::collect(session, &Selection::default(), AskGraph::Never, &session.graph())?;
    let status = status.with_prefix(session.config.alerts.prefix.as_deref());
    let text = page::draw(session, session.reader()?.as_ref(), &status, PageDetail::Full)?;
    if file == Path::new("-") {
        session.ui.data(&text)?;
        return Ok(Exit::Ok);
    }
    page::put(file, &text, &Readers::Group).map_err(|failed| {
        let place = file.display().to_string();
        let again = format!("then run `metatoken report --html {}`", quoted(file));
        let message = format!("the page cannot be written: {}", failed.cause);
        CliError::new(Exit::Storage, "page_failed", place, message)
            .hint(format!("{}; {again}", failed.step))
    })?;
    Ok(Exit::Ok)
}
