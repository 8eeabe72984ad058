//! What is said about secrets that were found where they must not be.

use keyward_api::view::LeakedSecret;
use serde::{Deserialize, Serialize};

/// A secret that was found.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Leak {
    /// Its SHA-256, in hexadecimal.
    pub(crate) digest: String,
    pub(crate) source: String,
    pub(crate) url: Option<String>,
    /// What was found is a key that was derived from it, and says so itself.
    #[serde(default)]
    pub(crate) derived: bool,
}

/// What the account registry knows of such secrets.
#[derive(Serialize, Deserialize)]
pub(crate) struct LeaksOfAccount {
    /// The project of each digest that one holds.
    pub(crate) projects: Vec<(String, String)>,
    /// Projects that may hold others of them, because not all of theirs are reserved.
    #[serde(default)]
    pub(crate) unreserved: Vec<String>,
    /// There are more such projects.
    #[serde(default)]
    pub(crate) more: bool,
    /// Those of management keys.
    pub(crate) management: Vec<LeakedSecret>,
}
