//! Words values of the config for messages: quoted, listed, with an article, or as a suggestion.

use std::path::Path;

use super::secret_form::{RUN, looks_secret};

/// Puts a value into backticks; what may be a secret, or is long, is left out.
pub fn quoted(value: &str) -> String {
    if looks_secret(value) || value.chars().count() > 2 * RUN {
        return "`…`".to_owned();
    }
    format!("`{}`", value.escape_debug())
}

/// Puts a path into backticks; one may be long.
pub fn quoted_path(path: &Path) -> String {
    let path = path.to_string_lossy();
    if looks_secret(&path) { "`…`".to_owned() } else { format!("`{}`", path.escape_debug()) }
}

/// Lists what can be written: `a`, `b` or `c`.
pub fn any_of<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(quoted).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

/// Finds the name among `names` that was probably meant by `word`.
pub fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (word.chars().count() / 3).clamp(1, 4);
    names
        .map(|name| (strsim::damerau_levenshtein(word, name), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::humanize::with_article;
    use crate::token::{Provider, TokenType};

    #[test]
    fn a_value_in_a_message_is_short_and_no_token() {
        assert_eq!(quoted("usr"), "`usr`");
        assert_eq!(quoted("EAAfake0123456789012345"), "`…`");
        assert_eq!(quoted("a\nb"), "`a\\nb`");
    }

    #[test]
    fn every_name_has_the_article_that_is_spoken() {
        let types: Vec<String> = TokenType::ALL.iter().map(with_article).collect();
        assert_eq!(
            types,
            ["a user", "a page", "a system-user", "an instagram", "a threads", "an app"]
        );
        let kinds: Vec<String> = Provider::ALL.iter().map(with_article).collect();
        assert_eq!(kinds, ["a facebook", "an instagram", "a threads"]);
    }
}
