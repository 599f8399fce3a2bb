//! A folder, a config, a simulated Graph and a clock to measure in.
//!
//! The folder is on the disk that builds go to, not in memory, so that a commit costs what it
//! costs.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use chrono::{DateTime, TimeDelta};
use metatoken::sandbox::{AppFixture, Seen, Server, Simulation, TokenFixture, UserFixture};
use metatoken::token::{DataAccess, Provider, Time};

/// The app that every world has, and its secret.
pub(crate) const APP: &str = "1000000000000001";
const APP_SECRET: &str = "fakesecretofthebench";

/// The program that is measured: a copy, as an installer makes one. The kernel keeps the linker's own
/// file in smaller pieces, and what runs from that one takes longer to start.
const INSTALLED: &str = "metatoken";

/// What a world is made of before it begins.
pub(crate) struct Plan {
    graph: Simulation,
    tables: String,
    variables: Vec<(String, String)>,
    /// What the file `tokens.env` holds.
    lines: String,
}

/// A world at work.
pub(crate) struct World {
    folder: tempfile::TempDir,
    /// The simulated Graph.
    pub(crate) graph: Server,
    now: Time,
    variables: Vec<(String, String)>,
}

impl Plan {
    /// One app, and a config that asks `concurrency` questions at a time.
    pub(crate) fn new(concurrency: usize) -> Self {
        let mut graph = Simulation::new(start());
        graph.add_app(AppFixture::new(APP, APP_SECRET, "Bench"));
        let tables = format!(
            "[app.main]\nid = \"{APP}\"\nsecret = {{ env = \"APP_SECRET\" }}\n\n\
             [http]\nconcurrency = {concurrency}\n\n"
        );
        let variables = vec![("APP_SECRET".to_owned(), APP_SECRET.to_owned())];
        Self { graph, tables, variables, lines: String::new() }
    }

    /// Lets apps, people and Pages be added.
    pub(crate) fn people(mut self, add: impl FnOnce(&mut Simulation)) -> Self {
        add(&mut self.graph);
        self
    }

    /// Gives out a token, puts its string into a variable, and declares it, with `more` settings.
    pub(crate) fn token(mut self, label: &str, spec: TokenFixture, more: &str) -> Self {
        let string = self.graph.mint(spec.data_access(DataAccess::NotApplicable).named(label));
        let variable = label.to_uppercase().replace('-', "_");
        self.tables.extend([
            &format!("[token.{label}]\n"),
            &format!("access_token = {{ env = \"{variable}\" }}\n"),
            more,
            "\n\n",
        ]);
        self.variables.push((variable, string));
        self
    }

    /// Gives out a token, puts its string into the one file that all such tokens stand in, and
    /// declares it, with `more` settings.
    pub(crate) fn token_in_file(mut self, label: &str, spec: TokenFixture, more: &str) -> Self {
        let string = self.graph.mint(spec.data_access(DataAccess::NotApplicable).named(label));
        let key = label.to_uppercase().replace('-', "_");
        self.tables.extend([
            &format!("[token.{label}]\n"),
            &format!("access_token = {{ file = \"tokens.env\", key = \"{key}\" }}\n"),
            more,
            "\n\n",
        ]);
        self.lines.extend([&key, "=", &string, "\n"]);
        self
    }

    /// Starts the Graph and writes the config.
    pub(crate) fn begin(self) -> anyhow::Result<World> {
        let world = World {
            folder: tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?,
            graph: Server::start(self.graph)?,
            now: start(),
            variables: self.variables,
        };
        let hosts = Provider::ALL
            .iter()
            .map(|provider| format!("{provider} = \"{}\"\n", world.graph.endpoint(*provider)));
        let endpoints = format!("[endpoints]\n{}", hosts.collect::<String>());
        for (name, text) in
            [("metatoken.toml", self.tables + &endpoints), ("tokens.env", self.lines)]
        {
            let mut file = File::create(world.path(name))?;
            file.set_permissions(PermissionsExt::from_mode(0o600))?;
            file.write_all(text.as_bytes())?;
        }
        std::fs::copy(env!("CARGO_BIN_EXE_metatoken"), world.path(INSTALLED))?;
        Ok(world)
    }
}

impl World {
    /// A world as most are: three tokens, none of them due.
    pub(crate) fn small() -> anyhow::Result<Self> {
        ["anna", "bert", "cleo"]
            .into_iter()
            .zip(["3000000000000001", "3000000000000002", "3000000000000003"])
            .fold(Plan::new(8), |plan, (label, person)| {
                plan.people(|graph| graph.add_user(UserFixture::new(person, label))).token(
                    label,
                    TokenFixture::user(APP, person),
                    "type = \"user\"",
                )
            })
            .begin()
    }

    /// Moves the clocks, ours and Graph's.
    pub(crate) fn at_day(&mut self, day: i64) {
        self.now = start() + TimeDelta::days(day);
        self.graph.with(|graph| graph.set_now(self.now));
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The command with this world's config and clock, and nothing else in its environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.path(INSTALLED));
        command
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.folder.path())
            .arg("--config")
            .arg(self.path("metatoken.toml"))
            .args(["--now", &self.now.to_rfc3339()])
            .args(arguments);
        command
    }

    /// `sqlite3`, reading this from the store.
    pub(crate) fn sqlite3(&self, sql: &str) -> Command {
        let mut command = Command::new("sqlite3");
        command.arg("-readonly").arg(self.path("metatoken.db")).arg(sql);
        command
    }

    /// What Graph is asked while `act` is done.
    pub(crate) fn asked<T>(
        &self,
        act: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<(T, Vec<Seen>)> {
        let before = self.graph.requests().len();
        let done = act()?;
        let asked = self.graph.requests().split_off(before);
        Ok((done, asked))
    }
}

/// 2026-01-01, where every world begins.
fn start() -> Time {
    DateTime::from_timestamp(1_767_225_600, 0).expect("it is a date")
}
