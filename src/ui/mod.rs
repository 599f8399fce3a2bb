//! Prints; nothing else does.
//!
//! Data goes to standard output, everything else to standard error. A closed pipe is not an error.
//! Colour and progress appear on a terminal only. The journal of systemd gets each line's priority.

mod ask;
mod line;
mod log;
mod stderr;

use std::io::{self, Write as _};
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use zeroize::Zeroizing;

pub use self::line::LogFormat;
use self::line::{Level, Line};
pub use self::log::Verbosity;
use self::stderr::{Stderr, StreamKind, report_for_journal};
use crate::clock::Clock;
use crate::environment::Environment;
use crate::error::CliError;
use crate::exit::Exit;
use crate::http::{self, WantedPart};
use crate::report::{TextColor, TextStyle, Times, complaint_json};

/// When words are coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

/// The form of what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    /// Tables and sentences.
    Table,
    /// The contract's JSON.
    Json,
    /// Comma-separated values.
    Csv,
    /// A monitoring plugin's lines.
    Nagios,
    /// Metrics.
    Prometheus,
    /// A workflow's annotations.
    Github,
    /// The answer to an HTTP request.
    Http,
}

/// The way to the person or the program that reads.
#[derive(Debug, Clone, Copy)]
pub struct Ui {
    /// How much is said.
    pub verbosity: Verbosity,
    /// In which form.
    pub format: OutputFormat,
    style: TextStyle,
    stdout: StreamKind,
    stderr: Stderr,
    wanted: WantedPart,
}

/// What takes less is over before a bar could be read.
const SHOWN_AFTER: Duration = Duration::from_secs(1);

/// How often it is seen whether a bar is still wanted.
const TICK: Duration = Duration::from_millis(50);

/// The stable name of the error that standard output cannot be written.
pub const OUTPUT_FAILED: &str = "output_failed";

