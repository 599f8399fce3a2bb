//! Says which notifications a channel is due.
//!
//! A notification that repeats itself is muted, and a muted one is worth nothing. So what every
//! channel was notified of is remembered, and it gets a cause once for each state: when it comes,
//! when it becomes worse or better, when it goes. What is remembered is stored only when the
//! message was sent; a plan after a failure or a kill is the same plan.

use std::collections::{HashMap, HashSet};

use chrono::TimeDelta;

use super::causes::{Cause, Interest, Issues, causes};
use super::dates::Deadline;
use super::reason::hangs_on_a_date;
use super::versions::FALLBACK;
use super::{Dates, Health, Reason, Remedy};
use crate::token::{Action, Label, NotificationEvent, Notified, Time, Topic, TopicState};

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
    /// The incident that it belongs to, of a channel that has such; nothing where it opens one.
    pub incident: Option<String>,
}

/// What a channel is due, and what is remembered or forgotten without a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NotificationPlan {
    /// The worst first, then reminders, what has gone last.
    pub notifications: Vec<Notification>,
    /// What has changed in a way that the channel does not want to be notified of.
    pub notified: Vec<Notified>,
    /// What no longer concerns the channel.
    pub over: Vec<Topic>,
}

/// What a channel is due, after it was notified of so much.
pub fn plan(
    interest: Interest<'_>,
    issues: &Issues,
    notified: &[Notified],
    now: Time,
) -> NotificationPlan {
    let known = Known::of(interest, issues, notified);
    let mut plan = NotificationPlan::default();
    let causes = causes(interest, issues);
    for cause in &causes {
        plan.add_changed(&known, cause);
    }
    plan.add_recovered(&known, &causes);
    plan.add_reminders(&known, now);
    plan.notifications.sort_by_key(|notification| rank(notification.event));
    plan
}

/// What the plan of a channel draws on.
struct Known<'a> {
    interest: Interest<'a>,
    issues: &'a Issues,
    notified: &'a [Notified],
    by_topic: HashMap<&'a Topic, &'a Notified>,
    /// The position of each token in the config.
    places: HashMap<&'a Label, usize>,
}

impl<'a> Known<'a> {
    fn of(interest: Interest<'a>, issues: &'a Issues, notified: &'a [Notified]) -> Self {
        let by_topic = notified.iter().rev().map(|it| (&it.topic, it)).collect();
        let places = issues.tokens.iter().enumerate().rev();
        let places = places.map(|(place, token)| (&token.label, place)).collect();
        Self { interest, issues, notified, by_topic, places }
    }

    /// Whether the channel could still be notified of a cause.
    fn reaches(&self, topic: &Topic) -> bool {
        match &topic.label {
            Some(label) => self.interest.covers(label) && self.places.contains_key(label),
            None => self.interest.labels.is_empty(),
        }
    }

    /// The position of a topic's token in the config; the system comes first.
    fn place(&self, topic: &Topic) -> Option<usize> {
        let label = topic.label.as_ref()?;
        Some(self.places.get(label).copied().unwrap_or(usize::MAX))
    }

    /// Whether dates are doubted, and this cause hangs on one.
    fn is_doubted(&self, notified: &Notified) -> bool {
        self.issues.dates == Dates::Doubted
            && hangs_on_a_date(&notified.topic.code)
            && self.reaches(&notified.topic)
    }

    /// Whether this cause is seen only while Graph is asked, and it was not.
    fn is_unseen(&self, notified: &Notified) -> bool {
        let Topic { code, about, .. } = &notified.topic;
        code == FALLBACK && about.as_ref().is_some_and(|app| self.issues.unheard_apps.contains(app))
    }
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

impl NotificationPlan {
    /// Adds a cause that is new or has changed, with the tokens of which that is true and those that
    /// they hold back.
    fn add_changed(&mut self, known: &Known<'_>, cause: &Cause) {
        let mut wanted = Vec::new();
        let mut worst = Health::Ok;
        for (topic, severity) in &cause.topics {
            let Some(event) = event(*severity) else { continue };
            let state = TopicState::Stands(event);
            let before = known.by_topic.get(topic);
            if before.is_some_and(|notified| notified.state == state) {
                continue;
            }
            let message = cause.reason.message.clone();
            let now = Notified { topic: topic.clone(), state, message };
            if known.interest.wants(event) {
                worst = worst.worse(*severity);
                wanted.push(now);
            } else if before.is_some() {
                self.notified.push(now);
            }
        }
        let Some(event) = event(worst) else { return };
        let labels = wanted.iter().filter_map(|notified| notified.topic.label.as_ref()).collect();
        let mut reason = cause.of(&labels);
        reason.severity = worst;
        self.notifications.push(Notification {
            event,
            reason,
            notified: wanted,
            over: Vec::new(),
            incident: None,
        });
    }
}

/// The code of what is said of a cause that has gone.
const RECOVERED: &str = "recovered";

/// The code of what is said of an incident that is closed for another reason.
pub const CLOSED: &str = "closed";

/// What has become of the causes that have gone.
struct Successors<'a> {
    /// Every topic of a cause.
    topics: HashSet<&'a Topic>,
    /// The topics that the channel was not notified of before, by what they are about.
    new: HashSet<(&'a Label, Option<&'a str>)>,
    /// The tokens that share the problem of another one.
    held: HashSet<&'a Label>,
    /// The notifications of a new state, by what they are about.
    changed: HashMap<(Label, Option<String>), usize>,
    /// The notifications of which a token shares the problem.
    shared: HashMap<Label, usize>,
}

