//! Every remedy that names a command, typed in a world where its cause stands: the cause ends.
//!
//! Meta says in each world what the cause is, `check` tells the remedy, a person does what it says
//! outside of metatoken, and the commands are typed as they stand there. A remedy that no case has
//! typed fails the test.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use metatoken::policy::{Policy, remedy};
use metatoken::sandbox::{FaultInjection, Invalidation, Listing, Rule, TokenFixture};
use metatoken::token::{Action, Expiry, Problem, ProblemKind as Kind, Time, TokenType};
use serde_json::{Value, json};

use super::{credential, page, subject};
use crate::common::brand::{answer, minute};
use crate::common::{ANNA, APP, BAKERY, CREATOR, INSTA_APP, ROBOT, THREADS_APP, World};

/// What Meta says of a token that works no longer, and what that is.
const OF_THE_TOKEN: &[(Kind, i64, Option<i64>, &str)] = &[
    (Kind::Expired, 190, Some(463), "Session has expired"),
    (Kind::PasswordChanged, 190, Some(460), "The password was changed"),
    (Kind::AppNotAuthorized, 190, Some(458), "The user has not authorized application 1"),
    (Kind::SessionInvalid, 190, Some(461), "The session is invalid"),
    (Kind::Revoked, 190, Some(466), "The session was invalidated explicitly"),
    (Kind::Inactive, 190, Some(493), "longer than 90 days"),
    (Kind::Checkpoint, 190, Some(459), "You are checkpointed"),
    (Kind::UnconfirmedUser, 190, Some(464), "The user is not a confirmed user"),
];

/// What Meta answers to a question that it will not take, and what that is.
const OF_THE_QUESTION: &[(Kind, i64, Option<i64>, &str)] = &[
    (Kind::PermissionMissing, 10, None, "(#10) Application does not have permission"),
    (Kind::BadAppCredentials, 101, None, "Error validating application."),
    (Kind::BadProof, 100, None, "Invalid appsecret_proof provided in the API argument"),
    (Kind::AppDisabled, 200, None, "API access deactivated."),
    (Kind::ObjectNotFound, 100, Some(33), "Object with ID '1' does not exist"),
    (Kind::Unknown, 2635, None, "You are calling a deprecated version"),
];

/// Instagram and Threads alone say so of a token.
const OF_THE_LINK: (Kind, i64, Option<i64>, &str) =
    (Kind::WrongHostOrType, 100, None, "Unsupported request - method type: get");

/// One kind of token, called `it`.
#[derive(Debug, Clone, Copy)]
struct Family {
    token_type: TokenType,
    config: &'static str,
}

const FAMILIES: [Family; 5] = [
    Family {
        token_type: TokenType::User,
        config: "[token.it]\ntype = \"user\"\naccess_token = { env = \"IT\" }\n",
    },
    Family {
        token_type: TokenType::Page,
        config: "[token.it]\ntype = \"page\"\npage_id = \"2000000000000001\"\n\
                 access_token = { env = \"IT\" }\n",
    },
    Family {
        token_type: TokenType::SystemUser,
        config: "[token.it]\ntype = \"system-user\"\naccess_token = { env = \"IT\" }\n",
    },
    Family {
        token_type: TokenType::Instagram,
        config: "[app.insta]\nkind = \"instagram\"\nid = \"1000000000000011\"\n\
                 secret = { env = \"INSTA_SECRET\" }\n\
                 [token.it]\ntype = \"instagram\"\naccess_token = { env = \"IT\" }\n",
    },
    Family {
        token_type: TokenType::Threads,
        config: "[app.threads]\nkind = \"threads\"\nid = \"1000000000000012\"\n\
                 secret = { env = \"THREADS_SECRET\" }\n\
                 [token.it]\ntype = \"threads\"\naccess_token = { env = \"IT\" }\n",
    },
];

impl Family {
    fn fixture(self) -> TokenFixture {
        match self.token_type {
            TokenType::Page => TokenFixture::page(APP, ANNA, BAKERY),
            TokenType::SystemUser => TokenFixture::system_user(APP, ROBOT),
            TokenType::Instagram => TokenFixture::instagram(INSTA_APP, CREATOR),
            TokenType::Threads => TokenFixture::threads(THREADS_APP, CREATOR),
            _ => TokenFixture::user(APP, ANNA),
        }
    }

    /// A world in which `it` was adopted on day 0, and is known to live.
    fn world(self) -> World {
        let spec = self.fixture().named("old").aged(TimeDelta::days(3));
        let world = World::new()
            .config(&format!("[http]\nattempts = 1\n{}", self.config))
            .token("IT", spec);
        let ran = world.run(&["refresh", "--json"]);
        assert_eq!(ran.code, Some(0), "{self:?}: {}", ran.stdout);
        // What is left in the config would be taken again once the one in use is dead.
        let in_use = world.in_use("it");
        world.with("IT", &in_use)
    }
}

