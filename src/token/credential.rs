//! Says what the store knows of a token: its generations, attempts and deliveries.
//!
//! A token has at most one candidate and at most one current generation.

use super::{
    Action, Delivery, Fingerprint, Generation, GenerationId, Label, ProbeAnswer, Problem,
    ProblemKind, Time, TokenId, TokenType,
};

/// What the store knows of the attempts to keep a token alive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attempts {
    /// When a renewal, exchange or derivation last succeeded.
    pub last_refreshed_at: Option<Time>,
    /// When one was last tried.
    pub last_attempt_at: Option<Time>,
    /// How many tries have failed since the last success.
    pub consecutive_failures: u32,
    /// No new try before this, unless a person insists.
    pub not_before: Option<Time>,
    /// The parent's generation that the last failed derivation was tried with: that pause is about no
    /// other generation. Cleared by a success.
    pub refused_by: Option<GenerationId>,
    /// When Meta first accepted a renewal without extending it; cleared by a success.
    pub first_miss_at: Option<Time>,
    /// How many renewals in a row were accepted but not extended.
    pub misses: u32,
    /// What the last try ran into; cleared by a success.
    pub problem: Option<Problem>,
    /// An attempt that an earlier run did not live to end: a grant may be lost.
    pub open_attempt: Option<OpenAttempt>,
    /// When a renewal was sent whose answer never came; cleared by a success, and by Graph's word
    /// that the token is alive after it.
    pub answer_lost_at: Option<Time>,
    /// What stands for the app's id and secret with which the last attempt failed, where only a person
    /// can fix what it ran into.
    pub failed_with: Option<Fingerprint>,
    /// No question for the list of its Pages before this, as Meta said.
    pub list_not_before: Option<Time>,
    /// No question about its access tokens before this, as Meta said.
    pub ask_not_before: Option<Time>,
    /// An exchange that was sent and never answered.
    pub sent_exchange: Option<SentExchange>,
    /// The access token that a person handed over last, if it was exchanged for another.
    pub exchanged: Option<Fingerprint>,
    /// The token that has the access token which the config names for this one, when a run last
    /// looked.
    pub shared: Option<SharedToken>,
    /// What was asked of Meta in an admin's name.
    pub minting: MintingAttempts,
}

named! {
    /// What Meta is asked for in an attempt.
    pub enum AttemptKind {
        /// An access token that expires later.
        Renewal = "renewal",
        /// A long-lived access token for a short-lived one.
        Exchange = "exchange",
        /// An access token for the code of a login.
        Login = "login",
    }
}

/// An attempt whose run was cut short between the request and the commit that seals the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenAttempt {
    /// What was asked for.
    pub kind: AttemptKind,
    /// When it began.
    pub began: Time,
}

impl OpenAttempt {
    const LOGIN: &str = "a login";

    /// Whether a problem says that a login was cut short, so that no value can be copied again.
    pub fn is_login_lost(problem: &Problem) -> bool {
        problem.kind == ProblemKind::Unknown
            && problem
                .message
                .strip_prefix(Self::LOGIN)
                .is_some_and(|it| it.starts_with(" that began "))
    }

    /// Says that it was cut short, and what is lost.
    pub fn problem(self) -> Problem {
        let what = match self.kind {
            AttemptKind::Renewal => "a renewal",
            AttemptKind::Exchange => "an exchange",
            AttemptKind::Login => Self::LOGIN,
        };
        let began = self.began.format("%Y-%m-%d %H:%M UTC");
        let why = format!("{what} that began {began} was cut short; what Meta answered is lost");
        Problem::new(ProblemKind::Unknown, why)
    }
}

/// What the store knows of the requests for a new access token of a System User.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MintingAttempts {
    /// When one was sent that no run has seen answered.
    pub sent_at: Option<Time>,
    /// When the last one was sent.
    pub tried_at: Option<Time>,
    /// How many were sent since one brought an access token.
    pub tries: u32,
}

/// Another token, which has the access token that the config names for this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedToken {
    /// Its label.
    pub with: Label,
    /// Whether the config declares it.
    pub is_declared: bool,
}

/// Another token, which got the access token of this one when that was promoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenTo {
    /// Its label.
    pub label: Label,
    /// What it does with the access token now.
    pub now: GivenNow,
}

/// What a token does with the access token that it got from its backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GivenNow {
    /// It uses it, or what it was renewed to.
    InUse,
    /// It has another one in its place, or none.
    Left,
}

