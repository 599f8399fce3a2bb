//! Plans the declaration of a token by a command: what the config says when it is declared, and why it
//! cannot be.
//!
//! Nothing is written, and no person is asked. What the config's reader would refuse is refused here, in
//! the words of the options that were typed where that is clearer.

use std::path::Path;

use crate::config::{self, Config, LeftOut, NewToken, NewTokenFile, TokenConfig};
use crate::deliver::foresee;
use crate::error::{CliError, visible};
use crate::exit::Exit;
use crate::policy::{humanize, table};
use crate::session::Session;
use crate::token::{Label, Provider, Source, TokenType};

/// How a token comes to be declared.
#[derive(Debug)]
pub enum DeclarationPlan {
    /// It is declared already, and nothing that was typed differs.
    Stands,
    /// This file declares it.
    New {
        /// The file.
        file: NewTokenFile,
        /// The config with it.
        config: Box<Config>,
    },
}

impl DeclarationPlan {
    /// Finds out how a token comes to be declared; `command` is who writes the file.
    pub fn plan(session: &Session, new: &NewToken, command: &str) -> Result<Self, CliError> {
        let config = &session.config;
        refuse_left_out(config, &new.label)?;
        refuse_former(config, &new.label)?;
        if let Some(declared) = config.token(&new.label) {
            return match new.differences(declared) {
                differences if differences.is_empty() => {
                    refuse_disabled(config, declared)?;
                    Ok(Self::Stands)
                }
                differences => Err(is_another(config, declared, &differences)),
            };
        }
        check_parent(config, new)?;
        let app = find_app(config, new)?;
        // A second app that comes later takes nothing away from what is written now.
        let file = config.new_token_file(&NewToken { app, ..new.clone() }, command);
        if file.path.symlink_metadata().is_ok() {
            let subject = file.path.display().to_string();
            let message = format!("exists already, and does not declare `{}`", new.label);
            return Err(refusal("file_exists", subject, message)
                .hint("choose another label, or move that file away"));
        }
        refuse_unsafe_folder(config, &file.path)?;
        check_writable(&file.path)?;
        let with_it = read_with(session, new, &file)?;
        let token = with_it.token(&new.label).ok_or_else(|| {
            refusal("bad_declaration", new.label.as_str(), "not added: the config leaves it out")
                .hint("`metatoken config check` shows what is wrong")
        })?;
        refuse_disabled(config, token)?;
        check_targets(session.environment.get("PATH"), token)?;
        Ok(Self::New { file, config: Box::new(with_it) })
    }

    /// The config in which the token is declared.
    pub fn config<'a>(&'a self, session: &'a Session) -> &'a Config {
        match self {
            Self::Stands => &session.config,
            Self::New { config, .. } => config,
        }
    }

    /// The file that is to be written.
    pub const fn file(&self) -> Option<&NewTokenFile> {
        match self {
            Self::Stands => None,
            Self::New { file, .. } => Some(file),
        }
    }
}

fn refusal(code: &'static str, subject: impl Into<String>, message: impl Into<String>) -> CliError {
    CliError::new(Exit::InputRefused, code, subject, message)
}

fn usage(new: &NewToken, message: impl Into<String>) -> CliError {
    CliError::new(Exit::Usage, "usage", new.label.as_str(), message)
}

/// Refuses a label that a file declares which is left out of the config.
fn refuse_left_out(config: &Config, label: &Label) -> Result<(), CliError> {
    let declares_it = |it: &&LeftOut| it.labels.contains(label);
    let Some(left_out) = config.left_out.iter().find(declares_it) else { return Ok(()) };
    Err(CliError::new(Exit::Config, "config_file", label.as_str(), left_out.message.clone())
        .hint(left_out.remedy.clone()))
}

/// Refuses a label that a token says it had before: declared again, it would take the name away from
/// what is kept under it.
fn refuse_former(config: &Config, label: &Label) -> Result<(), CliError> {
    let now = if config.token(label).is_none() { config.formerly(label) } else { None };
    let Some(now) = now else { return Ok(()) };
    let message = format!("is the former label of `{}`", now.label);
    Err(refusal("former_label", label.as_str(), message)
        .hint(format!("choose another label, or remove `was` from {}", table(&now.label))))
}

