//! The value of a credential that a project has for an origin.

use keyward_core::route;
use keyward_core::spec::FieldError;
use serde_json::Value;

use super::object;

/// The most characters of a value.
pub const LONGEST_VALUE: usize = 4096;

/// The value of a credential.
pub struct CredentialValue {
    /// 1 to [`LONGEST_VALUE`] visible ASCII characters.
    pub value: String,
    /// The only origin that may receive it: `scheme://host[:port]`, as routes have it.
    pub origin: String,
}

impl CredentialValue {
    /// Reads `value` and `origin`.
    ///
    /// # Errors
    /// Every field that is wrong.
    pub fn read(body: &Value) -> Result<Self, Vec<FieldError>> {
        object(
            body,
            ("body", "a credential"),
            &["value", "origin"],
            |read| {
                read.require("value");
                read.require("origin");
                let value = read.word("value").unwrap_or_default();
                let fits = (1..=LONGEST_VALUE).contains(&value.len());
                if read.has("value")
                    && !read.refused("value")
                    && !(fits && value.bytes().all(|b| b.is_ascii_graphic()))
                {
                    read.refuse(
                        "value",
                        format!("write 1 to {LONGEST_VALUE} visible ASCII characters"),
                    );
                }
                let origin = read.word("origin").unwrap_or_default();
                let mut canonical = String::new();
                if read.has("origin") && !read.refused("origin") {
                    match route::origin(origin) {
                        Ok(origin) => canonical = origin,
                        Err(detail) => read.refuse("origin", detail),
                    }
                }
                Self {
                    value: value.to_owned(),
                    origin: canonical,
                }
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::request::wrong;

    #[test]
    fn each_wrong_field_is_named() {
        let read = |body: Value| wrong(CredentialValue::read(&body));
        let origin = "https://API.example.com:443/";
        let right = CredentialValue::read(&json!({"value": "sk-1", "origin": origin})).ok();
        assert_eq!(
            right.map(|one| one.origin).as_deref(),
            Some("https://api.example.com")
        );
        assert_eq!(read(json!({})), ["value", "origin"]);
        for value in ["", "a b", "a\n", "é", &"x".repeat(LONGEST_VALUE + 1)] {
            assert_eq!(read(json!({"value": value, "origin": origin})), ["value"]);
        }
        for origin in [
            "",
            "api.example.com",
            "https://api.example.com/v1",
            "https://*.example.com",
            "${ORIGIN}",
        ] {
            assert_eq!(read(json!({"value": "x", "origin": origin})), ["origin"]);
        }
        assert_eq!(
            read(json!({"value": "x", "origin": origin, "note": ""})),
            ["note"]
        );
    }
}
