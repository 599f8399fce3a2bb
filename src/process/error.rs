//! Says why a program could not be run to its end.
//!
//! Each sentence goes behind a subject, which the caller knows: "the command `pass` is not found
//! in ...". None repeats what the program printed.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use rustix::io::Errno;

use super::output::Ended;
use crate::shell::quoted;

/// Says why there is no end of a program to speak of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProcessError {
    /// The call names no program.
    Nameless,
    /// The program is a path that begins nowhere in particular.
    Relative,
    /// No file of that name is in the folders of `PATH`.
    NotInPath {
        /// The folders, in the order in which they were searched.
        searched: Vec<PathBuf>,
    },
    /// The path leads nowhere.
    NotFound,
    /// There is a file, and it is none that may be run.
    NotExecutable { program: PathBuf },
    /// Others could have written the file, and it would run with our rights.
    Unsafe { program: PathBuf, mode: u32 },
    /// The operating system would not start it.
    NotStarted {
        /// The cause, without a subject.
        why: String,
    },
    /// It ran, and how it ended is lost: our parent process has SIGCHLD ignored.
    Lost {
        /// The cause, without a subject.
        why: String,
    },
    /// It did not end in time, and was ended with all that it had started.
    TimedOut {
        /// How long it had.
        limit: Duration,
        /// How it was ended, and what it had printed until then.
        ended: Box<Ended>,
    },
}

impl ProcessError {
    pub(super) fn not_started(error: &io::Error) -> Self {
        let why = match Errno::from_io_error(error) {
            Some(Errno::NOENT) => "the interpreter that it names is not there".to_owned(),
            Some(Errno::NOEXEC) => {
                "it is neither a program nor a script that begins with `#!`".to_owned()
            }
            Some(_) => error.kind().to_string(),
            // Without a number the kind says less than the words: a zero byte in an argument.
            None => error.to_string(),
        };
        Self::NotStarted { why }
    }
}

impl fmt::Display for ProcessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nameless => f.write_str("names no program"),
            Self::Relative => f.write_str("is neither a name nor an absolute path"),
            Self::NotInPath { searched } if searched.is_empty() => {
                f.write_str("is not found: `PATH` names no absolute folder; write its whole path")
            }
            Self::NotInPath { searched } => {
                let searched: Vec<_> = searched.iter().map(|folder| folder.display()).collect();
                f.write_str("is not found in ")?;
                for (place, folder) in searched.iter().enumerate() {
                    write!(f, "{}`{folder}`", if place == 0 { "" } else { ", " })?;
                }
                f.write_str("; write its whole path, or extend `PATH`")
            }
            Self::NotFound => f.write_str("is not there"),
            Self::NotExecutable { program } => {
                write!(f, "cannot be started: `{}` is not an executable file", program.display())
            }
            Self::Unsafe { program, mode } => write!(
                f,
                "is refused: group or others can write it (mode {mode:04o}); run `chmod go-w {}`",
                quoted(program)
            ),
            Self::NotStarted { why } => write!(f, "cannot be started: {why}"),
            Self::Lost { why } => write!(f, "was run, but its exit status is not known: {why}"),
            Self::TimedOut { limit, .. } => write!(f, "did not end within {limit:?}"),
        }
    }
}

impl std::error::Error for ProcessError {}
