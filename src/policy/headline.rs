//! Words a cause on one line: `LABEL: state, cause; who does what: command`.
//!
//! It is what a pager or the subject of a mail shows. Where there is no room the cause is cut first,
//! then who acts; label, state and command are never cut. Without label and state the beginning of the cause
//! stays, however long the command is.

use super::Reason;
use super::remedy::OPERATOR;

/// So long is a line at most, without what the config puts before commands.
pub const LONGEST: usize = 110;

/// The fewest characters of a cause that say anything.
const FEWEST: usize = 12;

/// So much of a cause stands where there is neither a label nor a state beside it.
const BEGINNING: usize = 40;

/// A path or an address may be cut anywhere.
const LONG_WORD: usize = 16;

/// A cause on one line.
pub fn headline(reason: &Reason) -> String {
    headline_within(reason, usize::MAX, "")
}

/// The same with `more` at its end, and never longer than `most`.
///
/// A command that the config prefixes counts without its prefix, as long as all of it fits into
/// `most`.
pub fn headline_within(reason: &Reason, most: usize, more: &str) -> String {
    let command = &reason.remedy.command;
    let uncounted = command.rfind("metatoken ").map_or(0, |at| command[..at].chars().count());
    let longest = (LONGEST + uncounted).min(most);
    let parts = Parts::of(reason);
    let length = |cause: &str, who: &str| parts.line(cause, who, more).chars().count();
    let plain = |text: &str| text.replace('`', "");
    let (cause, who) = (&*plain(&reason.message), &*plain(&reason.remedy.brief));
    let excess = length(cause, who).saturating_sub(longest);
    if excess == 0 {
        return parts.line(cause, who, more);
    }
    let shorter = cut(cause, cause.chars().count().saturating_sub(excess));
    if length(&shorter, who) <= longest && shorter.chars().count() >= FEWEST {
        return parts.line(&shorter, who, more);
    }
    // A person's name is worth more than a cause of which nothing is left; an operator knows.
    let is_named = !who.is_empty() && !who.starts_with(OPERATOR) && !parts.state.is_empty();
    if is_named && length("", who) <= longest {
        return parts.line("", who, more);
    }
    // Who acts, without what he does, where the cause loses nothing by it.
    let is_known = who.starts_with(OPERATOR) && !command.is_empty();
    if is_known && length(cause, OPERATOR) <= longest {
        return parts.line(cause, OPERATOR, more);
    }
    let excess = length(cause, "").saturating_sub(longest);
    let shorter = cut(cause, cause.chars().count().saturating_sub(excess));
    let says_enough = shorter.chars().count() >= FEWEST || !parts.say_what_it_is();
    if length(&shorter, "") <= longest && says_enough {
        return parts.line(&shorter, "", more);
    }
    // Where nothing else says what it is about, a command that is too long itself does not stand alone.
    let begins = if parts.say_what_it_is() { String::new() } else { cut(cause, BEGINNING) };
    parts.line(if length(&begins, "") <= most { &begins } else { "" }, "", more)
}

impl Reason {
    /// The state and the cause: `down since 2026-12-20, expired`.
    pub fn what(&self) -> String {
        match self.condition {
            Some(condition) => format!("{condition:#}, {}", self.message),
            None => self.message.clone(),
        }
    }

    /// What to do, what shows that it worked, and Meta's own words.
    pub fn detail(&self) -> String {
        let remedy = Some(self.remedy.to_string());
        let proof = self.proof().map(|command| format!("Proof: `{command}`"));
        let meta = Some(format!("Meta: {}", self.meta)).filter(|_| !self.meta.is_empty());
        let parts = [remedy, proof, meta].into_iter().flatten().filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join(". ")
    }

    /// The command that shows whether the remedy worked.
    pub fn proof(&self) -> Option<String> {
        let command = &self.remedy.command;
        let prefix = &command[..command.rfind("metatoken ")?];
        let whose = match self.labels.as_slice() {
            // A label that the config does not declare can be named no more.
            [label, ..] if !self.is_about_labels_that_left() => label.as_str(),
            _ => "--system",
        };
        let proof = format!("{prefix}metatoken check {whose}");
        Some(proof).filter(|proof| proof != command)
    }
}

/// What is never cut.
struct Parts<'a> {
    subject: String,
    state: String,
    command: &'a str,
}

impl<'a> Parts<'a> {
    fn of(reason: &'a Reason) -> Self {
        let subject = match reason.labels.as_slice() {
            [] => String::new(),
            [one] => format!("{one}: "),
            [first, others @ ..] => format!("{first} and {} more: ", others.len()),
        };
        let state = reason.condition.map(|state| state.to_string()).unwrap_or_default();
        Self { subject, state, command: &reason.remedy.command }
    }

    const fn say_what_it_is(&self) -> bool {
        !self.subject.is_empty() || !self.state.is_empty()
    }

    fn line(&self, cause: &str, who: &str, more: &str) -> String {
        let is = [self.state.as_str(), cause];
        let is: Vec<&str> = is.into_iter().filter(|part| !part.is_empty()).collect();
        let does = [who, self.command];
        let does: Vec<&str> = does.into_iter().filter(|part| !part.is_empty()).collect();
        let end = if does.is_empty() { "" } else { "; " };
        format!("{}{}{end}{}{more}", self.subject, is.join(", "), does.join(": "))
    }
}

/// The text in at most so many characters, cut at a word, with a mark where it is cut.
pub fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let head: String = text.chars().take(room.saturating_sub(1)).collect();
    // What stands in parentheses goes as a whole, and is not missed.
    if let Some((before, inside)) = head.rsplit_once(" (")
        && !inside.contains(')')
    {
        return before.to_owned();
    }
    let mut whole = head.rfind(' ').map_or(&*head, |at| &head[..at]);
    if head.len() - whole.len() > LONG_WORD {
        return format!("{head}…");
    }
    // A number without its unit misleads.
    while let Some((before, last)) = whole.rsplit_once(' ')
        && (last.chars().all(|c| c.is_ascii_digit()) || matches!(last, "in" | "of" | "the" | "a"))
    {
        whole = before;
    }
    format!("{}…", whole.trim_end_matches([',', ';', ':', ' ', '(']))
}
