//! Folds what is wrong into causes: each once, with the topics by which it is remembered.
//!
//! What is remembered depends on the token, the code and what the reason is about, and never on its
//! words, in which dates come nearer day by day. A token that another holds back has no topic of
//! its own: it comes and goes with the other.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use super::dates::Deadline;
use super::{Dates, Health, Reason, Remedy, merge};
use crate::token::{Label, NotificationEvent, Pattern, Topic};

/// What a channel wants to be notified of.
#[derive(Debug, Clone, Copy)]
pub struct Interest<'a> {
    pub events: &'a [NotificationEvent],
    /// Which tokens; without a pattern all tokens and the system.
    pub labels: &'a [Pattern],
}

/// What is wrong with everything.
#[derive(Debug, Clone)]
pub struct Issues {
    pub tokens: Vec<TokenIssues>,
    /// What is wrong with the system.
    pub system: Vec<Reason>,
    /// Whether dates were judged: while they are doubted there is no reason about a date, which does
    /// not mean that the dates are far off.
    pub dates: Dates,
    /// The apps that Graph has not answered just now in the version that they ask for: that nothing is
    /// said of another one does not mean that there is none.
    pub unheard_apps: Vec<String>,
}

/// What is wrong with one token.
#[derive(Debug, Clone)]
pub struct TokenIssues {
    pub label: Label,
    /// What is wrong with it.
    pub reasons: Vec<Reason>,
    /// The dates that only a person can extend.
    pub deadlines: Vec<Deadline>,
}

impl Interest<'_> {
    /// Whether the channel wants to be notified of these events.
    pub fn wants(self, event: NotificationEvent) -> bool {
        self.events.contains(&event)
    }

    /// Whether the channel wants to be notified of this token.
    pub fn covers(self, label: &Label) -> bool {
        self.labels.is_empty() || self.labels.iter().any(|pattern| pattern.matches(label))
    }
}

/// A cause, and the topics that it is the whole reason of.
pub struct Cause {
    /// The reason, with every token that it holds for.
    pub reason: Reason,
    /// What it is remembered by.
    pub topics: Vec<(Topic, Health)>,
    /// Tokens without a topic, each with the token whose problem it shares.
    held: Vec<(Label, Label)>,
}

impl Cause {
    /// The reason with no more tokens than these, and those that they hold back.
    pub fn of(&self, labels: &HashSet<&Label>) -> Reason {
        let own = self.labels_with_a_topic();
        let holders: HashMap<&Label, &Label> =
            self.held.iter().rev().map(|(held, holder)| (held, holder)).collect();
        let mut reason = self.reason.clone();
        reason.labels.retain(|label| {
            let holder = holders.get(label);
            labels.contains(label)
                || (!own.contains(label) && holder.is_none_or(|holder| labels.contains(holder)))
        });
        reason
    }

    /// The tokens that share the problem of another one.
    pub fn labels_without_a_topic(&self) -> impl Iterator<Item = &Label> {
        let own = self.labels_with_a_topic();
        self.reason.labels.iter().filter(move |label| !own.contains(label))
    }

    fn labels_with_a_topic(&self) -> HashSet<&Label> {
        self.topics.iter().filter_map(|(topic, _)| topic.label.as_ref()).collect()
    }
}

/// One reason of one token, or of the system alone.
struct Own {
    label: Option<Label>,
    reason: Reason,
}

/// Every cause that concerns the channel, once, with its topics.
pub fn causes(interest: Interest<'_>, issues: &Issues) -> Vec<Cause> {
    let all = folded(of_tokens(interest, issues).chain(of_system(interest, issues)));
    let index = Index::of(&all);
    let merged = merge(all.iter().map(|own| own.reason.clone()));
    merged.into_iter().map(|reason| index.cause(reason)).collect()
}

/// The reasons by what is looked for: ten thousand tokens can have as many causes.
struct Index<'a> {
    /// By code, message and remedy.
    by_words: HashMap<(&'a str, &'a str, &'a Remedy), Vec<&'a Own>>,
    /// The tokens that are held back, each with those that hold it.
    holders: HashMap<&'a Label, Vec<&'a Label>>,
}

impl<'a> Index<'a> {
    fn of(all: &'a [Own]) -> Self {
        let mut index = Self { by_words: HashMap::new(), holders: HashMap::new() };
        for own in all {
            let Reason { code, message, remedy, held_by, .. } = &own.reason;
            index.by_words.entry((code, message, remedy)).or_default().push(own);
            if let (Some(label), Some(holder)) = (&own.label, held_by) {
                index.holders.entry(label).or_default().push(holder);
            }
        }
        index
    }

    fn cause(&self, reason: Reason) -> Cause {
        let labels: HashSet<&Label> = reason.labels.iter().collect();
        let words = (reason.code, reason.message.as_str(), &reason.remedy);
        let is_held = |own: &Own| own.reason.held_by.as_ref().is_some_and(|it| labels.contains(it));
        let same = self.by_words.get(&words).into_iter().flatten().filter(|own| !is_held(own));
        let topics = same.map(|own| {
            let (code, about) = (own.reason.code.to_owned(), own.reason.about.clone());
            (Topic { label: own.label.clone(), code, about }, own.reason.severity)
        });
        let holders = |label| self.holders.get(label).into_iter().flatten();
        let held = reason.labels.iter().flat_map(|label| {
            let among = holders(label).filter(|holder| labels.contains(**holder));
            among.map(|holder| (label.clone(), (*holder).clone()))
        });
        let (topics, held) = (topics.collect(), held.collect());
        Cause { reason, topics, held }
    }
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
        if !self.message.contains(&other.message) {
            self.message = format!("{}; {}", self.message, other.message);
        }
        self.remedy.append(&other.remedy);
    }
}
