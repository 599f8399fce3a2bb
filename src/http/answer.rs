//! What comes back, read within limits.
//!
//! It may hold a token, so it is read into memory that is wiped.

use std::io::{self, Read};
use std::time::Instant;

use reqwest::blocking::Response;
use zeroize::Zeroizing;

use super::HttpError;
use super::error::Wait;

/// All but long lists of Pages fit into this.
const USUAL_BODY: usize = 16 * 1024;

/// The beginning of an answer, and the rest on its way.
pub struct Answer {
    response: Response,
    until: Instant,
    wait: Wait,
}

impl Answer {
    pub(super) const fn new(response: Response, until: Instant, wait: Wait) -> Self {
        Self { response, until, wait }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// The value of a header, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// All headers whose values are text.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let headers = self.response.headers().iter();
        headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
    }

    /// The whole body, of at most `longest` bytes.
    pub fn body(mut self, longest: usize) -> Result<Zeroizing<Vec<u8>>, HttpError> {
        let mut body = Zeroizing::new(Vec::with_capacity(longest.min(USUAL_BODY)));
        match self.read(&mut body, longest) {
            Ok(Stopped::AtTheEnd) => Ok(body),
            Ok(Stopped::Full) => Err(HttpError::TooLong),
            Ok(Stopped::OutOfTime) => Err(HttpError::too_slow(&self.wait)),
            Err(error) => Err(HttpError::of(&error, &self.wait)),
        }
    }

    /// As much of the body as comes, and no more than `longest` bytes.
    pub fn beginning(mut self, longest: usize) -> Zeroizing<Vec<u8>> {
        let mut body = Zeroizing::new(Vec::with_capacity(longest.min(USUAL_BODY)));
        // What broke off is worth its beginning.
        let _ = self.read(&mut body, longest);
        body
    }

    fn read(&mut self, body: &mut Zeroizing<Vec<u8>>, longest: usize) -> io::Result<Stopped> {
        let mut chunk = Zeroizing::new([0; 8192]);
        loop {
            match self.response.read(chunk.as_mut()) {
                Ok(0) => return Ok(Stopped::AtTheEnd),
                Ok(count) => {
                    let room = longest - body.len();
                    append(body, &chunk[..count.min(room)]);
                    if count > room {
                        return Ok(Stopped::Full);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if Instant::now() > self.until {
                return Ok(Stopped::OutOfTime);
            }
        }
    }
}

enum Stopped {
    AtTheEnd,
    Full,
    OutOfTime,
}

/// Moves to a larger buffer by hand: a vector that grows by itself leaves a copy of a token behind
/// in memory that nobody wipes.
fn append(body: &mut Zeroizing<Vec<u8>>, chunk: &[u8]) {
    if body.len() + chunk.len() > body.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(2 * body.capacity() + chunk.len()));
        larger.extend_from_slice(body);
        *body = larger;
    }
    body.extend_from_slice(chunk);
}
