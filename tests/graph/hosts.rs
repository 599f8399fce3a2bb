//! Meta's hosts: one that is down says nothing of the others.

use std::fmt::Write as _;

use chrono::TimeDelta;
use metatoken::exit::Exit;
use metatoken::sandbox::{FaultInjection, Rule, TokenFixture};
use metatoken::token::Provider;

use crate::common::brand::{creator, user};
use crate::common::{BRAND, CREATOR, THREADS_APP, World, day, ends};

const THREADS: &str = r#"
[app.threads]
kind = "threads"
id = "1000000000000012"
secret = { env = "THREADS_SECRET" }

[token.notes]
type = "threads"
access_token = { env = "NOTES" }
"#;

/// While Threads was down, a Facebook token was held back until it died.
#[test]
fn a_host_out_of_reach_holds_back_no_other() {
    for threads in [1, 8] {
        let config = format!("[http]\nattempts = 1\nconcurrency = {threads}\n{THREADS}{BRAND}");
        let notes = TokenFixture::threads(THREADS_APP, CREATOR).named("notes");
        let mut world = World::new()
            .config(&config)
            .token("BRAND", user())
            .token("NOTES", notes.aged(TimeDelta::days(5)));
        world.run(&["refresh"]).exit(Exit::Ok);
        world.graph.misbehave(Rule::any().at(Provider::Threads), FaultInjection::CloseBeforeAnswer);
        world.at(day(45));
        world.run(&["refresh"]).stdout("
TOKEN  OUTCOME    EXPIRES     REASON
notes  failed     2026-02-25  network
brand  refreshed  2026-04-16  expires in 15 days (renewal window: 20 days)

critical: `notes`: not checked since 2026-01-01, no answer from Graph for more than 7 days (`checked_within`)
  hint: run `metatoken refresh -v` to see why Graph was not reached
warning: `notes`: not checked since 2026-01-01, renewal failed: the connection to `127.0.0.1` broke: connection closed before message completed
  hint: no action tonight: it is retried by each run until 2026-02-22. If this is still here then, the person behind the token logs in to the Threads app again: run `metatoken login notes`

2 tokens: 1 refreshed, 1 failed
").stderr("").exit(Exit::Unavailable);
    }
}

/// Three answers of «down» from Instagram, and Facebook was not asked any more.
#[test]
fn a_host_that_says_it_is_down_holds_back_no_other() {
    let mut config = "[http]\nattempts = 1\nconcurrency = 1\n[app.insta]\nkind = \"instagram\"\nid = \"1000000000000011\"\nsecret = { env = \"INSTA_SECRET\" }\n".to_owned();
    let mut world = World::new();
    for label in ["ia", "ib", "ic"] {
        let variable = label.to_uppercase();
        let _ = write!(
            config,
            "[token.{label}]\ntype = \"instagram\"\naccess_token = {{ env = \"{variable}\" }}\n"
        );
        world = world.token(&variable, creator().named(label).aged(TimeDelta::days(3)));
    }
    // Facebook's ends last, so its turn comes last.
    let mut world = world.config(&(config + BRAND)).token("BRAND", user().ending(ends(64)));
    world.run(&["refresh"]).exit(Exit::Ok);
    world.graph.misbehave(Rule::any().at(Provider::Instagram), FaultInjection::Code2Transient);
    world.at(day(45));
    world.calls();
    let ran = world.run(&["refresh", "--json"]).exit(Exit::Unavailable);
    let outcomes = ran.outcomes();
    let outcomes: Vec<&str> = outcomes.values().map(String::as_str).collect();
    assert_eq!(outcomes, ["refreshed", "failed", "failed", "skipped"], "brand, ia, ib and ic");
    assert_eq!(
        world.calls(),
        [
            "instagram/refresh_access_token Ia",
            "instagram/me Ia",
            "instagram/refresh_access_token Ib",
            "oauth/access_token Brand",
            "debug_token Brand",
        ]
    );
}