/// Refuses a token that would be left alone.
fn refuse_disabled(config: &Config, token: &TokenConfig) -> Result<(), CliError> {
    if token.policy.enabled {
        return Ok(());
    }
    let message = "its `enabled` is false, so it would be left alone";
    Err(refusal("disabled", token.label.as_str(), message).hint(format!(
        "set `enabled = true` in `[token.{}]` or `[defaults]`: `{}`",
        token.label,
        token.declared_in.as_deref().filter(|file| file.exists()).unwrap_or(&config.path).display()
    )))
}

fn is_another(config: &Config, declared: &TokenConfig, differences: &[String]) -> CliError {
    let label = &declared.label;
    let file = declared.declared_in.as_deref().unwrap_or(&config.path);
    let message = format!("`{}` declares it, and {}", file.display(), differences.join("; "));
    refusal("already_declared", label.as_str(), message)
        .hint("choose another label, or change it in that file")
}

/// Checks what the Page of a parent needs.
fn check_parent(config: &Config, new: &NewToken) -> Result<(), CliError> {
    if new.token_type != TokenType::Page {
        let misplaced = new.parent.as_ref().map(|_| "--parent");
        let misplaced = misplaced.or_else(|| new.page_id.as_ref().map(|_| "--page-id"));
        return match misplaced {
            Some(option) => Err(usage(new, format!("`{option}` is for a Page"))
                .hint("add `--type page`, or leave it out")),
            None => Ok(()),
        };
    }
    let Some(parent) = &new.parent else {
        return if new.page_id.is_some() { Ok(()) } else { Err(no_page_id(new, "USER")) };
    };
    let Some(declared) = config.token(parent) else {
        let users = config.tokens.iter().filter(|it| has_pages(it.token_type));
        let users: Vec<&Label> = users.map(|it| &it.label).collect();
        let complaint = usage(new, format!("there is no token `{parent}`"));
        let complaint = match users.as_slice() {
            [] => complaint,
            users => complaint.hint(format!("a parent can be {}", humanize::list(users))),
        };
        return Err(complaint
            .hint(format!("or add the person first: `metatoken add {parent} --type user`")));
    };
    if !has_pages(declared.token_type) {
        let what = humanize::with_article(declared.token_type);
        return Err(usage(new, format!("`{parent}` is {what} token, which has no Pages"))
            .hint("a parent is of type `user` or `system-user`"));
    }
    if new.page_id.is_none() {
        return Err(no_page_id(new, parent.as_str()));
    }
    Ok(())
}

const fn has_pages(token_type: TokenType) -> bool {
    matches!(token_type, TokenType::User | TokenType::SystemUser)
}

fn no_page_id(new: &NewToken, parent: &str) -> CliError {
    usage(new, "a Page needs `--page-id ID`")
        .hint(format!("`metatoken pages {parent}` lists the Pages that it reaches, with their ids"))
}

/// Finds the app: the one that was typed or the only one of the type's kind; none of a Page with a
/// parent, whose app it has.
fn find_app(config: &Config, new: &NewToken) -> Result<Option<String>, CliError> {
    if new.parent.is_some() {
        return Ok(new.app.clone());
    }
    let wanted = new.token_type.provider();
    let fitting = config.apps.iter().filter(|app| app.kind == wanted);
    let names: Vec<&str> = fitting.map(|app| app.name.as_str()).collect();
    match &new.app {
        Some(name) if names.contains(&name.as_str()) => Ok(Some(name.clone())),
        None if names.len() == 1 => Ok(Some(names[0].to_owned())),
        Some(_) | None if names.is_empty() => Err(no_app(config, new, wanted)),
        Some(name) => {
            let message = match config.app(name) {
                None => format!("the config has no app `{}`", visible(name)),
                Some(app) => {
                    let (kind, what) = (app.kind, humanize::with_article(new.token_type));
                    format!(
                        "invalid app `{name}`: its kind is `{kind}`, and {what} token needs `{wanted}`"
                    )
                }
            };
            Err(usage(new, message).hint(format!("its app can be {}", humanize::list(&names))))
        }
        None => Err(usage(new, "several apps fit: `--app NAME` is needed")
            .hint(format!("its app can be {}", humanize::list(&names)))),
    }
}

