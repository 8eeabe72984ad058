//! What a change of many keys takes away.

use keyward_core::limits::Limits;
use keyward_core::metering::CreditAct;
use keyward_core::spec::reader::whole_number;
use keyward_core::time::Millis;
use keyward_edge::storage::{Storage, StorageError};

use super::{owner_limits, project};
use crate::registry::journal::Context;
use crate::registry::keys::{leased, narrows};
use crate::registry::message::{ProjectChange, ProjectCommand};
use crate::registry::sweep::Scope;

/// From when on the change of this command, which is about to be made, may be in force everywhere,
/// if that will be known: of what takes away and gives nothing, and where nobody uses a key
/// without a lease. Keys say it of themselves.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn in_force_from(
    context: &Context<'_>,
    command: &ProjectCommand,
) -> Result<Option<Millis>, StorageError> {
    let (storage, now) = (context.storage, context.now);
    let known =
        takes_away(storage, command)? && leased::are_leased(storage, Scope::of(command), now)?;
    Ok(known.then_some(now))
}

fn takes_away(storage: &Storage, command: &ProjectCommand) -> Result<bool, StorageError> {
    Ok(match command {
        ProjectCommand::SuspendOwner { .. }
        | ProjectCommand::ArchiveEnvironment { archived: true, .. }
        | ProjectCommand::ChangeProject {
            change: ProjectChange::Suspend | ProjectChange::Archive,
            ..
        }
        | ProjectCommand::OwnerCredits {
            act: CreditAct::Set(_),
            ..
        } => true,
        ProjectCommand::LimitOwner { owner, limits } => {
            let before =
                owner_limits(storage, owner)?.map_or_else(Limits::default, |(_, limits)| limits);
            narrows::limits(&before, limits.as_ref().unwrap_or(&Limits::default()))
        }
        ProjectCommand::Update { patch, .. } if patch.get("revocation").is_none() => {
            match patch.get("max_age_s").and_then(whole_number) {
                Some(after) => project::max_age(storage)?.is_none_or(|before| after < before),
                None => false,
            }
        }
        _ => false,
    })
}