impl Ui {
    /// Looks once at where the streams go.
    pub fn new(
        verbosity: Verbosity,
        format: OutputFormat,
        colour: Colour,
        environment: &Environment,
        clock: Clock,
    ) -> Self {
        let stdout = StreamKind::of(io::stdout(), environment);
        let terminal = stdout == StreamKind::Terminal;
        let coloured = match colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => {
                terminal
                    && environment.get("NO_COLOR").is_none()
                    && environment.get("TERM") != Some("dumb")
            }
        };
        let width = terminal.then(|| columns(io::stdout())).flatten();
        let ink = if coloured { TextColor::Ansi } else { TextColor::None };
        let times = if terminal { Times::Relative } else { Times::Absolute };
        let reader = StreamKind::of(io::stderr(), environment);
        let stderr_width =
            (reader == StreamKind::Terminal).then(|| columns(io::stderr())).flatten();
        let stderr = Stderr { format: LogFormat::Text, reader, clock, width: stderr_width };
        let style = TextStyle { width, color: ink, times };
        Self { verbosity, format, style, stdout, stderr, wanted: WantedPart::Whole }
    }

    /// The same, with standard error in this form.
    pub const fn logging(mut self, format: LogFormat) -> Self {
        self.stderr.format = format;
        self
    }

    /// The same, for a client that wants this of an answer.
    pub const fn answering(mut self, wanted: WantedPart) -> Self {
        self.wanted = wanted;
        self
    }

    /// What the client wants of an answer.
    pub const fn wanted(&self) -> WantedPart {
        self.wanted
    }

    /// Dates what is said from now on by another clock: the sandbox has its own.
    pub const fn keep_time(&mut self, clock: Clock) {
        self.stderr.clock = clock;
    }

    /// The time with which it dates what is said.
    pub fn now(&self) -> chrono::DateTime<chrono::Utc> {
        self.stderr.clock.now()
    }

    /// Whether standard error goes to the journal.
    pub fn stderr_is_the_journal(&self) -> bool {
        self.stderr.reader == StreamKind::Journal
    }

    /// Whether standard output goes to the journal.
    pub fn stdout_is_the_journal(&self) -> bool {
        self.stdout == StreamKind::Journal
    }

    /// How wide and colourful a text on standard output may be.
    pub const fn style(&self) -> TextStyle {
        self.style
    }

    /// Prints data; the journal learns of a report how grave its lines are.
    pub fn data(&self, text: &str) -> Result<(), CliError> {
        match (self.stdout, self.format) {
            (StreamKind::Journal, OutputFormat::Table | OutputFormat::Nagios) => {
                to_stdout(&report_for_journal(text))
            }
            _ => to_stdout(text),
        }
    }

    /// Answers the HTTP client that standard output leads to, and ends the stream. A client that does
    /// not take its answer in time is left.
    pub fn answer(&self, status: u16, body: &str) -> Result<(), CliError> {
        let text = http::answer(status, self.wanted, body, self.now());
        let (sender, written) = std::sync::mpsc::sync_channel(1);
        // It may wait for ever: it ends with the process.
        std::thread::spawn(move || {
            let mut stdout = io::stdout().lock();
            let done = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
            // Where nobody waits any more the process is about to end.
            let _ = sender.send(done);
        });
        let failed = |why: io::Error| {
            CliError::new(Exit::Storage, OUTPUT_FAILED, "the HTTP client", "cannot be answered")
                .because(why)
        };
        let gone = [io::ErrorKind::BrokenPipe, io::ErrorKind::ConnectionReset];
        match written.recv_timeout(http::PATIENCE) {
            Ok(Err(error)) if !gone.contains(&error.kind()) => Err(failed(error)),
            Ok(_) => {
                end_stream();
                Ok(())
            }
            Err(_) => Err(failed(io::ErrorKind::TimedOut.into())),
        }
    }

    /// Says something beside the data, unless quiet.
    pub fn note(&self, text: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.stderr.say(&Line::of(Level::Info, "note", text), text);
        }
    }

    /// Says what a person should know before it is too late, also where quiet is asked for.
    pub fn warn(&self, text: &str) {
        self.stderr.say(&Line::of(Level::Warning, "warning", text), &format!("warning: {text}"));
    }

    /// Says what is wrong with a part of the input, also when quiet.
    pub fn problem(&self, text: &str) {
        self.stderr.say(&Line::of(Level::Error, "problem", text), text);
    }

    /// Says what a person has to know to go on, also when quiet.
    pub fn say(&self, text: &str) {
        self.stderr.say(&Line::of(Level::Info, "note", text), text);
    }

    /// Prints a secret that was asked for, and nothing else.
    pub fn secret(&self, secret: &str) -> Result<(), CliError> {
        to_stdout(&Zeroizing::new(format!("{secret}\n")))
    }

    /// Prints the one error: for people, and as JSON where JSON was asked for.
    pub fn complain(&self, complaint: &CliError, exit_code: u8) {
        if self.format == OutputFormat::Json {
            let _ = to_stdout(&complaint_json(complaint, exit_code));
        }
        self.stderr.say(&line_of(complaint, exit_code), &complaint.render());
    }

    /// Says what clap has to say of words that make no sense; `complaint` is the same in short.
    pub fn misread(&self, error: &clap::Error, complaint: &CliError, exit_code: u8) {
        match (self.stderr.format, self.stderr.reader) {
            (LogFormat::Json, _) => self.complain(complaint, exit_code),
            (LogFormat::Text, StreamKind::Journal) => {
                self.stderr.put(Level::Error, &error.render().to_string());
            }
            (LogFormat::Text, StreamKind::Terminal | StreamKind::Other) => usage(error),
        }
    }

    /// A progress bar for work of `total` steps; it shows itself after a second, on a terminal, and
    /// goes away when the work is done or `stop` is set.
    pub fn progress(&self, total: usize, stop: Arc<AtomicBool>) -> indicatif::ProgressBar {
        // A log tells the progress itself, and would be torn by a bar.
        let silent = self.verbosity != Verbosity::Normal || self.stderr.format == LogFormat::Json;
        if silent || self.stderr.reader != StreamKind::Terminal {
            return indicatif::ProgressBar::hidden();
        }
        let bar = indicatif::ProgressBar::new(total as u64).with_style(
            indicatif::ProgressStyle::with_template("{bar:30} {pos}/{len} tokens, {elapsed}")
                .unwrap_or_else(|_| indicatif::ProgressStyle::default_bar()),
        );
        bar.set_draw_target(indicatif::ProgressDrawTarget::hidden());
        let shown = bar.clone();
        std::thread::spawn(move || {
            let mut waited = Duration::ZERO;
            while !shown.is_finished() {
                if stop.load(Ordering::Relaxed) {
                    shown.finish_and_clear();
                    return;
                }
                if waited == SHOWN_AFTER {
                    shown.set_draw_target(indicatif::ProgressDrawTarget::stderr());
                    shown.tick();
                }
                std::thread::sleep(TICK);
                waited += TICK;
            }
        });
        bar
    }

    /// Begins the log, as talkative as was asked for.
    pub fn start_log(&self) {
        log::start(self.stderr, self.verbosity);
        self.hush_panics();
    }

    /// Makes a panic say where it happened and nothing else: its message might hold a secret.
    pub fn hush_panics(&self) {
        let stderr = self.stderr;
        std::panic::set_hook(Box::new(move |panic| {
            let place = panic.location().map_or_else(String::new, ToString::to_string);
            let text = format!("metatoken met a bug at {place}");
            stderr.say(&Line::of(Level::Error, "bug", text.as_str()), &text);
        }));
    }
}

/// The width of a terminal that is wide enough to be wrapped at.
fn columns(terminal: impl std::os::fd::AsFd) -> Option<u16> {
    let size = rustix::termios::tcgetwinsize(terminal).ok()?;
    Some(size.ws_col).filter(|columns| *columns >= NARROWEST_TERMINAL)
}

/// Below this nothing is wrapped: every line would be broken.
const NARROWEST_TERMINAL: u16 = 40;

/// Says what clap has to say: help and version are data, the rest is not.
pub fn usage(error: &clap::Error) {
    // Where clap cannot print there is no place to report it.
    let _ = error.print();
}

fn line_of(complaint: &CliError, exit_code: u8) -> Line {
    Line::of(Level::Error, "error", complaint.message.as_str())
        .with("subject", complaint.subject.as_str())
        .with("problem", complaint.code)
        .with("exit_code", exit_code)
        .with("causes", complaint.causes.clone())
        .with("hints", complaint.hints.clone())
}

/// Tells the client behind standard output that nothing follows; a pipe or a file is left as it is.
fn end_stream() {
    if let Ok(stream) = io::stdout().as_fd().try_clone_to_owned() {
        // Only a socket can be shut down, and one that is closed already needs it no more.
        let _ = TcpStream::from(stream).shutdown(Shutdown::Write);
    }
}

fn to_stdout(text: &str) -> Result<(), CliError> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CliError::new(Exit::Storage, OUTPUT_FAILED, "standard output", "cannot be written")
                .because(error))
        }
        _ => Ok(()),
    }
}
