//! ECDSA signatures over P-256 as they are sent, and as WebCrypto takes them.

use base64ct::{Base64, Encoding as _};

/// Each of the two numbers has 32 bytes.
const NUMBER: usize = 32;

/// Turns the base64 of a DER signature (RFC 3279 section 2.2.3) into the 64 bytes of IEEE P1363;
/// none for anything else.
#[must_use]
pub fn from_base64_der(text: &str) -> Option<[u8; 64]> {
    // The longest such signature has 72 bytes.
    if text.len() > 96 {
        return None;
    }
    let der = Base64::decode_vec(text).ok()?;
    let (tag, rest) = der.split_first()?;
    let (length, rest) = rest.split_first()?;
    if *tag != 0x30 || usize::from(*length) != rest.len() {
        return None;
    }
    let (r, rest) = number(rest)?;
    let (s, rest) = number(rest)?;
    if !rest.is_empty() {
        return None;
    }
    let mut raw = [0; 64];
    let (first, second) = raw.split_at_mut(NUMBER);
    first.copy_from_slice(&r);
    second.copy_from_slice(&s);
    Some(raw)
}

/// The bytes of a public key in PEM, `-----BEGIN PUBLIC KEY-----` (RFC 7468 section 13); none for
/// anything else.
#[must_use]
pub fn public_key(pem: &str) -> Option<Vec<u8>> {
    let body = pem
        .trim()
        .strip_prefix("-----BEGIN PUBLIC KEY-----")?
        .strip_suffix("-----END PUBLIC KEY-----")?;
    let base64: String = body.split_ascii_whitespace().collect();
    Base64::decode_vec(&base64).ok()
}

/// A positive whole number of DER, as short as it can be, and what follows it.
fn number(der: &[u8]) -> Option<([u8; NUMBER], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (digits, rest) = rest.split_at_checked(usize::from(*length))?;
    let digits = match digits {
        [] => return None,
        [0, next, ..] if *next < 0x80 => return None,
        [0, digits @ ..] => digits,
        [first, ..] if *first >= 0x80 => return None,
        digits => digits,
    };
    let mut number = [0; NUMBER];
    let start = NUMBER.checked_sub(digits.len())?;
    number.get_mut(start..)?.copy_from_slice(digits);
    (*tag == 2).then_some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From GitHub's documentation of its partner program: `s` has 31 bytes, `r` a leading zero.
    const SAMPLE: &str = "MEQCIQDaMKqrGnE27S0kgMrEK0eYBmyG0LeZismAEz/BgZyt7AIfXt9fErtRS4XaeSt/AO1RtBY66YcAdjxji410VQV4xg==";

    #[test]
    fn numbers_have_their_places() {
        let raw = from_base64_der(SAMPLE).unwrap();
        assert_eq!((raw[0], raw[31]), (0xda, 0xec));
        assert_eq!((raw[32], raw[33], raw[63]), (0, 0x5e, 0xc6));
    }

    #[test]
    fn what_is_not_der_is_none() {
        let der = Base64::decode_vec(SAMPLE).unwrap();
        let is_one = |der: &[u8]| from_base64_der(&Base64::encode_string(der)).is_some();
        assert!(is_one(&der));
        for end in 0..der.len() {
            assert!(!is_one(&der[..end]), "{end}");
        }
        for (index, byte) in [
            (0, 0x31),
            (1, 0x45),
            (2, 3),
            (3, 0x20),
            (4, 1),
            (4, 0x80),
            (37, 0),
        ] {
            let mut altered = der.clone();
            altered[index] = byte;
            assert!(!is_one(&altered), "{index}");
        }
        assert!(!is_one(&[der.as_slice(), &[0]].concat()));
        assert!(!is_one(&[0x30, 4, 2, 0, 2, 0]));
        for text in ["", "x", "MEQ=", &SAMPLE.replace('=', ""), &"A".repeat(100)] {
            assert_eq!(from_base64_der(text), None, "{text}");
        }
    }

    #[test]
    fn keys_are_read_from_pem() {
        let pem = "-----BEGIN PUBLIC KEY-----\nAQID\nBA==\n-----END PUBLIC KEY-----\n";
        assert_eq!(public_key(pem), Some(vec![1, 2, 3, 4]));
        for pem in [
            "",
            "AQID",
            "-----BEGIN PRIVATE KEY-----\nAQID\n-----END PRIVATE KEY-----",
        ] {
            assert_eq!(public_key(pem), None);
        }
    }
}
