//! What a refusal means: Meta's numbers and words, ruled upon.
//!
//! This is the one place that classifies. The order of the rules matters. A fault that Graph calls
//! transient is never anybody's death. A subcode that names a dead session counts whatever the HTTP
//! status. Words decide only where the numbers leave a doubt, and the HTTP status only where the
//! body says nothing.

use crate::token::{Action, ProblemKind};

use super::envelope::Envelope;

/// What is wrong, and what recovers it.
pub(super) type Judgement = (ProblemKind, Action);

/// What Meta says when a token is asked about in the name of another app.
pub(super) const ANOTHER_APP: &str = "did not match the viewing app";

/// Rules on a refusal.
pub(super) fn judged(envelope: &Envelope, status: u16) -> Judgement {
    let words = envelope.message.to_lowercase();
    let (code, subcode) = (envelope.code, envelope.subcode);
    transient(envelope)
        .or_else(|| dead_session(code, subcode))
        .or_else(|| of_the_app(code, &words))
        .or_else(|| session_in_words(envelope, &words))
        .or_else(|| of_the_account(code, subcode))
        .or_else(|| limit(envelope))
        .or_else(|| named(envelope.name.as_deref()))
        .or_else(|| numbered(code, subcode))
        .unwrap_or_else(|| by_status(status, ProblemKind::Unknown))
}

const fn usual(kind: ProblemKind) -> Judgement {
    (kind, kind.action())
}

fn transient(envelope: &Envelope) -> Option<Judgement> {
    (envelope.transient == Some(true))
        .then(|| limit(envelope).unwrap_or(usual(ProblemKind::GraphUnavailable)))
}

/// The subcodes of codes 190 and 102; some of them are met as the code itself.
fn dead_session(code: Option<i64>, subcode: Option<i64>) -> Option<Judgement> {
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

fn of_the_app(code: Option<i64>, words: &str) -> Option<Judgement> {
    const CREDENTIALS: [&str; 7] = [
        "error validating client secret",
        "invalid client secret",
        "invalid client id",
        "invalid app id",
        "invalid platform app",
        "must provide an app access token",
        ANOTHER_APP,
    ];
    const GONE: [&str; 8] = [
        "api access blocked",
        "api access deactivated",
        "app not active",
        "app is not active",
        "application has been deleted",
        "application has been disabled",
        "app has been deleted",
        "app has been disabled",
    ];
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| words.contains(phrase));
    Some(usual(if words.contains("appsecret_proof") || code == Some(104) {
        ProblemKind::BadProof
    } else if says(&GONE) || words.contains("application is disabled") {
        ProblemKind::AppDisabled
    } else if says(&CREDENTIALS) || code == Some(101) {
        ProblemKind::BadAppCredentials
    } else {
        return None;
    }))
}

/// Code 190 without a subcode that is known: only the words are left.
fn session_in_words(envelope: &Envelope, words: &str) -> Option<Judgement> {
    use ProblemKind as Kind;
    const PHRASES: [(&str, ProblemKind); 15] = [
        ("permission(s) must be granted", Kind::PermissionMissing),
        ("must be called with a page access token", Kind::WrongHostOrType),
        ("cannot get application info", Kind::WrongHostOrType),
        ("cannot parse", Kind::WrongHostOrType),
        ("debug only", Kind::WrongHostOrType),
        ("session has expired", Kind::Expired),
        ("invalidated explicitly", Kind::Revoked),
        ("changed their password", Kind::PasswordChanged),
        ("changed the password", Kind::PasswordChanged),
        ("session has been invalidated", Kind::PasswordChanged),
        ("has not authorized application", Kind::AppNotAuthorized),
        ("not a confirmed user", Kind::UnconfirmedUser),
        ("checkpoint", Kind::Checkpoint),
        ("longer than 90 days", Kind::Inactive),
        ("", Kind::SessionInvalid),
    ];
    let of_a_session = matches!(envelope.code, Some(102 | 190))
        || (envelope.code.is_none() && envelope.name.as_deref() == Some("invalid_token"));
    let kind = PHRASES.iter().find(|(phrase, _)| words.contains(phrase)).map(|(_, kind)| *kind);
    kind.filter(|_| of_a_session).map(usual)
}

