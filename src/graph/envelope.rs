//! Reads the forms in which Meta refuses.
//!
//! Graph's `{"error": {...}}`, the string of RFC 6749, the flat one of Instagram's login and the
//! same inside `meta`, the one of the REST days, and the `WWW-Authenticate` header where the body
//! says nothing. Every field may be missing. What an answer says is read here; what it means, in
//! `judgement`.

use serde_json::Value;

use super::body::{JsonBody, flag, integer, text};
use super::response::Response;

/// A refusal in Meta's words and numbers, not yet redacted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Envelope {
    pub code: Option<i64>,
    /// The HTTP status, where the body repeats it in the place of a code.
    pub status: Option<u16>,
    /// Zero means none.
    pub subcode: Option<i64>,
    pub message: String,
    /// The name that OAuth gives the error, such as `invalid_token`.
    pub name: Option<String>,
    pub transient: Option<bool>,
    pub fbtrace_id: Option<String>,
}

impl Envelope {
    /// The refusal in an answer, whatever the HTTP status; nothing if the body is not a refusal.
    pub fn of(document: &JsonBody, response: &Response) -> Option<Self> {
        let mut envelope = Self::in_body(document.root())?;
        if envelope.code.is_none()
            && envelope.name.is_none()
            && let Some(challenge) = Self::from_challenge(response)
        {
            envelope.name = challenge.name;
            if envelope.message.is_empty() {
                envelope.message = challenge.message;
            }
        }
        Some(envelope)
    }

    fn in_body(root: &Value) -> Option<Self> {
        match root.get("error") {
            Some(Value::Object(_)) => root.get("error").map(Self::from_error),
            Some(Value::String(name)) => Some(Self::from_oauth(name, root)),
            None | Some(Value::Null | Value::Bool(false)) => {
                Self::from_flat(root).or_else(|| Self::from_meta(root.get("meta")?))
            }
            Some(_) => Some(Self::default()),
        }
    }

    /// The refusal in an `error` object, Graph's own or the one inside `data` of `debug_token`.
    pub fn from_error(error: &Value) -> Self {
        let said = text(error, "message").or_else(|| sentence(error)).unwrap_or_default();
        let to_people = text(error, "error_user_msg").filter(|words| !said.contains(words));
        let message = [Some(said).filter(|said| !said.is_empty()), to_people];
        Self {
            code: integer(error, "code").or_else(|| code(error)).or_else(|| numbered(said)),
            subcode: subcode(error),
            message: message.into_iter().flatten().collect::<Vec<_>>().join(": "),
            transient: flag(error, "is_transient"),
            fbtrace_id: text(error, "fbtrace_id").map(str::to_owned),
            ..Self::default()
        }
    }

    fn from_oauth(name: &str, root: &Value) -> Self {
        let message = match sentence(root) {
            Some(description) => format!("{name}: {description}"),
            None => name.to_owned(),
        };
        Self {
            code: code(root).or_else(|| numbered(name)),
            subcode: subcode(root),
            message,
            name: Some(name.to_owned()),
            ..Self::default()
        }
    }

    fn from_flat(root: &Value) -> Option<Self> {
        let (message, name) = (sentence(root), text(root, "error_type"));
        let named = code(root);
        if named.is_none() && message.is_none() && name.is_none() {
            return None;
        }
        // Beside `error_type` stands the HTTP status over again, or a code after all.
        let (status, beside) = match integer(root, "code") {
            Some(number) => match as_status(number) {
                Some(status) => (Some(status), None),
                None => (None, Some(number)),
            },
            None => (None, None),
        };
        Some(Self {
            code: named.or(beside).or_else(|| numbered(message?)),
            status,
            subcode: subcode(root),
            message: message.unwrap_or_default().to_owned(),
            name: name.map(str::to_owned),
            transient: flag(root, "is_transient"),
            fbtrace_id: text(root, "fbtrace_id").map(str::to_owned),
        })
    }

