//! Random limits, written in any of the ways.

use keyward_core::limits::Limits;
use keyward_core::merge_patch;
use keyward_core::spec::limits::LARGEST_LIMIT;
use keyward_core::spec::validate;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{read, wrong};

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
