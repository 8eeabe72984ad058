//! A point in time as interfaces write it.

use keyward_core::time::Millis;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A point in time, RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub Millis);

impl From<Millis> for Time {
    fn from(millis: Millis) -> Self {
        Self(millis)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_text() {
        let time = Time(Millis(1_795_262_400_250));
        let text = serde_json::to_string(&time).unwrap();
        assert_eq!(text, "\"2026-11-21T12:00:00.250Z\"");
        assert_eq!(serde_json::from_str::<Time>(&text).unwrap(), time);
        assert!(serde_json::from_str::<Time>("\"today\"").is_err());
    }
}
