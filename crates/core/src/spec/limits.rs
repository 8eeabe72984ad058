//! Limits as they are written: `{"rate": [{"name", "limit", "window_s", "per"}], "quota":
//! {"name", "limit", "period", "reset_day"} or a list of them, "credits": a number or
//! {"balance", "refill": {"amount", "period", "reset_day"}}, "on_meter_error"}`.
//!
//! - At least one limit is named: limits that got lost on the way must not make a wider key. So
//!   nothing of it may be `null` either, but for a merge patch, which takes away what is `null`.
//! - Names are unique over rates and quotas, because headers and refusals tell limits apart by
//!   them. Who gives none gets `60s`, `ip-60s`, `day` or `month`.
//! - The canonical form is that of [`Limits`]: with all names, quotas as a list, credits as an
//!   object. Reading it again changes nothing.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::reader::Reader;
use crate::limits::{Credits, Limits, OnMeterError, Per, Period, Quota, Rate, Refill, Schedule};

/// The most entries of `rate`.
pub const MOST_RATES: usize = 8;
/// The most entries of `quota`.
pub const MOST_QUOTAS: usize = 4;
/// The largest number of units.
pub const LARGEST_LIMIT: u64 = 999_999_999_999;
/// The longest window, in seconds: a day.
pub const LONGEST_WINDOW_S: u64 = 86_400;
/// The longest window for each client address, which isolates count: an hour.
pub const LONGEST_IP_WINDOW_S: u64 = 3_600;
/// The longest name of a limit, in characters.
pub const LONGEST_LIMIT_NAME: usize = 32;
/// The name that a balance has where limits are told apart by name.
const CREDITS: &str = "credits";

const ONE_OR_MORE: RangeInclusive<u64> = 1..=LARGEST_LIMIT;
const PERIODS: &[(&str, Period)] = &[("day", Period::Day), ("month", Period::Month)];

/// Whose limits they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// A key's.
    Key,
    /// Those that an owner's keys share: for all addresses together.
    Owner,
}

/// Reads the limits in a field; missing are none.
pub fn read(read: &mut Reader<'_>, field: &str, whose: Whose) -> Limits {
    let Some(value) = read.value(field) else {
        return Limits::default();
    };
    let known = &["rate", "quota", "credits", "on_meter_error"];
    let limits = part(read, field, value, ("limits", known), |own| {
        let mut names = Vec::new();
        Limits {
            rate: rates(own, whose, &mut names),
            quota: quotas(own, &mut names),
            credits: credits(own),
            on_meter_error: own
                .choice(
                    "on_meter_error",
                    &[("deny", OnMeterError::Deny), ("allow", OnMeterError::Allow)],
                )
                .unwrap_or_default(),
        }
    });
    if limits.as_ref().is_some_and(Limits::is_empty) {
        read.refuse(
            field,
            "name at least one of `rate`, `quota` and `credits`, or leave `limits` out",
        );
    }
    limits.unwrap_or_default()
}

fn rates(own: &mut Reader<'_>, whose: Whose, names: &mut Vec<String>) -> Vec<Rate> {
    let Some(value) = own.value("rate") else {
        return Vec::new();
    };
    let (known, thing): (&[&str], _) = match whose {
        Whose::Key => (&["name", "limit", "window_s", "per"], "a rate limit"),
        Whose::Owner => (&["name", "limit", "window_s"], "an owner's rate limit"),
    };
    let entries = own.entries("rate", value, MOST_RATES);
    let rates = entries.iter().enumerate().filter_map(|(index, entry)| {
        let place = format!("rate[{index}]");
        part(own, &place, entry, (thing, known), |read| rate(read, names)).flatten()
    });
    rates.collect()
}

fn rate(read: &mut Reader<'_>, names: &mut Vec<String>) -> Option<Rate> {
    let per = read.choice("per", &[("key", Per::Key), ("ip", Per::Ip)]);
    let per = per.unwrap_or_default();
    let (longest, prefix) = match per {
        Per::Key => (LONGEST_WINDOW_S, ""),
        Per::Ip => (LONGEST_IP_WINDOW_S, "ip-"),
    };
    let limit = required(read, "limit", ONE_OR_MORE);
    let window_s = required(read, "window_s", 1..=longest);
    let default = window_s.map(|seconds| format!("{prefix}{seconds}s"));
    Some(Rate {
        name: name(read, default, names)?,
        limit: limit?,
        window_s: window_s?,
        per,
    })
}

