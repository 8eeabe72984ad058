//! Points in time: milliseconds UTC in storage, RFC 3339 in interfaces.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// This point in time, `millis` milliseconds later; saturating.
    #[must_use]
    pub const fn plus(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// How many milliseconds ago `earlier` was; 0 if it is not earlier (clocks move back).
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// The text is not an RFC 3339 date and time between the years 1970 and 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 date and time, such as 2026-11-21T12:00:00Z")]
pub struct TimeError;

/// The end of the year 9999: RFC 3339 writes no later time. An offset from UTC can lead beyond it.
const LAST: u64 = 253_402_300_799_999;

impl FromStr for Millis {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let parsed = DateTime::parse_from_rfc3339(text).map_err(|_| TimeError)?;
        u64::try_from(parsed.timestamp_millis())
            .ok()
            .filter(|millis| *millis <= LAST)
            .map(Self)
            .ok_or(TimeError)
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = i64::try_from(self.0)
            .ok()
            .and_then(DateTime::<Utc>::from_timestamp_millis);
        match time {
            Some(time) => f.write_str(&time.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            None => write!(f, "{}", self.0),
        }
    }
}

/// (De)serialises a [`Millis`] as an RFC 3339 string, for interfaces.
pub mod rfc3339 {
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    use super::Millis;

    /// Writes the time, or null.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(
        time: &Option<Millis>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => serializer.collect_str(time),
            None => serializer.serialize_none(),
        }
    }

    /// Reads a time, or null.
    ///
    /// # Errors
    /// When the text is not RFC 3339.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Millis>, D::Error> {
        Option::<String>::deserialize(deserializer)?
            .map(|text| text.parse().map_err(D::Error::custom))
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_millis_agree() {
        for (text, millis) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-11-21T12:00:00Z", 1_795_262_400_000),
            ("2026-11-21T13:00:00.250+01:00", 1_795_262_400_250),
            ("9999-12-31T23:59:59.999Z", LAST),
        ] {
            assert_eq!(text.parse(), Ok(Millis(millis)));
        }
        assert_eq!(
            Millis(1_795_262_400_250).to_string(),
            "2026-11-21T12:00:00.250Z"
        );
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2026-11-21",
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "2026-13-01T00:00:00Z",
            "now",
        ] {
            assert_eq!(text.parse::<Millis>(), Err(TimeError), "{text}");
        }
    }
}
