//! How limits stand.

use keyward_core::lease::message::{Sort, Standing};
use keyward_core::time::Millis;
use serde::{Deserialize, Serialize};

use super::Time;

/// How the limits of a key stand. Those for each client address are not among them: no one counts
/// them for all addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KeyLimits {
    /// The key's id.
    pub key: String,
    /// Its own.
    pub limits: Vec<LimitStanding>,
    /// Those that it shares with the other keys of its owner.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owner: Vec<LimitStanding>,
}

/// How a limit stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LimitStanding {
    /// Its name.
    pub name: String,
    /// What it is.
    pub r#type: LimitType,
    /// Units in a window or a period; of credits, the balance after the last change or refill.
    pub limit: u64,
    /// The window of a rate limit, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_s: Option<u64>,
    /// Units that are neither spent nor held somewhere to be spent.
    pub remaining: u64,
    /// When there is more again; left out: not by itself, or there is nothing to wait for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resets_at: Option<Time>,
}

/// What a limit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum LimitType {
    /// So many units in any window.
    Rate,
    /// So many in a day or month of the calendar.
    Quota,
    /// A prepaid balance.
    Credits,
}

impl LimitStanding {
    /// As a meter has told it now.
    #[must_use]
    pub fn of(standing: Standing, now: Millis) -> Self {
        let (r#type, window_s) = match standing.sort {
            Sort::Rate(window_s) => (LimitType::Rate, Some(window_s)),
            Sort::Quota => (LimitType::Quota, None),
            Sort::Credits => (LimitType::Credits, None),
        };
        Self {
            name: standing.name,
            r#type,
            limit: standing.limit,
            window_s,
            remaining: standing.free,
            resets_at: standing.reset_ms.map(|ms| second(now.plus(ms)).into()),
        }
    }
}

/// The second nearest to a time. On its way the meter's answer has aged by some milliseconds, and a
/// boundary of the calendar is to be shown as one.
const fn second(time: Millis) -> Millis {
    Millis(time.0.saturating_add(500) / 1_000 * 1_000)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_limit_is_shown_with_the_time_of_its_reset() {
        let standing = |sort, reset_ms| Standing {
            name: "n".to_owned(),
            sort,
            limit: 9,
            free: 4,
            reset_ms,
        };
        let shown = |standing| {
            let now = "2026-11-21T12:00:00Z".parse().unwrap();
            serde_json::to_value(LimitStanding::of(standing, now)).unwrap()
        };
        assert_eq!(
            shown(standing(Sort::Rate(60), Some(1_502))),
            json!({"name": "n", "type": "rate", "limit": 9, "window_s": 60, "remaining": 4,
                "resets_at": "2026-11-21T12:00:02Z"})
        );
        assert_eq!(
            shown(standing(Sort::Credits, None)),
            json!({"name": "n", "type": "credits", "limit": 9, "remaining": 4})
        );
        assert_eq!(shown(standing(Sort::Quota, None))["type"], "quota");
    }
}
