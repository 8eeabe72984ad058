//! What the management API answers, as far as it is shown.

mod rows;

use serde::Deserialize;
use serde_json::{Map, Value};

pub(crate) use rows::rows;

/// A page of a list.
#[derive(Deserialize)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next_cursor: Option<String>,
}

/// A project.
#[derive(Deserialize)]
pub(crate) struct Project {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) created_at: String,
}

/// A key in a list.
#[derive(Deserialize)]
pub(crate) struct Key {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) project: String,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) environment: String,
    #[serde(default)]
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) owner: String,
    #[serde(default)]
    pub(crate) created_at: String,
    pub(crate) limits: Option<Value>,
    /// Why it deserves a look, where the list was asked for that.
    #[serde(default)]
    pub(crate) attention: Vec<String>,
}

/// The answer to a new key. The only one that holds a secret.
#[derive(Deserialize)]
pub(crate) struct Created {
    pub(crate) key: Map<String, Value>,
    pub(crate) secret: String,
    #[serde(default)]
    pub(crate) publication: String,
    /// When it is in force everywhere, if that is known.
    #[serde(default)]
    pub(crate) in_force_by: String,
}

/// The answer to a changed key.
#[derive(Deserialize)]
pub(crate) struct Changed {
    pub(crate) key: Map<String, Value>,
    #[serde(default)]
    pub(crate) publication: String,
    /// When it is in force everywhere, if that is known.
    #[serde(default)]
    pub(crate) in_force_by: String,
}

/// How far a key is published.
#[derive(Deserialize)]
pub(crate) struct Where {
    /// In the registry.
    pub(crate) version: u64,
    pub(crate) replicas: Vec<Replica>,
}

/// The record of one secret under one entry of `KEYWARD_SECRET`.
#[derive(Deserialize)]
pub(crate) struct Replica {
    pub(crate) secret: String,
    pub(crate) entry: String,
    /// In KV.
    pub(crate) version: Option<u64>,
    #[serde(default)]
    pub(crate) state: String,
}

/// An environment.
#[derive(Deserialize)]
pub(crate) struct Environment {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) created_at: String,
}

/// An owner that is suspended, or whose keys share limits.
#[derive(Deserialize)]
pub(crate) struct Owner {
    pub(crate) owner: String,
    #[serde(default)]
    pub(crate) keys: u64,
    #[serde(default)]
    pub(crate) suspended_at: String,
    #[serde(default)]
    pub(crate) note: String,
    pub(crate) limits: Option<Value>,
}

/// An endpoint in a list.
#[derive(Deserialize)]
pub(crate) struct Webhook {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) url: String,
    /// Empty: all.
    #[serde(default)]
    pub(crate) events: Vec<String>,
    #[serde(default)]
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) waiting: u64,
    #[serde(default)]
    pub(crate) dropped: u64,
}

/// A management key in a list.
#[derive(Deserialize)]
pub(crate) struct ManagementKey {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: String,
    /// Empty: of the account.
    #[serde(default)]
    pub(crate) project: String,
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
    #[serde(default)]
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) last_used_at: String,
}
