//! Says which notifications a channel is due.
//!
//! A notification that repeats itself is muted, and a muted one is worth nothing. So what every
//! channel was notified of is remembered, and it gets a cause once for each state: when it comes,
//! when it becomes worse or better, when it goes. What is remembered is stored only when the
//! message was sent; a plan after a failure or a kill is the same plan.
//!
//! What is remembered depends on the token, the code and what the reason is about, and never on its
//! words, in which dates come nearer day by day. A token that another holds back has no topic of
//! its own: it comes and goes with the other.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use chrono::TimeDelta;

use super::reason::hangs_on_a_date;
use super::reminders::Deadline;
use super::versions::FALLBACK;
use super::{Dates, Health, Reason, merge};
use crate::token::{Action, Label, NotificationEvent, Notified, Pattern, Time, Topic, TopicState};

/// What a channel wants to be notified of.
#[derive(Debug, Clone, Copy)]
pub struct Interest<'a> {
    /// Which events.
    pub events: &'a [NotificationEvent],
    /// Which tokens; without a pattern all tokens and the system.
    pub labels: &'a [Pattern],
}

/// What is wrong with everything.
#[derive(Debug, Clone)]
pub struct Issues {
    /// Every token.
    pub tokens: Vec<TokenIssues>,
    /// What is wrong with the system.
    pub system: Vec<Reason>,
    /// Whether dates were judged: while they are doubted there is no reason about a date, which does
    /// not mean that the dates are far off.
    pub dates: Dates,
}

impl Issues {
    /// The position of a token in the config; the system comes first.
    fn place(&self, label: Option<&Label>) -> Option<usize> {
        let label = label?;
        Some(self.tokens.iter().position(|it| it.label == *label).unwrap_or(usize::MAX))
    }
}

/// What is wrong with one token.
#[derive(Debug, Clone)]
pub struct TokenIssues {
    /// Its label.
    pub label: Label,
    /// What is wrong with it.
    pub reasons: Vec<Reason>,
    /// The dates that only a person can extend.
    pub deadlines: Vec<Deadline>,
}

/// A notification that a channel is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// What it is about.
    pub event: NotificationEvent,
    /// What is said; of a cause that has gone, what was said before.
    pub reason: Reason,
    /// What is remembered once it was sent.
    pub notified: Vec<Notified>,
    /// What is forgotten then.
    pub over: Vec<Topic>,
}

/// What a channel is due, and what is remembered or forgotten without a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The worst first, then reminders, what has gone last.
    pub notifications: Vec<Notification>,
    /// What has changed in a way that the channel does not want to be notified of.
    pub notified: Vec<Notified>,
    /// What no longer concerns the channel.
    pub over: Vec<Topic>,
}

/// What a channel is due, after it was notified of so much.
pub fn plan(interest: Interest<'_>, issues: &Issues, notified: &[Notified], now: Time) -> Plan {
    let mut plan = Plan::default();
    let causes = causes(interest, issues);
    for cause in &causes {
        plan.add_changed(interest, cause, notified);
    }
    plan.add_recovered(interest, issues, &causes, notified);
    plan.add_reminders(interest, issues, notified, now);
    plan.notifications.sort_by_key(|notification| rank(notification.event));
    plan
}

const fn rank(event: NotificationEvent) -> u8 {
    match event {
        NotificationEvent::Critical => 0,
        NotificationEvent::Warning => 1,
        NotificationEvent::Unknown => 2,
        NotificationEvent::Reminder => 3,
        NotificationEvent::Recovered => 4,
    }
}

const fn event(health: Health) -> Option<NotificationEvent> {
    match health {
        Health::Ok => None,
        Health::Warning => Some(NotificationEvent::Warning),
        Health::Critical => Some(NotificationEvent::Critical),
        Health::Unknown => Some(NotificationEvent::Unknown),
    }
}

impl Interest<'_> {
    fn wants(self, event: NotificationEvent) -> bool {
        self.events.contains(&event)
    }

    fn covers(self, label: &Label) -> bool {
        self.labels.is_empty() || self.labels.iter().any(|pattern| pattern.matches(label))
    }

    /// Whether the channel could still be notified of a cause.
    fn reaches(self, topic: &Topic, issues: &Issues) -> bool {
        match &topic.label {
            Some(label) => self.covers(label) && issues.tokens.iter().any(|it| it.label == *label),
            None => self.labels.is_empty(),
        }
    }
}

