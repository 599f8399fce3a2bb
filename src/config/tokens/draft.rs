//! Holds a token as its own table tells of it, before other tables are looked up.

use std::collections::HashMap;

use crate::config::deliver::{self, DeliveryRead};
use crate::config::diagnostic::{Diagnostic, FileId, Span, Spanned};
use crate::config::policy::{self, Layers};
use crate::config::reader::{Ask, Section};
use crate::config::source::{SecretSource, is_the_token};
use crate::config::wording::{any_of, quoted};
use crate::token::{Label, TokenType};

named! {
    /// What else than programs a token is for.
    pub enum TokenUse {
        /// It has Meta make access tokens of System Users, and no program gets it.
        Mint = "mint",
    }
}

/// A table `[token.LABEL]`, and the name in its header.
pub type TokenTable<'a> = (Spanned<&'a str>, Section<'a>);

/// A token whose label is valid.
pub struct Draft<'a> {
    pub label: Label,
    pub name_span: Span,
    pub section: &'a Section<'a>,
    pub token_type: Option<TokenType>,
    pub keys: Keys<'a>,
}

/// What a token's table says, as far as it takes a second look at other tables or keys.
pub struct Keys<'a> {
    pub token_type: Ask<'a, TokenType>,
    pub app: Ask<'a, String>,
    pub parent: Ask<'a, String>,
    pub page_id: Ask<'a, String>,
    pub user_id: Ask<'a, String>,
    pub pages: Ask<'a, String>,
    pub except: Ask<'a, Vec<Spanned<String>>>,
    pub business: Ask<'a, String>,
    pub was: Ask<'a, String>,
    pub mint: Ask<'a, String>,
    pub used_for: Ask<'a, TokenUse>,
    pub access_token: Ask<'a, SecretSource>,
    pub backup: Ask<'a, String>,
    pub deliveries: Vec<(DeliveryRead, Section<'a>)>,
}

impl<'a> Keys<'a> {
    fn read(token: &'a Section<'a>) -> Self {
        let types = TokenType::ALL;
        Self {
            token_type: token.choice("type", "What kind of token it is", "type", types).judged(),
            app: token.string("app", "The app that it belongs to").judged(),
            parent: token.string("parent", "The token that it is derived from").judged(),
            page_id: token.string("page_id", "The Page that it is for").judged(),
            user_id: token
                .string("user_id", "The person or System User that it must belong to")
                .judged(),
            pages: token.string("pages", "\"all\" for all Pages of this person").judged(),
            except: token.strings("except", "The ids of Pages that are left out").judged(),
            business: token
                .string(
                    "business",
                    "The portfolio whose Pages are listed where its own list is empty",
                )
                .judged(),
            was: token.string("was", "The label that it had before").judged(),
            mint: token
                .string("mint", "The admin's token that makes a new one after it has expired")
                .judged(),
            used_for: token
                .choice(
                    "use",
                    "\"mint\" for an admin's token that no program gets",
                    "use",
                    TokenUse::ALL,
                )
                .judged(),
            access_token: token.secret("access_token", "A first or a better access token").judged(),
            backup: token
                .string("backup", "The token in reserve, whose access token may take its place")
                .judged(),
            deliveries: deliver::read(token),
        }
    }
}

impl<'a> Draft<'a> {
    /// Reads a token's table; none if its name is not a label.
    pub fn read(name: &Spanned<&str>, section: &'a Section<'a>) -> Option<Self> {
        let keys = Keys::read(section);
        let is_the_token = is_the_token(name.value, name.span);
        let Some(label) = Label::parse(name.value).ok().filter(|_| is_the_token.is_none()) else {
            let wrong =
                Diagnostic::at(name.span, format!("{} is not a valid label", quoted(name.value)))
                    .label("use letters, digits, `-` and `_`");
            section.report(is_the_token.unwrap_or(wrong));
            let defaults = section.nowhere();
            policy::read(Layers {
                own: section,
                all_pages: None,
                parent: None,
                defaults: &defaults,
                token_type: None,
            });
            return None;
        };
        let token_type = token_type(&label, section, &keys.token_type);
        Some(Self { label, name_span: name.span, section, token_type, keys })
    }

    /// Whether a mistake between the two is the other's: it stands in a file of `tokens.d`, and this
    /// one in the config, which is not refused over what another file says.
    pub fn is_wronged_by(&self, other: &Draft<'_>) -> bool {
        self.section.file() == FileId::CONFIG && other.section.file() != FileId::CONFIG
    }

    /// What the token says its parent is called, by the key or by the label.
    pub fn parent_name(&self) -> Option<&str> {
        let given = || self.keys.parent.get().map(String::as_str);
        self.label.as_discovered().map(|(parent, _)| parent).or_else(given)
    }

    /// Whether the Pages under it are discovered.
    pub const fn discovers_pages(&self) -> bool {
        self.keys.pages.get().is_some()
    }
}

/// A label `PARENT/PAGE_ID` makes it a page; every other token says what it is.
fn token_type(
    label: &Label,
    section: &Section<'_>,
    given: &Ask<'_, TokenType>,
) -> Option<TokenType> {
    if label.as_discovered().is_some() {
        if given.get().is_some_and(|given| *given != TokenType::Page) {
            given.refuse(format!("`{label}` is a page"), "leave `type` out, or write `page`");
        }
        return Some(TokenType::Page);
    }
    if !given.is_present() {
        let message = format!("`[token.{label}]` needs a `type`");
        let label = any_of(TokenType::ALL.iter().map(|known| known.as_str()));
        section.report(Diagnostic::at(section.span(), message).label(label));
    }
    given.get().copied()
}

/// The tokens of the file, to be looked up by label.
pub struct Drafts<'a> {
    pub all: Vec<Draft<'a>>,
    by_label: HashMap<String, usize>,
}

impl<'a> Drafts<'a> {
    /// Keeps drafts, to be found by their labels.
    pub fn new(all: Vec<Draft<'a>>) -> Self {
        let label = |(at, draft): (usize, &Draft<'a>)| (draft.label.as_str().to_owned(), at);
        let by_label = all.iter().enumerate().map(label).collect();
        Self { all, by_label }
    }

    /// Finds the draft of a label.
    pub fn find(&self, label: &str) -> Option<&Draft<'a>> {
        self.by_label.get(label).map(|at| &self.all[*at])
    }
}
