//! Every remedy that names a command, typed in a world where its cause stands: the cause ends.
//!
//! Meta says in each world what the cause is, `check` tells the remedy, a person does what it says
//! outside of metatoken, and the commands are typed as they stand there. A remedy that no case has
//! typed fails the test.

mod everywhere;
mod of_getting_in;
mod of_sources;
mod of_targets;
mod of_the_config;
mod of_the_machine;
mod of_the_store;

use std::collections::{BTreeSet, HashSet};

use chrono::TimeDelta;
use metatoken::policy::{Policy, ROWS, Remedy, RemedyKind, RemedyRow, remedy};
use metatoken::sandbox::{AppFixture, FaultInjection, Invalidation, Listing, Rule, TokenFixture};
use metatoken::token::{Action, Expiry, Problem, ProblemKind as Kind, Time, TokenType};
use serde_json::{Value, json};

use super::{credential, page, string, subject};
use crate::common::brand::{answer, minute};
use crate::common::{
    ANNA, APP, BAKERY, CREATOR, INSTA_APP, ROBOT, THREADS_APP, World, agree, day, measure,
};

/// An app that no world has from the first.
const OTHER_APP: &str = "1000000000000002";

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

    /// A world in which `it` was adopted on day 0, and is known to live; and its access token.
    fn world(self) -> (World, String) {
        let spec = self.fixture().named("old").aged(TimeDelta::days(3));
        let world = World::new()
            .config(&format!("[http]\nattempts = 1\n{}", self.config))
            .token("IT", spec);
        let ran = world.run(&["refresh", "--json"]);
        assert_eq!(ran.code, Some(0), "{self:?}: {}", ran.stdout);
        // What is left in the config would be taken again once the one in use is dead.
        let in_use = world.in_use("it");
        (world.with("IT", &in_use), in_use)
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

/// A cause as `check` gives it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Told {
    code: String,
    /// What to do about it.
    remedy: String,
    /// The command of that; empty where there is none.
    command: String,
}

impl Told {
    fn of(reason: &Value) -> Self {
        let text = |key: &str| reason[key].as_str().unwrap_or_default().to_owned();
        Self { code: text("code"), remedy: text("remedy"), command: text("command") }
    }

    /// Reads it off the report of a run, below the cause that is worded so.
    fn below(report: &str, cause: &str) -> Self {
        let (_, rest) = report.split_once(cause).unwrap_or_else(|| panic!("{report}"));
        let remedy = rest.split_once("\n  hint: ").and_then(|(_, hint)| hint.lines().next());
        let remedy = Remedy::from(remedy.unwrap_or_default());
        Self { code: cause.to_owned(), command: remedy.command, remedy: remedy.step }
    }

    /// The words of the command behind its name.
    fn words(&self) -> Vec<&str> {
        self.command.split(' ').skip(1).collect()
    }
}

/// A remedy that was followed to its end, as it was printed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Done(String);

/// Types a line into a shell; whether it ended well.
fn shell(line: &str) -> bool {
    std::process::Command::new("sh").args(["-c", line]).status().unwrap().success()
}

/// Every cause that counts in a list of them.
fn causes(reasons: &Value) -> impl Iterator<Item = Told> {
    let counts = |reason: &&Value| reason["severity"] != "unknown";
    reasons.as_array().unwrap().iter().filter(counts).map(Told::of)
}

/// What stands against a token, but for what needs nobody.
fn reasons(world: &World, label: &str) -> Vec<Told> {
    causes(&world.run(&["check", "--json"]).token(label)["reasons"]).collect()
}

/// The codes of what stands against a token, but for what needs nobody.
fn codes(world: &World, label: &str) -> Vec<String> {
    reasons(world, label).into_iter().map(|told| told.code).collect()
}

/// The worst of what stands against a token.
fn told(world: &World, label: &str) -> Told {
    let ran = world.run(&["check"]);
    measure(&ran);
    reasons(world, label)
        .into_iter()
        .next()
        .unwrap_or_else(|| panic!("nothing stands against `{label}`: {}{}", ran.stdout, ran.stderr))
}