impl Plan {
    /// Adds a cause that is new or has changed, with the tokens of which that is true and those that
    /// they hold back.
    fn add_changed(&mut self, interest: Interest<'_>, cause: &Cause, notified: &[Notified]) {
        let before = |topic: &Topic| notified.iter().find(|notified| notified.topic == *topic);
        let mut wanted = Vec::new();
        let mut worst = Health::Ok;
        for (topic, severity) in &cause.topics {
            let Some(event) = event(*severity) else { continue };
            let state = TopicState::Stands(event);
            let known = before(topic);
            if known.is_some_and(|notified| notified.state == state) {
                continue;
            }
            let message = cause.reason.message.clone();
            let now = Notified { topic: topic.clone(), state, message };
            if interest.wants(event) {
                worst = worst.worse(*severity);
                wanted.push(now);
            } else if known.is_some() {
                self.notified.push(now);
            }
        }
        let Some(event) = event(worst) else { return };
        let mut reason = cause.with_those(|label| {
            wanted.iter().any(|notified| notified.topic.label.as_ref() == Some(label))
        });
        reason.severity = worst;
        self.notifications.push(Notification { event, reason, notified: wanted, over: Vec::new() });
    }
}

/// A cause, and the topics that it is the whole reason of.
struct Cause {
    reason: Reason,
    topics: Vec<(Topic, Health)>,
    /// Tokens without a topic, each with the token whose problem it shares.
    held: Vec<(Label, Label)>,
}

impl Cause {
    /// The reason with no more tokens than those of which something is `new`, and those that they
    /// hold back.
    fn with_those(&self, new: impl Fn(&Label) -> bool) -> Reason {
        let mut reason = self.reason.clone();
        reason.labels.retain(|label| {
            let holder = self.held.iter().find(|(held, _)| held == label).map(|(_, holder)| holder);
            new(label) || (!self.has_topic_of(label) && holder.is_none_or(&new))
        });
        reason
    }

    /// Whether it is a problem of this token itself.
    fn has_topic_of(&self, label: &Label) -> bool {
        self.topics.iter().any(|(topic, _)| topic.label.as_ref() == Some(label))
    }
}

/// One reason of one token, or of the system alone.
struct Own {
    label: Option<Label>,
    reason: Reason,
}

/// Every cause that concerns the channel, once, with its topics.
fn causes(interest: Interest<'_>, issues: &Issues) -> Vec<Cause> {
    let all = folded(of_tokens(interest, issues).chain(of_system(interest, issues)));
    let merged = merge(all.iter().map(|own| own.reason.clone()));
    merged.into_iter().map(|reason| cause(reason, &all)).collect()
}

fn of_tokens<'a>(interest: Interest<'a>, issues: &'a Issues) -> impl Iterator<Item = Own> + 'a {
    let tokens = issues.tokens.iter().filter(move |token| interest.covers(&token.label));
    tokens.flat_map(|token| {
        let own =
            |reason: &Reason| Own { label: Some(token.label.clone()), reason: reason.clone() };
        token.reasons.iter().map(own)
    })
}

/// What is wrong with the system; where it names tokens, with each of them.
fn of_system<'a>(interest: Interest<'a>, issues: &'a Issues) -> impl Iterator<Item = Own> + 'a {
    issues.system.iter().flat_map(move |reason| {
        if reason.labels.is_empty() {
            let whole = interest.labels.is_empty();
            return Vec::from_iter(whole.then(|| Own { label: None, reason: reason.clone() }));
        }
        let labels = reason.labels.iter().filter(|label| interest.covers(label));
        let own = labels.map(|label| Own {
            label: Some(label.clone()),
            reason: Reason { labels: vec![label.clone()], ..reason.clone() },
        });
        own.collect()
    })
}

/// One reason of each token for each code and thing that it is about, since it is remembered by
/// these: a token may lack both a permission and a Page.
fn folded(all: impl Iterator<Item = Own>) -> Vec<Own> {
    let mut folded: Vec<Own> = Vec::new();
    let mut places: HashMap<_, usize> = HashMap::new();
    for own in all {
        let place = (own.label.clone(), own.reason.code, own.reason.about.clone());
        match places.entry(place) {
            Entry::Occupied(known) => folded[*known.get()].reason.append(&own.reason),
            Entry::Vacant(new) => {
                new.insert(folded.len());
                folded.push(own);
            }
        }
    }
    folded
}

impl Reason {
    /// Adds another reason, so that both are one cause.
    fn append(&mut self, other: &Self) {
        self.severity = self.severity.worse(other.severity);
        for (text, more) in [(&mut self.message, &other.message), (&mut self.remedy, &other.remedy)]
        {
            if !text.contains(more.as_str()) {
                text.push_str("; ");
                text.push_str(more);
            }
        }
    }
}

