//! Base 62: the digits, upper case and lower case letters of ASCII, the alphabet of secrets and
//! ids. Letters and digits only, so that a double click selects a whole secret.

use zeroize::Zeroizing;

/// The alphabet, in ASCII order.
pub const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The largest multiple of 62 that fits in a byte. Bytes from here on are thrown away: taking
/// them modulo 62 would make the first eight characters more likely than the rest.
const FAIR: u8 = 248;

/// Draws `length` unbiased characters, by rejection. `fill` fills a buffer from the platform's
/// CSPRNG; it is called until enough of its bytes are below 248, which one call in thirty-two
/// bytes nearly always leaves to a second call at most.
#[must_use]
pub fn random(length: usize, fill: &mut dyn FnMut(&mut [u8])) -> String {
    // Reserved at once: a string that grows leaves copies of a secret behind.
    let mut text = String::with_capacity(length);
    let mut bytes = Zeroizing::new([0_u8; 32]);
    while text.len() < length {
        fill(bytes.as_mut_slice());
        let wanted = length.saturating_sub(text.len());
        text.extend(
            bytes
                .iter()
                .filter(|byte| **byte < FAIR)
                .take(wanted)
                .map(|byte| digit(byte % 62)),
        );
    }
    text
}

/// Writes the last `N` base-62 digits of `value`, most significant first.
pub(crate) fn digits<const N: usize>(mut value: u64) -> [u8; N] {
    let mut text = [b'0'; N];
    for place in text.iter_mut().rev() {
        // The remainder is below 62, so it fits.
        *place = digit((value % 62) as u8) as u8;
        value /= 62;
    }
    text
}

/// Whether every character is of the alphabet.
pub(crate) fn is_base62(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The character of `value`, which is below 62.
const fn digit(value: u8) -> char {
    let byte = match value {
        0..=9 => b'0' + value,
        10..=35 => b'A' + (value - 10),
        _ => b'a' + (value - 36) % 26,
    };
    byte as char
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_follow_the_alphabet() {
        for (value, expected) in (0_u8..).zip(ALPHABET) {
            assert_eq!(digit(value), char::from(*expected));
        }
        assert_eq!(&digits::<8>(0), b"00000000");
        assert_eq!(&digits::<3>(62 * 62 + 10), b"10A");
        assert_eq!(
            &digits::<2>(62 * 62 + 61),
            b"0z",
            "only the last digits are written"
        );
    }

    #[test]
    fn every_character_is_equally_likely() {
        // Every byte value once per eight calls: each character must come up exactly four times.
        let mut next = 0_u8;
        let mut fill = |buffer: &mut [u8]| {
            for byte in buffer {
                *byte = next;
                next = next.wrapping_add(1);
            }
        };
        let text = random(248, &mut fill);
        assert_eq!(text.len(), 248);
        for expected in ALPHABET {
            assert_eq!(text.bytes().filter(|byte| byte == expected).count(), 4);
        }
    }

    #[test]
    fn bytes_that_would_bias_are_drawn_again() {
        let mut calls = 0;
        let mut fill = |buffer: &mut [u8]| {
            calls += 1;
            buffer.fill(if calls < 3 { 255 } else { 61 });
        };
        assert_eq!(random(5, &mut fill), "zzzzz");
        assert_eq!(calls, 3);
    }
}