/// Types the command of a remedy, a minute later, with a new access token where one is asked for; what
/// follows by itself is the next run's.
fn type_it(world: &mut World, told: &Told, from: Time, fixture: impl Fn() -> TokenFixture) {
    // What only a person knows: which Page it is, and what it is to be called.
    let named = |word| match word {
        "PAGE" => "bakery",
        "ID" => BAKERY,
        other => other,
    };
    let words: Vec<&str> = told.words().into_iter().map(named).collect();
    if words.is_empty() {
        // Nobody has to type anything: the next try comes by itself, after the longest pause at last.
        world.at(from + TimeDelta::hours(7));
        let _ = world.run(&["refresh"]);
        return;
    }
    world.at(from + TimeDelta::minutes(1));
    let ran = match words[0] {
        "exchange" => {
            let pasted = world.mint(fixture().named("new"));
            world.run_with_input(&words, &pasted)
        }
        "login" => world.logs_in(&words),
        // Without a terminal a person agrees by an option.
        "revoke" => world.run(&[&words[..], &[&format!("--yes={}", words[1])]].concat()),
        _ => world.run(&words),
    };
    let code = ran.code.unwrap();
    let understood = ![64, 65, 70, 74, 78].contains(&code);
    assert!(understood, "`{}` exited with {code}: {}", told.command, ran.stderr);
    world.at(from + TimeDelta::minutes(2));
}

/// Lets a cause stand, and ends it as its remedy says; gives the remedy.
fn ends(family: Family, kind: Kind, code: i64, subcode: Option<i64>, words: &str) -> Told {
    let is_the_tokens = kind.is_verdict() || kind.is_held() || kind == OF_THE_LINK.0;
    let (mut world, old) = family.world();
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
    let ran = world.run(&["refresh", "it"]);
    agree(&ran, &world.run(&["check", "--tokens"]));
    world.at(minute(0, 6));
    let stands = reasons(&world, "it");
    let about = format!("{} {kind} ({code}/{subcode:?})", family.token_type);
    let told = stands.first().unwrap_or_else(|| panic!("{about}: nothing is told"));
    assert_eq!(told.code, kind.as_str(), "{about}: {told:?}");
    let brings_a_new_one = matches!(told.words().first(), Some(&"exchange" | &"login"));
    if !(is_the_tokens && brings_a_new_one) {
        world.graph.behave();
    }
    type_it(&mut world, told, minute(0, 10), || family.fixture().aged(TimeDelta::days(2)));
    assert_eq!(codes(&world, "it"), [""; 0], "{about}: {told:?}");
    told.clone()
}

