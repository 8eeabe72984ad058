//! Consumers of APISIX: the file of its standalone mode (YAML that ends in `#END`, or JSON), what
//! the Admin API answers, and what ADC dumps.
//!
//! A consumer has its key in the plugin `key-auth`, or in credentials: nested, or as consumers
//! whose id is `<username>/credentials/<id>`.

mod value;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use self::value::KeyAuth;
use super::record::{Key, Material, Reading, error};
use super::yaml::{self, Names, Spanned};

const KEY_AUTH: &str = "key-auth";
const CREDENTIALS: &str = "/credentials/";

#[derive(Deserialize)]
struct File {
    consumers: Option<Vec<Spanned<Consumer>>>,
    list: Option<Vec<Node>>,
    value: Option<Spanned<Consumer>>,
    key: Option<String>,
}

/// An item of the Admin API.
#[derive(Deserialize)]
struct Node {
    key: Option<String>,
    value: Spanned<Consumer>,
}

/// A consumer or a credential.
#[derive(Deserialize)]
struct Consumer {
    id: Option<String>,
    name: Option<String>,
    username: Option<String>,
    desc: Option<String>,
    description: Option<String>,
    labels: Option<BTreeMap<String, Value>>,
    plugins: Option<Plugins>,
    #[serde(rename = "type")]
    plugin: Option<String>,
    config: Option<KeyAuth>,
    create_time: Option<u64>,
    credentials: Option<Vec<Spanned<Consumer>>>,
}

#[derive(Deserialize)]
struct Plugins {
    #[serde(rename = "key-auth")]
    key_auth: Option<KeyAuth>,
}

/// The same document, for the plugins that are not imported.
#[derive(Deserialize)]
struct Rest {
    consumers: Option<Vec<Spanned<Named>>>,
    list: Option<Vec<NamedNode>>,
}

#[derive(Deserialize)]
struct NamedNode {
    value: Spanned<Named>,
}

#[derive(Deserialize)]
struct Named {
    plugins: Option<Names>,
}

/// Reads the keys. `as_written` takes those too that look as if APISIX had encrypted them.
///
/// # Errors
/// When the input has no consumers in any of these forms.
pub(super) fn read(text: &str, as_written: bool) -> Result<Reading, String> {
    let file: File = yaml::read(text)?;
    let mut nodes: Vec<_> = file
        .list
        .into_iter()
        .flatten()
        .map(|node| (node.key, node.value))
        .collect();
    nodes.extend(file.value.map(|value| (file.key, value)));
    if file.consumers.is_none() && nodes.is_empty() {
        return Err(
            "has no consumers: neither `consumers`, nor the `list` or `value` of the Admin API"
                .to_owned(),
        );
    }
    nodes.extend(
        file.consumers
            .into_iter()
            .flatten()
            .map(|consumer| (None, consumer)),
    );
    let mut reading = Reading::default();
    let rest: Rest = yaml::read(text)?;
    let named = rest.consumers.into_iter().flatten();
    for Spanned {
        value, referenced, ..
    } in named.chain(rest.list.into_iter().flatten().map(|node| node.value))
    {
        for name in value.plugins.unwrap_or_default().other_than(&[KEY_AUTH]) {
            reading.remark(
                referenced.line(),
                format!("the plugin `{name}` is not imported"),
            );
        }
    }
    for (path, consumer) in &nodes {
        let Spanned {
            value, referenced, ..
        } = consumer;
        let place = path.as_deref().or(value.id.as_deref()).unwrap_or_default();
        let owner = match place.split_once(CREDENTIALS) {
            Some((before, _)) => before.rsplit('/').next(),
            None => value.username.as_deref(),
        };
        add(&mut reading, value, owner, referenced.line(), as_written);
        for Spanned {
            value, referenced, ..
        } in value.credentials.iter().flatten()
        {
            add(&mut reading, value, owner, referenced.line(), as_written);
        }
    }
    reading.records.sort_by_key(|record| record.line);
    Ok(reading)
}

fn add(reading: &mut Reading, from: &Consumer, owner: Option<&str>, line: u64, as_written: bool) {
    let plugin = from
        .plugins
        .as_ref()
        .and_then(|plugins| plugins.key_auth.as_ref());
    let config = from
        .config
        .as_ref()
        .filter(|_| from.plugin.as_deref() == Some(KEY_AUTH));
    let Some(key_auth) = plugin.or(config) else {
        return;
    };
    let key = match key_auth.secret(as_written) {
        Err(detail) => Err(error(KEY_AUTH, detail)),
        Ok(secret) => Ok(key(from, owner, secret, key_auth.is_disabled())),
    };
    reading.add(line, key);
}

fn key(from: &Consumer, owner: Option<&str>, secret: &str, disabled: bool) -> Key {
    let mut key = Key::new();
    let name = from.name.as_deref().or(from
        .id
        .as_deref()
        .and_then(|id| id.rsplit('/').next())
        .filter(|id| Some(*id) != owner));
    key.extend(name.map(|name| ("name".to_owned(), json!(name))));
    key.extend(owner.map(|owner| ("owner".to_owned(), json!(owner))));
    if disabled {
        key.insert("status".to_owned(), json!("disabled"));
    }
    let mut metadata: Key = from
        .labels
        .clone()
        .unwrap_or_default()
        .into_iter()
        .collect();
    let text = from.desc.as_deref().or(from.description.as_deref());
    metadata.extend(text.map(|text| ("desc".to_owned(), json!(text))));
    if !metadata.is_empty() {
        key.insert("metadata".to_owned(), Value::Object(metadata));
    }
    let material = Material {
        secret: Some(secret.to_owned()),
        created_at: from.create_time.map(value::time),
        ..Material::default()
    };
    material.write(&mut key);
    key
}

#[cfg(test)]
mod tests;