/// An account that only its owner can free; the token may live on afterwards.
const fn of_the_account(code: Option<i64>, subcode: Option<i64>) -> Option<Judgement> {
    match (code, subcode) {
        (Some(25 | 415), _) | (_, Some(2_859_009 | 2_207_050)) => {
            Some(usual(ProblemKind::Checkpoint))
        }
        _ => None,
    }
}

/// Throttling, and the block for policy that borrows its code and its words.
fn limit(envelope: &Envelope) -> Option<Judgement> {
    let blocked = envelope.transient == Some(false)
        && envelope.subcode.is_some_and(|subcode| (2_207_000..=2_207_099).contains(&subcode));
    match envelope.code {
        Some(368) => Some(usual(ProblemKind::PolicyBlock)),
        Some(4 | 17 | 32 | 341 | 613 | 80_000..=80_014) if blocked => {
            Some(usual(ProblemKind::PolicyBlock))
        }
        Some(4 | 17 | 32 | 341 | 613 | 80_000..=80_014) => Some(usual(ProblemKind::RateLimited)),
        _ => None,
    }
}

/// The names of RFC 6749, and those that Instagram's login gives.
fn named(name: Option<&str>) -> Option<Judgement> {
    Some(match name? {
        "invalid_client" | "unauthorized_client" => usual(ProblemKind::BadAppCredentials),
        "invalid_grant" | "invalid_code" => (ProblemKind::Unknown, Action::Reauthenticate),
        "invalid_request" => (ProblemKind::Unknown, Action::FixConfiguration),
        "server_error" | "temporarily_unavailable" => usual(ProblemKind::GraphUnavailable),
        "slow_down" | "OAuthRateLimitException" => usual(ProblemKind::RateLimited),
        _ => return None,
    })
}

fn numbered(code: Option<i64>, subcode: Option<i64>) -> Option<Judgement> {
    Some(match (code?, subcode) {
        // The endpoint does not serve this kind of Page: no permission cures that.
        (_, Some(2_069_030)) => (ProblemKind::Unknown, Action::FixConfiguration),
        (803, _) | (100, Some(33)) => usual(ProblemKind::ObjectNotFound),
        (1 | 2, _) => usual(ProblemKind::GraphUnavailable),
        // The app lacks a capability, and a person cannot grant it one.
        (3, _) => (ProblemKind::PermissionMissing, Action::FixConfiguration),
        (10 | 200..=299, _) => usual(ProblemKind::PermissionMissing),
        // A bad parameter, an endpoint that is gone, an unreadable path: the same again is refused.
        (12 | 100 | 2500, _) => (ProblemKind::Unknown, Action::FixConfiguration),
        _ => return None,
    })
}

