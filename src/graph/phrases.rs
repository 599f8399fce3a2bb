//! Knows what Meta's sentences mean, where its numbers leave a doubt.
//!
//! Meta gives one number to many things: 1 is a passing fault and a wrong secret, 100 a bad
//! parameter and a wrong proof, 190 a dead session and a question put to the wrong host. Its
//! sentences tell them apart. All are in lower case here; in each list the first that is found
//! speaks.

use crate::token::ProblemKind as Kind;

type Phrases = &'static [(&'static str, Kind)];

/// The app that asks is not the one that the token was given to.
const OF_ANOTHER_APP: [&str; 2] = ["did not match the viewing app", "does not belong to app"];

/// An access token that lives, perhaps, but not here.
const WRONG_PLACE: Phrases = &[
    ("cannot parse", Kind::WrongHostOrType),
    ("debug only", Kind::WrongHostOrType),
    ("page access token", Kind::WrongHostOrType),
    ("access token is required", Kind::WrongHostOrType),
    ("cannot get application info", Kind::WrongHostOrType),
];

const OF_THE_APP: Phrases = &[
    ("appsecret_proof", Kind::BadProof),
    ("api access blocked", Kind::AppDisabled),
    ("api access deactivated", Kind::AppDisabled),
    ("api access disabled", Kind::AppDisabled),
    ("api access disrupted", Kind::AppDisabled),
    ("api access expired", Kind::AppDisabled),
    ("api access has expired", Kind::AppDisabled),
    ("api access has been", Kind::AppDisabled),
    ("app not active", Kind::AppDisabled),
    ("app is not active", Kind::AppDisabled),
    ("app has been deleted", Kind::AppDisabled),
    ("app has been disabled", Kind::AppDisabled),
    ("app is disabled", Kind::AppDisabled),
    ("application has been deleted", Kind::AppDisabled),
    ("application has been disabled", Kind::AppDisabled),
    ("application is disabled", Kind::AppDisabled),
    ("error validating client secret", Kind::BadAppCredentials),
    ("error validating application", Kind::BadAppCredentials),
    ("invalid client secret", Kind::BadAppCredentials),
    ("invalid client_secret", Kind::BadAppCredentials),
    ("invalid client id", Kind::BadAppCredentials),
    ("invalid client_id", Kind::BadAppCredentials),
    ("invalid app id", Kind::BadAppCredentials),
    ("valid app id", Kind::BadAppCredentials),
    ("invalid application id", Kind::BadAppCredentials),
    ("invalid platform app", Kind::BadAppCredentials),
    ("must provide an app access token", Kind::BadAppCredentials),
];

const OF_AN_OBJECT: Phrases = &[
    // Instagram says so to an access token of a kind that it no longer serves, and to a good one
    // whose link to the app must be made anew.
    ("unsupported request", Kind::WrongHostOrType),
    ("does not exist", Kind::ObjectNotFound),
    ("unsupported get request", Kind::ObjectNotFound),
    ("unsupported post request", Kind::ObjectNotFound),
    ("unsupported delete request", Kind::ObjectNotFound),
];

const OF_A_SESSION: Phrases = &[
    ("permission(s) must be granted", Kind::PermissionMissing),
    ("in order to impersonate it", Kind::RoleLost),
    ("checkpoint", Kind::Checkpoint),
    ("log in to www.facebook.com", Kind::Checkpoint),
    ("log in at www.facebook.com", Kind::Checkpoint),
    ("not a confirmed user", Kind::UnconfirmedUser),
    ("longer than 90 days", Kind::Inactive),
    ("invalidated explicitly", Kind::Revoked),
    ("changed their password", Kind::PasswordChanged),
    ("changed the password", Kind::PasswordChanged),
    ("logged out", Kind::SessionInvalid),
    ("has been invalidated", Kind::PasswordChanged),
    ("has expired", Kind::Expired),
    ("has not authorized app", Kind::AppNotAuthorized),
];

/// Words with which a code-less refusal speaks of a token.
const ABOUT_A_TOKEN: [&str; 2] = ["error validating access token", "invalid oauth access token"];

/// A code of a login that is used up or too old: the login is begun anew.
const USED_UP: [&str; 3] =
    ["authorization code has", "matching code was not found", "verification code has"];

/// A login was begun without the challenge that its end would have to answer.
const OF_A_CODE_VERIFIER: [&str; 2] = ["code_verifier", "code_challenge"];

/// The answer would be too long.
const TOO_MUCH: [&str; 2] = ["reduce the amount of data", "too much data"];

fn first_of(phrases: Phrases, words: &str) -> Option<Kind> {
    phrases.iter().find(|(phrase, _)| words.contains(phrase)).map(|(_, kind)| *kind)
}

/// Whether a token was asked about in the name of another app.
pub fn name_another_app(words: &str) -> bool {
    OF_ANOTHER_APP.iter().any(|phrase| words.contains(phrase))
}

/// Whether a question went to the wrong host, or was put with a token of the wrong type.
pub fn of_the_wrong_place(words: &str) -> Option<Kind> {
    first_of(WRONG_PLACE, words)
}

/// What is wrong with the app.
pub fn of_the_app(words: &str) -> Option<Kind> {
    if name_another_app(words) {
        return Some(Kind::BadAppCredentials);
    }
    first_of(OF_THE_APP, words)
}

/// What is wrong with the object that was asked for.
pub fn of_an_object(words: &str) -> Option<Kind> {
    first_of(OF_AN_OBJECT, words)
}

/// How a session ended, or what its owner must do.
pub fn of_a_session(words: &str) -> Kind {
    first_of(OF_A_SESSION, words).unwrap_or(Kind::SessionInvalid)
}

/// Whether a refusal without a code is about a token.
pub fn speak_of_a_token(words: &str) -> bool {
    ABOUT_A_TOKEN.iter().any(|phrase| words.starts_with(phrase))
}

/// Whether a login's code is what was refused.
pub fn speak_of_a_used_code(words: &str) -> bool {
    USED_UP.iter().any(|phrase| words.contains(phrase))
}

/// Whether it is about the challenge of a login.
pub fn speak_of_a_code_verifier(words: &str) -> bool {
    OF_A_CODE_VERIFIER.iter().any(|phrase| words.contains(phrase))
}

/// Whether less is to be asked for at once.
pub fn ask_for_less(words: &str) -> bool {
    TOO_MUCH.iter().any(|phrase| words.contains(phrase))
}

/// Whether a permission is missing, and not perhaps the object.
pub fn speak_of_a_missing_permission(words: &str) -> bool {
    words.contains("missing permission") && !words.contains("does not exist")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_in_the_case_in_which_they_are_sought() {
        let lists = [WRONG_PLACE, OF_THE_APP, OF_AN_OBJECT, OF_A_SESSION];
        let phrases = lists.into_iter().flatten().map(|(phrase, _)| *phrase);
        let lists_of_words =
            [&OF_ANOTHER_APP[..], &ABOUT_A_TOKEN, &USED_UP, &OF_A_CODE_VERIFIER, &TOO_MUCH];
        let others = lists_of_words.concat();
        for phrase in phrases.chain(others) {
            assert_eq!(phrase, phrase.to_lowercase());
            assert!(!phrase.is_empty());
        }
    }

    #[test]
    fn no_phrase_is_hidden_by_one_before_it() {
        for list in [WRONG_PLACE, OF_THE_APP, OF_AN_OBJECT, OF_A_SESSION] {
            for (phrase, kind) in list {
                assert_eq!(first_of(list, phrase), Some(*kind), "{phrase}");
            }
        }
    }
}
