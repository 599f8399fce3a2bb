//! A file's way back to what it held before a delivery.
//!
//! The whole file goes back, not only the value: what an application makes of a new string may
//! have changed more than that.

use zeroize::Zeroizing;

use super::write::ATTEMPTS;
use super::{Fault, FileTarget, Writing};
use crate::file::{FileError, Opened};

/// Puts `content` back into the file, and returns what it held until now.
pub fn restore(target: &FileTarget, content: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
    for _ in 0..ATTEMPTS {
        let Some(opened) = Opened::open(&target.path)? else {
            return Err(Fault::new(format!("{}: there is no such file", target.path.display()))
                .hint("make an empty file with the rights that its application needs"));
        };
        let until_now = Zeroizing::new(opened.bytes().to_vec());
        let outcome = match target.writing {
            Writing::Atomic => opened.replace(content),
            Writing::InPlace => opened.overwrite(content),
        };
        match outcome {
            Ok(()) => return Ok(until_now),
            Err(FileError::ChangedMeanwhile(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Fault::restless(&target.path))
}
