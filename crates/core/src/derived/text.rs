//! Base64 (RFC 4648 section 4) of letters, digits and underscores only, so that a double click
//! selects a whole key: without padding, `_p` for `+` and `_s` for `/`.

use base64ct::{Base64Unpadded, Encoding as _};

/// Writes bytes.
pub(super) fn encode(bytes: &[u8]) -> String {
    let text = Base64Unpadded::encode_string(bytes);
    text.replace('+', "_p").replace('/', "_s")
}

/// Reads what [`encode`] writes, and no second spelling of it.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        plain.push(match character {
            '_' => match characters.next()? {
                'p' => '+',
                's' => '/',
                _ => return None,
            },
            _ if character.is_ascii_alphanumeric() => character,
            _ => return None,
        });
    }
    Base64Unpadded::decode_vec(&plain).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_character_is_a_letter_a_digit_or_an_underscore() {
        let bytes: Vec<_> = (0..=255).collect();
        let text = encode(&bytes);
        assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
        assert_eq!(encode(&[0xfb, 0xef, 0xff]), "_p_p_s_s");
        assert_eq!(decode(&text), Some(bytes));
    }

    #[test]
    fn there_is_one_spelling() {
        for text in [
            "_", "_x", "A", "AB", "AAA+", "AAA/", "AA==", "AAA-", "é", "AA A", "AAAB_",
        ] {
            assert_eq!(decode(text), None, "{text}");
        }
        assert_eq!(decode("AA"), Some(vec![0]));
        assert_eq!(decode(""), Some(Vec::new()));
    }

    proptest! {
        #[test]
        fn bytes_come_back(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            prop_assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }

        #[test]
        fn what_is_read_is_written_the_same(text in "[A-Za-z0-9_ps]{0,24}") {
            if let Some(bytes) = decode(&text) {
                prop_assert_eq!(encode(&bytes), text);
            }
        }
    }
}
