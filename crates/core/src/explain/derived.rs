//! What a question says of a key that is derived from its `key`.

use std::num::NonZeroU32;
use std::str::FromStr;

use serde::Deserialize;

use crate::derived::{DEFAULT_LIFE_MS, Limit, Terms};
use crate::restrict::{Restrictions, RuleError};
use crate::spec::FieldError;
use crate::time::{Millis, rfc3339};

/// The fields of a derived key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
pub(super) struct Asked {
    scopes: Vec<String>,
    paths: Vec<String>,
    referrers: Vec<String>,
    any_referrer: bool,
    ips: Vec<String>,
    user: Option<String>,
    limit: Option<AskedLimit>,
    #[serde(with = "rfc3339")]
    not_before: Option<Millis>,
    #[serde(with = "rfc3339")]
    expires_at: Option<Millis>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedLimit {
    calls: NonZeroU32,
    window_s: u32,
}

impl Asked {
    /// What such a key says; without `expires_at` it has just been minted.
    ///
    /// # Errors
    /// What no derived key can say.
    pub(super) fn terms(self, now: Millis) -> Result<Terms, Vec<FieldError>> {
        let mut errors = Vec::new();
        let terms = Terms {
            restrictions: Restrictions {
                scopes: rules("scopes", &self.scopes, &mut errors),
                paths: rules("paths", &self.paths, &mut errors),
                referrers: rules("referrers", &self.referrers, &mut errors),
                any_referrer: self.any_referrer,
                ips: rules("ips", &self.ips, &mut errors),
                ..Restrictions::default()
            },
            user: self.user,
            limit: self.limit.map(|limit| Limit {
                calls: limit.calls,
                window_s: limit.window_s,
            }),
            not_before: self.not_before,
            expires_at: self.expires_at.unwrap_or(now.plus(DEFAULT_LIFE_MS)),
        };
        if let Err(error) = terms.check_values() {
            errors.push(wrong(error.field(), &error));
        }
        if errors.is_empty() {
            Ok(terms)
        } else {
            Err(errors)
        }
    }
}

fn rules<T: FromStr<Err = RuleError>>(
    field: &str,
    texts: &[String],
    errors: &mut Vec<FieldError>,
) -> Vec<T> {
    let mut rules = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        match text.parse() {
            Ok(rule) => rules.push(rule),
            Err(error) => errors.push(wrong(&format!("{field}[{index}]"), &error)),
        }
    }
    rules
}

fn wrong(field: &str, detail: &dyn std::fmt::Display) -> FieldError {
    FieldError {
        field: format!("derived.{field}"),
        detail: detail.to_string(),
    }
}
