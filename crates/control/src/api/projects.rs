//! Projects, as far as the account registry knows of them.

use keyward_api::request::NewProject;
use keyward_api::view::{Project, ProjectSummary};
use keyward_core::refusal::Refusal;
use serde_json::value::to_raw_value;

use super::answer::{Answer, Refused};
use super::asked::Asked;
use super::reply::{self, Given};
use crate::registry::client;
use crate::registry::message::{AccountCommand, ProjectStatus, Reply};

/// Adds a project to the account and founds its registry. A repetition shows the project as it was
/// made, whatever has become of it.
///
/// # Errors
/// What the registries refuse.
pub(super) async fn create(asked: &Asked<'_>) -> Result<Answer, Refused> {
    let NewProject { id, name } = asked.fields(NewProject::read)?;
    let command = AccountCommand::CreateProject { id, name };
    let Given {
        reply, replayed, ..
    } = reply::given(asked.account(command).await?);
    let Reply::Item { item, .. } = reply else {
        return Err(reply::refused(asked, reply));
    };
    let created: ProjectSummary =
        serde_json::from_str(item.get()).map_err(|_| Refusal::InternalError)?;
    let known = asked.known;
    client::found(known.env, created.clone(), known.request_id).await?;
    let project = Project::made(created);
    let shown = Reply::Item {
        item: to_raw_value(&project).map_err(|_| Refusal::InternalError)?,
        version: Some(project.version),
    };
    let answer = reply::answer(asked, shown)?;
    Ok(answer.with_header("idempotency-replayed", replayed.then(|| "true".to_owned())))
}

/// Lists the projects that the caller may see.
///
/// # Errors
/// What the registry refuses.
pub(super) async fn list(asked: &Asked<'_>) -> Result<Answer, Refused> {
    let status = match asked.query.text("status") {
        Some("active") => Some(ProjectStatus::Active),
        Some("suspended") => Some(ProjectStatus::Suspended),
        Some("archived") => Some(ProjectStatus::Archived),
        _ => None,
    };
    let command = AccountCommand::ListProjects {
        page: asked.page(),
        status,
        only: asked.caller.project().map(str::to_owned),
    };
    reply::answer(asked, asked.account(command).await?)
}
