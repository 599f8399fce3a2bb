//! Asks `debug_token` what a token is worth, and reads Graph's verdict.
//!
//! In `debug_token` two access tokens travel: the one asked about, and the one that asks. A refusal
//! of the whole call is about the one that asks and says nothing of the other. Only
//! `data.is_valid: false`, with nothing in sight that a person could cure without a new login, means
//! that a token is dead.

use serde_json::Value;

use crate::graph::body::{as_id, id, integer, text, wrapped};
use crate::graph::problem;
use crate::graph::request::Request;
use crate::graph::response::Response;
use crate::graph::settings::App;
use crate::token::{
    AccessToken, Action, AskerPlace, DataAccess, DebugTokenCall, Expiry, GranularScope, Identity,
    Inspection, Problem, ProblemKind, Secret, Time, redact,
};

/// Who asks about an access token.
#[derive(Debug, Clone, Copy)]
pub enum Asker<'a> {
    /// The app, by its secret.
    App(&'a Secret),
    /// The access token itself.
    Token,
}

/// Asks about a token.
pub fn inspect(app: &App, call: &DebugTokenCall, asker: Asker<'_>, token: &AccessToken) -> Request {
    let request =
        Request::get("inspect", app, call.path).with_secret("input_token", token.expose());
    let (request, by) = match asker {
        Asker::App(secret) => (
            request.in_the_apps_name(),
            Secret::new(format!("{}{}|{}", call.app_prefix, app.id, secret.expose())),
        ),
        Asker::Token => (request, Secret::new(token.expose())),
    };
    match call.asker {
        AskerPlace::Header => request.with_bearer(by.expose()),
        AskerPlace::Parameter => request.with_secret("access_token", by.expose()),
    }
}

/// Reads what Graph says of the token; an error is about the app that asked.
pub fn read_inspection(response: &Response) -> Result<Inspection, Problem> {
    read_own_inspection(response).map_err(blame_the_app)
}

/// Reads what Graph says of the token that asked about itself; an error is not an answer.
pub fn read_own_inspection(response: &Response) -> Result<Inspection, Problem> {
    let document = problem::accepted(response)?;
    let flat = || Some(document.root()).filter(|root| root.get("is_valid").is_some());
    let data = wrapped(document.root())
        .or_else(flat)
        .ok_or_else(|| problem::malformed(response, "it has no `data`"))?;
    let said = data.get("is_valid").and_then(Value::as_bool);
    let error = data.get("error").filter(|error| error.is_object());
    let error = error.map(|error| of_the_token(problem::within(error, response), said));
    // Graph's own trouble is not an answer: it is asked again, and what is stored stands.
    if let Some(trouble) = error.as_ref().filter(|it| it.kind.is_outage() && said != Some(true)) {
        return Err(trouble.clone());
    }
    let (valid, problem) = verdict(said, error)?;
    let token_type = token_type(data, problem.as_ref());
    let ends = instant(data, "expires_at");
    let name = |field| text(data, field).map(|text| redact::sentence(text, response.secrets()));
    let scopes = data.get("scopes").and_then(|list| plain_texts(list, response));
    Ok(Inspection {
        valid,
        problem,
        scopes: Inspection::told_scopes(scopes, token_type.as_deref()),
        expiry: match (&token_type, ends) {
            // An app token lives as long as the app's secret; Graph gives it no date.
            (Some(app), None) if app == APP => Expiry::Never,
            _ => Expiry::from_graph(ends),
        },
        token_type: token_type.map(|word| redact::sentence(&word, response.secrets())),
        application: name("application"),
        identity: Identity {
            app_id: id(data, "app_id"),
            user_id: id(data, "user_id"),
            page_id: id(data, "profile_id"),
        },
        data_access: DataAccess::from_graph(instant(data, "data_access_expires_at")),
        issued_at: issued_at(data),
        granular_scopes: granular_scopes(data, response),
    })
}

/// The same verdict on a token of the form `APPID|...`: no login of a person's cures that one.
pub fn as_app_token(mut inspection: Inspection) -> Inspection {
    inspection.problem = inspection.problem.map(|problem| match problem.kind {
        ProblemKind::SessionInvalid => problem.with_action(Action::FixConfiguration),
        _ => problem,
    });
    inspection
}

