//! Which part of time, and by which span.

use clap::{Args, ValueEnum};
use keyward_core::time::Millis;

use crate::clock;
use crate::failure::Failure;

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

/// Which part of time.
#[derive(Args)]
pub(super) struct Range {
    /// From when on: how long ago, as in 24h or 7d, or RFC 3339
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = clock::past)]
    since: Millis,

    /// Until when; now, if left out
    #[arg(long, value_name = "TIME", value_parser = clock::past)]
    until: Option<Millis>,

    /// Count by this span and list them; left out, the range says which, and only sums are listed
    #[arg(long)]
    pub(super) by: Option<By>,
}

/// How long a span is.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub(super) enum By {
    Minute,
    Hour,
    Day,
}

impl Range {
    /// As the management API takes it.
    pub(super) fn query(&self) -> Result<Vec<(&'static str, String)>, Failure> {
        let now = clock::now();
        let until = self.until.unwrap_or(now);
        if until <= self.since {
            return Err(Failure::Usage(
                "--until is not later than --since".to_owned(),
            ));
        }
        let by = self.by.unwrap_or_else(|| By::of(self.since, until, now));
        let mut query = vec![("since", self.since.to_string())];
        query.extend(self.until.map(|until| ("until", until.to_string())));
        query.push(("by", by.as_str().to_owned()));
        Ok(query)
    }
}

impl By {
    /// The span in which a range can be looked at, and for which counts are still kept.
    fn of(since: Millis, until: Millis, now: Millis) -> Self {
        let (range, age) = (until.since(since), now.since(since));
        if range <= 4 * HOUR_MS && age <= DAY_MS {
            Self::Minute
        } else if range <= 8 * DAY_MS && age <= 89 * DAY_MS {
            Self::Hour
        } else {
            Self::Day
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_span_follows_from_the_range_and_from_what_is_kept() {
        let now = Millis(1_000 * DAY_MS);
        let ago = |ms: u64| Millis(now.0 - ms);
        for (since, until, expected) in [
            (ago(HOUR_MS), now, By::Minute),
            (ago(4 * HOUR_MS), now, By::Minute),
            (ago(DAY_MS), now, By::Hour),
            (ago(7 * DAY_MS), now, By::Hour),
            (ago(30 * DAY_MS), now, By::Day),
            (ago(3 * DAY_MS), ago(3 * DAY_MS - HOUR_MS), By::Hour),
            (ago(100 * DAY_MS), ago(99 * DAY_MS), By::Day),
        ] {
            assert_eq!(By::of(since, until, now), expected);
        }
    }
}
