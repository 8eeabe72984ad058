//! How limits stand, as rows.

use serde::Deserialize;

use super::shown::window;

/// How the limits of a key stand.
#[derive(Deserialize)]
pub(in crate::commands) struct Standing {
    #[serde(default)]
    limits: Vec<Limit>,
    /// Those that the keys of the key's owner share.
    #[serde(default)]
    owner: Vec<Limit>,
}

#[derive(Deserialize)]
struct Limit {
    name: String,
    #[serde(default, rename = "type")]
    kind: String,
    limit: u64,
    window_s: Option<u64>,
    remaining: u64,
    resets_at: Option<String>,
}

impl Standing {
    /// What is above the rows.
    pub(in crate::commands) const HEADER: [&'static str; 6] =
        ["OF", "NAME", "TYPE", "LIMIT", "REMAINING", "RESETS"];

    /// A row for each limit, the key's own first.
    pub(in crate::commands) fn rows(self) -> Vec<Vec<String>> {
        let own = self.limits.into_iter().map(|limit| limit.cells("key"));
        let shared = self.owner.into_iter().map(|limit| limit.cells("owner"));
        own.chain(shared).collect()
    }
}

impl Limit {
    fn cells(self, of: &str) -> Vec<String> {
        let limit = match self.window_s {
            Some(seconds) => format!("{}/{}", self.limit, window(seconds)),
            None => self.limit.to_string(),
        };
        let remaining = self.remaining.to_string();
        let resets = self.resets_at.unwrap_or_default();
        vec![
            of.to_owned(),
            self.name,
            self.kind,
            limit,
            remaining,
            resets,
        ]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn every_limit_has_a_row_that_says_whose_it_is() {
        let standing: Standing = from_value(json!({
            "key": "key_1",
            "limits": [
                {"name": "60s", "type": "rate", "limit": 100, "window_s": 60, "remaining": 99, "resets_at": "t"},
                {"name": "credits", "type": "credits", "limit": 500, "remaining": 7},
            ],
            "owner": [{"name": "month", "type": "quota", "limit": 9, "remaining": 0, "resets_at": "u"}],
        }))
        .unwrap();
        let rows: Vec<_> = standing.rows().iter().map(|row| row.join(" ")).collect();
        assert_eq!(
            rows,
            [
                "key 60s rate 100/60s 99 t",
                "key credits credits 500 7 ",
                "owner month quota 9 0 u"
            ]
        );
        let none: Standing = from_value(json!({"key": "key_1", "limits": []})).unwrap();
        assert!(none.rows().is_empty());
    }
}
