//! What is done with a string that was handed over: exchanged, or stored as it is.
//!
//! Where nobody can be asked how long it lives, the attempt to exchange it tells: Meta exchanges
//! only what is short-lived.

use super::{Desk, Given};
use crate::complaint::Complaint;
use crate::failpoint;
use crate::graph::{App, Fault};
use crate::policy::{is_short_life, words};
use crate::run::DryRun;
use crate::token::{AccessToken, Expiry, Grant, Origin, Outcome, Problem, ProblemKind};

/// How long a string lives, as far as it can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// An hour or a day: it is exchanged.
    Short,
    /// Sixty days, or for ever, or nothing can be done about it.
    Long,
    /// Nobody can be asked: an attempt to exchange it tells.
    Unknown,
}

impl Desk<'_> {
    pub(super) fn life(&self, given: &Given<'_>) -> Life {
        let family = self.member.token_type.family();
        if family.exchange.is_none() {
            Life::Long
        } else if is_short_life(given.inspection, self.run.now()) {
            Life::Short
        } else if family.may_hide_the_end() && given.inspection.expiry == Expiry::Unknown {
            Life::Unknown
        } else {
            Life::Long
        }
    }

    pub(super) fn exchange(
        &self,
        app: &App,
        given: &Given<'_>,
    ) -> Result<(Outcome, String), Complaint> {
        let ends = words::expiry(given.inspection.expiry, self.run.now());
        let reason = format!("it was short-lived: it ends {ends}");
        if self.run.dry_run == DryRun::Yes {
            return Ok((Outcome::WouldExchange, reason));
        }
        let grant = self.ask_for_exchange(app, given)?.map_err(|fault| self.fault(&fault))?;
        self.take_grant(app, &grant, reason)
    }

    /// Meta exchanges only what is short-lived: its refusal says that the string is long-lived.
    pub(super) fn exchange_if_possible(
        &self,
        app: &App,
        given: &Given<'_>,
    ) -> Result<(Outcome, String), Complaint> {
        if self.run.dry_run == DryRun::Yes {
            let reason = "nobody knows when it ends; an exchange is tried first";
            return Ok((Outcome::WouldExchange, reason.to_owned()));
        }
        if app.secret.is_none() {
            let reason = format!(
                "app `{}` has no secret, so nothing that lives an hour could be exchanged",
                app.name
            );
            return self.store_as_it_is(app, given, &reason);
        }
        match self.ask_for_exchange(app, given)? {
            Ok(grant) => self.take_grant(app, &grant, "it was short-lived".to_owned()),
            Err(fault) if fault.refuses_the_string() => {
                let reason = "Meta does not exchange it, so it is long-lived already";
                self.store_as_it_is(app, given, reason)
            }
            Err(fault) => Err(self.fault(&fault)),
        }
    }

    /// Meta may answer with the very string that is in use.
    fn take_grant(
        &self,
        app: &App,
        grant: &Grant,
        reason: String,
    ) -> Result<(Outcome, String), Complaint> {
        if self.is_in_use(&grant.token)? {
            self.run.store.close_attempts(self.token, self.run.now())?;
            return Ok((
                Outcome::Verified,
                "Meta gave the string that is in use already".to_owned(),
            ));
        }
        self.take(app, &grant.token, grant.expiry, Origin::Exchanged)?;
        Ok((Outcome::Exchanged, reason))
    }

    fn is_in_use(&self, string: &AccessToken) -> Result<bool, Complaint> {
        let fingerprint = self.run.store.fingerprint(string)?;
        Ok(self.before.current.as_ref().is_some_and(|it| it.fingerprint == fingerprint))
    }

    fn ask_for_exchange(
        &self,
        app: &App,
        given: &Given<'_>,
    ) -> Result<Result<Grant, Fault>, Complaint> {
        let Some(exchange) = self.member.token_type.family().exchange else {
            let why = Problem::new(ProblemKind::Unknown, "a token of its type has no exchange");
            return Ok(Err(Fault::of_token(why)));
        };
        self.run.record_attempts(&[self.token])?;
        failpoint::reach("before-request");
        let answer = self.run.graph.grant(app, exchange, Some(given.string));
        match &answer {
            Ok(_) => failpoint::reach("granted"),
            Err(_) => self.run.store.close_attempts(self.token, self.run.now())?,
        }
        Ok(answer)
    }

    pub(super) fn store_as_it_is(
        &self,
        app: &App,
        given: &Given<'_>,
        reason: &str,
    ) -> Result<(Outcome, String), Complaint> {
        if self.is_in_use(given.string)? {
            return Ok((Outcome::Verified, "it is the string in use already".to_owned()));
        }
        self.take(app, given.string, given.inspection.expiry, Origin::Adopted)?;
        let outcome = match self.run.dry_run {
            DryRun::No => Outcome::Adopted,
            DryRun::Yes => Outcome::WouldAdopt,
        };
        Ok((outcome, reason.to_owned()))
    }
}