fn cause(reason: Reason, all: &[Own]) -> Cause {
    let holds = |holder: &Label| reason.labels.contains(holder);
    let is_it = |own: &&Own| {
        let same = (own.reason.code, &own.reason.message, &own.reason.remedy)
            == (reason.code, &reason.message, &reason.remedy);
        same && !own.reason.held_by.as_ref().is_some_and(holds)
    };
    let topics = all.iter().filter(is_it).map(|own| {
        let (code, about) = (own.reason.code.to_owned(), own.reason.about.clone());
        (Topic { label: own.label.clone(), code, about }, own.reason.severity)
    });
    let held = all.iter().filter_map(|own| Some((own.label.clone()?, own.reason.held_by.clone()?)));
    let held = held
        .filter(|(label, holder)| reason.labels.contains(label) && reason.labels.contains(holder));
    let (topics, held) = (topics.collect(), held.collect());
    Cause { reason, topics, held }
}

/// The code of what is said of a cause that has gone.
const RECOVERED: &str = "recovered";

/// Whether a cause is seen only while Graph is asked, so that its absence means nothing.
fn is_seen_by_chance(notified: &Notified) -> bool {
    notified.topic.code == FALLBACK
}

/// What becomes of a cause that has gone.
enum End {
    /// Another notification takes its place.
    ReplacedBy(usize),
    /// It is forgotten.
    Silent,
    /// The channel is notified of it.
    Recovered,
}

impl Plan {
    /// Adds the causes that have gone.
    ///
    /// A cause has not gone where something else took its place, where the token now shares
    /// another's problem, or where the token is no longer kept; and while dates are doubted it is not
    /// known.
    fn add_recovered(
        &mut self,
        interest: Interest<'_>,
        issues: &Issues,
        causes: &[Cause],
        notified: &[Notified],
    ) {
        let stands =
            |topic: &Topic| causes.iter().flat_map(|it| &it.topics).any(|it| it.0 == *topic);
        let doubted = |notified: &Notified| {
            issues.dates == Dates::Doubted
                && hangs_on_a_date(&notified.topic.code)
                && interest.reaches(&notified.topic, issues)
        };
        let gone = notified.iter().filter(|notified| {
            matches!(notified.state, TopicState::Stands(_))
                && !stands(&notified.topic)
                && !doubted(notified)
                && !is_seen_by_chance(notified)
        });
        let known = |topic: &Topic| notified.iter().any(|notified| notified.topic == *topic);
        let mut gone: Vec<&Notified> = gone.collect();
        gone.sort_by_key(|notified| issues.place(notified.topic.label.as_ref()));
        for gone in gone {
            let topic = &gone.topic;
            let end = if interest.reaches(topic, issues) {
                self.end(interest, causes, topic, known)
            } else {
                End::Silent
            };
            match end {
                End::ReplacedBy(place) => self.notifications[place].over.push(topic.clone()),
                End::Silent => self.over.push(topic.clone()),
                End::Recovered => self.add_recovery(gone),
            }
        }
    }

    fn end(
        &self,
        interest: Interest<'_>,
        causes: &[Cause],
        topic: &Topic,
        known: impl Fn(&Topic) -> bool,
    ) -> End {
        let place = self.notifications.iter().position(|it| it.replaces(topic));
        if let Some(place) = place {
            return End::ReplacedBy(place);
        }
        let goes_on = causes.iter().any(|cause| cause.goes_on_as(topic, &known));
        if goes_on || !interest.wants(NotificationEvent::Recovered) {
            return End::Silent;
        }
        End::Recovered
    }

    fn add_recovery(&mut self, notified: &Notified) {
        let topic = &notified.topic;
        let same = |it: &&mut Notification| {
            it.event == NotificationEvent::Recovered
                && it.reason.message == notified.message
                && it.over.iter().all(|it| (&it.code, &it.about) == (&topic.code, &topic.about))
        };
        if let Some(known) = self.notifications.iter_mut().find(same) {
            known.reason.labels.extend(topic.label.clone());
            known.over.push(topic.clone());
            return;
        }
        let mut notification = Notification::recovery(&notified.message);
        notification.reason.about.clone_from(&topic.about);
        notification.reason.labels = topic.label.iter().cloned().collect();
        notification.over.push(topic.clone());
        self.notifications.push(notification);
    }
}

impl Cause {
    /// Whether this is what has become of a cause of the same token that has gone: one that the
    /// channel was not notified of before, or that of a token which holds this one back.
    fn goes_on_as(&self, topic: &Topic, known: impl Fn(&Topic) -> bool) -> bool {
        let Some(label) = &topic.label else { return false };
        let held = topic.about.is_none()
            && self.reason.labels.contains(label)
            && !self.has_topic_of(label);
        let new = |other: &Topic| other.is_in_the_place_of(topic) && !known(other);
        held || self.topics.iter().any(|(other, _)| new(other))
    }
}

impl Topic {
    /// Whether both are about the same thing of the same token.
    fn is_in_the_place_of(&self, gone: &Self) -> bool {
        gone.label.is_some() && (&self.label, &self.about) == (&gone.label, &gone.about)
    }
}

