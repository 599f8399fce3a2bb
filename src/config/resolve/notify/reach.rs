//! Which labels there can be: those that are declared, and those of Pages yet to be discovered.

use crate::config::wire::{Named, TokenWire, known};
use crate::token::{Label, Pattern};

/// The labels that a pattern can meet.
pub(super) struct Reach {
    declared: Vec<Label>,
    /// Those whose Pages are discovered.
    parents: Vec<Label>,
}

impl Reach {
    /// A name that is no label has been complained of, and is met by nothing.
    pub(super) fn of(tokens: &[Named<TokenWire>]) -> Self {
        let label = |token: &Named<TokenWire>| Label::parse(token.name.get_ref()).ok();
        let parents = tokens.iter().filter(|token| token.body.pages.is_some());
        Self {
            declared: tokens.iter().filter_map(label).collect(),
            parents: parents.filter_map(label).collect(),
        }
    }

    /// Whether any label can match.
    pub(super) fn has(&self, pattern: &Pattern) -> bool {
        self.declared.iter().any(|label| pattern.matches(label))
            || self.parents.iter().any(|parent| matches_a_page(pattern, parent))
    }

    /// The declared label that was probably meant.
    pub(super) fn nearest(&self, typed: &str) -> Option<&str> {
        known::nearest(typed, self.declared.iter().map(Label::as_str))
    }
}

/// Whether a Page of `parent` can match.
///
/// What a pattern asks of an id are the digits at its own end, so it is enough to try those, all
/// of them or fewer; where it asks for none, any digit will do.
fn matches_a_page(pattern: &Pattern, parent: &Label) -> bool {
    let digits: String = pattern.as_str().chars().filter(char::is_ascii_digit).collect();
    let ids = (0..digits.len()).map(|at| &digits[at..]).chain(["0"]);
    ids.into_iter().any(|id| pattern.matches(&Label::discovered(parent, id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_met_by_pages_that_nobody_has_seen() {
        let parent = Label::parse("brand2").unwrap();
        for (pattern, meets) in [
            ("brand2/*", true),
            ("*", true),
            ("brand2*", true),
            ("brand2/534", true),
            ("brand2/5*3*4", true),
            ("*2/5*", true),
            ("*/7", true),
            ("b*9", true),
            ("brand2", false),
            ("brand2/", false),
            ("brand2/x*", false),
            ("brand/*", false),
            ("*x", false),
            ("", false),
        ] {
            assert_eq!(matches_a_page(&Pattern::new(pattern), &parent), meets, "{pattern}");
        }
    }
}
