//! Finds the config.
//!
//! Never in the current folder: a config names commands, and a user who can put a file where an
//! administrator happens to stand must not be able to have them run.

use std::path::{Path, PathBuf};

use super::path_mistake::PathMistake;
use crate::environment::Environment;
use crate::error::CliError;
use crate::exit::Exit;
use crate::token::secret_typed;

/// Where the config of the machine lives.
pub const SYSTEM_FOLDER: &str = "/etc/metatoken";

/// The name of the file.
pub const NAME: &str = "metatoken.toml";

/// The variable that names the config.
const VARIABLE: &str = "METATOKEN_CONFIG";

/// The config: as told, else the first of the usual places that has one.
pub fn find(explicit: Option<&Path>, environment: &Environment) -> Result<PathBuf, CliError> {
    if let Some(told) = explicit {
        return absolute(told);
    }
    if let Some(told) = environment.get(VARIABLE) {
        refuse_secret(told)?;
        return absolute(Path::new(told));
    }
    let places = usual_places(environment);
    // A link that leads nowhere counts as found, so that it is complained of and not passed by.
    let found = places.iter().find(|place| match place.symlink_metadata() {
        Ok(_) => true,
        Err(error) => error.kind() == std::io::ErrorKind::PermissionDenied,
    });
    found.cloned().ok_or_else(|| none_of(&places))
}

/// Where a first config is written if no place is named: where [`find`] looks for it. Root's is the
/// machine's.
pub fn usual_place(explicit: Option<&Path>, environment: &Environment) -> Option<PathBuf> {
    if explicit.is_some() || environment.get(VARIABLE).is_some() {
        return find(explicit, environment).ok();
    }
    if let Ok(found) = find(None, environment) {
        return Some(found);
    }
    let is_root = environment.user_id() == 0;
    let mut places = usual_places(environment);
    let own = places.pop();
    if is_root { own } else { places.pop() }
}

fn usual_places(environment: &Environment) -> Vec<PathBuf> {
    let own = environment.config_home().map(|home| home.join("metatoken").join(NAME));
    own.into_iter().chain([Path::new(SYSTEM_FOLDER).join(NAME)]).collect()
}

fn none_of(places: &[PathBuf]) -> CliError {
    let names: Vec<String> = places.iter().map(|place| format!("`{}`", place.display())).collect();
    let message = format!("there is no config: looked for {}", names.join(" and "));
    CliError::new(Exit::Config, "config_missing", "", message)
        .hint("write one by `metatoken init`")
        .hint("or name another one with `--config FILE` or `METATOKEN_CONFIG`")
        .hint("or try it without one: `metatoken --sandbox status`")
}

/// Refuses an access token that was put where the path of the config belongs. Arguments are looked
/// at before.
fn refuse_secret(told: &str) -> Result<(), CliError> {
    let Some(kind) = secret_typed(told) else { return Ok(()) };
    let message = format!("looks like {kind}; it was not used, and is not repeated here");
    Err(CliError::new(Exit::Config, "config_missing", VARIABLE, message)
        .hint(format!("`unset {VARIABLE}`, or set it to the path of the config")))
}

fn absolute(path: &Path) -> Result<PathBuf, CliError> {
    if let Some(what) = PathMistake::find(&path.to_string_lossy()).filter(|_| !path.exists()) {
        let message = format!("there is no such config: its path {what}");
        let subject = path.display().to_string();
        return Err(
            CliError::new(Exit::Config, "config_missing", subject, message).hint(what.instead())
        );
    }
    std::path::absolute(path).map_err(|error| {
        let subject = path.display().to_string();
        CliError::new(Exit::Config, "config_missing", subject, "is not a path").because(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_the_variable_is_not_repeated() {
        let environment = environment(&[("METATOKEN_CONFIG", "/tmp/EAABfakefake12")]);
        assert_eq!(
            find(None, &environment).unwrap_err().render(),
            "error: METATOKEN_CONFIG: looks like an access token; it was not used, and is not repeated here\n\
             hint: `unset METATOKEN_CONFIG`, or set it to the path of the config"
        );
    }

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::new(variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
    }

    #[test]
    fn what_was_told_wins() {
        let told = environment(&[("METATOKEN_CONFIG", "/env.toml"), ("HOME", "/h")]);
        assert_eq!(find(Some(Path::new("/a.toml")), &told).unwrap(), Path::new("/a.toml"));
        assert_eq!(find(None, &told).unwrap(), Path::new("/env.toml"));
        assert!(find(Some(Path::new("rel.toml")), &told).unwrap().is_absolute());
    }

    #[test]
    fn the_own_config_goes_before_the_machines() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("metatoken");
        std::fs::create_dir(&home).unwrap();
        let config = home.join(NAME);
        std::os::unix::fs::symlink("/nowhere", &config).unwrap();
        let environment = environment(&[("XDG_CONFIG_HOME", folder.path().to_str().unwrap())]);
        assert_eq!(find(None, &environment).unwrap(), config);
    }

    #[test]
    fn without_any_the_places_and_a_beginning_are_named() {
        let places = usual_places(&environment(&[("HOME", "/home/u")]));
        assert_eq!(
            none_of(&places).render(),
            "error: there is no config: looked for `/home/u/.config/metatoken/metatoken.toml` and \
             `/etc/metatoken/metatoken.toml`\n\
             hint: write one by `metatoken init`\n\
             hint: or name another one with `--config FILE` or `METATOKEN_CONFIG`\n\
             hint: or try it without one: `metatoken --sandbox status`"
        );
    }
}
