//! A Graph that answers wrongly in every way it can, and channels that fail.

use std::time::Duration;

use chrono::TimeDelta;
use metatoken::sandbox::{FaultInjection, Invalidation, Rule, Scenario};

use crate::world::World;
use crate::recorder::Answer;
use crate::{Length, Plan};

/// What a call is answered with, by name.
fn misbehaviours() -> Vec<(&'static str, FaultInjection)> {
    let raw = |status, name, value: &str, body: &str| FaultInjection::Raw {
        status,
        headers: vec![(name, value.to_owned())],
        body: body.as_bytes().to_vec(),
    };
    vec![
        ("html", FaultInjection::Html),
        ("nothing", FaultInjection::Nothing),
        ("null", FaultInjection::Null),
        ("huge", FaultInjection::Huge(5_000_000)),
        ("slow", FaultInjection::Slow(Duration::from_micros(10))),
        ("closed-before", FaultInjection::CloseBeforeAnswer),
        ("closed-after", FaultInjection::CloseAfterEffect),
        ("status-500", FaultInjection::Status(500)),
        ("code-2", FaultInjection::Code2Transient),
        ("throttled", FaultInjection::Throttled),
        ("user-throttled", FaultInjection::UserThrottled),
        ("clock", FaultInjection::WrongDate(TimeDelta::days(3))),
        ("redirect", raw(302, "Location", "http://127.0.0.1:1/", "")),
        ("too-many", raw(429, "Retry-After", "30", "slow down")),
        ("list", raw(200, "Content-Type", "application/json", "[1,2]")),
        ("cut", raw(200, "Content-Type", "application/json", "{\"data\":{\"is_valid\":tr")),
    ]
}

/// One world for each.
pub(crate) fn plans(length: Length) -> Vec<Plan> {
    let mut all = misbehaviours();
    if length == Length::Short {
        all.retain(|(name, _)| ["html", "closed-after", "throttled"].contains(name));
    }
    let mut plans: Vec<Plan> = all
        .into_iter()
        .map(|(name, what)| Plan::new(format!("graph-{name}"), move |world| suffer(world, &what)))
        .collect();
    let channel = |&(name, table): &(&str, &'static str)| {
        Plan::new(format!("channel-{name}"), move |world| tell(world, table))
    };
    plans.extend(CHANNELS.iter().map(channel));
    plans
}

fn suffer(world: &mut World, what: &FaultInjection) -> anyhow::Result<()> {
    // The waits between tries are real ones.
    world.with_graph(Scenario::Healthy, "")?;
    let path = world.path("metatoken.toml");
    let config = std::fs::read_to_string(path)?;
    let config = config.replace("concurrency = 1\n", "concurrency = 1\nattempts = 2\n");
    world.write("metatoken.toml", &config)?;
    world.graph()?.misbehave(Rule::any().times(3), what.clone());
    world.run("refresh -v")?;
    world.graph()?.behave();
    world.run("refresh --json")?;
    for (days, endpoint) in [(41, "/oauth/access_token"), (42, "/debug_token"), (43, "/me")] {
        world.at(TimeDelta::days(days))?;
        world.graph()?.misbehave(Rule::on(endpoint).times(2), what.clone());
        world.run("refresh -v")?;
        world.run("status brand --live --json")?;
        world.run("check --live")?;
        world.graph()?.behave();
    }
    world.at(TimeDelta::days(44))?;
    world.run("refresh")?;
    world.run("check --json")?;
    world.run("history --json --limit 1000")?;
    Ok(())
}

/// One channel a world: several are served at the same time, and fail in any order.
const CHANNELS: [(&str, &str); 7] = [
    ("chat", "webhook = \"http://[HOOK]/chat\"\n"),
    ("json", "webhook = \"http://[HOOK]/json\"\nformat = \"json\"\nlabels = [\"brand*\"]\n"),
    ("ping", "ping = \"http://[HOOK]/ping\"\n"),
    ("failing", "command = [\"/bin/sh\", \"-c\", \"echo it did not work >&2; exit 3\"]\n"),
    ("absent", "command = [\"/nonexistent/program\"]\n"),
    (
        "mail",
        "email = [\"ops@example.org\", \"anna@brand.example\"]\nfrom = \"m <m@example.org>\"\n\
              smtp = { host = \"127.0.0.1\", port = [MAIL], security = \"none\" }\n",
    ),
    (
        "no-mail",
        "email = \"ops@example.org\"\nfrom = \"m <m@example.org>\"\n\
                 smtp = { host = \"127.0.0.1\", port = 1, security = \"none\" }\n",
    ),
];

fn tell(world: &mut World, table: &str) -> anyhow::Result<()> {
    world.with_graph(Scenario::Healthy, &format!("\n[[notify]]\nname = \"it\"\n{table}"))?;
    world.run("refresh")?;
    for (day, status) in [(1, 200), (2, 500), (3, 404), (4, 429), (5, 200), (8, 200)] {
        world.at(TimeDelta::days(day))?;
        world.hook_answers(Answer::With(status, "words of the server"));
        let string = world.in_use("brand")?;
        let death =
            if day % 2 == 1 { Invalidation::PasswordChanged } else { Invalidation::Checkpoint };
        world.graph()?.with(|graph| graph.invalidate(&string, death));
        world.run("refresh")?;
        world.run("check --notify")?;
        world.run("check --json")?;
        world.graph()?.with(|graph| graph.revive(&string));
        world.run("refresh -v")?;
        world.run("history --failed --json")?;
    }
    world.hook_answers(Answer::With(200, "ok"));
    Ok(())
}
