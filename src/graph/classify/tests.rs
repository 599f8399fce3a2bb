//! Meta's tables of codes and subcodes, row by row.

use super::*;

fn said(code: i64, subcode: Option<i64>, words: &str, transient: Option<bool>) -> Classification {
    let message = words.to_owned();
    judged(&Envelope { code: Some(code), subcode, message, transient, ..Envelope::default() }, 400)
}

#[test]
fn numbers_mean_what_the_table_says() {
    use Action as Step;
    use ProblemKind as Kind;
    for (code, subcode, kind, action) in [
        (1, None, Kind::GraphUnavailable, Step::Retry),
        (1, Some(99), Kind::GraphUnavailable, Step::Retry),
        (2, None, Kind::GraphUnavailable, Step::Retry),
        (3, None, Kind::PermissionMissing, Step::FixConfiguration),
        (4, None, Kind::RateLimited, Step::SlowDown),
        (5, None, Kind::Unknown, Step::FixConfiguration),
        (10, None, Kind::PermissionMissing, Step::GrantPermission),
        (10, Some(463), Kind::PermissionMissing, Step::GrantPermission),
        (10, Some(1_341_012), Kind::PermissionMissing, Step::GrantPermission),
        (12, None, Kind::Unknown, Step::FixConfiguration),
        (17, None, Kind::RateLimited, Step::SlowDown),
        (17, Some(2_446_079), Kind::RateLimited, Step::SlowDown),
        (17, Some(1_349_172), Kind::RateLimited, Step::SlowDown),
        (25, None, Kind::Checkpoint, Step::FixAccount),
        (25, Some(2_207_050), Kind::Checkpoint, Step::FixAccount),
        (31, None, Kind::Unknown, Step::Retry),
        (31, Some(1_349_174), Kind::Unknown, Step::Retry),
        (32, None, Kind::RateLimited, Step::SlowDown),
        (100, None, Kind::Unknown, Step::FixConfiguration),
        (100, Some(33), Kind::ObjectNotFound, Step::FixConfiguration),
        (100, Some(36_007), Kind::Unknown, Step::Reauthenticate),
        (100, Some(36_008), Kind::Unknown, Step::FixConfiguration),
        (100, Some(36_009), Kind::Unknown, Step::Reauthenticate),
        (100, Some(1_349_173), Kind::Unknown, Step::Reauthenticate),
        (31, Some(1_349_173), Kind::Unknown, Step::Reauthenticate),
        (100, Some(463), Kind::Unknown, Step::FixConfiguration),
        (101, None, Kind::BadAppCredentials, Step::FixConfiguration),
        (102, None, Kind::SessionInvalid, Step::Reauthenticate),
        (102, Some(460), Kind::PasswordChanged, Step::Reauthenticate),
        (102, Some(463), Kind::Expired, Step::Reauthenticate),
        (104, None, Kind::BadProof, Step::FixConfiguration),
        (190, None, Kind::SessionInvalid, Step::Reauthenticate),
        (190, Some(452), Kind::SessionInvalid, Step::Reauthenticate),
        (190, Some(456), Kind::SessionInvalid, Step::Reauthenticate),
        (190, Some(457), Kind::SessionInvalid, Step::Reauthenticate),
        (190, Some(458), Kind::AppNotAuthorized, Step::Reauthenticate),
        (190, Some(459), Kind::Checkpoint, Step::FixAccount),
        (190, Some(460), Kind::PasswordChanged, Step::Reauthenticate),
        (190, Some(461), Kind::SessionInvalid, Step::Reauthenticate),
        (190, Some(462), Kind::SessionInvalid, Step::Reauthenticate),
        (190, Some(463), Kind::Expired, Step::Reauthenticate),
        (190, Some(464), Kind::UnconfirmedUser, Step::FixAccount),
        (190, Some(465), Kind::SessionInvalid, Step::Reauthenticate),
        (190, Some(466), Kind::Revoked, Step::Reauthenticate),
        (190, Some(467), Kind::SessionInvalid, Step::Reauthenticate),
        (190, Some(468), Kind::Inactive, Step::Reauthenticate),
        (190, Some(490), Kind::Checkpoint, Step::FixAccount),
        (190, Some(492), Kind::RoleLost, Step::GrantPermission),
        (190, Some(493), Kind::Inactive, Step::Reauthenticate),
        (190, Some(99_999), Kind::SessionInvalid, Step::Reauthenticate),
        (190, Some(4_476_002), Kind::BadAppCredentials, Step::FixConfiguration),
        (200, None, Kind::PermissionMissing, Step::GrantPermission),
        (200, Some(2_069_030), Kind::Unknown, Step::FixConfiguration),
        (210, None, Kind::PermissionMissing, Step::GrantPermission),
        (299, None, Kind::PermissionMissing, Step::GrantPermission),
        (300, None, Kind::Unknown, Step::Retry),
        (341, None, Kind::RateLimited, Step::SlowDown),
        (368, None, Kind::PolicyBlock, Step::Wait),
        (415, Some(2_859_009), Kind::Checkpoint, Step::FixAccount),
        (452, None, Kind::SessionInvalid, Step::Reauthenticate),
        (463, None, Kind::Expired, Step::Reauthenticate),
        // A login's code is over, and no token.
        (463, Some(1_349_152), Kind::Unknown, Step::Reauthenticate),
        (506, None, Kind::Unknown, Step::Retry),
        (613, None, Kind::RateLimited, Step::SlowDown),
        (613, Some(1996), Kind::RateLimited, Step::SlowDown),
        (803, None, Kind::ObjectNotFound, Step::FixConfiguration),
        (2500, None, Kind::Unknown, Step::FixConfiguration),
        (2635, None, Kind::Unknown, Step::FixConfiguration),
        (3962, None, Kind::Unknown, Step::FixConfiguration),
        (79_999, None, Kind::Unknown, Step::Retry),
        (80_000, Some(2_446_079), Kind::RateLimited, Step::SlowDown),
        (80_001, None, Kind::RateLimited, Step::SlowDown),
        (80_002, None, Kind::RateLimited, Step::SlowDown),
        (80_003, Some(2_446_079), Kind::RateLimited, Step::SlowDown),
        (80_004, Some(2_446_079), Kind::RateLimited, Step::SlowDown),
        (80_005, None, Kind::RateLimited, Step::SlowDown),
        (80_006, None, Kind::RateLimited, Step::SlowDown),
        (80_008, None, Kind::RateLimited, Step::SlowDown),
        (80_009, None, Kind::RateLimited, Step::SlowDown),
        (80_014, None, Kind::RateLimited, Step::SlowDown),
        (80_015, None, Kind::Unknown, Step::Retry),
        (1_349_026, None, Kind::BadAppCredentials, Step::FixConfiguration),
        (1_349_168, None, Kind::Unknown, Step::FixConfiguration),
        (1_349_245, None, Kind::Unknown, Step::FixConfiguration),
        (4_476_002, None, Kind::BadAppCredentials, Step::FixConfiguration),
        (-1, Some(2_207_001), Kind::Unknown, Step::Retry),
    ] {
        assert_eq!(said(code, subcode, "", None), (kind, action), "{code}/{subcode:?}");
    }
}

