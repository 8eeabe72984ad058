//! Whose keys are held back, because what they share is refused with its line.

use std::collections::HashMap;

use super::super::record::{Key, Record, error};

/// The lines that hold keys back.
#[derive(Default)]
pub(super) struct Withheld {
    owners: HashMap<String, u64>,
    /// The first line that may be about any owner.
    of_anyone: Option<u64>,
}

impl Withheld {
    /// A line is refused that says what this owner's keys share, or that may be about anyone.
    pub(super) fn add(&mut self, line: u64, owner: Option<String>) {
        match owner {
            Some(owner) => drop(self.owners.insert(owner, line)),
            None => drop(self.of_anyone.get_or_insert(line)),
        }
    }

    /// Refuses those keys, and says in which lines they stand.
    pub(super) fn hold_back(&self, records: &mut [Record]) -> Vec<u64> {
        let mut held = Vec::new();
        for record in records {
            let detail = record.key.as_ref().ok().and_then(|key| self.detail(key));
            if let Some(detail) = detail {
                record.key = Err(error("owner", detail));
                held.push(record.line);
            }
        }
        held
    }

    fn detail(&self, key: &Key) -> Option<String> {
        let owner = key.get("owner").filter(|owner| !owner.is_null())?;
        let known = owner.as_str().and_then(|owner| self.owners.get(owner));
        if let Some(line) = known {
            return Some(format!(
                "line {line}, which says what its keys share, is refused"
            ));
        }
        let line = self.of_anyone?;
        Some(format!(
            "line {line} is refused, and may be the one that says what this owner's keys share; correct that line, or leave it out"
        ))
    }
}
