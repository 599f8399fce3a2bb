//! What a person is told to do about each problem, for each type of token.

use clap::Parser as _;
use metatoken::cli::Cli;
use metatoken::policy::{Actor, Policy, ROWS, remedy};
use metatoken::token::{Action, Expiry, Problem, ProblemKind, TokenType};

use super::{credential, page, string, subject};
use crate::common::day;

fn about(token_type: TokenType, problem: &Problem) -> String {
    let policy = Policy::default();
    let credential = credential("it", token_type, None);
    remedy(problem, &subject(&credential, &policy)).to_string()
}

fn derived(problem: &Problem) -> String {
    let policy = Policy::default();
    let child = credential("it", TokenType::Page, None);
    let parent = credential("brand", TokenType::User, None);
    remedy(problem, &page(&child, &policy, &parent)).to_string()
}

#[test]
fn a_new_login_is_told_as_each_type_knows_it() {
    for (token_type, expected) in [
        (
            TokenType::User,
            "the person behind the token logs in to the app again: run `metatoken login it`",
        ),
        (
            TokenType::Page,
            "the person behind the token takes a new Page token from a long-lived user token; then run `metatoken exchange it` and paste it. If that user token is kept here, set it as `parent` of `[token.it]` instead",
        ),
        (
            TokenType::SystemUser,
            "an admin of the business generates a new token for the System User (Meta Business settings, Users, System users); then run `metatoken exchange it` and paste it",
        ),
        (
            TokenType::Instagram,
            "the person behind the token logs in to the app again: run `metatoken login it`",
        ),
        (
            TokenType::Threads,
            "the person behind the token logs in to the Threads app again: run `metatoken login it`",
        ),
        (
            TokenType::App,
            "compare `id` and `secret` of `[app.main]` in metatoken.toml with the app's dashboard (App settings, Basic); then run `metatoken refresh it`",
        ),
    ] {
        let of_a_past = |kind: &&ProblemKind| {
            kind.action() == Action::Reauthenticate && Problem::new(**kind, "x").tells_of_a_past()
        };
        for kind in ProblemKind::ALL.iter().filter(of_a_past) {
            assert_eq!(about(token_type, &Problem::new(*kind, "x")), expected, "{kind}");
        }
    }
    assert_eq!(
        derived(&Problem::new(ProblemKind::PasswordChanged, "x")),
        "fix its parent first: run `metatoken status brand`"
    );
    // A value that Meta only calls invalid, and that never worked, was not copied as it is.
    let unknown = Problem { code: Some(190), ..Problem::new(ProblemKind::SessionInvalid, "x") };
    assert_eq!(
        about(TokenType::User, &unknown),
        "copy the access token of app `main` again, whole; then run `metatoken exchange it` and \
         paste it"
    );
    // Graph calls a reset secret a broken session, which of an app's token is no login's matter.
    let reset =
        Problem::new(ProblemKind::SessionInvalid, "x").with_action(Action::FixConfiguration);
    assert_eq!(
        about(TokenType::App, &reset),
        "compare `id` and `secret` of `[app.main]` in metatoken.toml with the app's dashboard (App settings, Basic); then run `metatoken refresh it`"
    );
}

/// A person whose token works is not sent to log in for a value that was not copied whole.
#[test]
fn what_is_rejected_beside_one_that_works_is_copied_again() {
    let policy = Policy::default();
    let works = credential("it", TokenType::User, Some(string(Expiry::Never, day(0))));
    let said = |problem: &Problem| remedy(problem, &subject(&works, &policy)).to_string();
    let unknown = Problem { code: Some(190), ..Problem::new(ProblemKind::SessionInvalid, "x") };
    assert_eq!(
        said(&unknown.clone().rejected()),
        "copy the access token of app `main` again, whole; then run `metatoken exchange it \
         --replace` and paste it"
    );
    let log_in = "the person behind the token logs in to the app again: run `metatoken login \
                  it --replace`";
    let lost = format!("the answer was lost{}x", Problem::META_SAYS);
    for problem in [
        unknown.clone(),
        Problem { message: lost, ..unknown }.rejected(),
        Problem::new(ProblemKind::Revoked, "x").rejected(),
        Problem::new(ProblemKind::IdentityChanged, "x")
            .with_action(Action::Reauthenticate)
            .rejected(),
    ] {
        assert_eq!(said(&problem), log_in, "{problem:?}");
    }
}

#[test]
fn a_missing_permission_is_granted_where_each_type_gets_it() {
    let missing = Problem::new(ProblemKind::PermissionMissing, "x");
    for (token_type, expected) in [
        (
            TokenType::User,
            "the person behind the token logs in to the app again and grants it, ticking every Page: run `metatoken login it`",
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
            "the person behind the token logs in to the app again and grants it: run `metatoken login it`",
        ),
        (
            TokenType::Threads,
            "the person behind the token logs in to the app again and grants it: run `metatoken login it`",
        ),
        (
            TokenType::App,
            "an app's token has no permissions: remove `required_scopes` and `required_targets` of `[token.it]` in metatoken.toml; then run `metatoken refresh it`",
        ),
    ] {
        assert_eq!(about(token_type, &missing), expected);
    }
    assert_eq!(
        derived(&missing),
        "the person behind the token logs in to the app again and grants it, ticking every Page: run `metatoken login brand`"
    );
    assert_eq!(
        derived(&Problem::new(ProblemKind::RoleLost, "x")),
        "a person who manages the Page gives the person behind the token a role on it again; then run `metatoken refresh it`. If the Page is not needed any more, remove `[token.it]` from the config and run `metatoken forget it`"
    );
}

