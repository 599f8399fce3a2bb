//! Holds the label of a token, and patterns that match labels.

use std::fmt;

/// The name of a token in the config: letters, digits, `-` and `_`.
///
/// A Page that was discovered through `pages = "all"` is called `PARENT/PAGE_ID`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label(String);

/// Why a name cannot be a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLabel {
    name: String,
}

impl fmt::Display for BadLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not a valid label: use letters, digits, `-` and `_`",
            self.name.escape_debug()
        )
    }
}

impl std::error::Error for BadLabel {}

impl Label {
    /// Reads a label, `name` or `name/PAGE_ID`.
    pub fn parse(text: &str) -> Result<Self, BadLabel> {
        let plain = |part: &str| {
            !part.is_empty()
                && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        };
        let good = match text.split_once('/') {
            None => plain(text),
            Some((parent, page)) => plain(parent) && !page.is_empty() && is_id(page),
        };
        if good { Ok(Self(text.to_owned())) } else { Err(BadLabel { name: text.to_owned() }) }
    }

    /// The label of the page that was discovered under `parent`.
    pub fn discovered(parent: &Self, page_id: &str) -> Self {
        Self(format!("{parent}/{page_id}"))
    }

    /// Parent and page id, where this is the label of a discovered page.
    pub fn as_discovered(&self) -> Option<(&str, &str)> {
        self.0.split_once('/')
    }

    /// The label of the token under which it was found, where it is that of a discovered page.
    pub fn parent(&self) -> Option<Self> {
        self.as_discovered().and_then(|(parent, _)| Self::parse(parent).ok())
    }

    /// The label as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_id(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit())
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What a person types to name several labels: `*` stands for any run of characters, `/` too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// Takes what was typed; any text is a pattern, though it may match nothing.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether `label` is one of those meant.
    pub fn matches(&self, label: &Label) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = label.as_str().strip_prefix(first) else { return false };
        let mut last = None;
        for part in parts {
            if let Some(part) = last.replace(part) {
                let Some(at) = rest.find(part) else { return false };
                rest = &rest[at + part.len()..];
            }
        }
        match last {
            None => rest.is_empty(),
            Some(tail) => rest.ends_with(tail),
        }
    }

    /// Whether it can mean one label only.
    pub fn is_a_label(&self) -> bool {
        !self.0.contains('*')
    }

    /// The pattern as typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_letters_digits_hyphen_and_underscore() {
        for good in ["brand", "Brand-2_x", "brand/534295833110036"] {
            assert!(Label::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "a.b", "a b", "a/", "/1", "a/b", "a/1/2", "ä"] {
            assert!(Label::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_star_matches_any_run() {
        let label = Label::parse("brand/534").expect("a label");
        for (pattern, matches) in [
            ("brand/534", true),
            ("brand", false),
            ("brand*", true),
            ("*", true),
            ("*/534", true),
            ("b*d*4", true),
            ("b*x*4", false),
            ("*5*", true),
            ("brand/534*", true),
            ("*34*34", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(&label), matches, "{pattern}");
        }
    }
}
