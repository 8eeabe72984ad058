//! What Unkey limits, as limits of Keyward: where the two mean the same, and else said so.
//!
//! - `ratelimit`, and of `ratelimits` those with `autoApply`: so many in any span of `duration`
//!   milliseconds. Others hold only where a verification names them.
//! - `remaining` is a balance, and `refill` sets it to its amount at midnight UTC, each day or on a
//!   day of the month, if less is left. A refill of Keyward replaces what is left, whatever it is.

use keyward_core::spec::limits::{LARGEST_LIMIT, LONGEST_WINDOW_S, MOST_RATES, is_name};
use serde_json::{Map, Value, json};

use super::super::record::Reading;

/// The field `limits` of a key; none where nothing is limited that can be imported.
pub(super) fn read(item: &Map<String, Value>, line: u64, reading: &mut Reading) -> Option<Value> {
    let mut limits = Map::new();
    let rates = rates(item, line, reading);
    if !rates.is_empty() {
        limits.insert("rate".to_owned(), Value::Array(rates));
    }
    if let Some(credits) = credits(item, line, reading) {
        limits.insert("credits".to_owned(), credits);
    }
    (!limits.is_empty()).then_some(Value::Object(limits))
}

fn rates(item: &Map<String, Value>, line: u64, reading: &mut Reading) -> Vec<Value> {
    let is_something = |value: &&Value| !value.is_null();
    let one = item.get("ratelimit").filter(is_something);
    let named = item.get("ratelimits").filter(is_something);
    let named = named.into_iter().flat_map(|named| match named {
        Value::Array(entries) => entries.as_slice(),
        other => std::slice::from_ref(other),
    });
    let mut rates: Vec<Value> = Vec::new();
    for (field, entry, applies) in one
        .map(|one| ("ratelimit", one, true))
        .into_iter()
        .chain(named.map(|entry| ("ratelimits", entry, entry["autoApply"] == json!(true))))
    {
        let rate = rate(entry).filter(|_| applies && rates.len() < MOST_RATES);
        let Some((limit, window_s)) = rate else {
            reading.remark(
                line,
                format!("an entry of `{field}` is not imported: give the key a rate limit with `keyward keys update --rate`"),
            );
            continue;
        };
        let name = entry["name"].as_str().filter(|name| is_name(name));
        let is_free = |name: &&str| rates.iter().all(|other| other["name"] != json!(name));
        let own = name.filter(is_free).map(ToOwned::to_owned);
        let name = own.unwrap_or_else(|| format!("unkey_{}", rates.len()));
        rates.push(json!({ "name": name, "limit": limit, "window_s": window_s }));
    }
    rates
}

/// So many in so many seconds.
fn rate(entry: &Value) -> Option<(u64, u64)> {
    let limit = whole(&entry["limit"], 1)?;
    let duration = whole(&entry["duration"], 1_000)?;
    let window_s = duration / 1_000;
    (duration % 1_000 == 0 && window_s <= LONGEST_WINDOW_S).then_some((limit, window_s))
}

fn credits(item: &Map<String, Value>, line: u64, reading: &mut Reading) -> Option<Value> {
    let own = item.get("credits").unwrap_or(&Value::Null);
    let inner = if own.is_object() {
        &own["remaining"]
    } else {
        own
    };
    let given = [Some(inner), item.get("remaining")];
    let mut given = given.into_iter().flatten().filter(|one| !one.is_null());
    let remaining = given.next().unwrap_or(&Value::Null);
    let refills = [own.get("refill"), item.get("refill")];
    let refill = refills
        .into_iter()
        .flatten()
        .find(|refill| !refill.is_null());
    let balance = whole(remaining, 0);
    if balance.is_none() && !remaining.is_null() {
        reading.remark(line, "`remaining` is not imported: the key can be used without end until `keyward keys update --credits` gives it credits");
    }
    let imported = balance.and_then(|balance| refilled(refill?, balance));
    if refill.is_some() && imported.is_none() {
        reading.remark(line, "`refill` is not imported: it is none that replaces what is left; `keyward keys update --credits N/month` gives the key one");
    }
    let balance = balance?;
    Some(match imported {
        Some(refill) => json!({ "balance": balance, "refill": refill }),
        None => json!({ "balance": balance }),
    })
}

/// A refill of credits of which so much is left.
fn refilled(refill: &Value, balance: u64) -> Option<Value> {
    let amount = whole(&refill["amount"], 1).filter(|amount| *amount >= balance)?;
    match refill["interval"].as_str()? {
        "daily" => Some(json!({ "amount": amount, "period": "day" })),
        "monthly" => {
            let day = refill.get("refillDay").filter(|day| !day.is_null());
            let day = day.map_or(Some(1), Value::as_u64);
            let day = day.filter(|day| (1..=31).contains(day))?;
            Some(json!({ "amount": amount, "period": "month", "reset_day": day }))
        }
        _ => None,
    }
}

