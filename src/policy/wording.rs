//! Words what went wrong, in our words first and in Meta's last.

use super::Subject;
use super::headline::cut;
use crate::token::{Problem, ProblemKind, TokenType};

/// How much of Meta's sentence is quoted.
const QUOTED: usize = 90;

/// Meta begins most of its sentences so.
const PREAMBLE: &str = "Error validating access token: ";

/// What is wrong, in a few words of ours; what we found ourselves is worded where it was found.
pub fn cause(problem: &Problem, subject: &Subject<'_>) -> String {
    let words = match found_in(problem, subject) {
        Some(place) => format!("{}, found in {place}", words(problem, subject)),
        None => words(problem, subject),
    };
    if problem.is_rejection() && subject.current().is_some() {
        format!("{}{words}", Problem::REJECTED)
    } else {
        words
    }
}

/// Where a value that never worked was found, if the config says where to look.
fn found_in(problem: &Problem, subject: &Subject<'_>) -> Option<String> {
    let of_a_value = subject.has_never_worked() && !problem.tells_of_a_past();
    let source = subject.credential.filter(|_| of_a_value)?.source.as_ref()?;
    let is_that = source.refused.as_ref().is_some_and(|refused| refused.kind == problem.kind);
    is_that.then(|| source.place_and_line())
}

fn words(problem: &Problem, subject: &Subject<'_>) -> String {
    let message = problem.message.trim_start_matches(Problem::REJECTED);
    if problem.code.is_none() {
        return message.to_owned();
    }
    if let Some((lost, _)) = message.split_once(Problem::META_SAYS)
        && problem.kind != ProblemKind::TooYoung
    {
        return format!("{}, {lost}", by_kind(problem, message, subject));
    }
    by_kind(problem, message, subject)
}

fn by_kind(problem: &Problem, message: &str, subject: &Subject<'_>) -> String {
    let app = subject.naming.app;
    let words = match problem.kind {
        ProblemKind::Expired => "expired",
        ProblemKind::PasswordChanged => "password changed",
        ProblemKind::AppNotAuthorized => "app removed",
        ProblemKind::SessionInvalid => of_a_session(problem, subject),
        ProblemKind::Revoked => "revoked",
        ProblemKind::RoleLost => "no role on the Page",
        ProblemKind::Inactive => "app not used for 90 days",
        ProblemKind::Checkpoint => "account held",
        ProblemKind::UnconfirmedUser => "account not confirmed",
        ProblemKind::PermissionMissing => "permission missing",
        ProblemKind::DataAccessExpired => "data access expired",
        ProblemKind::WrongHostOrType => "not a token of this type",
        ProblemKind::TooYoung if problem.fix.is_some() || problem.action.needs_a_person() => {
            return format!("app `{app}` has no `secret`, may expire within 1 hour");
        }
        ProblemKind::TooYoung => "Meta renews it from its second day on",
        ProblemKind::RateLimited => "Meta limits the app's calls",
        ProblemKind::PolicyBlock => "Meta blocks the app for its policy",
        ProblemKind::GraphUnavailable => "Graph is unavailable",
        ProblemKind::Network => "Graph cannot be reached",
        ProblemKind::MalformedResponse => "Graph's answer cannot be read",
        ProblemKind::BadAppCredentials => return format!("wrong id or secret of app `{app}`"),
        ProblemKind::BadProof => return format!("wrong secret of app `{app}`"),
        ProblemKind::AppDisabled => return format!("app `{app}` is disabled"),
        ProblemKind::ObjectNotFound => return not_found(subject),
        ProblemKind::IdentityChanged => return message.to_owned(),
        ProblemKind::NotExtended => "renewal gives no later expiry",
        ProblemKind::Unknown => "Meta refuses it",
    };
    words.to_owned()
}

/// Meta gives one code for a login that ended and for a value that never was an access token.
fn of_a_session(problem: &Problem, subject: &Subject<'_>) -> &'static str {
    match problem.subcode {
        Some(467) => "logged out",
        _ if subject.token_type == TokenType::App => "the app's secret was changed",
        None if subject.has_never_worked() || problem.is_rejection() => {
            "Meta does not know this value"
        }
        _ => "session no longer valid",
    }
}

fn not_found(subject: &Subject<'_>) -> String {
    match (subject.naming.page_id, subject.token_type) {
        (Some(id), TokenType::Page) => format!("Page {id} not found or no role on it"),
        (None, TokenType::Page) => "the Page is not found, or there is no role on it".to_owned(),
        _ => "Meta does not find the account for this app".to_owned(),
    }
}

/// Meta's own words and numbers, cut at a word; nothing where the words are ours.
pub fn quote(problem: &Problem) -> String {
    let Some(code) = problem.code else { return String::new() };
    let number = match problem.subcode {
        Some(subcode) => format!("{code}/{subcode}"),
        None => code.to_string(),
    };
    if matches!(problem.kind, ProblemKind::IdentityChanged) {
        return format!("code {number}");
    }
    let message = problem.message.trim_start_matches(Problem::REJECTED);
    let said = message.split_once(Problem::META_SAYS).map_or(message, |(_, said)| said);
    format!("\"{}\" ({number})", cut(said.trim_start_matches(PREAMBLE), QUOTED))
}