/// The error in Meta's form; `debug_token` calls the subcode otherwise.
fn error(code: i64, subcode: Option<i64>, message: &str, subcode_name: &str) -> Value {
    let mut error = json!({"code": code, "message": message, "type": "OAuthException"});
    if let Some(subcode) = subcode {
        error[subcode_name] = json!(subcode);
    }
    error
}

/// Every command of ours that a remedy says to type.
fn commands(remedy: &str) -> Vec<Vec<&str>> {
    let quoted = remedy.split('`').skip(1).step_by(2);
    let ours = quoted.filter_map(|words| words.strip_prefix("metatoken "));
    ours.map(|words| words.split(' ').collect()).collect()
}

/// What stands against a token, but for what needs nobody.
fn reasons(world: &World, label: &str) -> Vec<(String, String)> {
    let token = world.run(&["check", "--json"]).token(label);
    let reasons = token["reasons"].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let counts = |reason: &&Value| reason["severity"] != "unknown";
    reasons
        .iter()
        .filter(counts)
        .map(|reason| (text(&reason["code"]), text(&reason["remedy"])))
        .collect()
}

/// The remedy for the worst of what stands against a token.
fn told(world: &World, label: &str) -> String {
    let ran = world.run(&["check"]);
    let (_, remedy) = reasons(world, label).into_iter().next().unwrap_or_else(|| {
        panic!("nothing stands against `{label}`: {}{}", ran.stdout, ran.stderr)
    });
    remedy
}

/// Types the commands of a remedy, each a minute later, with a new access token where one is asked
/// for; what follows by itself is the next run's.
fn type_it(world: &mut World, remedy: &str, from: Time, fixture: impl Fn() -> TokenFixture) {
    let mut at = from;
    for command in commands(remedy) {
        at += TimeDelta::minutes(1);
        world.at(at);
        let ran = match command[0] {
            "exchange" => {
                let pasted = world.mint(fixture().named("new"));
                world.run_with_input(&command, &pasted)
            }
            _ => world.run(&command),
        };
        let code = ran.code.unwrap();
        let understood = ![64, 65, 70, 74, 78].contains(&code);
        assert!(understood, "`{}` ends with {code}: {}", command.join(" "), ran.stderr);
    }
    if commands(remedy).is_empty() {
        // Nobody has to type anything: the next try comes by itself, after the longest pause at last.
        world.at(at + TimeDelta::hours(7));
        let _ = world.run(&["refresh"]);
    } else {
        world.at(at + TimeDelta::minutes(1));
    }
}

/// Lets a cause stand, and ends it as its remedy says; gives the remedy.
fn ends(family: Family, kind: Kind, code: i64, subcode: Option<i64>, words: &str) -> String {
    let is_the_tokens = kind.is_verdict() || kind.is_held() || kind == OF_THE_LINK.0;
    let mut world = family.world();
    let old = world.in_use("it");
    let refused = json!({"error": error(code, subcode, words, "error_subcode")}).to_string();
    let mut rule = Rule::any();
    if is_the_tokens {
        let inside = error(code, subcode, words, "subcode");
        let dead = json!({"data": {"is_valid": false, "error": inside, "scopes": []}}).to_string();
        if kind != OF_THE_LINK.0 {
            world.graph.misbehave(Rule::on("/debug_token").about(&old), answer(200, &dead));
        }
        rule = rule.about(&old);
    }
    world.graph.misbehave(rule, answer(400, &refused));
    world.at(minute(0, 5));
    let _ = world.run(&["refresh", "it"]);
    world.at(minute(0, 6));
    let stands = reasons(&world, "it");
    let about = format!("{} {kind} ({code}/{subcode:?})", family.token_type);
    let (cause, remedy) = stands.first().unwrap_or_else(|| panic!("{about}: nothing is told"));
    assert_eq!(*cause, kind.as_str(), "{about}: {remedy}");
    let brings_a_new_one = commands(remedy).iter().any(|command| command[0] == "exchange");
    if !(is_the_tokens && brings_a_new_one) {
        world.graph.behave();
    }
    type_it(&mut world, remedy, minute(0, 10), || family.fixture().aged(TimeDelta::days(2)));
    let left: Vec<_> = reasons(&world, "it").into_iter().map(|(code, _)| code).collect();
    assert_eq!(left, [""; 0], "{about}: the remedy was `{remedy}`");
    remedy.clone()
}

