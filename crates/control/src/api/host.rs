//! Hosts that are written in Unicode become what browsers send: the core knows no IDNA. Addresses
//! become what the URL standard serialises.

use serde_json::Value;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = URL)]
    type Url;

    #[wasm_bindgen(catch, constructor, js_class = "URL")]
    fn new(text: &str) -> Result<Url, JsValue>;

    #[wasm_bindgen(method, catch, getter)]
    fn hostname(this: &Url) -> Result<String, JsValue>;

    #[wasm_bindgen(method, catch, getter)]
    fn href(this: &Url) -> Result<String, JsValue>;
}

/// Converts the hosts of the referrer rules among a key's fields. What cannot be converted stays
/// as it is: the core refuses it, and says why.
pub(super) fn convert(fields: &mut Value) {
    let Some(Value::Array(rules)) = fields.get_mut("referrers") else {
        return;
    };
    for rule in rules {
        if let Value::String(rule) = rule
            && let Some(converted) = in_ascii(rule, ascii_host)
        {
            *rule = converted;
        }
    }
}

/// Serialises the address in this field as the URL standard does. What is none stays as it is: who
/// reads it refuses it.
pub(super) fn serialize(fields: &mut Value, field: &str) {
    if let Some(Value::String(text)) = fields.get_mut(field)
        && let Ok(address) = Url::new(text).and_then(|url| url.href())
    {
        *text = address;
    }
}

/// The rule with its host run through `to_ascii`; None when there is nothing to convert, or no way
/// to.
fn in_ascii(rule: &str, to_ascii: impl FnOnce(&str) -> Option<String>) -> Option<String> {
    let host_start = rule.find("://").map_or(0, |scheme| scheme + "://".len());
    let (before, rest) = rule.split_at_checked(host_start)?;
    let host_end = rest.find([':', '/', '?', '#']).unwrap_or(rest.len());
    let (host, after) = rest.split_at_checked(host_end)?;
    let (wildcard, host) = host
        .strip_prefix("*.")
        .map_or(("", host), |host| ("*.", host));
    if host.is_ascii() {
        return None;
    }
    let plain = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let ascii = host.chars().all(plain).then(|| to_ascii(host)).flatten()?;
    // Some characters map to others that mean something in a rule.
    let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    ascii
        .chars()
        .all(is_host)
        .then(|| format!("{before}{wildcard}{ascii}{after}"))
}

fn ascii_host(host: &str) -> Option<String> {
    Url::new(&format!("https://{host}/"))
        .and_then(|url| url.hostname())
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(rule: &str) -> Option<String> {
        in_ascii(rule, |host| Some(host.replace('ü', "xn")))
    }

    #[test]
    fn only_the_host_is_converted() {
        for (rule, expected) in [
            ("ü.example", "xn.example"),
            (
                "https://*.ü.example:8080/ü/*",
                "https://*.xn.example:8080/ü/*",
            ),
            ("ü.example/é", "xn.example/é"),
        ] {
            assert_eq!(converted(rule).as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_is_no_host_stays_for_the_core_to_refuse() {
        for rule in [
            "example.com/ü",
            "ü@example.com",
            "ü%.com",
            "a*ü.com",
            "*.*.ü.com",
        ] {
            assert_eq!(converted(rule), None, "{rule}");
        }
        assert_eq!(in_ascii("ü.com", |_| Some("*.com".to_owned())), None);
        assert_eq!(in_ascii("ü.com", |_| None), None);
    }
}
