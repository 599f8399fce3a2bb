//! Leads `init` from the first question to the first delivered token.

use std::time::Duration;

use super::opening::{Setting, open_session, session_with};
use super::refusal::usage;
use crate::cli::{self, Cli};
use crate::clock::Clock;
use crate::commands::{self, ExchangeOrder, IdentityChange, InitOrder};
use crate::config::{self, Missing};
use crate::environment::Environment;
use crate::error::CliError;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::policy::{Insistence, Losses};
use crate::run::{DryRun, Only, RefreshOptions, RunOptions};
use crate::status::Attempted;
use crate::token::{Label, Pattern, Trigger};
use crate::ui::Ui;

/// How long a person waits for another run to end.
const LOCK_WAIT: Duration = Duration::from_secs(30);

/// Writes a first config. Where a person can be asked and a token is declared, its access token is
/// asked for and delivered too.
pub fn init(
    typed: &Cli,
    given: &cli::InitArguments,
    environment: Environment,
    clock: Clock,
    ui: &mut Ui,
    interrupt: Interrupt,
) -> Result<Exit, CliError> {
    let order = init_order(typed, given, &environment)?;
    let draft = commands::draft_config(&order, &environment, ui)?;
    let setting = || Setting::of(order.place.clone(), clock);
    let variables = environment.clone();
    let (session, _) =
        session_with(draft.config.clone(), typed, setting(), variables, ui, interrupt.clone())?;
    ui.start_log();
    let written = commands::init(&session, &draft)?;
    let Some(label) = written.hand_over.filter(|_| ui.can_ask() && written.exit == Exit::Ok) else {
        return Ok(written.exit);
    };
    let mut attempted = Attempted::default();
    let (session, _) = open_session(typed, setting(), environment, ui, interrupt, &mut attempted)?;
    ui.note(&format!(
        "hint: paste the access token of `{label}` now, or press Ctrl-C and do it later"
    ));
    let exchange = ExchangeOrder {
        label: label.clone(),
        file: None,
        losses: Losses::Refused,
        identity: IdentityChange::Refused,
        dry_run: DryRun::No,
        lock_wait: LOCK_WAIT,
    };
    let exit = commands::exchange(&session, &exchange)?;
    match written.first.filter(|first| exit == Exit::Ok && *first != label) {
        Some(page) => commands::refresh(&session, &derive(&page)),
        None => Ok(exit),
    }
}

fn derive(page: &Label) -> RefreshOptions {
    RefreshOptions {
        run: RunOptions {
            command: "refresh",
            trigger: Trigger::Manual,
            dry_run: DryRun::No,
            lock_wait: LOCK_WAIT,
        },
        patterns: vec![Pattern::new(page.as_str())],
        insistence: Insistence::Named,
        only: Only::All,
    }
}

fn init_order(
    typed: &Cli,
    given: &cli::InitArguments,
    environment: &Environment,
) -> Result<InitOrder, CliError> {
    if typed.global.sandbox.is_some() {
        return Err(usage("`init` and `--sandbox` do not go together")
            .hint("the sandbox has a config already, which is yours to edit: `metatoken --sandbox config show`"));
    }
    if typed.global.config.is_some() && given.dir.is_some() {
        return Err(usage("`--config` and `--dir` do not go together")
            .hint("name the folder by `--dir`, or the file by `--config`"));
    }
    let place = match &given.dir {
        Some(dir) => std::path::absolute(dir.join("metatoken.toml")).ok(),
        None => config::usual_place(typed.global.config.as_deref(), environment),
    };
    let place = place.ok_or_else(|| {
        usage("neither XDG_CONFIG_HOME nor HOME is set")
            .hint("name a folder for the config: `--dir DIR`")
    })?;
    Ok(InitOrder {
        place,
        app_id: given.app_id.clone(),
        app_secret_file: given.app_secret_file.clone(),
        app_kind: given.app_kind.clone(),
        token_type: given.token_type.clone(),
        label: given.label.clone(),
        page_id: given.page_id.clone(),
        deliver: given.deliver.clone(),
        missing: if given.create { Missing::Create } else { Missing::Refuse },
        endpoints: given.endpoints.clone(),
    })
}
