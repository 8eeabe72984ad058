//! Limits: what is accepted and refused, and where; their canonical form; and merge patches.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use keyward_core::limits::{Limits, OnMeterError, Per};
use keyward_core::merge_patch;
use keyward_core::patch;
use keyward_core::spec::limits::{self, LARGEST_LIMIT, Whose};
use keyward_core::spec::reader::Reader;
use keyward_core::spec::{FieldError, validate};
use proptest::prelude::*;
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

/// The limits of a key that had others, after a merge patch of its fields.
fn patched(before: &Value, change: &Value) -> Result<Value, Vec<String>> {
    let fields = json!({ "limits": canonical(before) });
    patch::apply(
        fields.as_object().unwrap().clone(),
        &json!({ "limits": change }),
    )
    .map(|key| serde_json::to_value(key.limits).unwrap())
    .map_err(|errors| errors.into_iter().map(|error| error.field).collect())
}

#[test]
fn a_merge_patch_changes_the_part_that_it_names() {
    let before = json!({
        "rate": [{"limit": 1, "window_s": 1}],
        "credits": {"balance": 5, "refill": {"amount": 9, "period": "month", "reset_day": 15}},
    });
    let rate = json!([{"name": "1s", "limit": 1, "window_s": 1}]);
    for (change, after) in [
        (json!(null), json!({})),
        (json!({}), canonical(&before)),
        (json!({"credits": null}), json!({"rate": rate})),
        (
            json!({"rate": null, "credits": 7}),
            json!({"credits": {"balance": 7}}),
        ),
        (
            json!({"credits": {"refill": {"amount": 3, "reset_day": null}}}),
            json!({"rate": rate, "credits": {"balance": 5, "refill": {"amount": 3, "period": "month"}}}),
        ),
        (
            json!({"credits": {"refill": null}, "rate": [{"limit": 2, "window_s": 2}]}),
            json!({"rate": [{"name": "2s", "limit": 2, "window_s": 2}], "credits": {"balance": 5}}),
        ),
        (
            json!({"credits": null, "quota": {"limit": 3, "period": "day", "name": null}, "on_meter_error": "allow"}),
            json!({"rate": rate, "quota": [{"name": "day", "limit": 3, "period": "day"}], "on_meter_error": "allow"}),
        ),
    ] {
        assert_eq!(patched(&before, &change), Ok(after), "{change}");
    }
    for (change, place) in [
        // What is meant is to take all away, and that is said by `null`.
        (json!({"rate": null, "credits": null}), "limits"),
        (json!({"rate": []}), "limits.rate"),
        (
            json!({"rate": [{"limit": 2, "window_s": null}]}),
            "limits.rate[0].window_s",
        ),
        (
            json!({"credits": {"balance": null}}),
            "limits.credits.balance",
        ),
        (
            json!({"credits": {"refill": {"period": "day"}}}),
            "limits.credits.refill.reset_day",
        ),
        (json!(5), "limits"),
    ] {
        assert_eq!(
            patched(&before, &change),
            Err(vec![place.to_owned()]),
            "{change}"
        );
    }
}

/// Limits that are mostly valid, written in any of the ways.
fn written() -> impl Strategy<Value = Value> {
    let units = || prop_oneof![0_u64..20, Just(LARGEST_LIMIT), Just(LARGEST_LIMIT + 1)];
    let name = || proptest::option::weighted(0.3, "[a-z0-9][a-z0-9_-]{0,3}");
    let rate = (
        units(),
        0_u64..90_000,
        name(),
        proptest::option::of("key|ip"),
    );
    let rate = rate.prop_map(|(limit, window_s, name, per)| {
        without_null(json!({"limit": limit, "window_s": window_s, "name": name, "per": per}))
    });
    let day = || proptest::option::weighted(0.3, 0_u8..33);
    let quota = (units(), "day|month", name(), day());
    let quota = quota.prop_map(|(limit, period, name, day)| {
        without_null(json!({"limit": limit, "period": period, "name": name, "reset_day": day}))
    });
    let refill = (units(), "day|month", day()).prop_map(|(amount, period, day)| {
        without_null(json!({"amount": amount, "period": period, "reset_day": day}))
    });
    let credits = prop_oneof![
        units().prop_map(|balance| json!(balance)),
        (units(), proptest::option::of(refill)).prop_map(|(balance, refill)| without_null(
            json!({"balance": balance, "refill": refill})
        )),
    ];
    let list =
        |one: BoxedStrategy<Value>| proptest::collection::vec(one, 0..3).prop_map(Value::from);
    let quota = quota.boxed();
    (
        proptest::option::of(list(rate.boxed())),
        proptest::option::of(prop_oneof![quota.clone(), list(quota).boxed()]),
        proptest::option::of(credits),
        proptest::option::of("deny|allow"),
    )
        .prop_map(|(rate, quota, credits, on_meter_error)| {
            without_null(json!({
                "rate": rate, "quota": quota, "credits": credits, "on_meter_error": on_meter_error,
            }))
        })
}

