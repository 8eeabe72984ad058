//! YAML, and JSON as a part of it, with the lines in which things stand.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_saphyr::{Options, RenderOptions, budget, options};

pub(super) use serde_saphyr::Spanned;

/// Far above a hundred thousand consumers, and still an end.
const MOST_NODES: usize = 50_000_000;
const LARGEST: usize = 1 << 30;

/// The names of an object's members, to say which are not imported.
#[derive(Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Names(BTreeMap<String, IgnoredAny>);

/// Reads a document.
///
/// # Errors
/// Where it is not as `T`, without what stands there.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_saphyr::from_str_with_options(text, settings()).map_err(|error| {
        // The usual message shows the lines around the place, which may hold secrets.
        let message = error
            .without_snippet()
            .render_with_options(RenderOptions::default());
        message.lines().next().unwrap_or_default().to_owned()
    })
}

fn settings() -> Options {
    options! {
        with_snippet: false,
        budget: budget! {
            max_nodes: MOST_NODES,
            max_events: MOST_NODES,
            max_total_scalar_bytes: LARGEST,
        },
    }
}

impl Names {
    /// All but these.
    pub(super) fn other_than(&self, known: &[&str]) -> impl Iterator<Item = &str> {
        self.0
            .keys()
            .map(String::as_str)
            .filter(|name| !known.contains(name))
    }
}
