//! Tells who is calling, and whether the call proves that it knows the app's secret.

use crate::crypto;

use super::call::Call;
use super::fixtures::AppFixture;
use super::host::Host;
use super::issued::IssuedToken;
use super::quirks::DeadRefusal;
use super::refusal::Refusal;
use super::simulation::Simulation;

/// The holder of the token that a call carries.
pub enum Caller<'a> {
    /// An app, by `APPID|SECRET` or what Graph made in its place; at Threads, `TH|APPID|SECRET`.
    App(&'a AppFixture),
    /// A person, a Page or a system user; the access token and what is known of it.
    Holder(&'a str, &'a IssuedToken),
}

impl Call {
    /// The token that the call carries, by header or by parameter, but not both.
    pub(super) fn token(&self) -> Result<Option<&str>, Refusal> {
        match (self.bearer.as_deref(), self.get("access_token")) {
            (Some(_), Some(_)) => {
                Err(Refusal::parameter("The access token is given twice, by header and parameter"))
            }
            (one, other) => Ok(one.or(other)),
        }
    }
}

impl Simulation {
    /// An app, if it is one of this host's.
    pub(super) fn app_at(&self, host: Host, id: &str) -> Option<&AppFixture> {
        self.apps.get(id).filter(|app| app.host == host)
    }

    /// What a host knows of an access token that is not an app's, whatever has become of it.
    pub(super) fn issued(&self, host: Host, string: &str) -> Result<&IssuedToken, Refusal> {
        if Host::of_string(string).is_some_and(|home| home != host) {
            return Err(Refusal::unparsable(host));
        }
        self.tokens.get(string).ok_or_else(Refusal::unknown_token)
    }

    /// Who stands behind an access token at a host, whatever has become of it.
    pub(super) fn caller<'a>(&'a self, host: Host, string: &'a str) -> Result<Caller<'a>, Refusal> {
        let ours = Host::of_string(string) == Some(host);
        match host.app_string(string).filter(|_| ours) {
            Some((id, proof)) => {
                let app = self.app_at(host, id).ok_or_else(Refusal::unknown_app)?;
                if app.is_proven_by(proof) { Ok(Caller::App(app)) } else { Err(wrong_signature()) }
            }
            None => Ok(Caller::Holder(string, self.issued(host, string)?)),
        }
    }

    /// The app on whose account a call goes, as far as the call says.
    pub(super) fn billed(&self, call: &Call) -> Option<&AppFixture> {
        let carried = call.token().ok().flatten();
        let by_token = carried.and_then(|string| match call.host.app_string(string) {
            Some((id, _)) => Some(id),
            None => self.tokens.get(string).map(|token| token.app.as_str()),
        });
        self.app_at(call.host, by_token.or_else(|| call.get("client_id"))?)
    }

    /// The living token that a call carries.
    pub(super) fn living<'a>(
        &'a self,
        call: &'a Call,
        unnamed: fn() -> Refusal,
    ) -> Result<(&'a str, &'a IssuedToken), Refusal> {
        let string = call.token()?.ok_or_else(unnamed)?;
        match self.caller(call.host, string)? {
            Caller::App(_) => Err(unnamed()),
            Caller::Holder(string, token) => self.alive(token).map(|()| (string, token)),
        }
    }

    /// The living token with which an object is read, its proof checked.
    pub(super) fn holder<'a>(
        &'a self,
        call: &'a Call,
        unnamed: fn() -> Refusal,
    ) -> Result<(&'a str, &'a IssuedToken), Refusal> {
        let (string, token) = self.living(call, unnamed)?;
        let app = self.apps.get(&token.app).ok_or_else(Refusal::unknown_app)?;
        self.check_proof(call, app, string)?;
        Ok((string, token))
    }

    /// Refuses a token that is dead.
    pub(super) fn alive(&self, token: &IssuedToken) -> Result<(), Refusal> {
        match token.invalidation(self.now) {
            Some(_) if self.quirks.dead == DeadRefusal::NoResource && !token.is_facebooks() => {
                Err(Refusal::no_resource())
            }
            Some(invalidation) => {
                Err(Refusal::dead(invalidation, &token.app, token.expires_at, self.now))
            }
            None => Ok(()),
        }
    }

    /// A proof must be right when it is sent, and be sent when the app requires one.
    pub(super) fn check_proof(
        &self,
        call: &Call,
        app: &AppFixture,
        string: &str,
    ) -> Result<(), Refusal> {
        let Some(sent) = call.get("appsecret_proof") else {
            return if app.requires_proof { Err(proof_missing()) } else { Ok(()) };
        };
        let message = match call.get("appsecret_time") {
            Some(time) if self.is_recent(time) => format!("{string}|{time}"),
            Some(_) => return Err(proof_wrong()),
            None => string.to_owned(),
        };
        let right = crypto::hex(&crypto::keyed_hash(app.secret.as_bytes(), message.as_bytes()));
        if sent == right { Ok(()) } else { Err(proof_wrong()) }
    }

    /// A dated proof holds for five minutes.
    fn is_recent(&self, seconds: &str) -> bool {
        seconds.parse::<i64>().is_ok_and(|time| (0..=300).contains(&self.now.saturating_sub(time)))
    }
}

/// What Graph says of `APPID|SECRET` with a wrong secret.
pub fn wrong_signature() -> Refusal {
    Refusal::new(190, "Invalid OAuth access token signature.")
}

fn proof_missing() -> Refusal {
    Refusal::proof("API calls from the server require an appsecret_proof argument")
}

fn proof_wrong() -> Refusal {
    Refusal::proof("Invalid appsecret_proof provided in the API argument")
}
