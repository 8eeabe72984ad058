//! Limits as arguments, for a key and for an owner.
//!
//! How one limit is written is in [`written`]; how limits are shown, in the same notation, in
//! [`shown`]. What they mean together is decided by the management API, in one place for everybody.

mod credits;
mod shown;
mod standing;
mod written;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

pub(super) use credits::CreditChange;
pub(crate) use shown::brief;
pub(super) use standing::Standing;
use written::{Credits, Quota, Rate};

/// The limits that a key can have, and that an owner's keys can share.
#[derive(Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct Limits {
    /// Let through so many calls in any window, as in 100/60s or 1000/1h; repeatable
    #[arg(long = "rate", value_name = "N/WINDOW", value_parser = written::rate)]
    rates: Vec<Rate>,

    /// Let through so many calls in a calendar day or month, as in 10000/month@15; repeatable
    #[arg(long = "quota", value_name = "N/PERIOD", value_parser = written::quota)]
    quotas: Vec<Quota>,

    /// A prepaid balance, and when it is refilled, as in 500 or 500/month@1
    #[arg(long, value_name = "N[/PERIOD]", value_parser = written::credits)]
    credits: Option<Credits>,

    /// When the meter does not answer, refuse calls or let them through [default: deny]
    #[arg(long, value_name = "WHAT")]
    on_meter_error: Option<OnMeterError>,
}

/// The limit that only a key can have.
#[derive(Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct PerAddress {
    /// Let through so many calls from one client address in any window, approximately; repeatable
    #[arg(long = "rate-per-ip", value_name = "N/WINDOW", value_parser = written::rate_per_ip)]
    rates_per_ip: Vec<Rate>,
}

#[derive(Clone, Copy, ValueEnum)]
enum OnMeterError {
    Deny,
    Allow,
}

impl Limits {
    /// As the management API takes them; none if none is given.
    pub(super) fn to_json(&self, per_address: Option<&PerAddress>) -> Option<Value> {
        let mut limits = Map::new();
        let mut rates: Vec<_> = self.rates.iter().map(Rate::to_json).collect();
        let per_address = per_address.map(|per| per.rates_per_ip.iter());
        rates.extend(per_address.into_iter().flatten().map(Rate::to_json_per_ip));
        if !rates.is_empty() {
            limits.insert("rate".to_owned(), Value::Array(rates));
        }
        if !self.quotas.is_empty() {
            let quotas = self.quotas.iter().map(Quota::to_json).collect();
            limits.insert("quota".to_owned(), quotas);
        }
        if let Some(credits) = &self.credits {
            limits.insert("credits".to_owned(), credits.to_json());
        }
        if let Some(what) = self.on_meter_error {
            let word = match what {
                OnMeterError::Deny => "deny",
                OnMeterError::Allow => "allow",
            };
            limits.insert("on_meter_error".to_owned(), json!(word));
        }
        (!limits.is_empty()).then_some(Value::Object(limits))
    }
}

/// Reads a rate limit: the calls, and the seconds of the window.
pub(super) fn calls_in_window(text: &str) -> Result<(u64, u64), String> {
    written::rate(text).map(|rate| rate.parts())
}

/// Limits for a merge patch (RFC 7396): an object is merged into the one before, so what a refill
/// is not to keep of it is null.
pub(super) fn for_patch(mut limits: Value) -> Value {
    let refill = limits.pointer_mut("/credits/refill");
    if let Some(refill) = refill.and_then(Value::as_object_mut) {
        refill.entry("reset_day").or_insert(Value::Null);
    }
    limits
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        limits: Limits,

        #[command(flatten)]
        per_address: PerAddress,
    }

    fn parse(arguments: &[&str]) -> Result<Option<Value>, String> {
        Line::try_parse_from([&["keyward"], arguments].concat())
            .map(|line| line.limits.to_json(Some(&line.per_address)))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn arguments_become_the_field_of_the_management_api() {
        for (arguments, expected) in [
            (&[][..], None),
            (
                &["--rate", "100/60s", "--rate", "10/1s"],
                Some(
                    json!({"rate": [{"limit": 100, "window_s": 60}, {"limit": 10, "window_s": 1}]}),
                ),
            ),
            (
                &["--rate-per-ip", "60/1m", "--rate", "5/2h"],
                Some(
                    json!({"rate": [{"limit": 5, "window_s": 7200}, {"limit": 60, "window_s": 60, "per": "ip"}]}),
                ),
            ),
            (
                &["--quota", "9/day", "--quota", "10000/month@15"],
                Some(
                    json!({"quota": [{"limit": 9, "period": "day"}, {"limit": 10000, "period": "month", "reset_day": 15}]}),
                ),
            ),
            (
                &["--credits", "500", "--on-meter-error", "allow"],
                Some(json!({"credits": 500, "on_meter_error": "allow"})),
            ),
            (
                &["--credits", "500/month@1"],
                Some(
                    json!({"credits": {"balance": 500, "refill": {"amount": 500, "period": "month", "reset_day": 1}}}),
                ),
            ),
        ] {
            assert_eq!(parse(arguments), Ok(expected), "{arguments:?}");
        }
    }

    #[test]
    fn an_error_names_the_option_and_shows_the_form() {
        for (arguments, parts) in [
            (["--rate", "100"], ["--rate", "as in 100/60s"]),
            (["--rate-per-ip", "9/2h"], ["--rate-per-ip", "1h at most"]),
            (["--quota", "10000/month@32"], ["--quota", "10000/month@15"]),
            (["--credits", "500@1"], ["--credits", "500/month@1"]),
            (
                ["--on-meter-error", "ignore"],
                ["--on-meter-error", "allow"],
            ),
        ] {
            let error = parse(&arguments).unwrap_err();
            for part in parts {
                assert!(error.contains(part), "{arguments:?}: {error}");
            }
        }
    }

    #[test]
    fn a_patch_leaves_nothing_of_the_refill_before() {
        let credits = |text| parse(&["--credits", text]).unwrap().map(for_patch);
        assert_eq!(
            credits("500/day"),
            Some(
                json!({"credits": {"balance": 500, "refill": {"amount": 500, "period": "day", "reset_day": null}}})
            )
        );
        assert_eq!(credits("500"), Some(json!({"credits": 500})));
    }
}
