//! A key's fields as arguments, as they can be given to a new one and changed later.
//!
//! What they mean together is decided by the management API, in one place for everybody.

use clap::Args;
use keyward_core::time::Millis;
use serde_json::{Map, Value, json};

use crate::commands::limits::{Limits, PerAddress};
use crate::{clock, punycode};

/// The fields of a key.
#[derive(Args)]
pub(super) struct Fields {
    /// A name for people
    #[arg(long)]
    name: Option<String>,

    /// Whoever the key is given to
    #[arg(long)]
    owner: Option<String>,

    /// What the key may do, as in orders:read; repeatable
    #[arg(long = "scope", value_name = "RESOURCE:ACTION")]
    scopes: Vec<String>,

    /// A website that may use the key, as in https://*.example.com; repeatable
    #[arg(long = "referrer", value_name = "RULE")]
    referrers: Vec<String>,

    /// Every website may use the key
    #[arg(long, conflicts_with = "referrers")]
    any_referrer: bool,

    /// An address or network that may use the key; repeatable
    #[arg(long = "ip", value_name = "CIDR")]
    ips: Vec<String>,

    /// Methods and a path that the key may call, as in 'GET /v1/items/**'; repeatable
    #[arg(long = "path", value_name = "RULE")]
    paths: Vec<String>,

    /// An Android app: package and SHA-1 of its certificate; repeatable
    #[arg(long, value_name = "PACKAGE=SHA1", value_parser = pair)]
    android: Vec<(String, String)>,

    /// An iOS app; repeatable
    #[arg(long, value_name = "BUNDLE-ID")]
    ios: Vec<String>,

    /// Refuse the key before this time
    #[arg(long, value_name = "RFC3339", value_parser = clock::instant)]
    not_before: Option<Millis>,

    /// Refuse the key from this time on
    #[arg(long, value_name = "RFC3339", value_parser = clock::instant, conflicts_with = "expires_in")]
    expires_at: Option<Millis>,

    /// Refuse the key after this time, as in 30d, 12h or 45m
    #[arg(long, value_name = "DURATION", value_parser = clock::duration)]
    expires_in: Option<u64>,

    /// A note of your own; repeatable
    #[arg(long, value_name = "NAME=TEXT", value_parser = pair)]
    metadata: Vec<(String, String)>,

    /// Refuse to delete the key until this is taken away
    #[arg(long)]
    delete_protection: bool,

    // The last: their heading holds for what follows.
    #[command(flatten)]
    limits: Limits,

    #[command(flatten)]
    per_address: PerAddress,
}

impl Fields {
    /// As the management API takes them: what is not given is left out.
    pub(super) fn to_json(&self) -> Map<String, Value> {
        let mut fields = Map::new();
        let mut add = |name: &str, value: Option<Value>| {
            fields.extend(value.map(|value| (name.to_owned(), value)))
        };
        add("name", self.name.as_ref().map(|name| json!(name)));
        add("owner", self.owner.as_ref().map(|owner| json!(owner)));
        add("scopes", list(&self.scopes));
        let referrers: Vec<_> = self
            .referrers
            .iter()
            .map(|rule| punycode::rule(rule))
            .collect();
        add("referrers", list(&referrers));
        add(
            "any_referrer",
            self.any_referrer.then_some(Value::Bool(true)),
        );
        add("ips", list(&self.ips));
        add("paths", list(&self.paths));
        add("apps", self.apps());
        add(
            "not_before",
            self.not_before.map(|time| json!(time.to_string())),
        );
        let expires_at = self
            .expires_at
            .or_else(|| Some(clock::now().plus(self.expires_in?)));
        add("expires_at", expires_at.map(|time| json!(time.to_string())));
        let metadata: Map<_, _> = self
            .metadata
            .iter()
            .map(|(name, text)| (name.clone(), json!(text)))
            .collect();
        add(
            "metadata",
            (!metadata.is_empty()).then_some(Value::Object(metadata)),
        );
        add(
            "delete_protection",
            self.delete_protection.then_some(Value::Bool(true)),
        );
        add("limits", self.limits.to_json(Some(&self.per_address)));
        fields
    }

    fn apps(&self) -> Option<Value> {
        let android: Vec<_> = self
            .android
            .iter()
            .map(|(package, sha1)| json!({ "package": package, "sha1": sha1 }))
            .collect();
        let mut apps = Map::new();
        apps.extend(list(&android).map(|android| ("android".to_owned(), android)));
        apps.extend(list(&self.ios).map(|ios| ("ios".to_owned(), ios)));
        (!apps.is_empty()).then_some(Value::Object(apps))
    }
}

fn list<T: serde::Serialize>(items: &[T]) -> Option<Value> {
    (!items.is_empty()).then(|| json!(items))
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write a name, an equals sign and a value".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        fields: Fields,
    }

    fn parse(arguments: &[&str]) -> Result<Value, clap::Error> {
        Line::try_parse_from([&["keyward"], arguments].concat())
            .map(|line| Value::Object(line.fields.to_json()))
    }

    #[test]
    fn only_what_is_given_is_sent() {
        assert_eq!(parse(&[]).unwrap(), json!({}));
        let arguments = [
            "--name",
            "Shop",
            "--referrer",
            "https://b\u{fc}cher.example",
            "--referrer",
            "*.example.com",
            "--ios",
            "com.example.app",
            "--android",
            "com.example=AA:BB",
            "--metadata",
            "team=a=b",
            "--expires-at",
            "2026-11-21T12:00:00Z",
        ];
        let expected = json!({
            "name": "Shop", "referrers": ["https://xn--bcher-kva.example", "*.example.com"],
            "apps": {"android": [{"package": "com.example", "sha1": "AA:BB"}], "ios": ["com.example.app"]},
            "metadata": {"team": "a=b"}, "expires_at": "2026-11-21T12:00:00Z",
        });
        assert_eq!(parse(&arguments).unwrap(), expected);
    }

    #[test]
    fn arguments_that_contradict_each_other_are_refused() {
        assert!(parse(&["--any-referrer", "--referrer", "a.example"]).is_err());
        assert!(parse(&["--expires-in", "1d", "--expires-at", "2026-11-21T12:00:00Z"]).is_err());
    }
}
