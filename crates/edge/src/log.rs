//! What the deployment's log may say: codes and field names, never a value or the runtime's
//! own error text.

use keyward_core::json::Object;

/// The configuration is not valid: nothing is proxied until it is.
pub fn config_invalid(field: &str, detail: &str) {
    let mut line = line("config_invalid", detail);
    line.text("field", field);
    write(line);
}

/// The value of a credential could not be read, or cannot be used.
pub fn credential_unavailable(field: &str, detail: &str) {
    let mut line = line("credential_unavailable", detail);
    line.text("field", field);
    write(line);
}

/// A registry could not do what it was asked, or a part of it; `key` is the id of the key that is
/// concerned. `detail` is a sentence of Keyward's own.
pub fn registry(code: &str, key: Option<&str>, detail: &str) {
    let mut line = line(code, detail);
    match key {
        Some(key) => line.text("key", key),
        None => line.raw("key", "null"),
    }
    write(line);
}

/// A meter could not do what it was asked, or a part of it. `detail` is a sentence of Keyward's own.
pub fn meter(code: &str, detail: &str) {
    write(line(code, detail));
}

/// The module has panicked: this instance of it is lost, and a bug is to be found at this place.
pub fn panicked(file: &str, number: u32) {
    let mut line = line("internal_error", "the module panicked");
    line.text("file", file);
    line.number("line", number.into());
    write(line);
}

fn line(code: &str, detail: &str) -> Object {
    let mut line = Object::default();
    line.text("level", "error");
    line.text("code", code);
    line.text("detail", detail);
    line
}

fn write(line: Object) {
    web_sys::console::error_1(&line.end().into());
}