/// The causes that Meta may name of this kind of token.
fn told_of(family: Family) -> Vec<Told> {
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
fn of_a_renewal(family: Family) -> Vec<Told> {
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
        for hour in [0, 1, 3, 7, 14] {
            world.at(minute(45, 60 * hour));
            let _ = world.run(&["refresh"]);
        }
        world.at(minute(45, 60 * 21));
        agree(&world.run(&["refresh"]), &world.run(&["check", "--tokens"]));
        let told = told(&world, "it");
        world.graph.behave();
        if matches!(kind, Kind::BadAppCredentials | Kind::BadProof) {
            // What the remedy says, where no answer shows that the secret is right.
            world.set("INSTA_SECRET", "fakecorrected");
            world.set("THREADS_SECRET", "fakecorrected");
        }
        let fresh = || family.fixture().aged(TimeDelta::days(2));
        type_it(&mut world, &told, minute(45, 60 * 21 + 10), fresh);
        assert_eq!(codes(&world, "it"), [""; 0], "{about}: {told:?}");
        told
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

/// A Page is dead with its parent: its remedy is the parent's, and ends both.
fn of_a_parent_that_is_dead() -> Vec<Told> {
    let mut world = World::new().config(WITH_A_PARENT).token("BRAND", parent().named("old"));
    assert_eq!(world.run(&["refresh"]).code, Some(0));
    let old = world.in_use("brand");
    world.graph.with(|graph| graph.invalidate(&old, Invalidation::PasswordChanged));
    world.at(minute(2, 5));
    let _ = world.run(&["refresh"]);
    world.at(minute(2, 6));
    let of_the_page = told(&world, "it");
    assert_eq!(of_the_page.command, told(&world, "brand").command);
    type_it(&mut world, &of_the_page, minute(2, 7), parent);
    let _ = world.run(&["refresh"]);
    for label in ["brand", "it"] {
        assert_eq!(reasons(&world, label), [], "{label}");
    }
    vec![of_the_page]
}

/// The person did not tick the Page.
fn of_a_page_that_was_not_ticked() -> Vec<Told> {
    let world = World::new().config(WITH_A_PARENT).token("BRAND", parent().named("old"));
    world.graph.with(|graph| graph.list(ANNA, BAKERY, Listing::WithoutToken));
    let mut world = world;
    let _ = world.run(&["refresh"]);
    world.at(minute(0, 5));
    let told = told(&world, "it");
    world.graph.with(|graph| graph.list(ANNA, BAKERY, Listing::Listed));
    type_it(&mut world, &told, minute(0, 10), parent);
    let _ = world.run(&["refresh"]);
    assert_eq!(reasons(&world, "it"), [], "{told:?}");
    vec![told]
}

/// A token of an hour, and an app without the secret that makes it one of sixty days.
fn of_a_missing_secret() -> Vec<Told> {
    let user = "[app.other]\nid = \"1000000000000002\"\nsecret = { env = \"OTHER_SECRET\" }\n\
                [token.it]\ntype = \"user\"\napp = \"other\"\naccess_token = { env = \"IT\" }\n";
    vec![
        lacking(user, "OTHER_SECRET", || TokenFixture::user(OTHER_APP, ANNA)),
        lacking(FAMILIES[3].config, "INSTA_SECRET", || FAMILIES[3].fixture()),
        lacking(FAMILIES[4].config, "THREADS_SECRET", || FAMILIES[4].fixture()),
    ]
}

fn lacking(config: &str, secret: &str, fixture: fn() -> TokenFixture) -> Told {
    let without = config.replace(&format!("secret = {{ env = \"{secret}\" }}\n"), "");
    let spec = fixture().named("old").ending(Expiry::At(minute(0, 60)));
    let world = World::new().config(&without).with("OTHER_SECRET", "othersecret");
    let other = AppFixture::new(OTHER_APP, "othersecret", "Other App");
    world.graph.with(|graph| graph.add_app(other));
    let mut world = world.token("IT", spec);
    let _ = world.run(&["refresh"]);
    world.at(minute(0, 5));
    let told = told(&world, "it");
    world.reconfigure(config);
    type_it(&mut world, &told, minute(0, 10), fixture);
    assert_eq!(reasons(&world, "it"), [], "{told:?}");
    told
}

/// A login that needs a secret which the app does not have yet.
fn of_a_login_without_a_secret() -> Vec<Told> {
    let secrets = [(FAMILIES[3], "INSTA_SECRET"), (FAMILIES[4], "THREADS_SECRET")];
    let told = |(family, secret): (Family, &str)| {
        let line = format!("secret = {{ env = \"{secret}\" }}\n");
        let config = format!("[http]\nattempts = 1\n{}", family.config);
        let spec = family.fixture().named("old").aged(TimeDelta::days(3));
        let mut world = World::new().config(&config.replace(&line, "")).token("IT", spec);
        let _ = world.run(&["refresh"]);
        let old = world.in_use("it");
        world.graph.with(|graph| graph.invalidate(&old, Invalidation::PasswordChanged));
        world.at(minute(2, 0));
        let _ = world.run(&["refresh"]);
        world.at(minute(2, 5));
        let told = told(&world, "it");
        // Typed before the step is done, it names the same step.
        let early = world.run(&["login", "it", "--print-url"]).code(78).stderr;
        assert!(early.contains("add `secret` to"), "{early}");
        world.reconfigure(&config);
        type_it(&mut world, &told, minute(2, 10), || family.fixture());
        assert_eq!(reasons(&world, "it"), [], "{told:?}");
        told
    };
    secrets.into_iter().map(told).collect()
}

/// An import that was killed before Meta answered: the same file is imported again.
fn of_an_import_that_was_killed() -> Vec<Told> {
    let mut world = World::new();
    let short = FAMILIES[0].fixture().ending(Expiry::At(minute(0, 60)));
    let row = format!("label,type,access_token\nit,user,{}\n", world.mint(short));
    world.write("tokens.csv", row);
    world.killed_at("before-request", &["import", "tokens.csv"], "");
    let _ = world.run(&["refresh"]).code(77);
    let told = told(&world, "it");
    let folder = world.path("").display().to_string();
    let typed = Told { command: told.command.replace("[DIR]/", &folder), ..told.clone() };
    type_it(&mut world, &typed, minute(0, 10), || FAMILIES[0].fixture());
    assert_eq!(reasons(&world, "it"), [], "{told:?}");
    vec![told]
}

/// A proxy that compresses what it was asked to pass on as it is.
fn of_a_proxy_that_compresses() -> Vec<Told> {
    let (mut world, _) = FAMILIES[0].world();
    let headers = vec![("Content-Encoding", "gzip".to_owned())];
    let packed = FaultInjection::Raw { status: 200, headers, body: b"\x1f\x8b\x08\x00".to_vec() };
    world.graph.misbehave(Rule::any(), packed);
    world.at(minute(0, 5));
    let _ = world.run(&["refresh", "it"]);
    world.at(minute(0, 6));
    let told = told(&world, "it");
    world.graph.behave();
    type_it(&mut world, &told, minute(0, 10), || FAMILIES[0].fixture());
    assert_eq!(reasons(&world, "it"), [], "{told:?}");
    vec![told]
}

/// Remedies whose causes need another kind of world, and the test that types each.
const TYPED_ELSEWHERE: [(TokenType, Kind, &str); 2] = [
    // No loopback host shows a certificate to the binary; the remedy is typed where TLS is spoken.
    (TokenType::User, Kind::Network, "graph::tests::wire"),
    // The run that finds an app's token dead derives another by itself.
    (TokenType::App, Kind::Expired, "graph::families::app"),
];

/// Rows whose command no case types, and why.
const ROWS_NOT_TYPED: [(RemedyKind, &str); 2] = [
    (RemedyKind::Certificate, "typed where TLS is spoken: graph::tests::wire"),
    (RemedyKind::Parent, "it shows what the parent lacks, whose own remedy ends it"),
];

/// Whether a remedy was made of this row: the words of the row stand in it, in their order.
fn is_made_of(row: &RemedyRow, remedy: &str) -> bool {
    let template = row.filled("", str::to_owned).to_string();
    let mut words = template.split(['{', '}']).step_by(2);
    let Some(mut rest) = words.next().and_then(|first| remedy.strip_prefix(first)) else {
        return false;
    };
    for word in words {
        let Some(at) = rest.find(word) else { return false };
        rest = &rest[at + word.len()..];
    }
    rest.is_empty() || template.ends_with('}')
}

/// The step of a remedy without the names of this app and this file.
fn shape(remedy: &str) -> String {
    let step = remedy.split(". ").next().unwrap_or_default();
    let mut text = step.replace("[DIR]/", "").replace(&format!("Page {BAKERY}"), "the Page");
    let apps =
        [("main", APP), ("insta", INSTA_APP), ("threads", THREADS_APP), ("other", OTHER_APP)];
    for (name, id) in apps {
        text = text.replace(&format!(" ({id})"), "");
        text = text.replace(&format!("[app.{name}]"), "[app]");
        text = text.replace(&format!("app `{name}`"), "the app");
    }
    text
}

/// Every remedy that names a command of ours, for each kind of token and problem that goes together.
fn every_remedy() -> BTreeSet<String> {
    let policy = Policy::default();
    let mut all = HashSet::new();
    for token_type in TokenType::ALL {
        let works = || Some(string(Expiry::At(day(60)), day(0)));
        let credential = credential("it", *token_type, works());
        let alone = subject(&credential, &policy);
        let brand = super::credential("brand", TokenType::User, works());
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
    let typed = all.iter().filter(|it| !it.command.is_empty());
    typed.map(|it| shape(&it.to_string())).collect()
}

#[test]
fn every_remedy_ends_its_cause_when_it_is_typed() {
    let typed: BTreeSet<Told> = std::thread::scope(|scope| {
        let families = FAMILIES.map(|family| scope.spawn(move || told_of(family)));
        let others: [fn() -> Vec<Told>; 6] = [
            of_an_import_that_was_killed,
            of_a_parent_that_is_dead,
            of_a_page_that_was_not_ticked,
            of_a_missing_secret,
            of_a_login_without_a_secret,
            of_a_proxy_that_compresses,
        ];
        let others = others.into_iter().chain(of_the_config::CASES).chain(of_sources::CASES);
        let others: Vec<_> = others.map(|case| scope.spawn(case)).collect();
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
            let works = string(Expiry::At(day(60)), day(0));
            let credential = credential("it", *token_type, Some(works));
            let problem = Problem::new(*kind, "x");
            let problem = match kind {
                Kind::Network => problem.with_action(Action::FixConfiguration),
                _ => problem,
            };
            shape(&remedy(&problem, &subject(&credential, &policy)).to_string())
        })
        .collect();
    let remedies: BTreeSet<String> = typed.iter().map(|told| told.remedy.clone()).collect();
    let all = every_remedy();
    let shapes: BTreeSet<String> = remedies.iter().map(|it| shape(it)).collect();
    let left_out = |row: &&RemedyRow| ROWS_NOT_TYPED.iter().any(|(kind, _)| *kind == row.kind);
    let is_left_out =
        |remedy: &&String| ROWS.iter().filter(left_out).any(|row| is_made_of(row, remedy));
    let untyped = all.difference(&shapes).filter(|it| !elsewhere.contains(*it) && !is_left_out(it));
    assert_eq!(untyped.collect::<Vec<_>>(), [""; 0], "no case types these");
    let is_typed = |row: &&RemedyRow| remedies.iter().any(|remedy| is_made_of(row, remedy));
    for row in ROWS.iter().filter(|row| !row.command.is_empty() && !left_out(row)) {
        assert!(is_typed(&row), "no case types the row {:?}", row.kind);
    }
}
