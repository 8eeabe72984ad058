//! How keys were used.

use keyward_core::metering::Span;
use keyward_core::time::Millis;
use keyward_core::usage::Counts;
use serde::{Deserialize, Serialize};

use super::Time;
#[cfg(feature = "schema")]
use crate::schema::{usage, words};

/// How a key, or all keys of a project, were used in a span of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Usage {
    /// The first moment that is counted: the beginning of a span.
    pub since: Time,
    /// The moment after the last.
    pub until: Time,
    /// How long a span is.
    #[cfg_attr(feature = "schema", schemars(schema_with = "words::span"))]
    pub by: Span,
    /// All spans together.
    #[cfg_attr(feature = "schema", schemars(with = "usage::Counts"))]
    pub total: Counts,
    /// In the order of time, without those in which nothing was counted.
    pub spans: Vec<UsageSpan>,
}

/// What was counted in a span.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UsageSpan {
    /// When it begins.
    pub start: Time,
    /// What was counted.
    #[serde(flatten)]
    #[cfg_attr(feature = "schema", schemars(with = "usage::Counts"))]
    pub counts: Counts,
}

impl Usage {
    /// As a meter has told it of these spans.
    #[must_use]
    pub fn of((since, until): (Millis, Millis), by: Span, counted: Vec<(Millis, Counts)>) -> Self {
        let mut total = Counts::default();
        for (_, counts) in &counted {
            total.take_in(counts);
        }
        let span = |(start, counts): (Millis, Counts)| UsageSpan {
            start: start.into(),
            counts,
        };
        Self {
            since: since.into(),
            until: until.into(),
            by,
            total,
            spans: counted.into_iter().map(span).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn spans_are_shown_with_their_sum() {
        let counts = |calls, route: &str| Counts {
            calls,
            routes: [(route.to_owned(), calls)].into(),
            ..Counts::default()
        };
        let counted = vec![
            (Millis(0), counts(2, "a")),
            (Millis(3_600_000), counts(3, "b")),
        ];
        let usage = Usage::of((Millis(0), Millis(7_200_000)), Span::Hour, counted);
        let shown = serde_json::to_value(&usage).unwrap();
        assert_eq!(
            shown,
            json!({
                "since": "1970-01-01T00:00:00Z", "until": "1970-01-01T02:00:00Z", "by": "hour",
                "total": {"calls": 5, "routes": {"a": 2, "b": 3}},
                "spans": [
                    {"start": "1970-01-01T00:00:00Z", "calls": 2, "routes": {"a": 2}},
                    {"start": "1970-01-01T01:00:00Z", "calls": 3, "routes": {"b": 3}},
                ],
            })
        );
        assert_eq!(serde_json::from_value::<Usage>(shown).unwrap(), usage);
    }
}
