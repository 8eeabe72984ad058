//! Limits: what is accepted and refused, and where; and their canonical form.

mod patches;
mod written;

use keyward_core::limits::{Limits, OnMeterError, Per};
use keyward_core::spec::limits::{self, LARGEST_LIMIT, Whose};
use keyward_core::spec::reader::Reader;
use keyward_core::spec::{FieldError, validate};
use serde_json::{Value, json};

fn read(limits: &Value) -> Result<Limits, Vec<FieldError>> {
    validate(&json!({ "limits": limits })).map(|key| key.limits)
}

fn of_owner(limits: &Value) -> Result<Limits, Vec<FieldError>> {
    let body = json!({ "limits": limits });
    let mut reader = Reader::new(body.as_object().unwrap());
    let limits = limits::read(&mut reader, "limits", Whose::Owner);
    let errors = reader.into_errors();
    if errors.is_empty() {
        Ok(limits)
    } else {
        Err(errors)
    }
}

fn canonical(limits: &Value) -> Value {
    serde_json::to_value(read(limits).unwrap()).unwrap()
}

/// The places of what is wrong.
fn wrong(limits: &Value) -> Vec<String> {
    let errors = read(limits).err().unwrap_or_default();
    assert!(errors.iter().all(|error| !error.detail.is_empty()));
    errors.into_iter().map(|error| error.field).collect()
}

#[test]
fn the_canonical_form_has_all_names_and_one_shape_of_each_limit() {
    for (written, shown) in [
        (
            json!({"rate": [{"limit": 100, "window_s": 60.0}, {"limit": 9, "window_s": 3600, "per": "ip"}]}),
            json!({"rate": [
                {"name": "60s", "limit": 100, "window_s": 60},
                {"name": "ip-3600s", "limit": 9, "window_s": 3600, "per": "ip"},
            ]}),
        ),
        (
            json!({"rate": [{"limit": 1, "window_s": 86_400, "per": "key", "name": "a-day_1"}]}),
            json!({"rate": [{"name": "a-day_1", "limit": 1, "window_s": 86_400}]}),
        ),
        (
            json!({"quota": {"limit": 5, "period": "day"}}),
            json!({"quota": [{"name": "day", "limit": 5, "period": "day"}]}),
        ),
        (
            json!({"quota": [{"limit": 5, "period": "month"}, {"limit": LARGEST_LIMIT, "period": "month", "reset_day": 31, "name": "m"}]}),
            json!({"quota": [
                {"name": "month", "limit": 5, "period": "month"},
                {"name": "m", "limit": LARGEST_LIMIT, "period": "month", "reset_day": 31},
            ]}),
        ),
        (json!({"credits": 0}), json!({"credits": {"balance": 0}})),
        (
            json!({"credits": {"balance": 5, "refill": {"amount": 9, "period": "month", "reset_day": 1}}, "on_meter_error": "allow"}),
            json!({"credits": {"balance": 5, "refill": {"amount": 9, "period": "month", "reset_day": 1}}, "on_meter_error": "allow"}),
        ),
        (
            json!({"credits": 5, "on_meter_error": "deny"}),
            json!({"credits": {"balance": 5}}),
        ),
    ] {
        assert_eq!(canonical(&written), shown, "{written}");
        assert_eq!(canonical(&shown), shown, "{written}");
    }
}

