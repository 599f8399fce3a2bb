//! Takes a file whole, up to a limit, and names what is not text.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use zeroize::Zeroizing;

use crate::error::CliError;
use crate::exit::Exit;
use crate::shell::quoted;
use crate::token::{AccessToken, read_pasted};

/// A larger file is not a list of tokens.
pub const LARGEST: u64 = 64 * 1024 * 1024;

/// How every `SQLite` file begins.
const DATABASE: &[u8] = b"SQLite format 3\0";

/// A file that was read.
pub struct Input {
    /// Where it is; nothing for standard input.
    path: Option<PathBuf>,
    /// What it holds, without a mark of its encoding.
    text: Zeroizing<Vec<u8>>,
}

/// Refuses a file.
pub fn refused(file: &Path, message: impl Into<String>) -> CliError {
    let subject = if file == Path::new("-") {
        "standard input".to_owned()
    } else {
        file.display().to_string()
    };
    CliError::new(Exit::InputRefused, "import_refused", subject, message)
}

fn unreadable(file: &Path, error: std::io::Error) -> CliError {
    let hint = match error.kind() {
        ErrorKind::NotFound => format!("check the name: `ls -l {}`", quoted(file)),
        _ => format!("let this user read it: `ls -l {}`", quoted(file)),
    };
    refused(file, "cannot be read").because(error).hint(hint)
}

/// Opens a file to read it; a pipe without a writer is not waited for, and what is not a file is
/// refused.
pub fn open(file: &Path) -> Result<std::fs::File, CliError> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = rustix::fs::open(file, flags, Mode::empty()).map(std::fs::File::from);
    let opened = opened.map_err(|error| unreadable(file, error.into()))?;
    let metadata = opened.metadata().map_err(|error| unreadable(file, error))?;
    if !metadata.is_file() {
        return Err(refused(file, "not a file").hint("name a file, or `-` for standard input"));
    }
    if metadata.len() > LARGEST {
        return Err(too_large(file));
    }
    Ok(opened)
}

/// Refuses a file for its size.
pub fn too_large(file: &Path) -> CliError {
    refused(file, "is larger than 64 MiB")
        .hint("export the columns with the tokens alone, to CSV: see `examples/moving/`")
}

impl Input {
    /// Reads a file, or standard input for `-`.
    pub fn read(file: &Path) -> Result<Self, CliError> {
        let (source, path): (Box<dyn Read>, _) = if file == Path::new("-") {
            (Box::new(std::io::stdin().lock()), None)
        } else {
            (Box::new(open(file)?), Some(file.to_owned()))
        };
        let mut text = Zeroizing::new(Vec::new());
        let read = source.take(LARGEST + 1).read_to_end(&mut text);
        read.map_err(|error| unreadable(file, error))?;
        if text.len() as u64 > LARGEST {
            return Err(too_large(file));
        }
        let input = Self { path, text };
        input.is_text()?;
        Ok(input)
    }

    /// Refuses what is not text that is read here, by its name.
    fn is_text(&self) -> Result<(), CliError> {
        let wide = [&b"\xff\xfe"[..], b"\xfe\xff"].iter().any(|mark| self.text.starts_with(mark));
        let head = &self.text[..self.text.len().min(64)];
        // Every second byte of such a text is 0 where it is in ASCII.
        let alternates =
            head.len() >= 8 && (head.split(|byte| *byte == 0).count() - 1) * 3 > head.len();
        if self.text.starts_with(DATABASE) {
            return Err(self.refused("is an SQLite database").hint(
                "say whose: `--from myrcat` for the table `facebook_tokens`, `--from flask-settings` for `settings`",
            ).hint("or export its tokens to CSV: see `examples/moving/`"));
        }
        if wide || alternates {
            let name = self.path.as_deref().map_or("FILE".to_owned(), quoted);
            return Err(self.refused("is UTF-16, not UTF-8").hint(format!(
                "convert it: `iconv -f UTF-16 -t UTF-8 {name} | metatoken import -`"
            )));
        }
        if self.text.starts_with(b"PK\x03\x04") {
            let message = "is a ZIP archive, as spreadsheets are";
            return Err(self.refused(message).hint("export the tokens to CSV"));
        }
        if self.text.iter().all(u8::is_ascii_whitespace) {
            return Err(self.refused("is empty").hint("nothing was imported"));
        }
        if self.text.contains(&0) {
            return Err(self.refused("not a text file").hint("export the tokens to CSV or JSON"));
        }
        Ok(())
    }

    /// Refuses the file.
    pub fn refused(&self, message: impl Into<String>) -> CliError {
        refused(self.path.as_deref().unwrap_or(Path::new("-")), message)
    }

    /// Refuses the file at a line.
    pub fn refused_at(&self, line: usize, message: impl Into<String>) -> CliError {
        let mut refused = self.refused(message);
        refused.subject = format!("{}:{line}", refused.subject);
        refused
    }

    /// What it holds, without a mark of its encoding.
    pub fn bytes(&self) -> &[u8] {
        self.text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.text)
    }

    /// What it holds, if all of it is text.
    pub fn text(&self) -> Result<&str, CliError> {
        std::str::from_utf8(self.bytes()).map_err(|error| {
            let before = &self.bytes()[..error.valid_up_to()];
            let line = before.split(|byte| *byte == b'\n').count();
            self.refused_at(line, "is not UTF-8 text").hint("save the file as UTF-8")
        })
    }

    /// The first character that is not white space.
    fn first(&self) -> Option<u8> {
        self.bytes().iter().copied().find(|byte| !byte.is_ascii_whitespace())
    }

    /// Whether it begins as JSON does.
    pub fn is_json(&self) -> bool {
        matches!(self.first(), Some(b'[' | b'{'))
    }

    /// The access token, if there is nothing else in the file.
    pub fn bare(&self) -> Result<Option<AccessToken>, CliError> {
        let Ok(text) = std::str::from_utf8(self.bytes()) else { return Ok(None) };
        let mut words = text.split_whitespace();
        let (Some(word), None) = (words.next(), words.next()) else { return Ok(None) };
        if self.is_json() || word.contains([',', ';', '=']) {
            return Ok(None);
        }
        match read_pasted(word, None) {
            Ok(token) if token.begins_like_metas() => Ok(Some(token)),
            Ok(_) => Err(self
                .refused("holds one word that does not begin as Meta's access tokens do")
                .hint("they begin with `EAA` (Facebook), `IG` (Instagram), `TH` (Threads) or `ID|` (an app)")),
            Err(unfit) => Err(self.refused(format!("holds no access token: {unfit}")).hint(unfit.fix())),
        }
    }
}
