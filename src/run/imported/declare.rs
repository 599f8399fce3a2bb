//! Declares the tokens of an import: a file each in `tokens.d`.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::Path;

use super::ask::AskedRow;
use crate::config::{NewToken, NewTokenFile, load_with_all};
use crate::error::CliError;
use crate::exit::Exit;
use crate::files::Prepared;
use crate::graph::App;
use crate::import::ImportRow;
use crate::report::RefusedLine;
use crate::run::declaration::refuse_unsafe_folder;
use crate::run::tokens::TokenConfig;
use crate::run::{DryRun, Run};
use crate::token::{Inspection, TokenType};

/// The command, as the files name it that it writes.
const COMMAND: &str = "import";

/// A row that is to be declared and handed over.
pub struct ReadyRow {
    pub row: ImportRow,
    pub app: App,
    pub inspection: Inspection,
    pub token: TokenConfig,
    /// The file that declares it, where it is not declared yet.
    pub file: Option<NewTokenFile>,
}

/// Finds out whether the new files can be written, before Meta is asked.
pub fn check_folder(run: &Run<'_>, rows: &[ImportRow]) -> Result<(), CliError> {
    let config = &run.session.config;
    let new = rows.iter().find(|row| config.token(&row.label).is_none());
    let Some(row) = new else { return Ok(()) };
    let file = config.new_token_file(&declaration(row, None, TokenType::User, None), COMMAND);
    refuse_unsafe_folder(config, &file.path)?;
    match run.dry_run {
        DryRun::Yes => Ok(()),
        DryRun::No => prepare(&file).map(drop),
    }
}

/// Reads the config as it would be with the new tokens, and refuses those that it would leave out.
pub fn declare(
    run: &Run<'_>,
    asked: Vec<AskedRow>,
    left: &mut Vec<RefusedLine>,
) -> Result<Vec<ReadyRow>, CliError> {
    let config = &run.session.config;
    let file_of = |asked: &AskedRow| {
        let AskedRow { row, app, token_type, inspection } = asked;
        let new = declaration(row, Some(app), *token_type, Some(inspection));
        config.token(&row.label).is_none().then(|| config.new_token_file(&new, COMMAND))
    };
    let files: Vec<Option<NewTokenFile>> = asked.iter().map(file_of).collect();
    let new: Vec<NewTokenFile> = files.iter().flatten().cloned().collect();
    let with_them = match new.as_slice() {
        [] => config.clone(),
        new => load_with_all(&config.path, &run.session.environment, new)?,
    };
    let left_out: HashMap<&Path, &str> = with_them
        .left_out
        .iter()
        .filter_map(|it| Some((it.path.as_deref()?, it.message.as_str())))
        .collect();
    let mut ready = Vec::new();
    for (AskedRow { row, app, token_type, inspection }, file) in asked.into_iter().zip(files) {
        let path = file.as_ref().map(|file| file.path.as_path());
        match with_them.token(&row.label).cloned() {
            _ if path.is_some_and(|path| path.symlink_metadata().is_ok()) => {
                let path = path.map_or_else(String::new, |path| path.display().to_string());
                let reason =
                    format!("`{path}` is there already, and does not declare `{}`", row.label);
                left.push(RefusedLine::of_input(&row.place, reason));
            }
            Some(token) if token.token_type != token_type => {
                let reason = format!("`{}` is declared as a {} token", row.label, token.token_type);
                left.push(RefusedLine::of_input(&row.place, reason));
            }
            Some(token) => ready.push(ReadyRow { row, app, inspection, token, file }),
            None => {
                let why = path.and_then(|path| left_out.get(path)).copied();
                let why = why.unwrap_or("the config leaves it out: see `metatoken config check`");
                left.push(RefusedLine::of_input(&row.place, why.trim_start_matches("left out: ")));
            }
        }
    }
    Ok(ready)
}

/// What is declared of a row.
fn declaration(
    row: &ImportRow,
    app: Option<&App>,
    token_type: TokenType,
    inspection: Option<&Inspection>,
) -> NewToken {
    let of_graph = inspection.and_then(|inspection| inspection.identity.page_id.as_ref());
    let page_id = row.page_id.as_ref().or(of_graph);
    NewToken {
        label: row.label.clone(),
        token_type,
        // A Page has its parent's.
        app: app.filter(|_| row.parent.is_none()).map(|app| app.name.clone()),
        parent: row.parent.clone(),
        page_id: page_id.filter(|_| token_type == TokenType::Page).cloned(),
        all_pages: false,
        owner: row.owner.clone(),
        user_id: row.user_id.clone(),
        deliver: Vec::new(),
    }
}

/// Writes the file of a new token under a hidden name.
pub fn prepare(file: &NewTokenFile) -> Result<Prepared, CliError> {
    Prepared::write(&file.path, file.text.as_bytes())
        .map_err(|error| undeclarable(&file.path, error))
}

/// Says why a file in `tokens.d` cannot be made.
pub fn undeclarable(path: &Path, error: std::io::Error) -> CliError {
    let subject = path.display().to_string();
    if error.kind() == ErrorKind::AlreadyExists {
        let message = "is there already, and another program wrote it meanwhile";
        return CliError::new(Exit::InputRefused, "declared_already", subject, message);
    }
    CliError::new(Exit::Storage, "not_declared", subject, "cannot be written")
        .because(error)
        .hint("run it as the user who owns that folder, and see that the disk has room: `df .`")
}
