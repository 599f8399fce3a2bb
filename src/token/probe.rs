//! Says what shows that a token does what it is for: one question that is asked as the token.

use std::fmt;

use super::{GenerationId, Problem, Time};

named! {
    /// How bad an answer is.
    pub enum ProbeGrade {
        /// It does what it is for.
        Ok = "ok",
        /// It does part of it.
        Warning = "warning",
        /// It does not.
        Critical = "critical",
    }
}

/// A question that shows whether a token does what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    pub question: ProbeQuestion,
    /// How bad a refusal is.
    pub fails: ProbeGrade,
    /// Which table has it.
    pub origin: ProbeOrigin,
}

/// The table that gave a token its probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeOrigin {
    /// The token's own.
    Own,
    /// That of all Pages found under its parent.
    AllPages,
    /// Its parent's.
    Parent,
    /// `[defaults]`.
    Defaults,
}

impl Probe {
    /// Whether it was written for this token, or for the Pages found under its parent.
    pub const fn is_for_it(&self) -> bool {
        matches!(self.origin, ProbeOrigin::Own | ProbeOrigin::AllPages)
    }
}

/// What is asked. Shown as the text that tells one question from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeQuestion {
    /// The token's own Page.
    Page,
    /// Whether a WhatsApp number, or a business account, can send messages.
    Whatsapp(String),
    /// What the config asks.
    Path(ProbePath),
}

impl fmt::Display for ProbeQuestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Page => f.write_str("page"),
            Self::Whatsapp(id) => write!(f, "whatsapp {id}"),
            Self::Path(path) => f.write_str(path.as_str()),
        }
    }
}

/// A path on Graph below the version, with a query: `me/adaccounts?fields=id`. It can only read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbePath(String);

/// Why a text is no such path. Never holds the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadProbePath {
    Empty,
    /// It names a host.
    Host,
    /// It begins with `/`.
    LeadingSlash,
    /// It begins with a version.
    Version,
    /// A part of it is empty, `.` or `..`.
    Parts,
    /// A part of it has braces and is not `{page_id}`.
    Placeholder,
    /// It has a character that has no place in an address.
    Character,
    /// It holds an access token, or would be answered with one.
    Token,
    /// It writes, or asks for what is given out once.
    Writes,
    /// A part of the query is no `NAME=VALUE`, or is there twice.
    Query,
}

/// What stands for the id of a token's own Page, as one part of a path.
const PAGE_ID: &str = "{page_id}";

/// Names that stand for a secret, that we send ourselves, or that Graph takes for another request.
const NOT_ASKED: [&str; 15] = [
    "input_token",
    "appsecret_proof",
    "appsecret_time",
    "client_secret",
    "client_id",
    "fb_exchange_token",
    "revoke_token",
    "grant_type",
    "code",
    "method",
    "_method",
    "batch",
    "ids",
    "pretty",
    "debug",
];

/// Places that give out, exchange or end access tokens, also when they are only asked.
const NOT_READ: [&str; 7] = [
    "oauth",
    "debug_token",
    "device",
    "dialog",
    "access_tokens",
    "system_user_access_tokens",
    "permissions",
];

impl ProbePath {
    /// Reads what the config asks.
    pub fn parse(text: &str) -> Result<Self, BadProbePath> {
        if text.is_empty() {
            return Err(BadProbePath::Empty);
        }
        if text.contains("://") || text.starts_with("//") {
            return Err(BadProbePath::Host);
        }
        if text.starts_with('/') {
            return Err(BadProbePath::LeadingSlash);
        }
        if text.to_ascii_lowercase().contains("access_token") {
            return Err(BadProbePath::Token);
        }
        let has_place = |c: char| {
            c.is_ascii_graphic()
                && !matches!(c, '%' | '#' | '\\' | '"' | '<' | '>' | '`' | '^' | '|')
        };
        if !text.chars().all(has_place) {
            return Err(BadProbePath::Character);
        }
        let path = Self(text.to_owned());
        let segments = path.segments();
        if segments.iter().any(|part| matches!(*part, "" | "." | "..")) {
            return Err(BadProbePath::Parts);
        }
        let has_braces = |part: &&str| part.contains(['{', '}']) && *part != PAGE_ID;
        let query = text.split_once('?').map_or("", |(_, query)| query);
        // A query has braces of its own: `fields=posts{message}`.
        if segments.iter().any(has_braces) || query.contains(PAGE_ID) {
            return Err(BadProbePath::Placeholder);
        }
        let is_version = |part: &str| {
            let number = part.strip_prefix('v').map(|rest| rest.replace('.', ""));
            number.is_some_and(|it| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit()))
        };
        if is_version(segments[0]) {
            return Err(BadProbePath::Version);
        }
        // A host, which begins with its name or a port.
        if segments[0].contains([':', '@']) || (segments[0].contains('.') && segments.len() > 1) {
            return Err(BadProbePath::Host);
        }
        if segments.iter().any(|part| NOT_READ.contains(&part.to_ascii_lowercase().as_str())) {
            return Err(BadProbePath::Writes);
        }
        path.check_query()?;
        Ok(path)
    }

    fn check_query(&self) -> Result<(), BadProbePath> {
        let Some((_, query)) = self.0.split_once('?') else { return Ok(()) };
        let mut seen: Vec<&str> = Vec::new();
        for part in query.split('&') {
            let (name, _) = part.split_once('=').ok_or(BadProbePath::Query)?;
            if NOT_ASKED.contains(&name.to_ascii_lowercase().as_str()) {
                return Err(BadProbePath::Writes);
            }
            if name.is_empty() || seen.contains(&name) {
                return Err(BadProbePath::Query);
            }
            seen.push(name);
        }
        Ok(())
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parts of the path, as they are written.
    fn segments(&self) -> Vec<&str> {
        self.0.split('?').next().unwrap_or_default().split('/').collect()
    }

    /// The parts of the path as a token with this Page asks them; one without asks for itself.
    pub fn segments_of<'a>(&'a self, page_id: Option<&'a str>) -> Vec<&'a str> {
        let filled = |part| if part == PAGE_ID { page_id.unwrap_or("me") } else { part };
        self.segments().into_iter().map(filled).collect()
    }

    /// Whether it asks about the token's own Page by its id.
    pub fn has_page_id(&self) -> bool {
        self.segments().contains(&PAGE_ID)
    }

    /// What is asked of the token's own account: `Some("")` for the account itself, `Some("accounts")`
    /// for `me/accounts`; nothing where it is asked about something else.
    pub fn edge_of_me(&self) -> Option<&str> {
        match self.segments()[..] {
            ["me"] => Some(""),
            ["me", edge, ..] => Some(edge),
            _ => None,
        }
    }

    /// The names and values of the query.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        let query = self.0.split_once('?').map_or("", |(_, query)| query);
        query.split('&').filter_map(|part| part.split_once('='))
    }
}

