//! The baseline: what the functions took when somebody last looked at it and found it right.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

/// Instructions by the function's name.
pub(crate) type Counts = BTreeMap<String, u64>;

/// Counts, and the compiler that they were made with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Baseline {
    /// What `rustc --version` says.
    pub(crate) rustc: String,
    pub(crate) instructions: Counts,
}

const HEADER: &str =
    "# Written by `npm run bench:core -- --save`; docs/instruction-counts.md says what it means.\n";

impl Baseline {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        toml::from_str(&text).with_context(|| format!("{} is no baseline", path.display()))
    }

    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let text = format!("{HEADER}{}", toml::to_string(self)?);
        fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
    }

    /// Only the functions whose names begin so.
    pub(crate) fn beginning_with(mut self, beginning: &str) -> Self {
        self.instructions
            .retain(|name, _| name.starts_with(beginning));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions;

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("baseline.toml");
        let written = Baseline {
            rustc: "rustc 1.0.0".to_owned(),
            instructions: Counts::from([("head: parse".to_owned(), 12)]),
        };
        written.write(&path).unwrap();
        assert_eq!(Baseline::read(&path).unwrap(), written);
    }

    #[test]
    fn the_committed_baseline_has_every_function_and_no_other() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/baseline.toml");
        let saved = Baseline::read(Path::new(path)).unwrap();
        let mut names: Vec<_> = functions::all().map(|function| function.name).collect();
        names.sort_unstable();
        assert!(saved.instructions.keys().eq(names));
    }
}
