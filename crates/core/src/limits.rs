//! The limits of a key, or those that an owner's keys share.
//!
//! A **rate limit** lets through so many units in any span of its window, wherever the span
//! begins. A **quota** counts from one boundary of the calendar to the next, in UTC. **Credits**
//! are a prepaid balance. All limits of a key are counted in the same units: a call spends its
//! route's cost in each of them, or nothing in any. Only limits by address count calls.

use serde::{Deserialize, Serialize};

/// All limits of a key, or of an owner's keys together. Empty means unlimited.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// So many in any window of so many seconds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rate: Vec<Rate>,
    /// So many in a calendar day or month.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quota: Vec<Quota>,
    /// A prepaid balance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credits: Option<Credits>,
    /// What happens when the meter does not answer.
    #[serde(skip_serializing_if = "OnMeterError::is_deny")]
    pub on_meter_error: OnMeterError,
}

/// A rate limit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Unique among the limits that it stands with.
    pub name: String,
    /// Units in a window; at least 1.
    pub limit: u64,
    /// The window's length in seconds; at least 1.
    pub window_s: u64,
    /// Who shares it.
    #[serde(default, skip_serializing_if = "Per::is_key")]
    pub per: Per,
}

/// Whose calls a rate limit counts together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    /// All calls of the key, exactly, by the meter.
    #[default]
    Key,
    /// Those from one client address, approximately, within one isolate.
    Ip,
}

/// A quota.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Unique among the limits that it stands with.
    pub name: String,
    /// Units in a period; at least 1.
    pub limit: u64,
    /// How far apart its boundaries are.
    pub period: Period,
    /// See [`Schedule::reset_day`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset_day: Option<u8>,
}

/// Boundaries of the calendar, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Their distance.
    pub period: Period,
    /// The day of the month, 1 to 31, on which a monthly period begins; the last day of a shorter
    /// month. 1 when there is none; none for a daily one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset_day: Option<u8>,
}

/// A span of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Period {
    /// From midnight to midnight.
    Day,
    /// From midnight of the reset day to that of the next month.
    Month,
}

/// A prepaid balance.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credits {
    /// What there is at first.
    pub balance: u64,
    /// What the balance is replaced with, at each boundary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refill: Option<Refill>,
}

/// A refill: it replaces what is left, and adds nothing to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refill {
    /// The balance afterwards.
    pub amount: u64,
    /// How far apart its boundaries are.
    pub period: Period,
    /// See [`Schedule::reset_day`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset_day: Option<u8>,
}

/// What happens to a limited call when the meter does not answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnMeterError {
    /// It is refused: 503 `meter_unavailable`.
    #[default]
    Deny,
    /// It is let through, over the limit if need be.
    Allow,
}

impl Limits {
    /// Whether nothing is limited. What happens without a meter matters only where something is.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rate.is_empty() && self.quota.is_empty() && self.credits.is_none()
    }

    /// Whether a meter has to be asked: rates by address are counted in the isolate.
    #[must_use]
    pub fn is_metered(&self) -> bool {
        let by_key = |rate: &Rate| rate.per == Per::Key;
        self.rate.iter().any(by_key) || !self.quota.is_empty() || self.credits.is_some()
    }
}

impl Quota {
    /// When it starts anew.
    #[must_use]
    pub const fn schedule(&self) -> Schedule {
        Schedule {
            period: self.period,
            reset_day: self.reset_day,
        }
    }
}

impl Refill {
    /// When it happens.
    #[must_use]
    pub const fn schedule(&self) -> Schedule {
        Schedule {
            period: self.period,
            reset_day: self.reset_day,
        }
    }
}

impl Per {
    const fn is_key(&self) -> bool {
        matches!(self, Self::Key)
    }
}

impl OnMeterError {
    const fn is_deny(&self) -> bool {
        matches!(self, Self::Deny)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_back_as_they_were_written() {
        let text = r#"{"rate":[{"name":"r","limit":5,"window_s":60,"per":"ip"}],"quota":[{"name":"q","limit":9,"period":"month","reset_day":31}],"credits":{"balance":3,"refill":{"amount":4,"period":"day"}},"on_meter_error":"allow"}"#;
        let limits: Limits = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&limits).unwrap(), text);
        assert_eq!(limits.quota[0].schedule().reset_day, Some(31));
    }

    #[test]
    fn unknown_fields_are_refused() {
        for text in [
            r#"{"rates":[]}"#,
            r#"{"rate":[{"name":"r","limit":5,"window_s":60,"burst":1}]}"#,
            r#"{"quota":[{"name":"q","limit":9,"period":"day","resetday":1}]}"#,
            r#"{"credits":{"balance":3,"refil":null}}"#,
            r#"{"credits":{"balance":3,"refill":{"amount":4,"period":"day","x":1}}}"#,
        ] {
            assert!(serde_json::from_str::<Limits>(text).is_err(), "{text}");
        }
    }
}
