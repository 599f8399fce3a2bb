//! `import`: takes over the tokens of another program.
//!
//! What the file holds is read first, and a file that cannot be used is refused before a lock is
//! taken. Rows that cannot be taken are told one by one, and the others go in. It ends with what is
//! to be switched off in the other program, and which file is to be deleted.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::CliError;
use crate::exit::Exit;
use crate::import::{self, ImportedFile, OldApp, SettingsTable, Shape};
use crate::report::{ImportReport, PageRows};
use crate::run::imported::{inspect_bare, take_over};
use crate::run::{self, DryRun, Run, RunOptions, RunTurn};
use crate::session::Session;
use crate::shell::quoted;
use crate::token::{AccessToken, Provider};
use crate::ui::{OutputFormat, Verbosity};

/// What was asked for.
#[derive(Debug)]
pub struct ImportOrder {
    /// The file, or `-` for standard input.
    pub file: PathBuf,
    /// How the other program keeps its tokens.
    pub shape: Shape,
    /// Columns that are called otherwise.
    pub renames: Vec<(String, String)>,
    /// Whether it is a dry run.
    pub dry_run: DryRun,
    /// How long to wait for another run to end.
    pub lock_wait: Duration,
}

/// Takes over the tokens of another program.
pub fn import(session: &Session, order: &ImportOrder) -> Result<Exit, CliError> {
    let imports = match import::read(&order.file, order.shape, &order.renames)? {
        ImportedFile::Rows(imports) => imports,
        ImportedFile::Bare(access_token) => return inspect_only(session, order, &access_token),
    };
    let settings = imports.settings.unwrap_or(SettingsTable::Columns);
    if let Some(app) = &imports.app {
        refuse_unknown_app(session, order, app, settings)?;
    }
    let options = RunOptions::typed("import", order.dry_run, order.lock_wait);
    let turn = RunTurn::wait(session, options)?;
    let session = turn.session(session);
    let mut run = Run::open(&turn, session, options)?;
    let done =
        run.load_tokens().and_then(|()| take_over(&run, imports, order.name(), &order.typed()));
    finish(&run, order, settings, done)
}

/// Writes down how the run ended, and prints what was taken and what was not.
fn finish(
    run: &Run<'_>,
    order: &ImportOrder,
    settings: SettingsTable,
    done: Result<ImportReport, CliError>,
) -> Result<Exit, CliError> {
    let mut report = match done {
        Ok(report) => report,
        Err(error) => {
            run.bear_full(run.close(error.exit))?;
            return Err(error);
        }
    };
    report.run.system.extend(run.fullness(&report.run.results));
    report.run = report.run.with_prefix(run.prefix());
    run.bear_full(run.close(report.exit()))?;
    show(run.session, order, settings, &report)
}

fn show(
    session: &Session,
    order: &ImportOrder,
    settings: SettingsTable,
    report: &ImportReport,
) -> Result<Exit, CliError> {
    let ui = &session.ui;
    match ui.format {
        OutputFormat::Json => ui.data(&report.json())?,
        _ if ui.verbosity == Verbosity::Quiet && !report.run.wants_a_person() => {}
        _ => ui.data(&report.run.text(ui.style(), PageRows::Each))?,
    }
    for line in report.lines() {
        ui.problem(&run::with_prefix(session, &line));
    }
    if order.dry_run == DryRun::No {
        let again = report.again().map(str::to_owned);
        let afterwards = (!report.run.results.is_empty()).then(|| order.afterwards(settings));
        for hint in again.into_iter().chain(afterwards.into_iter().flatten()) {
            run::hint(session, hint);
        }
    }
    Ok(report.exit())
}

impl ImportOrder {
    /// The file as messages name it.
    fn name(&self) -> String {
        if self.is_stdin() { "standard input".to_owned() } else { self.file.display().to_string() }
    }

    fn is_stdin(&self) -> bool {
        self.file == Path::new("-")
    }