/// What the place held that the config names, when a run last read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceValue {
    /// The place, as people read it.
    pub place: String,
    /// The line of the file that it was on.
    pub line: Option<u32>,
    /// What stands for the access token that it held.
    pub fingerprint: Fingerprint,
    /// Whether it had held another one before.
    pub has_changed: bool,
    /// Why that is not in use, if it was looked at and refused.
    pub refused: Option<Problem>,
}

impl SourceValue {
    /// What is known once the place was read again, and holds this.
    pub fn seen(
        place: String,
        line: Option<u32>,
        fingerprint: Fingerprint,
        before: Option<&Self>,
    ) -> Self {
        match before.filter(|before| before.place == place) {
            Some(same) if same.fingerprint == fingerprint => Self { line, ..same.clone() },
            known => Self { place, line, fingerprint, has_changed: known.is_some(), refused: None },
        }
    }

    /// The place with its line, where a person finds the value.
    pub fn place_and_line(&self) -> String {
        match self.line {
            Some(line) => format!("{}, line {line}", self.place),
            None => self.place.clone(),
        }
    }
}

/// An older access token that may live on beside the one that a person put in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotatedGeneration {
    /// The older one, with the last answer about it.
    pub generation: Generation,
    /// Since when another is in its place.
    pub since: Time,
}

/// The exchange of an access token that a person handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentExchange {
    /// When it was sent.
    pub at: Time,
    /// The access token that was to be exchanged.
    pub of: Fingerprint,
}

impl SentExchange {
    /// Says that its answer was lost.
    pub fn lost(self) -> Problem {
        let sent = self.at.format("%Y-%m-%d %H:%M UTC");
        let why = format!("the answer to an exchange sent {sent} was lost");
        Problem::new(ProblemKind::Network, why)
    }

    /// Says of the death of that access token that the lost answer may be its cause.
    pub fn blame(self, fingerprint: Fingerprint, problem: Problem) -> Problem {
        if self.of == fingerprint { blame("an exchange", self.at, problem) } else { problem }
    }
}

/// Says of a death which only a new login recovers that the lost answer to what was sent then may be
/// its cause: Meta may have ended the access token when it granted the one that never arrived.
fn blame(what: &str, sent: Time, problem: Problem) -> Problem {
    let sent = sent.format("%Y-%m-%d %H:%M UTC");
    let why = format!("the answer to {what} sent {sent} was lost, which may be why");
    if problem.action != Action::Reauthenticate || problem.message.starts_with(&why) {
        return problem;
    }
    let message = format!("{why}{}{}", Problem::META_SAYS, problem.message);
    Problem { message, ..problem }
}

/// A token that the config declared before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undeclared {
    /// When a run found that it is not declared any more.
    pub since: Time,
    /// Whether that run found the same of so many that it may be a mistake.
    pub with_many: bool,
}

/// The part that is damaged where the access token in use is lost.
pub const IN_USE: &str = "access token";

/// What of a token's rows in the store cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The generation that stands in the current one's place, where its access token is lost.
    pub in_place: Option<GenerationId>,
    /// What is damaged, such as `last check`.
    pub parts: Vec<&'static str>,
}

/// A token as the store knows it: where its access tokens stand, never the access tokens themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// The store's number for it.
    pub id: TokenId,
    /// Its name in the config.
    pub label: Label,
    /// Its type in the config.
    pub token_type: TokenType,
    /// The Page's name, where Graph told.
    pub name: Option<String>,
    pub page_id: Option<String>,
    /// The person who can log in again, as the config said when it last declared it.
    pub owner: Option<String>,
    /// The name of its app in the config, likewise.
    pub app: Option<String>,
    /// The access token that programs use.
    pub current: Option<Generation>,
    /// An access token that waits to be examined.
    pub candidate: Option<Generation>,
    /// What happened when it was last renewed.
    pub attempts: Attempts,
    /// What its targets have and what is pending for them, by target.
    pub deliveries: Vec<Delivery>,
    /// What the place held that the config names.
    pub source: Option<SourceValue>,
    /// The older access tokens that a person's rotations left alive, by Graph's last word; the oldest
    /// first.
    pub rotated: Vec<RotatedGeneration>,
    /// The access tokens that may not be taken again by themselves: revoked from here, left by a
    /// rollback, or given to another token.
    pub barred: Vec<Fingerprint>,
    /// The earlier generation that may work longest, where the current one is dead or missing.
    pub fallback: Option<Box<Generation>>,
    /// The token that got its access token, where it has none since.
    pub given_to: Option<GivenTo>,
    /// The generation whose Pages were last listed, for a token with `pages = "all"`.
    pub listed: Option<GenerationId>,
    /// Since when the parent's list of Pages lacks it.
    pub unlisted_since: Option<Time>,
    /// When it was retired: gone from the list for a week, and dead.
    pub retired_at: Option<Time>,
    /// Since when the config does not declare it, if a run has found that.
    pub undeclared: Option<Undeclared>,
    /// The last answer to its probe.
    pub probe: Option<ProbeAnswer>,
    /// The import that is to bring its first access token, as it is typed, until it has run to its end.
    pub import: Option<String>,
    /// What of its rows cannot be read, if that is so; the fields above are without it.
    pub damage: Option<Damage>,
}

