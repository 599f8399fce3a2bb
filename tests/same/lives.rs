//! Every scenario, step by step: runs that renew and deliver, and every command in every format.
//!
//! On the way people change passwords, paste new access tokens and edit files, and Graph fails.

use std::fmt::Write as _;

use chrono::TimeDelta;
use metatoken::sandbox::{FaultInjection, Invalidation, OldString, Rule, Scenario, TokenFixture};
use metatoken::token::Expiry;

use crate::world::World;
use crate::{Length, Plan};

/// How long passes from one step to the next, in hours, over and over.
const HOURS: [i64; 10] = [24, 24, 6, 25, 48, 24, 1, 72, 23, 24];

const REFRESH: [&str; 12] = [
    "refresh",
    "refresh --json",
    "refresh -v",
    "refresh --dry-run",
    "refresh --scheduled --quiet",
    "refresh -vv --log-format json",
    "refresh [LABEL]",
    "refresh --force [LABEL]",
    "refresh --dry-run --json",
    "refresh -vv",
    "refresh --force [LABEL] --json",
    "refresh [LABEL] nobody*",
];
const CHECK: [&str; 20] = [
    "check",
    "check --format http",
    "check --format http --detail --fail-on warning",
    "report --html -",
    "check --json",
    "check --format prometheus",
    "check --format github",
    "check --live",
    "check --tokens",
    "check --system",
    "check --perfdata all",
    "check --perfdata none",
    "check --textfile [DIR]/typed.prom",
    "check --notify",
    "check --quiet",
    "check -v",
    "check [LABEL]",
    "check --live --json",
    "check --system --json",
    "check --notify --json",
];
const STATUS: [&str; 12] = [
    "status --offline",
    "status",
    "status --json",
    "status --live",
    "status --live --json",
    "status --offline --json",
    "status --due",
    "status --problems --json",
    "status --exit-code",
    "status [LABEL]",
    "status --offline --quiet",
    "status --token-file [DIR]/pasted",
];
const HISTORY: [&str; 10] = [
    "history",
    "history --json",
    "history --format csv",
    "history --limit 3",
    "history --since 5d",
    "history --since 2026-01-10 --json",
    "history --failed",
    "history --summary",
    "history --summary --json",
    "history [LABEL] --limit 1000",
];
const DELIVER: [&str; 8] = [
    "deliver",
    "deliver --test",
    "deliver --json",
    "deliver --force [LABEL]",
    "deliver --test --json",
    "deliver --restore [LABEL]",
    "deliver [LABEL] -v",
    "deliver --scheduled --quiet",
];

/// Commands that every format and every option of the log is tried with.
const EVERYTHING: [&str; 12] = [
    "status",
    "status --offline",
    "refresh --dry-run",
    "exchange --stored --dry-run",
    "exchange [LABEL] --dry-run",
    "deliver --test",
    "history",
    "check",
    "token [LABEL]",
    "token nobody",
    "config check",
    "config show",
];
const FORMS: [&str; 13] = [
    "--format table",
    "--format json",
    "--format csv",
    "--format nagios",
    "--format prometheus",
    "--format github",
    "--json --format csv",
    "--quiet",
    "-v",
    "-vv",
    "-vv --log-format json",
    "--log-format json",
    "--color always",
];

/// What the config of the scenario requires, and more.
const SCOPES: [&str; 4] =
    ["public_profile", "pages_show_list", "pages_read_engagement", "pages_manage_posts"];

/// Files that applications read, with `@` for the value.
const FILES: [(&str, &str, &str, &str); 6] = [
    ("app.ini", "facebook.token", "", "; mine\n[facebook]\npage = 1\ntoken =  @  ; kept\n"),
    ("web.env", "FB_TOKEN", "write = \"in-place\"\n", "# a comment\nexport FB_TOKEN='@'\nX=y\n"),
    ("app.json", "meta.accounts.0", "", "{\"b\":1.0,\t\"meta\" : {\"accounts\":[\"@\"]},\"a\":[]}"),
    ("app.yaml", "meta.token", "write = \"in-place\"\n", "meta:\n    token: \"@\"   # kept\n...\n"),
    ("app.toml", "meta.token", "name = \"toml\"\n", "[meta]\ntoken = '@' # kept\nx=1\n"),
    ("raw", "", "", "@\n"),
];

