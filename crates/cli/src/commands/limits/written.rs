//! How a limit is written in one word: `100/60s`, `10000/month@15`, `500`.
//!
//! ```text
//! rate     N/WINDOW      WINDOW = number and s, m or h
//! quota    N/PERIOD      PERIOD = day | month | month@DAY
//! credits  N[/PERIOD]
//! ```
//!
//! Numbers are decimal, without a sign or a leading zero, so that nothing can be read in two ways.

use keyward_core::limits::{Period, Schedule};
use keyward_core::spec::limits::{LARGEST_LIMIT, LONGEST_IP_WINDOW_S, LONGEST_WINDOW_S};
use serde_json::{Map, Value, json};

const RATE: &str = "write a number of calls and a window in s, m or h, as in 100/60s or 1000/1h";
const QUOTA: &str =
    "write a number of calls and a period, as in 1000/day, 10000/month or 10000/month@15";
const CREDITS: &str =
    "write a balance, and if it is refilled a period, as in 500, 500/day or 500/month@1";
const AMOUNT: &str = "write a number from 1 to 999999999999, as in 500";
const BALANCE: &str = "write a number from 0 to 999999999999, as in 500";

/// A rate limit.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rate {
    limit: u64,
    window_s: u64,
}

/// A quota.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Quota {
    limit: u64,
    schedule: Schedule,
}

/// A prepaid balance.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Credits {
    balance: u64,
    refill: Option<Schedule>,
}

pub(super) fn rate(text: &str) -> Result<Rate, String> {
    let (limit, window) = text.split_once('/').ok_or(RATE)?;
    let (limit, window_s) = (positive(limit).ok_or(RATE)?, window_s(window).ok_or(RATE)?);
    if window_s > LONGEST_WINDOW_S {
        return Err("a window is 24h at most; --quota counts by the day and the month".to_owned());
    }
    Ok(Rate { limit, window_s })
}

pub(super) fn rate_per_ip(text: &str) -> Result<Rate, String> {
    let rate = rate(text)?;
    if rate.window_s > LONGEST_IP_WINDOW_S {
        return Err("the window of a limit per address is 1h at most, as in 60/1h".to_owned());
    }
    Ok(rate)
}

pub(super) fn quota(text: &str) -> Result<Quota, String> {
    let (limit, period) = text.split_once('/').ok_or(QUOTA)?;
    Ok(Quota {
        limit: positive(limit).ok_or(QUOTA)?,
        schedule: schedule(period).ok_or(QUOTA)?,
    })
}

pub(super) fn credits(text: &str) -> Result<Credits, String> {
    let (balance, refill) = match text.split_once('/') {
        None => (number(text).ok_or(CREDITS)?, None),
        Some((amount, period)) => (
            positive(amount).ok_or(CREDITS)?,
            Some(schedule(period).ok_or(CREDITS)?),
        ),
    };
    Ok(Credits { balance, refill })
}

/// What is added to a balance.
pub(super) fn amount(text: &str) -> Result<u64, String> {
    positive(text).ok_or_else(|| AMOUNT.to_owned())
}

/// What a balance is set to.
pub(super) fn balance(text: &str) -> Result<u64, String> {
    number(text).ok_or_else(|| BALANCE.to_owned())
}

impl Rate {
    /// The calls, and the seconds of the window.
    pub(super) const fn parts(&self) -> (u64, u64) {
        (self.limit, self.window_s)
    }

    pub(super) fn to_json(&self) -> Value {
        json!({ "limit": self.limit, "window_s": self.window_s })
    }

    pub(super) fn to_json_per_ip(&self) -> Value {
        json!({ "limit": self.limit, "window_s": self.window_s, "per": "ip" })
    }
}

impl Quota {
    pub(super) fn to_json(&self) -> Value {
        with_schedule("limit", self.limit, self.schedule)
    }
}

impl Credits {
    pub(super) fn to_json(&self) -> Value {
        match self.refill {
            None => json!(self.balance),
            Some(schedule) => json!({
                "balance": self.balance,
                "refill": with_schedule("amount", self.balance, schedule),
            }),
        }
    }
}