    /// Older answers of Instagram's have a `meta` in every one, the good ones too.
    fn from_meta(meta: &Value) -> Option<Self> {
        let refused = || {
            let status = integer(meta, "code").and_then(as_status).filter(|status| *status >= 400);
            Some(Self { status: Some(status?), ..Self::default() })
        };
        Self::from_flat(meta).or_else(refused)
    }

    /// The refusal in `WWW-Authenticate: OAuth "Facebook Platform" "NAME" "SENTENCE"`.
    pub fn from_challenge(response: &Response) -> Option<Self> {
        let mut quoted =
            response.challenge()?.strip_prefix("OAuth ")?.split('"').skip(1).step_by(2);
        if quoted.next()? != "Facebook Platform" {
            return None;
        }
        let (name, message) = (quoted.next()?, quoted.next().unwrap_or_default());
        Some(Self { message: message.to_owned(), name: Some(name.to_owned()), ..Self::default() })
    }
}

fn sentence(object: &Value) -> Option<&str> {
    ["error_msg", "error_message", "error_description"].iter().find_map(|name| text(object, name))
}

fn code(object: &Value) -> Option<i64> {
    integer(object, "error_code").filter(|code| *code != 0)
}

fn subcode(object: &Value) -> Option<i64> {
    let given = |name| integer(object, name).filter(|subcode| *subcode != 0);
    given("error_subcode").or_else(|| given("subcode"))
}

/// A number that is an HTTP status and none of the codes that mean a token's death.
fn as_status(number: i64) -> Option<u16> {
    let status = u16::try_from(number).ok()?;
    matches!(status, 200..=299 | 400..=451 | 500..=504).then_some(status)
}

