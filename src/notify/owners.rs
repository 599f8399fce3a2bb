//! Writes to the owners of tokens: each his own, what he does and where.
//!
//! An owner runs no command and knows no machine. A mail has no path, no host and nothing of the system;
//! where a login is what helps, it may carry the address of Meta's dialog. All that one owner is due is
//! one mail, and he gets few in a day: what is over the limit waits for the next.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::TimeDelta;

use super::message::{Composer, Message};
use crate::config::{ChannelKind, Config, LoginLinks, NotifySetting, Recipients, mailbox, schema};
use crate::policy::{Notification, humanize};
use crate::report::StatusReport;
use crate::session::Session;
use crate::store::{ChannelRecord, Store, StoreError};
use crate::token::{Label, NotificationEvent, Pattern, Time};

/// So many mails an owner gets at most, in so long.
const MOST: (u64, TimeDelta) = (3, TimeDelta::hours(24));

/// A login dialog that an owner may open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginLink {
    /// What a browser opens.
    pub address: String,
    /// What has to be ticked there, in lines; may be empty.
    pub to_tick: String,
    /// Where the browser ends, on a page that does not load.
    pub redirect: String,
    /// Until when an answer is taken.
    pub ends_at: Time,
}

/// Makes the address of the dialog by which a token's owner logs in; none where there is none.
pub type MakeLink<'a> = &'a (dyn Fn(&Label) -> Option<LoginLink> + Sync);

/// The channels as they are served: one that writes to owners is one for each of them.
pub fn served(config: &Config, status: &StatusReport) -> Vec<NotifySetting> {
    let each = config.notify.iter().flat_map(|setting| match &setting.kind {
        ChannelKind::Email { to: Recipients::Owners, .. } => of_owners(config, setting, status),
        _ => vec![setting.clone()],
    });
    each.collect()
}

fn of_owners(
    config: &Config,
    setting: &NotifySetting,
    status: &StatusReport,
) -> Vec<NotifySetting> {
    let covers = |label: &Label| {
        setting.labels.is_empty() || setting.labels.iter().any(|pattern| pattern.matches(label))
    };
    let mut owners: BTreeMap<String, Vec<Pattern>> = BTreeMap::new();
    for token in &status.tokens {
        let (Some(label), Some(owner)) = (&token.label, &token.owner) else { continue };
        if let Some(address) = address_of(config, label, owner).filter(|_| covers(label)) {
            owners.entry(address).or_default().push(Pattern::new(label.as_str()));
        }
    }
    let one = |(owner, labels): (String, _)| setting.to_owner(&owner, labels);
    owners.into_iter().map(one).collect()
}

/// The address of a token's owner, where it is one, and one that may be written to.
pub fn address_of(config: &Config, label: &Label, owner: &str) -> Option<String> {
    let address = mailbox(owner)?.email;
    let (user, domain) = (address.user(), address.domain().to_lowercase());
    let is_vouched_for = !config.is_imported(label)
        || config.alerts.owner_domains.iter().any(|known| known.eq_ignore_ascii_case(&domain));
    is_vouched_for.then(|| format!("{user}@{domain}"))
}

/// Whether a mail to an owner has to wait for a run, which can make the address of a dialog: one without
/// it would be the only one.
pub fn waits_for_a_link(session: &Session, setting: &NotifySetting) -> bool {
    setting.owner().is_some() && session.config.alerts.login_links == LoginLinks::Sent
}

/// Whether an owner has had so many mails that this one waits.
pub fn has_had_enough(store: &Store, owner: &str, now: Time) -> Result<bool, StoreError> {
    let (most, within) = MOST;
    Ok(store.mails_to(owner, now - within)? >= most)
}

/// Writes all that an owner is due as one mail.
pub fn letter(
    composer: &Composer<'_>,
    channel: &ChannelRecord,
    notifications: &[Notification],
    answer_to: &str,
    link: Option<MakeLink<'_>>,
) -> Option<Message> {
    let first = notifications.first()?;
    let subject = match notifications {
        [one] => what(one),
        [one, others @ ..] => format!("{}, and {} more", what(one), others.len()),
        [] => return None,
    };
    let parts = notifications.iter().map(|one| part(composer, one, answer_to, link));
    let text = parts.collect::<Vec<_>>().join("\n\n");
    let text = format!("{text}\n\nQuestions? Answer this mail.\n");
    Some(Message { subject, text, ..composer.compose(channel, first) })
}

/// Which tokens, and what became of them.
fn what(notification: &Notification) -> String {
    let reason = &notification.reason;
    let labels = match reason.labels.as_slice() {
        [one, _, _, _, ..] => format!("{one} and {} more", reason.labels.len() - 1),
        few => few.iter().map(Label::as_str).collect::<Vec<_>>().join(", "),
    };
    if notification.event == NotificationEvent::Recovered {
        return format!("{labels}: nothing more to do for you");
    }
    let condition = reason.condition.map(|condition| format!("{condition:#}"));
    let parts: Vec<String> = condition.into_iter().chain(cause(&reason.message)).collect();
    format!("{labels}: {}", parts.join(", "))
}

/// The cause, without what is said of keys of the config.
fn cause(message: &str) -> Option<String> {
    let is_a_key = |word: &str| schema().home(word).is_some();
    let is_of_the_config = |part: &&str| part.split('`').skip(1).step_by(2).any(is_a_key);
    let parts: Vec<&str> = message.split(", ").filter(|part| !is_of_the_config(part)).collect();
    (!parts.is_empty()).then(|| parts.join(", ").replace('`', ""))
}

fn part(
    composer: &Composer<'_>,
    notification: &Notification,
    answer_to: &str,
    link: Option<MakeLink<'_>>,
) -> String {
    let mut text = what(notification);
    if notification.event == NotificationEvent::Recovered {
        return text;
    }
    let remedy = &notification.reason.remedy;
    let _ = write!(text, "\n\nWhat to do: {}.", remedy.of_owner);
    let deadline = composer.deadline(notification);
    if !deadline.is_empty() {
        let _ = write!(text, "\nDeadline: {deadline}.");
    }
    if let Some(link) = remedy.login().and_then(|label| link?(&label)) {
        text.push_str(&how_to_log_in(&link, answer_to, composer.now()));
    }
    text
}

fn how_to_log_in(link: &LoginLink, answer_to: &str, now: Time) -> String {
    let LoginLink { address, to_tick, redirect, ends_at } = link;
    format!(
        "\n\nOpen this address in a browser, on any device, and log in:\n\n{address}\n\n{to_tick}\
         Afterwards the browser shows a page that does not load. That is expected. Copy the whole address \
         from its address bar, which begins with {redirect}, and send it within a few minutes to \
         {answer_to}, and to no other person: it is a key to this login. The address above works until {}.",
        humanize::when(*ends_at, now)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_without_the_config() {
        for (message, expected) in [
            ("password changed", Some("password changed")),
            (
                "permission missing: `pages_manage_posts`",
                Some("permission missing: pages_manage_posts"),
            ),
            (
                "`editor` has no access to Page 2 (not ticked)",
                Some("editor has no access to Page 2 (not ticked)"),
            ),
            ("400 days old, `rotate_after` is 365 days", Some("400 days old")),
            ("`auto_refresh` is off", None),
            ("without `parent` it cannot be renewed", None),
        ] {
            assert_eq!(cause(message).as_deref(), expected, "{message}");
        }
    }
}