fn no_app(config: &Config, new: &NewToken, wanted: Provider) -> CliError {
    let words = match wanted {
        Provider::DEFAULT => String::new(),
        other => format!(" of kind `{other}`"),
    };
    let what = humanize::with_article(new.token_type);
    let message = format!("the config has no app{words} that {what} token could belong to");
    CliError::new(Exit::Config, "no_app", new.label.as_str(), message).hint(format!(
        "add it to `{}`: `metatoken init --app-kind {wanted}`",
        config.path.display()
    ))
}

/// Refuses a folder that no run would read: the token would be declared and left out.
pub fn refuse_unsafe_folder(config: &Config, path: &Path) -> Result<(), CliError> {
    let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
    let is_it = |it: &&LeftOut| it.path.is_some() && it.path == folder;
    let Some(left_out) = config.left_out.iter().find(is_it) else { return Ok(()) };
    Err(CliError::new(Exit::Config, "config_file", "", left_out.message.clone())
        .hint(left_out.remedy.clone()))
}

/// Refuses a file that this user cannot make, before anybody is asked for anything.
fn check_writable(path: &Path) -> Result<(), CliError> {
    use rustix::fs::{Access, access};
    let folder = path.parent().unwrap_or(Path::new("/"));
    // A folder that is not there yet is made.
    let nearest = if folder.exists() { folder } else { folder.parent().unwrap_or(folder) };
    access(nearest, Access::WRITE_OK | Access::EXEC_OK).map_err(|error| {
        let message = "cannot be written by this user, and the token is declared there";
        CliError::new(Exit::Storage, "not_declared", nearest.display().to_string(), message)
            .because(std::io::Error::from(error))
            .hint("run it as the user who owns that folder; nothing was changed")
    })
}

/// Reads the config with the file, and refuses the file if anything is wrong with either then.
fn read_with(session: &Session, new: &NewToken, file: &NewTokenFile) -> Result<Config, CliError> {
    let Session { config, environment, .. } = session;
    let refused = |why: &str| {
        let message = format!("not added: the config would be refused:\n  {}", why.trim());
        let complaint = refusal("bad_declaration", new.label.as_str(), message);
        if new.deliver.is_empty() {
            return complaint;
        }
        complaint.hint("correct `--deliver FILE#KEY`, such as `config.ini#facebook.access_token`")
    };
    let with_it = config::load_with(&config.path, environment, file).map_err(|error| {
        let why = error.message.split_once('\n').map_or(error.message.as_str(), |(_, why)| why);
        refused(why)
    })?;
    let is_new = |it: &&LeftOut| !config.left_out.iter().any(|known| known.path == it.path);
    match with_it.left_out.iter().find(is_new) {
        Some(left_out) => Err(refused(&left_out.rendered.join("\n").replace('\n', "\n  "))),
        None => Ok(with_it),
    }
}

/// Checks that each target could be written, as `config check` does; `path` is the `PATH` that
/// programs are searched in.
pub fn check_targets(path: Option<&str>, token: &TokenConfig) -> Result<(), CliError> {
    for target in &token.deliver {
        if let Err(error) = foresee(target, path) {
            let message = format!("`{}` cannot be written: {}", target.id, error.message);
            let complaint = refusal("not_deliverable", token.label.as_str(), message);
            let hint = error.hint.as_deref().map(in_options);
            let complaint = hint.into_iter().fold(complaint, CliError::hint);
            return Err(complaint.hint("nothing was changed; Meta was not asked"));
        }
    }
    Ok(())
}

/// A hint about a table of the config in the words of the options.
fn in_options(hint: &str) -> String {
    hint.replace("`file` and `key` in the config", "`--deliver`")
        .replace("`file` in the config", "`--deliver`")
        .replace("`key` in the config", "`--deliver`")
        .replace("or set `create = true`", "or add `--create`")
        .replace("or set `overwrite = true` to replace it", "or empty that value first")
}

/// Whether an access token of this kind is derived and not handed over.
pub fn is_derived(token: &TokenConfig) -> bool {
    match token.token_type.spec().source {
        Source::Person(_) => false,
        Source::Parent(_) => token.parent.is_some(),
        Source::App(_) => true,
    }
}
