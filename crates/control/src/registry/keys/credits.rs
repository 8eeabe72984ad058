//! The balance of a key changes. That is no change of the key: its fields say with how much it
//! began, and its meter how much there is.

use keyward_core::metering::{CreditAct, Of};
use keyward_core::record::Status;
use keyward_core::refusal::Refusal;
use keyward_edge::storage::StorageError;

use super::edit::Edit;
use super::view;
use crate::registry::journal::Subject;
use crate::registry::message::{Publication, Reply};
use crate::registry::metering::credits;

/// Changes the balance, of a key that has one.
///
/// # Errors
/// Those of the storage.
pub(super) fn change(edit: &Edit<'_>, act: CreditAct) -> Result<Reply, StorageError> {
    let (storage, now) = (edit.context.storage, edit.context.now);
    if edit.is(&[Status::Deleted, Status::Revoked]) {
        return Ok(Reply::refused(Refusal::KeyStateConflict));
    }
    if edit.key.limits.credits.is_none() {
        let detail = "the key has no credits; give it `limits.credits` first";
        return Ok(credits::refused(detail));
    }
    credits::change(storage, &Of::Key(edit.key.id.clone()), act, now)?;
    let subject = Subject {
        project: Some(&edit.policy.project),
        key: Some(&edit.key.id),
        target: None,
    };
    edit.context
        .log("key.credits", subject, &[credits::logged(act)])?;
    let shown = view::of(&edit.policy, &edit.key, &edit.secrets, Vec::new(), now);
    Ok(Reply::Changed {
        item: crate::registry::view::shown(&shown)?,
        version: Some(edit.key.version),
        publication: Publication::Pending,
        // What is added holds at once, and what was held before a balance was set does not.
        in_force_by: edit.in_force_from(matches!(act, CreditAct::Set(_))),
    })
}
