//! The account registry: one Durable Object that knows every project.
#![expect(missing_docs, reason = "on the methods that the macro writes")]

use keyward_edge::clock;
use worker::{DurableObject, Env, Request, Response, State, durable_object};

use super::message::{AccountCommand, Page, Reply, Shown};
use super::storage::{Row, Storage, StorageError};
use super::view::{self, ProjectView};
use super::{schema, serve};

/// The source of truth about what there is one of in the account.
#[durable_object(fetch)]
pub struct AccountRegistry {
    storage: Option<Storage>,
}

impl DurableObject for AccountRegistry {
    fn new(state: State, _env: Env) -> Self {
        Self {
            storage: Storage::of(&state),
        }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        serve::answer(request, async |command| self.answer(command)).await
    }
}

impl AccountRegistry {
    fn answer(&self, command: AccountCommand) -> Result<Reply, StorageError> {
        let storage = self.storage.as_ref().ok_or(StorageError::Runtime)?;
        schema::migrate(storage, schema::ACCOUNT)?;
        match command {
            AccountCommand::Create { id, name } => create(storage, &id, &name),
            AccountCommand::List(page) => list(storage, &page),
            AccountCommand::Show { id } => {
                let row = storage.row(
                    "SELECT id, name, created_at FROM project WHERE id = ?1",
                    &[(&id).into()],
                )?;
                row.map_or(Ok(Reply::Unknown), |row| item(&row))
            }
        }
    }
}

fn create(storage: &Storage, id: &str, name: &str) -> Result<Reply, StorageError> {
    let created = storage.row(
        "INSERT INTO project (id, name, created_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (id) DO NOTHING RETURNING id, name, created_at",
        &[id.into(), name.into(), clock::now().into()],
    )?;
    created.map_or(Ok(Reply::Conflict), |row| item(&row))
}

fn list(storage: &Storage, page: &Page) -> Result<Reply, StorageError> {
    let rows = storage.rows(
        "SELECT id, name, created_at, position FROM project
         WHERE ?1 IS NULL OR position < ?1 ORDER BY position DESC LIMIT ?2",
        &[page.before.into(), (u64::from(page.limit) + 1).into()],
    )?;
    let (shown, next) = page.cut(&rows, 3)?;
    let items = shown.iter().map(project).collect::<Result<_, _>>()?;
    Ok(Reply::Items { items, next })
}

fn item(row: &Row) -> Result<Reply, StorageError> {
    let item = project(row)?;
    Ok(Reply::Item {
        item,
        version: None,
    })
}

fn project(row: &Row) -> Result<Shown, StorageError> {
    view::shown(&ProjectView {
        id: row.text(0)?,
        name: row.text(1)?,
        created_at: row.time(2)?.to_string(),
    })
}
