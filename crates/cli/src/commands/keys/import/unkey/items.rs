//! The objects of a list or of lines, with the lines in which they begin.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

type Item = (u64, Option<Map<String, Value>>);

/// A list under a name.
#[derive(Deserialize)]
struct Wrapped<'a> {
    #[serde(borrow)]
    keys: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// Finds them.
///
/// # Errors
/// When it is neither.
pub(super) fn of(text: &str) -> Result<Vec<Item>, String> {
    let wrong = |error: serde_json::Error| format!("is not JSON: {error}");
    let list = match text.trim_start().get(..1) {
        Some("[") => serde_json::from_str(text).map_err(wrong)?,
        Some("{") => match unwrapped(text) {
            Some(list) => list,
            None => return Ok(lines(text)),
        },
        _ => return Err("is not a list of keys or lines of JSON".to_owned()),
    };
    let (mut line, mut seen) = (1, 0);
    let items = list.into_iter().map(|item| {
        // Where the item stands in the text of which it is a part.
        let offset = (item.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        let between = text.as_bytes().get(seen..offset).unwrap_or_default();
        line += between.iter().filter(|byte| **byte == b'\n').count() as u64;
        seen = offset;
        (line, serde_json::from_str(item.get()).ok())
    });
    Ok(items.collect())
}

fn unwrapped(text: &str) -> Option<Vec<&RawValue>> {
    let Wrapped { keys, data } = serde_json::from_str(text).ok()?;
    keys.or_else(|| {
        let data = data?.get();
        serde_json::from_str(data).ok().or_else(|| unwrapped(data))
    })
}

fn lines(text: &str) -> Vec<Item> {
    (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| (number, serde_json::from_str(line).ok()))
        .collect()
}
