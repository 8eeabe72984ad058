//! Merge patches of limits.

use keyward_core::patch;
use serde_json::{Value, json};

use super::canonical;

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
