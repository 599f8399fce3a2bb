//! Reads the write-ahead log without `SQLite`: whether it holds anything, and what.
//!
//! Two logs cannot be read through `SQLite` by a user who may not write beside the store. One that
//! holds no frame makes it retry until it gives up: exactly 32 bytes, which a kill at the first
//! sync of a run leaves, or a header that is not one. And one without an index beside it needs an
//! index to be made. For both the file and the committed frames of its log are put together here,
//! in memory. The format is the one that <https://www.sqlite.org/fileformat2.html#walformat> has.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;

use super::place;

/// The header of a log.
const HEADER: usize = 32;
/// The header of a frame; a page follows it.
const FRAME: usize = 24;
/// The log's first four bytes, but for the last bit: that is set where its checksums are of
/// big-endian words.
const MAGIC: u32 = 0x377f_0682;
/// How every `SQLite` file begins.
const DATABASE: &[u8] = b"SQLite format 3\0";
/// How long its head is.
const HEAD: usize = 100;
/// Where the file says how it is written and read: 2 with a log, 1 without.
const VERSIONS: [usize; 2] = [18, 19];
/// Where the file counts its changes.
const COUNTER: u64 = 24;

/// What a log is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogState {
    /// It holds no frame, or is not there.
    Empty,
    /// Its header is good: frames may follow.
    Frames,
}

/// Looks at the log of the store, by its length and its header.
pub fn look(store: &Path) -> io::Result<LogState> {
    let file = match File::open(place::beside(store, place::LOG)) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(LogState::Empty),
        Err(error) => return Err(error),
    };
    let mut header = [0; HEADER];
    let is_longer = file.metadata()?.len() > HEADER as u64;
    match is_longer.then(|| file.read_exact_at(&mut header, 0)) {
        Some(Ok(())) if Checks::of_log(&header).is_some() => Ok(LogState::Frames),
        Some(Err(error)) if error.kind() != ErrorKind::UnexpectedEof => Err(error),
        _ => Ok(LogState::Empty),
    }
}

/// Returns the file with the committed frames of its log, as one that has no log; `None` if it was
/// written meanwhile.
///
/// The process must have no other connection to the file: to close a descriptor of it gives up
/// all locks that the process has on it.
pub fn snapshot(store: &Path) -> io::Result<Option<Vec<u8>>> {
    let read = |bytes: &mut dyn Read, length| {
        let mut image = Vec::with_capacity(length);
        bytes.read_to_end(&mut image).map(|_| image)
    };
    hand_over(store, read)?.transpose()
}

/// Lets `take` read such a file, which is that long, from its beginning; `None` if it was written
/// meanwhile: then what was taken is dropped.
pub fn hand_over<T>(
    store: &Path,
    take: impl FnOnce(&mut dyn Read, usize) -> T,
) -> io::Result<Option<T>> {
    let before = Stamp::of(store)?;
    let log = read_log(store)?;
    let mut file = File::open(store)?;
    let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
    let taken = if log.len() > HEADER {
        let mut image = Vec::with_capacity(length);
        file.read_to_end(&mut image)?;
        apply(&mut image, &log);
        forget_log(&mut image);
        take(&mut image.as_slice(), image.len())
    } else {
        let mut head = vec![0; length.min(HEAD)];
        file.read_exact(&mut head)?;
        forget_log(&mut head);
        take(&mut head.chain(file), length)
    };
    Ok((before == Stamp::of(store)?).then_some(taken))
}

/// Says in the head of a file that it has no log.
fn forget_log(image: &mut [u8]) {
    if image.starts_with(DATABASE) {
        for at in VERSIONS {
            if let Some(version) = image.get_mut(at) {
                *version = 1;
            }
        }
    }
}

fn read_log(store: &Path) -> io::Result<Vec<u8>> {
    match fs::read(place::beside(store, place::LOG)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        read => read,
    }
}