const APP: &str = "APP";

/// What would be a session's death is, of the app that asks, a wrong id or secret.
fn blame_the_app(problem: Problem) -> Problem {
    if !problem.kind.is_verdict() && problem.kind != ProblemKind::WrongHostOrType {
        return problem;
    }
    let kind = ProblemKind::BadAppCredentials;
    Problem { kind, action: kind.action(), ..problem }
}

/// An access token that Graph cannot decode is dead here: it is asked about at the right host. Beside
/// the word that it works, an error that says nothing is none.
fn of_the_token(problem: Problem, said: Option<bool>) -> Problem {
    match problem.kind {
        ProblemKind::WrongHostOrType | ProblemKind::Unknown if said != Some(true) => {
            let kind = ProblemKind::SessionInvalid;
            Problem { kind, action: kind.action(), ..problem }
        }
        _ => problem,
    }
}

/// The verdict, and what is wrong. Where there is neither, the answer is none, and what is stored stands.
fn verdict(
    is_valid: Option<bool>,
    error: Option<Problem>,
) -> Result<(Option<bool>, Option<Problem>), Problem> {
    Ok(match (is_valid, error) {
        (Some(false), None) => {
            let message = "Graph calls it invalid and does not say why";
            (Some(false), Some(Problem::new(ProblemKind::SessionInvalid, message)))
        }
        (Some(false), Some(problem)) => (Some(false), Some(problem)),
        (Some(true), Some(problem)) if problem.kind.is_verdict() => (None, Some(problem)),
        (Some(true), _) => (Some(true), None),
        (None, Some(problem)) => (None, Some(problem)),
        (None, None) => {
            let message = "Graph's answer gives no verdict: it lacks `is_valid`";
            return Err(Problem::new(ProblemKind::MalformedResponse, message));
        }
    })
}

/// The type in the case in which Meta documents it. Old versions leave it out; then the ids tell it.
fn token_type(data: &Value, problem: Option<&Problem>) -> Option<String> {
    let said = text(data, "type").map(str::to_ascii_uppercase);
    said.or_else(|| {
        let has = |name| id(data, name).is_some();
        if has("profile_id") {
            Some("PAGE".to_owned())
        } else if has("app_id") && !has("user_id") && problem.is_none() {
            Some(APP.to_owned())
        } else {
            None
        }
    })
}

/// Unix seconds, or 0; what no calendar of ours can print is as good as not said.
fn instant(data: &Value, name: &str) -> Option<i64> {
    /// The end of the year 9999.
    const LIMIT: i64 = 253_402_300_799;
    integer(data, name).filter(|seconds| (0..=LIMIT).contains(seconds))
}

fn issued_at(data: &Value) -> Option<Time> {
    instant(data, "issued_at")
        .filter(|seconds| *seconds > 0)
        .and_then(|seconds| Time::from_timestamp(seconds, 0))
}

/// The texts of a list, perhaps written as one text, but for those in which something had to be hidden:
/// a permission's name holds no secret.
fn plain_texts(list: &Value, response: &Response) -> Option<Vec<String>> {
    let texts: Vec<&str> = match list {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        Value::String(text) => text.split([',', ' ']).filter(|text| !text.is_empty()).collect(),
        _ => return None,
    };
    Some(texts.into_iter().filter_map(|text| plain(text, response)).collect())
}

fn plain(text: &str, response: &Response) -> Option<String> {
    (redact::sentence(text, response.secrets()) == text).then(|| text.to_owned())
}

/// The ids of a list, or the one that stands in its place.
fn ids(list: &Value) -> Option<Vec<String>> {
    match list {
        Value::Array(ids) => Some(ids.iter().filter_map(as_id).collect()),
        one => Some(vec![as_id(one)?]),
    }
}

