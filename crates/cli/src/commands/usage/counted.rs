//! What was counted, as the management API answers it, and as rows.

use std::collections::BTreeMap;

use keyward_api::view::Time;
use serde::Deserialize;

/// What was counted in a range of time.
#[derive(Deserialize)]
pub(super) struct Counted {
    pub(super) since: Time,
    pub(super) until: Time,
    pub(super) by: Span,
    pub(super) total: Counts,
    /// Those in which something was counted, in the order of time.
    #[serde(default)]
    pub(super) spans: Vec<Counts>,
}

/// How long a span is.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Span {
    Minute,
    Hour,
    Day,
}

/// Counts of calls.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Counts {
    pub(super) start: Option<Time>,
    pub(super) calls: u64,
    refused: BTreeMap<String, u64>,
    answered: BTreeMap<String, u64>,
    routes: BTreeMap<String, u64>,
    countries: BTreeMap<String, u64>,
}

impl Counted {
    /// Under BY, NAME and CALLS: the sums of the whole time, the largest of each sort first.
    pub(super) fn sums(&self) -> Vec<Vec<String>> {
        let row = |by: &str, name: &str, count: u64| {
            vec![by.to_owned(), name.to_owned(), count.to_string()]
        };
        let total = &self.total;
        let mut rows = vec![
            row("total", "calls", total.calls),
            row("total", "refused", total.refused()),
        ];
        for (by, counts) in [
            ("status", &total.answered),
            ("refusal", &total.refused),
            ("route", &total.routes),
            ("country", &total.countries),
        ] {
            let mut counts: Vec<_> = counts.iter().collect();
            counts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
            rows.extend(counts.iter().map(|(name, count)| row(by, name, **count)));
        }
        rows
    }

    /// Under START, CALLS and REFUSED: each span.
    pub(super) fn series(&self) -> Vec<Vec<String>> {
        let row = |counts: &Counts| {
            let start = counts.start.map(|start| start.0.to_string());
            vec![
                start.unwrap_or_default(),
                counts.calls.to_string(),
                counts.refused().to_string(),
            ]
        };
        self.spans.iter().map(row).collect()
    }
}

impl Counts {
    /// Calls that were refused, for whatever reason.
    pub(super) fn refused(&self) -> u64 {
        let counts = self.refused.values();
        counts.fold(0, |sum, count| sum.saturating_add(*count))
    }
}

impl Span {
    pub(super) const fn millis(self) -> u64 {
        match self {
            Self::Minute => 60_000,
            Self::Hour => 3_600_000,
            Self::Day => 86_400_000,
        }
    }

    /// So many of them, as a divisor.
    pub(super) fn several(self, count: u64) -> String {
        let unit = match self {
            Self::Minute => "min",
            Self::Hour => "h",
            Self::Day => "d",
        };
        match count {
            1 => unit.to_owned(),
            _ => format!("{count}{unit}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn sums_and_spans_are_rows() {
        let counted: Counted = from_value(json!({
            "since": "2026-11-20T12:00:00Z", "until": "2026-11-21T12:00:00Z", "by": "hour",
            "total": {"calls": 7, "refused": {"rate_limited": 2, "ip_denied": 1}, "answered": {"2xx": 6, "5xx": 1},
                "routes": {"/a/**": 3, "/b/**": 4}, "countries": {"DE": 7}, "of_a_later_version": 1},
            "spans": [
                {"start": "2026-11-20T12:00:00Z", "calls": 7},
                {"start": "2026-11-20T15:00:00Z", "calls": 0, "refused": {"rate_limited": 2, "ip_denied": 1}},
            ],
        }))
        .unwrap();
        let lines =
            |rows: Vec<Vec<String>>| rows.iter().map(|row| row.join(" ")).collect::<Vec<_>>();
        assert_eq!(
            lines(counted.sums()),
            [
                "total calls 7",
                "total refused 3",
                "status 2xx 6",
                "status 5xx 1",
                "refusal rate_limited 2",
                "refusal ip_denied 1",
                "route /b/** 4",
                "route /a/** 3",
                "country DE 7",
            ]
        );
        assert_eq!(
            lines(counted.series()),
            ["2026-11-20T12:00:00Z 7 0", "2026-11-20T15:00:00Z 0 3"]
        );
    }
}