#[test]
fn words_decide_where_numbers_leave_a_doubt() {
    use ProblemKind as Kind;
    for (code, words, kind) in [
        (1, "Error validating client secret.", Kind::BadAppCredentials),
        (100, "Error validating client secret", Kind::BadAppCredentials),
        (100, "The App_id in it did not match the Viewing App", Kind::BadAppCredentials),
        (1, "The access token does not belong to application 7", Kind::BadAppCredentials),
        (100, "You must provide an app access token", Kind::BadAppCredentials),
        (190, "Error validating application. Invalid application ID.", Kind::BadAppCredentials),
        (100, "Invalid appsecret_proof provided", Kind::BadProof),
        (190, "Invalid appsecret_proof provided", Kind::BadProof),
        (104, "An access token is required to request this resource.", Kind::WrongHostOrType),
        (190, "Error validating application. Application has been deleted", Kind::AppDisabled),
        (200, "API access blocked.", Kind::AppDisabled),
        (190, "API access deactivated. To reactivate, go to the app dashboard", Kind::AppDisabled),
        (190, "Error validating access token: Session has expired on Monday", Kind::Expired),
        (190, "it was invalidated explicitly", Kind::Revoked),
        (190, "The session has been invalidated", Kind::PasswordChanged),
        (190, "because the user changed their password", Kind::PasswordChanged),
        (190, "The session is invalid because the user logged out.", Kind::SessionInvalid),
        (190, "The user has not authorized application 1", Kind::AppNotAuthorized),
        (190, "the user is not a confirmed user.", Kind::UnconfirmedUser),
        (190, "You cannot access the app till you log in to www.facebook.com", Kind::Checkpoint),
        (190, "The user is enrolled in a blocking, logged-in checkpoint", Kind::Checkpoint),
        (190, "hasn't engaged the app in longer than 90 days.", Kind::Inactive),
        (
            190,
            "The user must be an administrator of the page in order to impersonate it.",
            Kind::RoleLost,
        ),
        (190, "The access token could not be decrypted", Kind::SessionInvalid),
        (190, "Session key is malformed", Kind::SessionInvalid),
        (190, "Malformed access token AQD", Kind::SessionInvalid),
        (190, "Invalid OAuth access token.", Kind::SessionInvalid),
        (190, "Invalid OAuth access token signature.", Kind::SessionInvalid),
        (102, "Session key invalid or no longer valid", Kind::SessionInvalid),
        (190, "Invalid OAuth access token - Cannot parse access token", Kind::WrongHostOrType),
        (190, "Debug only access token", Kind::WrongHostOrType),
        (190, "(#190) This method must be called with a Page Access Token", Kind::WrongHostOrType),
        (190, "Cannot get application info due to a system error", Kind::WrongHostOrType),
        (210, "(#210) A page access token is required", Kind::WrongHostOrType),
        (190, "Any of the x permission(s) must be granted before", Kind::PermissionMissing),
        (10, "Session has expired on Monday", Kind::PermissionMissing),
        (100, "Session has expired on Monday", Kind::Unknown),
        (100, "(#100) Missing permissions", Kind::PermissionMissing),
        (100, "(#100) Missing Permission", Kind::PermissionMissing),
        (
            100,
            "Object with ID '1' does not exist, cannot be loaded due to missing permissions",
            Kind::ObjectNotFound,
        ),
        (1, "Please reduce the amount of data you're asking for", Kind::GraphUnavailable),
        (100, "Too much data was requested", Kind::GraphUnavailable),
        (4, "Please reduce the amount of data", Kind::GraphUnavailable),
        (100, "Unsupported request - method type: get", Kind::WrongHostOrType),
        (100, "Unsupported get request. Please read the documentation", Kind::ObjectNotFound),
        (24, "The requested resource does not exist", Kind::ObjectNotFound),
        (100, "The requested resource does not exist", Kind::ObjectNotFound),
        (200, "It does not exist", Kind::PermissionMissing),
        (2, "It does not exist", Kind::GraphUnavailable),
        // A limit is one, whatever is said beside it.
        (4, "Application is disabled: Session has expired", Kind::RateLimited),
        (80_004, "API access blocked", Kind::RateLimited),
    ] {
        assert_eq!(said(code, None, words, None).0, kind, "{code} {words}");
    }
    for words in ["This authorization code has been used.", "Matching code was not found"] {
        assert_eq!(said(100, None, words, None), LOG_IN_ANEW, "{words}");
    }
    for code in [1, 100] {
        let words = "code_verifier param is provided without a code_challenge";
        assert_eq!(said(code, None, words, None), MEND_THE_QUESTION, "{code}");
    }
    // A number that names the end of a session is stronger than any words.
    let words = "Cannot parse access token: Application has been deleted";
    assert_eq!(said(190, Some(463), words, None).0, Kind::Expired);
}

