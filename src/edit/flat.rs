//! Finds names that hold dots where a dotted path does not lead anywhere.

/// The names from `start` on that spell all of `parts` when some of these stand together:
/// `["facebook.token"]` for `facebook` and `token`.
pub fn way<N: Copy>(
    start: N,
    parts: &[String],
    step: &dyn Fn(N, &str) -> Option<N>,
) -> Option<Vec<String>> {
    if parts.is_empty() {
        return Some(Vec::new());
    }
    (1..=parts.len()).find_map(|count| {
        let name = parts[..count].join(".");
        let behind = way(step(start, &name)?, &parts[count..], step)?;
        Some([vec![name], behind].concat())
    })
}

/// The names as a dotted path, quoted where they have to be.
pub fn quoted(names: &[String]) -> String {
    let spelled = |name: &String| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        match name {
            name if !name.is_empty() && name.chars().all(is_plain) => name.clone(),
            name if name.contains('"') => format!("'{name}'"),
            name => format!("\"{name}\""),
        }
    };
    names.iter().map(spelled).collect::<Vec<_>>().join(".")
}
