//! What each operation asks of which registry. Every operation of the table stands here once, so
//! that none is described and not served.

use keyward_api::operation::Op;
use keyward_api::request::{
    NewEnvironment, Note, OwnerChange, OwnerCredits, OwnerLimits, Revocation, credits,
    project_patch,
};

use super::answer::{Answer, Refused};
use super::asked::Asked;
use super::{
    account_keys, credentials, import, keys, leaks, management_keys, meters, projects, reply,
    self_revoke, webhooks,
};
use crate::registry::message::{
    AccountCommand, AuditFilter, KeyAct, ManagementKeyAct, ProjectChange, ProjectCommand,
    Revocation as Told, WebhookAct,
};

/// Does what is asked, and answers.
///
/// # Errors
/// What the operation may be refused with.
pub(super) async fn answer(asked: &Asked<'_>) -> Result<Answer, Refused> {
    match asked.known.operation.op {
        Op::Whoami => management_keys::whoami(asked),
        Op::SelfRevoke => self_revoke::answer(asked).await,
        Op::ListAccountKeys => account_keys::list(asked).await,

        Op::CreateProject => projects::create(asked).await,
        Op::ListProjects => projects::list(asked).await,
        Op::CreateKey => keys::create(asked).await,
        Op::RotateKey => keys::rotate(asked).await,
        Op::ImportKeys => import::answer(asked).await,

        Op::KeyLimits => meters::limits(asked).await,
        Op::KeyUsage => meters::key_usage(asked).await,
        Op::ProjectUsage => meters::project_usage(asked).await,

        Op::CreateManagementKey => management_keys::create(asked).await,
        Op::RotateManagementKey => management_keys::rotate(asked).await,
        Op::ListManagementKeys => management_keys::list(asked).await,
        Op::ShowManagementKey
        | Op::UpdateManagementKey
        | Op::DeleteManagementKey
        | Op::RevokeManagementKey
        | Op::DisableManagementKey
        | Op::EnableManagementKey
        | Op::RevokeManagementSecret => {
            management_keys::act(asked, act_on_management_key(asked)?).await
        }

        Op::CreateWebhook => webhooks::create(asked).await,
        Op::UpdateWebhook => webhooks::update(asked).await,
        Op::RotateWebhook => webhooks::rotate(asked).await,

        Op::SetCredential => credentials::set(asked).await,

        Op::FindLeaks => leaks::answer(asked, false).await,
        Op::ReportLeaks => leaks::answer(asked, true).await,
        Op::GithubLeaks => leaks::github(asked).await,

        Op::AccountAudit | Op::ExportAccountAudit => {
            let command = AccountCommand::Audit {
                page: asked.page(),
                filter: audit_filter(asked),
                oldest_first: asked.known.operation.answer.is_lines(),
            };
            reply::answer(asked, asked.account(command).await?)
        }

        Op::ShowKey
        | Op::WhereKey
        | Op::UpdateKey
        | Op::DeleteKey
        | Op::UndeleteKey
        | Op::RevokeKey
        | Op::DisableKey
        | Op::EnableKey
        | Op::ChangeCredits
        | Op::RevokeSecret => {
            let command = ProjectCommand::Key {
                id: asked.segment("key"),
                if_match: asked.if_match,
                act: act_on_key(asked)?,
            };
            reply::answer(asked, asked.project(command).await?)
        }

        Op::ShowProject
        | Op::UpdateProject
        | Op::SuspendProject
        | Op::ResumeProject
        | Op::ArchiveProject
        | Op::RestoreProject
        | Op::Publication
        | Op::Republish
        | Op::CreateEnvironment
        | Op::ListEnvironments
        | Op::ArchiveEnvironment
        | Op::RestoreEnvironment
        | Op::SuspendOwner
        | Op::ResumeOwner
        | Op::LimitOwner
        | Op::ChangeOwnerCredits
        | Op::ListOwners
        | Op::ListWebhooks
        | Op::ShowWebhook
        | Op::DeleteWebhook
        | Op::DisableWebhook
        | Op::EnableWebhook
        | Op::TestWebhook
        | Op::ListCredentials
        | Op::DeleteCredential
        | Op::ListKeys
        | Op::ExportKeys
        | Op::ProjectAudit
        | Op::ExportProjectAudit => {
            let command = project_command(asked)?;
            reply::answer(asked, asked.project(command).await?)
        }
    }
}

