//! Knows which tokens there are.
//!
//! The config alone says: every token it declares, and under a parent with `pages = "all"` every
//! Page that was ever listed, unless it is excepted, declared by itself, or retired.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::apps::Pauses;
use crate::complaint::Complaint;
use crate::config::{Config, Pages};
use crate::exit::Exit;
use crate::policy::{Decision, Parent, Skip, Subject};
use crate::token::{Credential, Label, Pattern, ProblemKind, Time};

pub use crate::config::TokenConfig;

/// All tokens that are to be kept, and what the store knows of them.
#[derive(Debug, Default)]
pub struct Tokens {
    /// In the config's order, the Pages that were found after their parent.
    pub configs: Vec<Arc<TokenConfig>>,
    /// Where in `members` the Pages of each parent stand.
    pages: HashMap<Label, Vec<usize>>,
    credentials: Vec<Arc<Credential>>,
    /// Where in `credentials` each token stands, by the label that it has in the config.
    known: HashMap<Label, usize>,
    pauses: Pauses,
    unlisted: Vec<Label>,
}

/// This token as policy judges it.
pub fn subject<'a>(
    member: &'a TokenConfig,
    credential: Option<&'a Credential>,
    parent: Option<&'a Credential>,
) -> Subject<'a> {
    Subject {
        label: &member.label,
        token_type: member.token_type,
        policy: &member.policy,
        credential,
        parent: member.parent.as_ref().map(|label| Parent { label, credential: parent }),
        throttled_until: None,
    }
}

/// A pause that is Meta's own day for young strings, called by that name: nothing has failed.
pub fn in_its_own_words(decision: Decision, subject: &Subject<'_>) -> Decision {
    let problem = subject.credential.and_then(|credential| credential.ledger.problem.as_ref());
    match decision {
        Decision::Skip(Skip::BackingOff { until: eligible })
            if problem.is_some_and(|problem| problem.kind == ProblemKind::TooYoung) =>
        {
            Decision::Skip(Skip::TooYoung { eligible })
        }
        other => other,
    }
}

/// The Page of that id as it is found under `parent`, if it is one to keep and no declared token
/// takes its place.
pub fn discovered(config: &Config, parent: &TokenConfig, page_id: &str) -> Option<TokenConfig> {
    let wanted = match &parent.pages {
        Pages::None => false,
        Pages::All { except } => !except.iter().any(|id| id == page_id),
    };
    (wanted && config.declared_page(&parent.label, page_id).is_none())
        .then(|| config.page(parent, page_id))
}

impl Tokens {
    /// The declared tokens that are enabled.
    pub fn declared(config: &Config) -> impl Iterator<Item = &Arc<TokenConfig>> {
        config.tokens.iter().filter(|member| member.policy.enabled)
    }

    /// Lays the config over what the store knows.
    pub fn new(config: &Config, credentials: Vec<Arc<Credential>>) -> Self {
        let mut found = found_pages(&credentials);
        let mut members = Vec::with_capacity(config.tokens.len());
        for member in Self::declared(config) {
            let pages = found.remove(member.label.as_str()).unwrap_or_default();
            members.push(member.clone());
            let pages = pages.into_iter().filter_map(|id| discovered(config, member, id));
            members.extend(pages.map(Arc::new));
        }
        let renamed: HashMap<&Label, &Label> = Self::declared(config)
            .filter_map(|member| Some((member.was.as_ref()?, &member.label)))
            .collect();
        let kept: HashSet<&Label> = members.iter().map(|member| &member.label).collect();
        let unlisted = credentials
            .iter()
            .map(|credential| &credential.label)
            .filter(|label| config.token(label).is_none() && !renamed.contains_key(label))
            .filter(|label| !kept.contains(label))
            .cloned()
            .collect();
        let mut pages: HashMap<Label, Vec<usize>> = HashMap::new();
        for (place, member) in members.iter().enumerate() {
            if let Some(parent) = &member.parent {
                pages.entry(parent.clone()).or_default().push(place);
            }
        }
        let known = credentials.iter().enumerate().map(|(place, credential)| {
            let label = renamed.get(&credential.label).copied().unwrap_or(&credential.label);
            (label.clone(), place)
        });
        let known = known.collect();
        Self { configs: members, pages, credentials, known, pauses: Pauses::new(), unlisted }
    }

