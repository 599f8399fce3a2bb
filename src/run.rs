//! From what was typed to a session, and from there to the command.

mod opening;
mod refusal;
mod typed;

use std::ffi::OsString;

use clap::Parser;

use self::opening::{Place, open_session};
use self::refusal::{bug, format_typed, give_up, misread, plain_ui};
use self::typed::{
    colour, depth, duration, format, label, since, status_order, trigger, verbosity,
};
use crate::cli::{self, Cli, Command, TypedLogFormat};
use crate::clock::Clock;
use crate::commands::{
    self, Asking, CheckOrder, DeliverOrder, HistoryOrder, Overwrite, RefreshOrder,
};
use crate::complaint::Complaint;
use crate::environment::Environment;
use crate::exit::{Exit, Verdict};
use crate::interrupt::Interrupt;
use crate::policy::Insistence;
use crate::token::{Pattern, Trigger};
use crate::ui::{self, LogFormat, Ui};

/// Does what was typed and gives the exit code.
pub fn run(arguments: &[OsString], environment: Environment, clock: Clock) -> u8 {
    ui::hush_panics();
    let typed = match Cli::try_parse_from(arguments) {
        Ok(typed) => typed,
        Err(error) => return misread(&error, arguments, &environment),
    };
    let format = match format(&typed) {
        Ok(format) => format,
        Err(complaint) => {
            let ui = plain_ui(&environment, format_typed(arguments));
            return give_up(&typed, ui, &complaint);
        }
    };
    let ui = Ui::new(verbosity(&typed), format, colour(&typed), &environment);
    ui.start_log(match typed.global.log_format {
        TypedLogFormat::Text => LogFormat::Text,
        TypedLogFormat::Json => LogFormat::Json,
    });
    let interrupt = Interrupt::default();
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        dispatch(&typed, environment, clock, ui, interrupt.clone())
    }));
    let code = match ended {
        Ok(Ok(code)) => code,
        Ok(Err(complaint)) => give_up(&typed, ui, &complaint),
        Err(_) => give_up(&typed, ui, &bug()),
    };
    interrupt.exit_code().unwrap_or(code)
}

fn dispatch(
    typed: &Cli,
    environment: Environment,
    clock: Clock,
    ui: Ui,
    interrupt: Interrupt,
) -> Result<u8, Complaint> {
    if let Command::Config(asked) = &typed.command {
        let place = Place::find(typed, &environment, clock)?;
        return match asked {
            cli::Config::Check => commands::check_config(&place.config, &environment, &ui),
            cli::Config::Show => commands::show_config(&place.config, &environment, &ui),
        }
        .map(Exit::code);
    }
    let (session, _sandbox) = open_session(typed, environment, clock, ui, interrupt)?;
    let patterns = |labels: &[String]| labels.iter().map(Pattern::new).collect::<Vec<_>>();
    match &typed.command {
        Command::Status(given) => {
            let exit = match &given.token_file {
                Some(file) => commands::inspect_string(&session, file, given.app.as_deref()),
                None => commands::status(&session, &status_order(given)),
            };
            exit.map(|verdict| if given.exit_code { verdict.code() } else { Exit::Ok.code() })
        }
        Command::Refresh(given) => {
            let order = RefreshOrder {
                patterns: patterns(&given.labels),
                insistence: match (given.force, given.labels.is_empty()) {
                    (true, _) => Insistence::Forced,
                    (false, false) => Insistence::Named,
                    (false, true) => Insistence::None,
                },
                which: commands::Due::All,
                depth: depth(given.dry_run),
                trigger: trigger(&session, given.scheduled),
                lock_wait: duration(&given.lock_wait)?,
                command: "refresh",
            };
            commands::refresh(&session, &order).map(Exit::code)
        }
        Command::Exchange(given) if given.stored => {
            let order = RefreshOrder {
                patterns: patterns(&given.labels),
                insistence: Insistence::None,
                which: commands::Due::ShortLived,
                depth: depth(given.dry_run),
                trigger: Trigger::Manual,
                lock_wait: duration(&given.lock_wait)?,
                command: "exchange",
            };
            commands::refresh(&session, &order).map(Exit::code)
        }
        Command::Exchange(given) => {
            let order = commands::ExchangeOrder {
                label: label(&given.labels)?,
                file: given.token_file.clone(),
                depth: depth(given.dry_run),
                lock_wait: duration(&given.lock_wait)?,
            };
            commands::exchange(&session, &order).map(Exit::code)
        }
        Command::Deliver(given) => {
            let order = DeliverOrder {
                patterns: patterns(&given.labels),
                overwrite: if given.force { Overwrite::Anything } else { Overwrite::Own },
                trigger: trigger(&session, given.scheduled),
                lock_wait: duration(&given.lock_wait)?,
            };
            match &given.restore {
                _ if given.test => commands::rehearse_deliveries(&session, &order),
                Some(given) => {
                    let restored = label(std::slice::from_ref(given))?;
                    commands::restore_files(&session, &restored, &order)
                }
                None => commands::deliver(&session, &order),
            }
            .map(Exit::code)
        }
        Command::History(given) => {
            let order = HistoryOrder {
                patterns: patterns(&given.labels),
                limit: given.limit,
                since: given
                    .since
                    .as_deref()
                    .map(|text| since(text, &session.clock))
                    .transpose()?,
                failed: given.failed,
                summary: given.summary,
            };
            commands::history(&session, &order).map(Exit::code)
        }
        Command::Check(given) => {
            let order = CheckOrder {
                patterns: patterns(&given.labels),
                asking: if given.live { Asking::Always } else { Asking::Never },
            };
            commands::check(&session, &order).map(Verdict::code)
        }
        Command::Token(given) => {
            commands::print_token(&session, &label(std::slice::from_ref(&given.label))?)
                .map(Exit::code)
        }
        Command::Config(_) => unreachable!("it was answered above"),
    }
}
