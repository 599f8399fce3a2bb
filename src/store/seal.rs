//! Seals access tokens, and files that held them, each bound to its place.
//!
//! The store key opens one thing, a random data key that is kept wrapped beside the rows. The
//! keys for sealing and for fingerprints derive from the data key, so the store key can be
//! changed without touching a row. A fingerprint means the same access token for ever: where another
//! data key takes the first one's place, the key of the fingerprints is kept beside it. What is
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
/// The row that holds it wrapped under another store key, which is to take the first one's place.
const NEXT_DATA_KEY: &str = "next_data_key";
/// The row that keeps the key of the fingerprints, once the data key that it was derived from is gone.
const FINGERPRINT_KEY: &str = "fingerprint_key";

/// The keys that an open store works with.
#[derive(Clone)]
pub struct Seals {
    /// The store key that opened it.
    store_key: Key,
    data_key: Key,
    /// The id of the data key.
    id: u8,
    sealing: Key,
    fingerprints: Key,
    logins: Key,
}

/// Which store key a wrapped data key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrappedFor {
    /// The one that the store has.
    Current,
    /// The one that is to take its place.
    Next,
}

impl Seals {
    fn of(store_key: &Key, data_key: Key, id: u8, fingerprints: Option<Key>) -> Self {
        let derived = || crypto::derive_key(&data_key, "fingerprints 1");
        Self {
            store_key: store_key.clone(),
            id,
            sealing: crypto::derive_key(&data_key, "seal strings 1"),
            fingerprints: fingerprints.unwrap_or_else(derived),
            logins: crypto::derive_key(&data_key, "logins 1"),
            data_key,
        }
    }

    /// Makes the data key of a new store and keeps it wrapped.
    pub fn create(tx: &mut dyn Tx, store_key: &Key) -> Result<Self, TxError> {
        let this = Self::of(store_key, crypto::random_key(), FIRST_KEY, None);
        this.wrap(tx, store_key, None)?;
        Ok(this)
    }

    /// Opens the data key of a store that exists.
    pub fn unwrap(tx: &mut dyn Tx, store_key: &Key) -> Result<Self, TxError> {
        Self::unwrap_from(tx, store_key).map(|(seals, _)| seals)
    }

    /// Opens the data key of a store that exists, and says for which store key it was wrapped.
    pub fn unwrap_from(tx: &mut dyn Tx, store_key: &Key) -> Result<(Self, WrappedFor), TxError> {
        let wrapped = kept(tx, DATA_KEY)?.ok_or(TxError::BrokenSeal)?;
        let found = match unwrap(&wrapped, store_key) {
            Ok(found) => Ok((found, WrappedFor::Current)),
            Err(error) => match kept(tx, NEXT_DATA_KEY)?.map(|next| unwrap(&next, store_key)) {
                Some(Ok(found)) => Ok((found, WrappedFor::Next)),
                Some(Err(_)) | None => Err(error),
            },
        };
        let ((data_key, id), place) = found?;
        let fingerprints = kept(tx, FINGERPRINT_KEY)?;
        let fingerprints = fingerprints.map(|sealed| open_fingerprint_key(&sealed, &data_key));
        Ok((Self::of(store_key, data_key, id, fingerprints.transpose()?), place))
    }

    /// Whether two store keys open the store.
    pub fn has_two_keys(tx: &mut dyn Tx) -> Result<bool, TxError> {
        Ok(kept(tx, NEXT_DATA_KEY)?.is_some())
    }

    /// Keeps the data key wrapped for this store key, and for the one that is to take its place; for no
    /// other.
    pub fn wrap(&self, tx: &mut dyn Tx, current: &Key, next: Option<&Key>) -> Result<(), TxError> {
        let wrapped = |store_key| {
            let place = wrapped_place(self.id);
            framed(&wrapping(store_key), self.id, &place, self.data_key.as_ref())
        };
        keep(tx, DATA_KEY, &wrapped(current))?;
        match next {
            Some(next) => keep(tx, NEXT_DATA_KEY, &wrapped(next)),
            None => tx.execute("DELETE FROM meta WHERE name = ?1", values![NEXT_DATA_KEY]),
        }
    }

