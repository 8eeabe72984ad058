//! When a new secret begins, and how long the older one goes on.

use keyward_core::rotation::{DEFAULT_OVERLAP_S, LONGEST_OVERLAP_S};
use keyward_core::spec::FieldError;
use keyward_core::time::Millis;
use serde_json::Value;

use super::object;

/// How far ahead a rotation may be set: a year.
pub const FARTHEST_MS: u64 = 365 * 86_400_000;

/// When a new secret begins, and how long the older one goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Seconds.
    pub overlap_s: u64,
    /// None: at once.
    pub at: Option<Millis>,
}

impl Rotation {
    /// Reads `overlap` and `at`.
    ///
    /// # Errors
    /// Every field that is wrong.
    pub fn read(body: &Value, now: Millis) -> Result<Self, Vec<FieldError>> {
        let known = ["overlap", "at"];
        object(body, ("body", "a rotation"), &known, |read| {
            let overlap = read.whole("overlap", 0..=LONGEST_OVERLAP_S);
            let at = read.time("at");
            if at.is_some_and(|at| at <= now || at > now.plus(FARTHEST_MS)) {
                read.refuse("at", "must be in the future, and at most a year ahead");
            }
            Self {
                overlap_s: overlap.unwrap_or(DEFAULT_OVERLAP_S),
                at,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::request::wrong;

    const NOW: Millis = Millis(1_795_262_400_000);

    #[test]
    fn a_rotation_is_at_once_with_a_day_of_overlap_unless_it_says_otherwise() {
        let read = |body| Rotation::read(&body, NOW);
        let plain = Rotation {
            overlap_s: 86_400,
            at: None,
        };
        assert_eq!(read(json!({})), Ok(plain));
        assert_eq!(
            read(json!({"overlap": 0, "at": "2026-11-21T12:00:01Z"})),
            Ok(Rotation {
                overlap_s: 0,
                at: Some(NOW.plus(1000))
            })
        );
        assert_eq!(read(json!({"overlap": 60.0})), read(json!({"overlap": 60})));
        for (body, fields) in [
            (json!({"overlap": 2_592_000.5}), vec!["overlap"]),
            (json!({"overlap": -0.5}), vec!["overlap"]),
            (json!({"overlap": 1e300}), vec!["overlap"]),
            (json!({"overlap": 2_592_001}), vec!["overlap"]),
            (json!({"overlap": -1}), vec!["overlap"]),
            (json!({"overlap": 1.5, "at": null}), vec!["overlap", "at"]),
            (json!({"at": "2026-11-21T12:00:00Z"}), vec!["at"]),
            (json!({"at": "2027-11-21T12:00:01Z"}), vec!["at"]),
        ] {
            assert_eq!(wrong(read(body.clone())), fields, "{body}");
        }
    }
}
