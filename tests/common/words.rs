//! The words that no message has, because a stranger does not know them or must guess what they mean.

/// What is said otherwise: fix, pending, access token, checked, notified, expires, invalid.
const BANNED: [&str; 28] = [
    "mend",
    "mends",
    "mended",
    "owed",
    "owes",
    "nobody",
    "somebody",
    "whoever",
    "string",
    "strings",
    "proven",
    "unproven",
    "told",
    "tells",
    "heed",
    "heeded",
    "its end",
    "ended",
    "ends",
    "is no",
    "are no",
    "anew",
    "has none",
    "none that",
    "no longer in use",
    "made anew",
    "of itself",
    "thereby",
];

/// The banned words of a line. Commands, paths, addresses and what Meta said are nobody's words here.
pub(crate) fn banned_in(line: &str) -> Vec<&'static str> {
    let ours = line.split(" Meta: ").next().unwrap_or_default();
    let words: Vec<&str> = ours
        .split_whitespace()
        .filter(|word| !word.contains(['@', '/', '`', '{', '_']))
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty())
        .collect();
    let text = format!(" {} ", words.join(" ").to_lowercase());
    let text = text.replace(" there is no ", " ").replace(" there are no ", " ");
    BANNED.into_iter().filter(|word| text.contains(&format!(" {word} "))).collect()
}
