//! Brings one owner in, or says what contradicts it.
//!
//! Whatever an owner gets here it gets before its keys. So an owner that has keys already did not get
//! them from an import that was stopped: what would change for them is a contradiction.

use keyward_api::view::Page;
use keyward_core::limits::Limits;
use keyward_core::refusal::Refusal;
use keyward_core::spec::FieldError;
use serde::de::IgnoredAny;
use serde_json::json;

use super::super::super::owner_line::OwnerLine;
use super::super::record::{Refused, error};
use crate::client::Client;
use crate::failure::{Failure, Problem};

/// What the project says of an owner.
#[derive(Clone, Default)]
pub(super) struct Here {
    pub(super) limits: Limits,
    pub(super) suspended: bool,
}

/// Brings one owner in, and says whether that changes anything; `here` becomes what holds then.
///
/// # Errors
/// Those of the calls.
pub(super) fn bring(
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
    if (suspends || limits) && has_keys(client, address, &wanted.owner)? {
        let (field, detail) = if limits {
            (
                "limits",
                "the owner has keys here, which share no limits; leave this line out, or first give them these limits with `keyward owners limit`",
            )
        } else {
            (
                "suspended",
                "the owner has keys here and is not suspended; leave this line out, or first suspend it with `keyward owners suspend`",
            )
        };
        return Ok(Err(contradicts(field, detail)));
    }
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

/// Whether the project has keys of this owner, deleted ones aside.
fn has_keys(client: &Client, address: &str, owner: &str) -> Result<bool, Failure> {
    let query = [("owner", owner), ("limit", "1")];
    let page: Page<IgnoredAny> = client.get(&format!("{address}/keys"), &query)?.read()?;
    Ok(!page.items.is_empty())
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
