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

/// A cause in a text for people: how bad it is, of which tokens, and its words.
type Cause<'a> = (String, Vec<&'a str>, &'a str);

fn cause(line: &str) -> Option<Cause<'_>> {
    let (severity, rest) = line.split_once(": ")?;
    let severity = severity.to_lowercase();
    ["critical", "warning", "unknown"].contains(&severity.as_str()).then_some(())?;
    let (labels, words) = rest.split_once("`: ").unwrap_or(("", rest));
    let labels = labels.split('`').skip(1).step_by(2).collect();
    Some((severity, labels, words))
}

fn causes(ran: &Ran) -> Vec<Cause<'_>> {
    ran.stdout.lines().filter_map(cause).collect()
}

/// A run and the verdict after it call a cause equally bad, and a token that the one calls critical so
/// does the other.
#[track_caller]
pub(crate) fn agree(run: &Ran, check: &Ran) {
    let (of_the_run, of_the_check) = (causes(run), causes(check));
    let about = format!("-- refresh\n{}\n-- check\n{}", run.stdout, check.stdout);
    for (severity, labels, words) in &of_the_run {
        for label in labels {
            let same = of_the_check.iter().find(|it| it.1.contains(label) && it.2 == *words);
            assert!(same.is_none_or(|it| it.0 == *severity), "{label}: {words}\n{about}");
        }
    }
    let worst = |causes: &[Cause<'_>], label: &str| -> Option<&'static str> {
        let of_it = causes.iter().filter(|it| it.1.contains(&label));
        let severities: Vec<&str> = of_it.map(|it| it.0.as_str()).collect();
        ["critical", "warning", "unknown"].into_iter().find(|it| severities.contains(it))
    };
    for label in of_the_run.iter().flat_map(|it| &it.1) {
        let (told, stands) = (worst(&of_the_run, label), worst(&of_the_check, label));
        let is_news = stands.is_none() && told != Some("critical");
        assert!(is_news || told == stands, "{label}: {told:?}, {stands:?}\n{about}");
    }
    for label in of_the_check.iter().filter(|it| it.0 == "critical").flat_map(|it| &it.1) {
        assert_eq!(worst(&of_the_run, label), Some("critical"), "{label}\n{about}");
    }
}
