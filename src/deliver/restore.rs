//! A file's way back to what it held before a delivery.
//!
//! The whole file goes back, not only the value: what an application makes of a new string may
//! have changed more than that.

use zeroize::Zeroizing;

use super::file::{Plan, rewrite};
use super::{Fault, Memory};
use crate::config::FileTarget;

/// Puts `content` back into the file.
pub fn restore<M: Memory>(
    target: &FileTarget,
    content: &[u8],
    memory: &M,
) -> Result<Result<(), Fault>, M::Error> {
    let content = |_: &[u8]| Ok(Plan::Change(Zeroizing::new(content.to_vec())));
    let restored = rewrite(target, memory, content)?;
    Ok(restored.and_then(|restored| match restored {
        Some(_) => Ok(()),
        None => Err(Fault::new(format!("{}: there is no such file", target.path.display()))
            .hint("make an empty file with the rights that its application needs")),
    }))
}