/// The causes that Meta may name of this kind of token.
fn told_of(family: Family) -> Vec<String> {
    let hides = matches!(family.token_type, TokenType::Instagram | TokenType::Threads);
    let link = hides.then_some(&OF_THE_LINK);
    let role = (family.token_type == TokenType::Page).then_some(&(
        Kind::RoleLost,
        190,
        Some(492),
        "The user lost the role",
    ));
    let of_the_token = OF_THE_TOKEN.iter().chain(role);
    // The profile is asked with the token alone: its app has no part in it.
    let of_the_question =
        OF_THE_QUESTION.iter().filter(|row| !hides || row.0 != Kind::BadProof).chain(link);
    of_the_token
        .chain(of_the_question)
        .map(|&(kind, code, subcode, words)| ends(family, kind, code, subcode, words))
        .collect()
}

/// Lets a renewal be refused, again and again, of a token that works; ends it as the remedy says.
fn of_a_renewal(family: Family) -> Vec<String> {
    let refused = |&(kind, code, subcode, words): &(Kind, i64, Option<i64>, &str)| {
        let spec = family.fixture().named("old").aged(TimeDelta::days(3));
        let spec = spec.ending(Expiry::At(minute(60, 0)));
        let config = format!("[http]\nattempts = 1\n{}", family.config);
        let mut world = World::new().config(&config).token("IT", spec);
        assert_eq!(world.run(&["refresh"]).code, Some(0), "{family:?}");
        let body = json!({"error": error(code, subcode, words, "error_subcode")}).to_string();
        for renewal in ["/oauth/access_token", "/refresh_access_token"] {
            world.graph.misbehave(Rule::on(renewal), answer(400, &body));
        }
        let about = format!("{} {kind} ({code}/{subcode:?})", family.token_type);
        // The pause after the last of them is the longest.
        for hour in [0, 1, 3, 7, 14, 21] {
            world.at(minute(45, 60 * hour));
            let _ = world.run(&["refresh"]);
        }
        let remedy = told(&world, "it");
        world.graph.behave();
        if matches!(kind, Kind::BadAppCredentials | Kind::BadProof) {
            // What the remedy says, where no answer shows that the secret is right.
            world.set("INSTA_SECRET", "fakecorrected");
            world.set("THREADS_SECRET", "fakecorrected");
        }
        let fresh = || family.fixture().aged(TimeDelta::days(2));
        type_it(&mut world, &remedy, minute(45, 60 * 21 + 10), fresh);
        let left: Vec<_> = reasons(&world, "it").into_iter().map(|(code, _)| code).collect();
        assert_eq!(left, [""; 0], "{about}: the remedy was `{remedy}`");
        remedy
    };
    OF_THE_QUESTION.iter().map(refused).collect()
}

const WITH_A_PARENT: &str = "[http]\nattempts = 1\n[token.brand]\ntype = \"user\"\n\
                             access_token = { env = \"BRAND\" }\n\
                             [token.it]\ntype = \"page\"\nparent = \"brand\"\n\
                             page_id = \"2000000000000001\"\n";

fn parent() -> TokenFixture {
    TokenFixture::user(APP, ANNA).scopes(["public_profile", "pages_show_list"])
}

/// A Page is dead with its parent: the remedy leads to the parent, and the parent's ends both.
fn of_a_parent_that_is_dead() -> Vec<String> {
    let mut world = World::new().config(WITH_A_PARENT).token("BRAND", parent().named("old"));
    assert_eq!(world.run(&["refresh"]).code, Some(0));
    let old = world.in_use("brand");
    world.graph.with(|graph| graph.invalidate(&old, Invalidation::PasswordChanged));
    world.at(minute(2, 5));
    let _ = world.run(&["refresh"]);
    world.at(minute(2, 6));
    let of_the_page = told(&world, "it");
    type_it(&mut world, &of_the_page, minute(2, 7), parent);
    let of_the_parent = told(&world, "brand");
    type_it(&mut world, &of_the_parent, minute(2, 10), parent);
    let _ = world.run(&["refresh"]);
    for label in ["brand", "it"] {
        assert_eq!(reasons(&world, label), [], "{label}");
    }
    vec![of_the_page]
}

/// The person did not tick the Page.
fn of_a_page_that_was_not_ticked() -> Vec<String> {
    let world = World::new().config(WITH_A_PARENT).token("BRAND", parent().named("old"));
    world.graph.with(|graph| graph.list(ANNA, BAKERY, Listing::WithoutToken));
    let mut world = world;
    let _ = world.run(&["refresh"]);
    world.at(minute(0, 5));
    let remedy = told(&world, "it");
    world.graph.with(|graph| graph.list(ANNA, BAKERY, Listing::Listed));
    type_it(&mut world, &remedy, minute(0, 10), parent);
    let _ = world.run(&["refresh"]);
    assert_eq!(reasons(&world, "it"), [], "{remedy}");
    vec![remedy]
}