#[test]
fn without_a_code_only_plain_words_or_names_speak() {
    use ProblemKind as Kind;
    for (name, words, kind) in [
        (None, "Error validating access token: Session has expired on Monday", Kind::Expired),
        (None, "Error validating access token.", Kind::SessionInvalid),
        (None, "Invalid OAuth access token.", Kind::SessionInvalid),
        (None, "Invalid OAuth access token - Cannot parse access token", Kind::WrongHostOrType),
        (None, "Session has expired on Monday", Kind::Unknown),
        (None, "Something went wrong", Kind::Unknown),
        (None, "Unsupported request - method type: get", Kind::WrongHostOrType),
        (Some("OAuthException"), "Error validating access token: x", Kind::SessionInvalid),
        (Some("OAuthException"), "Invalid platform app", Kind::BadAppCredentials),
        (Some("OAuthException"), "Invalid redirect_uri", Kind::Unknown),
        (Some("invalid_token"), "It has expired", Kind::Expired),
        (Some("OAuthAccessTokenException"), "It is invalid.", Kind::SessionInvalid),
        (Some("OAuthRateLimitException"), "", Kind::RateLimited),
        (Some("OAuthPermissionsException"), "", Kind::PermissionMissing),
        (Some("APINotFoundError"), "", Kind::ObjectNotFound),
        (Some("invalid_client"), "", Kind::BadAppCredentials),
        (Some("temporarily_unavailable"), "", Kind::GraphUnavailable),
        (Some("nonsense"), "", Kind::Unknown),
    ] {
        let (message, name) = (words.to_owned(), name.map(str::to_owned));
        let envelope = Envelope { message, name, ..Envelope::default() };
        assert_eq!(judged(&envelope, 400).0, kind, "{envelope:?}");
    }
    for (name, judgement) in [
        ("invalid_grant", LOG_IN_ANEW),
        ("invalid_request", MEND_THE_QUESTION),
        ("OAuthException", MEND_THE_QUESTION),
    ] {
        assert_eq!(named(Some(name)), Some(judgement), "{name}");
    }
}

