//! Lists the tokens, with what the store knows of them.
//!
//! The config says which there are: every token it declares, and under a parent with `pages = "all"`
//! every Page that was ever listed, unless it is excepted, declared by itself, or retired.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use super::declared::{Declared, LastReading};
use crate::config::{Config, Pages, nearest};
use crate::error::CliError;
use crate::exit::Exit;
use crate::policy::{Backup, Decision, Naming, Parent, Promote, Skip, Subject};
use crate::token::{Credential, Label, Pattern, ProblemKind, Time};

pub use crate::config::TokenConfig;

/// The apps that Meta throttles, and until when.
pub type ThrottledApps = HashMap<String, Time>;

/// All tokens that are to be refreshed, and what the store knows of them.
#[derive(Debug, Default)]
pub struct Tokens {
    /// In the config's order, the Pages that were found after their parent.
    pub configs: Vec<Arc<TokenConfig>>,
    /// Where in `configs` the Pages of each parent stand.
    pages: HashMap<Label, Vec<usize>>,
    credentials: Vec<Arc<Credential>>,
    /// Where in `credentials` each token stands, by the label that it has in the config.
    known: HashMap<Label, usize>,
    /// The backup of each token that has one, and who promotes it.
    backups: HashMap<Label, (Label, Promote)>,
    throttled_apps: ThrottledApps,
    unlisted: Vec<Label>,
    /// Those that the config declares and leaves alone.
    disabled: Vec<Arc<TokenConfig>>,
    declared: Declared,
}

/// Joins a token's config with what the store knows of it, for policy to judge.
pub fn subject<'a>(
    token: &'a TokenConfig,
    credential: Option<&'a Credential>,
    parent: Option<&'a Credential>,
) -> Subject<'a> {
    Subject {
        label: &token.label,
        token_type: token.token_type,
        policy: &token.policy,
        credential,
        parent: token.parent.as_ref().map(|label| Parent {
            label,
            credential: parent,
            backup: None,
        }),
        backup: None,
        throttled_until: None,
        naming: Naming {
            config: &token.file,
            file: token.declared_in.as_deref().and_then(Path::to_str).unwrap_or(&token.file),
            app: &token.app,
            app_id: token.app_id.as_deref(),
            page_id: token.page_id.as_deref(),
            lacks_secret: token.app_lacks_secret,
            admin: token.mint.as_ref().map(Label::as_str),
        },
    }
}

/// Turns a backoff into [`Skip::TooYoung`] where Meta's «too young» began it: nothing has failed.
pub fn as_too_young(decision: Decision, subject: &Subject<'_>) -> Decision {
    let problem = subject.credential.and_then(|credential| credential.attempts.problem.as_ref());
    match decision {
        Decision::Skip(Skip::BackingOff { until: eligible })
            if problem.is_some_and(|problem| problem.kind == ProblemKind::TooYoung) =>
        {
            Decision::Skip(Skip::TooYoung { eligible })
        }
        other => other,
    }
}

/// Configures the Page of that id as it is found under `parent`, if it is one to refresh and no
/// declared token takes its place.
pub fn discovered(config: &Config, parent: &TokenConfig, page_id: &str) -> Option<TokenConfig> {
    let wanted = match &parent.pages {
        Pages::None => false,
        Pages::All { except } => !except.iter().any(|id| id == page_id),
    };
    // It becomes part of a label, and perhaps of a path.
    let is_id = !page_id.is_empty() && page_id.bytes().all(|digit| digit.is_ascii_digit());
    (wanted && is_id && config.declared_page(&parent.label, page_id).is_none())
        .then(|| config.page(parent, page_id))
        .filter(|page| page.policy.enabled)
}

impl Tokens {
    /// Lists the declared tokens that are enabled.
    pub fn declared(config: &Config) -> impl Iterator<Item = &Arc<TokenConfig>> {
        config.tokens.iter().filter(|token| token.policy.enabled)
    }

