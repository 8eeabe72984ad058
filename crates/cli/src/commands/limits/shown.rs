//! Limits in a line, written as the options of the command take them.

use keyward_core::limits::{Credits, Limits, OnMeterError, Per, Period, Quota, Rate, Schedule};
use serde_json::Value;

/// `100/60s, 10000/month@15, 500 credits`; whatever cannot be read is shown as it is.
pub(crate) fn brief(limits: Option<&Value>) -> String {
    let Some(value) = limits else {
        return String::new();
    };
    let Ok(limits) = serde_json::from_value::<Limits>(value.clone()) else {
        return value.to_string();
    };
    let rates = limits.rate.iter().map(rate);
    let quotas = limits.quota.iter().map(quota);
    let credits = limits.credits.iter().map(credits);
    let mut words: Vec<_> = rates.chain(quotas).chain(credits).collect();
    if limits.on_meter_error == OnMeterError::Allow {
        words.push("allowed on meter error".to_owned());
    }
    words.join(", ")
}

/// The window of a rate limit as it is written.
pub(super) fn window(seconds: u64) -> String {
    match seconds {
        0 => "0s".to_owned(),
        _ if seconds.is_multiple_of(3_600) => format!("{}h", seconds / 3_600),
        _ => format!("{seconds}s"),
    }
}

fn rate(rate: &Rate) -> String {
    let (per, default) = match rate.per {
        Per::Key => ("", format!("{}s", rate.window_s)),
        Per::Ip => (" per address", format!("ip-{}s", rate.window_s)),
    };
    let text = format!("{}/{}{per}", rate.limit, window(rate.window_s));
    named(&rate.name, &default, text)
}

fn quota(quota: &Quota) -> String {
    let default = match quota.period {
        Period::Day => "day",
        Period::Month => "month",
    };
    let text = format!("{}/{}", quota.limit, period(quota.schedule()));
    named(&quota.name, default, text)
}

fn credits(credits: &Credits) -> String {
    let balance = credits.balance;
    match &credits.refill {
        None => format!("{balance} credits"),
        Some(refill) if refill.amount == balance => {
            format!("{balance}/{} credits", period(refill.schedule()))
        }
        Some(refill) => format!(
            "{balance} credits, refilled to {}/{}",
            refill.amount,
            period(refill.schedule())
        ),
    }
}

fn period(schedule: Schedule) -> String {
    match (schedule.period, schedule.reset_day) {
        (Period::Day, _) => "day".to_owned(),
        (Period::Month, None) => "month".to_owned(),
        (Period::Month, Some(day)) => format!("month@{day}"),
    }
}

fn named(name: &str, default: &str, text: String) -> String {
    if name == default {
        text
    } else {
        format!("{name} {text}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn limits_are_shown_as_they_are_written() {
        for (limits, expected) in [
            (
                json!({"rate": [{"name": "60s", "limit": 100, "window_s": 60}, {"name": "burst", "limit": 9, "window_s": 7200},
                    {"name": "ip-60s", "limit": 60, "window_s": 60, "per": "ip"}]}),
                "100/60s, burst 9/2h, 60/60s per address",
            ),
            (
                json!({"quota": [{"name": "day", "limit": 5, "period": "day"}, {"name": "month", "limit": 9, "period": "month", "reset_day": 15}],
                    "credits": {"balance": 500}, "on_meter_error": "allow"}),
                "5/day, 9/month@15, 500 credits, allowed on meter error",
            ),
            (
                json!({"credits": {"balance": 500, "refill": {"amount": 500, "period": "month"}}}),
                "500/month credits",
            ),
            (
                json!({"credits": {"balance": 5, "refill": {"amount": 9, "period": "day"}}}),
                "5 credits, refilled to 9/day",
            ),
            (
                json!({"of_a_later_version": 1}),
                r#"{"of_a_later_version":1}"#,
            ),
        ] {
            assert_eq!(brief(Some(&limits)), expected);
        }
        assert_eq!(brief(None), "");
    }
}
