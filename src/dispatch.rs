//! Opens a session for what was typed, and calls the command.

mod arguments;
mod completion;
mod dialog;
mod help;
mod init;
mod opening;
mod orders;
mod refusal;
mod serve;
mod typed;

use std::ffi::OsString;
use std::time::Instant;

use self::arguments::refuse_secrets;
use self::completion::{completion_script, completions};
use self::help::help;
use self::init::init;
use self::opening::{Setting, open_session};
use self::orders::{
    add_order, check_order, exchange_order, exec_order, forget_order, handed_out, import_order,
    key_order, login_order, mint_order, promote_order, refresh_options, revoke_order,
    rollback_order, status_order, stored_exchange_options,
};
use self::refusal::{
    bug, give_up, is_scheduled_line, misread, misread_complaint, note_unusable, plain_ui, shown,
    unusable,
};
use self::serve::accept_request;
use self::typed::{
    colour, dry_run, duration, event, format, label, log_format, since, trigger, verbosity,
};
use crate::cli::{self, Cli, Command};
use crate::clock::Clock;
use crate::commands::{self, DeliverOrder, HistoryOrder, Replace, RunsOrder};
use crate::config;
use crate::environment::Environment;
use crate::error::CliError;
use crate::exit::Exit;
use crate::interrupt::{Interrupt, survive_file_limit};
use crate::policy::prefixed;
use crate::report::markdown;
use crate::session::Session;
use crate::status::AskGraph;
use crate::token::Pattern;
use crate::ui::{OUTPUT_FAILED, OutputFormat, Ui};

/// Does what was typed and gives the exit code.
pub fn run(arguments: &[OsString], environment: Environment, clock: Clock) -> u8 {
    let plain = plain_ui(arguments, &environment, clock);
    plain.hush_panics();
    survive_file_limit();
    let plain = match accept_request(plain) {
        Ok(plain) => plain,
        Err(code) => return code,
    };
    if let Some(offered) = completions(arguments, &environment) {
        return plain.data(&offered).map_or_else(|error| error.exit.code(), |()| Exit::Ok.code());
    }
    let variables = environment.clone();
    let unusable_line = |complaint: &CliError| {
        note_unusable(complaint, arguments, &variables, plain);
    };
    if let Err(mut complaint) = refuse_secrets(arguments) {
        if is_scheduled_line(arguments, plain) {
            let remedy = "remove it from the command that the timer or the cron job runs";
            complaint.hints.insert(0, remedy.to_owned());
        }
        unusable_line(&complaint);
        return unusable(&complaint, arguments, plain);
    }
    let typed = match cli::parse(arguments) {
        Ok(typed) => typed,
        Err(error) => {
            let error = shown(error);
            misread_complaint(&error, arguments).iter().for_each(unusable_line);
            return misread(&error, arguments, plain);
        }
    };
    let format = match format(&typed) {
        Ok(format) => format,
        Err(complaint) => {
            unusable_line(&complaint);
            return give_up(&typed, plain, &complaint);
        }
    };
    let mut ui = Ui::new(verbosity(&typed), format, colour(&typed), &environment, clock)
        .logging(log_format(&typed))
        .answering(plain.wanted());
    let begun = Instant::now();
    let interrupt = Interrupt::default();
    let mut attempted = crate::status::Attempted::default();
    if let Some(text) = without_config(&typed.command, &variables, &ui) {
        return match text.and_then(|text| ui.data(&text)) {
            Ok(()) => Exit::Ok.code(),
            Err(complaint) => give_up(&typed, ui, &complaint),
        };
    }
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        dispatch(&typed, environment, clock, &mut ui, interrupt.clone(), &mut attempted)
    }));
    let code = match ended.unwrap_or_else(|_| Err(bug())) {
        Ok(code) => code,
        Err(complaint) => {
            if attempted.config.is_none() {
                unusable_line(&complaint);
            } else if is_scheduled(&typed, &ui) && complaint.code != OUTPUT_FAILED {
                attempted.note(&complaint, ui.now());
            }
            give_up(&typed, ui, &complaint)
        }
    };
    let code = interrupt.exit_code().unwrap_or(code);
    if changes_something(&typed.command) {
        let command = typed.command.name();
        tracing::info!(
            event = "finished",
            command,
            exit_code = code,
            duration_ms = begun.elapsed().as_millis(),
            "`{command}` exited with {code}"
        );
    }
    code
}

