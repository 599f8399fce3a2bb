//! Decides what a refusal means, by Meta's numbers and words.
//!
//! This is the one place that classifies. The order of the rules matters. A fault that Graph calls
//! transient never makes a token dead. A subcode that names a dead session counts whatever the HTTP
//! status. Words decide only where the numbers leave a doubt, and the HTTP status only where the
//! body says nothing.

use crate::token::{Action, ProblemKind};

use super::envelope::Envelope;
use super::phrases;

/// What is wrong, and what recovers it.
pub type Classification = (ProblemKind, Action);

/// Rules on a refusal.
pub fn judged(envelope: &Envelope, status: u16) -> Classification {
    let words = envelope.message.to_lowercase();
    let (code, subcode) = (envelope.code, envelope.subcode);
    of_too_much(&words)
        .or_else(|| transient(envelope))
        .or_else(|| limit(envelope))
        .or_else(|| of_a_login(code, subcode, &words))
        .or_else(|| dead_session(code, subcode))
        .or_else(|| of_the_account(code, subcode))
        .or_else(|| of_a_publication(code, subcode))
        .or_else(|| of_the_wrong_place(code, &words))
        .or_else(|| of_the_app(code, subcode, &words))
        .or_else(|| session_in_words(envelope, &words))
        .or_else(|| overloaded(envelope))
        .or_else(|| named(envelope.name.as_deref()))
        .or_else(|| of_an_object(code, subcode, &words))
        .or_else(|| numbered(envelope))
        .unwrap_or_else(|| by_status(status, ProblemKind::Unknown))
}

const fn usual(kind: ProblemKind) -> Classification {
    (kind, kind.action())
}

/// No access token is to blame, and the same again would be refused again.
const MEND_THE_QUESTION: Classification = (ProblemKind::Unknown, Action::FixConfiguration);
/// A login came to nothing; whatever access token there was before is not concerned.
const LOG_IN_ANEW: Classification = (ProblemKind::Unknown, Action::Reauthenticate);

/// A list was asked for in stretches that are too long: shorter ones are given, whatever the number.
fn of_too_much(words: &str) -> Option<Classification> {
    phrases::ask_for_less(words).then_some(usual(ProblemKind::GraphUnavailable))
}

fn transient(envelope: &Envelope) -> Option<Classification> {
    (envelope.transient == Some(true))
        .then(|| limit(envelope).unwrap_or(usual(ProblemKind::GraphUnavailable)))
}

/// Throttling, and the block for policy that borrows its code and its words.
fn limit(envelope: &Envelope) -> Option<Classification> {
    /// Instagram takes the caller for a spammer.
    const ACTION_IS_BLOCKED: i64 = 2_207_051;
    let blocked = match (envelope.transient, envelope.subcode) {
        (Some(true), _) | (_, None) => false,
        (Some(false), Some(subcode)) => is_of_a_publication(subcode),
        (None, Some(subcode)) => subcode == ACTION_IS_BLOCKED,
    };
    match envelope.code {
        Some(368) => Some(usual(ProblemKind::PolicyBlock)),
        Some(4 | 17 | 32 | 341 | 613 | 80_000..=80_014) if blocked => {
            Some(usual(ProblemKind::PolicyBlock))
        }
        Some(4 | 17 | 32 | 341 | 613 | 80_000..=80_014) => Some(usual(ProblemKind::RateLimited)),
        _ => None,
    }
}

/// What comes of a login that is under way: no access token is involved yet. Threads' dialog gives
/// as the code what others give as the subcode.
fn of_a_login(code: Option<i64>, subcode: Option<i64>, words: &str) -> Option<Classification> {
    let of_the_dialog = code.filter(|code| matches!(code, 1_349_000..=1_349_999));
    match subcode.or(of_the_dialog) {
        // The person has not yet typed the code into the other device.
        Some(1_349_174) => Some(usual(ProblemKind::Unknown)),
        Some(1_349_172) => Some(usual(ProblemKind::RateLimited)),
        // The code is over, or the person declined.
        Some(1_349_152 | 1_349_173) => Some(LOG_IN_ANEW),
        // A redirect that is not listed, a tester who has not accepted the invitation.
        Some(1_349_168 | 1_349_245) => Some(MEND_THE_QUESTION),
        Some(1_349_026) => Some(usual(ProblemKind::BadAppCredentials)),
        // The code is over, or was used; of another redirect address it is none.
        Some(36_007 | 36_009) => Some(LOG_IN_ANEW),
        Some(36_008) => Some(MEND_THE_QUESTION),
        _ if phrases::speak_of_a_used_code(words) => Some(LOG_IN_ANEW),
        _ => phrases::speak_of_a_code_verifier(words).then_some(MEND_THE_QUESTION),
    }
}

/// The subcodes of codes 190 and 102; some of them are met as the code itself.
fn dead_session(code: Option<i64>, subcode: Option<i64>) -> Option<Classification> {
    let subcode = match code {
        None | Some(102 | 190) => subcode?,
        Some(code) => code,
    };
    Some(usual(match subcode {
        452 | 456 | 457 | 461 | 462 | 465 | 467 => ProblemKind::SessionInvalid,
        458 => ProblemKind::AppNotAuthorized,
        459 | 490 => ProblemKind::Checkpoint,
        460 => ProblemKind::PasswordChanged,
        463 => ProblemKind::Expired,
        464 => ProblemKind::UnconfirmedUser,
        466 => ProblemKind::Revoked,
        468 | 493 => ProblemKind::Inactive,
        492 => ProblemKind::RoleLost,
        _ => return None,
    }))
}