/// One of each scenario that has a token, with targets and channels beside its own config.
pub(crate) fn plans(length: Length) -> Vec<Plan> {
    let live = |scenario| {
        Plan::new(format!("life-{scenario}"), move |world| {
            Life::begin(world, scenario)?.live(length)
        })
    };
    Scenario::ALL.into_iter().filter(|it| *it != Scenario::Empty).map(live).collect()
}

/// The token whose life is the most eventful.
pub(crate) const fn label(scenario: Scenario) -> &'static str {
    match scenario {
        Scenario::Troubles => "editor",
        _ => "brand",
    }
}

/// Targets for a label, in every format and both ways to write, and a program.
pub(crate) fn targets(world: &World, label: &str, value: &str) -> anyhow::Result<String> {
    let mut tables = String::new();
    for (file, key, more, text) in FILES {
        world.write(&format!("apps/{file}"), &text.replace('@', value))?;
        let key = if key.is_empty() { String::new() } else { format!("key = \"{key}\"\n") };
        let _ = write!(tables, "[[token.{label}.deliver]]\nfile = \"apps/{file}\"\n{key}{more}\n");
    }
    let _ = write!(
        tables,
        "[[token.{label}.deliver]]\nfile = \"apps/new.env\"\nkey = \"NEW\"\ncreate = true\n\n\
         [[token.{label}.deliver]]\nname = \"hook\"\n\
         command = [\"/bin/sh\", \"[DIR]/hook.sh\", \"an argument\"]\n\n\
         [[token.{label}.deliver]]\nfile = \"apps/late.env\"\nkey = \"LATE\"\n\n"
    );
    let script = "{ echo \"$@\"; env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= | sort; cat; echo; } \
                  >> [DIR]/hook.txt\n";
    world.write("hook.sh", &world.filled_in(script))?;
    Ok(tables)
}

/// Channels of every kind.
pub(crate) const CHANNELS: &str = "
[[notify]]
name = \"chat\"
webhook = \"http://[HOOK]/chat\"

[[notify]]
name = \"program\"
webhook = \"http://[HOOK]/json\"
format = \"json\"

