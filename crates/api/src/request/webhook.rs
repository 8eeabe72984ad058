//! Endpoints that are told what happens to keys.

use keyward_core::rotation::LONGEST_OVERLAP_S;
use keyward_core::spec::{FieldError, LONGEST_NAME};
use keyward_core::webhook::Event;
use keyward_core::webhook::address::{self, Hosts};
use serde_json::Value;

use super::object;

/// For so long an older secret signs too, unless a request says otherwise: a day.
pub const DEFAULT_WEBHOOK_OVERLAP_S: u64 = 86_400;

/// An endpoint to be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewWebhook {
    /// As the URL standard serialises it.
    pub url: String,
    /// Empty: all.
    pub events: Vec<Event>,
    /// For people; may be empty.
    pub description: String,
}

impl NewWebhook {
    /// Reads `url`, which the URL standard has serialised already, `events` and `description`.
    ///
    /// # Errors
    /// Every field that is wrong.
    pub fn read(body: &Value, hosts: Hosts) -> Result<Self, Vec<FieldError>> {
        let known = ["url", "events", "description"];
        object(body, ("body", "a webhook"), &known, |read| {
            read.require("url");
            let url = read.word("url").unwrap_or_default();
            if read.has("url")
                && !read.refused("url")
                && let Err(detail) = address::check(url, hosts)
            {
                read.refuse("url", detail);
            }
            let events = read.choices("events", Event::ALL);
            Self {
                url: url.to_owned(),
                events,
                description: read.text("description", LONGEST_NAME).unwrap_or_default(),
            }
        })
    }
}

/// Another secret for an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebhookRotation {
    /// For so many seconds the older secret signs too.
    pub overlap_s: u64,
}

impl WebhookRotation {
    /// Reads `overlap`.
    ///
    /// # Errors
    /// Every field that is wrong.
    pub fn read(body: &Value) -> Result<Self, Vec<FieldError>> {
        object(body, ("body", "a rotation"), &["overlap"], |read| Self {
            overlap_s: read
                .whole("overlap", 0..=LONGEST_OVERLAP_S)
                .unwrap_or(DEFAULT_WEBHOOK_OVERLAP_S),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::request::wrong;

    #[test]
    fn each_wrong_field_is_named() {
        let read = |body: Value| wrong(NewWebhook::read(&body, Hosts::Public));
        assert_eq!(read(json!({"url": "https://example.com/"})), [""; 0]);
        assert_eq!(read(json!({})), ["url"]);
        assert_eq!(read(json!({"url": 1, "events": []})), ["url", "events"]);
        assert_eq!(read(json!({"url": "https://127.0.0.1/"})), ["url"]);
        assert_eq!(
            read(json!({"url": "https://example.com/", "events": ["key.made"], "secret": "x"})),
            ["events[0]", "secret"]
        );
        assert_eq!(
            wrong(WebhookRotation::read(&json!({"overlap": -1}))),
            ["overlap"]
        );
    }
}
