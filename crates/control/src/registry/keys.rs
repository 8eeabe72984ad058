//! The keys of one project and their secrets: the tables `key`, `secret` and `key_text`.
//!
//! - [`row`] and [`secrets`] are the tables, [`policy`] what the project says about all its keys.
//! - [`record`] is what the edge is told, [`show`](view::show) what people are.
//! - Each of the other modules is one thing that is done with a key.

pub(super) mod clock;
pub(super) mod create;
mod credits;
mod edit;
pub(super) mod leak;
pub(super) mod leased;
pub(super) mod narrows;
pub(super) mod pages;
mod policy;
mod record;
mod rotate;
mod row;
pub(super) mod secrets;
mod state;
mod update;
mod view;
mod write;

pub(super) use self::create::create;
pub(super) use self::policy::{Policy, revocation};
pub(super) use self::record::{owe, owe_secret, record, records};
pub(super) use self::rotate::self_revoke;
pub(super) use self::row::{COLUMNS, Key, POSITION, Revoked, bump, find};
pub(super) use self::row::{from_json, from_word, word};
pub(super) use self::update::fields;
pub(super) use self::view::show;
pub(super) use self::write::purged_version;

use keyward_core::refusal::Refusal;
use keyward_edge::storage::StorageError;

use self::edit::Edit;
use super::journal::Context;
use super::message::{IfMatch, KeyAct, Reply};
use super::publication::Publisher;

/// Changes one key, if it is in the version that is meant; within the transaction of the change.
///
/// # Errors
/// Those of the storage.
pub(super) fn change(
    publisher: &Publisher,
    context: &Context<'_>,
    id: &str,
    if_match: IfMatch,
    act: &KeyAct,
) -> Result<Reply, StorageError> {
    let edit = match Edit::begin(publisher, context, id, if_match)? {
        Ok(edit) => edit,
        Err(refused) => return Ok(refused),
    };
    match act {
        KeyAct::Update { patch } => update::update(edit, patch),
        KeyAct::Rotate { secret, rotation } => rotate::rotate(edit, secret, *rotation),
        KeyAct::RevokeSecret { secret, revocation } => {
            rotate::revoke_secret(edit, secret, revocation)
        }
        KeyAct::Revoke(revocation) => state::revoke(edit, revocation),
        KeyAct::Disable => state::switch(edit, false),
        KeyAct::Enable => state::switch(edit, true),
        KeyAct::Delete => state::delete(edit),
        KeyAct::Undelete => state::undelete(edit),
        KeyAct::Credits { act } => credits::change(&edit, *act),
        // Asked elsewhere: they change nothing.
        KeyAct::Show | KeyAct::Metered | KeyAct::Where => {
            Ok(Reply::refused(Refusal::InternalError))
        }
    }
}
