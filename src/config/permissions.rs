//! Reads the config, if its owner and its mode allow to trust it.
//!
//! It names commands that run with our rights, so other users must not be able to write it; and if
//! it holds a secret, they must not be able to read it. The open file is judged, not its name:
//! what was judged is what is read.

use std::fs::{File, Metadata};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::OFlags;
use zeroize::Zeroizing;

use crate::error::CliError;
use crate::exit::Exit;
use crate::shell::{group_name, quoted, user_name};

/// In a folder with this bit only the owner of a file can move or remove it.
const STICKY: u32 = 0o1000;

/// A larger file is not a config.
const LARGEST: u64 = 4 * 1024 * 1024;

/// The text of a config that may be trusted, and its mode.
pub struct JudgedFile {
    pub text: Zeroizing<String>,
    mode: u32,
}

impl JudgedFile {
    /// Reads the file for `caller`; a link is followed and its file is judged.
    pub fn read(path: &Path, caller: u32) -> Result<Self, CliError> {
        let file = open_at_once(path).map_err(|error| unreadable(path, error))?;
        let judged = Self::judge(path, file, caller)?;
        judge_folder(path, caller)?;
        Ok(judged)
    }

    /// Reads the open file for `caller`; the caller judges its folder.
    pub fn judge(path: &Path, file: File, caller: u32) -> Result<Self, CliError> {
        let metadata = file.metadata().map_err(|error| unreadable(path, error))?;
        if metadata.is_dir() {
            let file = path.join(super::find::NAME);
            return Err(complaint(path, "config_unreadable", "it is a folder, not a config")
                .hint(format!("name the file in it: `--config {}`", quoted(&file))));
        }
        if !metadata.is_file() {
            return Err(complaint(path, "config_unreadable", "it is not a regular file"));
        }
        judge(path, &metadata, caller)?;
        let mut bytes = Zeroizing::new(Vec::new());
        file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| unreadable(path, error))?;
        if bytes.len() as u64 > LARGEST {
            return Err(complaint(path, "config_unreadable", "is too large for a config"));
        }
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            let line = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
            complaint(path, "config_unreadable", &format!("is not UTF-8 text: line {line}"))
                .hint("save it as UTF-8")
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Ok(Self { text: Zeroizing::new(text.to_owned()), mode: metadata.mode() })
    }

    /// The mode that the file had when it was opened.
    pub const fn mode(&self) -> u32 {
        self.mode
    }

    /// Refuses a file that others can read although it holds a secret.
    pub fn may_hold_secrets(&self, path: &Path) -> Result<(), CliError> {
        if self.mode & 0o004 == 0 {
            return Ok(());
        }
        let message = format!(
            "refused: it holds a literal secret, and others can read it (mode {:04o})",
            self.mode & 0o7777
        );
        Err(complaint(path, "config_unsafe", &message)
            .hint(format!("`chmod o-r {}`", quoted(path)))
            .hint("or name where the secret is: `{ env = NAME }`, `{ file = PATH }`"))
    }
}

/// Opens a file to read it. A pipe without a writer is not waited for.
fn open_at_once(path: &Path) -> std::io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, rustix::fs::Mode::empty())?.into())
}

fn judge(path: &Path, metadata: &Metadata, caller: u32) -> Result<(), CliError> {
    let owner = metadata.uid();
    if owner != 0 && owner != caller {
        let message = format!("refused: it belongs to user {owner}, neither to root nor to you");
        return Err(complaint(path, "config_unsafe", &message)
            .hint("a config names commands: read it, then make it yours")
            .hint(format!("`chown {caller} {}`", quoted(path))));
    }
    if metadata.mode() & 0o022 != 0 {
        let mode = metadata.mode() & 0o7777;
        let message = format!("refused: group or others can write it (mode {mode:04o})");
        return Err(complaint(path, "config_unsafe", &message)
            .hint("a config names commands: only its owner may write it")
            .hint(format!("`chmod go-w {}`", quoted(path))));
    }
    Ok(())
}

/// Judges the folder of a config: a user who can write to it can put another file in its place.
/// With the sticky bit only the owner of a file can.
fn judge_folder(path: &Path, caller: u32) -> Result<(), CliError> {
    let real = path.canonicalize().map_err(|error| unreadable(path, error))?;
    judge_folder_of(path, real.parent().unwrap_or(Path::new("/")), caller)
}

