//! Writes and compares what a command declares in `tokens.d`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::find::SYSTEM_FOLDER;
use super::path_mistake::PathMistake;
use super::token_files::{FOLDER, NewTokenFile, first_line};
use super::{Config, Pages, Place, TokenConfig};
use crate::edit::Missing;
use crate::environment::Environment;
use crate::token::{Label, TokenType};

/// A token that is to be declared, as far as a command can say it.
#[derive(Debug, Clone)]
pub struct NewToken {
    pub label: Label,
    pub token_type: TokenType,
    pub app: Option<String>,
    pub parent: Option<Label>,
    pub page_id: Option<String>,
    /// Whether all Pages of this person are looked after.
    pub all_pages: bool,
    /// Who can log in again.
    pub owner: Option<String>,
    /// Meta's id of the person or System User that it must belong to.
    pub user_id: Option<String>,
    /// The files that it is delivered to.
    pub deliver: Vec<FileAndKey>,
}

/// A file, and the key of one value in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileAndKey {
    pub file: PathBuf,
    /// None for a file that holds the access token alone.
    pub key: Option<String>,
    /// What to do where the key or the file is missing.
    pub missing: Missing,
}

impl NewToken {
    /// Its table, as it stands in a file of its own.
    fn to_toml(&self, command: &str) -> String {
        let mut text = format!("{}\n", first_line(command));
        let _ = writeln!(text, "[token.{}]", self.label);
        let mut put = |key: &str, value: Option<&str>| {
            if let Some(value) = value {
                let _ = writeln!(text, "{key} = {}", toml_edit::Value::from(value));
            }
        };
        put("type", Some(self.token_type.as_str()));
        put("app", self.app.as_deref());
        put("parent", self.parent.as_ref().map(Label::as_str));
        put("page_id", self.page_id.as_deref());
        put("pages", self.all_pages.then_some("all"));
        put("owner", self.owner.as_deref());
        put("user_id", self.user_id.as_deref());
        for target in &self.deliver {
            let _ = write!(text, "\n[[token.{}.deliver]]\n{}", self.label, target.to_toml());
        }
        text
    }

    /// The settings in which a token that is declared already differs from this one: `KEY is A, not
    /// B`. What this one does not say is not a difference.
    pub fn differences(&self, declared: &TokenConfig) -> Vec<String> {
        let mut all = Vec::new();
        let mut compare = |key: &str, found: Option<&str>, wanted: Option<&str>| {
            if let Some(wanted) = wanted.filter(|wanted| found != Some(wanted)) {
                let found = found.map_or("not set".to_owned(), |found| format!("`{found}`"));
                all.push(format!("`{key}` is {found}, not `{wanted}`"));
            }
        };
        compare("type", Some(declared.token_type.as_str()), Some(self.token_type.as_str()));
        compare("app", Some(&declared.app), self.app.as_deref());
        let parent = declared.parent.as_ref().map(Label::as_str);
        compare("parent", parent, self.parent.as_ref().map(Label::as_str));
        compare("page_id", declared.page_id.as_deref(), self.page_id.as_deref());
        let pages = (!matches!(declared.pages, Pages::None)).then_some("all");
        compare("pages", pages, self.all_pages.then_some("all"));
        compare("owner", declared.policy.owner.as_deref(), self.owner.as_deref());
        compare("user_id", declared.user_id.as_deref(), self.user_id.as_deref());
        for wanted in &self.deliver {
            let same = declared.deliver.iter().find_map(|target| match &target.place {
                Place::File(file) if file.path == wanted.file && file.key == wanted.key => {
                    Some(file)
                }
                _ => None,
            });
            match same {
                None => all.push(format!("it is not delivered to `{wanted}`")),
                Some(file)
                    if file.missing == Missing::Refuse && wanted.missing == Missing::Create =>
                {
                    all.push(format!("`create` of `{wanted}` is not set"));
                }
                Some(_) => {}
            }
        }
        all
    }
}

impl FileAndKey {
    /// Reads `FILE#KEY`, or a file alone, as a person types it: `~/` is the home, whether a shell has
    /// seen the text or not. The path may still be relative. An error says why it is neither.
    pub fn read(text: &str, environment: &Environment) -> Result<Self, String> {
        let (file, key) = match text.rsplit_once('#') {
            Some((file, key)) => (file, Some(key)),
            None => (text, None),
        };
        if file.is_empty() || file.ends_with('/') || key.is_some_and(str::is_empty) {
            return Err("a file and a key are needed".to_owned());
        }
        let file = match (file.strip_prefix("~/"), environment.get("HOME")) {
            (Some(rest), Some(home)) => Path::new(home).join(rest),
            _ => PathBuf::from(file),
        };
        if let Some(what) = PathMistake::find(&file.to_string_lossy()) {
            return Err(format!("it {what}: {}", what.instead()));
        }
        Ok(Self { file, key: key.map(str::to_owned), missing: Missing::Refuse })
    }

