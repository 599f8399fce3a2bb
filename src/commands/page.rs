//! Draws the page to look at, and writes it where a web server or a browser reads it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::own_file::{NotReplaced, folder_of, replace};
use crate::error::CliError;
use crate::files::Readers;
use crate::policy::{Health, PageDetail, Reason};
use crate::report::{
    PAGE_BEGINS, PageSettings, PastMonth, StatusReport, TokenPast, html_page, worth_opening,
};
use crate::session::Session;
use crate::shell::quoted;
use crate::status;
use crate::store::Store;

/// Draws the page of what is judged; what happened before comes from the store, where there is one.
pub fn draw(
    session: &Session,
    store: Option<&Store>,
    status: &StatusReport,
    detail: PageDetail,
) -> Result<String, CliError> {
    let (month, past) = match store {
        Some(store) => (
            status::past_month(store, status.generated_at)?,
            status::past_of(session, store, &worth_opening(&status.tokens))?,
        ),
        None => (PastMonth::default(), TokenPast::default()),
    };
    let machine = session.host();
    let run_every = session.config.alerts.run_every;
    let settings = PageSettings { detail, machine: &machine, run_every };
    Ok(html_page(status, &month, &past, &settings))
}

/// Writes a page into a file, for these readers.
pub fn put(path: &Path, text: &str, readers: &Readers) -> Result<(), NotReplaced> {
    replace(path, text, PAGE_BEGINS, readers)
}

/// Writes the page that the config names; the result is a reason to report.
pub fn write(session: &Session, store: Option<&Store>, status: &StatusReport) -> Option<Reason> {
    let page = session.config.alerts.page.as_ref()?;
    let written = draw(session, store, status, page.detail)
        .map_err(|error| NotReplaced::because(error.message, error.hints.join("; ")))
        .and_then(|text| {
            refuse_open_folder(&page.path)?;
            put(&page.path, &text, &Readers::OfItsFolder { mode: page.mode })
        });
    let failed = written.err()?;
    let shown = page.path.display();
    let message = format!("the page `{shown}` cannot be written: {}", failed.cause);
    let step = format!("{}; then run `metatoken check --notify`", failed.step);
    Some(Reason {
        about: Some(shown.to_string()),
        ..Reason::of_the_system("page_failed", Health::Warning, message, step)
    })
}

/// Refuses a folder in which every user could put another page in the place of ours.
fn refuse_open_folder(path: &Path) -> Result<(), NotReplaced> {
    let folder = folder_of(path);
    let Ok(about) = fs::metadata(folder) else { return Ok(()) };
    if about.permissions().mode() & 0o002 == 0 {
        return Ok(());
    }
    let cause = format!("every user can write its folder `{}`", folder.display());
    Err(NotReplaced::because(cause, format!("`chmod o-w {}`", quoted(folder))))
}
