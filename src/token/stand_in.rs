//! Knows what stands where a value belongs and is none: a reference to one elsewhere, a placeholder.

/// How a value begins that says where another is found, and what it holds then.
const REFERENCES: [(&str, &str); 14] = [
    ("ENC[", "]"),
    ("ENC(", ")"),
    ("!vault", ""),
    ("!secret", ""),
    ("op://", ""),
    ("vault:", ""),
    ("secret://", ""),
    ("ref+", "://"),
    ("arn:aws:", ":"),
    ("@Microsoft.KeyVault", ""),
    ("encrypted:", ""),
    ("<%", "%>"),
    ("$ANSIBLE_VAULT", ""),
    ("-----BEGIN ", "-----"),
];

/// What stands for another value wherever it is.
const EXPANSIONS: [(&str, &str); 6] =
    [("${", "}"), ("$(", ")"), ("{{", "}}"), ("%(", ")"), ("#{", "}"), ("%{", "}")];

/// Whether a text says where a value is found instead of being one.
pub fn is_reference(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let begins = |(start, holds): &(&str, &str)| {
        lower.starts_with(&start.to_ascii_lowercase()) && text.contains(holds)
    };
    let holds = |(start, end): &(&str, &str)| {
        text.split_once(start).is_some_and(|(_, behind)| behind.contains(end))
    };
    let variable = |mark: char| {
        let name = text.strip_prefix(mark);
        name.is_some_and(|name| name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'))
    };
    let windows = text.len() > 2 && variable('%') && text.ends_with('%');
    REFERENCES.iter().any(begins) || EXPANSIONS.iter().any(holds) || variable('$') || windows
}

/// The words that stand where a value is to come.
const PLACEHOLDERS: [&str; 14] = [
    "changeme",
    "change-me",
    "change_me",
    "todo",
    "tbd",
    "fixme",
    "none",
    "null",
    "placeholder",
    "dummy",
    "example",
    "token",
    "access_token",
    "...",
];

/// Whether a text is a word that waits for a value, such as `changeme`.
pub fn is_placeholder(text: &str) -> bool {
    if text.contains(['\n', '\r']) {
        return false;
    }
    let lower = text.to_lowercase();
    let is_stars = lower.len() >= 3 && lower.trim_matches('*').is_empty();
    let is_sentence = lower.starts_with("your") && lower.ends_with("here");
    let is_stem = ["your_", "your-", "xxx"].iter().any(|stem| lower.starts_with(stem));
    PLACEHOLDERS.contains(&&*lower)
        || lower == "…"
        || (is_sentence && !lower.contains(['=', ';', ',']))
        || (is_stem && is_one_word(&lower))
        || is_stars
        || is_in_angles(text)
}

/// Whether a word goes on as one: behind a mark such as `,` or `:` another value may begin.
fn is_one_word(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || "_-.…!".contains(c))
}

/// `<paste it here>`, and no markup: that has more than one pair of angles, a mark behind the first or
/// before the last, or attributes.
fn is_in_angles(text: &str) -> bool {
    let inside = text.strip_prefix('<').and_then(|text| text.strip_suffix('>'));
    inside.is_some_and(|inside| {
        !inside.contains(['<', '>', '='])
            && !inside.starts_with(['?', '!', '%', '/'])
            && !inside.ends_with('/')
    })
}
