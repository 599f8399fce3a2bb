//! What a person is told to do about each problem, for each type of token.

use metatoken::policy::{Policy, remedy};
use metatoken::token::{Action, Problem, ProblemKind, TokenType};

use super::{credential, page, subject};

fn about(token_type: TokenType, problem: &Problem) -> String {
    let policy = Policy::default();
    let credential = credential("it", token_type, None);
    remedy(problem, &subject(&credential, &policy))
}

fn derived(problem: &Problem) -> String {
    let policy = Policy::default();
    let child = credential("it", TokenType::Page, None);
    let parent = credential("brand", TokenType::User, None);
    remedy(problem, &page(&child, &policy, &parent))
}

#[test]
fn a_new_login_is_told_as_each_type_knows_it() {
    for (token_type, expected) in [
        (
            TokenType::User,
            "the person behind the token logs in to the app again; then run `metatoken exchange it` and paste the new access token",
        ),
        (
            TokenType::Page,
            "the person behind the token takes a new Page token from a long-lived user token; then run `metatoken exchange it` and paste it, or set `parent` so that metatoken derives it",
        ),
        (
            TokenType::SystemUser,
            "an admin of the business generates a new token for the System User (Meta Business settings, Users, System users); then run `metatoken exchange it` and paste it",
        ),
        (
            TokenType::Instagram,
            "the person behind the token logs in to the app again, or generates a token in its dashboard (Instagram, API setup with Instagram login); then run `metatoken exchange it` and paste the new access token",
        ),
        (
            TokenType::Threads,
            "the person behind the token logs in to the Threads app again; then run `metatoken exchange it` and paste the new access token",
        ),
        (
            TokenType::App,
            "compare the app's `id` and `secret` in the config with the app's dashboard (App settings, Basic); then run `metatoken refresh it`",
        ),
    ] {
        for kind in ProblemKind::ALL.iter().filter(|kind| kind.action() == Action::Reauthenticate) {
            assert_eq!(about(token_type, &Problem::new(*kind, "x")), expected, "{kind}");
        }
    }
    assert_eq!(
        derived(&Problem::new(ProblemKind::PasswordChanged, "x")),
        "mend its parent: `metatoken status brand`"
    );
    // Graph calls a reset secret a broken session, which of an app's token is no login's matter.
    let reset =
        Problem::new(ProblemKind::SessionInvalid, "x").with_action(Action::FixConfiguration);
    assert_eq!(
        about(TokenType::App, &reset),
        "compare the app's `id` and `secret` in the config with the app's dashboard (App settings, Basic); then run `metatoken refresh it`"
    );
}

#[test]
fn a_missing_permission_is_granted_where_each_type_gets_it() {
    let missing = Problem::new(ProblemKind::PermissionMissing, "x");
    for (token_type, expected) in [
        (
            TokenType::User,
            "the person behind the token logs in to the app again and grants it, ticking every Page; then run `metatoken exchange it` and paste the new access token",
        ),
        (
            TokenType::Page,
            "the person behind the token logs in to the app again and grants it, ticking every Page, and takes a new Page token from the long-lived user token; then run `metatoken exchange it` and paste it",
        ),
        (
            TokenType::SystemUser,
            "an admin of the business assigns the System User what is missing and generates a new token with the permission (Meta Business settings, Users, System users); then run `metatoken exchange it` and paste it",
        ),
        (
            TokenType::Instagram,
            "the person behind the token logs in to the app again and grants it; then run `metatoken exchange it` and paste the new access token",
        ),
        (
            TokenType::Threads,
            "the person behind the token logs in to the app again and grants it; then run `metatoken exchange it` and paste the new access token",
        ),
        (
            TokenType::App,
            "an app's token carries no permissions: take them out of `required_scopes` and `required_targets`",
        ),
    ] {
        assert_eq!(about(token_type, &missing), expected);
    }
    assert_eq!(
        derived(&missing),
        "the person behind the token logs in to the app again and grants it, ticking every Page; then run `metatoken exchange brand` and paste the new access token"
    );
    assert_eq!(
        derived(&Problem::new(ProblemKind::RoleLost, "x")),
        "somebody who manages the Page gives the person behind the token a role on it again; then run `metatoken refresh it`"
    );
}

