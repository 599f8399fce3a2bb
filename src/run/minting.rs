//! Has Meta make a new access token of a System User, in the name of an admin of the business.
//!
//! Each request that Meta answers makes one more access token, so that it is sent once, and that it is
//! sent is written down before. An answer that is lost may have held one that is kept nowhere: the
//! history says so, and how it is revoked.

use chrono::TimeDelta;

use super::Run;
use super::tokens::TokenConfig;
use crate::config::TokenUse;
use crate::error::CliError;
use crate::exit::Exit;
use crate::failpoint;
use crate::graph::{App, CallError, MintInput, MintedLife};
use crate::policy::{cause, quote, remedy};
use crate::store::{NewCandidate, StoreError};
use crate::token::{
    AccessToken, Action, Arrival, Concession, Credential, Expiry, Generation, Grant, Label, Origin,
    Problem, ProblemKind, Time,
};

/// What is asked for, and in whose name.
pub struct Minting {
    app: App,
    user_id: String,
    scopes: AskedScopes,
    life: MintedLife,
    admin: Label,
    access_token: AccessToken,
    concession: Concession,
}

/// Which permissions are asked for.
enum AskedScopes {
    /// Those that the last access token had.
    AsBefore(Vec<String>),
    /// Those that the config requires.
    Required(Vec<String>),
}

impl AskedScopes {
    fn names(&self) -> &[String] {
        let (Self::AsBefore(names) | Self::Required(names)) = self;
        names
    }
}

/// How long the new access token is to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WantedLife {
    /// As long as the last one: sixty days, unless that never expires.
    AsBefore,
    /// Sixty days.
    SixtyDays,
}

/// How often `refresh` has one made for an access token that has expired.
const TRIES: u32 = 3;
/// How long it waits between two.
const BETWEEN: TimeDelta = TimeDelta::hours(24);

/// Whether `refresh` may ask again now.
pub fn may_be_tried(credential: &Credential, now: Time) -> bool {
    let minting = &credential.attempts.minting;
    minting.tries < TRIES && minting.tried_at.is_none_or(|last| now - last >= BETWEEN)
}

impl Minting {
    /// Finds out what is to be asked for, or what keeps it from being asked.
    pub fn plan(
        run: &Run<'_>,
        token: &TokenConfig,
        credential: &Credential,
        admin: &Label,
        life: WantedLife,
    ) -> Result<Self, Unplanned> {
        let label = &token.label;
        let generations = run.store.generations(credential.id).map_err(unread)?;
        let told = |pick: fn(&Generation) -> bool| generations.iter().find(|it| pick(it));
        let identified = told(|it| user_id(it).is_some()).and_then(user_id);
        let user_id = token.user_id.clone().or(identified).ok_or_else(|| {
            let fix = format!("set `user_id` of `[token.{label}]` to the System User's id");
            cannot("which System User it is for is not known", &fix)
        })?;
        let scopes = match told(|it| !scopes(it).is_empty()) {
            Some(last) => AskedScopes::AsBefore(scopes(last).to_vec()),
            None => AskedScopes::Required(token.policy.required_scopes.clone()),
        };
        if scopes.names().is_empty() {
            let fix = format!("set `required_scopes` of `[token.{label}]`");
            return Err(cannot("which permissions it needs is not known", &fix));
        }
        let last = credential.current.as_ref().or_else(|| generations.first());
        let never = last.is_some_and(|it| it.expiry == Expiry::Never);
        let (life, concession) = match life {
            WantedLife::AsBefore if never => (MintedLife::Never, Concession::Nothing),
            WantedLife::AsBefore => (MintedLife::SixtyDays, Concession::Nothing),
            WantedLife::SixtyDays => (MintedLife::SixtyDays, Concession::Losses),
        };
        let app = run.app(&token.app).map_err(Unplanned::of_the_app)?;
        let access_token = of_the_admin(run, token, admin)?;
        let admin = admin.clone();
        Ok(Self { app, user_id, scopes, life, admin, access_token, concession })
    }

