//! Writes the text of a first config, with comments for the person who goes on with it.

use std::fmt::Write as _;

use super::FileAndKey;
use crate::token::{Label, Provider, Secret, TokenType};

/// The file beside the config that holds the app's secret.
pub const SECRET_FILE: &str = "app-secret";

/// What a first config says.
#[derive(Debug)]
pub struct FirstConfig {
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
    /// The text of the config.
    pub fn text(&self) -> String {
        self.text_with(&format!("{{ file = \"{SECRET_FILE}\" }}"))
    }

    /// The same with the secret in it, to ask Meta before a file is written.
    pub fn text_to_ask_with(&self, secret: &Secret) -> Secret {
        Secret::new(self.text_with(&literal(secret.expose())))
    }

    fn text_with(&self, secret: &str) -> String {
        let mut text = String::from(
            "# Written by `metatoken init`. Every key: `metatoken help config`.\n\
             # After a change: `metatoken config check`.\n\n",
        );
        for (at, (provider, url)) in self.endpoints.iter().enumerate() {
            let head = if at == 0 { "[endpoints]\n" } else { "" };
            let _ = writeln!(text, "{head}{provider} = {}", literal(url));
        }
        if !self.endpoints.is_empty() {
            text.push('\n');
        }
        text.push_str("[app.main]\n");
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