fn granular_scopes(data: &Value, response: &Response) -> Vec<GranularScope> {
    let items = data.get("granular_scopes").and_then(Value::as_array).into_iter().flatten();
    items
        .filter_map(|item| {
            let targets = item.get("target_ids").filter(|targets| !targets.is_null());
            Some(GranularScope {
                scope: plain(text(item, "scope")?, response)?,
                target_ids: targets.and_then(ids),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::graph::Headers;

    use super::*;

    fn read(status: u16, body: &str) -> Result<Inspection, Problem> {
        read_inspection(&Response::new(status, Headers::default(), body.as_bytes().to_vec()))
    }

    #[test]
    fn a_verdict_needs_graphs_own_word() {
        for (data, valid, kind) in [
            (r#""is_valid":true"#, Some(true), None),
            (r#""is_valid":false"#, Some(false), Some(ProblemKind::SessionInvalid)),
            (r#""error":{"code":190,"subcode":463}"#, None, Some(ProblemKind::Expired)),
            (
                r#""is_valid":false,"error":{"code":190,"subcode":463}"#,
                Some(false),
                Some(ProblemKind::Expired),
            ),
            (
                r#""is_valid":false,"error":{"code":190,"subcode":459}"#,
                Some(false),
                Some(ProblemKind::Checkpoint),
            ),
            (
                r#""is_valid":false,"error":{"code":190,"message":"Cannot parse access token"}"#,
                Some(false),
                Some(ProblemKind::SessionInvalid),
            ),
            (
                r#""is_valid":true,"error":{"code":190,"subcode":460}"#,
                None,
                Some(ProblemKind::PasswordChanged),
            ),
            (r#""is_valid":true,"error":{}"#, Some(true), None),
            (r#""is_valid":true,"error":[]"#, Some(true), None),
            (r#""is_valid":true,"error":{"code":99999,"message":"m"}"#, Some(true), None),
            (r#""is_valid":false,"error":{}"#, Some(false), Some(ProblemKind::SessionInvalid)),
            (r#""error":{}"#, None, Some(ProblemKind::SessionInvalid)),
        ] {
            let inspection = read(200, &format!(r#"{{"data":{{{data}}}}}"#)).expect(data);
            assert_eq!(inspection.valid, valid, "{data}");
            assert_eq!(inspection.problem.map(|problem| problem.kind), kind, "{data}");
        }
    }

    #[test]
    fn graphs_own_trouble_is_no_answer_wherever_it_stands() {
        for data in [
            r#""is_valid":false,"error":{"code":2}"#,
            r#""is_valid":false,"error":{"code":190,"subcode":463,"is_transient":true}"#,
            r#""error":{"code":4}"#,
        ] {
            let problem = read(200, &format!(r#"{{"data":{{{data}}}}}"#)).expect_err(data);
            assert!(problem.kind.is_outage(), "{data}");
        }
        let alive = read(200, r#"{"data":{"is_valid":true,"error":{"code":2}}}"#);
        assert_eq!(alive.expect("it is an answer").valid, Some(true));
    }

    #[test]
    fn no_permission_has_the_name_of_a_secret() {
        let inspection = read(
            200,
            r#"{"data":{"is_valid":true,"scopes":["ads_read","EAAfakeEAAfakeEAAfake"],
                "granular_scopes":[{"scope":"EAAfakeEAAfakeEAAfake"}]}}"#,
        )
        .expect("it is an answer");
        assert_eq!(inspection.scopes, Some(vec!["ads_read".to_owned()]));
        assert_eq!(inspection.granular_scopes, []);
    }

    #[test]
    fn a_refusal_is_about_the_app_that_asks() {
        for (error, kind) in [
            (
                r#"{"code":190,"message":"Invalid OAuth access token signature."}"#,
                ProblemKind::BadAppCredentials,
            ),
            (r#"{"code":190,"error_subcode":463}"#, ProblemKind::BadAppCredentials),
            (r#"{"code":190,"message":"Debug only access token"}"#, ProblemKind::BadAppCredentials),
            (
                r#"{"code":100,"message":"You must provide an app access token"}"#,
                ProblemKind::BadAppCredentials,
            ),
            (r#"{"code":2}"#, ProblemKind::GraphUnavailable),
            (r#"{"code":4}"#, ProblemKind::RateLimited),
        ] {
            let problem = read(400, &format!(r#"{{"error":{error}}}"#)).expect_err(error);
            assert_eq!((problem.kind, problem.action), (kind, kind.action()), "{error}");
        }
        for body in [
            "{}",
            "null",
            "true",
            r#"{"data":[]}"#,
            r#"{"data":null}"#,
            r#"{"data":{"scopes":[]}}"#,
            r#"{"data":{"type":"USER","is_valid":null}}"#,
            r#"{"data":{"is_valid":"false"}}"#,
            r#"{"data":{"is_valid":0}}"#,
        ] {
            let problem = read(200, body).expect_err(body);
            assert_eq!(problem.kind, ProblemKind::MalformedResponse, "{body}");
        }
    }

    #[test]
    fn the_type_is_told_by_the_ids_where_it_is_missing() {
        for (data, token_type, expiry) in [
            (r#""type":"USER","app_id":"1""#, Some("USER"), Expiry::Unknown),
            (r#""type":"system_user","expires_at":0.0"#, Some("SYSTEM_USER"), Expiry::Never),
            (
                r#""app_id":1,"user_id":"2","profile_id":"3","expires_at":0"#,
                Some("PAGE"),
                Expiry::Never,
            ),
            (r#""app_id":1"#, Some("APP"), Expiry::Never),
            (r#""app_id":1,"user_id":2"#, None, Expiry::Unknown),
            (r#""app_id":1,"user_id":2,"expires_at":-1"#, None, Expiry::Unknown),
            (r#""app_id":1,"user_id":2,"expires_at":1767225600000"#, None, Expiry::Unknown),
        ] {
            let body = format!(r#"{{"data":{{"is_valid":true,{data}}}}}"#);
            let inspection = read(200, &body).expect(data);
            assert_eq!(inspection.token_type.as_deref(), token_type, "{data}");
            assert_eq!(inspection.expiry, expiry, "{data}");
        }
    }

    #[test]
    fn granular_scopes_keep_order_and_doubles() {
        let inspection = read(
            200,
            r#"{"data":{"is_valid":true,"granular_scopes":[
                {"scope":"b","target_ids":["1",17841400123456789]},{"scope":"a"},
                {"scope":"b","target_ids":[]},{"target_ids":["9"]},
                {"scope":"c","target_ids":"9"},{"scope":"d","target_ids":{}}]}}"#,
        )
        .expect("it is an answer");
        let read: Vec<_> = inspection
            .granular_scopes
            .iter()
            .map(|granular| (granular.scope.as_str(), granular.target_ids.clone()))
            .collect();
        let first = vec!["1".to_owned(), "17841400123456789".to_owned()];
        let one = vec!["9".to_owned()];
        assert_eq!(
            read,
            [
                ("b", Some(first)),
                ("a", None),
                ("b", Some(Vec::new())),
                ("c", Some(one)),
                ("d", None)
            ]
        );
    }

    #[test]
    fn scopes_that_are_not_told_are_not_missing() {
        let user = |more: &str| format!(r#""type":"USER","is_valid":true{more}"#);
        for (data, told) in [
            (user(r#","scopes":["a","b"]"#), Some(&["a", "b"][..])),
            (user(r#","scopes":"a,b""#), Some(&["a", "b"])),
            (user(r#","scopes":"a b""#), Some(&["a", "b"])),
            (user(r#","scopes":[]"#), Some(&[])),
            (user(r#","scopes":null"#), None),
            (user(r#","scopes":{"a":true}"#), None),
            (user(""), None),
            (r#""is_valid":false,"scopes":[]"#.to_owned(), None),
        ] {
            let body = format!(r#"{{"data":{{{data}}}}}"#);
            let scopes = read(200, &body).expect(&data).scopes;
            let told = told.map(|it| it.iter().map(ToString::to_string).collect::<Vec<_>>());
            assert_eq!(scopes, told, "{data}");
        }
    }

    #[test]
    fn a_login_does_not_mend_an_app_token() {
        let dead = Problem::new(ProblemKind::SessionInvalid, "signature");
        let inspection = as_app_token(Inspection::bare(Some(false), Some(dead)));
        assert_eq!(
            inspection.problem.map(|problem| problem.action),
            Some(Action::FixConfiguration)
        );
    }
}