/// An Instagram token of an hour, and an app without the secret that makes it one of sixty days.
fn of_a_missing_secret() -> Vec<String> {
    let config = FAMILIES[3].config;
    let without = config.replace("secret = { env = \"INSTA_SECRET\" }\n", "");
    let spec = FAMILIES[3].fixture().named("old");
    let spec = spec.ending(Expiry::At(minute(0, 60)));
    let mut world = World::new().config(&without).token("IT", spec);
    let _ = world.run(&["refresh"]);
    world.at(minute(0, 5));
    let remedy = told(&world, "it");
    world.reconfigure(config);
    type_it(&mut world, &remedy, minute(0, 10), || FAMILIES[3].fixture());
    assert_eq!(reasons(&world, "it"), [], "{remedy}");
    vec![remedy]
}

/// A proxy that compresses what it was asked to pass on as it is.
fn of_a_proxy_that_compresses() -> Vec<String> {
    let mut world = FAMILIES[0].world();
    let headers = vec![("Content-Encoding", "gzip".to_owned())];
    let packed = FaultInjection::Raw { status: 200, headers, body: b"\x1f\x8b\x08\x00".to_vec() };
    world.graph.misbehave(Rule::any(), packed);
    world.at(minute(0, 5));
    let _ = world.run(&["refresh", "it"]);
    world.at(minute(0, 6));
    let remedy = told(&world, "it");
    world.graph.behave();
    type_it(&mut world, &remedy, minute(0, 10), || FAMILIES[0].fixture());
    assert_eq!(reasons(&world, "it"), [], "{remedy}");
    vec![remedy]
}

/// Remedies whose causes need another kind of world, and the test that types each.
const TYPED_ELSEWHERE: [(TokenType, Kind, &str); 2] = [
    // No loopback host shows a certificate to the binary; the remedy is typed where TLS is spoken.
    (TokenType::User, Kind::Network, "graph::tests::wire"),
    // The run that finds an app's token dead derives another by itself.
    (TokenType::App, Kind::Expired, "graph::families::app"),
];

/// Every remedy that names a command of ours, for each kind of token and problem that goes together.
fn every_remedy() -> BTreeSet<String> {
    let policy = Policy::default();
    let mut all = BTreeSet::new();
    for token_type in TokenType::ALL {
        let credential = credential("it", *token_type, None);
        let alone = subject(&credential, &policy);
        let brand = super::credential("brand", TokenType::User, None);
        let with_a_parent = page(&credential, &policy, &brand);
        for kind in Kind::ALL {
            let by_config = Some(Action::FixConfiguration).filter(|_| match kind {
                // Where it has no secret, a young token waits for a person.
                Kind::TooYoung => {
                    matches!(token_type, TokenType::Instagram | TokenType::Threads)
                }
                Kind::Unknown | Kind::Network | Kind::MalformedResponse => true,
                _ => false,
            });
            let belongs = *kind != Kind::RoleLost || *token_type == TokenType::Page;
            for action in by_config.into_iter().chain([kind.action()]).filter(|_| belongs) {
                for code in [None, Some(100)] {
                    let problem = Problem { code, ..Problem::new(*kind, "x").with_action(action) };
                    all.insert(remedy(&problem, &alone));
                    if *token_type == TokenType::Page {
                        all.insert(remedy(&problem, &with_a_parent));
                    }
                }
            }
        }
    }
    all.retain(|remedy| !commands(remedy).is_empty());
    all
}

#[test]
fn every_remedy_ends_its_cause_when_it_is_typed() {
    let typed: BTreeSet<String> = std::thread::scope(|scope| {
        let families = FAMILIES.map(|family| scope.spawn(move || told_of(family)));
        let others: [fn() -> Vec<String>; 4] = [
            of_a_parent_that_is_dead,
            of_a_page_that_was_not_ticked,
            of_a_missing_secret,
            of_a_proxy_that_compresses,
        ];
        let others = others.map(|case| scope.spawn(case));
        let renewed = FAMILIES.into_iter().filter(|it| it.token_type != TokenType::Page);
        let renewals: Vec<_> =
            renewed.map(|family| scope.spawn(move || of_a_renewal(family))).collect();
        families
            .into_iter()
            .chain(others)
            .chain(renewals)
            .flat_map(|case| case.join().unwrap())
            .collect()
    });
    let policy = Policy::default();
    let elsewhere: BTreeSet<String> = TYPED_ELSEWHERE
        .iter()
        .map(|(token_type, kind, _)| {
            let credential = credential("it", *token_type, None);
            let problem = Problem::new(*kind, "x");
            let problem = match kind {
                Kind::Network => problem.with_action(Action::FixConfiguration),
                _ => problem,
            };
            remedy(&problem, &subject(&credential, &policy))
        })
        .collect();
    let all = every_remedy();
    let untyped: Vec<_> = all.difference(&typed).filter(|it| !elsewhere.contains(*it)).collect();
    assert_eq!(untyped, [""; 0], "no case types these");
}
