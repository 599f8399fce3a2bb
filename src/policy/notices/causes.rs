//! Every cause once, and the topics by which it is remembered.
//!
//! What is remembered hangs on the token, the code and what the reason is about, and never on its
//! words, in which dates come nearer day by day. A token that another holds back has no topic of
//! its own: it comes and goes with the other.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::{Interest, Standing};
use crate::policy::{Health, Reason, merge};
use crate::token::{Label, Topic};

/// A cause as it stands, and the topics that it is the whole reason of.
pub struct Cause {
    pub reason: Reason,
    pub topics: Vec<(Topic, Health)>,
    /// Tokens without a topic, and whose trouble each shares.
    held: Vec<(Label, Label)>,
}

impl Cause {
    /// The reason with no more tokens than those of which something is `new`, and those that they
    /// hold back.
    pub fn with_those(&self, new: impl Fn(&Label) -> bool) -> Reason {
        let mut reason = self.reason.clone();
        reason.labels.retain(|label| {
            let holder = self.held.iter().find(|(held, _)| held == label).map(|(_, holder)| holder);
            new(label) || (!self.has_topic_of(label) && holder.is_none_or(&new))
        });
        reason
    }

    /// Whether it is the trouble of this token itself.
    pub fn has_topic_of(&self, label: &Label) -> bool {
        self.topics.iter().any(|(topic, _)| topic.label.as_ref() == Some(label))
    }
}

/// One reason of one token, or of the machinery alone.
struct Own {
    label: Option<Label>,
    reason: Reason,
}

/// Every cause that concerns the channel, once, with its topics.
pub fn causes(interest: Interest<'_>, standing: &Standing) -> Vec<Cause> {
    let all = folded(of_tokens(interest, standing).chain(of_system(interest, standing)));
    let merged = merge(all.iter().map(|own| own.reason.clone()));
    merged.into_iter().map(|reason| cause(reason, &all)).collect()
}

fn of_tokens<'a>(interest: Interest<'a>, standing: &'a Standing) -> impl Iterator<Item = Own> + 'a {
    let tokens = standing.tokens.iter().filter(move |token| interest.covers(&token.label));
    tokens.flat_map(|token| {
        let own =
            |reason: &Reason| Own { label: Some(token.label.clone()), reason: reason.clone() };
        token.reasons.iter().map(own)
    })
}

/// What stands against the machinery; where it names tokens, against each of them.
fn of_system<'a>(interest: Interest<'a>, standing: &'a Standing) -> impl Iterator<Item = Own> + 'a {
    standing.system.iter().flat_map(move |reason| {
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
    /// Says the other too; both are one cause from now on.
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
