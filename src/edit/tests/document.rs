//! Files made up for the properties: what stands in them, and how their lines end.

use proptest::prelude::*;
use proptest::sample::select;

use crate::edit::{Edited, Format, Missing, locate, replace};

/// A file, and what is to be written where.
pub struct Document {
    pub(super) format: Format,
    pub(super) text: String,
    pub(super) key: String,
    pub(super) value: String,
}

impl Document {
    /// Replaces the value; every byte outside its span must be where it was.
    pub(super) fn replaced(&self) -> Result<String, TestCaseError> {
        let span = locate(self.format, self.text.as_bytes(), Some(&self.key)).unwrap().span;
        let new = self.edited(Missing::Refuse)?;
        prop_assert!(new.starts_with(&self.text[..span.start]), "{}", new);
        prop_assert!(new.ends_with(&self.text[span.end..]), "{}", new);
        Ok(new)
    }

    /// Edits twice: the value reads back, and the second time there is nothing to do.
    pub(super) fn edited(&self, missing: Missing) -> Result<String, TestCaseError> {
        let edit =
            |bytes: &[u8]| replace(self.format, bytes, Some(&self.key), &self.value, missing);
        let bytes = match edit(self.text.as_bytes()) {
            Ok(Edited::Changed(bytes)) => bytes,
            Ok(Edited::Unchanged) => return Ok(self.text.clone()),
            Err(error) => return Err(TestCaseError::fail(format!("{error}: {}", self.text))),
        };
        prop_assert_eq!(edit(&bytes), Ok(Edited::Unchanged));
        let located = locate(self.format, &bytes, Some(&self.key)).unwrap();
        prop_assert_eq!(&*located.value, &self.value);
        Ok(String::from_utf8(bytes.to_vec()).unwrap())
    }
}

/// Lines as a file on some system has them.
#[derive(Debug, Clone)]
pub struct Ends {
    line: &'static str,
    last: &'static str,
    mark: &'static str,
}

pub fn ends() -> impl Strategy<Value = Ends> {
    (select(vec!["\n", "\r\n"]), any::<bool>(), select(vec!["", "\u{feff}"]))
        .prop_map(|(line, last, mark)| Ends { line, last: if last { line } else { "" }, mark })
}

impl Ends {
    pub fn join(&self, lines: &[String]) -> String {
        format!("{}{}{}", self.mark, lines.join(self.line), self.last)
    }
}

/// Blank lines and comments, which mean nothing and must survive.
pub fn noise(comments: Vec<&'static str>) -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(select(comments), 0..3)
}

/// Something like a token, or anything at all.
pub fn value() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[A-Za-z0-9|%=_.-]{1,30}", 1 => "[ -~]{0,12}", 1 => any::<String>()]
}

/// Lines with `target` among others at a random place; each has noise above it.
pub fn lines(
    others: &[&str],
    target: (usize, &str),
    noise: &[Vec<&str>],
    written: impl Fn(&str, &str) -> String,
) -> Vec<String> {
    let mut lines: Vec<String> = others
        .iter()
        .enumerate()
        .map(|(index, value)| written(&format!("k{index}"), value))
        .collect();
    lines.insert(target.0.min(lines.len()), written("token", target.1));
    lines
        .into_iter()
        .zip(noise.iter().cycle())
        .flat_map(|(line, noise)| {
            noise.iter().map(|text| (*text).to_owned()).chain([line]).collect::<Vec<_>>()
        })
        .collect()
}