#[test]
fn an_account_is_freed_where_it_lives() {
    for (token_type, expected) in [
        (
            TokenType::User,
            "the person behind the token opens facebook.com, logs in and passes what it asks; the token is kept and may work again",
        ),
        (
            TokenType::Instagram,
            "the person behind the token opens instagram.com, logs in and passes what it asks; the token is kept and may work again",
        ),
        (
            TokenType::Threads,
            "the person behind the token opens instagram.com, logs in and passes what it asks; the token is kept and may work again",
        ),
    ] {
        for kind in [ProblemKind::Checkpoint, ProblemKind::UnconfirmedUser] {
            assert_eq!(about(token_type, &Problem::new(kind, "x")), expected, "{kind}");
        }
    }
}

#[test]
fn settings_are_mended_where_each_provider_shows_them() {
    let by_meta = Problem { code: Some(101), ..Problem::new(ProblemKind::BadAppCredentials, "x") };
    let ours = Problem::new(ProblemKind::BadAppCredentials, "x");
    let problem = |kind| Problem::new(kind, "x");
    for (token_type, problem, expected) in [
        (
            TokenType::User,
            by_meta.clone(),
            "compare the app's `id` and `secret` in the config with the app's dashboard (App settings, Basic); then run `metatoken refresh`",
        ),
        (
            TokenType::Instagram,
            by_meta.clone(),
            "compare the app's `id` and `secret` in the config with the app's dashboard (Instagram, API setup with Instagram login); then run `metatoken refresh`",
        ),
        (
            TokenType::Threads,
            by_meta,
            "compare the app's `id` and `secret` in the config with the app's dashboard (App settings, Basic, Threads app ID); then run `metatoken refresh`",
        ),
        (TokenType::User, ours, "mend what the message names; then run `metatoken refresh it`"),
        (
            TokenType::User,
            problem(ProblemKind::BadProof),
            "check that `secret` is the secret of the app that the token was given to; then run `metatoken refresh`",
        ),
        (
            TokenType::User,
            problem(ProblemKind::AppDisabled),
            "open the app's dashboard and follow its alerts until the app is live again; then run `metatoken refresh`",
        ),
        (
            TokenType::Page,
            problem(ProblemKind::ObjectNotFound),
            "compare `page_id` in the config with the Page's id, and see that the person still has a role on the Page",
        ),
        (
            TokenType::Threads,
            problem(ProblemKind::ObjectNotFound),
            "see that the account still lists the app in its settings (Website permissions); if not, the person behind the token logs in to the Threads app again; then run `metatoken exchange it` and paste the new access token",
        ),
        (
            TokenType::SystemUser,
            problem(ProblemKind::ObjectNotFound),
            "mend what the message names; then run `metatoken refresh it`",
        ),
        (
            TokenType::Page,
            problem(ProblemKind::WrongHostOrType),
            "compare `type`, `app` and `page_id` in the config with what the message says, or paste the string that belongs there",
        ),
        (
            TokenType::Instagram,
            Problem { code: Some(100), ..problem(ProblemKind::WrongHostOrType) },
            "account and app must be linked anew: the person behind the token logs in to the app again, or generates a token in its dashboard (Instagram, API setup with Instagram login); then run `metatoken exchange it` and paste the new access token",
        ),
        (
            TokenType::Instagram,
            problem(ProblemKind::WrongHostOrType),
            "compare `type` and `app` in the config with what the message says, or paste the string that belongs there",
        ),
    ] {
        assert_eq!(about(token_type, &problem), expected, "{}", problem.kind);
    }
}

#[test]
fn nobody_is_sent_anywhere_for_what_passes_by_itself() {
    for (action, expected) in [
        (Action::Retry, "nothing to do yet: it is tried again by itself"),
        (Action::SlowDown, "nothing to do yet: it is tried again once Meta allows more calls"),
        (Action::Wait, "nothing to do but wait: it is tried again when Meta allows it"),
        (Action::None, ""),
    ] {
        let problem = Problem::new(ProblemKind::Unknown, "x").with_action(action);
        for token_type in TokenType::ALL {
            assert_eq!(about(*token_type, &problem), expected, "{token_type}");
        }
    }
}

#[test]
fn the_owner_is_named() {
    let policy = Policy { owner: Some("anna@client.example".into()), ..Policy::default() };
    for token_type in TokenType::ALL.iter().filter(|it| **it != TokenType::App) {
        let credential = credential("it", *token_type, None);
        let said = remedy(&Problem::new(ProblemKind::Expired, "x"), &subject(&credential, &policy));
        assert!(said.starts_with("anna@client.example "), "{token_type}: {said}");
    }
}
