//! The only place that prints.
//!
//! Data goes to standard output, everything else to standard error. A reader that has gone away
//! is no error. Colour and progress appear on a terminal only.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::complaint::Complaint;
use crate::environment::Environment;
use crate::exit::Exit;
use crate::report::{Canvas, Ink, complaint_json};

/// How much is said beside the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Nothing, unless a person has something to do.
    Quiet,
    /// The report.
    Normal,
    /// What is decided, and why.
    Verbose,
    /// Every call to Graph.
    Debug,
}

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
pub enum Format {
    /// Tables and sentences.
    Table,
    /// The contract's JSON.
    Json,
    /// Comma-separated values.
    Csv,
    /// A monitoring plugin's lines.
    Nagios,
}

impl Format {
    /// The name by which it is asked for.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Nagios => "nagios",
        }
    }
}

/// The form of the log on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The way to the person or the program that reads.
#[derive(Debug, Clone, Copy)]
pub struct Ui {
    /// How much is said.
    pub verbosity: Verbosity,
    /// In which form.
    pub format: Format,
    canvas: Canvas,
}

impl Ui {
    /// Looks at the terminal once.
    pub fn new(
        verbosity: Verbosity,
        format: Format,
        colour: Colour,
        environment: &Environment,
    ) -> Self {
        let terminal = io::stdout().is_terminal();
        let coloured = match colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => {
                terminal
                    && environment.get("NO_COLOR").is_none()
                    && environment.get("TERM") != Some("dumb")
            }
        };
        let width = terminal
            .then(|| rustix::termios::tcgetwinsize(io::stdout()).ok())
            .flatten()
            .map(|size| size.ws_col)
            .filter(|columns| *columns >= 40);
        let ink = if coloured { Ink::Coloured } else { Ink::Plain };
        Self { verbosity, format, canvas: Canvas { width, ink } }
    }

    /// How wide and colourful a text on standard output may be.
    pub const fn canvas(&self) -> Canvas {
        self.canvas
    }

    /// Prints data.
    pub fn data(&self, text: &str) -> Result<(), Complaint> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Complaint::new(
                Exit::Storage,
                "output_failed",
                "standard output",
                "cannot be written",
            )
            .because(error)),
            _ => Ok(()),
        }
    }

    /// Says something beside the data, unless quiet.
    pub fn note(&self, text: &str) {
        if self.verbosity > Verbosity::Quiet {
            to_stderr(text);
        }
    }

    /// Prints a secret that was asked for, and nothing else.
    pub fn secret(&self, secret: &str) -> Result<(), Complaint> {
        self.data(&Zeroizing::new(format!("{secret}\n")))
    }

    /// Asks a person for a secret, without showing what is typed; nothing where nobody sits at a
    /// terminal.
    pub fn ask_secret(&self, prompt: &str) -> Option<io::Result<Zeroizing<String>>> {
        io::stdin().is_terminal().then(|| read_hidden(prompt))
    }

    /// Prints the one error: for people, and as JSON where JSON was asked for.
    pub fn complain(&self, complaint: &Complaint, exit_code: u8) {
        if self.format == Format::Json {
            let _ = self.data(&complaint_json(complaint, exit_code));
        }
        to_stderr(&complaint.render());
    }

    /// A progress bar for work of `total` steps; it shows itself after a second, on a terminal.
    pub fn progress(&self, total: usize) -> indicatif::ProgressBar {
        if self.verbosity == Verbosity::Quiet || !io::stderr().is_terminal() {
            return indicatif::ProgressBar::hidden();
        }
        let bar = indicatif::ProgressBar::new(total as u64).with_style(
            indicatif::ProgressStyle::with_template("{bar:30} {pos}/{len} tokens, {elapsed}")
                .unwrap_or_else(|_| indicatif::ProgressStyle::default_bar()),
        );
        bar.set_draw_target(indicatif::ProgressDrawTarget::hidden());
        let shown = bar.clone();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_secs(1));
            if !shown.is_finished() {
                shown.set_draw_target(indicatif::ProgressDrawTarget::stderr());
            }
        });
        bar
    }

    /// Sends this crate's log lines, and no dependency's, to standard error.
    pub fn start_log(&self, format: LogFormat) {
        use tracing_subscriber::filter::{LevelFilter, Targets};
        use tracing_subscriber::fmt::layer;
        use tracing_subscriber::layer::SubscriberExt;
        let level = match self.verbosity {
            Verbosity::Quiet | Verbosity::Normal => return,
            Verbosity::Verbose => LevelFilter::INFO,
            Verbosity::Debug => LevelFilter::DEBUG,
        };
        let ours = Targets::new().with_target("metatoken", level);
        let registry = tracing_subscriber::registry().with(ours);
        // A second start is a test's business: the first log stays.
        let _ = match format {
            LogFormat::Text => tracing::subscriber::set_global_default(registry.with(
                layer().with_writer(io::stderr).without_time().with_target(false).with_ansi(false),
            )),
            LogFormat::Json => tracing::subscriber::set_global_default(
                registry.with(layer().json().without_time().with_writer(io::stderr)),
            ),
        };
    }
}

/// Says what clap has to say: help and version are data, the rest is not.
pub fn usage(error: &clap::Error) {
    // Where clap cannot print there is nobody to tell.
    let _ = error.print();
}

/// Makes a panic say where it happened and nothing else: its message might hold a secret.
pub fn hush_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, ToString::to_string);
        to_stderr(&format!("metatoken met a bug at {place}"));
    }));
}

/// Whether standard error goes to the journal: systemd names its device and inode.
pub fn stderr_is_the_journal(environment: &Environment) -> bool {
    let Some((device, inode)) =
        environment.get("JOURNAL_STREAM").and_then(|stream| stream.split_once(':'))
    else {
        return false;
    };
    rustix::fs::fstat(io::stderr())
        .is_ok_and(|stat| device == stat.st_dev.to_string() && inode == stat.st_ino.to_string())
}

/// Reads a line from the terminal without showing it.
fn read_hidden(prompt: &str) -> io::Result<Zeroizing<String>> {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    let stdin = io::stdin();
    let before = tcgetattr(&stdin)?;
    let mut hidden = before.clone();
    hidden.local_modes -= LocalModes::ECHO;
    hidden.local_modes |= LocalModes::ECHONL;
    write!(io::stderr(), "{prompt}: ")?;
    tcsetattr(&stdin, OptionalActions::Now, &hidden)?;
    let mut line = Zeroizing::new(String::new());
    let read = stdin.read_line(&mut line);
    tcsetattr(&stdin, OptionalActions::Now, &before)?;
    read?;
    Ok(line)
}

fn to_stderr(text: &str) {
    // Nobody can be told that standard error is gone.
    let _ = writeln!(io::stderr().lock(), "{text}");
}
