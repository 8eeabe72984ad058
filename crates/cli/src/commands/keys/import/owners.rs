//! Lines of owners. They come before all keys, so that no key is there without what it shares; the
//! keys of an owner whose line is refused are refused with it. Where a line cannot be read, or does
//! not say whose it is, those are the keys of all owners.
//!
//! An import changes nothing of what is there already. An owner that the project has with other
//! limits, or that is not suspended there, is a contradiction, and refused; so is one that has keys
//! there and nothing that they share.

mod bring;
mod withheld;

use std::collections::HashMap;
use std::path::Path;

use keyward_api::view::{Owner, Page};
use keyward_core::spec::FieldError;
use serde_json::Value;

use self::bring::{Here, bring};
use self::withheld::Withheld;
use super::super::owner_line::OwnerLine;
use super::outcome;
use super::record::{Key, Record, Refused};
use crate::client::Client;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;

/// The lines of owners in an input.
#[derive(Default)]
pub(super) struct Owners {
    lines: Vec<Line>,
    withheld: Withheld,
}

struct Line {
    number: u64,
    /// The owner that it names, as far as it can be read.
    owner: Option<String>,
    read: Result<OwnerLine, Vec<FieldError>>,
}

/// What became of them.
#[derive(Default)]
pub(super) struct Settled {
    pub(super) lines: usize,
    pub(super) created: u64,
    pub(super) existing: u64,
    pub(super) refused: Vec<Refused>,
    withheld: Withheld,
}

impl Owners {
    /// Adds a line of the input.
    pub(super) fn add(&mut self, number: u64, line: &Key) {
        self.lines.push(Line::new(number, line));
    }

    /// A line is no key's, and not read as an owner's either: none where it could not be read at
    /// all. It may have been meant to be one.
    pub(super) fn doubt(&mut self, number: u64, line: Option<&Key>) {
        let owner = line.and_then(|line| Line::new(number, line).owner);
        self.withheld.add(number, owner);
    }

    /// Brings the owners into the project at this address, or only says what would come of it.
    /// `settled` has what became of them, also of those before one that failed.
    ///
    /// # Errors
    /// Those of the calls; what was done before is `existing` when it is done again.
    pub(super) fn settle(
        self,
        client: &Client,
        address: &str,
        dry_run: bool,
        output: &Output,
        settled: &mut Settled,
    ) -> Result<(), Failure> {
        settled.lines = self.lines.len();
        settled.withheld = self.withheld;
        if self.lines.is_empty() {
            return Ok(());
        }
        let mut known = known(client, address)?;
        let progress = Progress::new(output, Some(self.lines.len() as u64), "owners");
        let mut begins_anew = false;
        for (done, line) in (1..).zip(self.lines) {
            let outcome = match &line.read {
                Ok(wanted) => {
                    let here = known.entry(wanted.owner.clone()).or_default();
                    let outcome = bring(client, address, wanted, here, dry_run)?;
                    begins_anew |= outcome.as_ref().is_ok_and(|new| *new) && wanted.has_counts();
                    outcome
                }
                Err(errors) => Err(Refused::here(line.number, errors)),
            };
            match outcome {
                Ok(true) => settled.created = settled.created.saturating_add(1),
                Ok(false) => settled.existing = settled.existing.saturating_add(1),
                Err(refused) => {
                    settled.refused.push(Refused {
                        line: line.number,
                        ..refused
                    });
                    settled.withheld.add(line.number, line.owner);
                }
            }
            progress.set(done);
        }
        drop(progress);
        if begins_anew {
            output.say(
                "Quotas that owners' keys share begin anew here, and credits with their first balance: \
                 `keyward owners credits --set` puts a balance right.",
            );
        }
        Ok(())
    }
}

impl Line {
    fn new(number: u64, line: &Key) -> Self {
        let read = OwnerLine::read(line);
        let owner = line.get("owner").and_then(Value::as_str);
        // One that is not as an owner is may be another one, misspelt.
        let is_owner = |errors: &Vec<FieldError>| errors.iter().all(|wrong| wrong.field != "owner");
        Self {
            number,
            owner: owner
                .filter(|_| read.as_ref().err().is_none_or(is_owner))
                .map(str::to_owned),
            read,
        }
    }
}

impl Settled {
    /// Refuses the keys of owners that were refused, and says in which lines they stand.
    pub(super) fn hold_back(&self, records: &mut [Record]) -> Vec<u64> {
        self.withheld.hold_back(records)
    }

    /// Says what was refused, where nothing else will.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn report(&self, output: &Output, file: Option<&Path>) -> Result<(), Failure> {
        if self.refused.is_empty() {
            return Ok(());
        }
        outcome::table(&self.refused, output);
        outcome::write(file, &self.refused)
    }
}

/// The owners that the project knows of.
fn known(client: &Client, address: &str) -> Result<HashMap<String, Here>, Failure> {
    let mut known = HashMap::new();
    each(client, address, |owner| {
        let here = Here {
            limits: owner.limits,
            suspended: owner.suspended_at.is_some(),
        };
        known.insert(owner.owner, here);
    })?;
    Ok(known)
}

/// Every owner that is suspended or whose keys share limits.
///
/// # Errors
/// Those of the calls.
pub(in super::super) fn each(
    client: &Client,
    address: &str,
    mut take: impl FnMut(Owner),
) -> Result<(), Failure> {
    let path = format!("{address}/owners");
    let mut cursor: Option<String> = None;
    loop {
        let mut query = vec![("limit", "100")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page: Page<Owner> = client.get(&path, &query)?.read()?;
        page.items.into_iter().for_each(&mut take);
        if page.next_cursor.is_none() {
            return Ok(());
        }
        cursor = page.next_cursor;
    }
}
