//! Answers a shell that completes a command line.
//!
//! The installed script runs this binary with the words typed so far. Labels and apps come from the
//! text of the config, `tokens.d` included: no key, no store, no network. Where the config is missing
//! or refused they are not offered, and nothing is printed about it: an error message in the middle
//! of a line that is being typed is of no use.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap_complete::engine;
use clap_complete::env::{Bash, EnvCompleter, Fish, Zsh};

use super::arguments::refuse_secrets;
use super::opening::default_sandbox;
use super::refusal::config_typed;
use crate::cli::{self, KnownNames, TypedShell};
use crate::config;
use crate::environment::Environment;
use crate::sandbox::{self, Scenario};
use crate::token::EventKind;

/// The variable by which a script says which shell asks.
const VARIABLE: &str = "METATOKEN_COMPLETE";

/// Where bash and zsh say which word the cursor is in.
const INDEX: &str = "_CLAP_COMPLETE_INDEX";

/// What bash wants between two words.
const SEPARATOR: &str = "_CLAP_IFS";

const NAME: &str = "metatoken";

fn completer(shell: TypedShell) -> &'static dyn EnvCompleter {
    match shell {
        TypedShell::Bash => &Bash,
        TypedShell::Zsh => &Zsh,
        TypedShell::Fish => &Fish,
    }
}

/// The script that makes the shell ask the binary on its `PATH`.
pub fn completion_script(shell: TypedShell) -> String {
    let mut script = Vec::new();
    // A vector takes everything.
    let _ = completer(shell).write_registration(VARIABLE, NAME, NAME, NAME, &mut script);
    let script = String::from_utf8_lossy(&script).trim_start().to_owned();
    match shell {
        TypedShell::Bash | TypedShell::Fish => script,
        // As a file `_metatoken` in `fpath` its first call is a completion already.
        TypedShell::Zsh => format!(
            "{script}\
             if [ \"$funcstack[1]\" = \"_{NAME}\" ]; then\n    \
                 _clap_dynamic_completer_{NAME} \"$@\"\n\
             fi\n"
        ),
    }
}

/// What may stand at the cursor, as the shell reads it; `None` unless a shell's script asks.
pub fn completions(arguments: &[OsString], environment: &Environment) -> Option<String> {
    let shell = match environment.get(VARIABLE)? {
        "bash" => TypedShell::Bash,
        "zsh" => TypedShell::Zsh,
        "fish" => TypedShell::Fish,
        _ => return None,
    };
    let [_, dashes, words @ ..] = arguments else { return None };
    if dashes != "--" {
        return None;
    }
    let answer = std::panic::catch_unwind(|| answer(shell, words, environment));
    Some(answer.ok().flatten().unwrap_or_default())
}

fn answer(shell: TypedShell, words: &[OsString], environment: &Environment) -> Option<String> {
    if refuse_secrets(&[&[OsString::from(NAME)], words].concat()).is_err() {
        return None;
    }
    let index = environment.get(INDEX).and_then(|index| index.parse().ok());
    let line = match shell {
        TypedShell::Bash => Line { words: words.to_vec(), cursor: index? }.assigned().joined(),
        TypedShell::Zsh => Line { words: words.to_vec(), cursor: index? },
        TypedShell::Fish => Line { words: words.to_vec(), cursor: words.len().checked_sub(1)? },
    };
    let mut command = cli::completable(&line.known_names(environment));
    // Where relative paths begin.
    let here = Path::new(".");
    if shell == TypedShell::Bash {
        let before = line.before_the_label();
        let offered = engine::complete(&mut command, line.words, line.cursor, Some(here)).ok()?;
        let values = offered.iter().map(|it| it.get_value().to_string_lossy());
        let values: Vec<String> =
            values.map(|it| it.strip_prefix(&*before).unwrap_or(&it).to_owned()).collect();
        return Some(values.join(environment.get(SEPARATOR).unwrap_or("\n")));
    }
    let mut answer = Vec::new();
    completer(shell).write_complete(&mut command, line.words, Some(here), &mut answer).ok()?;
    String::from_utf8(answer).ok()
}

/// The option whose value is `NAME=LABEL`.
const ASSIGNING: &str = "--env";

/// A command line that is being typed.
struct Line {
    /// The name of the program, and what follows.
    words: Vec<OsString>,
    /// The place of the word that is to be completed.
    cursor: usize,
}

