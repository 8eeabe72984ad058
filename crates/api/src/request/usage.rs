//! Which calls are counted, and in how long spans.

use keyward_core::metering::Span;
use keyward_core::spec::FieldError;
use keyward_core::time::Millis;
use keyward_core::usage::Minute;

use crate::query::Query;

/// The most spans of one answer: the hours of a month, the days of two years.
pub const MOST_SPANS: u64 = 750;
/// A caller may have computed `since` so long ago.
const SLACK_MS: u64 = 60_000;
/// How far back an answer goes unless `since` is given.
const DAY_MS: u64 = 86_400_000;

/// Spans of time that lie side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsageRange {
    /// The beginning of the first.
    pub since: Millis,
    /// The end of the last.
    pub until: Millis,
    /// How long each is.
    pub by: Span,
}

impl UsageRange {
    /// Reads `since`, `until` and `by`. A span that `since` or `until` lies in is one of them:
    /// counts are not kept for a part of it.
    ///
    /// # Errors
    /// A beginning that is not before the end, more than [`MOST_SPANS`] spans, and a time of which
    /// counts are not kept in such spans any more.
    pub fn read(query: &Query, now: Millis) -> Result<Self, Vec<FieldError>> {
        let by = match query.text("by") {
            Some("minute") => Span::Minute,
            Some("day") => Span::Day,
            _ => Span::Hour,
        };
        let until = query.time("until").unwrap_or(now);
        let since = query
            .time("since")
            .unwrap_or(Millis(until.0.saturating_sub(DAY_MS)));
        if since >= until {
            return Err(wrong("must be earlier than `until`".to_owned()));
        }
        let length = by.minutes();
        let first = by.first(Minute::of(since)).0;
        let last = by.first(Minute::of(Millis(until.0.saturating_sub(1)))).0;
        let spans = (last - first) / length + 1;
        if spans > MOST_SPANS {
            return Err(wrong(format!(
                "leads to more than {MOST_SPANS} spans; name a later time, or longer spans in `by`"
            )));
        }
        if first < by.old_before(Millis(now.0.saturating_sub(SLACK_MS))).0 {
            let kept = match by {
                Span::Minute => {
                    "counts of minutes are kept for 2 days; name a later time, or `by=hour`"
                }
                Span::Hour => {
                    "counts of hours are kept for 90 days; name a later time, or `by=day`"
                }
                Span::Day => "counts are kept for two years; name a later time",
            };
            return Err(wrong(kept.to_owned()));
        }
        Ok(Self {
            since: Minute(first).start(),
            until: Minute(last + length).start(),
            by,
        })
    }
}

fn wrong(detail: String) -> Vec<FieldError> {
    let field = "since".to_owned();
    vec![FieldError { field, detail }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameter::USAGE;

    fn read(query: &str) -> Result<(String, String, Span), Vec<FieldError>> {
        let query = Query::parse(query, USAGE).unwrap();
        let now = "2026-11-21T12:30:10Z".parse().unwrap();
        let range = UsageRange::read(&query, now)?;
        let (since, until) = (range.since.to_string(), range.until.to_string());
        Ok((since, until, range.by))
    }

    #[test]
    fn spans_are_whole() {
        let range = |since: &str, until: &str, by| Ok((since.to_owned(), until.to_owned(), by));
        assert_eq!(
            read(""),
            range("2026-11-20T12:00:00Z", "2026-11-21T13:00:00Z", Span::Hour)
        );
        assert_eq!(
            read("by=minute&since=2026-11-21T12:00:59Z&until=2026-11-21T12:02:00Z"),
            range("2026-11-21T12:00:00Z", "2026-11-21T12:02:00Z", Span::Minute)
        );
        assert_eq!(
            read("by=day&until=2026-11-21T00:00:00.001Z"),
            range("2026-11-20T00:00:00Z", "2026-11-22T00:00:00Z", Span::Day)
        );
    }

    #[test]
    fn there_are_so_many_at_most() {
        let of = |since: &str, by: &str| {
            read(&format!("by={by}&until=2026-11-21T12:00:00Z&since={since}"))
        };
        // 12 hours and a half of 60 minutes.
        assert!(of("2026-11-20T23:30:00Z", "minute").is_ok());
        assert!(of("2026-11-20T23:29:59Z", "minute").is_err());
        assert!(of("2026-10-21T12:00:00Z", "hour").is_ok());
        assert!(of("2026-10-20T12:00:00Z", "hour").is_err());
    }

    #[test]
    fn none_is_of_a_time_that_counts_are_not_kept_of() {
        // It is half past twelve on 2026-11-21.
        for (since, until, by, kept) in [
            (
                "2026-11-19T12:30:00Z",
                "2026-11-19T13:00:00Z",
                "minute",
                true,
            ),
            (
                "2026-11-19T11:59:59Z",
                "2026-11-19T13:00:00Z",
                "minute",
                false,
            ),
            ("2026-08-23T12:00:00Z", "2026-08-24T00:00:00Z", "hour", true),
            (
                "2026-08-22T23:59:59Z",
                "2026-08-24T00:00:00Z",
                "hour",
                false,
            ),
            ("2024-11-21T00:00:00Z", "2026-11-21T12:30:00Z", "day", true),
            ("2024-11-19T00:00:00Z", "2024-12-19T00:00:00Z", "day", false),
            (
                "1970-01-01T00:00:00Z",
                "1970-01-01T00:00:01Z",
                "hour",
                false,
            ),
        ] {
            let range = read(&format!("by={by}&since={since}&until={until}"));
            assert_eq!(range.is_ok(), kept, "{by} {since}");
        }
    }

    #[test]
    fn it_begins_before_it_ends() {
        for query in [
            "since=2026-11-21T12:30:10Z",
            "since=2026-11-22T00:00:00Z",
            "until=1970-01-01T00:00:00Z",
            "since=2026-11-21T12:00:00Z&until=2026-11-21T12:00:00Z",
        ] {
            let errors = read(query).unwrap_err();
            assert_eq!(errors.first().unwrap().field, "since", "{query}");
        }
    }
}
