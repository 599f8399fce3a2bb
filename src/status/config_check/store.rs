//! Checks whether the store and its key can be read, and fit.

use std::path::Path;

use crate::config::{Config, KeySetting, SecretSource};
use crate::error::CliError;
use crate::exit::Exit;
use crate::report::{CheckResult, ConfigCheck};
use crate::session::Session;
use crate::store::Store;

/// The store and its key: whether both can be read, and fit.
pub fn check_store(session: &Session) -> (Option<Store>, Vec<ConfigCheck>) {
    let path = session.config.store.path.display().to_string();
    let store = match session.reader() {
        Ok(store) => store,
        Err(complaint) => return (None, vec![storage_error("[store]", &complaint)]),
    };
    let mut checks = Vec::new();
    match &store {
        Some(_) => checks.push(ConfigCheck::good("[store]", format!("`{path}` can be read"))),
        None => checks.push(check_new_store(&session.config)),
    }
    match (&store, session.key()) {
        (None, _) if matches!(session.config.store.key, KeySetting::Beside(_)) => {}
        (_, Err(complaint)) if is_elsewhere(session) => checks.push(ConfigCheck::new(
            "key_unreadable",
            "[store] key",
            CheckResult::Warning,
            complaint.causes.join(": "),
            "run this check as the service: its unit hands the key over",
        )),
        (_, Err(complaint)) => checks.push(storage_error("[store] key", &complaint)),
        (Some(store), Ok(key)) => match store.unlock(&key) {
            Ok(()) => checks.push(ConfigCheck::good("[store] key", "opens the store")),
            Err(error) => checks.push(storage_error("[store] key", &error.into())),
        },
        (None, Ok(_)) => checks.push(ConfigCheck::good("[store] key", "can be read")),
    }
    (store, checks)
}

/// Whether the key is a credential, which only the service has.
fn is_elsewhere(session: &Session) -> bool {
    let of_the_unit =
        matches!(&session.config.store.key, KeySetting::Given(SecretSource::Credential(_)));
    of_the_unit && session.environment.get("CREDENTIALS_DIRECTORY").is_none()
}

fn storage_error(subject: &str, complaint: &CliError) -> ConfigCheck {
    let message = if complaint.subject.is_empty() {
        complaint.message.clone()
    } else {
        format!("{}: {}", complaint.subject, complaint.message)
    };
    let causes = complaint.causes.iter().fold(message, |text, cause| format!("{text}: {cause}"));
    let result = CheckResult::Error(Exit::Storage);
    ConfigCheck::new(complaint.code, subject, result, causes, complaint.hints.join("; "))
}

/// Whether a first run can make the store.
fn check_new_store(config: &Config) -> ConfigCheck {
    let path = &config.store.path;
    // A run makes the folders that are missing.
    let folder = path.ancestors().skip(1).find(|folder| folder.exists());
    let folder = folder.unwrap_or(Path::new("/"));
    if files_can_be_made(folder) {
        let message = format!("`{}` is made by the first run", path.display());
        return ConfigCheck::good("[store]", message);
    }
    ConfigCheck::new(
        "store_unwritable",
        "[store]",
        CheckResult::Error(Exit::Storage),
        format!("`{}` cannot be made: its folder cannot be written by this user", path.display()),
        format!(
            "run it as the user who owns `{}`, or give that folder to the user of the timer",
            folder.display()
        ),
    )
}

fn files_can_be_made(folder: &Path) -> bool {
    use rustix::fs::{Access, access};
    folder.is_dir() && access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}