/// What is asked of the registry of the path's project, about all but one key.
fn project_command(asked: &Asked<'_>) -> Result<ProjectCommand, Refused> {
    let change = |change| -> Result<ProjectCommand, Refused> {
        let note = asked.fields(Note::read)?.note;
        Ok(ProjectCommand::ChangeProject { change, note })
    };
    Ok(match asked.known.operation.op {
        Op::UpdateProject => ProjectCommand::Update {
            patch: asked.fields(|patch| project_patch(patch).map(|()| patch.clone()))?,
            if_match: asked.if_match,
        },
        Op::SuspendProject => change(ProjectChange::Suspend)?,
        Op::ResumeProject => change(ProjectChange::Resume)?,
        Op::ArchiveProject => change(ProjectChange::Archive)?,
        Op::RestoreProject => change(ProjectChange::Restore)?,
        Op::Publication => ProjectCommand::Publication,
        Op::Republish => {
            asked.json()?;
            ProjectCommand::Republish
        }
        Op::CreateEnvironment => {
            let NewEnvironment { id } = asked.fields(NewEnvironment::read)?;
            ProjectCommand::CreateEnvironment { id }
        }
        Op::ListEnvironments => ProjectCommand::ListEnvironments,
        op @ (Op::ArchiveEnvironment | Op::RestoreEnvironment) => {
            asked.json()?;
            ProjectCommand::ArchiveEnvironment {
                id: asked.segment("environment"),
                archived: op == Op::ArchiveEnvironment,
            }
        }
        Op::SuspendOwner => {
            let OwnerChange { owner, note } = asked.fields(OwnerChange::read)?;
            ProjectCommand::SuspendOwner { owner, note }
        }
        Op::ResumeOwner => {
            let OwnerChange { owner, note } = asked.fields(OwnerChange::read)?;
            ProjectCommand::ResumeOwner { owner, note }
        }
        Op::LimitOwner => {
            let OwnerLimits { owner, limits } = asked.fields(OwnerLimits::read)?;
            ProjectCommand::LimitOwner { owner, limits }
        }
        Op::ChangeOwnerCredits => {
            let OwnerCredits { owner, act } = asked.fields(OwnerCredits::read)?;
            ProjectCommand::OwnerCredits { owner, act }
        }
        Op::ListOwners => ProjectCommand::ListOwners(asked.page()),
        Op::ListWebhooks => ProjectCommand::ListWebhooks,
        Op::ShowWebhook => ProjectCommand::ShowWebhook {
            id: asked.segment("webhook"),
        },
        op @ (Op::DeleteWebhook | Op::DisableWebhook | Op::EnableWebhook | Op::TestWebhook) => {
            asked.json()?;
            let id = asked.segment("webhook");
            let act = match op {
                Op::DeleteWebhook => WebhookAct::Delete,
                Op::DisableWebhook => WebhookAct::Disable,
                Op::EnableWebhook => WebhookAct::Enable,
                _ => return Ok(ProjectCommand::TestWebhook { id }),
            };
            ProjectCommand::Webhook { id, act }
        }
        Op::ListCredentials => ProjectCommand::ListCredentials,
        Op::DeleteCredential => {
            asked.json()?;
            let name = asked.segment("credential");
            ProjectCommand::DeleteCredential { name }
        }
        Op::ListKeys => ProjectCommand::ListKeys {
            page: asked.page(),
            filter: keys::filter(&asked.query),
        },
        Op::ExportKeys => ProjectCommand::Export(asked.page()),
        Op::ProjectAudit | Op::ExportProjectAudit => ProjectCommand::Audit {
            page: asked.page(),
            filter: audit_filter(asked),
            oldest_first: asked.known.operation.answer.is_lines(),
        },
        // Of those that come here, one is left: it shows the project.
        _ => ProjectCommand::Show,
    })
}

fn act_on_key(asked: &Asked<'_>) -> Result<KeyAct, Refused> {
    Ok(match asked.known.operation.op {
        Op::WhereKey => KeyAct::Where,
        Op::UpdateKey => keys::patch(asked)?,
        Op::ChangeCredits => KeyAct::Credits {
            act: asked.fields(credits)?,
        },
        Op::RevokeKey => KeyAct::Revoke(revocation(asked)?),
        Op::RevokeSecret => KeyAct::RevokeSecret {
            secret: asked.segment("secret"),
            revocation: revocation(asked)?,
        },
        op @ (Op::DeleteKey | Op::UndeleteKey | Op::DisableKey | Op::EnableKey) => {
            asked.json()?;
            match op {
                Op::DeleteKey => KeyAct::Delete,
                Op::UndeleteKey => KeyAct::Undelete,
                Op::DisableKey => KeyAct::Disable,
                _ => KeyAct::Enable,
            }
        }
        _ => KeyAct::Show,
    })
}

fn act_on_management_key(asked: &Asked<'_>) -> Result<ManagementKeyAct, Refused> {
    Ok(match asked.known.operation.op {
        Op::UpdateManagementKey => ManagementKeyAct::Update {
            patch: asked.json()?,
        },
        Op::RevokeManagementKey => ManagementKeyAct::Revoke(revocation(asked)?),
        Op::RevokeManagementSecret => ManagementKeyAct::RevokeSecret {
            secret: asked.segment("secret"),
            revocation: revocation(asked)?,
        },
        op @ (Op::DeleteManagementKey | Op::DisableManagementKey | Op::EnableManagementKey) => {
            asked.json()?;
            match op {
                Op::DeleteManagementKey => ManagementKeyAct::Delete,
                Op::DisableManagementKey => ManagementKeyAct::Disable,
                _ => ManagementKeyAct::Enable,
            }
        }
        _ => ManagementKeyAct::Show,
    })
}

/// Why something is revoked, as the registries are told.
///
/// # Errors
/// As [`Asked::fields`].
pub(super) fn revocation(asked: &Asked<'_>) -> Result<Told, Refused> {
    let Revocation { reason, note } = asked.fields(Revocation::read)?;
    Ok(Told { reason, note })
}

fn audit_filter(asked: &Asked<'_>) -> AuditFilter {
    let text = |name| asked.query.text(name).map(str::to_owned);
    AuditFilter {
        key: text("key"),
        actor: text("actor"),
        action: text("action"),
        since: asked.query.time("since"),
        until: asked.query.time("until"),
    }
}
