//! Usage as data points of Analytics Engine, where a dataset is bound as `USAGE`: one for each
//! minute of a report. index1: the key's id; blob1: the project's; blob2: the key's; double1: calls
//! that were let through; double2: calls that were refused; double3 to double6: answers of the
//! origin with a status 2xx, 3xx, 4xx, 5xx.

use js_sys::{Array, Object, Reflect};
use keyward_core::metering::{Of, Subject};
use keyward_core::usage::{Counts, UsageReport};
use keyward_edge::{bindings, log};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use worker::Env;

/// The platform takes no more of one request.
const MOST_POINTS: usize = 250;

#[wasm_bindgen]
extern "C" {
    type Dataset;

    #[wasm_bindgen(method, catch, js_name = writeDataPoint)]
    fn write(this: &Dataset, point: &Object) -> Result<(), JsValue>;
}

/// Writes a report's, if a dataset is bound. Nothing rests on them.
pub(crate) fn write(env: &Env, subject: &Subject, report: &UsageReport) {
    let (Some(dataset), Of::Key(key)) = (bindings::binding(env, bindings::USAGE), &subject.of)
    else {
        return;
    };
    let dataset: &Dataset = dataset.unchecked_ref();
    for (_, counts) in report.minutes.iter().take(MOST_POINTS) {
        let point = point(&subject.project, key, counts);
        if point.and_then(|point| dataset.write(&point)).is_err() {
            log::meter("points_failed", "usage was not written as data points");
            return;
        }
    }
}

fn point(project: &str, key: &str, counts: &Counts) -> Result<Object, JsValue> {
    let answered = |class| counts.answered.get(class).copied().unwrap_or(0);
    let classes = ["2xx", "3xx", "4xx", "5xx"].map(answered);
    let refused = counts
        .refused
        .values()
        .copied()
        .fold(0, u64::saturating_add);
    let doubles = [counts.calls, refused].into_iter().chain(classes);
    let text = JsValue::from_str;
    let point = Object::new();
    for (name, values) in [
        ("indexes", Array::of1(&text(key))),
        ("blobs", Array::of2(&text(project), &text(key))),
        (
            "doubles",
            doubles
                .map(|count| JsValue::from_f64(count as f64))
                .collect(),
        ),
    ] {
        Reflect::set(&point, &text(name), &values)?;
    }
    Ok(point)
}
