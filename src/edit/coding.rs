//! Says how a value stands in its file: as it is, or as base64 in the `data` of a Kubernetes Secret.

use data_encoding::BASE64;
use zeroize::Zeroizing;

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    Plain,
    Base64,
}

impl Coding {
    /// The coding of the value at `path`; `text` reads another value of the same document.
    ///
    /// It is a value of a Secret if it stands in `data` beside `kind: Secret`, also in a list of
    /// manifests.
    pub fn of(path: &[String], text: impl Fn(&[String]) -> Option<String>) -> Self {
        let [above @ .., data, _] = path else { return Self::Plain };
        let kind = [above, &["kind".to_owned()]].concat();
        if data == "data" && text(&kind).is_some_and(|kind| kind == "Secret") {
            Self::Base64
        } else {
            Self::Plain
        }
    }

    /// The value as it is to stand in the file.
    pub fn encoded(self, value: &str) -> Zeroizing<String> {
        Zeroizing::new(match self {
            Self::Plain => value.to_owned(),
            Self::Base64 => BASE64.encode(value.as_bytes()),
        })
    }
}