#[test]
fn the_status_is_asked_last() {
    use ProblemKind as Kind;
    let at = |status, inner, code| {
        let envelope = Envelope { status: inner, code, ..Envelope::default() };
        judged(&envelope, status).0
    };
    for (status, inner, code, kind) in [
        (400, None, None, Kind::Unknown),
        (429, None, None, Kind::RateLimited),
        (503, None, None, Kind::GraphUnavailable),
        (200, Some(429), None, Kind::RateLimited),
        (200, Some(503), None, Kind::GraphUnavailable),
        (200, Some(400), None, Kind::Unknown),
        (503, Some(400), None, Kind::GraphUnavailable),
        (500, None, Some(190), Kind::SessionInvalid),
        (429, None, Some(10), Kind::PermissionMissing),
        (500, None, Some(99_999), Kind::GraphUnavailable),
    ] {
        assert_eq!(at(status, inner, code), kind, "{status} {inner:?} {code:?}");
    }
}

#[test]
fn what_graph_calls_transient_is_nobodys_death() {
    use ProblemKind as Kind;
    for (code, subcode, kind) in [
        (190, Some(463), Kind::GraphUnavailable),
        (190, Some(460), Kind::GraphUnavailable),
        (190, None, Kind::GraphUnavailable),
        (102, Some(467), Kind::GraphUnavailable),
        (1, None, Kind::GraphUnavailable),
        (100, None, Kind::GraphUnavailable),
        (101, None, Kind::GraphUnavailable),
        (10, None, Kind::GraphUnavailable),
        (25, Some(2_207_050), Kind::GraphUnavailable),
        (4, None, Kind::RateLimited),
        (4, Some(2_207_051), Kind::RateLimited),
        (80_004, None, Kind::RateLimited),
        (368, None, Kind::PolicyBlock),
    ] {
        let words = "Error validating client secret";
        assert_eq!(said(code, subcode, words, Some(true)).0, kind, "{code}/{subcode:?}");
    }
    assert_eq!(said(190, Some(463), "", Some(false)), usual(Kind::Expired));
    // What Graph says will not pass is not tried again by itself.
    let unknown = "An unknown error has occurred.";
    for (code, transient, expected) in [
        (1, None, usual(Kind::GraphUnavailable)),
        (1, Some(true), usual(Kind::GraphUnavailable)),
        (1, Some(false), MEND_THE_QUESTION),
        (2, Some(false), usual(Kind::GraphUnavailable)),
    ] {
        assert_eq!(said(code, None, unknown, transient), expected, "{code} {transient:?}");
    }
    let less = "Please reduce the amount of data you're asking for";
    assert_eq!(said(1, None, less, Some(false)), usual(Kind::GraphUnavailable));
}

#[test]
fn a_block_for_policy_borrows_the_code_of_a_limit() {
    use ProblemKind as Kind;
    for (code, subcode, transient, kind) in [
        (4, Some(2_207_051), Some(false), Kind::PolicyBlock),
        (4, Some(2_207_051), None, Kind::PolicyBlock),
        (4, Some(2_207_051), Some(true), Kind::RateLimited),
        (17, Some(2_207_050), Some(false), Kind::PolicyBlock),
        (4, None, Some(false), Kind::RateLimited),
        (4, Some(33), Some(false), Kind::RateLimited),
        (368, Some(1_390_008), Some(false), Kind::PolicyBlock),
    ] {
        let judgement = said(code, subcode, "Application request limit reached", transient);
        assert_eq!(judgement.0, kind, "{code}/{subcode:?} {transient:?}");
    }
}

#[test]
fn what_was_to_be_published_is_no_verdict_on_a_token() {
    use ProblemKind as Kind;
    for (code, subcode, kind) in [
        (9, 2_207_042, Kind::RateLimited),
        (190, 2_207_042, Kind::RateLimited),
        (190, 2_207_050, Kind::Checkpoint),
        (190, 2_207_051, Kind::PolicyBlock),
        (190, 2_207_003, Kind::Unknown),
        (102, 2_207_020, Kind::Unknown),
        (190, 2_207_032, Kind::Unknown),
        (-1, 2_207_053, Kind::Unknown),
        (100, 2_207_003, Kind::Unknown),
    ] {
        let words = "Error validating access token: Session has expired";
        assert_eq!(said(code, Some(subcode), words, None).0, kind, "{code}/{subcode}");
    }
}