    /// Asks Meta, once; what it grants is sealed before anything looks at it. The token is given back
    /// as it is then.
    pub fn ask(
        &self,
        run: &Run<'_>,
        credential: Credential,
    ) -> Result<(Credential, Result<Generation, CallError>), StoreError> {
        let _room = run.store.room_for_grant()?;
        let credential = run.store.note_mint_sent(credential, run.now())?;
        failpoint::reach("before-request");
        let asked = MintInput {
            user_id: &self.user_id,
            scopes: self.scopes.names(),
            life: self.life,
            admin: &self.access_token,
        };
        match run.graph.mint(&self.app, asked) {
            Ok(grant) => {
                failpoint::reach("granted");
                let (credential, sealed) = seal(run, credential, &grant, self.concession)?;
                Ok((credential, Ok(sealed)))
            }
            Err(error) if error.answer_lost => {
                let lost = lost(&self.user_id, &credential.label, run.now());
                let credential = run.store.note_mint_lost(run.id, credential, &lost, run.now())?;
                Ok((credential, Err(CallError { problem: lost, ..error })))
            }
            Err(error) => {
                let credential = run.store.note_mint_answered(credential)?;
                let problem = self.explained(error.problem.clone(), &credential.label);
                Ok((credential, Err(CallError { problem, ..error })))
            }
        }
    }

    /// What Meta's refusal means here: the admin's access token, or what was asked for, is to blame.
    fn explained(&self, problem: Problem, label: &Label) -> Problem {
        /// No such permission.
        const UNKNOWN_PERMISSION: Option<i64> = Some(3962);
        /// The System User may not work on the Page.
        const NOT_ASSIGNED: Option<i64> = Some(1_341_012);
        let (admin, user_id) = (&self.admin, &self.user_id);
        let renewed = format!(
            "an admin of the business generates a new access token for `{admin}`, of an admin System \
             User and with `business_management`, and you run `metatoken exchange {admin}`"
        );
        let fix = match (problem.code, problem.subcode) {
            (UNKNOWN_PERMISSION, _) => match &self.scopes {
                AskedScopes::Required(_) => {
                    format!("correct `required_scopes` of `[token.{label}]`")
                }
                // What the last one has, Meta gives no more.
                AskedScopes::AsBefore(_) => format!(
                    "an admin of the business generates a new token for System User {user_id} without \
                     that permission (Meta Business settings, Users, System users); then run \
                     `metatoken exchange {label}` and paste it"
                ),
            },
            (_, NOT_ASSIGNED) => format!(
                "an admin of the business assigns the Page to System User {user_id} (Meta Business \
                 settings, Users, System users)"
            ),
            (Some(200 | 452 | 102 | 190), _) => renewed,
            (Some(100), _) if self.life == MintedLife::Never => format!(
                "this business may give no access token that never expires: run `metatoken mint \
                 {label} --replace`, which asks for 60 days"
            ),
            _ => return problem,
        };
        problem.with_action(Action::FixConfiguration).with_fix(fix)
    }
}

fn seal(
    run: &Run<'_>,
    credential: Credential,
    grant: &Grant,
    concession: Concession,
) -> Result<(Credential, Generation), StoreError> {
    // A person or the config has asked for it: it is no renewal of the current one.
    let new = NewCandidate::granted(grant.token.clone(), Origin::Minted, grant.expiry)
        .handed_over(Arrival::Minted, concession);
    run.store.seal_candidate(credential, new, run.now())
}

fn user_id(generation: &Generation) -> Option<String> {
    generation.proof.as_ref()?.inspection.identity.user_id.clone()
}

fn scopes(generation: &Generation) -> &[String] {
    generation.proof.as_ref().map_or(&[], |proof| proof.inspection.known_scopes())
}