impl<'a> Successors<'a> {
    fn of(causes: &'a [Cause], changed: &[Notification], known: &Known<'_>) -> Self {
        let topics: HashSet<&Topic> =
            causes.iter().flat_map(|it| &it.topics).map(|(topic, _)| topic).collect();
        let new = topics.iter().filter(|topic| !known.by_topic.contains_key(**topic));
        let new = new.filter_map(|topic| Some((topic.label.as_ref()?, topic.about.as_deref())));
        let mut successors = Self {
            new: new.collect(),
            topics,
            held: causes.iter().flat_map(Cause::labels_without_a_topic).collect(),
            changed: HashMap::new(),
            shared: HashMap::new(),
        };
        for (place, notification) in changed.iter().enumerate() {
            successors.add(place, notification);
        }
        successors
    }

    fn add(&mut self, place: usize, notification: &Notification) {
        let topics = notification.notified.iter().map(|notified| &notified.topic);
        let mut own = HashSet::new();
        for topic in topics {
            let Some(label) = &topic.label else { continue };
            own.insert(label);
            self.changed.entry((label.clone(), topic.about.clone())).or_insert(place);
        }
        for label in notification.reason.labels.iter().filter(|label| !own.contains(label)) {
            self.shared.entry(label.clone()).or_insert(place);
        }
    }

    /// The first notification that says what has become of a cause of a token.
    fn notification(&self, gone: &Topic) -> Option<usize> {
        let label = gone.label.as_ref()?;
        let changed = self.changed.get(&(label.clone(), gone.about.clone()));
        let shared = self.shared.get(label).filter(|_| gone.about.is_none());
        changed.into_iter().chain(shared).min().copied()
    }

    /// Whether a cause that has gone goes on as another one of the same token: one that the channel
    /// was not notified of before, or that of a token which holds this one back.
    fn goes_on(&self, gone: &Topic) -> bool {
        let Some(label) = &gone.label else { return false };
        (gone.about.is_none() && self.held.contains(label))
            || self.new.contains(&(label, gone.about.as_deref()))
    }
}

impl NotificationPlan {
    /// Adds the causes that have gone.
    ///
    /// A cause has not gone where something else took its place, where the token now shares
    /// another's problem, or where the token is no longer kept; and while dates are doubted it is not
    /// known.
    fn add_recovered(&mut self, known: &Known<'_>, causes: &[Cause]) {
        let successors = Successors::of(causes, &self.notifications, known);
        let gone = known.notified.iter().filter(|notified| {
            matches!(notified.state, TopicState::Stands(_))
                && !successors.topics.contains(&notified.topic)
                && !known.is_doubted(notified)
                && !known.is_unseen(notified)
        });
        let mut gone: Vec<&Notified> = gone.collect();
        gone.sort_by_key(|notified| known.place(&notified.topic));
        let mut recoveries = HashMap::new();
        for notified in gone {
            let topic = &notified.topic;
            if !known.reaches(topic) {
                self.over.push(topic.clone());
            } else if let Some(place) = successors.notification(topic) {
                self.notifications[place].over.push(topic.clone());
            } else if successors.goes_on(topic)
                || !known.interest.wants(NotificationEvent::Recovered)
            {
                self.over.push(topic.clone());
            } else {
                self.add_recovery(notified, &mut recoveries);
            }
        }
    }

