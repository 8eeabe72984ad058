//! Hashing for tables whose keys strangers can choose.

use std::hash::{BuildHasher, Hasher};

/// Hashes by a secret seed. Digests are uniform already, and ids nearly so; the seed keeps their
/// order in a table out of an attacker's reach. Addresses are not: whoever has a network chooses
/// some of their bits, so the end spreads every bit over all (the finalizer of MurmurHash3).
#[derive(Clone, Copy)]
pub(crate) struct Seeded(pub(crate) u64);

pub(crate) struct SeededHasher(u64);

impl BuildHasher for Seeded {
    type Hasher = SeededHasher;

    fn build_hasher(&self) -> SeededHasher {
        SeededHasher(self.0)
    }
}

impl SeededHasher {
    fn take(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(29) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

impl Hasher for SeededHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.take(u64::from_be_bytes(*word));
        }
        if !rest.is_empty() {
            self.take(
                rest.iter()
                    .fold(0, |word, byte| word << 8 | u64::from(*byte)),
            );
        }
    }

    fn finish(&self) -> u64 {
        let word = (self.0 ^ self.0 >> 33).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
        let word = (word ^ word >> 33).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
        word ^ word >> 33
    }
}
