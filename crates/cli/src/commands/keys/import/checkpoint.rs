//! How far an import has got, in a file beside the input.
//!
//! It is only an abbreviation: without it the same lines are sent again and come back as existing.

use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::record::Refused;
use crate::file;

const FORMAT: u32 = 2;

/// Which import it is: what is sent, and to whom.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Import {
    pub(super) gateway: String,
    pub(super) project: String,
    /// The SHA-256 of the input.
    pub(super) input: String,
    /// The arguments that change what is sent.
    pub(super) options: String,
    /// The lines that are not sent because their owner's is refused: what the project has of an
    /// owner decides that, and may be another one the next time.
    #[serde(default)]
    pub(super) held: Vec<u64>,
}

/// How far it has got.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Tally {
    /// Names this run, so that a later import of the same file is another one.
    pub(super) run: String,
    /// How many records have been answered for.
    pub(super) acknowledged: usize,
    pub(super) created: u64,
    pub(super) existing: u64,
    pub(super) refused: Vec<Refused>,
}

#[derive(Serialize, Deserialize)]
struct Content {
    format: u32,
    #[serde(flatten)]
    import: Import,
    #[serde(flatten)]
    tally: Tally,
}

/// The file.
pub(super) struct Checkpoint {
    path: PathBuf,
    import: Import,
}

impl Checkpoint {
    /// The one beside this input.
    pub(super) fn beside(input: &Path, import: Import) -> Self {
        let mut name: OsString = input.file_name().unwrap_or_default().to_owned();
        name.push(".keyward-import");
        Self {
            path: input.with_file_name(name),
            import,
        }
    }

    /// How far an earlier run of this import has got.
    ///
    /// # Errors
    /// Why what is there is of no use.
    pub(super) fn read(&self) -> Result<Option<Tally>, String> {
        let text = match fs::read_to_string(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            result => result.map_err(|error| error.to_string())?,
        };
        let Content {
            format: FORMAT,
            import,
            tally,
        } = serde_json::from_str(&text).map_err(|_| "it is not readable")?
        else {
            return Err("it is of another version".to_owned());
        };
        let other = |what: &str| Err(format!("it is of an import {what}"));
        match () {
            () if import.input != self.import.input => other("of other content"),
            () if import.project != self.import.project => other("into another project"),
            () if import.gateway != self.import.gateway => other("into another gateway"),
            () if import.options != self.import.options => other("with other arguments"),
            () if import.held != self.import.held => other("that held back other keys"),
            () => Ok(Some(tally)),
        }
    }

    /// Writes it in one step: whenever the process ends, the old or the new one is there.
    pub(super) fn write(&self, tally: &Tally) -> io::Result<()> {
        let content = Content {
            format: FORMAT,
            import: self.import.clone(),
            tally: tally.clone(),
        };
        file::replace(&self.path, &serde_json::to_vec(&content)?)
    }

    /// The import has come to its end.
    pub(super) fn remove(&self) {
        let _ = fs::remove_file(&self.path);
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}
