//! Replaces the content of a file that belongs to another program, and nothing but its content.
//!
//! Some application reads a file of ours and stops if it cannot. So the new content is there as a
//! whole or not at all, with the owner, group, mode and access list of the old; what cannot be
//! carried over leaves the file as it was. The old content may hold a token: no copy of it is
//! ever left beside the file, and the new one waits under a hidden name that the next run knows
//! and clears away. What was read is what is replaced: a file that was
//! written meanwhile is left alone until it is read again.
//!
//! Nothing is looked up by its path twice. `path` walks there once, link by link, and from
//! then on the folder's descriptor and one name are the file; the path is walked again only to
//! prove that it still leads there.
//!
//! - `path`: where a path leads, whose links lead there, and whether a file is still the one that was
//!   read.
//! - `rights`: who may do what with it, carried from one file to another.
//! - `temp`: the new content while it has no name yet, and whose turn it is to write.
//! - `opened`: the file as it was read.
//! - `replace`: the new content in place of the old, and whether that could be done.
//! - `in_place`: the other way to write, for a file that cannot be renamed over, and how far a
//!   write that was stopped has come.
//! - `prepared`: a new file of ours whose content is written first and whose name is given later.
//! - `publish`: the opposite of a secret: a file of ours that others read.

mod error;
mod in_place;
mod opened;
mod path;
mod prepared;
mod publish;
mod replace;
mod rights;
mod temp;
#[cfg(test)]
mod tests;

pub use self::error::{FileError, Right};
pub use self::in_place::Progress;
pub use self::opened::{LARGEST, Opened};
pub use self::prepared::Prepared;
pub use self::publish::{Readers, publish};
pub use self::replace::{PRIVATE, create, create_dated, foresee_create};
pub use self::rights::is_readable_by_others;
