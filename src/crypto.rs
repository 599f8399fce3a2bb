//! Does all cryptography, over `ring`.
//!
//! One place to audit and one to replace: keyed hashes for fingerprints and `appsecret_proof`,
//! key derivation, sealing, random bytes, and the provider that TLS uses.

use data_encoding::HEXLOWER;
use ring::rand::{SecureRandom, SystemRandom};
use ring::{aead, digest, hkdf, hmac};
use zeroize::Zeroizing;

/// A key of 256 bits, wiped when dropped.
pub type Key = Zeroizing<[u8; 32]>;

/// The bytes could not be opened: another key, another place, or damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotOpened;

impl std::fmt::Display for NotOpened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the sealed bytes do not open with this key")
    }
}

impl std::error::Error for NotOpened {}

/// Fills a buffer with random bytes from the kernel.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).expect("the kernel gives random bytes");
    bytes
}

/// A new random key.
pub fn random_key() -> Key {
    Zeroizing::new(random())
}

/// SHA-256.
pub fn hash(message: &[u8]) -> [u8; 32] {
    let digest = digest::digest(&digest::SHA256, message);
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// HMAC-SHA256.
pub fn keyed_hash(key: &[u8], message: &[u8]) -> [u8; 32] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message);
    tag.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// Derives the key for one purpose from a master key (HKDF-SHA256).
pub fn derive_key(master: &Key, purpose: &str) -> Key {
    let mut key = Zeroizing::new([0; 32]);
    hkdf::Salt::new(hkdf::HKDF_SHA256, b"metatoken")
        .extract(master.as_ref())
        .expand(&[purpose.as_bytes()], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(key.as_mut()))
        .expect("HKDF gives 32 bytes");
    key
}

/// Seals `plain` with AES-256-GCM: a random nonce, then the ciphertext and its tag.
///
/// `bound_to` is not stored; the bytes open only for a caller who names the same.
pub fn seal(key: &Key, bound_to: &[u8], plain: &[u8]) -> Vec<u8> {
    let nonce: [u8; aead::NONCE_LEN] = random();
    let mut sealed = plain.to_vec();
    aead_key(key)
        .seal_in_place_append_tag(
            aead::Nonce::assume_unique_for_key(nonce),
            aead::Aad::from(bound_to),
            &mut sealed,
        )
        .expect("AES-GCM seals a short message");
    [nonce.as_slice(), &sealed].concat()
}

/// Opens what [`seal`] made.
pub fn open(key: &Key, bound_to: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotOpened> {
    let (nonce, body) = sealed.split_at_checked(aead::NONCE_LEN).ok_or(NotOpened)?;
    let nonce = aead::Nonce::try_assume_unique_for_key(nonce).map_err(|_| NotOpened)?;
    let mut body = Zeroizing::new(body.to_vec());
    let length = aead_key(key)
        .open_in_place(nonce, aead::Aad::from(bound_to), &mut body)
        .map_err(|_| NotOpened)?
        .len();
    body.truncate(length);
    Ok(body)
}

/// Names the provider that every TLS client of this process uses; safe to call twice.
pub fn install_tls_provider() {
    // An error only says that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Bytes as lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

fn aead_key(key: &Key) -> aead::LessSafeKey {
    aead::LessSafeKey::new(
        aead::UnboundKey::new(&aead::AES_256_GCM, key.as_ref()).expect("the key has 32 bytes"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_bytes_open_only_in_their_place_and_with_their_key() {
        let key = random_key();
        let sealed = seal(&key, b"row 1", b"hush");
        assert_eq!(open(&key, b"row 1", &sealed).expect("it opens").as_slice(), b"hush");
        assert_eq!(open(&key, b"row 2", &sealed), Err(NotOpened));
        assert_eq!(open(&random_key(), b"row 1", &sealed), Err(NotOpened));
        assert_eq!(open(&key, b"row 1", b"short"), Err(NotOpened));
    }

    #[test]
    fn the_keyed_hash_is_hmac_sha256() {
        // RFC 4231, test case 2.
        assert_eq!(
            hex(&keyed_hash(b"Jefe", b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
