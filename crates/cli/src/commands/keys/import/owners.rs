//! Lines of owners. They come before all keys, so that no key is there without what it shares; the
//! keys of an owner whose line is refused are refused with it.
//!
//! An import changes nothing of what is there already. An owner that the project has with other
//! limits, or that is not suspended there, is a contradiction, and refused.

use std::collections::HashMap;

use keyward_api::view::{Owner, Page};
use keyward_core::limits::Limits;
use keyward_core::refusal::Refusal;
use keyward_core::spec::FieldError;
use serde_json::{Value, json};

use super::super::owner_line::OwnerLine;
use super::record::{Record, Refused, error};
use crate::client::Client;
use crate::failure::{Failure, Problem};
use crate::output::Output;
use crate::progress::Progress;

/// The lines of owners in an input.
#[derive(Default)]
pub(super) struct Owners(Vec<Line>);

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
    /// The line of each owner that was refused.
    without: HashMap<String, u64>,
}

/// What the project says of an owner.
#[derive(Clone, Default)]
struct Here {
    limits: Limits,
    suspended: bool,
}

impl Owners {
    /// Adds a line of the input.
    pub(super) fn add(&mut self, number: u64, line: &serde_json::Map<String, Value>) {
        let owner = line.get("owner").and_then(Value::as_str);
        self.0.push(Line {
            number,
            owner: owner.map(str::to_owned),
            read: OwnerLine::read(line),
        });
    }

    /// Brings the owners into the project at this address, or only says what would come of it.
    ///
    /// # Errors
    /// Those of the calls; what was done before is `existing` when it is done again.
    pub(super) fn settle(
        self,
        client: &Client,
        address: &str,
        dry_run: bool,
        output: &Output,
    ) -> Result<Settled, Failure> {
        let mut settled = Settled {
            lines: self.0.len(),
            ..Settled::default()
        };
        if self.0.is_empty() {
            return Ok(settled);
        }
        let mut known = known(client, address)?;
        let progress = Progress::new(output, Some(self.0.len() as u64), "owners");
        let mut begins_anew = false;
        for (done, line) in (1..).zip(self.0) {
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
                    settled
                        .without
                        .extend(line.owner.map(|owner| (owner, line.number)));
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
        Ok(settled)
    }
}

impl Settled {
    /// Refuses the keys of owners that were refused.
    pub(super) fn hold_back(&self, records: &mut [Record]) {
        for record in records {
            let owner = record.key.as_ref().ok().and_then(|key| key.get("owner"));
            let line = owner
                .and_then(Value::as_str)
                .and_then(|owner| self.without.get(owner));
            if let Some(line) = line {
                let detail = format!("line {line}, which says what its keys share, is refused");
                record.key = Err(error("owner", detail));
            }
        }
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
        Ok::<(), Failure>(())
    })?;
    Ok(known)
}

/// Every owner that is suspended or whose keys share limits.
///
/// # Errors
/// Those of the calls, and of `take`.
pub(in super::super) fn each<E: From<Failure>>(
    client: &Client,
    address: &str,
    mut take: impl FnMut(Owner) -> Result<(), E>,
) -> Result<(), E> {
    let path = format!("{address}/owners");
    let mut cursor: Option<String> = None;
    loop {
        let mut query = vec![("limit", "100")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page: Page<Owner> = client.get(&path, &query)?.read()?;
        for owner in page.items {
            take(owner)?;
        }
        if page.next_cursor.is_none() {
            return Ok(());
        }
        cursor = page.next_cursor;
    }
}

/// Brings one owner in, and says whether that changes anything; `here` becomes what holds then.
fn bring(
    client: &Client,
    address: &str,
    wanted: &OwnerLine,
    here: &mut Here,
    dry_run: bool,
) -> Result<Result<bool, Refused>, Failure> {
    let has_limits = !here.limits.is_empty();
    if has_limits && here.limits != wanted.limits {
        let detail = "the owner has other limits here; leave this line out, or take those away with `keyward owners limit --none`";
        return Ok(Err(contradicts("limits", detail)));
    }
    if has_limits && wanted.suspended && !here.suspended {
        let detail = "the owner is not suspended here; leave this line out, or suspend it with `keyward owners suspend`";
        return Ok(Err(contradicts("suspended", detail)));
    }
    let suspends = wanted.suspended && !here.suspended;
    let limits = !has_limits && !wanted.limits.is_empty();
    // The suspension first: stopped in between, the owner has not too much but too little.
    let steps = [
        (
            suspends,
            "suspend",
            json!({ "owner": wanted.owner, "note": wanted.note }),
        ),
        (
            limits,
            "limit",
            json!({ "owner": wanted.owner, "limits": wanted.limits }),
        ),
    ];
    for (_, verb, mut body) in steps.into_iter().filter(|(due, ..)| *due && !dry_run) {
        if let Some(body) = body.as_object_mut() {
            body.retain(|_, value| !value.is_null());
        }
        match client.post(&format!("{address}/owners:{verb}"), Some(&body)) {
            Ok(_) => {}
            Err(Failure::Refused(problem)) if problem.status == 422 => {
                return Ok(Err(refused(*problem)));
            }
            Err(failure) => return Err(failure),
        }
    }
    here.suspended |= wanted.suspended;
    here.limits = wanted.limits.clone();
    Ok(Ok(suspends || limits))
}

fn contradicts(field: &str, detail: &str) -> Refused {
    Refused {
        line: 0,
        code: Refusal::KeyStateConflict.code().to_owned(),
        errors: error(field, detail),
    }
}

/// What the management API refused, as a line of the report.
fn refused(problem: Problem) -> Refused {
    let errors = problem.errors.into_iter().map(|error| FieldError {
        field: error.field,
        detail: error.detail,
    });
    Refused {
        line: 0,
        code: problem.code,
        errors: errors.collect(),
    }
}