/// Judges the folder in which a config is to be written.
pub fn judge_new_place(path: &Path, caller: u32) -> Result<(), CliError> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let real = folder.canonicalize().map_err(|error| unreadable(folder, error))?;
    judge_folder_of(path, &real, caller)
}

fn judge_folder_of(path: &Path, folder: &Path, caller: u32) -> Result<(), CliError> {
    let metadata = folder.metadata().map_err(|error| unreadable(path, error))?;
    let (mode, owner) = (metadata.mode() & 0o7777, metadata.uid());
    if owner != 0 && owner != caller {
        let message = format!(
            "refused: its folder `{}` belongs to user {owner}, neither to root nor to you",
            folder.display()
        );
        return Err(complaint(path, "config_unsafe", &message)
            .hint("its owner can put another config there: move the config into a folder of yours")
            .hint(format!("`chown {caller} {}`", quoted(folder))));
    }
    if mode & 0o022 != 0 && mode & STICKY == 0 {
        let message = format!(
            "refused: group or others can write its folder `{}` (mode {mode:04o})",
            folder.display()
        );
        return Err(complaint(path, "config_unsafe", &message)
            .hint("every user who can write there can put another config in its place")
            .hint(format!("`chmod go-w {}`", quoted(folder))));
    }
    Ok(())
}

/// Judges a folder of token files, and the folder that holds it: a user who can write to either can
/// declare tokens, and with them commands.
pub fn judge_token_folder(path: &Path, folder: &File, caller: u32) -> Result<(), CliError> {
    let metadata = folder.metadata().map_err(|error| unreadable(path, error))?;
    judge(path, &metadata, caller)?;
    judge_folder(path, caller)
}

/// Refuses certificates that another user could have put there: a server that they vouch for reads
/// every access token. A file that is not there is complained of where it is needed.
pub fn judge_ca_file(path: &Path, config: &Path, caller: u32) -> Result<(), CliError> {
    let Ok(metadata) = path.metadata() else { return Ok(()) };
    if !metadata.is_file() {
        let subject = format!("`ca_file` {}", path.display());
        return Err(CliError::new(Exit::Config, "config_unsafe", subject, "is not a regular file")
            .hint("name a file with certificates in PEM form"));
    }
    let (mode, owner) = (metadata.mode() & 0o7777, metadata.uid());
    let of_the_config = config.metadata().map(|metadata| metadata.uid());
    let fault = if mode & 0o022 != 0 {
        let message = format!("refused: group or others can write it (mode {mode:04o})");
        Some((message, format!("`chmod go-w {}`", quoted(path))))
    } else if owner != 0 && owner != caller && of_the_config.ok() != Some(owner) {
        let message = format!("refused: it belongs to user {owner}, neither to root nor to you");
        Some((message, format!("`chown {caller} {}`", quoted(path))))
    } else {
        None
    };
    fault.map_or(Ok(()), |(message, remedy)| {
        let subject = format!("`ca_file` {}", path.display());
        Err(CliError::new(Exit::Config, "config_unsafe", subject, message)
            .hint("its certificates decide who may read the access tokens: only its owner may write it")
            .hint(remedy))
    })
}

fn unreadable(path: &Path, error: std::io::Error) -> CliError {
    if error.kind() == std::io::ErrorKind::NotFound {
        return complaint(path, "config_missing", "there is no such config")
            .hint(writing(path))
            .hint("or try it without one: `metatoken --sandbox status`");
    }
    let is_closed = error.kind() == std::io::ErrorKind::PermissionDenied;
    let complaint = complaint(path, "config_unreadable", "cannot be read").because(error);
    if is_closed { complaint.hint(opening(path)) } else { complaint }
}

/// What writes the config that is missing.
fn writing(path: &Path) -> String {
    let folder = path.parent().filter(|_| path.ends_with(super::find::NAME));
    folder.map_or_else(
        || "check its name, or write a config by `metatoken init`".to_owned(),
        |folder| {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            format!("write one by `metatoken init --dir {}`", quoted(folder))
        },
    )
}