/// The code that a message names itself: `(#341) ...`.
fn numbered(message: &str) -> Option<i64> {
    message.strip_prefix("(#")?.split_once(')')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Option<Envelope> {
        Envelope::in_body(JsonBody::parse(body.as_bytes()).expect("it is JSON").root())
    }

    #[test]
    fn every_shape_of_a_refusal_is_read() {
        for (body, code, subcode, message) in [
            (
                r#"{"error":{"code":"190","error_subcode":463,"message":"m"}}"#,
                Some(190),
                Some(463),
                "m",
            ),
            (r#"{"error":{"code":190,"error_subcode":"463"}}"#, Some(190), Some(463), ""),
            (r#"{"error":{"code":190,"subcode":463}}"#, Some(190), Some(463), ""),
            (r#"{"error":{"code":190,"error_subcode":0,"subcode":463}}"#, Some(190), Some(463), ""),
            (r#"{"error":{"code":190,"error_subcode":0}}"#, Some(190), None, ""),
            (r#"{"error":{"code":190,"error_subcode":null}}"#, Some(190), None, ""),
            (r#"{"error":{"message":"(#341) slow"}}"#, Some(341), None, "(#341) slow"),
            (r#"{"error":{"message":"m","error_user_msg":"do it"}}"#, None, None, "m: do it"),
            (
                r#"{"error":{"message":"do it now","error_user_msg":"do it"}}"#,
                None,
                None,
                "do it now",
            ),
            (r#"{"error":{"error_code":190,"error_msg":"m"}}"#, Some(190), None, "m"),
            (r#"{"error":{"error_data":"{}"}}"#, None, None, ""),
            (r#"{"error":{}}"#, None, None, ""),
            (r#"{"error":{"code":[190],"message":{"a":1}}}"#, None, None, ""),
            (r#"{"error":[1]}"#, None, None, ""),
            (r#"{"error":{"code":4},"data":[]}"#, Some(4), None, ""),
            (r#"{"error":""}"#, None, None, ""),
            (
                r#"{"error":"invalid_grant","error_description":"d"}"#,
                None,
                None,
                "invalid_grant: d",
            ),
            (r#"{"error":"x","error_code":190,"error_subcode":460}"#, Some(190), Some(460), "x"),
            (r#"{"error":"(#190) m"}"#, Some(190), None, "(#190) m"),
            (r#"{"error_code":613,"error_msg":"m"}"#, Some(613), None, "m"),
            (
                r#"{"error_code":"190","error_description":"m","error_subcode":463}"#,
                Some(190),
                Some(463),
                "m",
            ),
            (r#"{"error_msg":"(#4) m"}"#, Some(4), None, "(#4) m"),
            (r#"{"error_type":"OAuthException","code":400,"error_message":"m"}"#, None, None, "m"),
            (
                r#"{"error_type":"OAuthException","code":"400","error_message":"m"}"#,
                None,
                None,
                "m",
            ),
            (
                r#"{"error_type":"OAuthException","code":190,"error_message":"m"}"#,
                Some(190),
                None,
                "m",
            ),
            (r#"{"error_type":"OAuthException","code":463}"#, Some(463), None, ""),
            (r#"{"meta":{"error_type":"A","code":400,"error_message":"m"}}"#, None, None, "m"),
            (r#"{"meta":{"error_type":"A","code":190},"data":[]}"#, Some(190), None, ""),
            (r#"{"error":null,"meta":{"error_message":"m"}}"#, None, None, "m"),
            (r#"{"meta":{"code":429}}"#, None, None, ""),
        ] {
            let envelope = read(body).expect(body);
            assert_eq!(
                (envelope.code, envelope.subcode, envelope.message.as_str()),
                (code, subcode, message),
                "{body}"
            );
        }
        for body in [
            "{}",
            "true",
            "null",
            "[]",
            r#"[{"error":{"code":190}}]"#,
            r#"{"error":null,"data":[]}"#,
            r#"{"error":false,"data":[]}"#,
            r#"{"code":1}"#,
            r#"{"error_code":0}"#,
            r#"{"meta":{"code":200},"data":[]}"#,
            r#"{"meta":{"limit":3}}"#,
            r#"{"meta":"error_type"}"#,
        ] {
            assert_eq!(read(body), None, "{body}");
        }
    }

    #[test]
    fn a_status_in_the_place_of_a_code_is_kept_apart() {
        for (number, status, code) in [
            (400, Some(400), None),
            (429, Some(429), None),
            (503, Some(503), None),
            (190, None, Some(190)),
            (452, None, Some(452)),
            (506, None, Some(506)),
        ] {
            let body = format!(r#"{{"error_type":"OAuthException","code":{number}}}"#);
            let envelope = read(&body).expect("a refusal");
            assert_eq!((envelope.status, envelope.code), (status, code), "{number}");
        }
    }

    #[test]
    fn a_refusal_of_few_words_borrows_those_of_the_header() {
        let header = r#"OAuth "Facebook Platform" "invalid_token" "It has expired""#;
        for (body, name, message) in [
            (r#"{"error":{}}"#, Some("invalid_token"), "It has expired"),
            (r#"{"error":{"message":"m"}}"#, Some("invalid_token"), "m"),
            (r#"{"error":{"code":2}}"#, None, ""),
            (r#"{"error":"invalid_client"}"#, Some("invalid_client"), "invalid_client"),
        ] {
            let headers = [("WWW-Authenticate", header)].into_iter().collect();
            let document = JsonBody::parse(body.as_bytes()).expect("it is JSON");
            let envelope = Envelope::of(&document, &Response::new(400, headers, Vec::new()));
            let envelope = envelope.expect("a refusal");
            assert_eq!(
                (envelope.name.as_deref(), envelope.message.as_str()),
                (name, message),
                "{body}"
            );
        }
    }

    #[test]
    fn the_header_speaks_where_it_is_metas() {
        let asked = |header: &str| {
            let headers = [("WWW-Authenticate", header)].into_iter().collect();
            Envelope::from_challenge(&Response::new(401, headers, Vec::new()))
        };
        let envelope = asked(r#"OAuth "Facebook Platform" "invalid_token" "It has expired""#);
        assert_eq!(envelope.and_then(|envelope| envelope.name).as_deref(), Some("invalid_token"));
        assert_eq!(asked(r#"Basic realm="Facebook Platform""#), None);
        assert_eq!(asked(r#"OAuth "Another" "invalid_token""#), None);
    }
}
