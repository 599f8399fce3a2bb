//! A URL that is a secret.
//!
//! Its host may be named, for people have to know where to look. All the rest may be what lets
//! someone in, so an answer that repeats any of it is not quoted.

use crate::http::{Url, is_this_machine};
use crate::token::Secret;

use super::NotSent;

/// An address to which HTTP is spoken.
pub(super) struct Address {
    url: Url,
}

impl Address {
    /// Reads an address; `whose` names what it is the address of.
    pub(super) fn parse(url: &Secret, whose: &str) -> Result<Self, NotSent> {
        let no_url =
            || NotSent::new(format!("the address of the {whose} is no `https://` URL of a host"));
        let url = Url::parse(url.expose()).map_err(|_| no_url())?;
        let safe = match url.scheme() {
            "https" => true,
            // Whoever reads it on the way could use it.
            "http" => url.host_str().is_some_and(is_this_machine),
            _ => false,
        };
        if !safe || url.host_str().is_none() {
            return Err(no_url());
        }
        Ok(Self { url })
    }

    /// The address below this one, with the same query.
    pub(super) fn below(mut self, name: &str) -> Self {
        if let Ok(mut segments) = self.url.path_segments_mut() {
            segments.pop_if_empty().push(name);
        }
        self
    }

    pub(super) fn url(&self) -> Url {
        self.url.clone()
    }

    pub(super) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Whether a text repeats anything of the address but its host.
    pub(super) fn is_repeated_in(&self, text: &str) -> bool {
        /// What is shorter lets nobody in, and occurs in every text.
        const SHORTEST: usize = 4;
        let text = text.to_lowercase();
        let repeats = |part: &str| part.len() >= SHORTEST && text.contains(&part.to_lowercase());
        self.url.path().split('/').any(repeats)
            || self.url.query().is_some_and(|query| query.split(['&', '=']).any(repeats))
            || self.url.query_pairs().any(|(_, value)| repeats(&value))
            || self.url.fragment().is_some_and(repeats)
            || repeats(self.url.username())
            || self.url.password().is_some_and(repeats)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str) -> Address {
        Address::parse(&Secret::new(url), "webhook").unwrap()
    }

    #[test]
    fn what_is_no_address_is_refused_without_showing_it() {
        for url in ["", "fakefake", "ftp://h/fakefake", "https://", "mailto:fake@fake", "https:/\\"]
        {
            let refused = Address::parse(&Secret::new(url), "webhook").map(|_| ()).unwrap_err();
            let expected = "the address of the webhook is no `https://` URL of a host";
            assert_eq!(refused.to_string(), expected, "{url}");
        }
    }

    #[test]
    fn a_name_is_put_below_and_before_the_query() {
        for (url, below) in [
            ("https://h/fake", "https://h/fake/start"),
            ("https://h/fake/", "https://h/fake/start"),
            ("https://h", "https://h/start"),
            ("https://h:8/a/fake?create=1&x=%20", "https://h:8/a/fake/start?create=1&x=%20"),
        ] {
            assert_eq!(address(url).below("start").url().as_str(), below);
        }
    }

    #[test]
    fn whatever_of_the_address_comes_back_is_noticed() {
        let address =
            address("https://user:pa55word@h.example/services/T0FAKE/fake%2Bkey?k=v+w+x#frag");
        for (text, repeated) in [
            ("invalid_payload", false),
            ("h.example is down", false),
            ("no such hook: T0FAKE", true),
            ("no such hook: t0fake", true),
            ("fake%2bkey", true),
            ("k is v w x", true),
            ("for user", true),
            ("pa55word", true),
            ("#frag", true),
        ] {
            assert_eq!(address.is_repeated_in(text), repeated, "{text}");
        }
    }
}
