//! Names of kinds with the article that goes before them.

/// `a user`, `an app`.
///
/// A word in `u` sounds as `user` does, the only one among our names.
pub(super) fn with_article(noun: impl std::fmt::Display) -> String {
    let noun = noun.to_string();
    let article = if noun.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    format!("{article} {noun}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{Provider, TokenType};

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