/// What a command prints that needs no config; `None` of those that need one.
fn without_config(
    command: &Command,
    environment: &Environment,
    ui: &Ui,
) -> Option<Result<String, CliError>> {
    match command {
        Command::Help(asked) => Some(help(&asked.words).map(|text| markdown(&text, ui.style()))),
        Command::Completions(given) => Some(Ok(completion_script(given.shell))),
        Command::Man(given) => {
            let written = commands::write_manual(&given.folder, environment, ui.now());
            Some(written.map(|()| String::new()))
        }
        _ => None,
    }
}

/// Whether a timer or cron has started it.
fn is_scheduled(typed: &Cli, ui: &Ui) -> bool {
    let said = match &typed.command {
        Command::Refresh(given) if !given.dry_run => given.scheduled,
        Command::Deliver(given) if !given.dry_run => given.scheduled,
        _ => return false,
    };
    said || ui.stderr_is_the_journal()
}

/// Whether it shows, when it has done its work, that scheduled runs can.
const fn is_real_refresh(command: &Command) -> bool {
    matches!(command, Command::Refresh(given) if !given.dry_run)
}

/// Whether it makes a run, whose beginning and end are logged.
const fn changes_something(command: &Command) -> bool {
    matches!(
        command,
        Command::Refresh(_)
            | Command::Add(_)
            | Command::Exchange(_)
            | Command::Login(_)
            | Command::Deliver(_)
            | Command::Mint(_)
            | Command::Revoke(_)
            | Command::Rollback(_)
            | Command::Promote(_)
            | Command::Forget(_)
            | Command::Import(_)
            | Command::Key(cli::KeyCommand::Rotate(_))
    )
}

fn dispatch(
    typed: &Cli,
    environment: Environment,
    clock: Clock,
    ui: &mut Ui,
    interrupt: Interrupt,
    attempted: &mut crate::status::Attempted,
) -> Result<u8, CliError> {
    if let Command::Init(given) = &typed.command {
        return init(typed, given, environment, clock, ui, interrupt).map(Exit::code);
    }
    let place = Setting::find(typed, &environment, clock)?;
    ui.keep_time(place.clock);
    let path = std::path::absolute(&place.config).unwrap_or_else(|_| place.config.clone());
    attempted.default_store = Some(config::default_store(&path, &environment));
    attempted.store.clone_from(&attempted.default_store);
    attempted.config = Some(path);
    if let Command::Config(cli::ConfigCommand::Show) = &typed.command {
        return commands::show_config(&place.config, &environment, ui).map(Exit::code);
    }
    let (session, sandbox) = open_session(typed, place, environment, ui, interrupt, attempted)?;
    ui.start_log();
    if changes_something(&typed.command) {
        let command = typed.command.name();
        tracing::info!(event = "started", command, "`{command}` begins");
    }
    if let Command::Dialog(given) = &typed.command {
        return dialog::play(&session, sandbox.as_ref(), given).map(Exit::code);
    }
    let ended = carry_out(&typed.command, &session);
    // Whose report cannot be printed has done its work.
    let has_worked = ended.as_ref().map_or_else(|error| error.code == OUTPUT_FAILED, |_| true);
    if has_worked && is_real_refresh(&typed.command) && !session.interrupt.is_raised() {
        crate::status::forget_failed_runs(&session);
    }
    ended.map_err(|mut complaint| {
        if let Some(prefix) = &session.config.alerts.prefix {
            complaint.hints.iter_mut().for_each(|hint| *hint = prefixed(hint, prefix));
        }
        complaint
    })
}