fn whole(value: &Value, least: u64) -> Option<u64> {
    let number = value.as_u64();
    number.filter(|number| (least..=LARGEST_LIMIT).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(text: &str) -> (Value, usize) {
        let mut reading = Reading::default();
        let item = serde_json::from_str(text).unwrap();
        let limits = read(&item, 1, &mut reading);
        (limits.unwrap_or(Value::Null), reading.remarks().count())
    }

    #[test]
    fn what_means_the_same_is_imported_and_all_else_is_said() {
        let rate = |name: &str, limit: u64, window_s: u64| json!({ "rate": [{ "name": name, "limit": limit, "window_s": window_s }] });
        let month = |day: u64| json!({ "credits": { "balance": 5, "refill": { "amount": 9, "period": "month", "reset_day": day } } });
        for (text, expected, remarks) in [
            (
                r#"{"ratelimits":[],"credits":null,"remaining":null,"refill":null}"#,
                Value::Null,
                0,
            ),
            (
                r#"{"ratelimit":{"type":"fast","limit":10,"duration":1000}}"#,
                rate("unkey_0", 10, 1),
                0,
            ),
            (
                r#"{"ratelimits":[{"name":"requests","limit":100,"duration":60000,"autoApply":true}]}"#,
                rate("requests", 100, 60),
                0,
            ),
            (
                r#"{"ratelimits":[{"name":"Heavy Calls","limit":100,"duration":60000,"autoApply":true}]}"#,
                rate("unkey_0", 100, 60),
                0,
            ),
            (
                r#"{"ratelimits":[{"name":"named","limit":100,"duration":60000}]}"#,
                Value::Null,
                1,
            ),
            (
                r#"{"ratelimit":{"limit":10,"refillRate":1,"refillInterval":1000}}"#,
                Value::Null,
                1,
            ),
            (
                r#"{"ratelimit":{"limit":10,"duration":1500}}"#,
                Value::Null,
                1,
            ),
            (
                r#"{"ratelimit":{"limit":10,"duration":604800000}}"#,
                Value::Null,
                1,
            ),
            (
                r#"{"ratelimits":{"limit":1},"ratelimit":"fast"}"#,
                Value::Null,
                2,
            ),
            (
                r#"{"remaining":null,"credits":5}"#,
                json!({ "credits": { "balance": 5 } }),
                0,
            ),
            (
                r#"{"remaining":5,"credits":{"remaining":null}}"#,
                json!({ "credits": { "balance": 5 } }),
                0,
            ),
            (
                r#"{"remaining":0}"#,
                json!({ "credits": { "balance": 0 } }),
                0,
            ),
            (
                r#"{"credits":{"remaining":7}}"#,
                json!({ "credits": { "balance": 7 } }),
                0,
            ),
            (r#"{"credits":{"remaining":null}}"#, Value::Null, 0),
            (r#"{"credits":{"remaining":-1}}"#, Value::Null, 1),
            (
                r#"{"remaining":5,"refill":{"interval":"monthly","amount":9,"refillDay":31}}"#,
                month(31),
                0,
            ),
            (
                r#"{"credits":{"remaining":5,"refill":{"interval":"monthly","amount":9}}}"#,
                month(1),
                0,
            ),
            (
                r#"{"credits":{"remaining":9,"refill":{"interval":"daily","amount":9,"refillDay":null}}}"#,
                json!({ "credits": { "balance": 9, "refill": { "amount": 9, "period": "day" } } }),
                0,
            ),
            (
                r#"{"credits":{"remaining":10,"refill":{"interval":"daily","amount":9}}}"#,
                json!({ "credits": { "balance": 10 } }),
                1,
            ),
            (
                r#"{"remaining":5,"refill":{"interval":"weekly","amount":9}}"#,
                json!({ "credits": { "balance": 5 } }),
                1,
            ),
            (
                r#"{"refill":{"interval":"daily","amount":9}}"#,
                Value::Null,
                1,
            ),
        ] {
            assert_eq!(limits(text), (expected, remarks), "{text}");
        }
    }

    #[test]
    fn names_are_unique_and_there_are_no_more_than_a_key_has() {
        let entry = r#"{"name":"a","limit":1,"duration":1000,"autoApply":true}"#;
        let text = format!(r#"{{"ratelimits":[{}]}}"#, [entry; 9].join(","));
        let (limits, remarks) = limits(&text);
        let rates = limits["rate"].as_array().unwrap();
        let names: Vec<_> = rates
            .iter()
            .map(|rate| rate["name"].as_str().unwrap())
            .collect();
        assert_eq!(names[..3], ["a", "unkey_1", "unkey_2"]);
        assert_eq!((names.len(), remarks), (MOST_RATES, 1));
        let spec = json!({ "limits": limits });
        let mut read = keyward_core::spec::reader::Reader::new(spec.as_object().unwrap());
        let whose = keyward_core::spec::limits::Whose::Key;
        assert_eq!(
            keyward_core::spec::limits::read(&mut read, "limits", whose)
                .rate
                .len(),
            MOST_RATES
        );
    }
}
