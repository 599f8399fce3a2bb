//! Knows the names of columns, and makes a row of what stands in them.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use zeroize::Zeroizing;

use super::row::{Entry, ImportRow, PastEvent, RefusedRow};
use crate::token::redact::sentence;
use crate::token::{
    AccessToken, EventKind, Expiry, Label, Provider, Time, TokenType, read_pasted, secret_in,
};

named! {
    /// What a column may hold.
    pub enum Field {
        /// The label.
        Label = "label",
        /// The type.
        Type = "type",
        /// The access token.
        AccessToken = "access_token",
        /// The app's name or id.
        App = "app",
        /// Meta's id of the person.
        UserId = "user_id",
        /// Meta's id of the Page.
        PageId = "page_id",
        /// The label of the token that a Page's is derived from.
        Parent = "parent",
        /// When it expires.
        ExpiresAt = "expires_at",
        /// How many seconds after it was issued it expires.
        ExpiresIn = "expires_in",
        /// When it was issued, or when an event happened.
        IssuedAt = "issued_at",
        /// Who can log in again.
        Owner = "owner",
        /// What happened, in a row about the past.
        Kind = "kind",
        /// What was wrong then.
        Error = "error",
    }
}

/// What other programs call the same.
const OTHER_NAMES: &[(&str, Field)] = &[
    ("token_type", Field::Type),
    ("accessToken", Field::AccessToken),
    ("tokenExpiresAt", Field::ExpiresAt),
    ("tokenExpiresIn", Field::ExpiresIn),
    ("lastTokenRefresh", Field::IssuedAt),
    ("created", Field::IssuedAt),
    ("created_at", Field::IssuedAt),
    ("expires", Field::ExpiresAt),
];

/// What programs write where a type belongs, and what is none.
const NO_TYPES: [&str; 5] = ["long-lived", "short-lived", "bearer", "access-token", "token"];

/// The kinds of events that a past may have.
const KINDS: [EventKind; 8] = [
    EventKind::Imported,
    EventKind::Adopted,
    EventKind::Exchanged,
    EventKind::Refreshed,
    EventKind::Derived,
    EventKind::NotExtended,
    EventKind::RefreshFailed,
    EventKind::Invalid,
];

/// Longer labels make names that a folder may not hold.
const LONGEST_LABEL: usize = 100;

/// Columns that are called otherwise.
#[derive(Debug, Default)]
pub struct Renames(Vec<(String, String)>);

/// Why a text is no `COLUMN=NAME`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadRename;

impl fmt::Display for BadRename {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("write it as COLUMN=NAME")
    }
}

/// Reads `COLUMN=NAME`.
pub fn parse_rename(text: &str) -> Result<(String, String), BadRename> {
    match text.split_once('=') {
        Some((from, to)) if !from.is_empty() && !to.is_empty() => {
            Ok((from.to_owned(), to.to_owned()))
        }
        _ => Err(BadRename),
    }
}

impl Renames {
    /// Takes the pairs as they were typed.
    pub fn new(pairs: &[(String, String)]) -> Self {
        Self(pairs.to_vec())
    }

    /// Gives the name that a column goes by.
    pub fn of<'a>(&'a self, column: &'a str) -> &'a str {
        self.0.iter().find(|(from, _)| from == column).map_or(column, |(_, to)| to)
    }

    /// Whether a column was renamed.
    pub fn has(&self, column: &str) -> bool {
        self.0.iter().any(|(from, _)| from == column)
    }

    /// Finds what a column holds; nothing where that is of no use here.
    pub fn field(&self, column: &str) -> Option<Field> {
        let name = self.of(column.trim());
        Field::from_name(name).or_else(|| {
            let other = OTHER_NAMES.iter().find(|(other, _)| *other == name);
            // A column that was renamed to what another one is called does not count twice.
            other.map(|(_, field)| *field)
        })
    }

    /// Gives the first name that is renamed and that no column has.
    pub fn unknown(&self, mut has: impl FnMut(&str) -> bool) -> Option<&str> {
        self.0.iter().map(|(from, _)| from.as_str()).find(|from| !has(from))
    }
}

/// What one row holds.
pub struct Fields {
    /// Where it stands.
    pub place: String,
    values: Vec<(Field, Zeroizing<String>)>,
}

impl Fields {
    /// Begins a row.
    pub fn new(place: impl Into<String>) -> Self {
        Self { place: place.into(), values: Vec::new() }
    }

    /// Adds what stands in a column; of two columns with one meaning the first that is not empty
    /// counts.
    pub fn put(&mut self, field: Field, text: Zeroizing<String>) {
        if self.get(field).is_none() {
            self.values.retain(|(known, _)| *known != field);
            self.values.push((field, text));
        }
    }

    /// Returns what stands there, if that is anything.
    pub fn get(&self, field: Field) -> Option<&str> {
        let (_, text) = self.values.iter().find(|(known, _)| *known == field)?;
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        (!matches!(text, "" | "\\N" | "NULL" | "null")).then_some(text)
    }

