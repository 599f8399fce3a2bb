//! The shapes in which Meta says no.
//!
//! Graph's `{"error": {...}}`, the string of RFC 6749, the flat one of Instagram's login, the one
//! of the REST days, and the `WWW-Authenticate` header where the body says nothing. Every field may
//! be missing. What an answer says is read here; what it means, in `fault`.

use serde_json::Value;

use super::document::{Document, flag, integer, text};
use super::response::Response;

/// A refusal in Meta's words and numbers, not yet redacted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Envelope {
    pub(super) code: Option<i64>,
    /// Zero means none.
    pub(super) subcode: Option<i64>,
    pub(super) message: String,
    /// The name that OAuth gives the error, such as `invalid_token`.
    pub(super) name: Option<String>,
    pub(super) transient: Option<bool>,
    pub(super) fbtrace_id: Option<String>,
}

impl Envelope {
    /// The refusal in an answer, whatever the HTTP status; nothing if the body is no refusal.
    pub(super) fn of(document: &Document, response: &Response) -> Option<Self> {
        let mut envelope = Self::in_body(document.root())?;
        if envelope.code.is_none() && envelope.name.is_none() {
            envelope.name = Self::from_challenge(response).and_then(|challenge| challenge.name);
        }
        Some(envelope)
    }

    fn in_body(root: &Value) -> Option<Self> {
        match root.get("error") {
            Some(Value::Object(_)) => root.get("error").map(Self::from_error),
            Some(Value::String(name)) => Some(Self::from_oauth(name, root)),
            None | Some(Value::Null | Value::Bool(false)) => Self::from_flat(root),
            Some(_) => Some(Self::default()),
        }
    }

    /// The refusal in an `error` object, Graph's own or the one inside `data` of `debug_token`.
    pub(super) fn from_error(error: &Value) -> Self {
        let said = text(error, "message").unwrap_or_default();
        let to_people = text(error, "error_user_msg").filter(|words| !said.contains(words));
        let message = [Some(said).filter(|said| !said.is_empty()), to_people];
        let subcode = integer(error, "error_subcode").or_else(|| integer(error, "subcode"));
        Self {
            code: integer(error, "code").or_else(|| numbered(said)),
            subcode: subcode.filter(|subcode| *subcode != 0),
            message: message.into_iter().flatten().collect::<Vec<_>>().join(": "),
            name: None,
            transient: flag(error, "is_transient"),
            fbtrace_id: text(error, "fbtrace_id").map(str::to_owned),
        }
    }

    fn from_oauth(name: &str, root: &Value) -> Self {
        let message = match text(root, "error_description") {
            Some(description) => format!("{name}: {description}"),
            None => name.to_owned(),
        };
        Self { message, name: Some(name.to_owned()), ..Self::default() }
    }

    fn from_flat(root: &Value) -> Option<Self> {
        let words = ["error_msg", "error_message", "error_description"];
        let message = words.iter().find_map(|name| text(root, name));
        let code = integer(root, "error_code");
        let name = text(root, "error_type");
        (code.is_some() || message.is_some() || name.is_some()).then(|| Self {
            // `code` beside `error_type` is the HTTP status over again.
            code: code.or_else(|| numbered(message?)),
            message: message.unwrap_or_default().to_owned(),
            name: name.map(str::to_owned),
            ..Self::default()
        })
    }

    /// The refusal in `WWW-Authenticate: OAuth "Facebook Platform" "NAME" "SENTENCE"`.
    pub(super) fn from_challenge(response: &Response) -> Option<Self> {
        let mut quoted =
            response.challenge()?.strip_prefix("OAuth ")?.split('"').skip(1).step_by(2);
        if quoted.next()? != "Facebook Platform" {
            return None;
        }
        let (name, message) = (quoted.next()?, quoted.next().unwrap_or_default());
        Some(Self { message: message.to_owned(), name: Some(name.to_owned()), ..Self::default() })
    }
}

/// The code that a message names itself: `(#341) ...`.
fn numbered(message: &str) -> Option<i64> {
    message.strip_prefix("(#")?.split_once(')')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Option<Envelope> {
        Envelope::in_body(Document::parse(body.as_bytes()).expect("it is JSON").root())
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
            (r#"{"error":{"code":190,"error_subcode":0}}"#, Some(190), None, ""),
            (r#"{"error":{"message":"(#341) slow"}}"#, Some(341), None, "(#341) slow"),
            (r#"{"error":{"message":"m","error_user_msg":"do it"}}"#, None, None, "m: do it"),
            (r#"{"error":{"error_data":"{}"}}"#, None, None, ""),
            (r#"{"error":[1]}"#, None, None, ""),
            (
                r#"{"error":"invalid_grant","error_description":"d"}"#,
                None,
                None,
                "invalid_grant: d",
            ),
            (r#"{"error_code":613,"error_msg":"m"}"#, Some(613), None, "m"),
            (r#"{"error_type":"OAuthException","code":400,"error_message":"m"}"#, None, None, "m"),
        ] {
            let envelope = read(body).expect(body);
            assert_eq!(
                (envelope.code, envelope.subcode, envelope.message.as_str()),
                (code, subcode, message),
                "{body}"
            );
        }
        for body in ["{}", "true", "null", "[]", r#"{"error":null,"data":[]}"#, r#"{"code":1}"#] {
            assert_eq!(read(body), None, "{body}");
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
