//! Hashes of states in which isolates have no names.
//!
//! Isolates whose clocks agree are interchangeable: nothing that is decided depends on which
//! number one has. So a state is hashed as what is common and, for each isolate, all that concerns
//! it alone: its seat, what the meter and the disk know of it, and its messages. These bundles are
//! sorted, not named: states that differ only in who is who have one hash. Nothing is lost by that
//! as long as nothing in the world refers to two isolates at once, and nothing does: messages go
//! between one isolate and the meter, and what the meter keeps of isolates it keeps for each.

use std::cell::OnceCell;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

/// What the upper half of an isolate's number is: no time, count or limit looks like it.
const ISOLATE: u64 = 0x1501_A7E5;

/// The number of the isolate that was made after so many others.
pub(crate) const fn isolate(others: u64) -> u64 {
    (ISOLATE << 32) | others
}

/// How many isolates were made before the one of this number; `None` if it is none.
pub(crate) const fn place(number: u64) -> Option<usize> {
    if number >> 32 == ISOLATE {
        Some((number & 0xFFFF_FFFF) as usize)
    } else {
        None
    }
}

/// Mixes a word into a hash. Each word and each hash before give another result.
pub(crate) const fn mix(hash: u64, word: u64) -> u64 {
    let mut mixed = (hash ^ word).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed ^= mixed >> 32;
    mixed = mixed.wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 29)
}

/// The hash of a part of the world: of what is common, and of what concerns each isolate.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks {
    pub(crate) common: u64,
    pub(crate) isolates: Vec<(usize, u64)>,
}

impl Marks {
    /// What is hashed after an isolate's number is taken to concern that isolate.
    pub(crate) fn of(part: &impl Hash) -> Self {
        let mut lanes = Lanes::default();
        part.hash(&mut lanes);
        lanes.marks
    }

    /// Mixes a word into what concerns an isolate.
    fn mix(&mut self, isolate: usize, word: u64) {
        match self.isolates.iter_mut().find(|(at, _)| *at == isolate) {
            Some((_, hash)) => *hash = mix(*hash, word),
            None => self.isolates.push((isolate, mix(1, word))),
        }
    }

    /// Mixes in a named text; a name that ends in an isolate's number concerns it.
    pub(crate) fn add_named(&mut self, name: &str, text: &str) {
        let (start, end) = name.rsplit_once('/').unwrap_or((name, ""));
        match end.parse().ok().and_then(place) {
            Some(isolate) => {
                let marks = Self::of(&(start, text));
                self.mix(isolate, marks.common);
            }
            None => self.common = mix(self.common, Self::of(&(name, text)).common),
        }
    }
}

/// Hashes into what is common until the number of an isolate comes, and then into what concerns
/// that isolate.
#[derive(Default)]
struct Lanes {
    marks: Marks,
    isolate: Option<usize>,
}

impl Hasher for Lanes {
    fn finish(&self) -> u64 {
        self.marks.common
    }

    fn write(&mut self, bytes: &[u8]) {
        for word in bytes.chunks(8) {
            let mut padded = [0; 8];
            padded[..word.len()].copy_from_slice(word);
            self.write_word(u64::from_le_bytes(padded));
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.write_word(byte.into());
    }

    fn write_u64(&mut self, word: u64) {
        match place(word) {
            Some(isolate) => {
                self.isolate = Some(isolate);
                self.marks.mix(isolate, 0);
            }
            None => self.write_word(word),
        }
    }

    fn write_i64(&mut self, word: i64) {
        self.write_word(word.cast_unsigned());
    }

    fn write_usize(&mut self, word: usize) {
        self.write_word(word as u64);
    }

    fn write_isize(&mut self, word: isize) {
        self.write_word(word.cast_unsigned() as u64);
    }
}

impl Lanes {
    fn write_word(&mut self, word: u64) {
        match self.isolate {
            Some(isolate) => self.marks.mix(isolate, word),
            None => self.marks.common = mix(self.marks.common, word),
        }
    }
}

/// A part of the world that many states have in common, hashed once. Who changes it gets one of
/// its own.
pub(crate) struct Shared<T>(Rc<(T, OnceCell<Marks>)>);

impl<T: Hash> Shared<T> {
    pub(crate) fn new(part: T) -> Self {
        Self(Rc::new((part, OnceCell::new())))
    }

    pub(crate) fn marks(&self) -> &Marks {
        self.0.1.get_or_init(|| Marks::of(&self.0.0))
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        if Rc::get_mut(&mut self.0).is_none() {
            self.0 = Rc::new((self.0.0.clone(), OnceCell::new()));
        }
        let (part, marks) = Rc::get_mut(&mut self.0).expect("nobody else has it");
        *marks = OnceCell::new();
        part
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.0.fmt(f)
    }
}
