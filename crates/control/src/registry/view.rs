//! What the registries show: the types that the management API's description is made from, written
//! here as JSON that nobody on its way to the caller reads.

pub(super) use keyward_api::view::{
    Attention, AuditActor, AuditEntry, Cause, ExpiresSoon, Key, Revoked, Secret, SelfRevoked,
    SuspendedBy,
};
use keyward_edge::storage::StorageError;
use serde::Serialize;
use serde_json::value::to_raw_value;

use super::message::Shown;

/// Writes a view.
///
/// # Errors
/// [`StorageError::Row`] for what cannot be JSON, which no row of this version is.
pub(super) fn shown(view: &impl Serialize) -> Result<Shown, StorageError> {
    to_raw_value(view).map_err(|_| StorageError::Row)
}
