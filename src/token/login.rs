//! Reads what comes back from a login dialog: a whole address, its query, or a bare code.
//!
//! What a person pastes has been through an address bar, a chat or a mail: blanks and line breaks are
//! dropped, and so is what Meta hangs behind the code (`#_=_`, `#_`). An address is compared with the
//! one that the browser was sent to. A code has none of the characters that are encoded, so one that
//! was encoded twice is decoded twice.

use std::borrow::Cow;
use std::fmt;

use url::{Url, form_urlencoded};

use super::{Label, Secret, Time};

/// What a login was asked for, signed by the store that asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginClaims {
    /// The token.
    pub label: Label,
    /// Meta's id of the app.
    pub app_id: String,
    /// Where the browser is sent with the answer.
    pub redirect: String,
    /// The permissions that were asked for, where the address names them.
    pub scopes: Vec<String>,
    /// Until when the answer is taken.
    pub ends_at: Time,
}

/// What came back from a login dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginAnswer {
    /// The signed state, unless a bare code was pasted.
    pub state: Option<String>,
    pub outcome: LoginOutcome,
}

/// How a login dialog ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginOutcome {
    /// The person granted something: the code is exchanged for an access token, once.
    Code(Secret),
    /// Meta gave a reason instead.
    Refused {
        /// The name of the error, such as `access_denied`.
        name: String,
        /// Meta's number, where it gave one.
        code: Option<i64>,
        /// Meta's words.
        words: String,
    },
}

/// Why a text is not an answer of a login dialog. Never holds the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnfitAnswer {
    Empty,
    /// An access token, which needs no login.
    AccessToken,
    /// The address of the dialog itself.
    DialogAddress,
    /// An address of another place than the redirect address.
    OtherPlace(String),
    /// The right address, without a code and without an error in it.
    NoCode,
    /// Two codes.
    TwoCodes,
    /// What cannot stand in a code.
    ForeignCharacter,
}

impl fmt::Display for UnfitAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "it is empty",
            Self::AccessToken => "it is an access token",
            Self::DialogAddress => "it is the address of the login dialog itself",
            Self::OtherPlace(place) => {
                return write!(f, "its address is of another place: {place}");
            }
            Self::NoCode => "its address has no `code` in it",
            Self::TwoCodes => "it holds more than one `code`",
            Self::ForeignCharacter => "it has a character that no code has",
        })
    }
}

/// Reads what came back from the dialog that sends the browser to `redirect`.
pub fn read_login_answer(text: &str, redirect: &str) -> Result<LoginAnswer, UnfitAnswer> {
    if text.trim_start().starts_with('{') {
        return read_json(text);
    }
    let is_around = |c: char| matches!(c, '"' | '\'' | '`' | '<' | '>' | '“' | '”' | '\u{feff}');
    let joined: String = text.split_whitespace().collect();
    let mut joined = Cow::Owned::<str>(joined.trim_matches(is_around).to_owned());
    if joined.is_empty() {
        return Err(UnfitAnswer::Empty);
    }
    // The whole address was encoded, as by a link that carries another.
    if !joined.contains("://") && joined.to_ascii_lowercase().contains("%3a%2f%2f") {
        joined = decoded(&joined);
    }
    let text = without_trailer(&joined);
    match place_and_query(text, redirect)? {
        Some(query) => read_query(query),
        None => Ok(LoginAnswer { state: None, outcome: LoginOutcome::Code(code(text)?) }),
    }
}

/// The query of an address, or what is one; none for a bare code.
fn place_and_query<'a>(text: &'a str, redirect: &str) -> Result<Option<&'a str>, UnfitAnswer> {
    let lower = text.to_ascii_lowercase();
    let is_query = |text: &str| text.contains("code=") || text.contains("error=");
    let bare_host = redirect.split_once("://").map_or("", |(_, rest)| rest);
    if !lower.starts_with("https://") && !lower.starts_with("http://") {
        let query = text.split_once('?');
        return match query {
            Some(("", query)) => Ok(Some(query)),
            // An address bar may leave out how the place is reached.
            Some((place, query)) if is_place(bare_host, place) => Ok(Some(query)),
            Some((place, _)) => Err(UnfitAnswer::OtherPlace(shown(place))),
            None if is_query(text) => Ok(Some(text)),
            None => Ok(None),
        };
    }
    let (place, query) = text.split_once('?').unwrap_or((text, ""));
    if query.contains("client_id=") && query.contains("redirect_uri=") {
        return Err(UnfitAnswer::DialogAddress);
    }
    if !is_same_place(place, redirect) {
        return Err(UnfitAnswer::OtherPlace(shown(place)));
    }
    Ok(Some(query))
}