impl fmt::Display for BadProbePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "is empty",
            Self::Host => "names a host; it is asked at the host of the token's app",
            Self::LeadingSlash => "begins with `/`; write it without",
            Self::Version => "begins with a version; that of the app is put before it",
            Self::Parts => "has a part that is empty, `.` or `..`",
            Self::Placeholder => {
                "has a placeholder other than `{page_id}`, which is one whole part of it: \
                 `{page_id}/feed`"
            }
            Self::Character => "has a character that has no place in it; write it unencoded",
            Self::Token => "has `access_token` in it; the token is sent by itself",
            Self::Writes => "does more than read",
            Self::Query => "has a query that is not `NAME=VALUE`, each name once",
        })
    }
}

/// The last answer to a token's probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeAnswer {
    pub at: Time,
    /// What was asked.
    pub question: String,
    /// The generation that asked.
    pub generation: GenerationId,
    pub grade: ProbeGrade,
    /// Why it is not ok.
    pub problem: Option<Problem>,
}

impl ProbeAnswer {
    /// Whether it answers this question, asked by this generation.
    pub fn answers(&self, question: &ProbeQuestion, generation: GenerationId) -> bool {
        self.generation == generation && self.question == question.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_only_reads_and_names_neither_host_nor_token() {
        for good in [
            "me",
            "me/adaccounts?fields=id",
            "123/insights?metric=page_views&period=day",
            "act_1/campaigns?fields=id,name{status}&limit=1",
            "me?fields=",
            "{page_id}/feed?fields=id,from{name}",
        ] {
            assert_eq!(ProbePath::parse(good).map(|it| it.0), Ok(good.to_owned()));
        }
        for (text, bad) in [
            ("", BadProbePath::Empty),
            ("https://graph.facebook.com/me", BadProbePath::Host),
            ("//graph.facebook.com/me", BadProbePath::Host),
            ("graph.facebook.com/me", BadProbePath::Host),
            ("localhost:80/me", BadProbePath::Host),
            ("user@host", BadProbePath::Host),
            ("/me", BadProbePath::LeadingSlash),
            ("v25.0/me", BadProbePath::Version),
            ("me/../oauth", BadProbePath::Parts),
            ("..", BadProbePath::Parts),
            ("me//accounts", BadProbePath::Parts),
            ("me/", BadProbePath::Parts),
            ("{parent}/feed", BadProbePath::Placeholder),
            ("x{page_id}", BadProbePath::Placeholder),
            ("{page_id}_1/comments", BadProbePath::Placeholder),
            ("me/{", BadProbePath::Placeholder),
            ("search?page={page_id}", BadProbePath::Placeholder),
            ("me/%2e%2e/x", BadProbePath::Character),
            ("me?a=b#c", BadProbePath::Character),
            ("me accounts", BadProbePath::Character),
            ("me\n", BadProbePath::Character),
            ("me?access_token=EAAfake", BadProbePath::Token),
            ("me/accounts?fields=ACCESS_TOKEN", BadProbePath::Token),
            ("1/access_tokens", BadProbePath::Token),
            ("me/feed?method=post", BadProbePath::Writes),
            ("me/feed?Method=DELETE", BadProbePath::Writes),
            ("me/feed?_method=delete", BadProbePath::Writes),
            ("oauth/revoke", BadProbePath::Writes),
            ("debug_token?fields=id", BadProbePath::Writes),
            ("me?batch=[]", BadProbePath::Writes),
            ("me?fields", BadProbePath::Query),
            ("me?", BadProbePath::Query),
            ("me?a=1&a=2", BadProbePath::Query),
            ("me?a=1&", BadProbePath::Query),
        ] {
            assert_eq!(ProbePath::parse(text), Err(bad), "{text:?}");
        }
        let path = ProbePath::parse("me/adaccounts?fields=id&limit=1").unwrap();
        assert_eq!(path.segments_of(Some("7")), ["me", "adaccounts"]);
        assert_eq!((path.edge_of_me(), path.has_page_id()), (Some("adaccounts"), false));
        let path = ProbePath::parse("{page_id}/feed").unwrap();
        assert_eq!(path.segments_of(Some("7")), ["7", "feed"]);
        assert_eq!(path.segments_of(None), ["me", "feed"]);
        assert_eq!((path.edge_of_me(), path.has_page_id()), (None, true));
        let path = ProbePath::parse("me/adaccounts?fields=id&limit=1").unwrap();
        assert_eq!(path.parameters().collect::<Vec<_>>(), [("fields", "id"), ("limit", "1")]);
    }
}
