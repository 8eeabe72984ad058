//! How a key is used: counts of calls, by the minute.
//!
//! An isolate counts what it decides, and reports it with its next ask; a meter adds up. A count
//! is reported under a number until it is confirmed, and added once for each number.

pub mod bounded;
pub mod retention;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::time::Millis;

/// Counts of calls. Those in `routes` and in `countries` are of calls that were let through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Counts {
    /// Calls that were let through to the origin.
    pub calls: u64,
    /// Calls that were refused although their secret is known, by the refusal's code.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub refused: BTreeMap<String, u64>,
    /// How the origin answered, by the class of the status: `2xx`. A call whose answer has not
    /// come, or whose client left before it did, is in none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub answered: BTreeMap<String, u64>,
    /// By the name of the route.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub routes: BTreeMap<String, u64>,
    /// By the client's country (ISO 3166-1 alpha-2, `T1` for Tor, `XX` where it is not known).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub countries: BTreeMap<String, u64>,
}

/// A minute, counted from 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Minute(pub u64);

/// What an isolate reports of one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsageReport {
    /// Counts this isolate's reports of this key, from 1. A repetition has the same number and the
    /// same counts.
    pub number: u64,
    /// In the order of time.
    pub minutes: Vec<(Minute, Counts)>,
    /// Pages that have sent this private key and were refused: of each the origin, and after a blank
    /// the id of the secret.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<String>,
}

impl Minute {
    /// The minute that a moment is in.
    #[must_use]
    pub const fn of(time: Millis) -> Self {
        Self(time.0 / 60_000)
    }

    /// When it begins.
    #[must_use]
    pub const fn start(self) -> Millis {
        Millis(self.0.saturating_mul(60_000))
    }
}

impl Counts {
    /// Whether nothing was counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_begins_at_its_start() {
        for (time, minute) in [(0, 0), (59_999, 0), (60_000, 1)] {
            assert_eq!(Minute::of(Millis(time)), Minute(minute));
        }
        assert_eq!(Minute(2).start(), Millis(120_000));
    }
}