impl Credential {
    /// What is known of a token that the store does not know.
    pub fn of_a_new(label: Label, token_type: TokenType) -> Self {
        Self {
            id: TokenId(0),
            label,
            token_type,
            name: None,
            page_id: None,
            owner: None,
            app: None,
            current: None,
            candidate: None,
            attempts: Attempts::default(),
            deliveries: Vec::new(),
            source: None,
            rotated: Vec::new(),
            barred: Vec::new(),
            fallback: None,
            given_to: None,
            listed: None,
            unlisted_since: None,
            retired_at: None,
            undeclared: None,
            probe: None,
            import: None,
            damage: None,
        }
    }

    /// The generation that a new current one takes the place of, readable or not.
    pub fn in_place(&self) -> Option<GenerationId> {
        let current = self.current.as_ref().map(|current| current.id);
        current.or_else(|| self.damage.as_ref()?.in_place)
    }

    /// The same, now that the current generation's seal was found not to open.
    #[must_use]
    pub fn without_current(mut self) -> Self {
        let in_place = self.in_place();
        let damage = self.damage.get_or_insert(Damage { in_place: None, parts: Vec::new() });
        damage.in_place = in_place;
        damage.parts.insert(0, IN_USE);
        self.current = None;
        self
    }

    /// Whether it has an access token, in use or waiting to be examined, readable or not.
    pub fn has_access_token(&self) -> bool {
        self.in_place().is_some() || self.candidate.is_some()
    }

    /// The import that brings its first access token when it is typed again.
    pub fn unfinished_import(&self) -> Option<&str> {
        self.import.as_deref().filter(|_| !self.has_access_token())
    }

    /// Whether `old`, whose label was this one's before, is to take this one's label: it has an access
    /// token, and this one has none of its own.
    pub fn is_renamed_from(&self, old: &Self) -> bool {
        old.has_access_token() && !self.has_access_token()
    }

    /// Whether no access token is in use, or Graph has called it dead.
    pub fn is_without_a_living_one(&self) -> bool {
        self.current.as_ref().is_none_or(|current| current.verdict() == Some(false))
    }

    /// Whether a person had the access token in use revoked from here: nothing takes its place by
    /// itself.
    pub fn is_revoked(&self) -> bool {
        self.current.as_ref().is_some_and(|current| current.revoked_at.is_some())
    }

    /// Whether an access token may not be taken again by itself.
    pub fn is_barred(&self, fingerprint: &Fingerprint) -> bool {
        self.barred.contains(fingerprint)
    }

    /// Whether there was an access token in use that cannot be read any more.
    pub fn is_lost(&self) -> bool {
        self.current.is_none() && self.in_place().is_some()
    }

    /// Says of an attempt that an earlier run did not live to end what is lost; where there is no access
    /// token to fall back on, only a person can bring another.
    pub fn cut_short(&self) -> Option<Problem> {
        let problem = self.attempts.open_attempt?.problem();
        Some(if self.has_access_token() {
            problem
        } else {
            problem.with_action(Action::Reauthenticate)
        })
    }

    /// Says of the current one's death that the lost answer to a renewal may be its cause.
    pub fn blame_the_lost_answer(&mut self) {
        let Some(sent) = self.attempts.answer_lost_at else { return };
        let proof = self.current.as_mut().and_then(|current| current.proof.as_mut());
        let inspection = proof.map(|proof| &mut proof.inspection);
        let dead = inspection.filter(|inspection| inspection.verdict() == Some(false));
        if let Some(problem) = dead.and_then(|inspection| inspection.problem.as_mut()) {
            *problem = blame("a renewal", sent, problem.clone());
        }
    }
}
