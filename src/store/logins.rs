//! Signs what a login asks for, and remembers which answers were handed in.
//!
//! The state that travels through Meta's dialog says everything itself, so nothing is kept of a login
//! that never comes back. A code works once: that it is tried is on the disk before Meta is asked, and
//! neither it nor its state is tried again.

use data_encoding::BASE64URL_NOPAD;

use super::value::values;
use super::{Result, Store};
use crate::crypto;
use crate::token::{Label, LoginClaims, Secret, Time, TokenId};

/// How long it is remembered that an answer was handed in: longer than any state is valid.
const REMEMBERED: chrono::TimeDelta = chrono::TimeDelta::days(30);
/// How many bytes of the signature travel.
const SIGNATURE: usize = 16;

/// A state that this store has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedState {
    /// What the login was asked for.
    pub claims: LoginClaims,
    /// What tells it from every other.
    nonce: String,
}

/// Whether an answer may be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginUse {
    /// It may, and is remembered as tried from now on.
    First,
    /// Its state, or its code, was handed in then.
    Used(Time),
}

impl Store {
    /// Signs what a login asks for, as text that may stand in an address.
    pub fn sign_login(&self, claims: &LoginClaims) -> Result<String> {
        let nonce = crypto::hex(&crypto::random::<8>());
        let ends_at = claims.ends_at.timestamp().to_string();
        let label = claims.label.as_str();
        let scopes = claims.scopes.join(",");
        let said = [&nonce, &ends_at, label, &claims.app_id, &claims.redirect, &scopes].join("\n");
        let signature = self.seals()?.login(said.as_bytes());
        let (said, signature) = (said.as_bytes(), &signature[..SIGNATURE]);
        Ok(format!("{}.{}", BASE64URL_NOPAD.encode(said), BASE64URL_NOPAD.encode(signature)))
    }

    /// Reads a state; none if this store has not signed it.
    pub fn verify_login(&self, state: &str) -> Result<Option<SignedState>> {
        let seals = self.seals()?;
        let read = || {
            let (said, signature) = state.split_once('.')?;
            let said = BASE64URL_NOPAD.decode(said.as_bytes()).ok()?;
            let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).ok()?;
            let right = seals.login(&said);
            let differs =
                right[..SIGNATURE].iter().zip(&signature).fold(0, |sum, (a, b)| sum | (a ^ b));
            (signature.len() == SIGNATURE && differs == 0).then_some(())?;
            let said = String::from_utf8(said).ok()?;
            let mut parts = said.split('\n');
            let nonce = parts.next()?.to_owned();
            let ends_at = Time::from_timestamp(parts.next()?.parse().ok()?, 0)?;
            let label = Label::parse(parts.next()?).ok()?;
            let (app_id, redirect) = (parts.next()?.to_owned(), parts.next()?.to_owned());
            let scopes = parts.next()?.split(',').filter(|scope| !scope.is_empty());
            let scopes = scopes.map(str::to_owned).collect();
            Some(SignedState {
                claims: LoginClaims { label, app_id, redirect, scopes, ends_at },
                nonce,
            })
        };
        Ok(read())
    }

    /// Remembers that an answer is tried, before it is; says so if it was tried before.
    pub fn use_login(
        &self,
        token: TokenId,
        state: Option<&SignedState>,
        code: &Secret,
        now: Time,
    ) -> Result<LoginUse> {
        let code = self.seals()?.login(code.expose().as_bytes()).to_vec();
        let nonce = state.map(|state| state.nonce.clone());
        self.write_at(now, move |tx| {
            let before = tx.now() - REMEMBERED;
            tx.execute("DELETE FROM login WHERE at < ?1", values![before])?;
            let used = tx.first(
                "SELECT at FROM login WHERE code = ?1 OR state = ?2 ORDER BY at LIMIT 1",
                values![&code, nonce.as_deref()],
                |mut row| row.time("login.at"),
            )?;
            if let Some(at) = used {
                return Ok(LoginUse::Used(at));
            }
            let now = tx.now();
            tx.execute(
                "INSERT INTO login (code, state, token, at) VALUES (?1, ?2, ?3, ?4)",
                values![&code, nonce.as_deref(), token, now],
            )?;
            Ok(LoginUse::First)
        })
    }
}
