//! Finishes a file that was being written in place when its run was interrupted.
//!
//! Both contents are known: what it held, and what it was to hold. So what it holds now tells
//! whether it is ours to finish.

use std::path::Path;

use super::error::DeliveryError;
use super::file::{ATTEMPTS, edited, sample_token};
use crate::config::FileTarget;
use crate::edit::Edited;
use crate::files::{FileError, Opened, Progress};

/// A write in place that was begun, and whose end is not known.
#[derive(Debug, Clone, Copy)]
pub struct Unfinished<'a> {
    pub path: &'a Path,
    /// What it held.
    pub old: &'a [u8],
    /// What it is to hold.
    pub new: &'a [u8],
}

/// What became of a write that was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// No byte of it was written.
    NotBegun,
    /// The file is whole; in a dry run, it could be made so.
    Finished,
    /// The file is gone, and what was half-written with it.
    Gone,
    /// Something else has written the file since.
    Foreign,
}

impl Unfinished<'_> {
    /// Finishes the file, if what it holds was left by the write that was interrupted. A kill leaves
    /// it as it can be finished again.
    pub fn finish(&self) -> Result<Ending, DeliveryError> {
        self.settle(|opened| opened.overwrite(self.new))
    }

    /// Tells what [`Unfinished::finish`] would do, and does nothing.
    pub fn preview(&self) -> Result<Ending, DeliveryError> {
        self.settle(|opened| opened.foresee_overwrite())
    }

    /// Returns whether the file is whole but for the value of `target`: all else in it is, byte for
    /// byte, what it held before or what it was to hold.
    pub fn is_whole_but_for_its_value(&self, target: &FileTarget) -> Result<bool, DeliveryError> {
        let Some(opened) = Opened::open(self.path)? else { return Ok(false) };
        let with_one_value = |bytes: &[u8]| match edited(target, bytes, &sample_token()) {
            Ok(Edited::Changed(bytes)) => Some(bytes),
            Ok(Edited::Unchanged) => Some(bytes.to_vec().into()),
            Err(_) => None,
        };
        let found = with_one_value(opened.bytes());
        Ok(found.is_some()
            && [self.old, self.new].into_iter().any(|bytes| with_one_value(bytes) == found))
    }

    fn settle(
        &self,
        complete: impl Fn(Opened) -> Result<(), FileError>,
    ) -> Result<Ending, DeliveryError> {
        for _ in 0..ATTEMPTS {
            let Some(opened) = Opened::open(self.path)? else { return Ok(Ending::Gone) };
            let finished = match Progress::of(opened.bytes(), self.old, self.new) {
                Progress::NotBegun => return Ok(Ending::NotBegun),
                Progress::Foreign => return Ok(Ending::Foreign),
                Progress::Whole => opened.sync(),
                Progress::Half => complete(opened),
            };
            match finished {
                Ok(()) => return Ok(Ending::Finished),
                Err(FileError::ChangedMeanwhile(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(DeliveryError::keeps_changing(self.path))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::Write as _;

    use super::*;
    use crate::edit::{self, Edited, Format, Missing};

    /// A file of each format, the value's key in it, and its text with `@` for the value.
    const FILES: [(Format, Option<&str>, &str); 6] = [
        (Format::Toml, Some("meta.token"), "[meta]\ntoken = '@' # kept\nx = 1\n"),
        (Format::Ini, Some("facebook.token"), "; mine\r\n[facebook]\r\ntoken = @ ; kept\r\n"),
        (Format::Env, Some("FB_TOKEN"), "# kept\nexport FB_TOKEN='@' # why\nB=x\n"),
        (Format::Json, Some("meta.token"), "{\"a\":1.0,\t\"meta\": {\"token\": \"@\"}}"),
        (Format::Yaml, Some("meta.token"), "meta:\n  token: \"@\" # kept\n  list: [1,2]\n"),
        (Format::Raw, None, "@\n"),
    ];

    const OLD: &str = "EAAFAKEOldToken";
    /// Shorter than the old one, as long, longer, and longer than the whole file.
    const NEW: [&str; 4] = [
        "EAAFAKENew",
        "EAAFAKENewToken",
        "EAAFAKENewTokenAndLonger",
        "EAAFAKENewTokenThatIsLongerThanAllThatStandsInTheFileWithItsCommentsAndKeysAndItsLineEnds",
    ];

    /// Every pair of an old and a new content.
    fn pairs() -> impl Iterator<Item = (Format, Vec<u8>, Vec<u8>)> {
        FILES.into_iter().flat_map(|(format, key, text)| {
            NEW.into_iter().map(move |new| {
                let old = text.replace('@', OLD).into_bytes();
                let edited = edit::replace(format, &old, key, new, Missing::Refuse).unwrap();
                let Edited::Changed(edited) = edited else { panic!("{format} {new}") };
                assert_eq!(*edited, text.replace('@', new).into_bytes(), "{format}");
                (format, old, edited.to_vec())
            })
        })
    }

    /// What a kill leaves that comes when `k` bytes are written, before the rest is cut off.
    fn stopped(old: &[u8], new: &[u8], k: usize) -> Vec<u8> {
        [&new[..k], old.get(k..).unwrap_or_default()].concat()
    }

    fn put(path: &Path, bytes: &[u8]) {
        File::create(path).unwrap().write_all(bytes).unwrap();
    }

    #[test]
    fn a_write_is_finished_wherever_it_was_stopped_in_every_format() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for (format, old, new) in pairs() {
            let unfinished = Unfinished { path: &path, old: &old, new: &new };
            for k in 0..=new.len() {
                let torn = stopped(&old, &new, k);
                put(&path, &torn);
                let expected = if torn == old { Ending::NotBegun } else { Ending::Finished };
                assert_eq!(unfinished.preview(), Ok(expected), "{format} {k}");
                assert!(fs::read(&path).unwrap() == torn, "a preview changes nothing");
                assert_eq!(unfinished.finish(), Ok(expected), "{format} {k}");
                let left = if torn == old { &old } else { &new };
                assert!(fs::read(&path).unwrap() == *left, "{format} {k}");
                // Once more does no harm.
                assert_eq!(unfinished.finish(), Ok(expected), "{format} {k}");
            }
        }
    }

    #[test]
    fn what_another_has_written_since_is_left_alone_in_every_format() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for (format, old, new) in pairs() {
            let unfinished = Unfinished { path: &path, old: &old, new: &new };
            for k in 0..=new.len() {
                let torn = stopped(&old, &new, k);
                let added = [torn.as_slice(), b"# by hand\n"].concat();
                let before = [b"# by hand\n", torn.as_slice()].concat();
                let mut within = torn.clone();
                within[k.min(torn.len() - 1)] = b'~';
                for foreign in [added, before, within] {
                    put(&path, &foreign);
                    for ending in [unfinished.preview(), unfinished.finish()] {
                        assert_eq!(ending, Ok(Ending::Foreign), "{format} {k}");
                    }
                    assert!(fs::read(&path).unwrap() == foreign, "{format} {k}");
                }
            }
            fs::remove_file(&path).unwrap();
            assert_eq!(unfinished.finish(), Ok(Ending::Gone));
            assert!(!path.exists(), "nothing is made");
        }
    }
}