    /// The same, mindful of the apps that Meta throttles.
    pub fn mindful_of(self, pauses: Pauses) -> Self {
        Self { pauses, ..self }
    }

    /// What the store knows of a token.
    pub fn credential(&self, label: &Label) -> Option<&Credential> {
        self.known.get(label).map(|place| &*self.credentials[*place])
    }

    /// Puts what was learnt of a token in the place of what was known.
    pub fn learn(&mut self, label: &Label, credential: Credential) {
        if let Some(place) = self.known.get(label) {
            self.credentials[*place] = Arc::new(credential);
        } else {
            self.known.insert(label.clone(), self.credentials.len());
            self.credentials.push(Arc::new(credential));
        }
    }

    /// A token as policy judges it.
    pub fn subject<'a>(&'a self, member: &'a TokenConfig) -> Subject<'a> {
        let parent = member.parent.as_ref().and_then(|label| self.credential(label));
        let throttled_until = self.pauses.get(&member.app).copied();
        Subject { throttled_until, ..subject(member, self.credential(&member.label), parent) }
    }

    /// Those of these tokens that expire within their `critical_within`.
    pub fn critical<'a>(
        &'a self,
        members: impl IntoIterator<Item = &'a Arc<TokenConfig>>,
        now: Time,
    ) -> Vec<Label> {
        let is_critical = |member: &&Arc<TokenConfig>| {
            let subject = self.subject(member);
            let critical_within = subject.critical_within();
            subject.current().is_some_and(|it| it.expiry.is_within(critical_within, now))
        };
        members.into_iter().filter(is_critical).map(|member| member.label.clone()).collect()
    }

    /// The apps that Meta throttles.
    pub const fn pauses(&self) -> &Pauses {
        &self.pauses
    }

    /// The tokens derived from `parent`.
    pub fn pages_of(&self, parent: &Label) -> impl Iterator<Item = &TokenConfig> + use<'_> {
        let places = self.pages.get(parent).map(Vec::as_slice).unwrap_or_default();
        places.iter().map(|place| &*self.configs[*place])
    }

    /// The tokens of one app.
    pub fn labels_of_app(&self, app: &str) -> Vec<Label> {
        let members = self.configs.iter().filter(|member| member.app == app);
        members.map(|member| member.label.clone()).collect()
    }

    /// Names that the store knows and the config no longer has.
    pub fn unlisted(&self) -> &[Label] {
        &self.unlisted
    }

    /// The tokens meant by what was typed; all of them when nothing was.
    pub fn select(&self, patterns: &[Pattern]) -> Result<Vec<&TokenConfig>, Complaint> {
        for pattern in patterns {
            if !self.configs.iter().any(|member| pattern.matches(&member.label)) {
                return Err(self.nobody(pattern));
            }
        }
        let meant = |member: &&TokenConfig| {
            patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(&member.label))
        };
        Ok(self.configs.iter().map(AsRef::as_ref).filter(meant).collect())
    }

    fn nobody(&self, pattern: &Pattern) -> Complaint {
        let labels: Vec<&Label> = self.configs.iter().map(|member| &member.label).collect();
        let known = match labels.len() {
            0 => "the config declares no tokens".to_owned(),
            1..=12 => format!("the labels are {}", crate::policy::humanize::list(&labels)),
            _ => "`metatoken status` lists the labels".to_owned(),
        };
        Complaint::new(Exit::Usage, "no_such_label", pattern.as_str(), "matches no token")
            .hint(known)
    }
}

/// The ids of the Pages that were found and are still to be kept, by the label of their parent.
fn found_pages(credentials: &[Arc<Credential>]) -> HashMap<&str, Vec<&str>> {
    let mut labels: Vec<&Label> = credentials
        .iter()
        .filter(|credential| credential.retired_at.is_none())
        .map(|credential| &credential.label)
        .collect();
    labels.sort();
    let mut found: HashMap<&str, Vec<&str>> = HashMap::new();
    for (parent, page_id) in labels.into_iter().filter_map(Label::as_discovered) {
        found.entry(parent).or_default().push(page_id);
    }
    found
}
