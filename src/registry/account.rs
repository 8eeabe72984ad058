//! The account registry: one Durable Object that knows every project.
#![expect(missing_docs, reason = "on the methods that the macro writes")]

use worker::{DurableObject, Env, Request, Response, State, durable_object};

use super::message::{AccountAnswer, AccountCommand, Project};
use super::storage::{Row, Storage, StorageError};
use super::{schema, serve};
use crate::clock;

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
    fn answer(&self, command: AccountCommand) -> Result<AccountAnswer, StorageError> {
        let storage = self.storage.as_ref().ok_or(StorageError::Runtime)?;
        schema::migrate(storage, schema::ACCOUNT)?;
        match command {
            AccountCommand::Create { id, name } => create(storage, &id, &name),
            AccountCommand::List { limit, before } => list(storage, limit, before),
            AccountCommand::Show { id } => {
                Ok(find(storage, &id)?.map_or(AccountAnswer::Unknown, AccountAnswer::Project))
            }
        }
    }
}

fn create(storage: &Storage, id: &str, name: &str) -> Result<AccountAnswer, StorageError> {
    let created = storage.row(
        "INSERT INTO project (id, name, created_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (id) DO NOTHING RETURNING id, name, created_at",
        &[id.into(), name.into(), clock::now().into()],
    )?;
    created.map_or(Ok(AccountAnswer::Exists), |row| {
        project(&row).map(AccountAnswer::Project)
    })
}

fn find(storage: &Storage, id: &str) -> Result<Option<Project>, StorageError> {
    let row = storage.row(
        "SELECT id, name, created_at FROM project WHERE id = ?1",
        &[id.into()],
    )?;
    row.as_ref().map(project).transpose()
}

fn list(storage: &Storage, limit: u32, before: Option<u64>) -> Result<AccountAnswer, StorageError> {
    let rows = storage.rows(
        "SELECT id, name, created_at, position FROM project
         WHERE ?1 IS NULL OR position < ?1 ORDER BY position DESC LIMIT ?2",
        &[before.into(), (u64::from(limit) + 1).into()],
    )?;
    let shown = rows.get(..limit as usize);
    let next = shown
        .and_then(|shown| shown.last())
        .filter(|_| rows.len() > limit as usize);
    let next = next.map(|last| last.number(3)).transpose()?;
    let items = shown
        .unwrap_or(&rows)
        .iter()
        .map(project)
        .collect::<Result<_, _>>()?;
    Ok(AccountAnswer::Projects { items, next })
}

fn project(row: &Row) -> Result<Project, StorageError> {
    Ok(Project {
        id: row.text(0)?,
        name: row.text(1)?,
        created_at: row.time(2)?,
    })
}
