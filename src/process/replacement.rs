//! Replaces this process by a program.
//!
//! Unlike a program that runs beside us, it has our terminal, our folder and our environment, and the
//! shell sees its end as if it had been started by name.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::io::{FdFlags, dup2, fcntl_dupfd_cloexec, fcntl_setfd};

use super::run::give_back;

/// A program to run in our place.
#[derive(Debug)]
pub struct Replacement<'a> {
    /// The program and its arguments.
    pub argv: &'a [OsString],
    /// Variables of ours that it does not see.
    pub removed: Vec<String>,
    /// Variables that it gets.
    pub variables: Vec<(&'a str, &'a str)>,
    /// What it can read, from its standard input or the descriptor.
    pub input: Option<&'a str>,
    /// Where it reads that, if not from its standard input.
    pub descriptor: Option<Descriptor>,
}

/// A descriptor with a number of its own that nothing else has.
#[derive(Debug)]
pub struct Descriptor(OwnedFd);

/// The first number that no program expects something of.
const FIRST: i32 = 3;

/// Why a program was not started.
#[derive(Debug)]
pub enum NotStarted {
    /// There is no program of that name.
    Absent,
    /// It is there, and cannot be run.
    Barred(io::Error),
}

impl NotStarted {
    /// The exit code by which a shell tells it.
    pub const fn code(&self) -> u8 {
        match self {
            Self::Absent => 127,
            Self::Barred(_) => 126,
        }
    }
}

impl Descriptor {
    /// Takes the number before anything else can; where it cannot be had, says why, with one that is
    /// free.
    pub fn claim(number: u32) -> Result<Self, (&'static str, i32)> {
        // It gives the number or the next that is free.
        let from = |wanted| fcntl_dupfd_cloexec(io::stdin(), wanted);
        let free = || from(FIRST).map_or(FIRST, |free| free.as_raw_fd());
        let wanted = i32::try_from(number).unwrap_or(i32::MAX);
        if wanted < FIRST {
            return Err(("standard input, output and error have it", free()));
        }
        match from(wanted) {
            Ok(claimed) if claimed.as_raw_fd() == wanted => Ok(Self(claimed)),
            Ok(next) => Err(("the descriptor is open already", next.as_raw_fd())),
            Err(_) => Err(("the number is beyond the limit of open files", free())),
        }
    }

    /// Has the program read from it what `reader` gives.
    fn lead_to(mut self, reader: impl Into<OwnedFd>) -> io::Result<Self> {
        dup2(reader.into(), &mut self.0)?;
        fcntl_setfd(&self.0, FdFlags::empty())?;
        Ok(self)
    }
}

impl Replacement<'_> {
    /// Runs it; returns only where that fails.
    pub fn run(self) -> NotStarted {
        let Self { argv, removed, variables, input, descriptor } = self;
        let mut command = Command::new(&argv[0]);
        command.args(&argv[1..]);
        for name in &removed {
            command.env_remove(name);
        }
        command.envs(variables);
        let reader = match input.map(filled_pipe).transpose() {
            Ok(reader) => reader,
            Err(error) => return NotStarted::Barred(error),
        };
        // Open until the program has taken our place.
        let _open = match (reader, descriptor) {
            (Some(reader), Some(descriptor)) => match descriptor.lead_to(reader) {
                Ok(descriptor) => Some(descriptor),
                Err(error) => return NotStarted::Barred(error),
            },
            (Some(reader), None) => {
                command.stdin(Stdio::from(reader));
                None
            }
            (None, _) => None,
        };
        give_back();
        let error = command.exec();
        match error.kind() {
            // A script whose interpreter is missing is there all the same.
            io::ErrorKind::NotFound if !is_a_path_to_a_file(&argv[0]) => NotStarted::Absent,
            _ => NotStarted::Barred(error),
        }
    }
}

fn is_a_path_to_a_file(program: &OsString) -> bool {
    let path = Path::new(program);
    path.components().count() > 1 && path.exists()
}

/// A pipe that holds the text, whose writing end is closed. A pipe takes more than any access token.
fn filled_pipe(text: &str) -> io::Result<io::PipeReader> {
    let (reader, mut writer) = io::pipe()?;
    writer.write_all(text.as_bytes())?;
    Ok(reader)
}
