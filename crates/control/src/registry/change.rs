//! How a project's registry makes a change: within the journal, unless the project is archived.

use keyward_core::refusal::Refusal;
use keyward_core::time::Millis;
use keyward_edge::storage::StorageError;

use super::journal::{self, Context};
use super::keys::Policy;
use super::message::{Call, KeyAct, ProjectCommand, Reply, WebhookAct};
use super::publication::Publisher;

/// Runs a change of this project: see [`journal::run`]. In an archived project it is refused,
/// unless it only withdraws or repairs.
///
/// # Errors
/// As [`journal::run`].
pub(super) fn run(
    publisher: &Publisher,
    call: &Call<ProjectCommand>,
    now: Millis,
    change: impl FnOnce(&Context<'_>) -> Result<Reply, StorageError>,
) -> Result<Reply, StorageError> {
    let storage = publisher.storage();
    let arm = || publisher.arm(now);
    let kept_ms = if changes_credits(&call.command) {
        journal::KEPT_LONG_MS
    } else {
        journal::KEPT_MS
    };
    journal::run(storage, call, now, kept_ms, arm, |context| {
        if needs_a_project_in_use(&call.command) && Policy::of(storage)?.archived {
            return Ok(Reply::refused(Refusal::ProjectStateConflict));
        }
        change(context)
    })
}

const fn changes_credits(command: &ProjectCommand) -> bool {
    matches!(
        command,
        ProjectCommand::OwnerCredits { .. }
            | ProjectCommand::Key {
                act: KeyAct::Credits { .. },
                ..
            }
    )
}

/// Whether the command is refused while the project is archived. Its own state and its records
/// can still be changed then, and whoever holds a secret can still revoke it.
const fn needs_a_project_in_use(command: &ProjectCommand) -> bool {
    match command {
        ProjectCommand::Update { .. }
        | ProjectCommand::CreateEnvironment { .. }
        | ProjectCommand::ArchiveEnvironment { .. }
        | ProjectCommand::SuspendOwner { .. }
        | ProjectCommand::ResumeOwner { .. }
        | ProjectCommand::LimitOwner { .. }
        | ProjectCommand::OwnerCredits { .. }
        | ProjectCommand::CreateKey(_)
        | ProjectCommand::Import { .. } => true,
        ProjectCommand::CreateWebhook(_)
        | ProjectCommand::UpdateWebhook { .. }
        | ProjectCommand::SetCredential(_) => true,
        ProjectCommand::Webhook { act, .. } => {
            matches!(act, WebhookAct::Rotate { .. } | WebhookAct::Enable)
        }
        ProjectCommand::Key { act, .. } => {
            !matches!(act, KeyAct::Show | KeyAct::Metered | KeyAct::Where)
        }
        _ => false,
    }
}
