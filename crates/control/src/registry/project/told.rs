//! What is said of a change: how far KV has it, and when it is in force everywhere.

use std::rc::Rc;

use keyward_core::time::Millis;
use keyward_edge::log;
use keyward_edge::storage::StorageError;
use serde::Deserialize;

use crate::registry::credentials;
use crate::registry::message::{NewCredential, ProjectCommand, Publication, Reply, Shown};
use crate::registry::metering::{self, Whom};
use crate::registry::publication::Publisher;
use crate::registry::sweep::{self, Scope};

/// A change has been made, or had been: says how far KV has it, and when what it took away is
/// taken away everywhere.
pub(super) async fn told(
    publisher: &Rc<Publisher>,
    command: &ProjectCommand,
    mut reply: Reply,
    now: Millis,
) -> Result<Reply, StorageError> {
    let changed = match &mut reply {
        Reply::Replayed { reply, .. } => &mut **reply,
        reply => reply,
    };
    if let Reply::Changed {
        item,
        publication,
        in_force_by,
        ..
    } = changed
    {
        // The change is stored and the alarm set: when the publication cannot start now, it
        // starts then.
        if let Err(error) = publisher.pump() {
            log::registry("publication_postponed", None, &error.to_string());
        }
        // The meters are told meanwhile; what is left of their time is waited for after KV.
        match command {
            ProjectCommand::CreateKey(_)
            | ProjectCommand::Key { .. }
            | ProjectCommand::SelfRevoke { .. } => {
                let id = id(item)?;
                *publication = publisher.publication(&id).await;
                *in_force_by =
                    metering::in_force(publisher, Whom::Key(&id), *in_force_by, now).await;
            }
            ProjectCommand::SetCredential(NewCredential { name, .. })
            | ProjectCommand::DeleteCredential { name } => {
                *publication = publisher.publication(&credentials::id(name)).await;
            }
            ProjectCommand::CreateEnvironment { .. } => *publication = Publication::Published,
            _ => {
                *publication = sweep::publication(publisher, command).await;
                let whom = Whom::Scope(Scope::of(command));
                *in_force_by = metering::in_force(publisher, whom, *in_force_by, now).await;
            }
        }
    }
    Ok(reply)
}

/// The id of the key that an answer shows: of one that is repeated, the key is not in the command.
fn id(item: &Shown) -> Result<String, StorageError> {
    #[derive(Deserialize)]
    struct Named {
        id: String,
    }
    serde_json::from_str(item.get())
        .map(|named: Named| named.id)
        .map_err(|_| StorageError::Row)
}