    /// Adds a recovery, to that of other tokens where it is the same.
    fn add_recovery<'n>(
        &mut self,
        notified: &'n Notified,
        recoveries: &mut HashMap<(&'n str, &'n str, Option<&'n str>), usize>,
    ) {
        let topic = &notified.topic;
        let key = (notified.message.as_str(), topic.code.as_str(), topic.about.as_deref());
        let place = *recoveries.entry(key).or_insert(self.notifications.len());
        if place == self.notifications.len() {
            let mut recovery = Notification::recovery(&notified.message);
            recovery.reason.about.clone_from(&topic.about);
            self.notifications.push(recovery);
        }
        let recovery = &mut self.notifications[place];
        recovery.reason.labels.extend(topic.label.clone());
        recovery.over.push(topic.clone());
    }
}

impl Notification {
    /// A notification that this is no longer so.
    pub fn recovery(of: &str) -> Self {
        let reason = Reason {
            action: Action::None,
            remedy: Remedy::default(),
            ..Reason::of_the_system(RECOVERED, Health::Ok, of, "")
        };
        Self {
            event: NotificationEvent::Recovered,
            reason,
            notified: Vec::new(),
            over: Vec::new(),
            incident: None,
        }
    }

    /// A notification that an incident is closed whose cause goes on as another, or is not kept any more.
    pub fn closing(of: &str, incident: String) -> Self {
        let recovery = Self::recovery(of);
        let reason = Reason { code: CLOSED, ..recovery.reason };
        Self { reason, incident: Some(incident), ..recovery }
    }
}

/// The code under which reminders are remembered.
const REMINDER: &str = "reminder";

/// Two dates from Graph that differ by less are the same.
const SAME_DATE: TimeDelta = TimeDelta::hours(24);

impl NotificationPlan {
    /// Adds reminders of the dates that have come near.
    ///
    /// Each is sent once for every reminder that was reached, however many were reached at once, and
    /// not beside a notification about the same date. What was said of a date is remembered until it
    /// has passed: a token that is missing for a day has not got another one.
    fn add_reminders(&mut self, known: &Known<'_>, now: Time) {
        let mut alarms = HashMap::new();
        for (place, notification) in self.notifications.iter().enumerate() {
            for Notified { topic, .. } in &notification.notified {
                let Some(label) = topic.label.clone() else { continue };
                alarms.entry((label, topic.code.clone())).or_insert(place);
            }
        }
        let tokens = known.issues.tokens.iter().filter(|it| known.interest.covers(&it.label));
        for (token, deadline) in tokens.flat_map(|it| it.deadlines.iter().map(move |at| (it, at))) {
            let topic = Topic {
                label: Some(token.label.clone()),
                code: REMINDER.to_owned(),
                about: Some(deadline.code.to_owned()),
            };
            let Some(reached) = deadline.reached(now) else { continue };
            if known.by_topic.get(&topic).is_some_and(|it| it.covers(deadline, reached)) {
                continue;
            }
            let state = TopicState::Reminded { deadline: deadline.at, before: reached };
            let remembered = Notified { topic, state, message: deadline.message.clone() };
            let alarm = alarms.get(&(token.label.clone(), deadline.code.to_owned()));
            if let Some(place) = alarm {
                self.notifications[*place].notified.push(remembered);
            } else if known.interest.wants(NotificationEvent::Reminder) {
                self.notifications.push(reminder(deadline, remembered, known.interest));
            }
        }
        let outdated = known.notified.iter().filter(|notified| match notified.state {
            TopicState::Reminded { deadline, .. } => {
                deadline + SAME_DATE <= now || !known.reaches(&notified.topic)
            }
            TopicState::Stands(_) => false,
        });
        let again: HashSet<&Topic> =
            self.notifications.iter().flat_map(|it| &it.notified).map(|it| &it.topic).collect();
        let outdated = outdated.map(|notified| &notified.topic);
        let outdated: Vec<Topic> = outdated.filter(|it| !again.contains(it)).cloned().collect();
        self.over.extend(outdated);
    }
}

fn reminder(deadline: &Deadline, remembered: Notified, interest: Interest<'_>) -> Notification {
    let mut reason = deadline.reason();
    reason.labels.retain(|label| interest.covers(label));
    let (event, notified) = (NotificationEvent::Reminder, vec![remembered]);
    Notification { event, reason, notified, over: Vec::new(), incident: None }
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
            condition: self.condition,
            meta: self.meta.clone(),
            remedy: self.remedy.clone(),
            action: Action::Reauthenticate,
            labels: self.labels.clone(),
            ..Reason::of_the_system(self.code, Health::Warning, self.message.clone(), "")
        }
    }
}
