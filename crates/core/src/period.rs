//! From one boundary of the calendar to the next, in UTC.

use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveTime, Utc};

use crate::limits::{Period, Schedule};
use crate::time::Millis;

const DAY_MS: u64 = 86_400_000;

/// A period of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its first moment.
    pub start: Millis,
    /// The first moment of the next one.
    pub end: Millis,
}

impl Schedule {
    /// The period that a point in time lies in. None begins before 1970, and a time that is too
    /// late for the calendar lies in one that does not end.
    #[must_use]
    pub fn span(&self, now: Millis) -> Span {
        match self.period {
            Period::Day => {
                let start = Millis(now.0 - now.0 % DAY_MS);
                let end = start.plus(DAY_MS);
                Span { start, end }
            }
            Period::Month => month(now, self.reset_day.unwrap_or(1)).unwrap_or(Span {
                start: Millis(0),
                end: Millis(u64::MAX),
            }),
        }
    }
}

fn month(now: Millis, reset_day: u8) -> Option<Span> {
    let time = DateTime::<Utc>::from_timestamp_millis(i64::try_from(now.0).ok()?)?;
    let first = time.date_naive().with_day(1)?;
    let boundary = reset(first, reset_day)?;
    let step = Months::new(1);
    Some(if boundary <= now {
        Span {
            start: boundary,
            end: reset(first.checked_add_months(step)?, reset_day)?,
        }
    } else {
        Span {
            start: reset(first.checked_sub_months(step)?, reset_day)?,
            end: boundary,
        }
    })
}

/// When the period begins that begins in a month, which is given by its first day.
fn reset(first: NaiveDate, reset_day: u8) -> Option<Millis> {
    let days = (1..=u32::from(reset_day)).rev();
    let date = days.filter_map(|day| first.with_day(day)).next()?;
    let millis = date.and_time(NaiveTime::MIN).and_utc().timestamp_millis();
    Some(Millis(u64::try_from(millis).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(period: Period, reset_day: Option<u8>, now: Millis) -> Span {
        Schedule { period, reset_day }.span(now)
    }

    fn time(text: &str) -> Millis {
        text.parse().unwrap()
    }

    fn midnight(date: &str) -> Millis {
        time(&format!("{date}T00:00:00Z"))
    }

    #[test]
    fn a_day_is_from_midnight_to_midnight() {
        for (now, start, end) in [
            ("2024-02-28T23:59:59.999Z", "2024-02-28", "2024-02-29"),
            ("2024-02-29T00:00:00Z", "2024-02-29", "2024-03-01"),
            ("2026-12-31T12:00:00Z", "2026-12-31", "2027-01-01"),
        ] {
            let (start, end) = (midnight(start), midnight(end));
            assert_eq!(span(Period::Day, None, time(now)), Span { start, end });
        }
    }

    #[test]
    fn a_month_begins_on_its_reset_day_or_on_its_last() {
        for (reset_day, now, start, end) in [
            (None, "2026-11-21", "2026-11-01", "2026-12-01"),
            (None, "2026-12-31", "2026-12-01", "2027-01-01"),
            (Some(1), "2027-01-01", "2027-01-01", "2027-02-01"),
            (Some(15), "2027-01-14", "2026-12-15", "2027-01-15"),
            (Some(29), "2026-02-27", "2026-01-29", "2026-02-28"),
            (Some(29), "2026-02-28", "2026-02-28", "2026-03-29"),
            (Some(29), "2028-02-28", "2028-01-29", "2028-02-29"),
            (Some(30), "2028-02-29", "2028-02-29", "2028-03-30"),
            (Some(30), "2100-02-28", "2100-02-28", "2100-03-30"),
            (Some(31), "2026-01-31", "2026-01-31", "2026-02-28"),
            (Some(31), "2026-03-30", "2026-02-28", "2026-03-31"),
            (Some(31), "2026-04-29", "2026-03-31", "2026-04-30"),
            (Some(31), "2026-04-30", "2026-04-30", "2026-05-31"),
            (Some(31), "2026-12-31", "2026-12-31", "2027-01-31"),
        ] {
            let expected = Span {
                start: midnight(start),
                end: midnight(end),
            };
            let last = Millis(midnight(now).0 + DAY_MS - 1);
            assert_eq!(span(Period::Month, reset_day, midnight(now)), expected);
            assert_eq!(span(Period::Month, reset_day, last), expected);
        }
    }

    #[test]
    fn periods_follow_each_other_without_gap_or_overlap() {
        let schedules = (1..=31).map(|day| (Period::Month, Some(day)));
        for (period, reset_day) in schedules.chain([(Period::Day, None), (Period::Month, None)]) {
            let (mut day, last) = (midnight("2023-01-01"), midnight("2031-01-01"));
            let mut current = span(period, reset_day, day);
            while day < last {
                for now in [day, Millis(day.0 + DAY_MS - 1)] {
                    let next = span(period, reset_day, now);
                    assert!(next.start <= now && now < next.end);
                    assert!(next == current || next.start == current.end);
                    current = next;
                }
                day = day.plus(DAY_MS);
            }
        }
    }

    #[test]
    fn the_ends_of_time_have_periods() {
        let first = span(Period::Month, Some(15), Millis(0));
        assert_eq!((first.start, first.end), (Millis(0), Millis(14 * DAY_MS)));
        for period in [Period::Day, Period::Month] {
            let last = span(period, None, Millis(u64::MAX));
            assert!(last.start <= Millis(u64::MAX) && last.end == Millis(u64::MAX));
        }
    }
}