/// The admin's access token, if the config lets it be used for this.
fn of_the_admin(
    run: &Run<'_>,
    token: &TokenConfig,
    admin: &Label,
) -> Result<AccessToken, Unplanned> {
    let declared = run.session.config.token(admin);
    let config = declared.filter(|it| it.used_for == Some(TokenUse::Mint)).ok_or_else(|| {
        let fix = format!("set `use = \"mint\"` in `[token.{admin}]`");
        cannot(&format!("`{admin}` is not declared as an admin's"), &fix)
    })?;
    if config.app != token.app {
        let fix = format!("name an admin's token of app `{}`", token.app);
        return Err(cannot(&format!("`{admin}` belongs to app `{}`", config.app), &fix));
    }
    // The config is right: a person brings the admin's access token, as a run says that meets the same.
    let dead = |why: &str| {
        let fix = format!("run `metatoken exchange {admin}` and paste a new one");
        let unplanned = cannot(&format!("the access token of `{admin}` {why}"), &fix);
        Unplanned { exit: Exit::PersonNeeded, ..unplanned }
    };
    let known = run.known_id(admin).map(|id| run.store.credential(id));
    let known = known.transpose().map_err(unread)?;
    match known.and_then(|known| known.current) {
        None => Err(dead("is missing")),
        Some(current) if current.verdict() == Some(false) => Err(dead("does not work any more")),
        Some(current) => run.store.reveal(current.id).map_err(unread),
    }
}

/// What keeps a new access token from being asked for.
pub struct Unplanned {
    /// What is missing, and what helps.
    pub problem: Problem,
    /// How `mint` ends over it.
    pub exit: Exit,
}

impl Unplanned {
    fn of_the_app(problem: Problem) -> Self {
        let is_of_the_config = problem.action == Action::FixConfiguration;
        let exit = if is_of_the_config { Exit::Config } else { Exit::for_problem(&problem) };
        Self { problem, exit }
    }
}

/// What the config does not say.
fn cannot(message: &str, fix: &str) -> Unplanned {
    let problem = Problem::new(ProblemKind::Unknown, message)
        .with_action(Action::FixConfiguration)
        .with_fix(fix.to_owned());
    Unplanned { problem, exit: Exit::Config }
}

fn unread(error: StoreError) -> Unplanned {
    let problem = Problem::new(ProblemKind::Unknown, error.to_string());
    Unplanned { problem, exit: CliError::from(error).exit }
}

/// What is said of a request whose answer was lost.
pub fn lost(user_id: &str, label: &Label, sent: Time) -> Problem {
    let sent = sent.format("%Y-%m-%d %H:%M UTC");
    Problem::new(
        ProblemKind::Network,
        format!(
            "the answer to a request sent {sent} was lost: Meta may have made an access token of \
             System User {user_id} that is kept nowhere"
        ),
    )
    .with_fix(format!(
        "an admin of the business revokes it (Meta Business settings, Users, System users), or \
         `metatoken revoke {label} --all` revokes it with all others"
    ))
}

/// Says in the history of the request that an earlier run did not live to see answered.
pub fn settle_lost(run: &Run<'_>, credential: Credential) -> Result<Credential, StoreError> {
    let Some(sent) = credential.attempts.minting.sent_at else { return Ok(credential) };
    let known = credential.current.as_ref().and_then(user_id);
    let lost = lost(&known.unwrap_or_else(|| "unknown".to_owned()), &credential.label, sent);
    run.session.ui.warn(&format!("{}: {}; {}", credential.label, lost.message, fix(&lost)));
    run.store.note_mint_lost(run.id, credential, &lost, run.now())
}

fn fix(problem: &Problem) -> &str {
    problem.fix.as_deref().unwrap_or_default()
}

/// Says to whoever typed `mint` why there is no new access token.
pub fn not_minted(
    token: &TokenConfig,
    credential: &Credential,
    problem: &Problem,
    exit: Exit,
) -> CliError {
    let subject = super::tokens::subject(token, Some(credential), None);
    // What Meta says of the admin's access token, or of the question, says nothing of this one.
    let why = match (problem.code, &problem.fix) {
        (Some(_), Some(_)) => "Meta refuses it".to_owned(),
        _ => cause(problem, &subject),
    };
    let message = format!("no new access token: {why}");
    let complaint = CliError::new(exit, "not_minted", token.label.as_str(), message);
    complaint.in_metas_words(&quote(problem)).hint(match fix(problem) {
        "" => remedy(problem, &subject).to_string(),
        fix => fix.to_owned(),
    })
}