/// What lets the caller read a config that is closed to him: root, or the group of the file.
fn opening(path: &Path) -> String {
    let user = user_name(rustix::process::geteuid().as_raw());
    let file = quoted(path);
    let as_root = "run the same with `sudo`";
    match path.metadata() {
        Ok(meta) if meta.mode() & 0o040 != 0 && meta.gid() != 0 => {
            let group = group_name(meta.gid());
            format!(
                "{as_root}; or join its group: as root, run `usermod -aG {group} {user}`, and log in again"
            )
        }
        Ok(_) => format!(
            "{as_root}; or open it to a group that you are in: as root, run `chgrp GROUP {file} && chmod g+r {file}`"
        ),
        Err(_) => format!("{as_root}: its folder is closed to {user}"),
    }
}

fn complaint(path: &Path, code: &'static str, message: &str) -> CliError {
    CliError::new(Exit::Config, code, path.display().to_string(), message)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::config::{Config, load};
    use crate::environment::Environment;

    const APP: &str = "[app.main]\nid = \"1\"\n";

    /// A config in a file of that mode, and what becomes of it.
    fn loaded(text: &str, mode: u32) -> Result<Config, CliError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metatoken.toml");
        let mut file = std::fs::File::create(&path).unwrap();
        std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let link = folder.path().join("link.toml");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        load(&link, &Environment::default()).map_err(|mut complaint| {
            let folder = folder.path().to_str().unwrap().to_owned();
            complaint.subject = complaint.subject.replace(&folder, "");
            complaint.hints.iter_mut().for_each(|hint| *hint = hint.replace(&folder, ""));
            complaint
        })
    }

    #[test]
    fn a_file_that_others_could_have_written_is_refused() {
        let literal = "[app.main]\nid = \"1\"\nsecret = \"hush\"\n";
        for (text, mode, expected) in [
            (APP, 0o644, ""),
            (literal, 0o640, ""),
            ("\u{feff}# é", 0o600, ""),
            (
                APP,
                0o664,
                "error: /link.toml: refused: group or others can write it (mode 0664)\n\
                 hint: a config names commands: only its owner may write it\n\
                 hint: `chmod go-w /link.toml`",
            ),
            (
                literal,
                0o644,
                "error: /link.toml: refused: it holds a literal secret, and others can read it (mode 0644)\n\
                 hint: `chmod o-r /link.toml`\n\
                 hint: or name where the secret is: `{ env = NAME }`, `{ file = PATH }`",
            ),
        ] {
            let refused = loaded(text, mode).err();
            assert!(refused.iter().all(|complaint| complaint.exit == Exit::Config));
            assert_eq!(refused.map(|complaint| complaint.render()).unwrap_or_default(), expected);
        }
    }

    #[test]
    fn every_secret_of_a_channel_is_one() {
        let smtp = "{ host = \"mail.example\", user = \"ops\", password = \"hush\" }";
        for (text, holds_one) in [
            ("webhook = \"https://hooks.slack.com/services/TFAKE/hush\"".to_owned(), true),
            ("ping = \"https://hc-ping.com/hush\"".to_owned(), true),
            (format!("email = \"ops@example.org\"\nsmtp = {smtp}"), true),
            ("webhook = { env = \"SLACK\" }".to_owned(), false),
            (format!("email = \"ops@example.org\"\nsmtp = {}", "{ host = \"localhost\" }"), false),
            ("command = [\"logger\"]".to_owned(), false),
        ] {
            let refused = loaded(&format!("[[notify]]\n{text}\n"), 0o644).err();
            let message = refused.map(|complaint| complaint.render()).unwrap_or_default();
            assert_eq!(
                message.contains("it holds a literal secret"),
                holds_one,
                "{text}\n{message}"
            );
            assert!(!message.contains("hush"), "{message}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let render = |path: &Path| load(path, &Environment::default()).unwrap_err().render();
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("no.toml");
        assert_eq!(
            render(&missing),
            format!(
                "error: {}: there is no such config\nhint: check its name, or write a config by `metatoken init`\nhint: or try it without one: `metatoken --sandbox status`",
                missing.display()
            )
        );
        assert_eq!(
            render(folder.path()),
            format!(
                "error: {}: it is a folder, not a config\nhint: name the file in it: `--config {}/metatoken.toml`",
                folder.path().display(),
                folder.path().display()
            )
        );
        let path = folder.path().join("latin1.toml");
        let mut file = std::fs::File::create(&path).unwrap();
        std::io::Write::write_all(&mut file, b"# a\n# caf\xE9\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(
            render(&path),
            format!("error: {}: is not UTF-8 text: line 2\nhint: save it as UTF-8", path.display())
        );
    }
}