fn quotas(own: &mut Reader<'_>, names: &mut Vec<String>) -> Vec<Quota> {
    let thing = (
        "a quota",
        &["name", "limit", "period", "reset_day"] as &[&str],
    );
    let quota = |own: &mut Reader<'_>, place: &str, value, names: &mut Vec<String>| {
        part(own, place, value, thing, |read| quota(read, names)).flatten()
    };
    match own.value("quota") {
        None => Vec::new(),
        Some(value @ Value::Object(_)) => quota(own, "quota", value, names).into_iter().collect(),
        Some(value) => {
            let entries = own.entries("quota", value, MOST_QUOTAS);
            let all = entries.iter().enumerate();
            all.filter_map(|(index, entry)| quota(own, &format!("quota[{index}]"), entry, names))
                .collect()
        }
    }
}

fn quota(read: &mut Reader<'_>, names: &mut Vec<String>) -> Option<Quota> {
    let limit = required(read, "limit", ONE_OR_MORE);
    let schedule = schedule(read);
    let default = schedule.map(|schedule| match schedule.period {
        Period::Day => "day".to_owned(),
        Period::Month => "month".to_owned(),
    });
    let name = name(read, default, names);
    let Schedule { period, reset_day } = schedule?;
    Some(Quota {
        name: name?,
        limit: limit?,
        period,
        reset_day,
    })
}

fn credits(own: &mut Reader<'_>) -> Option<Credits> {
    let value = own.value("credits")?;
    if value.is_number() {
        let balance = own.whole("credits", 0..=LARGEST_LIMIT)?;
        return Some(Credits {
            balance,
            refill: None,
        });
    }
    let known = &["balance", "refill"];
    part(own, "credits", value, (CREDITS, known), |read| {
        let balance = required(read, "balance", 0..=LARGEST_LIMIT);
        let refill = refill(read);
        Some(Credits {
            balance: balance?,
            refill,
        })
    })
    .flatten()
}

fn refill(read: &mut Reader<'_>) -> Option<Refill> {
    let value = read.value("refill")?;
    let known = &["amount", "period", "reset_day"];
    part(read, "refill", value, ("a refill", known), |read| {
        let amount = required(read, "amount", ONE_OR_MORE);
        let Schedule { period, reset_day } = schedule(read)?;
        Some(Refill {
            amount: amount?,
            period,
            reset_day,
        })
    })
    .flatten()
}

fn schedule(read: &mut Reader<'_>) -> Option<Schedule> {
    read.require("period");
    let period = read.choice("period", PERIODS);
    if period == Some(Period::Day) && read.has("reset_day") {
        read.refuse("reset_day", "only a monthly period has it; leave it out");
    }
    let day = read.whole("reset_day", 1..=31);
    Some(Schedule {
        period: period?,
        reset_day: day.and_then(|day| u8::try_from(day).ok()),
    })
}

fn required(read: &mut Reader<'_>, field: &str, bounds: RangeInclusive<u64>) -> Option<u64> {
    read.require(field);
    read.whole(field, bounds)
}

/// The name that is given, or the default; no other limit has it.
fn name(read: &mut Reader<'_>, default: Option<String>, names: &mut Vec<String>) -> Option<String> {
    let name = if read.has("name") {
        let name = read.word("name")?;
        if !is_name(name) {
            read.refuse(
                "name",
                "write 1 to 32 lower-case letters, digits, `-` and `_`, the first a letter or digit, and not `credits`",
            );
            return None;
        }
        name.to_owned()
    } else {
        default?
    };
    if names.contains(&name) {
        let detail = format!("another limit is named `{name}`; give each a `name` of its own");
        read.refuse("name", detail);
        return None;
    }
    names.push(name.clone());
    Some(name)
}

/// Whether a limit may have this name: 1 to 32 lower-case letters, digits, `-` and `_`, the first a
/// letter or digit, and not `credits`.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let rest = |byte| plain(byte) || matches!(byte, b'-' | b'_');
    (1..=LONGEST_LIMIT_NAME).contains(&text.len())
        && text.bytes().next().is_some_and(plain)
        && text.bytes().all(rest)
        && text != CREDITS
}

/// Reads the object at a place; `thing` has the fields `known`. None when something is wrong in
/// it, which the outer reader then says with its place.
fn part<'a, T>(
    outer: &mut Reader<'_>,
    place: &str,
    value: &'a Value,
    (thing, known): (&str, &[&str]),
    read: impl FnOnce(&mut Reader<'a>) -> T,
) -> Option<T> {
    let Value::Object(fields) = value else {
        let detail = format!("must be an object; {thing} has {}", known.join(", "));
        outer.refuse(place, detail);
        return None;
    };
    let mut inner = Reader::new(fields);
    let done = read(&mut inner);
    inner.refuse_unknown(thing, known);
    let errors = inner.into_errors();
    let right = errors.is_empty();
    for error in errors {
        outer.refuse(&format!("{place}.{}", error.field), error.detail);
    }
    right.then_some(done)
}