    /// The keys of its table in the config.
    pub fn to_toml(&self) -> String {
        let literal = |text: &str| toml_edit::Value::from(text).to_string();
        let mut text = format!("file = {}\n", literal(&self.file.to_string_lossy()));
        if let Some(key) = &self.key {
            let _ = writeln!(text, "key = {}", literal(key));
        }
        if self.missing == Missing::Create {
            text.push_str("create = true\n");
        }
        text
    }
}

impl std::fmt::Display for FileAndKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.key {
            Some(key) => write!(f, "{}#{key}", self.file.display()),
            None => write!(f, "{}", self.file.display()),
        }
    }
}

impl Config {
    /// The folders whose files declare tokens, whether they are there or not.
    pub fn token_folders(&self) -> [PathBuf; 2] {
        [&self.path, &self.store.path].map(|beside| beside.with_file_name(FOLDER))
    }

    /// The file in which a new token is declared: beside the config, or beside the store of a config
    /// whose folder is the machine's and may be read-only.
    pub fn new_token_file(&self, token: &NewToken, command: &str) -> NewTokenFile {
        let beside = match self.path.parent() {
            Some(folder) if folder == Path::new(SYSTEM_FOLDER) => &self.store.path,
            _ => &self.path,
        };
        let path = beside.with_file_name(FOLDER).join(format!("{}.toml", token.label));
        NewTokenFile { path, text: token.to_toml(command) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_as_it_was_meant() {
        let token = NewToken {
            label: Label::parse("shop").unwrap(),
            token_type: TokenType::Page,
            app: None,
            parent: Some(Label::parse("anna").unwrap()),
            page_id: Some("501".to_owned()),
            all_pages: false,
            owner: Some("\"Anna\" \\ O'Neil\n".to_owned()),
            user_id: None,
            deliver: vec![FileAndKey {
                file: "/srv/a b/#1/\"config\".ini".into(),
                key: Some("facebook.access_token".to_owned()),
                missing: Missing::Create,
            }],
        };
        let text = token.to_toml("add");
        let document: toml_edit::DocumentMut = text.parse().unwrap();
        let table = &document["token"]["shop"];
        assert_eq!(table["owner"].as_str(), token.owner.as_deref());
        assert_eq!(table["type"].as_str(), Some("page"));
        assert!(table.get("app").is_none() && table.get("pages").is_none());
        let target = table["deliver"].as_array_of_tables().unwrap().get(0).unwrap();
        assert_eq!(target["file"].as_str(), Some("/srv/a b/#1/\"config\".ini"));
        assert_eq!(target["key"].as_str(), Some("facebook.access_token"));
        assert_eq!(target["create"].as_bool(), Some(true));
    }

    #[test]
    fn a_file_and_a_key_are_read_as_they_are_typed() {
        const HOME: &str =
            "it begins with `~`, which only a shell understands: write the whole path";
        let environment = Environment::new([("HOME".to_owned(), "/home/u".to_owned())]);
        for (text, read) in [
            ("config.ini#a.b", Ok(("config.ini", Some("a.b")))),
            ("/srv/a b/.env#TOKEN", Ok(("/srv/a b/.env", Some("TOKEN")))),
            ("/srv/#1/.env#TOKEN", Ok(("/srv/#1/.env", Some("TOKEN")))),
            ("token.txt", Ok(("token.txt", None))),
            ("~/app/.env#TOKEN", Ok(("/home/u/app/.env", Some("TOKEN")))),
            ("~/token", Ok(("/home/u/token", None))),
            ("a~/.env#T", Ok(("a~/.env", Some("T")))),
            ("~bob/.env#T", Err(HOME)),
            ("~#T", Err(HOME)),
            (
                "$HOME/.env#T",
                Err(
                    "it has a variable with `$` in it, which only a shell understands: write the whole path",
                ),
            ),
            ("#T", Err("a file and a key are needed")),
            ("a.env#", Err("a file and a key are needed")),
            ("dir/", Err("a file and a key are needed")),
            ("", Err("a file and a key are needed")),
        ] {
            let found = FileAndKey::read(text, &environment);
            let expected = read.map(|(file, key): (&str, Option<&str>)| FileAndKey {
                file: PathBuf::from(file),
                key: key.map(str::to_owned),
                missing: Missing::Refuse,
            });
            assert_eq!(found, expected.map_err(str::to_owned), "{text}");
        }
        let homeless = FileAndKey::read("~/a#T", &Environment::default());
        assert_eq!(homeless, Err(HOME.to_owned()));
    }
}