#[test]
fn limits_mean_what_they_say() {
    let limits = read(&json!({
        "rate": [{"limit": 100, "window_s": 60, "per": "ip"}], "on_meter_error": "allow",
    }))
    .unwrap();
    assert_eq!(limits.rate[0].per, Per::Ip);
    assert_eq!(limits.on_meter_error, OnMeterError::Allow);
    assert!(!limits.is_metered());
    assert!(read(&json!({"credits": 0})).unwrap().is_metered());
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let rate = |rate: Value| json!({ "rate": [{"limit": 1, "window_s": 1}, rate] });
    let quota = |quota: Value| json!({ "quota": quota });
    let credits = |credits: Value| json!({ "credits": credits });
    let refill = |refill: Value| json!({"credits": {"balance": 1, "refill": refill}});
    for (limits, places) in [
        // Nothing is said, or nothing that limits.
        (json!(null), vec![""]),
        (json!([]), vec![""]),
        (json!("none"), vec![""]),
        (json!({}), vec![""]),
        (json!({"on_meter_error": "allow"}), vec![""]),
        (json!({"rates": []}), vec![".rates"]),
        // What is there is not looked for twice.
        (json!({"rate": []}), vec![".rate"]),
        (json!({"rate": null}), vec![".rate"]),
        (json!({"rate": {"limit": 1, "window_s": 1}}), vec![".rate"]),
        (
            json!({"rate": vec![json!({"limit": 1, "window_s": 1}); 9]}),
            vec![".rate"],
        ),
        (json!({"quota": []}), vec![".quota"]),
        (json!({"quota": null}), vec![".quota"]),
        (json!({"quota": 5}), vec![".quota"]),
        (
            json!({"quota": vec![json!({"limit": 1, "period": "day"}); 5]}),
            vec![".quota"],
        ),
        (
            json!({"credits": 1, "on_meter_error": "ignore"}),
            vec![".on_meter_error"],
        ),
        (
            json!({"credits": 1, "on_meter_error": null}),
            vec![".on_meter_error"],
        ),
        // Rates.
        (rate(json!(5)), vec![".rate[1]"]),
        (rate(json!({})), vec![".rate[1].limit", ".rate[1].window_s"]),
        (
            rate(json!({"limit": 0, "window_s": 0})),
            vec![".rate[1].limit", ".rate[1].window_s"],
        ),
        (
            rate(json!({"limit": -1, "window_s": 1.5})),
            vec![".rate[1].limit", ".rate[1].window_s"],
        ),
        (
            rate(json!({"limit": "5", "window_s": "60s"})),
            vec![".rate[1].limit", ".rate[1].window_s"],
        ),
        (
            rate(json!({"limit": LARGEST_LIMIT + 1, "window_s": 86_401})),
            vec![".rate[1].limit", ".rate[1].window_s"],
        ),
        (
            rate(json!({"limit": 1e300, "window_s": u64::MAX})),
            vec![".rate[1].limit", ".rate[1].window_s"],
        ),
        (
            rate(json!({"limit": null, "window_s": true})),
            vec![".rate[1].limit", ".rate[1].window_s"],
        ),
        (
            rate(json!({"limit": 1, "window_s": 3_601, "per": "ip"})),
            vec![".rate[1].window_s"],
        ),
        (
            rate(json!({"limit": 1, "window_s": 2, "per": "owner"})),
            vec![".rate[1].per"],
        ),
        (
            rate(json!({"limit": 1, "window_s": 2, "per": null})),
            vec![".rate[1].per"],
        ),
        (
            rate(json!({"limit": 1, "window_s": 2, "burst": 5})),
            vec![".rate[1].burst"],
        ),
        // Names.
        (
            rate(json!({"limit": 2, "window_s": 1})),
            vec![".rate[1].name"],
        ),
        (
            rate(json!({"limit": 2, "window_s": 2, "name": "1s"})),
            vec![".rate[1].name"],
        ),
        (
            rate(json!({"limit": 2, "window_s": 2, "name": "credits"})),
            vec![".rate[1].name"],
        ),
        (
            rate(json!({"limit": 2, "window_s": 2, "name": ""})),
            vec![".rate[1].name"],
        ),
        (
            rate(json!({"limit": 2, "window_s": 2, "name": "-a"})),
            vec![".rate[1].name"],
        ),
        (
            rate(json!({"limit": 2, "window_s": 2, "name": "A"})),
            vec![".rate[1].name"],
        ),
        (
            rate(json!({"limit": 2, "window_s": 2, "name": "a\"b"})),
            vec![".rate[1].name"],
        ),
        (
            rate(json!({"limit": 2, "window_s": 2, "name": "a".repeat(33)})),
            vec![".rate[1].name"],
        ),
        (
            rate(json!({"limit": 2, "window_s": 2, "name": 5})),
            vec![".rate[1].name"],
        ),
        (
            rate(json!({"limit": 2, "window_s": 2, "name": null})),
            vec![".rate[1].name"],
        ),
        (
            json!({"rate": [{"limit": 1, "window_s": 1, "name": "day"}], "quota": {"limit": 1, "period": "day"}}),
            vec![".quota.name"],
        ),
        (
            quota(json!([{"limit": 1, "period": "day"}, {"limit": 2, "period": "day"}])),
            vec![".quota[1].name"],
        ),
        // Quotas.
        (quota(json!({})), vec![".quota.limit", ".quota.period"]),
        (
            quota(json!([{"limit": 0, "period": "week"}])),
            vec![".quota[0].limit", ".quota[0].period"],
        ),
        (
            quota(json!({"limit": 1, "period": "day", "reset_day": 1})),
            vec![".quota.reset_day"],
        ),
        (
            quota(json!({"limit": 1, "period": "month", "reset_day": 0})),
            vec![".quota.reset_day"],
        ),
        (
            quota(json!({"limit": 1, "period": "month", "reset_day": 32})),
            vec![".quota.reset_day"],
        ),
        (
            quota(json!({"limit": 1, "period": "month", "reset_day": null})),
            vec![".quota.reset_day"],
        ),
        (
            quota(json!({"limit": 1, "period": "month", "window_s": 1})),
            vec![".quota.window_s"],
        ),
        (
            quota(json!({"limit": 1, "period": "month", "per": "ip"})),
            vec![".quota.per"],
        ),
        // Credits.
        (credits(json!(-1)), vec![".credits"]),
        (credits(json!(1.5)), vec![".credits"]),
        (credits(json!(LARGEST_LIMIT + 1)), vec![".credits"]),
        (credits(json!("5")), vec![".credits"]),
        (credits(json!(null)), vec![".credits"]),
        (credits(json!([5])), vec![".credits"]),
        (credits(json!({})), vec![".credits.balance"]),
        (
            credits(json!({"balance": "5", "name": "x"})),
            vec![".credits.balance", ".credits.name"],
        ),
        (refill(json!(null)), vec![".credits.refill"]),
        (refill(json!(5)), vec![".credits.refill"]),
        (
            refill(json!({})),
            vec![".credits.refill.amount", ".credits.refill.period"],
        ),
        (
            refill(json!({"amount": 0, "period": "day"})),
            vec![".credits.refill.amount"],
        ),
        (
            refill(json!({"amount": 1, "period": "day", "reset_day": 5})),
            vec![".credits.refill.reset_day"],
        ),
        (
            refill(json!({"amount": 1, "period": "day", "interval": 5})),
            vec![".credits.refill.interval"],
        ),
    ] {
        let places: Vec<_> = places
            .iter()
            .map(|place| format!("limits{place}"))
            .collect();
        assert_eq!(wrong(&limits), places, "{limits}");
    }
}

#[test]
fn errors_are_bounded_however_many_there_are() {
    let unknown: serde_json::Map<_, _> = (0..1000).map(|n| (format!("x{n}"), json!(1))).collect();
    let places = wrong(&json!({ "credits": unknown }));
    assert_eq!((places.len(), places[20].as_str()), (21, "more"));
    assert_eq!(
        wrong(&json!({"credits": 1, "é".repeat(1000): 1})),
        [format!("limits.{}", "é".repeat(40))]
    );
}

#[test]
fn an_owners_limits_are_the_same_but_for_addresses() {
    let all = json!({
        "rate": [{"limit": 1, "window_s": 1}], "quota": {"limit": 1, "period": "day"},
        "credits": 5, "on_meter_error": "allow",
    });
    assert_eq!(of_owner(&all), read(&all));
    for per in ["ip", "key"] {
        let limits = json!({"rate": [{"limit": 1, "window_s": 1, "per": per}]});
        let errors = of_owner(&limits).unwrap_err();
        assert_eq!(errors[0].field, "limits.rate[0].per");
    }
    assert_eq!(of_owner(&json!({})).unwrap_err()[0].field, "limits");
}