    /// The same, opened by another store key.
    pub fn opened_by(&self, store_key: &Key) -> Self {
        Self { store_key: store_key.clone(), ..self.clone() }
    }

    /// Makes another data key. What stands for an access token stays: its key is kept sealed.
    pub fn with_new_data_key(&self, tx: &mut dyn Tx, store_key: &Key) -> Result<Self, TxError> {
        let id = self.id.checked_add(1).unwrap_or(FIRST_KEY);
        let data_key = crypto::random_key();
        let sealed = framed(
            &keeping_fingerprints(&data_key),
            id,
            &fingerprint_place(id),
            self.fingerprints.as_ref(),
        );
        keep(tx, FINGERPRINT_KEY, &sealed)?;
        Ok(Self::of(store_key, data_key, id, Some(self.fingerprints.clone())))
    }

    /// The same as the store has it now: another command may have sealed the rows anew.
    pub fn as_they_are_now(&self, tx: &mut dyn Tx) -> Result<Self, TxError> {
        Self::unwrap(tx, &self.store_key)
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
        let place = place(token, number, self.id);
        framed(&self.sealing, self.id, &place, access_token.expose().as_bytes())
    }

    /// Opens the access token of one generation.
    pub fn open(&self, token: TokenId, number: u32, sealed: &[u8]) -> Result<AccessToken, TxError> {
        let plain = self.unframed(sealed, |id| place(token, number, id))?;
        let text = std::str::from_utf8(&plain).map_err(|_| TxError::BrokenSeal)?;
        AccessToken::parse(text).map_err(|_| TxError::BrokenSeal)
    }

    /// Seals what a target's file held.
    pub fn seal_file(&self, token: TokenId, target: &TargetId, content: &[u8]) -> Vec<u8> {
        framed(&self.sealing, self.id, &file_place(token, target, self.id), content)
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
        framed(&self.sealing, self.id, &overwrite_place(token, target, self.id), content)
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

/// Opens a wrapped data key; returns it with its id.
fn unwrap(wrapped: &[u8], store_key: &Key) -> Result<(Key, u8), TxError> {
    let [FORMAT, id, body @ ..] = wrapped else { return Err(TxError::BrokenSeal) };
    let plain = crypto::open(&wrapping(store_key), wrapped_place(*id).as_bytes(), body)
        .map_err(|_| TxError::WrongKey)?;
    Ok((as_key(&plain)?, *id))
}

fn open_fingerprint_key(sealed: &[u8], data_key: &Key) -> Result<Key, TxError> {
    let [FORMAT, id, body @ ..] = sealed else { return Err(TxError::BrokenSeal) };
    let key = keeping_fingerprints(data_key);
    let plain = crypto::open(&key, fingerprint_place(*id).as_bytes(), body)
        .map_err(|_| TxError::BrokenSeal)?;
    as_key(&plain)
}

fn as_key(plain: &[u8]) -> Result<Key, TxError> {
    let mut key = Key::new([0; 32]);
    if plain.len() != key.len() {
        return Err(TxError::BrokenSeal);
    }
    key.copy_from_slice(plain);
    Ok(key)
}

fn kept(tx: &mut dyn Tx, name: &str) -> Result<Option<Vec<u8>>, TxError> {
    tx.first("SELECT value FROM meta WHERE name = ?1", values![name], |mut row| {
        row.blob("meta.value").map(<[u8]>::to_vec)
    })
}

fn keep(tx: &mut dyn Tx, name: &str, value: &[u8]) -> Result<(), TxError> {
    tx.execute(
        "INSERT INTO meta (name, value) VALUES (?1, ?2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        values![name, value],
    )
}

fn keeping_fingerprints(data_key: &Key) -> Key {
    crypto::derive_key(data_key, "keep the key of fingerprints 1")
}

fn fingerprint_place(id: u8) -> String {
    format!("metatoken|format {FORMAT}|key {id}|meta.{FINGERPRINT_KEY}")
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

fn framed(key: &Key, id: u8, place: &str, plain: &[u8]) -> Vec<u8> {
    let mut bytes = vec![FORMAT, id];
    bytes.extend(crypto::seal(key, place.as_bytes(), plain));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_opens_in_its_own_place_only() {
        let seals = Seals::of(&crypto::random_key(), crypto::random_key(), FIRST_KEY, None);
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
