//! Says what a refresh is about: the tokens that are meant, the decisions that are carried out, and
//! what its workers share.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use super::configured_tokens::{self, ConfiguredToken, Holds, KnownToken};
use super::tokens::{TokenConfig, as_too_young};
use super::{Run, RunOptions};
use crate::config::SecretSource;
use crate::deliver::Deliveries;
use crate::error::CliError;
use crate::policy::{Decision, Insistence, Subject, decide, decide_exchange, paced};
use crate::store::StoreError;
use crate::token::{
    AccessToken, Credential, Fingerprint, GenerationState, Label, Pattern, SourceValue,
};

/// Which tokens a refresh is about, and what it does with them.
#[derive(Debug)]
pub struct RefreshOptions {
    /// How the run is opened.
    pub run: RunOptions,
    /// The labels that were typed.
    pub patterns: Vec<Pattern>,
    /// How much the person insists.
    pub insistence: Insistence,
    /// Which decisions are carried out.
    pub only: Only,
}

/// Which decisions are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Only {
    /// All.
    All,
    /// `exchange --stored`: only the exchange of short-lived access tokens.
    ShortLived,
}

/// What the workers of one refresh share.
pub struct RefreshRun<'a> {
    /// The open run.
    pub run: &'a Run<'a>,
    /// What was asked for.
    pub options: &'a RefreshOptions,
    /// Delivers the tokens to their targets.
    pub deliveries: Deliveries<'a>,
    /// The labels that this refresh is about.
    pub meant: HashSet<Label>,
    configured: HashMap<Label, ConfiguredToken>,
    claims: Mutex<HashMap<Fingerprint, Label>>,
}

impl<'a> RefreshRun<'a> {
    /// Finishes half-written files, selects the tokens, and reads what the config points to.
    pub fn open(run: &'a Run<'a>, options: &'a RefreshOptions) -> Result<Self, CliError> {
        let deliveries = run.deliveries()?;
        let meant = meant(run, &options.patterns)?;
        let configured = configured_tokens(run, &deliveries, &meant)?;
        let mut claims = HashMap::new();
        for (label, configured) in &configured {
            if let ConfiguredToken::Found(access_token) = configured {
                claims.insert(run.store.fingerprint(access_token)?, label.clone());
            }
        }
        let noted = note_sources(run, &meant, &configured);
        run.bear_full(noted)?;
        Ok(Self { run, options, deliveries, meant, configured, claims: Mutex::new(claims) })
    }

    /// Claims an access token that was found in a file for one token, unless another token has
    /// claimed it in this run: under two labels a renewal of the one would surprise the other.
    pub fn claim(&self, label: &Label, fingerprint: Fingerprint) -> bool {
        let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        claims.entry(fingerprint).or_insert_with(|| label.clone()) == label
    }

    /// Gives the new access token that the config points to, or why it cannot be read.
    pub fn configured_token(&self, label: &Label) -> Option<&ConfiguredToken> {
        self.configured.get(label)
    }

    /// Decides what is to be done with a token now.
    pub fn decide(&self, token: &TokenConfig, subject: &Subject<'_>) -> Decision {
        let (insistence, moment) = (self.insistence_on(subject.label), self.run.moment());
        let decision = match self.options.only {
            Only::All => decide(subject, insistence, moment),
            Only::ShortLived => decide_exchange(subject, insistence, moment),
        };
        match as_too_young(decision, subject) {
            skip @ Decision::Skip(_) => skip,
            act => paced(act, subject, self.budget_used(token), insistence, moment),
        }
    }

    /// How much of its app's calls are used up, in percent, as far as this run was told.
    fn budget_used(&self, token: &TokenConfig) -> Option<u64> {
        self.run.graph.budget_used(&self.run.app(&token.app).ok()?)
    }

    /// Says how much the person insists on this token: only on those that were named.
    pub fn insistence_on(&self, label: &Label) -> Insistence {
        if self.options.patterns.iter().any(|pattern| pattern.matches(label)) {
            self.options.insistence
        } else {
            Insistence::None
        }
    }

    /// Whether a person named this token.
    pub fn is_named(&self, label: &Label) -> bool {
        self.insistence_on(label) != Insistence::None
    }

    /// Whether the Pages of this token are refreshed after it.
    pub fn has_pages(&self, token: &TokenConfig) -> bool {
        token.parent.is_none() && self.options.only == Only::All
    }
}

/// The labels that match what was typed, and those of their Pages.
fn meant(run: &Run<'_>, patterns: &[Pattern]) -> Result<HashSet<Label>, CliError> {
    let typed = run.tokens.select(patterns)?;
    let pages = typed.iter().flat_map(|token| run.tokens.pages_of(&token.label));
    Ok(typed.iter().copied().chain(pages).map(|token| token.label.clone()).collect())
}

/// Records what the places hold that the config names, where that has changed.
fn note_sources(
    run: &Run<'_>,
    meant: &HashSet<Label>,
    configured: &HashMap<Label, ConfiguredToken>,
) -> Result<(), StoreError> {
    let mut changed = Vec::new();
    for token in run.tokens.configs.iter().filter(|token| meant.contains(&token.label)) {
        let Some(id) = run.known_id(&token.label) else { continue };
        let known = run.tokens.credential(&token.label);
        let before = known.and_then(|credential| credential.source.as_ref());
        let source = token.access_token.as_ref();
        let seen = |source: &SecretSource, access_token: &AccessToken, line: Option<u32>| {
            let fingerprint = run.store.fingerprint(access_token)?;
            Ok::<_, StoreError>(SourceValue::seen(source.to_string(), line, fingerprint, before))
        };
        let now = match (source, configured.get(&token.label)) {
            (None, _) => None,
            // Nobody searches for what is in use.
            (Some(source), Some(ConfiguredToken::Known(known)))
                if known.state == GenerationState::Current =>
            {
                let line = before.and_then(|before| before.line);
                Some(seen(source, &known.access_token, line)?)
            }
            (
                Some(source),
                Some(
                    ConfiguredToken::Found(access_token)
                    | ConfiguredToken::Known(KnownToken { access_token, .. }),
                ),
            ) => Some(seen(source, access_token, run.session.secrets.line(source))?),
            (Some(_), Some(ConfiguredToken::Unusable { holds, .. })) if *holds != Holds::Unread => {
                before.cloned().map(|before| SourceValue { refused: None, ..before })
            }
            _ => before.cloned(),
        };
        if now.as_ref() != before {
            changed.push((id, now));
        }
    }
    if changed.is_empty() { Ok(()) } else { run.store.note_sources(&changed) }
}

/// Reads the access tokens that the config points to, for these labels. A half-written file has
/// none.
fn configured_tokens(
    run: &Run<'_>,
    deliveries: &Deliveries<'_>,
    labels: &HashSet<Label>,
) -> Result<HashMap<Label, ConfiguredToken>, CliError> {
    let is_whole = |token: &&TokenConfig| match &token.access_token {
        Some(SecretSource::File { path, .. }) => !deliveries.is_half_written(path),
        _ => true,
    };
    let tokens = run.tokens.configs.iter().filter(|token| labels.contains(&token.label));
    let tokens: Vec<&TokenConfig> = tokens.map(AsRef::as_ref).filter(is_whole).collect();
    let is_lost = |label: &Label| run.tokens.credential(label).is_some_and(Credential::is_lost);
    configured_tokens::read_all(run.session, &tokens, &run.store, is_lost)
}
