//! A challenge that a page has its user's browser solve before it is given a session key:
//! Cloudflare Turnstile, or what answers like its `siteverify`.
//!
//! The token counts when the service says `success`, and names the host of the page and the action
//! that is configured. Anything else does not, nor does a service that does not answer.

use std::fmt::Write as _;

use crate::json::{Json, field};

/// Where a verdict stands in a call's head, once the service was asked. No client can send a header of
/// this name.
pub const VERDICT: &str = ":verdict";
/// The longest token that is passed on, as its documentation says.
pub const LONGEST_TOKEN: usize = 2048;

/// What is asked, and what a verdict must say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turnstile {
    /// The name of the Worker secret.
    pub secret: String,
    /// The service's address.
    pub url: String,
    /// The action that the token must be for.
    pub action: String,
}

impl Turnstile {
    /// What the service is sent (`application/x-www-form-urlencoded`).
    #[must_use]
    pub fn question(secret: &str, token: &str, client: Option<&str>) -> String {
        let mut form = String::new();
        for (name, value) in [
            ("secret", Some(secret)),
            ("response", Some(token)),
            ("remoteip", client),
        ] {
            let Some(value) = value else { continue };
            let separator = if form.is_empty() { "" } else { "&" };
            let _ = write!(form, "{separator}{name}=");
            for byte in value.bytes() {
                // Writing to a string does not fail.
                let _ = write!(form, "%{byte:02X}");
            }
        }
        form
    }

    /// Whether a verdict lets a page of this origin have a session key.
    #[must_use]
    pub fn accepts(&self, verdict: &str, origin: &str) -> bool {
        let Some(said) = Json::object(verdict) else {
            return false;
        };
        let text = |name| {
            field(&said, name)
                .and_then(Json::as_text)
                .unwrap_or_default()
        };
        field(&said, "success") == Some(&Json::Bool(true))
            && text("action") == self.action
            && !text("hostname").is_empty()
            && text("hostname") == host_of(origin)
    }
}

/// The host of a serialised origin, without its port.
fn host_of(origin: &str) -> &str {
    let authority = origin.split_once("://").map_or("", |(_, rest)| rest);
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_must_be_for_this_page_and_this_action() {
        let turnstile = Turnstile {
            secret: "S".to_owned(),
            url: "https://challenges.example/".to_owned(),
            action: "keyward".to_owned(),
        };
        let right = r#"{"success":true,"hostname":"app.example","action":"keyward","x":[1]}"#;
        for origin in ["https://app.example", "https://app.example:8443"] {
            assert!(turnstile.accepts(right, origin));
        }
        assert!(!turnstile.accepts(right, "https://evil.example"));
        assert!(!turnstile.accepts(right, ""));
        for wrong in [
            "",
            "true",
            "{}",
            r#"{"success":true}"#,
            r#"{"success":"true","hostname":"app.example","action":"keyward"}"#,
            r#"{"success":false,"hostname":"app.example","action":"keyward"}"#,
            r#"{"success":true,"hostname":"app.example.evil","action":"keyward"}"#,
            r#"{"success":true,"hostname":"app.example","action":"login"}"#,
            r#"{"success":true,"hostname":"app.example"}"#,
            r#"{"success":true,"action":"keyward"}"#,
        ] {
            assert!(!turnstile.accepts(wrong, "https://app.example"), "{wrong}");
        }
        let empty = r#"{"success":true,"hostname":"","action":"keyward"}"#;
        assert!(!turnstile.accepts(empty, "https://"));
    }

    #[test]
    fn what_is_asked_holds_no_field_but_its_own() {
        let form = Turnstile::question("s&a=b", "t\u{e9}", Some("::1"));
        assert_eq!(
            form,
            "secret=%73%26%61%3D%62&response=%74%C3%A9&remoteip=%3A%3A%31"
        );
    }
}