fn without_null(mut object: Value) -> Value {
    object
        .as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    object
}

/// How many members and entries are set, at any depth.
fn size(value: &Value) -> usize {
    match value {
        Value::Object(fields) => fields.values().map(size).sum(),
        Value::Array(items) => items.iter().map(size).sum(),
        _ => 1,
    }
}

proptest! {
    #[test]
    fn what_is_valid_is_read_back_from_its_canonical_form(written in written()) {
        if let Ok(limits) = read(&written) {
            let shown = serde_json::to_value(&limits).unwrap();
            prop_assert_eq!(read(&shown).unwrap(), limits.clone());
            prop_assert_eq!(serde_json::from_value::<Limits>(shown).unwrap(), limits);
        }
    }

    /// Everything that was written stands in what was read, but for what says the default.
    #[test]
    fn nothing_is_passed_over(written in written()) {
        if let Ok(limits) = read(&written) {
            let shown = serde_json::to_value(&limits).unwrap();
            let mut said = written.clone();
            for rate in said.get_mut("rate").and_then(Value::as_array_mut).into_iter().flatten() {
                let rate = rate.as_object_mut().unwrap();
                if rate.get("per") == Some(&json!("key")) {
                    rate.remove("per");
                }
            }
            if said.get("on_meter_error") == Some(&json!("deny")) {
                said.as_object_mut().unwrap().remove("on_meter_error");
            }
            let named = limits.rate.iter().map(|one| &one.name).chain(limits.quota.iter().map(|one| &one.name)).count();
            let given = said.to_string().matches("\"name\"").count();
            prop_assert_eq!(size(&shown), size(&said) + named - given);
        }
    }

    /// A field that is not known is never passed over, wherever it stands.
    #[test]
    fn an_unknown_field_anywhere_is_refused(written in written(), which in any::<prop::sample::Index>()) {
        if read(&written).is_ok() {
            let mut changed = written;
            let mut objects = 0;
            count(&changed, &mut objects);
            let mut left = which.index(objects);
            spoil(&mut changed, &mut left);
            let places = wrong(&changed);
            prop_assert!(places.len() == 1 && places[0].ends_with(".unheard_of"), "{:?} {}", places, changed);
        }
    }

    /// A patch with the canonical form of other limits, over none, leads to them.
    #[test]
    fn a_patch_over_no_limits_sets_them(written in written()) {
        if let Ok(limits) = read(&written) {
            let mut fields = json!({});
            merge_patch::apply(&mut fields, &json!({ "limits": written }));
            prop_assert_eq!(validate(&fields).unwrap().limits, limits);
        }
    }
}

fn count(value: &Value, objects: &mut usize) {
    match value {
        Value::Object(fields) => {
            *objects += 1;
            fields.values().for_each(|value| count(value, objects));
        }
        Value::Array(items) => items.iter().for_each(|value| count(value, objects)),
        _ => {}
    }
}

/// Puts a field into the object with this number.
fn spoil(value: &mut Value, left: &mut usize) {
    match value {
        Value::Object(fields) => {
            if *left == 0 {
                fields.insert("unheard_of".to_owned(), json!(1));
            }
            *left = left.wrapping_sub(1);
            fields.values_mut().for_each(|value| spoil(value, left));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| spoil(value, left)),
        _ => {}
    }
}