    /// Whether nothing stands in it.
    pub fn is_empty(&self) -> bool {
        self.values.iter().all(|(field, _)| self.get(*field).is_none())
    }

    /// Makes a token, or an event of its past, of the row.
    pub fn entry(&self) -> Result<Entry, RefusedRow> {
        let is_past = self.get(Field::Kind).is_some_and(|kind| kind != "token");
        let entry = if is_past { self.past().map(Entry::Past) } else { self.token() };
        entry.map_err(|reason| RefusedRow::new(&self.place, reason))
    }

    fn token(&self) -> Result<Entry, String> {
        let token_type = self.get(Field::Type).map(token_type).transpose()?.flatten();
        let access_token = read_pasted(self.get(Field::AccessToken).unwrap_or(""), token_type)
            .map_err(|unfit| format!("no access token: {unfit}"))?;
        let issued_at = self.time(Field::IssuedAt)?;
        Ok(Entry::Token(ImportRow {
            place: self.place.clone(),
            label: self.label(token_type)?,
            token_type: token_type.or_else(|| type_by_prefix(&access_token)),
            access_token,
            app: self.get(Field::App).map(str::to_owned),
            user_id: self.id(Field::UserId)?,
            page_id: self.id(Field::PageId)?,
            parent: self.get(Field::Parent).map(label_of).transpose()?,
            owner: self.get(Field::Owner).map(owner).transpose()?,
            issued_at,
            expiry: self.expiry(issued_at)?,
        }))
    }

    fn past(&self) -> Result<PastEvent, String> {
        let kind = self.get(Field::Kind).unwrap_or_default();
        let known = EventKind::from_name(&kind.to_lowercase().replace([' ', '-'], "_"));
        let known = known.filter(|known| KINDS.contains(known)).ok_or_else(|| {
            let kinds: Vec<&str> = KINDS.iter().map(|kind| kind.as_str()).collect();
            format!("unknown kind {}: one of {}", shown(kind), kinds.join(", "))
        })?;
        let error = self.get(Field::Error).map(|error| sentence(error, &[]));
        let at = self.time(Field::IssuedAt)?.ok_or("no `created`: when it happened is not said")?;
        let failed = error.is_some() && known.counts_as() == Some(true);
        Ok(PastEvent {
            place: self.place.clone(),
            label: self.label(None)?,
            at,
            kind: if failed { EventKind::RefreshFailed } else { known },
            expiry: self.expiry(Some(at))?,
            error,
        })
    }

    /// The label, or one that follows from an id.
    fn label(&self, token_type: Option<TokenType>) -> Result<Label, String> {
        if let Some(label) = self.get(Field::Label) {
            return label_of(label);
        }
        let of_page = self
            .id(Field::PageId)?
            .filter(|_| token_type.is_none_or(|token_type| token_type == TokenType::Page));
        let name = match (of_page, self.id(Field::UserId)?) {
            (Some(page), _) => format!("page-{page}"),
            (None, Some(user)) => {
                let kind = token_type.map_or("user", TokenType::as_str);
                format!("{kind}-{user}")
            }
            (None, None) => return Err(
                "no label: give it one in a column `label`, or name the column that holds it by \
                     `--map COLUMN=label`"
                    .to_owned(),
            ),
        };
        label_of(&name)
    }

    fn id(&self, field: Field) -> Result<Option<String>, String> {
        let Some(id) = self.get(field) else { return Ok(None) };
        if id.len() > 30 || !id.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(format!("`{field}` has digits only, not {}", shown(id)));
        }
        Ok(Some(id.to_owned()))
    }

    fn time(&self, field: Field) -> Result<Option<Time>, String> {
        let Some(text) = self.get(field) else { return Ok(None) };
        time(text).map(Some).ok_or_else(|| no_time(field, text))
    }

    fn expiry(&self, issued_at: Option<Time>) -> Result<Expiry, String> {
        if let Some(text) = self.get(Field::ExpiresAt) {
            return match text {
                "0" | "never" | "Never" | "infinity" => Ok(Expiry::Never),
                text => time(text).map(Expiry::At).ok_or_else(|| no_time(Field::ExpiresAt, text)),
            };
        }
        let Some(text) = self.get(Field::ExpiresIn) else { return Ok(Expiry::Unknown) };
        let seconds = text.parse::<u32>();
        let seconds = seconds.map_err(|_| {
            format!("`{}` is a number of seconds, not {}", Field::ExpiresIn, shown(text))
        })?;
        let seconds = chrono::TimeDelta::seconds(i64::from(seconds));
        Ok(issued_at.map_or(Expiry::Unknown, |at| Expiry::At(at + seconds)))
    }
}

fn no_time(field: Field, text: &str) -> String {
    format!("`{field}` is a time such as 2026-01-31T12:00:00Z, not {}", shown(text))
}

/// A value of the file as a message may show it.
pub fn shown(text: &str) -> String {
    if text.chars().count() > 40 || secret_in(text).is_some() {
        return "what stands there".to_owned();
    }
    format!("`{}`", text.escape_debug())
}

