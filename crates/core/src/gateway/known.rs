//! The record of a call, as far as memory has it.

use super::call::{Call, Notes, SentAs};
use super::fixed::Plans;
use super::refused::No;
use crate::keyring::Keyring;
use crate::memory::Entry;
use crate::records::{Found, Load, Loaded, Records, admit};
use crate::refusal::Refusal;

/// What memory has of a secret.
pub(super) enum Known<'g> {
    Entry(&'g mut Entry<Plans>, &'g Keyring),
    /// Nothing that may be used: it is to be read first.
    Load(Load),
}

/// Finds what memory has of a call's secret, or of the one that its key comes from.
///
/// # Errors
/// Why nothing of it may be used.
pub(super) fn known<'g>(
    records: &'g mut Records<Plans>,
    call: &Call<'_, '_>,
    loaded: Option<Loaded<'_>>,
    notes: &mut Notes,
) -> Result<Known<'g>, No> {
    let (key, imported_keys) = (&call.credential.key, call.route.imported_keys);
    let found = match call.sent_as {
        SentAs::Secret => records.find(key, call.digest, imported_keys, call.now, loaded),
        SentAs::Derived => records.find_parent(call.digest, call.now, loaded),
        SentAs::Session => records.find_exchanged(call.digest, call.now, loaded),
    };
    match found? {
        Found::Ready => {}
        Found::Refresh(load) => notes.work.refresh = Some(load),
        Found::Load(load) => return Ok(Known::Load(load)),
    }
    let (entry, keyring) = records.opened(&call.digest).ok_or(Refusal::InternalError)?;
    // Only keys that are derived from it were sent before.
    match (call.sent_as, entry.native) {
        (SentAs::Secret, None) => entry.native = Some(admit(keyring, key, imported_keys)?),
        (SentAs::Session, None) => entry.native = Some(true),
        _ => {}
    }
    Ok(Known::Entry(entry, keyring))
}