/// The last resort: what the HTTP status alone says.
pub(super) const fn by_status(status: u16, otherwise: ProblemKind) -> Judgement {
    usual(match status {
        429 => ProblemKind::RateLimited,
        500..=599 => ProblemKind::GraphUnavailable,
        _ => otherwise,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: i64, subcode: Option<i64>, words: &str, transient: Option<bool>) -> Judgement {
        let message = words.to_owned();
        judged(
            &Envelope { code: Some(code), subcode, message, transient, ..Envelope::default() },
            400,
        )
    }

    #[test]
    fn numbers_mean_what_the_table_says() {
        use ProblemKind as Kind;
        for (code, subcode, kind) in [
            (190, Some(458), Kind::AppNotAuthorized),
            (190, Some(459), Kind::Checkpoint),
            (102, Some(460), Kind::PasswordChanged),
            (190, Some(463), Kind::Expired),
            (190, Some(464), Kind::UnconfirmedUser),
            (190, Some(466), Kind::Revoked),
            (190, Some(467), Kind::SessionInvalid),
            (190, Some(490), Kind::Checkpoint),
            (190, Some(492), Kind::RoleLost),
            (190, Some(493), Kind::Inactive),
            (190, Some(99_999), Kind::SessionInvalid),
            (190, None, Kind::SessionInvalid),
            (102, None, Kind::SessionInvalid),
            (452, None, Kind::SessionInvalid),
            (463, Some(1_349_152), Kind::Expired),
            (10, Some(463), Kind::PermissionMissing),
            (200, None, Kind::PermissionMissing),
            (299, None, Kind::PermissionMissing),
            (300, None, Kind::Unknown),
            (200, Some(2_069_030), Kind::Unknown),
            (3, None, Kind::PermissionMissing),
            (25, Some(2_207_050), Kind::Checkpoint),
            (415, Some(2_859_009), Kind::Checkpoint),
            (4, None, Kind::RateLimited),
            (17, None, Kind::RateLimited),
            (32, None, Kind::RateLimited),
            (341, None, Kind::RateLimited),
            (613, None, Kind::RateLimited),
            (80_000, None, Kind::RateLimited),
            (80_014, None, Kind::RateLimited),
            (80_015, None, Kind::Unknown),
            (368, None, Kind::PolicyBlock),
            (1, None, Kind::GraphUnavailable),
            (2, None, Kind::GraphUnavailable),
            (101, None, Kind::BadAppCredentials),
            (104, None, Kind::BadProof),
            (803, None, Kind::ObjectNotFound),
            (100, Some(33), Kind::ObjectNotFound),
            (100, None, Kind::Unknown),
        ] {
            assert_eq!(said(code, subcode, "", None).0, kind, "{code}/{subcode:?}");
        }
    }

    #[test]
    fn words_decide_where_numbers_leave_a_doubt() {
        use ProblemKind as Kind;
        for (code, words, kind) in [
            (1, "Error validating client secret.", Kind::BadAppCredentials),
            (100, "Error validating client secret", Kind::BadAppCredentials),
            (100, "The App_id in it did not match the Viewing App", Kind::BadAppCredentials),
            (100, "Invalid appsecret_proof provided", Kind::BadProof),
            (190, "Application has been deleted", Kind::AppDisabled),
            (200, "API access blocked.", Kind::AppDisabled),
            (190, "Session has expired on Monday", Kind::Expired),
            (190, "it was invalidated explicitly", Kind::Revoked),
            (190, "because the user changed their password", Kind::PasswordChanged),
            (190, "The user has not authorized application 1", Kind::AppNotAuthorized),
            (190, "Cannot parse access token", Kind::WrongHostOrType),
            (190, "This must be called with a Page Access Token", Kind::WrongHostOrType),
            (190, "Cannot get application info", Kind::WrongHostOrType),
            (190, "Any of the x permission(s) must be granted before", Kind::PermissionMissing),
            (10, "Session has expired on Monday", Kind::PermissionMissing),
        ] {
            assert_eq!(said(code, None, words, None).0, kind, "{code} {words}");
        }
    }

    #[test]
    fn what_graph_calls_transient_is_nobodys_death() {
        use ProblemKind as Kind;
        for (code, subcode, kind) in [
            (190, Some(463), Kind::GraphUnavailable),
            (1, None, Kind::GraphUnavailable),
            (4, Some(2_207_051), Kind::RateLimited),
            (368, None, Kind::PolicyBlock),
        ] {
            let words = "Error validating client secret";
            assert_eq!(said(code, subcode, words, Some(true)).0, kind, "{code}");
        }
        assert_eq!(said(4, Some(2_207_051), "", Some(false)), usual(Kind::PolicyBlock));
        assert_eq!(said(4, None, "", Some(false)), usual(Kind::RateLimited));
    }
}