/// Makes a label of a name: what no label has becomes `-`.
pub fn label_of(name: &str) -> Result<Label, String> {
    if secret_in(name).is_some() {
        return Err("an access token stands where the label belongs".to_owned());
    }
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let parts: String = name.chars().map(plain).collect();
    let parts: Vec<&str> = parts.split('-').filter(|part| !part.is_empty()).collect();
    let label = parts.join("-");
    if label.len() > LONGEST_LABEL {
        return Err(format!("its label is longer than {LONGEST_LABEL} characters"));
    }
    Label::parse(&label).map_err(|_| {
        format!("no label can be made of {}: use letters, digits, `-` and `_`", shown(name))
    })
}

fn owner(text: &str) -> Result<String, String> {
    if text.chars().count() > 200 || text.contains(char::is_control) || secret_in(text).is_some() {
        return Err("`owner` is a name or an address on one line".to_owned());
    }
    Ok(text.to_owned())
}

/// Reads a type; nothing for a word that programs write there and that is none.
pub fn token_type(text: &str) -> Result<Option<TokenType>, String> {
    let word = text.to_lowercase().replace(['_', ' '], "-");
    if NO_TYPES.contains(&word.as_str()) {
        return Ok(None);
    }
    TokenType::from_name(&word).map(Some).ok_or_else(|| {
        let types: Vec<&str> = TokenType::ALL.iter().map(|it| it.as_str()).collect();
        format!("unknown type {}: one of {}", shown(text), types.join(", "))
    })
}

/// The type of what shows by its beginning whose it is. Facebook's many types begin alike.
pub fn type_by_prefix(access_token: &AccessToken) -> Option<TokenType> {
    match provider_by_prefix(access_token)? {
        Provider::Instagram => Some(TokenType::Instagram),
        Provider::Threads => Some(TokenType::Threads),
        Provider::Facebook if access_token.expose().contains('|') => Some(TokenType::App),
        Provider::Facebook => None,
    }
}

fn provider_by_prefix(access_token: &AccessToken) -> Option<Provider> {
    let text = access_token.expose();
    let others = [("IG", Provider::Instagram), ("TH", Provider::Threads)];
    let other = others.iter().find(|(prefix, _)| text.starts_with(prefix));
    let facebook = || access_token.begins_like_metas().then_some(Provider::Facebook);
    other.map(|(_, provider)| *provider).or_else(facebook)
}

/// Reads a time as programs write it: seconds or milliseconds since 1970, or a date with or without
/// a time and a zone. Without a zone it is UTC.
pub fn time(text: &str) -> Option<Time> {
    /// What is written with as many digits counts milliseconds.
    const MILLISECONDS: usize = 12;
    let time = if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: i64 = text.parse().ok()?;
        let seconds = if text.len() > MILLISECONDS { number / 1000 } else { number };
        DateTime::from_timestamp(seconds, 0)?
    } else {
        written_out(text)?
    };
    // What lies outside is a number of something else.
    let years = 2004..2100;
    years.contains(&chrono::Datelike::year(&time)).then_some(time)
}

fn written_out(text: &str) -> Option<Time> {
    let text = text.trim_end_matches(" UTC");
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    for format in ["%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M:%S%.f%#z"] {
        if let Ok(time) = DateTime::parse_from_str(text, format) {
            return Some(time.to_utc());
        }
    }
    for format in
        ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"]
    {
        if let Ok(time) = NaiveDateTime::parse_from_str(text, format) {
            return Some(time.and_utc());
        }
    }
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0).map(|it| it.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_programs_write_them() {
        let expected = "2026-03-02T12:30:00+00:00";
        for text in [
            "1772454600",
            "1772454600000",
            "2026-03-02T12:30:00Z",
            "2026-03-02T12:30:00.123456+00:00",
            "2026-03-02 12:30:00",
            "2026-03-02 12:30:00+00",
            "2026-03-02 14:30:00.5+02",
            "2026-03-02 14:30:00+0200",
            "2026-03-02 12:30:00 UTC",
            "2026-03-02T12:30",
        ] {
            let read = time(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(read.format("%Y-%m-%dT%H:%M:%S%:z").to_string(), expected, "{text}");
        }
        assert_eq!(time("2026-03-02").unwrap().timestamp(), 1_772_409_600);
        for text in ["", "soon", "5184000", "2026-13-02", "02/03/2026", "99999999999999999999"] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn labels_follow_from_names() {
        for (name, label) in [
            ("brand", "brand"),
            ("Anna's Page", "Anna-s-Page"),
            ("a/b", "a-b"),
            ("  shop.example  ", "shop-example"),
            ("x--y", "x-y"),
            ("snake_case", "snake_case"),
        ] {
            assert_eq!(label_of(name).unwrap().as_str(), label, "{name}");
        }
        for name in ["", "!!!", "日本"] {
            assert!(label_of(name).is_err(), "{name}");
        }
        let secret = format!("EAAFAKE{}", "b2C".repeat(20));
        assert_eq!(
            label_of(&secret).unwrap_err(),
            "an access token stands where the label belongs"
        );
    }
}
