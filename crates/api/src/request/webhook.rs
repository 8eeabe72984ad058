//! Endpoints that are told what happens to keys.

use keyward_core::rotation::LONGEST_OVERLAP_S;
use keyward_core::spec::reader::Reader;
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

/// What is changed of an endpoint; none: it stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookPatch {
    /// As the URL standard serialises it.
    pub url: Option<String>,
    /// Empty: all.
    pub events: Option<Vec<Event>>,
    /// For people; may be empty.
    pub description: Option<String>,
    /// Whether messages are sent to it.
    pub enabled: Option<bool>,
}

impl WebhookPatch {
    /// Reads `url`, which the URL standard has serialised already, `events` (null: all),
    /// `description` (null: none) and `enabled`.
    ///
    /// # Errors
    /// Every field that is wrong.
    pub fn read(body: &Value, hosts: Hosts) -> Result<Self, Vec<FieldError>> {
        let known = ["url", "events", "description", "enabled"];
        object(body, ("body", "a webhook's patch"), &known, |read| Self {
            url: url(read, hosts),
            events: (read.has("events")).then(|| {
                read.optional("events", |read, field| {
                    Some(read.choices(field, Event::ALL))
                })
                .unwrap_or_default()
            }),
            description: (read.has("description")).then(|| {
                read.optional("description", |read, field| read.text(field, LONGEST_NAME))
                    .unwrap_or_default()
            }),
            enabled: read.has("enabled").then(|| read.flag("enabled")),
        })
    }
}

/// The address, if there is one.
fn url(read: &mut Reader<'_>, hosts: Hosts) -> Option<String> {
    let url = read.word("url")?;
    if let Err(detail) = address::check(url, hosts) {
        read.refuse("url", detail);
    }
    Some(url.to_owned())
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
            Self {
                url: url(read, hosts).unwrap_or_default(),
                events: read.choices("events", Event::ALL),
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
    fn a_patch_changes_what_it_names_and_null_takes_away() {
        let read = |body: Value| WebhookPatch::read(&body, Hosts::Public);
        let nothing = WebhookPatch {
            url: None,
            events: None,
            description: None,
            enabled: None,
        };
        assert_eq!(read(json!({})), Ok(nothing.clone()));
        let taken = read(json!({"events": null, "description": null})).unwrap();
        assert_eq!(
            (taken.events, taken.description),
            (Some(vec![]), Some(String::new()))
        );
        let given =
            json!({"url": "https://example.com/", "enabled": false, "events": ["key.leaked"]});
        let given = read(given).unwrap();
        assert_eq!(given.url.as_deref(), Some("https://example.com/"));
        assert_eq!(
            (given.enabled, given.events),
            (Some(false), Some(vec![Event::KeyLeaked]))
        );
        for (body, expected) in [
            (json!({"url": null}), vec!["url"]),
            (json!({"url": "https://10.0.0.1/"}), vec!["url"]),
            (
                json!({"enabled": null, "events": []}),
                vec!["events", "enabled"],
            ),
            (
                json!({"description": "", "secret": 1}),
                vec!["description", "secret"],
            ),
        ] {
            assert_eq!(wrong(read(body.clone())), expected, "{body}");
        }
    }

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
