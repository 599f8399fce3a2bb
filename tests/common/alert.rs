//! Measures what somebody reads at three in the morning.

use super::Ran;
use super::words::banned_in;

/// The most characters behind `METATOKEN CRITICAL - `.
const LONGEST: usize = 110;

/// The most characters of a cause, and of what to do about it.
const DETAIL: usize = 330;

/// Measures a verdict: its first line is short, what follows is at most two sentences a cause, and both
/// are plain.
#[track_caller]
pub(crate) fn measure(ran: &Ran) {
    let (first, details) = ran.stdout.split_once('\n').unwrap();
    let (text, _) = first.split_once(" | ").unwrap();
    let (_, behind) = text.split_once(" - ").unwrap();
    let length = behind.chars().count();
    let needed = behind.split_once("; ").map_or(0, |(is, _)| is.find(", ").unwrap_or(is.len()));
    let command = behind.rfind("metatoken ").map_or(0, |at| behind.len() - at);
    assert!(length <= LONGEST.max(needed + command + 2), "{length}: {text}");
    assert_eq!(banned_in(text), [""; 0], "{text}");
    for line in details.lines() {
        assert_eq!(banned_in(line), [""; 0], "{line}");
        let ours = line.split(" Meta: ").next().unwrap_or_default();
        let ours = ours.split(" Proof: ").next().unwrap_or_default();
        let is_list = ours.matches("`, `").count() > 1;
        assert!(is_list || ours.chars().count() <= DETAIL, "{}: {ours}", ours.len());
        assert!(ours.trim_end_matches('.').matches(". ").count() <= 1, "two sentences: {ours}");
    }
}
