//! `--overlap` and `--at` of a rotation.

use clap::Args;
use keyward_core::time::Millis;
use serde_json::{Map, Value, json};

use crate::clock;

/// The longest time for which the older secret stays valid.
const LONGEST_OVERLAP_S: u64 = 30 * 86_400;

/// When the new secret begins and the older one ends.
#[derive(Args)]
pub(super) struct Rotation {
    /// How long the older secret stays valid beside the new one: 0 to 30d [default: 24h]
    #[arg(long, value_name = "DURATION", value_parser = overlap)]
    overlap: Option<u64>,

    /// When the new secret begins; now, if left out
    #[arg(long, value_name = "RFC3339", value_parser = clock::instant)]
    at: Option<Millis>,
}

impl Rotation {
    /// As the management API takes it.
    pub(super) fn to_json(&self) -> Value {
        let mut body = Map::new();
        body.extend(
            self.overlap
                .map(|seconds| ("overlap".to_owned(), json!(seconds))),
        );
        body.extend(
            self.at
                .map(|time| ("at".to_owned(), json!(time.to_string()))),
        );
        Value::Object(body)
    }
}

/// An overlap in seconds: 0, or a duration of up to 30 days.
pub(super) fn overlap(text: &str) -> Result<u64, String> {
    if text == "0" {
        return Ok(0);
    }
    let seconds = clock::duration(text)? / 1000;
    if seconds <= LONGEST_OVERLAP_S {
        Ok(seconds)
    } else {
        Err("an overlap is 30d at most".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::overlap;

    #[test]
    fn an_overlap_is_zero_or_a_duration_of_up_to_thirty_days() {
        assert_eq!(
            ["0", "24h", "30d"].map(overlap),
            [Ok(0), Ok(86_400), Ok(2_592_000)]
        );
        for text in ["31d", "24", "-1h", ""] {
            assert!(overlap(text).is_err(), "{text}");
        }
    }
}
