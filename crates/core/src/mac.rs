//! HMAC-SHA-256 (RFC 2104) as this crate uses it.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// An HMAC-SHA-256 that has taken in its key. Cloning it is cheaper than keying another.
pub(crate) type Keyed = Hmac<Sha256>;

/// Takes in a key of any length.
#[expect(
    clippy::expect_used,
    reason = "RFC 2104 defines HMAC for keys of any length, and so does the library"
)]
pub(crate) fn keyed(key: &[u8]) -> Keyed {
    Keyed::new_from_slice(key).expect("HMAC takes keys of any length")
}

/// The MAC of the parts, one after the other. Who needs their borders protected adds lengths.
pub(crate) fn mac(key: &Keyed, parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = key.clone();
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// A number that looks random, and is the same for the same arguments. It does not show the key.
pub(crate) fn draw(key: &Keyed, purpose: &str, count: u64) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = mac(key, &[purpose.as_bytes(), &count.to_be_bytes()]);
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Digest;

    #[test]
    fn agrees_with_rfc_4231() {
        // Test cases 1, 2 and 6: a short key, a key shorter than the MAC, a key longer than a block.
        for (key, data, expected) in [
            (
                &[0x0b_u8; 20][..],
                &b"Hi There"[..],
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ] {
            let (left, right) = data.split_at(3);
            assert_eq!(Digest(mac(&keyed(key), &[left, right])).to_hex(), expected);
        }
    }
}