/// An account that only its owner can free; the token may live on afterwards.
const fn of_the_account(code: Option<i64>, subcode: Option<i64>) -> Option<Classification> {
    match (code, subcode) {
        (Some(25 | 415), _) | (_, Some(2_859_009 | 2_207_050)) => {
            Some(usual(ProblemKind::Checkpoint))
        }
        _ => None,
    }
}

const fn is_of_a_publication(subcode: i64) -> bool {
    matches!(subcode, 2_207_000..=2_207_999)
}

/// Instagram's subcodes for what was to be published, which are never a verdict on a token.
/// Source: Meta, Instagram platform error codes.
fn of_a_publication(code: Option<i64>, subcode: Option<i64>) -> Option<Classification> {
    let subcode = subcode.filter(|subcode| is_of_a_publication(*subcode))?;
    match (code, subcode) {
        // So many posts a day.
        (_, 2_207_042) => Some(usual(ProblemKind::RateLimited)),
        (_, 2_207_051) => Some(usual(ProblemKind::PolicyBlock)),
        (None | Some(102 | 190), _) => Some(usual(ProblemKind::Unknown)),
        _ => None,
    }
}

fn of_the_wrong_place(code: Option<i64>, words: &str) -> Option<Classification> {
    let leaves_a_doubt = matches!(code, None | Some(102 | 104 | 190 | 210));
    phrases::of_the_wrong_place(words).filter(|_| leaves_a_doubt).map(usual)
}

fn of_the_app(code: Option<i64>, subcode: Option<i64>, words: &str) -> Option<Classification> {
    /// Facebook's id for the app where Threads' own is wanted.
    const ID_OF_THE_OTHER_APP: Option<i64> = Some(4_476_002);
    let by_number = match code {
        Some(101) => Some(ProblemKind::BadAppCredentials),
        Some(104) => Some(ProblemKind::BadProof),
        _ if code == ID_OF_THE_OTHER_APP || subcode == ID_OF_THE_OTHER_APP => {
            Some(ProblemKind::BadAppCredentials)
        }
        _ => None,
    };
    phrases::of_the_app(words).or(by_number).map(usual)
}

/// Code 190 without a subcode that is known: only the words are left.
fn session_in_words(envelope: &Envelope, words: &str) -> Option<Classification> {
    const NAMES: [Option<&str>; 2] = [Some("invalid_token"), Some("OAuthAccessTokenException")];
    let of_a_session = match envelope.code {
        Some(code) => matches!(code, 102 | 190),
        None => NAMES.contains(&envelope.name.as_deref()) || phrases::speak_of_a_token(words),
    };
    of_a_session.then(|| usual(phrases::of_a_session(words)))
}

/// The status that an envelope itself repeats, where it speaks of a server in trouble.
fn overloaded(envelope: &Envelope) -> Option<Classification> {
    let judgement = by_status(envelope.status?, ProblemKind::Unknown);
    (judgement.0 != ProblemKind::Unknown).then_some(judgement)
}

/// The names of RFC 6749, and those that Instagram gives.
fn named(name: Option<&str>) -> Option<Classification> {
    Some(match name? {
        "invalid_client" | "unauthorized_client" | "OAuthClientException" => {
            usual(ProblemKind::BadAppCredentials)
        }
        "invalid_grant" | "invalid_code" | "access_denied" => LOG_IN_ANEW,
        "invalid_request" | "OAuthException" | "OAuthParameterException" => MEND_THE_QUESTION,
        "insufficient_scope" | "OAuthPermissionsException" | "APINotAllowedError" => {
            usual(ProblemKind::PermissionMissing)
        }
        "APINotFoundError" => usual(ProblemKind::ObjectNotFound),
        "server_error" | "temporarily_unavailable" => usual(ProblemKind::GraphUnavailable),
        "slow_down" | "OAuthRateLimitException" => usual(ProblemKind::RateLimited),
        _ => return None,
    })
}

fn of_an_object(code: Option<i64>, subcode: Option<i64>, words: &str) -> Option<Classification> {
    match (code, subcode) {
        (Some(803), _) | (Some(100), Some(33)) => Some(usual(ProblemKind::ObjectNotFound)),
        (Some(100), _) if phrases::speak_of_a_missing_permission(words) => {
            Some(usual(ProblemKind::PermissionMissing))
        }
        (None | Some(24 | 100), _) => phrases::of_an_object(words).map(usual),
        _ => None,
    }
}

fn numbered(envelope: &Envelope) -> Option<Classification> {
    /// The endpoint does not serve this kind of Page: no permission cures that.
    const NOT_FOR_NEW_PAGES: Option<i64> = Some(2_069_030);
    if envelope.subcode == NOT_FOR_NEW_PAGES {
        return Some(MEND_THE_QUESTION);
    }
    Some(match envelope.code? {
        // The number of a passing fault, which Graph itself says this is not.
        1 if envelope.transient == Some(false) => MEND_THE_QUESTION,
        1 | 2 => usual(ProblemKind::GraphUnavailable),
        // The app lacks a capability, and a person cannot grant it one.
        3 => (ProblemKind::PermissionMissing, Action::FixConfiguration),
        10 | 200..=299 => usual(ProblemKind::PermissionMissing),
        // An address that the app does not let in, an endpoint or a version that is gone, a bad
        // parameter, an unreadable path, a scope that does not exist.
        5 | 12 | 100 | 2500 | 2635 | 3962 => MEND_THE_QUESTION,
        _ => return None,
    })
}

/// The last resort: what the HTTP status alone says.
pub const fn by_status(status: u16, otherwise: ProblemKind) -> Classification {
    usual(match status {
        429 => ProblemKind::RateLimited,
        500..=599 => ProblemKind::GraphUnavailable,
        _ => otherwise,
    })
}

#[cfg(test)]
mod tests;
