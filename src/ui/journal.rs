//! Lines as the journal of systemd reads them: each begins with how grave it is.
//!
//! The journal takes the prefix off again and keeps it as the line's priority, by which
//! `journalctl -p` finds it. A text of several lines is as many entries, so each has its own.

use super::level::Level;

/// Every line of a text that is as grave as its beginning.
pub(super) fn prefixed(level: Level, text: &str) -> String {
    text.lines().map(|line| one(level, line)).collect()
}

/// A report for people: each line as grave as it says, and what is indented below it too.
pub(super) fn report(text: &str) -> String {
    let mut level = Level::Info;
    let weighed = |line: &str| {
        if !line.starts_with(' ') {
            level = said(line);
        }
        one(level, line)
    };
    text.lines().map(weighed).collect()
}

fn one(level: Level, line: &str) -> String {
    format!("{}{line}\n", level.prefix())
}

/// How grave a line says it is: `critical: ...`, or a monitoring plugin's `METATOKEN CRITICAL - ...`.
fn said(line: &str) -> Level {
    let word = match line.strip_prefix("METATOKEN ") {
        Some(verdict) => verdict.split(' ').next(),
        None => line.split_once(": ").map(|(word, _)| word),
    };
    match word.map(str::to_ascii_lowercase).as_deref() {
        Some("critical" | "error") => Level::Error,
        Some("warning") => Level::Warning,
        _ => Level::Info,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_a_text_has_the_prefix() {
        for (text, expected) in [
            ("", ""),
            ("one", "<4>one\n"),
            ("one\n", "<4>one\n"),
            ("one\n  two", "<4>one\n<4>  two\n"),
            ("one\n\ntwo", "<4>one\n<4>\n<4>two\n"),
        ] {
            assert_eq!(prefixed(Level::Warning, text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_line_of_a_report_is_as_grave_as_it_says() {
        for (text, expected) in [
            ("warning  user  ok", "<6>warning  user  ok\n"),
            ("critical: `a`: dead\n  hint: log in", "<3>critical: `a`: dead\n<3>  hint: log in\n"),
            ("warning: `a`: late\n  hint: wait", "<4>warning: `a`: late\n<4>  hint: wait\n"),
            ("unknown: `a`: not asked", "<6>unknown: `a`: not asked\n"),
            ("critical: x\n\n1 token", "<3>critical: x\n<6>\n<6>1 token\n"),
            ("METATOKEN WARNING - a: late", "<4>METATOKEN WARNING - a: late\n"),
            ("METATOKEN OK - 1 token", "<6>METATOKEN OK - 1 token\n"),
            (
                "METATOKEN CRITICAL - a\nCRITICAL: a: b",
                "<3>METATOKEN CRITICAL - a\n<3>CRITICAL: a: b\n",
            ),
        ] {
            assert_eq!(report(text), expected, "{text:?}");
        }
    }
}
