//! Reads the words of a command: a program and its arguments.

use serde_json::Value;

use super::diagnostic::{Diagnostic, Spanned};
use super::reader::{Ask, Section};
use super::redact::{holds_token, looks_secret};

/// Complains for `reason` of every argument that holds a token.
pub(super) fn harmless(
    section: &Section<'_>,
    command: Ask<'_, Vec<Spanned<String>>>,
    reason: &str,
) -> Option<Spanned<Vec<String>>> {
    let Spanned { value: words, span } = command.spanned()?;
    for word in words.iter().filter(|word| holds_token(&word.value)) {
        section.report(Diagnostic::at(word.span, reason).label("leave it out"));
    }
    Some(Spanned { value: words.into_iter().map(|word| word.value).collect(), span })
}

/// A program and its arguments, as `config show` gives them; never what may be a secret.
pub(super) fn describe_argv(words: &[String]) -> Value {
    let shown = |word: &'_ String| if looks_secret(word) { "…".to_owned() } else { word.clone() };
    words.iter().map(shown).collect()
}
