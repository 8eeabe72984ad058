//! Schemas of limits: as they are written, with the bounds of what reads them, and as they are
//! shown.

use keyward_core::spec::limits::{
    LARGEST_LIMIT, LONGEST_IP_WINDOW_S, LONGEST_WINDOW_S, MOST_QUOTAS, MOST_RATES,
};
use schemars::JsonSchema;
use serde_json::{Value, json};

use super::fields::or_null;

/// All limits of a key, or of an owner's keys together.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
pub struct Limits {
    /// So many units in any window of so many seconds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rate: Vec<Rate>,
    /// So many in a calendar day or month, in UTC.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    quota: Vec<Quota>,
    /// A prepaid balance.
    #[serde(skip_serializing_if = "Option::is_none")]
    credits: Option<Credits>,
    /// What happens when the meter does not answer; left out: `deny`.
    #[serde(skip_serializing_if = "Option::is_none")]
    on_meter_error: Option<OnMeterError>,
}

/// A rate limit.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
pub struct Rate {
    /// Unique among the limits that it stands with.
    name: String,
    /// Units in a window.
    limit: u64,
    /// The window's length in seconds.
    window_s: u64,
    /// Whose calls it counts together; left out: all of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    per: Option<Per>,
}

/// Whose calls a rate limit counts together.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
#[serde(rename_all = "lowercase")]
pub enum Per {
    /// All calls of the key.
    Key,
    /// Those from one client address, approximately.
    Ip,
}

/// A quota.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
pub struct Quota {
    /// Unique among the limits that it stands with.
    name: String,
    /// Units in a period.
    limit: u64,
    /// How far apart its boundaries are.
    period: Period,
    /// The day of the month on which a monthly period begins, the last day of a shorter month;
    /// left out: 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    reset_day: Option<u8>,
}

/// A span of the calendar, in UTC.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
#[serde(rename_all = "lowercase")]
pub enum Period {
    /// From midnight to midnight.
    Day,
    /// From midnight of the reset day to that of the next month.
    Month,
}

/// A prepaid balance.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
pub struct Credits {
    /// What there is at first.
    balance: u64,
    /// What the balance is replaced with, at each boundary.
    #[serde(skip_serializing_if = "Option::is_none")]
    refill: Option<Refill>,
}

/// A refill: it replaces what is left, and adds nothing to it.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
pub struct Refill {
    /// The balance afterwards.
    amount: u64,
    /// How far apart its boundaries are.
    period: Period,
    /// As of a quota.
    #[serde(skip_serializing_if = "Option::is_none")]
    reset_day: Option<u8>,
}

/// What happens to a limited call when the meter does not answer.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
#[serde(rename_all = "lowercase")]
pub enum OnMeterError {
    /// It is refused.
    Deny,
    /// It is let through, over the limit if need be.
    Allow,
}

/// A limit's name.
const NAME: &str = "^[a-z0-9][a-z0-9_-]{0,31}$";

/// Limits that are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// Those of a key.
    Key,
    /// Those that an owner's keys share.
    Owner,
    /// A merge patch of those of a key: it may name a part, and `null` takes away.
    Patch,
}

/// Limits as they are written.
pub(super) fn written(how: Written) -> Value {
    let patch = how == Written::Patch;
    let optional = |schema| if patch { or_null(schema) } else { schema };
    let mut rate = json!({
        "type": "object",
        "properties": {
            "name": name(), "limit": units(1),
            "window_s": {
                "type": "integer", "minimum": 1, "maximum": LONGEST_WINDOW_S,
                "description": format!("Seconds; for each address at most {LONGEST_IP_WINDOW_S}."),
            },
        },
        "required": ["limit", "window_s"],
        "additionalProperties": false,
    });
    if how != Written::Owner {
        rate["properties"]["per"] = json!({"type": "string", "enum": ["key", "ip"]});
    }
    let credits = json!({
        "type": "object",
        "properties": {
            "balance": units(0),
            "refill": optional(refill(patch)),
        },
        "required": if patch { json!([]) } else { json!(["balance"]) },
        "additionalProperties": false,
    });
    let mut limits = json!({
        "type": "object",
        "properties": {
            "rate": optional(json!({
                "type": "array", "minItems": 1, "maxItems": MOST_RATES, "items": rate,
            })),
            "quota": one_of(patch, [
                quota(patch),
                json!({
                    "type": "array", "minItems": 1, "maxItems": MOST_QUOTAS, "items": quota(false),
                }),
            ]),
            "credits": one_of(patch, [units(0), credits]),
            "on_meter_error": optional(json!({"type": "string", "enum": ["deny", "allow"]})),
        },
        "additionalProperties": false,
    });
    if !patch {
        let names = ["rate", "quota", "credits"];
        limits["anyOf"] = names
            .iter()
            .map(|name| json!({"required": [name]}))
            .collect();
    }
    limits
}

/// A number of units.
pub(super) fn units(least: u64) -> Value {
    json!({"type": "integer", "minimum": least, "maximum": LARGEST_LIMIT})
}

fn name() -> Value {
    json!({"type": "string", "pattern": NAME, "not": {"const": "credits"}})
}

fn period() -> Value {
    json!({"type": "string", "enum": ["day", "month"]})
}

fn reset_day() -> Value {
    json!({"type": "integer", "minimum": 1, "maximum": 31, "description": "Only of a month."})
}

/// A quota. What a patch puts in place of a list has no member that is `null`.
fn quota(patch: bool) -> Value {
    let optional = |schema| if patch { or_null(schema) } else { schema };
    json!({
        "type": "object",
        "properties": {
            "name": optional(name()), "limit": units(1), "period": period(),
            "reset_day": optional(reset_day()),
        },
        "required": ["limit", "period"],
        "additionalProperties": false,
    })
}

fn refill(patch: bool) -> Value {
    json!({
        "type": "object",
        "properties": {
            "amount": units(1), "period": period(),
            "reset_day": if patch { or_null(reset_day()) } else { reset_day() },
        },
        "required": if patch { json!([]) } else { json!(["amount", "period"]) },
        "additionalProperties": false,
    })
}

fn one_of<const N: usize>(or_null: bool, schemas: [Value; N]) -> Value {
    let null = or_null.then(|| json!({"type": "null"}));
    json!({"anyOf": schemas.into_iter().chain(null).collect::<Vec<_>>()})
}
