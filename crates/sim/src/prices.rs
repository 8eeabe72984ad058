//! What calls and asks cost.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// Prices in US dollars, and what is taken to be used: `prices.toml` explains them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Prices {
    worker_requests_per_million: f64,
    worker_cpu_ms_per_million: f64,
    object_requests_per_million: f64,
    object_gb_s_per_million: f64,
    rows_written_per_million: f64,
    cpu_ms_per_call: f64,
    object_ms_per_ask: f64,
    usage_rows_per_ask: f64,
}

/// The memory that an object is billed for, in GB.
const OBJECT_GB: f64 = 0.128;

impl Prices {
    /// The prices in a file, else those that come with Keyward.
    pub(crate) fn read(file: Option<&Path>) -> Result<Self> {
        let text = match file {
            Some(path) => std::fs::read_to_string(path)
                .with_context(|| format!("cannot read {}", path.display()))?,
            None => include_str!("../prices.toml").to_owned(),
        };
        toml::from_str(&text).context("the prices are not valid")
    }

    /// Of a million calls without any limit or lease.
    pub(crate) fn bare(&self) -> f64 {
        self.worker_requests_per_million + self.cpu_ms_per_call * self.worker_cpu_ms_per_million
    }

    /// Of a million calls that make so many asks, for which so many rows are written.
    pub(crate) fn metered(&self, asks: f64, rows: f64) -> f64 {
        let seconds = asks * self.object_ms_per_ask / 1000.0;
        let rows = rows + asks * self.usage_rows_per_ask;
        let millions = |count: f64, price: f64| count / 1e6 * price;
        self.bare()
            + millions(asks, self.object_requests_per_million)
            + millions(rows, self.rows_written_per_million)
            + millions(seconds * OBJECT_GB, self.object_gb_s_per_million)
    }
}
