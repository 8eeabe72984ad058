//! The schema of counts.

use std::collections::BTreeMap;

use schemars::JsonSchema;

/// Counts of calls. Those in `routes` and in `countries` are of calls that were let through.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
pub struct Counts {
    /// Calls that were let through to the origin.
    calls: u64,
    /// Calls that were refused although their secret is known, by the refusal's code.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    refused: BTreeMap<String, u64>,
    /// How the origin answered, by the class of the status, such as `2xx`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    answered: BTreeMap<String, u64>,
    /// By the name of the route.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    routes: BTreeMap<String, u64>,
    /// By the client's country: ISO 3166-1 alpha-2, `T1` for Tor, `XX` where it is not known.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    countries: BTreeMap<String, u64>,
}
