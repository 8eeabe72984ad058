//! The account registry lists projects by name and state, which their own registries decide: each
//! tells it in the background, again and again until it has been heard.

use std::rc::Rc;

use keyward_edge::log;
use keyward_edge::storage::{Storage, StorageError};

use super::message::{AccountCommand, ProjectStatus, Reply};
use super::publication::Publisher;
use super::{client, naming, reservations};

/// What is told, as a version of the project.
struct News {
    id: String,
    name: String,
    status: ProjectStatus,
    version: u64,
}

/// Tells it, and reserves what is not, unless there is nothing of either or it is being done.
///
/// # Errors
/// Those of the storage.
pub(super) fn start(publisher: &Rc<Publisher>) -> Result<(), StorageError> {
    let storage = publisher.storage();
    let due = untold(storage)?.is_some() || reservations::pending(storage)?;
    if publisher.telling.get() || !due {
        return Ok(());
    }
    publisher.telling.set(true);
    let running = Rc::clone(publisher);
    publisher.spawn(async move {
        let told = run(&running).await;
        running.telling.set(false);
        // The alarm tells it again.
        if !told.unwrap_or(false) {
            let detail = "the account registry has not been told of a change of this project";
            log::registry("telling_postponed", None, detail);
        }
    });
    Ok(())
}

/// Whether the account registry knows now what it is to know.
async fn run(publisher: &Publisher) -> Result<bool, StorageError> {
    naming::ask(publisher).await?;
    if let Some(news) = untold(publisher.storage())?
        && !tell(publisher, news).await?
    {
        return Ok(false);
    }
    reservations::go_on(publisher).await?;
    Ok(true)
}

async fn tell(publisher: &Publisher, news: News) -> Result<bool, StorageError> {
    let version = news.version;
    let command = AccountCommand::NoteProject {
        id: news.id,
        name: news.name,
        status: news.status,
        version,
    };
    match client::account(publisher.env(), &client::own(command, "")).await {
        Ok(Reply::Done) => {}
        _ => return Ok(false),
    }
    publisher.storage().run(
        "UPDATE project SET told = ?1 WHERE told < ?1",
        &[version.into()],
    )?;
    Ok(true)
}

fn untold(storage: &Storage) -> Result<Option<News>, StorageError> {
    let row = storage.row(
        "SELECT id, name, version, suspended_at, archived_at FROM project WHERE told < version",
        &[],
    )?;
    let Some(row) = row else { return Ok(None) };
    let status = match (row.optional_time(3)?, row.optional_time(4)?) {
        (_, Some(_)) => ProjectStatus::Archived,
        (Some(_), None) => ProjectStatus::Suspended,
        (None, None) => ProjectStatus::Active,
    };
    Ok(Some(News {
        id: row.text(0)?,
        name: row.text(1)?,
        version: row.number(2)?,
        status,
    }))
}