impl Line {
    /// The line with each `NAME=LABEL` behind its option as one word, which bash takes for three.
    fn assigned(self) -> Self {
        let Self { words, cursor } = self;
        let mut joined: Vec<OsString> = Vec::new();
        // Where each word stands afterwards.
        let mut places = Vec::new();
        let mut rest = words.into_iter().peekable();
        while let Some(word) = rest.next() {
            let behind = joined.iter().rev().find(|it| *it != "=");
            let is_value = word != "=" && behind.is_some_and(|it| it == ASSIGNING);
            joined.push(word);
            places.push(joined.len() - 1);
            let Some(equals) = rest.next_if(|next| is_value && next == "=") else { continue };
            places.push(joined.len() - 1);
            let last = joined.len() - 1;
            joined[last].push(equals);
            // With the cursor at the sign itself there is no label yet.
            if places.len() <= cursor
                && let Some(label) = rest.next()
            {
                joined[last].push(label);
                places.push(last);
            }
        }
        let cursor = places.get(cursor).copied().unwrap_or(joined.len());
        Self { words: joined, cursor }
    }

    /// What bash keeps of the word at the cursor: `NAME=`, where a label follows.
    fn before_the_label(&self) -> String {
        let option = self.cursor.checked_sub(1).and_then(|before| self.words.get(before));
        let word = self.words.get(self.cursor).and_then(|word| word.to_str());
        match word.and_then(|word| word.split_once('=')) {
            Some((name, _)) if option.is_some_and(|it| it == ASSIGNING) => format!("{name}="),
            _ => String::new(),
        }
    }

    /// The words as they were typed: bash takes `--option=value` for three.
    fn joined(self) -> Self {
        let Self { words, mut cursor } = self;
        let mut joined: Vec<OsString> = Vec::new();
        let mut rest = words.into_iter().enumerate().peekable();
        while let Some((at, word)) = rest.next() {
            let before = joined.last_mut().filter(|it| it.to_string_lossy().starts_with("--"));
            match before {
                // The value of an option is completed by itself.
                Some(_) if word == "=" && at + 1 == cursor => {}
                Some(option) if word == "=" && at < cursor => {
                    option.push("=");
                    option.push(rest.next().map(|(_, value)| value).unwrap_or_default());
                    cursor -= 2;
                    continue;
                }
                _ => {
                    joined.push(word);
                    continue;
                }
            }
            cursor -= 1;
        }
        Self { words: joined, cursor }
    }

    /// The names in the config that the line means; none where there is no such config.
    fn known_names(&self, environment: &Environment) -> KnownNames {
        let known = KnownNames {
            scenarios: Scenario::ALL.iter().map(ToString::to_string).collect(),
            events: EventKind::ALL.iter().map(ToString::to_string).collect(),
            ..KnownNames::default()
        };
        let config = self.config(environment).filter(|path| path.exists());
        let config = config.and_then(|path| config::load(&path, environment).ok());
        let Some(config) = config else { return known };
        KnownNames {
            labels: config.tokens.iter().map(|token| token.label.to_string()).collect(),
            apps: config.apps.iter().map(|app| app.name.clone()).collect(),
            ..known
        }
    }

    fn config(&self, environment: &Environment) -> Option<PathBuf> {
        let text = |word: &OsString| word.to_str().map(str::to_owned);
        let words: Vec<String> = self.words.iter().filter_map(text).collect();
        let Some(sandbox) = words.iter().find_map(|word| word.strip_prefix("--sandbox")) else {
            let typed = config_typed(&self.words).map(|path| expanded(&path, environment));
            return config::find(typed.as_deref(), environment).ok();
        };
        let folder = match sandbox.strip_prefix('=') {
            Some(folder) => expanded(Path::new(folder), environment),
            None => default_sandbox(environment)?,
        };
        let behind = words.iter().skip_while(|word| *word != "--scenario").nth(1);
        let glued = words.iter().find_map(|word| word.strip_prefix("--scenario="));
        let named = glued.or(behind.map(String::as_str)).and_then(Scenario::from_name);
        let scenario = named.unwrap_or_else(|| sandbox::remembered(&folder));
        Some(folder.join(scenario.as_str()).join("metatoken.toml"))
    }
}

/// The path as the shell would hand it over: what is being typed still has its `~`.
fn expanded(path: &Path, environment: &Environment) -> PathBuf {
    match (path.strip_prefix("~"), environment.get("HOME")) {
        (Ok(rest), Some(home)) => Path::new(home).join(rest),
        _ => path.to_owned(),
    }
}