    /// Joins the config with what the store knows; `last` is what files that are left out declared.
    pub fn new(config: &Config, credentials: Vec<Arc<Credential>>, last: &LastReading) -> Self {
        let declared = Declared::new(config, &credentials, last);
        let mut found = found_pages(&credentials);
        let mut configs = Vec::with_capacity(config.tokens.len());
        for token in Self::declared(config) {
            let pages = found.remove(token.label.as_str()).unwrap_or_default();
            configs.push(token.clone());
            let pages = pages.into_iter().filter_map(|id| discovered(config, token, id));
            configs.extend(pages.map(Arc::new));
        }
        let renamed = &declared.renamed;
        let listed: HashSet<&Label> = configs.iter().map(|token| &token.label).collect();
        let unlisted = credentials
            .iter()
            .filter(|credential| credential.has_access_token())
            .map(|credential| &credential.label)
            .filter(|label| config.token(label).is_none() && !renamed.contains_key(label))
            .filter(|label| !listed.contains(label) && !declared.is_left_out(label))
            .cloned()
            .collect();
        let mut pages: HashMap<Label, Vec<usize>> = HashMap::new();
        let mut backups = HashMap::new();
        for (place, token) in configs.iter().enumerate() {
            if let Some(parent) = &token.parent {
                pages.entry(parent.clone()).or_default().push(place);
            }
            if let Some(backup) = &token.backup {
                backups.insert(token.label.clone(), (backup.clone(), token.policy.promote));
            }
        }
        // One that is renamed comes last: it takes the place of a row without an access token.
        let of_label = |old: bool| {
            let places = credentials.iter().enumerate();
            places.filter_map(move |(place, credential)| {
                let new = renamed.get(&credential.label);
                (new.is_some() == old).then(|| (new.unwrap_or(&credential.label).clone(), place))
            })
        };
        let known = of_label(false).chain(of_label(true)).collect();
        let throttled_apps = ThrottledApps::new();
        let disabled = config.tokens.iter().filter(|it| !it.policy.enabled).cloned().collect();
        Self {
            configs,
            pages,
            credentials,
            known,
            backups,
            throttled_apps,
            unlisted,
            disabled,
            declared,
        }
    }

    /// Sets the apps that Meta throttles.
    pub fn with_throttled_apps(self, throttled_apps: ThrottledApps) -> Self {
        Self { throttled_apps, ..self }
    }

    /// Gives what the store knows of a token.
    pub fn credential(&self, label: &Label) -> Option<&Credential> {
        self.known.get(label).map(|place| &*self.credentials[*place])
    }

    /// Replaces what is known of a token.
    pub fn replace(&mut self, label: &Label, credential: Credential) {
        if let Some(place) = self.known.get(label) {
            self.credentials[*place] = Arc::new(credential);
        } else {
            self.known.insert(label.clone(), self.credentials.len());
            self.credentials.push(Arc::new(credential));
        }
    }

    /// Joins a token with what is known of it, its parent and its app, for policy to judge.
    pub fn subject<'a>(&'a self, token: &'a TokenConfig) -> Subject<'a> {
        let parent = token.parent.as_ref().and_then(|label| self.credential(label));
        self.subject_as(token, self.credential(&token.label), parent)
    }