#[test]
fn an_account_is_freed_where_it_lives() {
    for (token_type, expected) in [
        (
            TokenType::User,
            "the person behind the token opens facebook.com, logs in and does what it asks; then run `metatoken refresh it`. No other person can do it; the token is kept and may work again",
        ),
        (
            TokenType::Instagram,
            "the person behind the token opens instagram.com, logs in and does what it asks; then run `metatoken refresh it`. No other person can do it; the token is kept and may work again",
        ),
        (
            TokenType::Threads,
            "the person behind the token opens instagram.com, logs in and does what it asks; then run `metatoken refresh it`. No other person can do it; the token is kept and may work again",
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
            "compare `id` and `secret` of `[app.main]` in metatoken.toml with the app's dashboard (App settings, Basic); then run `metatoken refresh`",
        ),
        (
            TokenType::Instagram,
            by_meta.clone(),
            "compare `id` and `secret` of `[app.main]` in metatoken.toml with the app's dashboard (Instagram, API setup with Instagram login); then run `metatoken refresh`",
        ),
        (
            TokenType::Threads,
            by_meta,
            "compare `id` and `secret` of `[app.main]` in metatoken.toml with the app's dashboard (App settings, Basic, Threads app ID); then run `metatoken refresh`",
        ),
        (
            TokenType::User,
            ours,
            "copy the app's secret (App settings, Basic) into `secret` of `[app.main]` in metatoken.toml; then run `metatoken refresh`",
        ),
        (
            TokenType::User,
            problem(ProblemKind::BadProof),
            "set `secret` of `[app.main]` in metatoken.toml to the secret of the app that the token belongs to (App settings, Basic); then run `metatoken refresh`",
        ),
        (
            TokenType::User,
            problem(ProblemKind::AppDisabled),
            "open the dashboard of app `main` and follow its alerts until the app is live again; then run `metatoken refresh`",
        ),
        (
            TokenType::Page,
            problem(ProblemKind::ObjectNotFound),
            "compare `page_id` of `[token.it]` in metatoken.toml with the Page's id; then run `metatoken refresh it`. If it is right, a person who manages the Page gives the person behind the token a role on it first",
        ),
        (
            TokenType::Threads,
            problem(ProblemKind::ObjectNotFound),
            "if the account's settings (Website permissions) no longer list the app, the person behind the token logs in to the Threads app again: run `metatoken login it`",
        ),
        (
            TokenType::User,
            problem(ProblemKind::ObjectNotFound),
            "run `metatoken refresh -vv it` to see every call and its answer",
        ),
        (
            TokenType::SystemUser,
            problem(ProblemKind::ObjectNotFound),
            "run `metatoken refresh -vv it` to see every call and its answer",
        ),
        (
            TokenType::Page,
            problem(ProblemKind::WrongHostOrType),
            "paste a page token: run `metatoken exchange it`. If the token is the right one, correct `type` of `[token.it]` in metatoken.toml",
        ),
        (
            TokenType::Instagram,
            Problem { code: Some(100), ..problem(ProblemKind::WrongHostOrType) },
            "account and app must be linked again, the person behind the token logs in to the app again: run `metatoken login it`",
        ),
        (
            TokenType::Instagram,
            problem(ProblemKind::WrongHostOrType),
            "paste an instagram token: run `metatoken exchange it`. If the token is the right one, correct `type` of `[token.it]` in metatoken.toml",
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
        let said = said.to_string();
        assert!(said.starts_with("anna@client.example "), "{token_type}: {said}");
    }
}

/// Later versions change rows of the table: whatever they say can be typed.
#[test]
fn every_row_names_a_command_that_there_is() {
    for row in ROWS {
        let labels = ["{label}", "{labels}", "{parent}", "{was}"];
        let remedy = row.filled("", |template| {
            let named =
                labels.iter().fold(template.to_owned(), |it, name| it.replace(name, "brand"));
            let named = named.replace("{replace}", " --replace").replace("{generation}", "1");
            named.replace("{which}", " --force brand")
        });
        assert_eq!(remedy.command.is_empty(), !row.step.contains("{run}"), "{:?}", row.kind);
        let text = remedy.to_string();
        let quoted = text.split('`').skip(1).step_by(2);
        for command in quoted.filter(|it| it.starts_with("metatoken ")) {
            let typed = Cli::try_parse_from(command.split(' '));
            assert!(typed.is_ok(), "{:?}: {command}", row.kind);
        }
        for text in [row.brief, row.step, row.note] {
            for word in ["mend", "string", "nobody", "owed", "proven"] {
                assert!(!text.contains(word), "{:?}: {text}", row.kind);
            }
        }
        assert!(row.brief.len() <= 30, "{:?}: {}", row.kind, row.brief);
        let fits = row.actor != Actor::Owner || row.step.contains("{who}");
        assert!(fits, "{:?} names its owner", row.kind);
    }
}