/// Whether a place without its scheme is the beginning of the redirect address.
fn is_place(redirect: &str, place: &str) -> bool {
    let redirect = redirect.split('?').next().unwrap_or_default();
    redirect.trim_end_matches('/') == place.trim_end_matches('/')
}

fn is_same_place(place: &str, redirect: &str) -> bool {
    let of = |text: &str| {
        let url = Url::parse(text.split('?').next().unwrap_or_default()).ok()?;
        let port = url.port_or_known_default();
        Some((url.scheme().to_owned(), url.host_str()?.to_owned(), port, url.path().to_owned()))
    };
    of(place).is_some_and(|place| of(redirect) == Some(place))
}

/// A place as it is shown: without what could be long or secret.
fn shown(place: &str) -> String {
    place.chars().filter(char::is_ascii_graphic).take(60).collect()
}

fn read_query(query: &str) -> Result<LoginAnswer, UnfitAnswer> {
    let pairs: Vec<(Cow<'_, str>, Cow<'_, str>)> =
        form_urlencoded::parse(query.as_bytes()).collect();
    let all = |wanted: &'static str| pairs.iter().filter(move |(name, _)| name == wanted);
    let first = |wanted: &'static str| all(wanted).next().map(|(_, value)| value.to_string());
    let state = first("state").map(|state| twice_decoded(&state).into_owned());
    if let Some(name) = first("error").or_else(|| first("error_message").map(|_| String::new())) {
        let number = first("error_code").and_then(|code| code.parse().ok());
        let words = first("error_description").or_else(|| first("error_message"));
        let words = words.unwrap_or_default();
        let outcome = LoginOutcome::Refused { name, code: number, words };
        return Ok(LoginAnswer { state, outcome });
    }
    let found = first("code").ok_or(UnfitAnswer::NoCode)?;
    if all("code").count() > 1 {
        return Err(UnfitAnswer::TwoCodes);
    }
    Ok(LoginAnswer { state, outcome: LoginOutcome::Code(code(&found)?) })
}

/// What Threads shows in place of its dialog.
fn read_json(text: &str) -> Result<LoginAnswer, UnfitAnswer> {
    let said: serde_json::Value = serde_json::from_str(text).map_err(|_| UnfitAnswer::NoCode)?;
    let said = said.get("error").filter(|it| it.is_object()).unwrap_or(&said);
    let number = ["error_code", "code"].iter().find_map(|name| said.get(name)?.as_i64());
    let words = ["error_message", "message"].iter().find_map(|name| said.get(name)?.as_str());
    let (None, None) = (number, words) else {
        let outcome = LoginOutcome::Refused {
            name: String::new(),
            code: number,
            words: words.unwrap_or_default().to_owned(),
        };
        return Ok(LoginAnswer { state: None, outcome });
    };
    Err(UnfitAnswer::NoCode)
}

fn code(text: &str) -> Result<Secret, UnfitAnswer> {
    let text = twice_decoded(text);
    let code = without_trailer(&text);
    if super::token_prefixes().any(|prefix| code.starts_with(prefix)) || code.contains('|') {
        return Err(UnfitAnswer::AccessToken);
    }
    let may_stand = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
    match code {
        "" => Err(UnfitAnswer::NoCode),
        code if code.chars().all(may_stand) => Ok(Secret::new(code)),
        _ => Err(UnfitAnswer::ForeignCharacter),
    }
}

/// Takes off what Meta hangs behind the answer.
fn without_trailer(text: &str) -> &str {
    let text = text.split("#_").next().unwrap_or_default();
    text.trim_end_matches('#')
}

/// Undoes an encoding that is still there after the first was undone.
fn twice_decoded(text: &str) -> Cow<'_, str> {
    if text.contains('%') {
        let once = decoded(text);
        if once.contains('%') {
            Cow::Owned(decoded(&once).into_owned())
        } else {
            once.into_owned().into()
        }
    } else {
        Cow::Borrowed(text)
    }
}