impl Notification {
    /// A notification that this is no longer so.
    pub fn recovery(of: &str) -> Self {
        let reason = Reason {
            code: RECOVERED,
            severity: Health::Ok,
            message: of.to_owned(),
            remedy: String::new(),
            action: Action::None,
            about: None,
            labels: Vec::new(),
            held_by: None,
        };
        Self { event: NotificationEvent::Recovered, reason, notified: Vec::new(), over: Vec::new() }
    }

    /// Whether it says what has become of a cause that has gone.
    fn replaces(&self, gone: &Topic) -> bool {
        let Some(label) = &gone.label else { return false };
        let own = |notified: &Notified| notified.topic.label.as_ref() == Some(label);
        let held = gone.about.is_none()
            && self.reason.labels.contains(label)
            && !self.notified.iter().any(own);
        !self.notified.is_empty()
            && (held
                || self.notified.iter().any(|notified| notified.topic.is_in_the_place_of(gone)))
    }
}

/// The code under which reminders are remembered.
const REMINDER: &str = "reminder";

/// Two dates from Graph that differ by less are the same.
const SAME_DATE: TimeDelta = TimeDelta::hours(24);

impl Plan {
    /// Adds reminders of the dates that have come near.
    ///
    /// Each is sent once for every reminder that was reached, however many were reached at once, and
    /// not beside a notification about the same date. What was said of a date is remembered until it
    /// has passed: a token that is missing for a day has not got another one.
    fn add_reminders(
        &mut self,
        interest: Interest<'_>,
        issues: &Issues,
        notified: &[Notified],
        now: Time,
    ) {
        let tokens = issues.tokens.iter().filter(|token| interest.covers(&token.label));
        for (token, deadline) in tokens.flat_map(|it| it.deadlines.iter().map(move |at| (it, at))) {
            let topic = Topic {
                label: Some(token.label.clone()),
                code: REMINDER.to_owned(),
                about: Some(deadline.code.to_owned()),
            };
            let Some(reached) = deadline.reached(now) else { continue };
            if notified
                .iter()
                .any(|notified| notified.topic == topic && notified.covers(deadline, reached))
            {
                continue;
            }
            let state = TopicState::Reminded { deadline: deadline.at, before: reached };
            let remembered = Notified { topic, state, message: deadline.message.clone() };
            self.add_reminder(interest, deadline, &token.label, remembered);
        }
        let outdated = notified.iter().filter(|notified| match notified.state {
            TopicState::Reminded { deadline, .. } => {
                deadline + SAME_DATE <= now || !interest.reaches(&notified.topic, issues)
            }
            TopicState::Stands(_) => false,
        });
        let again: Vec<&Topic> = self
            .notifications
            .iter()
            .flat_map(|it| &it.notified)
            .map(|notified| &notified.topic)
            .collect();
        let outdated =
            outdated.map(|notified| &notified.topic).filter(|topic| !again.contains(topic));
        self.over.extend(outdated.cloned().collect::<Vec<_>>());
    }

    fn add_reminder(
        &mut self,
        interest: Interest<'_>,
        deadline: &Deadline,
        label: &Label,
        remembered: Notified,
    ) {
        let about_it = |notified: &Notified| {
            notified.topic.code == deadline.code && notified.topic.label.as_ref() == Some(label)
        };
        let alarm = self.notifications.iter_mut().find(|it| it.notified.iter().any(about_it));
        if let Some(alarm) = alarm {
            alarm.notified.push(remembered);
        } else if interest.wants(NotificationEvent::Reminder) {
            let mut reason = deadline.reason();
            reason.labels.retain(|label| interest.covers(label));
            let (event, notified) = (NotificationEvent::Reminder, vec![remembered]);
            self.notifications.push(Notification { event, reason, notified, over: Vec::new() });
        }
    }
}

impl Notified {
    /// Whether the channel was reminded of this date so near to it, or nearer.
    fn covers(&self, deadline: &Deadline, reached: TimeDelta) -> bool {
        match self.state {
            TopicState::Reminded { deadline: at, before } => {
                (at - deadline.at).abs() < SAME_DATE && before <= reached
            }
            TopicState::Stands(_) => false,
        }
    }
}

impl Deadline {
    /// The last reminder whose time has come; none once the date itself has.
    fn reached(&self, now: Time) -> Option<TimeDelta> {
        let left = Some(self.at - now).filter(|left| *left > TimeDelta::zero())?;
        self.reminders.iter().copied().filter(|before| left <= *before).min()
    }

    fn reason(&self) -> Reason {
        Reason {
            code: self.code,
            severity: Health::Warning,
            message: self.message.clone(),
            remedy: self.remedy.clone(),
            action: Action::Reauthenticate,
            about: None,
            labels: self.labels.clone(),
            held_by: None,
        }
    }
}
