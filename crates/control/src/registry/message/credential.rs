//! What is said about the credentials that a project has for origins.

use serde::{Deserialize, Serialize};

/// A value to be set, sealed by who sends this.
#[derive(Serialize, Deserialize)]
pub(crate) struct NewCredential {
    pub(crate) name: String,
    pub(crate) origin: String,
    /// From [`ProjectCommand::NumberCredential`](super::ProjectCommand::NumberCredential).
    pub(crate) version: u64,
    /// The ids of the entries in force, and what KV gets under each.
    pub(crate) seals: Vec<(String, String)>,
}