[[notify]]
name = \"lines\"
command = [\"/bin/sh\", \"-c\", \"cat >> '[DIR]/lines.txt'\"]
events = [\"critical\", \"recovered\"]

[[notify]]
ping = \"http://[HOOK]/ping\"
";

struct Life<'a> {
    world: &'a mut World,
    scenario: Scenario,
    label: &'static str,
}

impl<'a> Life<'a> {
    fn begin(world: &'a mut World, scenario: Scenario) -> anyhow::Result<Self> {
        let label = label(scenario);
        world.with_graph(scenario, "")?;
        let targets = targets(world, label, "YOUR-KEY-HERE")?;
        let path = world.path("metatoken.toml");
        let mut config = std::fs::read_to_string(path)?;
        let textfile = "textfile = \"[DIR]/metrics.prom\"\n";
        if scenario == Scenario::Ending {
            config = config.replace("[alerts]\n", &format!("[alerts]\n{textfile}"));
        } else {
            let _ = write!(config, "\n[alerts]\nrun_every = \"1d\"\n{textfile}");
        }
        let config = world.filled_in(&format!("{config}\n{targets}{CHANNELS}"));
        world.write("metatoken.toml", &config)?;
        world.write("pasted", "EAAFAKESomebody1\n")?;
        Ok(Self { world, scenario, label })
    }

    fn live(mut self, length: Length) -> anyhow::Result<()> {
        self.run("check")?;
        self.run("status --json")?;
        self.run("token [LABEL]")?;
        self.run("history")?;
        let mut hours = 0;
        for step in 0..length.steps() {
            self.world.at(TimeDelta::hours(hours))?;
            hours += HOURS[step % HOURS.len()];
            // The short life meets what the whole one does, without the days between.
            let scene = step * Length::Whole.steps() / length.steps();
            self.happen(scene)?;
            for table in [&REFRESH[..], &CHECK, &STATUS, &HISTORY, &DELIVER] {
                self.run(table[step % table.len()])?;
            }
            self.run(CHECK[(step + CHECK.len() / 2) % CHECK.len()])?;
            self.run("token [LABEL]")?;
            if step == 1 || (length == Length::Whole && step == 41) {
                self.everything()?;
            }
        }
        Ok(())
    }

    fn run(&mut self, arguments: &str) -> anyhow::Result<()> {
        let arguments = self.world.filled_in(&arguments.replace("[LABEL]", self.label));
        self.world.run(&arguments).map(drop)
    }

    fn everything(&mut self) -> anyhow::Result<()> {
        for command in EVERYTHING {
            for form in FORMS {
                self.run(&format!("{command} {form}"))?;
            }
        }
        Ok(())
    }

    /// What people and Graph do before a step of the whole life. The short life sees every fifth
    /// step.
    fn happen(&mut self, scene: usize) -> anyhow::Result<()> {
        match scene {
            // Until now all was well but for the file that was not there.
            5 => self.edit("apps/late.env", "LATE=\n")?,
            8 => self.edit("apps/app.ini", "[facebook]\ntoken = EAAforeign00000000000000000\n")?,
            10 => {
                let string = self.world.in_use(self.label)?;
                self.world
                    .graph()?
                    .with(|graph| graph.invalidate(&string, Invalidation::PasswordChanged));
            }
            15 => {
                let string = self.mint(60)?;
                let exchange = format!("exchange {}", self.label);
                self.world.run_with(&exchange, &string, None)?;
                self.world.run_with(&exchange, "EAA no token", None)?;
            }
            20 => self.world.graph()?.with(|graph| graph.set_old_string(OldString::Dies)),
            25 => {
                let rule = Rule::on("/debug_token").times(3);
                self.world.graph()?.misbehave(rule, FaultInjection::Html);
            }
            30 => {
                self.world.graph()?.behave();
                let rule = Rule::on("/oauth/access_token").once();
                self.world.graph()?.misbehave(rule, FaultInjection::CloseAfterEffect);
                self.run("refresh --force [LABEL] -v")?;
            }
            35 => {
                self.world.graph()?.behave();
                let skew = TimeDelta::hours(2);
                self.world.graph()?.misbehave(Rule::any(), FaultInjection::WrongDate(skew));
            }
            40 => {
                self.world.graph()?.behave();
                let string = self.mint(59)?;
                let pasted = format!("\n{}_TOKEN={string}\n", self.label.to_uppercase());
                let before = std::fs::read_to_string(self.world.path("app.env"))?;
                self.world.write("app.env", &(before + &pasted))?;
            }
            45 => {
                let string = self.mint(0)?;
                let exchange = format!("exchange {} --json", self.label);
                self.world.run_with(&exchange, &string, None)?;
                self.world.graph()?.misbehave(Rule::any(), FaultInjection::Throttled);
            }
            50 => {
                self.world.graph()?.behave();
                std::fs::remove_file(self.world.path("apps/web.env"))?;
                let string = self.world.in_use(self.label)?;
                self.world
                    .graph()?
                    .with(|graph| graph.invalidate(&string, Invalidation::Checkpoint));
            }
            55 => {
                let string = self.world.in_use(self.label)?;
                self.world.graph()?.with(|graph| graph.revive(&string));
                self.edit("apps/app.yaml", "meta:\n  token:\n    - no longer a value\n")?;
            }
            _ => {}
        }
        Ok(())
    }

    fn edit(&self, name: &str, text: &str) -> anyhow::Result<()> {
        self.world.write(name, text)
    }

    /// What the person of the label gets by logging in again; 0 days are an hour.
    fn mint(&self, days: i64) -> anyhow::Result<String> {
        let user = match self.scenario {
            Scenario::Troubles => "3000000000000119",
            _ => "3000000000000001",
        };
        let graph = self.world.graph()?;
        Ok(graph.with(|graph| {
            let length = if days == 0 { TimeDelta::hours(1) } else { TimeDelta::days(days) };
            let ends = Expiry::At(graph.now() + length);
            let spec = TokenFixture::user("1000000000000001", user).named(self.label).ending(ends);
            // One that was pasted lacks some of what is required.
            graph.mint(if days == 59 { spec } else { spec.scopes(SCOPES) })
        }))
    }
}
