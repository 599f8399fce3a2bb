//! Reads the text of a store key, from its file or from the config.

use std::fmt;

use data_encoding::{BASE64_NOPAD, HEXLOWER_PERMISSIVE};
use zeroize::Zeroizing;

use crate::crypto::Key;

/// The text is not a key. Never holds the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadKey {
    /// Nothing but white space.
    Empty,
    /// Neither 64 hex digits nor base64 of 32 bytes.
    Malformed,
}

impl fmt::Display for BadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "it is empty",
            Self::Malformed => "it is neither 64 hex digits nor base64 of 32 bytes",
        })
    }
}

impl std::error::Error for BadKey {}

/// Reads a key: 64 hex digits, or 32 bytes in base64 of either alphabet, padded or not.
pub fn read_key(text: &str) -> Result<Key, BadKey> {
    let text = text.trim();
    let mut key = Key::new([0; 32]);
    let decoded = match text.len() {
        0 => return Err(BadKey::Empty),
        64 => HEXLOWER_PERMISSIVE.decode_mut(text.as_bytes(), key.as_mut()),
        _ => {
            let digits = text.strip_suffix('=').unwrap_or(text);
            if digits.len() != 43 {
                return Err(BadKey::Malformed);
            }
            BASE64_NOPAD.decode_mut(standard_alphabet(digits).as_ref(), key.as_mut())
        }
    };
    decoded.map(|_| key).map_err(|_| BadKey::Malformed)
}

/// The digits of base64 in its standard alphabet, whichever they were written in.
fn standard_alphabet(digits: &str) -> Zeroizing<Vec<u8>> {
    let standard = digits.bytes().map(|digit| match digit {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    });
    Zeroizing::new(standard.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto;

    #[test]
    fn a_key_is_hex_or_base64() {
        let hex = "00".repeat(31) + "ff";
        for (text, last) in [
            (hex.clone(), Ok(0xff)),
            (format!(" {}\n", hex.to_uppercase()), Ok(0xff)),
            ("A".repeat(41) + "P8=", Ok(0xff)),
            ("A".repeat(41) + "P8", Ok(0xff)),
            ("A".repeat(41) + "_4", Ok(0xfe)),
            ("A".repeat(41) + "P9=", Err(BadKey::Malformed)),
            ("A".repeat(44), Err(BadKey::Malformed)),
            ("g".repeat(64), Err(BadKey::Malformed)),
            ("00".repeat(31), Err(BadKey::Malformed)),
            (" \n".into(), Err(BadKey::Empty)),
        ] {
            assert_eq!(read_key(&text).map(|key| key[31]), last, "{text:?}");
        }
    }

    #[test]
    fn every_digit_has_its_place() {
        let bytes: [u8; 32] = std::array::from_fn(|at| u8::try_from(at * 7 + 3).unwrap_or(0));
        let key = read_key(&crypto::hex(&bytes)).expect("hex");
        assert_eq!(*key, bytes);
        let key = read_key("AwoRGB8mLTQ7QklQV15lbHN6gYiPlp2kq7K5wMfO1dw=").expect("base64");
        assert_eq!(*key, bytes);
    }
}