fn with_schedule(name: &str, number: u64, schedule: Schedule) -> Value {
    let mut object = Map::new();
    object.insert(name.to_owned(), json!(number));
    object.insert("period".to_owned(), json!(schedule.period));
    if let Some(day) = schedule.reset_day {
        object.insert("reset_day".to_owned(), json!(day));
    }
    Value::Object(object)
}

fn schedule(text: &str) -> Option<Schedule> {
    let (period, reset_day) = match text {
        "day" => (Period::Day, None),
        "month" => (Period::Month, None),
        _ => {
            let day = number(text.strip_prefix("month@")?)?;
            let day = u8::try_from(day).ok();
            (
                Period::Month,
                Some(day.filter(|day| (1..=31).contains(day))?),
            )
        }
    };
    Some(Schedule { period, reset_day })
}

fn window_s(text: &str) -> Option<u64> {
    let unit = match text.chars().next_back()? {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        _ => return None,
    };
    positive(text.strip_suffix(['s', 'm', 'h'])?)?.checked_mul(unit)
}

fn positive(text: &str) -> Option<u64> {
    number(text).filter(|number| *number > 0)
}

fn number(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || (text.starts_with('0') && text != "0") {
        return None;
    }
    text.parse().ok().filter(|number| *number <= LARGEST_LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_a_number_and_a_window() {
        for (text, limit, window_s) in [
            ("100/60s", 100, 60),
            ("100/1m", 100, 60),
            ("1/24h", 1, 86_400),
            ("999999999999/1s", LARGEST_LIMIT, 1),
        ] {
            assert_eq!(rate(text), Ok(Rate { limit, window_s }), "{text}");
        }
        for text in [
            "",
            "/",
            "100",
            "100/",
            "/60s",
            "100/60",
            "100/s",
            "100/0s",
            "0/60s",
            "+1/60s",
            "-1/60s",
            "1/+60s",
            "1/060s",
            "01/60s",
            "1/1d",
            "1/1day",
            "1/25h",
            "1/86401s",
            " 1/1s",
            "1/1s ",
            "1 / 1s",
            "1/1s/1s",
            "1/1S",
            "1.5/1s",
            "1_000/1s",
            "1e3/1s",
            "1000000000000/1s",
            "18446744073709551616/1s",
            "1/99999999999999999999s",
            "1/999999999999h",
            "١/1s",
            "1/1\u{e9}",
        ] {
            assert!(rate(text).is_err(), "{text}");
        }
        assert!(rate_per_ip("60/1h").is_ok() && rate_per_ip("60/3601s").is_err());
    }

    #[test]
    fn quotas_have_a_number_and_a_period_of_the_calendar() {
        for (text, limit, period, reset_day) in [
            ("1000/day", 1000, Period::Day, None),
            ("1/month", 1, Period::Month, None),
            ("1/month@1", 1, Period::Month, Some(1)),
            ("1/month@31", 1, Period::Month, Some(31)),
        ] {
            let schedule = Schedule { period, reset_day };
            assert_eq!(quota(text), Ok(Quota { limit, schedule }), "{text}");
        }
        for text in [
            "",
            "1000",
            "1000/",
            "0/day",
            "1/d",
            "1/1d",
            "1/days",
            "1/Day",
            "1/day@1",
            "1/month@",
            "1/month@0",
            "1/month@32",
            "1/month@01",
            "1/month@+1",
            "1/month@1 ",
            "1/month@256",
            "1/60s",
            "1/week",
            "1/year",
        ] {
            assert!(quota(text).is_err(), "{text}");
        }
    }

    #[test]
    fn credits_have_a_balance_and_perhaps_a_period() {
        for (text, balance, refill) in [
            ("500", 500, None),
            ("0", 0, None),
            ("500/day", 500, Some((Period::Day, None))),
            ("500/month@1", 500, Some((Period::Month, Some(1)))),
        ] {
            let refill = refill.map(|(period, reset_day)| Schedule { period, reset_day });
            assert_eq!(credits(text), Ok(Credits { balance, refill }), "{text}");
        }
        for text in [
            "", "-1", "+1", "00", "0/day", "500/", "500@1", "500/60s", "5,000",
        ] {
            assert!(credits(text).is_err(), "{text}");
        }
        assert_eq!((amount("1"), balance("0")), (Ok(1), Ok(0)));
        assert!(amount("0").is_err() && amount("-5").is_err() && balance("").is_err());
    }
}