    /// The command that was typed, as it works from any folder.
    fn typed(&self) -> String {
        let file = if self.is_stdin() { None } else { std::path::absolute(&self.file).ok() };
        let mut typed =
            format!("metatoken import {}", quoted(file.as_deref().unwrap_or(&self.file)));
        if let Some(kind) = self.shape.typed() {
            let _ = write!(typed, " --from {kind}");
        }
        for (column, name) in &self.renames {
            let rename = format!("{column}={name}");
            let _ = write!(typed, " --map {}", quoted(Path::new(&rename)));
        }
        typed
    }

    /// What is to be done in the other program once the tokens are here.
    fn afterwards(&self, settings: SettingsTable) -> [String; 2] {
        let file = quoted(&self.file);
        let (switch_off, delete) = match self.shape {
            Shape::Rows => (
                "switch off what renewed these tokens before: two programs that renew one token end each other's access tokens".to_owned(),
                if self.is_stdin() {
                    "then delete the export, if it was kept in a file".to_owned()
                } else {
                    format!("then delete the export, which holds access tokens: `shred -u {file}`")
                },
            ),
            Shape::Env => (
                "switch off what renewed these tokens before".to_owned(),
                format!("then remove the access tokens from {file}, or have metatoken deliver to it (see `metatoken help delivery`)"),
            ),
            Shape::Myrcat => (
                "switch off its own renewal: the timer or cron job that runs `facebook_token_cli.py refresh`".to_owned(),
                format!("then delete its copies: `sqlite3 {file} 'DELETE FROM facebook_tokens; VACUUM'`"),
            ),
            Shape::FlaskSettings => (
                format!("switch off its own renewal: `sqlite3 {file} \"{}\"`", settings.switch_off()),
                format!("then delete its copies: `sqlite3 {file} \"{}\"`", settings.delete()),
            ),
        };
        [switch_off, delete]
    }
}

/// Asks about an access token that stands alone in a file; what it is to be called is for the person
/// to say.
fn inspect_only(
    session: &Session,
    order: &ImportOrder,
    access_token: &AccessToken,
) -> Result<Exit, CliError> {
    let source = if order.is_stdin() {
        String::new()
    } else {
        format!(" --token-file {}", quoted(&order.file))
    };
    let report = inspect_bare(session, access_token, &source)?;
    let report = report.with_prefix(session.config.alerts.prefix.as_deref());
    let ui = &session.ui;
    match ui.format {
        OutputFormat::Json => ui.data(&report.json())?,
        _ => ui.data(&report.text(ui.style(), PageRows::Each))?,
    }
    Ok(report.exit())
}

/// Refuses the tokens of an app that the config does not have, and says the lines that it needs.
fn refuse_unknown_app(
    session: &Session,
    order: &ImportOrder,
    app: &OldApp,
    settings: SettingsTable,
) -> Result<(), CliError> {
    let config = &session.config;
    let Some(id) = &app.id else { return Ok(()) };
    let resolves_to =
        |source| session.secrets.resolve(source).is_ok_and(|it| it.trimmed().expose() == id);
    if config.apps.iter().any(|it| it.kind == Provider::Facebook && resolves_to(&it.id)) {
        return Ok(());
    }
    let name = if config.app("main").is_none() { "main".to_owned() } else { format!("app-{id}") };
    let folder = config.path.parent().unwrap_or(Path::new("/"));
    let secret = folder.join(format!("{name}-secret"));
    let mut lines = format!("add to `{}`:\n  [app.{name}]\n  id = \"{id}\"", config.path.display());
    if app.has_secret {
        let _ = write!(lines, "\n  secret = {{ file = \"{name}-secret\" }}");
    }
    let subject = config.path.display().to_string();
    let refused =
        CliError::new(Exit::Config, "no_such_app", subject, format!("has no app with the id {id}"))
            .hint(lines);
    Err(if app.has_secret {
        refused.hint(format!(
            "its secret goes from the database into that file: `(umask 077; sqlite3 -readonly {} \"{}\" > {})`",
            quoted(&order.file),
            settings.secret(),
            quoted(&secret)
        ))
    } else {
        refused
    })
}
