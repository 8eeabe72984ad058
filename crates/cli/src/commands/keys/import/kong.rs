//! Kong's declarative configuration, as decK and `kong config db_export` write it: the
//! `keyauth_credentials` of consumers and those at the top that name their consumer.

use std::collections::HashMap;

use keyward_core::spec::FieldError;
use keyward_core::time::Millis;
use serde::Deserialize;
use serde_json::{Value, json};

use super::record::{Key, Material, Reading, error};
use super::yaml::{self, Names, Spanned};

/// Kong allows no longer time to live, in seconds; larger numbers in an export are times.
const LONGEST_TTL: f64 = 100_000_000.0;
const OF_A_CONSUMER: [&str; 8] = [
    "id",
    "username",
    "custom_id",
    "tags",
    "created_at",
    "updated_at",
    "keyauth_credentials",
    "ws_id",
];

#[derive(Deserialize)]
struct File {
    #[serde(rename = "_format_version")]
    format: Option<String>,
    consumers: Option<Vec<Spanned<Consumer>>>,
    keyauth_credentials: Option<Vec<Spanned<Credential>>>,
}

#[derive(Deserialize)]
struct Consumer {
    id: Option<String>,
    username: Option<String>,
    custom_id: Option<String>,
    keyauth_credentials: Option<Vec<Spanned<Credential>>>,
}

#[derive(Deserialize)]
struct Credential {
    id: Option<String>,
    key: Option<String>,
    consumer: Option<Reference>,
    tags: Option<Vec<String>>,
    ttl: Option<f64>,
    created_at: Option<f64>,
}

/// A consumer by its id or name.
#[derive(Deserialize)]
#[serde(untagged)]
enum Reference {
    Name(String),
    Fields {
        id: Option<String>,
        username: Option<String>,
    },
}

/// The same document, for what is in it and not imported.
#[derive(Deserialize)]
struct Rest {
    consumers: Option<Vec<Names>>,
}

/// Reads the credentials.
///
/// # Errors
/// When the input is no declarative configuration.
pub(super) fn read(text: &str) -> Result<Reading, String> {
    let file: File = yaml::read(text)?;
    if file.format.is_none() {
        return Err(
            "is no declarative configuration of Kong: it has no `_format_version`".to_owned(),
        );
    }
    let mut reading = Reading::default();
    let consumers = file.consumers.unwrap_or_default();
    let rest: Rest = yaml::read(text)?;
    for (consumer, names) in consumers.iter().zip(rest.consumers.unwrap_or_default()) {
        for name in names.other_than(&OF_A_CONSUMER) {
            let remark = format!("`{name}` of the consumer is not imported");
            reading.remark(consumer.referenced.line(), remark);
        }
    }
    let mut by_name = HashMap::new();
    for Spanned {
        value: consumer, ..
    } in &consumers
    {
        // An id comes before a name that looks like it.
        by_name.extend(consumer.username.as_deref().map(|name| (name, consumer)));
    }
    for Spanned {
        value: consumer, ..
    } in &consumers
    {
        by_name.extend(consumer.id.as_deref().map(|id| (id, consumer)));
    }
    for Spanned {
        value: consumer, ..
    } in &consumers
    {
        for credential in consumer.keyauth_credentials.iter().flatten() {
            add(&mut reading, credential, Some(consumer));
        }
    }
    for credential in file.keyauth_credentials.iter().flatten() {
        let reference = credential.value.consumer.as_ref().and_then(Reference::name);
        add(
            &mut reading,
            credential,
            reference.and_then(|name| by_name.get(name).copied()),
        );
    }
    // In the order of the file, so that lines are acknowledged as a reader would expect.
    reading.records.sort_by_key(|record| record.line);
    Ok(reading)
}

impl Reference {
    fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Fields { id, username } => id.as_deref().or(username.as_deref()),
        }
    }
}

fn add(reading: &mut Reading, credential: &Spanned<Credential>, consumer: Option<&Consumer>) {
    let line = credential.referenced.line();
    if consumer.is_none() {
        reading.remark(
            line,
            "the file has no consumer for it: imported without an owner",
        );
    }
    reading.add(line, key(&credential.value, consumer));
}

fn key(credential: &Credential, consumer: Option<&Consumer>) -> Result<Key, Vec<FieldError>> {
    let Some(secret) = credential.key.as_deref().filter(|key| !key.is_empty()) else {
        return Err(error(
            "key",
            "there is none: Kong makes one when it loads the file, which nobody has",
        ));
    };
    if secret.starts_with("{vault://") {
        return Err(error(
            "key",
            "is a reference to a vault: write the key that stands there",
        ));
    }
    if secret.contains("${") {
        return Err(error(
            "key",
            "is to be filled from a variable: render the file first",
        ));
    }
    let mut key = Key::new();
    let mut metadata = Key::new();
    if let Some(consumer) = consumer {
        let owner = [&consumer.username, &consumer.custom_id, &consumer.id]
            .into_iter()
            .flatten()
            .next();
        key.extend(owner.map(|owner| ("owner".to_owned(), json!(owner))));
        let custom = consumer
            .custom_id
            .as_ref()
            .filter(|_| consumer.username.is_some());
        metadata.extend(custom.map(|id| ("kong_custom_id".to_owned(), json!(id))));
    }
    metadata.extend(
        credential
            .id
            .as_ref()
            .map(|id| ("kong_id".to_owned(), json!(id))),
    );
    let tags = credential.tags.as_ref().filter(|tags| !tags.is_empty());
    metadata.extend(tags.map(|tags| ("tags".to_owned(), json!(tags))));
    if !metadata.is_empty() {
        key.insert("metadata".to_owned(), Value::Object(metadata));
    }
    if let Some(time) = expiry(credential)? {
        key.insert("expires_at".to_owned(), json!(time.to_string()));
    }
    let material = Material {
        secret: Some(secret.to_owned()),
        created_at: credential.created_at.map(|time| at(time).to_string()),
        ..Material::default()
    };
    material.write(&mut key);
    Ok(key)
}

/// A time to live counts from when the credential was made; what is too large for one is the time
/// itself.
fn expiry(credential: &Credential) -> Result<Option<Millis>, Vec<FieldError>> {
    match (credential.ttl, credential.created_at) {
        (None, _) => Ok(None),
        (Some(ttl), _) if ttl <= 0.0 => Ok(None),
        (Some(ttl), _) if ttl > LONGEST_TTL => Ok(Some(at(ttl))),
        (Some(ttl), Some(created)) => Ok(Some(at(created + ttl))),
        (Some(_), None) => Err(error(
            "ttl",
            "says not since when: add `created_at`, in seconds since 1970, or leave `ttl` out",
        )),
    }
}

/// Seconds since 1970.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast to an integer stops at its ends"
)]
fn at(seconds: f64) -> Millis {
    Millis((seconds * 1000.0).round() as u64)
}

#[cfg(test)]
mod tests;