/// What tells that neither file was written: what they are, how long, when last changed, and how
/// often.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    store: Option<FileStamp>,
    changes: [u8; 4],
    log: Option<FileStamp>,
    header: Vec<u8>,
}

/// Which file it is, how long, and when it was last written.
type FileStamp = (u64, u64, i64, i64);

impl Stamp {
    fn of(store: &Path) -> io::Result<Self> {
        let mut changes = [0; 4];
        match File::open(store)?.read_exact_at(&mut changes, COUNTER) {
            Err(error) if error.kind() != ErrorKind::UnexpectedEof => return Err(error),
            _ => {}
        }
        let log = place::beside(store, place::LOG);
        let mut header = Vec::with_capacity(HEADER);
        match File::open(&log) {
            Ok(file) => drop(file.take(HEADER as u64).read_to_end(&mut header)?),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(Self { store: written(store)?, changes, log: written(&log)?, header })
    }
}

fn written(path: &Path) -> io::Result<Option<FileStamp>> {
    match fs::metadata(path) {
        Ok(meta) => Ok(Some((meta.ino(), meta.len(), meta.mtime(), meta.mtime_nsec()))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The running checksum of a log, and what its frames must repeat.
#[derive(Debug, Clone, Copy)]
struct Checks {
    word: fn([u8; 4]) -> u32,
    sums: (u32, u32),
    salts: [u8; 8],
    page_size: usize,
}

impl Checks {
    /// Begins with the log's header; `None` if it is none.
    fn of_log(header: &[u8; HEADER]) -> Option<Self> {
        let magic = big(header, 0)?;
        let word = match magic ^ MAGIC {
            0 => u32::from_le_bytes,
            1 => u32::from_be_bytes,
            _ => return None,
        };
        let mut checks = Self {
            word,
            sums: (0, 0),
            salts: header.get(16..24)?.try_into().ok()?,
            page_size: usize::try_from(big(header, 8)?).ok()?,
        };
        checks.add(header.get(..24)?);
        let is_size =
            checks.page_size.is_power_of_two() && (512..=65536).contains(&checks.page_size);
        (is_size && checks.agree(header.get(24..)?)).then_some(checks)
    }

    fn add(&mut self, bytes: &[u8]) {
        let (first, second) = &mut self.sums;
        for pair in bytes.chunks_exact(8) {
            let (left, right) = pair.split_at(4);
            let word = |bytes: &[u8]| bytes.try_into().map(self.word).unwrap_or_default();
            *first = first.wrapping_add(word(left)).wrapping_add(*second);
            *second = second.wrapping_add(word(right)).wrapping_add(*first);
        }
    }

    fn agree(&self, stored: &[u8]) -> bool {
        (big(stored, 0), big(stored, 4)) == (Some(self.sums.0), Some(self.sums.1))
    }

    /// Takes the next frame if it is whole and of this log: its page's number, how many pages the
    /// file has after a commit (0 where there is none), and the page.
    fn next<'a>(&mut self, frames: &mut &'a [u8]) -> Option<(usize, usize, &'a [u8])> {
        let (frame, rest) = frames.split_at_checked(FRAME + self.page_size)?;
        let (header, page) = frame.split_at(FRAME);
        self.add(header.get(..8)?);
        self.add(page);
        let number = usize::try_from(big(header, 0)?).ok()?;
        let is_ours =
            number > 0 && header.get(8..16)? == self.salts && self.agree(header.get(16..)?);
        *frames = rest;
        is_ours.then_some((number, usize::try_from(big(header, 4)?).ok()?, page))
    }
}

fn big(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes)
}

/// Puts the pages of all committed transactions of the log into the file.
fn apply(image: &mut Vec<u8>, log: &[u8]) {
    let Some((header, mut frames)) = log.split_first_chunk::<HEADER>() else { return };
    let Some(mut checks) = Checks::of_log(header) else { return };
    let mut open = Vec::new();
    while let Some((number, pages, page)) = checks.next(&mut frames) {
        open.push((number, page));
        if pages == 0 {
            continue;
        }
        image.resize(pages * checks.page_size, 0);
        for (number, page) in open.drain(..) {
            let start = (number - 1) * checks.page_size;
            if let Some(place) = image.get_mut(start..start + checks.page_size) {
                place.copy_from_slice(page);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    /// A file with a log of several transactions, and the folder that they are in.
    fn written() -> (tempfile::TempDir, std::path::PathBuf, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch("PRAGMA journal_mode = wal; CREATE TABLE n (n INTEGER, filler BLOB)")
            .unwrap();
        for n in 0..50 {
            connection.execute("INSERT INTO n VALUES (?1, zeroblob(700))", [n]).unwrap();
        }
        connection.execute("DELETE FROM n WHERE n % 7 = 3", []).unwrap();
        (folder, path, connection)
    }

    fn rows(image: &[u8]) -> rusqlite::Result<i64> {
        let mut memory = Connection::open_in_memory()?;
        memory.deserialize_read_exact("main", image, image.len(), true)?;
        memory.query_row("SELECT count(*) FROM n", [], |row| row.get(0))
    }

    /// What `SQLite` makes of the two files, cut and copied elsewhere.
    fn by_sqlite(store: &[u8], log: &[u8]) -> rusqlite::Result<i64> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        for (path, bytes) in [(path.clone(), store), (place::beside(&path, place::LOG), log)] {
            let mut file = File::create(path).unwrap();
            io::Write::write_all(&mut file, bytes).unwrap();
        }
        Connection::open(path)?.query_row("SELECT count(*) FROM n", [], |row| row.get(0))
    }

    #[test]
    fn the_committed_frames_are_those_that_sqlite_sees() {
        let (_folder, path, connection) = written();
        let (store, log) = (fs::read(&path).unwrap(), read_log(&path).unwrap());
        drop(connection);
        assert!(log.len() > 20 * 4096, "{}", log.len());
        let mut seen = std::collections::BTreeSet::new();
        for length in (0..log.len()).step_by(2531).chain([32, 33, 56, log.len()]) {
            let mut image = store.clone();
            apply(&mut image, &log[..length]);
            for at in VERSIONS {
                image[at] = 1;
            }
            let (ours, theirs) = (rows(&image).ok(), by_sqlite(&store, &log[..length]).ok());
            assert_eq!(ours, theirs, "{length} bytes of {}", log.len());
            seen.insert(ours);
        }
        assert!(seen.len() > 10, "{seen:?}");
        for at in [0, 5, 20, 30, 40, 60, 9000, 60_000] {
            let mut flipped = log.clone();
            flipped[at] ^= 4;
            let mut image = store.clone();
            apply(&mut image, &flipped);
            for at in VERSIONS {
                image[at] = 1;
            }
            assert_eq!(rows(&image).ok(), by_sqlite(&store, &flipped).ok(), "byte {at}");
        }
    }

    #[test]
    fn a_log_is_looked_at_by_length_and_header() {
        let (_folder, path, _connection) = written();
        let log = read_log(&path).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        assert_eq!(look(&path).unwrap(), LogState::Empty, "none");
        let mut magic = log.clone();
        magic[3] ^= 0x10;
        let mut checksum = log.clone();
        checksum[28] ^= 1;
        let mut salt = log.clone();
        salt[17] ^= 1;
        for (bytes, expected) in [
            (&log[..0], LogState::Empty),
            (&log[..31], LogState::Empty),
            (&log[..32], LogState::Empty),
            (&log[..33], LogState::Frames),
            (&log[..], LogState::Frames),
            (&magic, LogState::Empty),
            (&checksum, LogState::Empty),
            (&salt, LogState::Empty),
            (&[7; 4096], LogState::Empty),
        ] {
            let mut file = File::create(place::beside(&path, place::LOG)).unwrap();
            io::Write::write_all(&mut file, bytes).unwrap();
            assert_eq!(look(&path).unwrap(), expected, "{} bytes", bytes.len());
        }
    }
}
