//! What the deployment's log may say: codes and field names, never a value or the runtime's
//! own error text.

use serde_json::json;

/// The configuration is not valid: nothing is proxied until it is.
pub fn config_invalid(field: &str, detail: &str) {
    error(&json!({ "level": "error", "code": "config_invalid", "field": field, "detail": detail }));
}

/// A registry could not do what it was asked, or a part of it; `key` is the id of the key that is
/// concerned. `detail` is a sentence of Keyward's own.
pub fn registry(code: &str, key: Option<&str>, detail: &str) {
    error(&json!({ "level": "error", "code": code, "key": key, "detail": detail }));
}

/// A meter could not do what it was asked, or a part of it. `detail` is a sentence of Keyward's own.
pub fn meter(code: &str, detail: &str) {
    error(&json!({ "level": "error", "code": code, "detail": detail }));
}

/// The module has panicked: this instance of it is lost, and a bug is to be found at this place.
pub fn panicked(file: &str, line: u32) {
    error(
        &json!({ "level": "error", "code": "internal_error", "detail": "the module panicked", "file": file, "line": line }),
    );
}

fn error(line: &serde_json::Value) {
    web_sys::console::error_1(&line.to_string().into());
}
