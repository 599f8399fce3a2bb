//! Seals access tokens, and files that held them, each bound to its place.
//!
//! The store key opens one thing, a random data key that is kept wrapped beside the rows. The
//! keys for sealing and for fingerprints derive from the data key, so the store key can be
//! changed without touching a row, and a fingerprint means the same access token for ever. What is
//! sealed for one generation or target opens for no other, so a row cannot be put in another's place.

use zeroize::Zeroizing;

use super::tx::Tx;
use super::tx_error::TxError;
use super::value::values;
use crate::crypto::{self, Key};
use crate::token::{AccessToken, Fingerprint, Secret, TargetId, TokenId};

/// How sealed bytes are laid out: this byte, the key's id, then what `crypto::seal` gives.
const FORMAT: u8 = 1;
/// The id of the first key of its kind; a rotation counts on.
const FIRST_KEY: u8 = 1;
/// The row of `meta` that holds the wrapped data key.
const DATA_KEY: &str = "data_key";

/// The keys that an open store works with.
#[derive(Clone)]
pub struct Seals {
    sealing: Key,
    fingerprints: Key,
    logins: Key,
}

impl Seals {
    fn of(data_key: &Key) -> Self {
        Self {
            sealing: crypto::derive_key(data_key, "seal strings 1"),
            fingerprints: crypto::derive_key(data_key, "fingerprints 1"),
            logins: crypto::derive_key(data_key, "logins 1"),
        }
    }

    /// Makes the data key of a new store and keeps it wrapped.
    pub fn create(tx: &mut dyn Tx, store_key: &Key) -> Result<Self, TxError> {
        let data_key = crypto::random_key();
        let wrapped = framed(&wrapping(store_key), &wrapped_place(FIRST_KEY), data_key.as_ref());
        tx.execute("INSERT INTO meta (name, value) VALUES (?1, ?2)", values![DATA_KEY, &wrapped])?;
        Ok(Self::of(&data_key))
    }

    /// Opens the data key of a store that exists.
    pub fn unwrap(tx: &mut dyn Tx, store_key: &Key) -> Result<Self, TxError> {
        let wrapped =
            tx.first("SELECT value FROM meta WHERE name = ?1", values![DATA_KEY], |mut row| {
                row.blob("meta.value").map(<[u8]>::to_vec)
            })?;
        let wrapped = wrapped.ok_or(TxError::BrokenSeal)?;
        let [FORMAT, id, body @ ..] = wrapped.as_slice() else { return Err(TxError::BrokenSeal) };
        let plain = crypto::open(&wrapping(store_key), wrapped_place(*id).as_bytes(), body)
            .map_err(|_| TxError::WrongKey)?;
        let mut data_key = Key::new([0; 32]);
        if plain.len() != data_key.len() {
            return Err(TxError::BrokenSeal);
        }
        data_key.copy_from_slice(&plain);
        Ok(Self::of(&data_key))
    }

    /// Returns what stands for an access token, in this store alone.
    pub fn fingerprint(&self, token: &AccessToken) -> Fingerprint {
        Fingerprint::new(crypto::keyed_hash(self.fingerprints.as_ref(), token.expose().as_bytes()))
    }

    /// Returns what stands for the id and the secret of an app, in this store alone.
    pub fn app(&self, id: &str, secret: Option<&Secret>) -> Fingerprint {
        let secret = secret.map_or("", Secret::expose);
        let words = Zeroizing::new(format!("app|{id}|{secret}"));
        Fingerprint::new(crypto::keyed_hash(self.fingerprints.as_ref(), words.as_bytes()))
    }

    /// Signs what a login asks for; also stands for a code, in this store alone.
    pub fn login(&self, said: &[u8]) -> [u8; 32] {
        crypto::keyed_hash(self.logins.as_ref(), said)
    }

    /// Returns what stands for a command with its arguments, which may say too much.
    pub fn command(&self, argv: &[String]) -> Vec<u8> {
        let words = argv.join("\0");
        crypto::keyed_hash(self.fingerprints.as_ref(), format!("command|{words}").as_bytes())
            .to_vec()
    }

