//! Matches patterns with the labels that there can be: those that are declared, and those of Pages
//! yet to be discovered.

use crate::config::diagnostic::{Diagnostic, Spanned};
use crate::config::reader::{Ask, Section};
use crate::config::tokens::Draft;
use crate::config::wording::{nearest, quoted};
use crate::token::{Label, Pattern};

/// The labels that a pattern can match.
pub struct Labels {
    declared: Vec<Label>,
    /// Those whose Pages are discovered.
    parents: Vec<Label>,
    /// Whether there are more, in files that are left out.
    some_are_left_out: bool,
}

impl Labels {
    /// Collects the labels of the tokens and of their Pages.
    pub fn of(drafts: &[Draft<'_>], some_are_left_out: bool) -> Self {
        let parents = drafts.iter().filter(|draft| draft.discovers_pages());
        Self {
            declared: drafts.iter().map(|draft| draft.label.clone()).collect(),
            parents: parents.map(|draft| draft.label.clone()).collect(),
            some_are_left_out,
        }
    }

    /// Refuses patterns that match nothing: they would keep their channel silent for ever.
    pub fn patterns<'a>(
        &self,
        given: Ask<'a, Vec<Spanned<String>>>,
        section: &Section<'_>,
    ) -> Ask<'a, Vec<Pattern>> {
        given.map(|typed| {
            let patterns = typed.iter().map(|typed| {
                let pattern = Pattern::new(&typed.value);
                if !self.has(&pattern) {
                    section.report(self.unmatched(typed));
                }
                pattern
            });
            patterns.collect()
        })
    }

    fn unmatched(&self, typed: &Spanned<String>) -> Diagnostic {
        let label = match nearest(&typed.value, self.declared.iter().map(Label::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`*` stands for any characters: `brand*`".to_owned(),
        };
        let message = format!("{} is the label of no token", quoted(&typed.value));
        Diagnostic::at(typed.span, message).label(label)
    }

    fn has(&self, pattern: &Pattern) -> bool {
        self.some_are_left_out
            || self.declared.iter().any(|label| pattern.matches(label))
            || self.parents.iter().any(|parent| matches_a_page(pattern, parent))
    }
}

/// Whether a Page of `parent` can match.
///
/// A pattern asks of an id the digits at its own end, so it is enough to try those, all of them or
/// fewer; where it asks for none, any digit will do.
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
