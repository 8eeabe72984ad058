//! How far changes have come: publication, replicas, imports.

use keyward_core::spec::FieldError;
use serde::{Deserialize, Serialize};

use super::Time;

/// Whether the edge has what the registry decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Publication {
    /// KV has acknowledged the newest state.
    Published,
    /// Not yet; the registry goes on until it holds.
    Pending,
}

/// How far the records of a project are published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PublicationStatus {
    /// Under each entry of the deployment's secret, the current one first.
    pub entries: Vec<EntryStatus>,
    /// What KV is still to be told.
    pub outbox: Outbox,
}

/// How far the records are published under one entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EntryStatus {
    /// The entry's id.
    pub id: String,
    /// What it is used for.
    pub state: EntryState,
    /// Secrets that need a record.
    pub records: u64,
    /// Those whose record KV has acknowledged under this entry.
    pub published: u64,
    /// When the last of them was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
    /// From when on an older entry can be dropped; left out: not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub droppable_at: Option<Time>,
}

/// What an entry is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum EntryState {
    /// It names, MACs and seals what is new.
    Current,
    /// What it named stays readable.
    InForce,
    /// It verifies tags, and nothing else.
    Retired,
}

/// What KV is still to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Outbox {
    /// How many changes wait.
    pub pending: u64,
    /// Since when the oldest one waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_at: Option<Time>,
}

/// Which version of a key each of its records in KV has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Where {
    /// The key's id.
    pub id: String,
    /// The version in the registry.
    pub version: u64,
    /// What KV answered for each record.
    pub replicas: Vec<Replica>,
}

/// A record in KV.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Replica {
    /// The id of the secret that it is for.
    pub secret: String,
    /// The entry that names it.
    pub entry: String,
    /// Its version; null when there is none to be read.
    pub version: Option<u64>,
    /// How it compares.
    pub state: ReplicaState,
}

/// How a record in KV compares with the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ReplicaState {
    /// It has the registry's version.
    Current,
    /// It has an older one.
    Behind,
    /// It has a newer one: the registry was set back.
    Ahead,
    /// There is none.
    Missing,
    /// It is none that this deployment wrote.
    Unreadable,
    /// KV did not answer.
    Unknown,
}

/// What became of an import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImportReport {
    /// Lines that were read; empty ones do not count.
    pub lines: u64,
    /// Keys that were created.
    pub created: u64,
    /// Lines whose key was there already.
    pub existing: u64,
    /// Lines that were refused.
    pub refused: u64,
    /// Whether the edge has the new keys.
    pub publication: Publication,
    /// The keys, by line.
    pub keys: Vec<ImportedKey>,
    /// The refused lines.
    pub errors: Vec<ImportError>,
}

/// The key of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImportedKey {
    /// The line's number, from 1.
    pub line: u64,
    /// The key's id; in a dry run the one that a created key would not keep.
    pub id: String,
    /// Whether it is new.
    pub outcome: ImportOutcome,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ImportOutcome {
    /// Its key was created.
    Created,
    /// Its secrets belong to this key already; nothing was changed.
    Existing,
}

/// A refused line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImportError {
    /// The line's number, from 1.
    pub line: u64,
    /// The code of the refusal.
    pub code: String,
    /// The fields that are wrong.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Vec<crate::schema::problem::Field>")
    )]
    pub errors: Vec<FieldError>,
}