    /// Seals the access token of one generation.
    pub fn seal(&self, token: TokenId, number: u32, access_token: &AccessToken) -> Vec<u8> {
        framed(&self.sealing, &place(token, number, FIRST_KEY), access_token.expose().as_bytes())
    }

    /// Opens the access token of one generation.
    pub fn open(&self, token: TokenId, number: u32, sealed: &[u8]) -> Result<AccessToken, TxError> {
        let plain = self.unframed(sealed, |id| place(token, number, id))?;
        let text = std::str::from_utf8(&plain).map_err(|_| TxError::BrokenSeal)?;
        AccessToken::parse(text).map_err(|_| TxError::BrokenSeal)
    }

    /// Seals what a target's file held.
    pub fn seal_file(&self, token: TokenId, target: &TargetId, content: &[u8]) -> Vec<u8> {
        framed(&self.sealing, &file_place(token, target, FIRST_KEY), content)
    }

    /// Opens what a target's file held.
    pub fn open_file(
        &self,
        token: TokenId,
        target: &TargetId,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, TxError> {
        self.unframed(sealed, |id| file_place(token, target, id))
    }

    /// Seals what a target's file is about to hold.
    pub fn seal_overwrite(&self, token: TokenId, target: &TargetId, content: &[u8]) -> Vec<u8> {
        framed(&self.sealing, &overwrite_place(token, target, FIRST_KEY), content)
    }

    /// Opens what a target's file was about to hold.
    pub fn open_overwrite(
        &self,
        token: TokenId,
        target: &TargetId,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, TxError> {
        self.unframed(sealed, |id| overwrite_place(token, target, id))
    }

    fn unframed(
        &self,
        sealed: &[u8],
        place: impl Fn(u8) -> String,
    ) -> Result<Zeroizing<Vec<u8>>, TxError> {
        let [FORMAT, id, body @ ..] = sealed else { return Err(TxError::BrokenSeal) };
        crypto::open(&self.sealing, place(*id).as_bytes(), body).map_err(|_| TxError::BrokenSeal)
    }
}

fn wrapping(store_key: &Key) -> Key {
    crypto::derive_key(store_key, "wrap the data key 1")
}

fn wrapped_place(id: u8) -> String {
    format!("metatoken|format {FORMAT}|key {id}|meta.{DATA_KEY}")
}

fn place(token: TokenId, number: u32, id: u8) -> String {
    format!("metatoken|format {FORMAT}|key {id}|generation.sealed|{}|{number}", token.0)
}

/// The target comes last: its name may hold any character, and nothing follows it.
fn file_place(token: TokenId, target: &TargetId, id: u8) -> String {
    format!("metatoken|format {FORMAT}|key {id}|replaced.sealed|{}|{target}", token.0)
}

fn overwrite_place(token: TokenId, target: &TargetId, id: u8) -> String {
    format!("metatoken|format {FORMAT}|key {id}|overwrite.sealed|{}|{target}", token.0)
}

fn framed(key: &Key, place: &str, plain: &[u8]) -> Vec<u8> {
    let mut bytes = vec![FORMAT, FIRST_KEY];
    bytes.extend(crypto::seal(key, place.as_bytes(), plain));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_opens_in_its_own_place_only() {
        let seals = Seals::of(&crypto::random_key());
        let string = AccessToken::parse("EAAfake1").unwrap();
        let sealed = seals.seal(TokenId(1), 2, &string);
        assert_eq!(seals.open(TokenId(1), 2, &sealed).unwrap(), string);
        let mut bent = sealed.clone();
        bent[1] = 9;
        for (token, number, sealed) in [
            (2, 2, sealed.as_slice()),
            (1, 3, &sealed),
            (1, 2, &bent),
            (1, 2, &sealed[..1]),
            (1, 2, &[]),
        ] {
            assert!(seals.open(TokenId(token), number, sealed).is_err(), "{token} {number}");
        }
    }
}
