//! Holds what was read: tokens, what happened to them before, and what could not be read.

use std::collections::HashMap;

use crate::token::{AccessToken, EventKind, Expiry, Label, Time, TokenType};

/// One token of another program.
#[derive(Debug, Clone)]
pub struct ImportRow {
    /// Where it stands in the file: a line, or a table and a row of it.
    pub place: String,
    /// Its label.
    pub label: Label,
    /// Its type, where the row says it or the access token shows it.
    pub token_type: Option<TokenType>,
    /// Its access token.
    pub access_token: AccessToken,
    /// The name or the id of its app.
    pub app: Option<String>,
    /// The person that it must belong to.
    pub user_id: Option<String>,
    /// The Page that it is for.
    pub page_id: Option<String>,
    /// The label of the token that it is derived from.
    pub parent: Option<Label>,
    /// Who can log in again.
    pub owner: Option<String>,
    /// When it was issued.
    pub issued_at: Option<Time>,
    /// When it expires, by what the other program wrote down.
    pub expiry: Expiry,
}

/// How the table of a program's settings keeps a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingsTable {
    /// Each setting is a column.
    Columns,
    /// Each setting is a row, whose key stands in this column.
    Rows(&'static str),
}

/// Something that happened to a token in another program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastEvent {
    /// Where it stands in the file.
    pub place: String,
    /// The token's label.
    pub label: Label,
    /// When.
    pub at: Time,
    /// What.
    pub kind: EventKind,
    /// When the token expired since.
    pub expiry: Expiry,
    /// What was wrong, without secrets.
    pub error: Option<String>,
}

/// A row that is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRow {
    /// Where it stands in the file.
    pub place: String,
    /// Why.
    pub reason: String,
}

impl RefusedRow {
    /// Refuses the row at that place.
    pub fn new(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { place: place.into(), reason: reason.into() }
    }
}

/// The app that another program works with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OldApp {
    /// Its id.
    pub id: Option<String>,
    /// Whether its secret stands in the file too.
    pub has_secret: bool,
}

/// One row, whichever it is.
#[derive(Debug)]
pub enum Entry {
    /// A token.
    Token(ImportRow),
    /// An event of its past.
    Past(PastEvent),
}

/// All that a file holds.
#[derive(Debug, Default)]
pub struct Imports {
    /// The tokens, in the order of the file.
    pub tokens: Vec<ImportRow>,
    /// Their past.
    pub past: Vec<PastEvent>,
    /// What is not taken.
    pub refused: Vec<RefusedRow>,
    /// The app that the file names for all.
    pub app: Option<OldApp>,
    /// How the table of settings keeps them, where there is one.
    pub settings: Option<SettingsTable>,
}

impl Imports {
    /// Adds a row, or why it is none.
    pub fn add(&mut self, entry: Result<Entry, RefusedRow>) {
        match entry {
            Ok(Entry::Token(token)) => self.tokens.push(token),
            Ok(Entry::Past(past)) => self.past.push(past),
            Err(refused) => self.refused.push(refused),
        }
    }

    /// Refuses what cannot be told apart: labels that meet, one access token under two labels. A row
    /// that stands there twice counts once. When a token was issued becomes an event of its past.
    pub fn settled(mut self) -> Self {
        let mut labels: HashMap<Label, Vec<usize>> = HashMap::new();
        let mut kept: Vec<ImportRow> = Vec::new();
        for token in std::mem::take(&mut self.tokens) {
            let same_label = labels.entry(token.label.clone()).or_default();
            if same_label.iter().any(|at| kept[*at].access_token == token.access_token) {
                continue;
            }
            same_label.push(kept.len());
            kept.push(token);
        }
        let mut holders: HashMap<String, usize> = HashMap::new();
        for (at, token) in kept.iter().enumerate() {
            let meeting = &labels[&token.label];
            if let Some(other) = meeting.iter().find(|other| **other != at) {
                let (label, place) = (&token.label, &kept[*other].place);
                let reason = format!("its label `{label}` is also that of row {place}");
                self.refused.push(RefusedRow::new(&token.place, reason));
                continue;
            }
            let secret = token.access_token.expose().to_owned();
            if let Some(first) = holders.get(&secret) {
                let first = &kept[*first];
                let reason =
                    format!("its access token is that of `{}` in row {}", first.label, first.place);
                self.refused.push(RefusedRow::new(&token.place, reason));
                continue;
            }
            holders.insert(secret, at);
            self.tokens.push(token.clone());
        }
        drop(holders.into_keys().map(zeroize::Zeroizing::new).collect::<Vec<_>>());
        for token in &self.tokens {
            self.past.extend(token.issued_at.map(|at| PastEvent {
                place: token.place.clone(),
                label: token.label.clone(),
                at,
                kind: EventKind::Imported,
                expiry: token.expiry,
                error: None,
            }));
        }
        self
    }
}
