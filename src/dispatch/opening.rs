//! Finds out which config is meant, where Graph is, and what time it is there.

use std::path::PathBuf;
use std::time::Duration;

use super::refusal::usage;
use super::typed::{instant, scenario};
use crate::cli::Cli;
use crate::clock::Clock;
use crate::config;
use crate::environment::Environment;
use crate::error::CliError;
use crate::graph;
use crate::interrupt::Interrupt;
use crate::sandbox::{self, Sandbox};
use crate::session::{Session, refuse_filesystem};
use crate::status::Attempted;
use crate::ui::Ui;

/// A Graph on this machine needs no courtesy, and a rehearsal no patience.
const PAUSE_ON_LOOPBACK: Duration = Duration::from_millis(5);

/// Which config is meant, and what time it is there.
pub struct Setting {
    pub config: PathBuf,
    pub clock: Clock,
    sandbox: Option<Sandbox>,
}

impl Setting {
    /// A place outside the sandbox.
    pub const fn of(config: PathBuf, clock: Clock) -> Self {
        Self { config, clock, sandbox: None }
    }

    /// Finds it by what was typed, and opens the sandbox if one is meant.
    pub fn find(typed: &Cli, environment: &Environment, clock: Clock) -> Result<Self, CliError> {
        let Some(folder) = &typed.global.sandbox else {
            if typed.global.scenario.is_some() {
                return Err(usage("`--scenario` is for the sandbox").hint("add `--sandbox`"));
            }
            let config = config::find(typed.global.config.as_deref(), environment)?;
            return Ok(Self { config, clock, sandbox: None });
        };
        if typed.global.config.is_some() {
            return Err(usage("`--config` and `--sandbox` do not go together")
                .hint("the sandbox has a config of its own, which is yours to edit"));
        }
        let folder = match folder {
            Some(folder) => folder.clone(),
            None => default_sandbox(environment).ok_or_else(|| {
                usage("neither XDG_STATE_HOME nor HOME is set")
                    .hint("name a folder for the sandbox: `--sandbox=DIR`")
            })?,
        };
        let named = typed.global.scenario.as_deref().map(scenario).transpose()?;
        let now = typed.global.now.as_deref().map(instant).transpose()?;
        let scenario = named.unwrap_or_else(|| sandbox::remembered(&folder));
        let sandbox = sandbox::open(&folder, scenario, now)?;
        if let Some(named) = named {
            sandbox::remember(&folder, named)?;
        }
        Ok(Self {
            config: sandbox.config.clone(),
            clock: Clock::standing(sandbox.now),
            sandbox: Some(sandbox),
        })
    }
}

/// Where the sandbox is kept unless a folder is named.
pub fn default_sandbox(environment: &Environment) -> Option<PathBuf> {
    environment.state_home().map(|home| home.join("metatoken/sandbox"))
}

/// Everything that a command works with; the sandbox's Graph answers until it is dropped. From now
/// on `ui` dates what it says by the session's clock.
pub fn open_session(
    typed: &Cli,
    place: Setting,
    environment: Environment,
    ui: &mut Ui,
    interrupt: Interrupt,
    attempted: &mut Attempted,
) -> Result<(Session, Option<Sandbox>), CliError> {
    let config = config::load(&place.config, &environment)?;
    attempted.config = Some(config.path.clone());
    attempted.store = Some(config.store.path.clone());
    session_with(config, typed, place, environment, ui, interrupt)
}

/// The same with this config, wherever it was read.
pub fn session_with(
    mut config: config::Config,
    typed: &Cli,
    place: Setting,
    environment: Environment,
    ui: &mut Ui,
    interrupt: Interrupt,
) -> Result<(Session, Option<Sandbox>), CliError> {
    refuse_filesystem(&config)?;
    let mut graph = graph_settings(&config);
    if let Some(sandbox) = &place.sandbox {
        // Which of two workers meets a trouble first is chance, and a rehearsal prints the same for
        // ever.
        config.http.concurrency = 1;
        graph.endpoints = graph::Endpoints::each(|provider| sandbox.endpoint(provider));
    }
    let mut clock = place.clock;
    let is_rehearsal = graph.endpoints.is_loopback();
    if is_rehearsal {
        graph.pause = PAUSE_ON_LOOPBACK;
    }
    if let (None, Some(now)) = (&place.sandbox, &typed.global.now) {
        if !is_rehearsal {
            return Err(usage(
                "`--now` is for rehearsals: it needs every endpoint to be on this machine",
            )
            .hint("use `--sandbox`"));
        }
        clock = Clock::standing(instant(now)?.in_sandbox());
        ui.keep_time(clock);
    }
    // A rehearsal must not send a real secret anywhere, not even to this machine.
    let secrets = match &place.sandbox {
        Some(_) => config.secrets(&Environment::default()),
        None => config.secrets(&environment),
    };
    let is_sandbox = place.sandbox.is_some();
    let session =
        Session { config, secrets, graph, clock, is_sandbox, environment, interrupt, ui: *ui };
    Ok((session, place.sandbox))
}

fn graph_settings(config: &config::Config) -> graph::Settings {
    graph::Settings {
        timeout: config.http.timeout,
        concurrency: config.http.concurrency,
        attempts: config.http.attempts,
        endpoints: config.endpoints.clone(),
        ca_file: config.http.ca_file.clone(),
        ..graph::Settings::default()
    }
}