fn carry_out(command: &Command, session: &Session) -> Result<u8, CliError> {
    match command {
        Command::Status(given) => {
            let exit = match &given.token_file {
                Some(file) => commands::inspect_string(session, file, given.app.as_deref()),
                None => commands::status(session, &status_order(given)?),
            };
            exit.map(|verdict| if given.exit_code { verdict.code() } else { Exit::Ok.code() })
        }
        Command::Refresh(given) => {
            commands::refresh(session, &refresh_options(session, given)?).map(Exit::code)
        }
        Command::Add(given) => commands::add(session, &add_order(session, given)?).map(Exit::code),
        Command::Exchange(given) if given.stored => {
            commands::refresh(session, &stored_exchange_options(given)?).map(Exit::code)
        }
        Command::Exchange(given) => {
            commands::exchange(session, &exchange_order(given)?).map(Exit::code)
        }
        Command::Login(given) => commands::login(session, &login_order(given)?).map(Exit::code),
        Command::Deliver(given) => deliver(session, given),
        Command::History(given) => history(session, given),
        Command::Report(given) => commands::report(session, &given.html).map(Exit::code),
        Command::Check(given) => check(session, given),
        Command::Token(given) => {
            let label = label(std::slice::from_ref(&given.label))?;
            commands::print_token(session, &label, given.generation, handed_out(given))
                .map(Exit::code)
        }
        Command::Pages(given) => pages(session, given),
        Command::Exec(given) => commands::exec(session, &exec_order(given)?),
        Command::Mint(given) => commands::mint(session, &mint_order(given)?).map(Exit::code),
        Command::Revoke(given) => commands::revoke(session, &revoke_order(given)?).map(Exit::code),
        Command::Rollback(given) => {
            commands::rollback(session, &rollback_order(given)?).map(Exit::code)
        }
        Command::Promote(given) => {
            commands::promote(session, &promote_order(given)?).map(Exit::code)
        }
        Command::Forget(given) => commands::forget(session, &forget_order(given)?).map(Exit::code),
        Command::Import(given) => commands::import(session, &import_order(given)?).map(Exit::code),
        Command::Key(given) => key(session, given),
        Command::Store(cli::StoreCommand::Backup { file }) => {
            commands::back_up(session, file).map(Exit::code)
        }
        Command::Notify(given) => {
            commands::test_notifications(session, given.channel.as_deref()).map(Exit::code)
        }
        Command::Config(cli::ConfigCommand::Check(given)) | Command::Doctor(given) => {
            let ask = if given.live { AskGraph::Always } else { AskGraph::Never };
            commands::check_config(session, ask).map(Exit::code)
        }
        Command::Config(cli::ConfigCommand::Show)
        | Command::Dialog(_)
        | Command::Help(_)
        | Command::Init(_)
        | Command::Completions(_)
        | Command::Man(_) => {
            unreachable!("it was answered above")
        }
    }
}

fn deliver(session: &Session, given: &cli::DeliverArguments) -> Result<u8, CliError> {
    let order = DeliverOrder {
        patterns: given.labels.iter().map(Pattern::new).collect(),
        replace: if given.force { Replace::Anything } else { Replace::Own },
        trigger: trigger(session, given.scheduled),
        dry_run: dry_run(given.dry_run),
        lock_wait: duration(&given.lock_wait)?,
    };
    match &given.restore {
        _ if given.test => commands::preview_deliveries(session, &order),
        Some(given) => {
            let restored = label(std::slice::from_ref(given))?;
            commands::restore_files(session, &restored, &order)
        }
        None => commands::deliver(session, &order),
    }
    .map(Exit::code)
}

fn key(session: &Session, given: &cli::KeyCommand) -> Result<u8, CliError> {
    match given {
        cli::KeyCommand::Rotate(given) => commands::rotate_key(session, &key_order(given)?),
        cli::KeyCommand::Export => commands::export_key(session),
    }
    .map(Exit::code)
}

fn pages(session: &Session, given: &cli::PagesArguments) -> Result<u8, CliError> {
    let ask = if given.offline { AskGraph::Never } else { AskGraph::Always };
    let label = label(std::slice::from_ref(&given.label))?;
    commands::pages(session, &label, ask).map(Exit::code)
}

fn check(session: &Session, given: &cli::CheckArguments) -> Result<u8, CliError> {
    let format = session.ui.format;
    let verdict = commands::check(session, &check_order(given, format)?)?;
    // The client has the verdict, and the service has done its work.
    Ok(if format == OutputFormat::Http { Exit::Ok.code() } else { verdict.code() })
}

fn history(session: &Session, given: &cli::HistoryArguments) -> Result<u8, CliError> {
    let since = given.since.as_deref().map(|text| since(text, &session.clock)).transpose()?;
    if given.runs {
        let order = RunsOrder { limit: given.limit, since, failed: given.failed };
        return commands::list_runs(session, &order).map(Exit::code);
    }
    let order = HistoryOrder {
        patterns: given.labels.iter().map(Pattern::new).collect(),
        limit: given.limit,
        since,
        failed: given.failed,
        kinds: given.event.iter().map(|name| event(name)).collect::<Result<_, _>>()?,
        summary: given.summary,
    };
    commands::history(session, &order).map(Exit::code)
}
