//! Says what stands at a place of a file.

use std::ops::Range;

use data_encoding::BASE64;
use zeroize::Zeroizing;

use super::coding::Coding;
use super::{EditError, File};

/// What stands at a key, text or not.
pub struct Site {
    /// The bytes as written, quotes included; empty where there is no value yet.
    pub span: Range<usize>,
    pub content: Content,
    /// How it is written there.
    pub coding: Coding,
}

impl Site {
    /// Makes a value that is written as it is.
    pub const fn new(span: Range<usize>, content: Content) -> Self {
        Self { span, content, coding: Coding::Plain }
    }

    /// A value that is written in that coding; `content` is what stands there.
    pub fn coded(span: Range<usize>, content: Content, coding: Coding) -> Self {
        Self { span, content: content.decoded(coding), coding }
    }

    /// The value, if it is text on one line of the document.
    pub fn text(
        self,
        file: &File<'_>,
        key: Option<&str>,
    ) -> Result<(Range<usize>, Zeroizing<String>), EditError> {
        match self.content {
            Content::Text(value) => Ok((self.span, value)),
            Content::Lines(_) => Err(file.not_text(key, self.span.start, "a block of lines")),
            Content::Uncoded(_) => Err(file.not_text(key, self.span.start, UNCODED)),
            Content::Nothing(found) | Content::Scalar(found) | Content::Other(found) => {
                Err(file.not_text(key, self.span.start, found))
            }
        }
    }
}

/// What text is that is not in the coding that belongs there.
pub const UNCODED: &str = "something other than text in base64";

/// What a value is.
pub enum Content {
    Text(Zeroizing<String>),
    /// Text that is laid out in lines of its own, below its key.
    Lines(Zeroizing<String>),
    /// Text where another in base64 belongs, and which is none; it may be replaced, not read.
    Uncoded(Zeroizing<String>),
    /// A place without a value, such as null; it may be filled, not read.
    Nothing(&'static str),
    /// One value that is not text, such as a number; it may be replaced, not read.
    Scalar(&'static str),
    /// More than one value, or an alias of one elsewhere.
    Other(&'static str),
}

impl Content {
    /// Reads what the text in the file means.
    fn decoded(self, coding: Coding) -> Self {
        let (Coding::Base64, Self::Text(text) | Self::Lines(text)) = (coding, &self) else {
            return self;
        };
        let written: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let bytes = BASE64.decode(&Zeroizing::new(written)).ok().map(Zeroizing::new);
        match bytes.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok()) {
            Some(decoded) => Self::text(decoded),
            None => Self::Uncoded(text.clone()),
        }
    }

    /// Keeps a text, wiped when it is dropped.
    pub fn text(value: impl Into<String>) -> Self {
        Self::Text(Zeroizing::new(value.into()))
    }

    /// Whether this is that value.
    pub fn says(&self, value: &str) -> bool {
        matches!(self, Self::Text(text) | Self::Lines(text) if text.as_str() == value)
    }
}

/// Finds the whole of a file, without the end of its last line.
pub fn raw(file: &File<'_>) -> Result<Site, EditError> {
    let text = file.text()?;
    let value = text.strip_suffix('\n').unwrap_or(text);
    let value = value.strip_suffix('\r').unwrap_or(value);
    Ok(Site::new(file.start..file.start + value.len(), Content::text(value)))
}