/// Undoes one percent-encoding; a plus is a plus.
pub fn decoded(text: &str) -> Cow<'static, str> {
    let kept = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    let pairs = form_urlencoded::parse(kept.as_bytes());
    Cow::Owned(pairs.map(|(name, _)| name.into_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: &str = "https://localhost/";

    fn read(text: &str) -> Result<(Option<String>, String), UnfitAnswer> {
        let answer = read_login_answer(text, LOCAL)?;
        Ok((
            answer.state,
            match answer.outcome {
                LoginOutcome::Code(code) => code.expose().to_owned(),
                LoginOutcome::Refused { name, code, words } => format!("{name} {code:?} {words}"),
            },
        ))
    }

    #[test]
    fn an_answer_is_read_however_it_was_pasted() {
        for text in [
            "https://localhost/?code=AQfa-ke_1&state=s.1#_=_",
            "https://localhost/?code=AQfa-ke_1&state=s.1#_",
            "https://localhost/?code=AQfa-ke_1&state=s.1",
            "HTTPS://localhost/?state=s.1&code=AQfa-ke_1",
            "https://localhost:443/?code=AQfa-ke_1&state=s.1",
            "localhost/?code=AQfa-ke_1&state=s.1#_=_",
            "?code=AQfa-ke_1&state=s.1",
            "code=AQfa-ke_1&state=s.1#_=_",
            "  https://localhost/?code=AQfa-\r\n  ke_1&state=s.1#_=_\n",
            "\"https://localhost/?code=AQfa-ke_1&state=s.1#_=_\"",
            "<https://localhost/?code=AQfa-ke_1&state=s.1>",
            "https%3A%2F%2Flocalhost%2F%3Fcode%3DAQfa-ke_1%26state%3Ds.1%23_%3D_",
            "https://localhost/?code=AQfa%2Dke_1%23_%3D_&state=s%2E1",
            "https://localhost/?code=AQfa%252Dke_1%2523_%253D_&state=s%252E1",
        ] {
            assert_eq!(read(text), Ok((Some("s.1".into()), "AQfa-ke_1".into())), "{text}");
        }
        for text in ["AQfa-ke_1", " AQfa-\nke_1#_=_ ", "AQfa-ke_1#_", "AQfa-ke_1%23_%3D_"] {
            assert_eq!(read(text), Ok((None, "AQfa-ke_1".into())), "{text}");
        }
    }

    #[test]
    fn what_meta_says_in_place_of_a_code_is_read() {
        for (text, said) in [
            (
                "https://localhost/?error=access_denied&error_code=200\
                 &error_description=Permissions+error&error_reason=user_denied&state=s#_=_",
                "access_denied Some(200) Permissions error",
            ),
            (
                "https://localhost/?error_code=1349168&error_message=Blocked+redirect&state=s",
                " Some(1349168) Blocked redirect",
            ),
        ] {
            assert_eq!(read(text), Ok((Some("s".into()), said.into())), "{text}");
        }
        let json = r#"{"error_message": "Blocked redirect URI", "error_code": 1349168}"#;
        assert_eq!(read(json), Ok((None, " Some(1349168) Blocked redirect URI".into())));
    }

    #[test]
    fn what_is_no_answer_says_what_it_is() {
        for (text, unfit) in [
            ("", UnfitAnswer::Empty),
            (" \n\t", UnfitAnswer::Empty),
            ("EAAfake1", UnfitAnswer::AccessToken),
            ("IGAAfake", UnfitAnswer::AccessToken),
            ("1|hush", UnfitAnswer::AccessToken),
            ("https://localhost/?code=EAAfake1&state=s", UnfitAnswer::AccessToken),
            ("https://localhost/", UnfitAnswer::NoCode),
            ("https://localhost/?state=s", UnfitAnswer::NoCode),
            ("https://localhost/?code=&state=s", UnfitAnswer::NoCode),
            ("{}", UnfitAnswer::NoCode),
            ("{", UnfitAnswer::NoCode),
            ("https://localhost/?code=AQa&code=AQb&state=s", UnfitAnswer::TwoCodes),
            ("AQfä", UnfitAnswer::ForeignCharacter),
            (
                "https://www.facebook.com/v26.0/dialog/oauth?client_id=1&redirect_uri=x&state=s",
                UnfitAnswer::DialogAddress,
            ),
            (
                "https://localhost.evil.example/?code=AQa&state=s",
                UnfitAnswer::OtherPlace("https://localhost.evil.example/".into()),
            ),
            (
                "https://localhost:8443/?code=AQa&state=s",
                UnfitAnswer::OtherPlace("https://localhost:8443/".into()),
            ),
            (
                "http://localhost/?code=AQa&state=s",
                UnfitAnswer::OtherPlace("http://localhost/".into()),
            ),
            (
                "https://localhost/other?code=AQa&state=s",
                UnfitAnswer::OtherPlace("https://localhost/other".into()),
            ),
            ("evil.example/?code=AQa", UnfitAnswer::OtherPlace("evil.example/".into())),
        ] {
            assert_eq!(read(text), Err(unfit), "{text}");
        }
    }
}
