//! Says why a value cannot be an access token, and what to do about it.

use std::fmt;

use super::{Provider, TokenType};

/// Why a value cannot be the access token of a token. Never holds the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// Nothing but white space.
    Empty,
    /// `NAME=` stands in front, as in a file of variables.
    Named,
    /// Quotes stand around it.
    Quoted,
    /// This word stands in front, as in a header.
    Scheme(&'static str),
    /// It is a command, with an access token in it at best.
    Command(&'static str),
    /// It is an address.
    Address,
    /// It is the address at which a login ended, with a code in it.
    CodeAddress,
    /// It is an address with an access token in it.
    TokenAddress,
    /// It is the code of a login.
    Code,
    /// It is JSON, with an access token in it.
    Json,
    /// It is JSON, without an access token in it.
    OtherJson,
    /// It is twice the same.
    Twice,
    /// It has so many lines.
    Lines(usize),
    /// A space or a tab stands inside.
    Blank,
    /// Other words stand beside it.
    Among,
    /// It is text, in which no access token is seen.
    Prose,
    /// A character of which nothing is seen stands inside.
    Invisible(char),
    /// A character stands in it that no access token has.
    Foreign(char),
    /// It has a `%`, as what was copied out of an address.
    Encoded,
    /// It ends in dots, as what a page shows of a longer one.
    Cut,
    /// Stars or dots stand for a part of it.
    Masked,
    /// It is longer than any.
    TooLong,
    /// It names the place of a value.
    Reference,
    /// It is a word that waits for a value.
    Placeholder,
    /// It is the path of a file.
    Path,
    /// It has digits alone, as Meta's ids.
    Id,
    /// It says who somebody is, and Graph takes it from no caller.
    IdentityToken,
    /// It belongs to a token of another service.
    Platform { found: Provider, wanted: TokenType },
    /// It is an app's token, `ID|…`.
    AppToken { wanted: TokenType },
    /// It is an app's secret.
    AppSecret,
}

impl Unfit {
    /// What puts right a value that was handed over, for which no config says where it is.
    pub fn fix_of_input(self) -> String {
        let fix = match self {
            Self::Named => "remove `NAME=`",
            Self::Json => "take the value of `access_token` alone",
            Self::Reference => "use the access token itself",
            Self::Path => "to read a file, name it with `--token-file FILE`",
            other => return other.fix(),
        };
        fix.to_owned()
    }

    /// What puts it right where the config says that it is.
    pub fn fix(self) -> String {
        let fix = match self {
            Self::Empty | Self::Placeholder => "put the access token there",
            Self::Named => "remove `NAME=`, or name the key of the file with `key`",
            Self::Quoted => "remove the quotes around it",
            Self::Scheme(scheme) => return format!("remove `{scheme}` in front of it"),
            Self::Command(_) | Self::Among => "leave the access token alone",
            Self::Address | Self::Prose | Self::Id | Self::IdentityToken => BEGINNINGS,
            Self::TokenAddress => "copy only what stands between `access_token=` and the next `&`",
            Self::Code | Self::CodeAddress => {
                "a code is of use only to the program that began the login, once and within \
                 minutes: paste the access token that it got"
            }
            Self::Json => "take the value of `access_token` alone, or name it with `key`",
            Self::OtherJson => {
                "in the Graph API Explorer, copy the field *Access Token*, not the answer"
            }
            Self::Twice => "paste it once",
            Self::Lines(_) => "leave one access token, on one line",
            Self::Blank => "remove the blanks: copy it again, whole",
            Self::Invisible(_) => {
                "copy it again where Meta shows it, not from a mail, a chat or a document"
            }
            Self::Foreign(_) | Self::TooLong => "copy the access token again, alone",
            Self::Encoded => "copy it again where Meta shows it, not from an address",
            Self::Cut | Self::Masked => "copy it again, whole",
            Self::Reference => {
                "use the access token itself, or name where it is: `{ env = \"NAME\" }`"
            }
            Self::Path => "name the file as one: `{ file = \"PATH\" }`",
            Self::Platform { wanted, .. } | Self::AppToken { wanted } => {
                return format!("use {} token, or correct `type`", article(wanted));
            }
            Self::AppSecret => {
                "use an access token; the app's secret belongs to `secret` of its `[app.NAME]`"
            }
        };
        fix.to_owned()
    }

    /// The command that takes it as what it is, where it can be told, and when.
    pub const fn other_command(self) -> Option<(&'static str, &'static str)> {
        const OWN_LABEL: &str = "or keep what it is under a label of its own";
        match self {
            Self::Platform { found: Provider::Facebook, .. } => {
                Some((OWN_LABEL, "metatoken add LABEL --type user"))
            }
            Self::Platform { found: Provider::Instagram, .. } => {
                Some((OWN_LABEL, "metatoken add LABEL --type instagram"))
            }
            Self::Platform { found: Provider::Threads, .. } => {
                Some((OWN_LABEL, "metatoken add LABEL --type threads"))
            }
            // An app's own is derived from its id and secret, and never pasted.
            Self::AppToken { .. } => Some((OWN_LABEL, "metatoken add LABEL --type app")),
            Self::Code | Self::CodeAddress => {
                Some(("or, if `metatoken login` began it", "metatoken login LABEL --answer -"))
            }
            _ => None,
        }
    }
}

const BEGINNINGS: &str = "paste an access token, which begins with `EAA`, `IG` or `TH`";

fn article(token_type: TokenType) -> String {
    let an = matches!(token_type, TokenType::Instagram | TokenType::App);
    format!("{} {token_type}", if an { "an" } else { "a" })
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::Named => f.write_str("it begins with `NAME=`"),
            Self::Quoted => f.write_str("it has quotes around it"),
            Self::Scheme(scheme) => write!(f, "it begins with `{scheme}`"),
            Self::Command(program) => write!(f, "it is a command (`{program}`)"),
            Self::Address => f.write_str("it is an address"),
            Self::CodeAddress => f.write_str("it is the address of a login, with a code in it"),
            Self::TokenAddress => f.write_str("it is an address with an access token in it"),
            Self::Code => f.write_str("it is the code of a login (it begins with `AQ`)"),
            Self::Json => f.write_str("it is JSON"),
            Self::OtherJson => f.write_str("it is JSON without an access token"),
            Self::Twice => f.write_str("it is the same access token twice"),
            Self::Lines(count) => write!(f, "it has {count} lines"),
            Self::Blank => f.write_str("it has a blank inside"),
            Self::Among => f.write_str("it has other words beside the access token"),
            Self::Prose => f.write_str("it is text with blanks"),
            Self::Invisible(c) => {
                write!(f, "it has an invisible character inside (U+{:04X})", u32::from(*c))
            }
            Self::Foreign(c) if c.is_ascii_graphic() && *c != '`' => {
                write!(f, "it has a character that no access token has: `{c}`")
            }
            Self::Foreign(c) => {
                let code = u32::from(*c);
                write!(f, "it has a character that no access token has: U+{code:04X}")
            }
            Self::Encoded => f.write_str("it has a `%`: it was encoded for an address"),
            Self::Cut => f.write_str("it ends in `…`: it was cut off"),
            Self::Masked => f.write_str("a part of it is hidden (`***` or `…`)"),
            Self::TooLong => f.write_str("it is longer than any access token"),
            Self::Reference => f.write_str("it is a reference to a value, not the value"),
            Self::Placeholder => f.write_str("it is a placeholder"),
            Self::Path => f.write_str("it is the path of a file"),
            Self::Id => f.write_str("it is an id (digits only)"),
            Self::IdentityToken => {
                f.write_str("it is an identity token (it begins with `eyJ`), which Graph rejects")
            }
            Self::Platform { found, wanted } => {
                let begins = begins(*found);
                write!(
                    f,
                    "it belongs to {} (it begins with `{begins}`), not to {} token",
                    name(*found),
                    article(*wanted)
                )
            }
            Self::AppToken { wanted } => {
                write!(f, "it is an app's token, not {} token", article(*wanted))
            }
            Self::AppSecret => f.write_str("it is an app's secret (32 hex digits)"),
        }
    }
}

