//! Writes the text of a first config, or of an app that is added to one, with comments for the person
//! who goes on with it.

use std::fmt::Write as _;

use super::FileAndKey;
use crate::token::{Label, Provider, Secret, TokenType};

/// The name of the first app of a config.
pub const FIRST_APP: &str = "main";

/// The file beside the config that holds the secret of the app of that name.
pub fn secret_file(app: &str) -> String {
    format!("{}-secret", if app == FIRST_APP { "app" } else { app })
}

/// How a first config begins.
const HEAD: &str = "# Written by `metatoken init`. Every key: `metatoken help config`.\n\
                    # After a change: `metatoken config check`.\n\n";

/// What a first config says, or what is added to one.
#[derive(Debug)]
pub struct FirstConfig {
    /// The config that is there already and gets the rest.
    pub existing: Option<Secret>,
    /// What the app is called.
    pub app: String,
    /// Whose app it is.
    pub kind: Provider,
    /// Meta's id of the app.
    pub app_id: String,
    /// Whether the app's secret lies beside the config.
    pub has_secret: bool,
    /// Where Graph is, by its names in `[endpoints]`, if not at Meta.
    pub endpoints: Vec<(Provider, String)>,
    /// The first token, if there is one already.
    pub token: Option<FirstToken>,
}

/// The first token of a config.
#[derive(Debug, Clone)]
pub struct FirstToken {
    /// Its label.
    pub label: Label,
    /// Its type.
    pub token_type: TokenType,
    /// The Page, of a Page's token.
    pub page_id: Option<String>,
    /// The file that it is delivered to and the key in it.
    pub deliver: Option<FileAndKey>,
}

impl FirstToken {
    /// The token whose access token a person hands over: of a Page it is the user who manages it.
    pub fn handed_over(&self) -> Option<Label> {
        match self.token_type {
            TokenType::Page => Label::parse(&format!("{}-user", self.label)).ok(),
            TokenType::App => None,
            _ => Some(self.label.clone()),
        }
    }
}

impl FirstConfig {
    /// The text of the config; one that has it all already stays as it is.
    pub fn text(&self) -> Secret {
        self.text_with(&self.in_a_file())
    }

    /// The same with the secret in it, to ask Meta before a file is written.
    pub fn text_to_ask_with(&self, secret: &Secret) -> Secret {
        self.text_with(&literal(secret.expose()))
    }

    /// Whether the config that is there has an app of that name which is another one.
    pub fn is_taken(&self) -> bool {
        let head = format!("[app.{}]", self.app);
        let existing = self.existing.as_ref().map_or("", Secret::expose);
        existing.lines().any(|line| line.trim() == head) && !self.is_there()
    }

    /// Whether the config that is there has it all already.
    fn is_there(&self) -> bool {
        let tables = self.tables(&self.in_a_file());
        self.existing.as_ref().is_some_and(|existing| existing.expose().contains(tables.trim_end()))
    }

    fn in_a_file(&self) -> String {
        format!("{{ file = \"{}\" }}", secret_file(&self.app))
    }

    fn text_with(&self, secret: &str) -> Secret {
        let tables = self.tables(secret);
        match &self.existing {
            None => Secret::new(format!("{HEAD}{tables}")),
            Some(existing) if self.is_there() => existing.clone(),
            Some(existing) => Secret::new(format!("{}\n\n{tables}", existing.expose().trim_end())),
        }
    }

    fn tables(&self, secret: &str) -> String {
        let mut text = String::new();
        for (at, (provider, url)) in self.endpoints.iter().enumerate() {
            let head = if at == 0 { "[endpoints]\n" } else { "" };
            let _ = writeln!(text, "{head}{provider} = {}", literal(url));
        }
        if !self.endpoints.is_empty() {
            text.push('\n');
        }
        let _ = writeln!(text, "[app.{}]", self.app);
        if self.kind != Provider::DEFAULT {
            let _ = writeln!(text, "kind = \"{}\"", self.kind);
        }
        let _ = writeln!(text, "id = {}", literal(&self.app_id));
        if self.has_secret {
            let _ =
                writeln!(text, "# The app's secret: never in this file, which others may read.");
            let _ = writeln!(text, "secret = {secret}");
        }
        if let Some(token) = &self.token {
            token.write(&mut text);
        }
        text
    }
}

impl FirstToken {
    fn write(&self, text: &mut String) {
        let Self { label, token_type, page_id, deliver } = self;
        if let (TokenType::Page, Some(user)) = (token_type, self.handed_over()) {
            let _ = write!(
                text,
                "\n# The person who manages the Page. The Page's access token is derived from theirs.\n\
                 [token.{user}]\ntype = \"user\"\n# owner = \"anna@example.org\"   # who can log in again; named in every alert\n\
                 \n[token.{label}]\ntype = \"page\"\nparent = \"{user}\"\n"
            );
        } else {
            let _ = write!(text, "\n[token.{label}]\ntype = \"{token_type}\"\n");
            if *token_type != TokenType::App {
                text.push_str("# owner = \"anna@example.org\"   # who can log in again; named in every alert\n");
            }
        }
        if let Some(page_id) = page_id {
            let _ = writeln!(text, "page_id = {}", literal(page_id));
        }
        if let Some(target) = deliver {
            let _ = write!(
                text,
                "\n# Only this value of the file is changed. `metatoken help delivery` has more.\n\
                 [[token.{label}.deliver]]\n{}",
                target.to_toml()
            );
        }
    }
}

/// A text as TOML writes it.
fn literal(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}