    /// The same for a token and its parent as they are known since.
    pub fn subject_as<'a>(
        &'a self,
        token: &'a TokenConfig,
        credential: Option<&'a Credential>,
        parent: Option<&'a Credential>,
    ) -> Subject<'a> {
        let own = subject(token, credential, parent);
        let with_backup =
            |parent: Parent<'a>| Parent { backup: self.backup_of(parent.label), ..parent };
        Subject {
            parent: own.parent.map(with_backup),
            backup: self.backup_of(&token.label),
            throttled_until: self.throttled_apps.get(&token.app).copied(),
            ..own
        }
    }

    /// Joins the backup of a token with what is known of it.
    pub fn backup_of(&self, label: &Label) -> Option<Backup<'_>> {
        let (label, promoted_by) = self.backups.get(label)?;
        Some(Backup { label, credential: self.credential(label), promoted_by: *promoted_by })
    }

    /// Gives the config of a token that has a backup, or whose parent has one.
    pub fn with_backup(&self, label: &Label) -> Option<&TokenConfig> {
        if self.backups.is_empty() {
            return None;
        }
        let token = self.configs.iter().find(|token| token.label == *label)?;
        let has_one = |label: &Label| self.backups.contains_key(label);
        let helps = has_one(label) || token.parent.as_ref().is_some_and(has_one);
        helps.then_some(&**token)
    }

    /// Selects those of these tokens that expire within their `critical_within`.
    pub fn critical<'a>(
        &'a self,
        tokens: impl IntoIterator<Item = &'a Arc<TokenConfig>>,
        now: Time,
    ) -> Vec<Label> {
        let is_critical = |token: &&Arc<TokenConfig>| {
            let subject = self.subject(token);
            let critical_within = subject.critical_within();
            subject.current().is_some_and(|it| it.expiry.is_within(critical_within, now))
        };
        tokens.into_iter().filter(is_critical).map(|token| token.label.clone()).collect()
    }

    /// Lists the tokens whose access token is dead, or expires within `warn_within`.
    pub fn urgent(&self, now: Time) -> Vec<Label> {
        let is_urgent = |token: &&Arc<TokenConfig>| {
            let subject = self.subject(token);
            let has_little_time = subject.current().is_some_and(|current| {
                let verdict = current.proof.as_ref().and_then(|it| it.inspection.verdict());
                verdict == Some(false) || current.expiry.is_within(subject.warn_within(), now)
            });
            let is_retired =
                self.credential(&token.label).is_some_and(|it| it.retired_at.is_some());
            token.policy.enabled && !is_retired && has_little_time
        };
        self.configs.iter().filter(is_urgent).map(|token| token.label.clone()).collect()
    }

    /// Gives the apps that Meta throttles.
    pub const fn throttled_apps(&self) -> &ThrottledApps {
        &self.throttled_apps
    }

    /// Lists the tokens derived from `parent`.
    pub fn pages_of(&self, parent: &Label) -> impl Iterator<Item = &TokenConfig> + use<'_> {
        let places = self.pages.get(parent).map(Vec::as_slice).unwrap_or_default();
        places.iter().map(|place| &*self.configs[*place])
    }

    /// Lists the tokens of one app.
    pub fn labels_of_app(&self, app: &str) -> Vec<Label> {
        let tokens = self.configs.iter().filter(|token| token.app == app);
        tokens.map(|token| token.label.clone()).collect()
    }

    /// Lists what the store knows of tokens with other labels than these, but for those that are to be
    /// renamed.
    pub fn others<'a, 'l>(
        &'a self,
        labels: &'l HashSet<&Label>,
    ) -> impl Iterator<Item = &'a Credential> + use<'a, 'l> {
        let is_other =
            |label: &Label| !labels.contains(label) && !self.declared.renamed.contains_key(label);
        self.credentials.iter().map(AsRef::as_ref).filter(move |it| is_other(&it.label))
    }

    /// Lists the labels that the store knows and the config no longer has.
    pub fn unlisted(&self) -> &[Label] {
        &self.unlisted
    }

    /// Gives how the labels of the config compare with those of the store.
    pub const fn declared_labels(&self) -> &Declared {
        &self.declared
    }

    /// Selects the one token of that label.
    pub fn one(&self, label: &Label) -> Result<&TokenConfig, CliError> {
        let pattern = Pattern::new(label.as_str());
        if let Some(token) = self.select(std::slice::from_ref(&pattern))?.first() {
            return Ok(token);
        }
        let patterns = [pattern];
        let reason = self.declared.left_out(&patterns).next();
        let reason = reason.map_or_else(String::new, |reason| reason.message);
        Err(CliError::new(Exit::Config, "config_file", label.as_str(), reason)
            .hint("`metatoken config check` shows what is wrong"))
    }

    /// Selects the tokens meant by what was typed; all of them when nothing was. A label that is left
    /// out of the config is none of them, and no mistake.
    pub fn select(&self, patterns: &[Pattern]) -> Result<Vec<&TokenConfig>, CliError> {
        for pattern in patterns {
            if !self.configs.iter().any(|token| pattern.matches(&token.label))
                && !self.declared.has_left_out(pattern)
            {
                return Err(self.no_such_label(pattern));
            }
        }
        let meant = |token: &&TokenConfig| {
            patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(&token.label))
        };
        Ok(self.configs.iter().map(AsRef::as_ref).filter(meant).collect())
    }

    fn no_such_label(&self, pattern: &Pattern) -> CliError {
        if let Some(disabled) = self.disabled.iter().find(|it| is_of(it, pattern)) {
            let table = format!("`[token.{}]`", disabled.label);
            let message = format!("not enabled: {table} or what it inherits has `enabled = false`");
            let file = disabled.declared_in.as_deref().unwrap_or(Path::new(&*disabled.file));
            return CliError::new(Exit::Usage, "not_enabled", pattern.as_str(), message)
                .hint(format!("set `enabled = true` in {table} in `{}`", file.display()));
        }
        if let Some(gone) = self.unlisted.iter().find(|label| label.as_str() == pattern.as_str()) {
            let message = "the config no longer declares it";
            return CliError::new(Exit::Usage, "no_such_label", gone.as_str(), message).hint(format!(
                "declare it again, or set `was = \"{gone}\"` under its new name; `metatoken history {gone}` shows what it was"
            ));
        }
        let labels: Vec<&Label> = self.configs.iter().map(|token| &token.label).collect();
        let near = nearest(pattern.as_str(), labels.iter().map(|label| label.as_str()));
        let known = match labels.len() {
            _ if near.is_some() => format!("did you mean `{}`?", near.unwrap_or_default()),
            0 => "the config declares no tokens".to_owned(),
            1..=12 => format!("the labels are {}", crate::policy::humanize::list(&labels)),
            _ => "`metatoken status` lists the labels".to_owned(),
        };
        let subject = if pattern.as_str().is_empty() { "``" } else { pattern.as_str() };
        CliError::new(Exit::Usage, "no_such_label", subject, "matches no token").hint(known)
    }
}

/// Whether a token, or a Page found under it, is meant.
fn is_of(token: &TokenConfig, pattern: &Pattern) -> bool {
    let typed = pattern.as_str().split('/').next().unwrap_or_default();
    pattern.matches(&token.label) || token.label.as_str() == typed
}

/// The ids of the Pages that were found and are still to be refreshed, by the label of their parent.
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