impl std::error::Error for Unfit {}

const fn name(provider: Provider) -> &'static str {
    match provider {
        Provider::Facebook => "Facebook",
        Provider::Instagram => "Instagram",
        Provider::Threads => "Threads",
    }
}

/// How the access tokens of a service begin.
pub(super) const fn begins(provider: Provider) -> &'static str {
    match provider {
        Provider::Facebook => "EAA",
        Provider::Instagram => "IG",
        Provider::Threads => "TH",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_says_what_it_is_and_what_to_do() {
        let wanted = TokenType::User;
        for (unfit, said) in [
            (
                Unfit::Named,
                "it begins with `NAME=`; remove `NAME=`, or name the key of the file with `key`",
            ),
            (
                Unfit::Platform { found: Provider::Instagram, wanted },
                "it belongs to Instagram (it begins with `IG`), not to a user token; use a user token, or correct `type`",
            ),
            (
                Unfit::AppToken { wanted: TokenType::Instagram },
                "it is an app's token, not an instagram token; use an instagram token, or correct `type`",
            ),
            (
                Unfit::AppSecret,
                "it is an app's secret (32 hex digits); use an access token; the app's secret belongs to `secret` of its `[app.NAME]`",
            ),
        ] {
            assert_eq!(format!("{unfit}; {}", unfit.fix()), said);
        }
    }
}
