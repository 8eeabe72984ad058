//! Management keys, about which the account registry alone decides.

use keyward_api::view;
use keyward_core::management;

use super::answer::{Answer, Refused};
use super::asked::Asked;
use super::caller::Caller;
use super::{keys, mint, reply};
use crate::registry::message::{
    AccountCommand, Caller as Told, ManagementKeyAct, NewManagementKey, Reply,
};

/// Shows who is calling.
///
/// # Errors
/// As [`Answer::json`].
pub(super) fn whoami(asked: &Asked<'_>) -> Result<Answer, Refused> {
    let caller = match &asked.caller {
        Caller::Key(principal) => view::Caller {
            r#type: view::CallerType::ManagementKey,
            id: Some(principal.id.clone()),
            name: Some(principal.name.clone()),
            project: principal.project.clone(),
            scopes: principal.scopes.clone(),
            expires_at: principal.expires_at.map(Into::into),
        },
        Caller::Bootstrap { .. } | Caller::Holder { .. } | Caller::GitHub => view::Caller {
            r#type: view::CallerType::Bootstrap,
            id: None,
            name: None,
            project: None,
            scopes: Vec::new(),
            expires_at: None,
        },
    };
    Answer::json(asked.known.operation.status, &caller)
}

/// Creates a management key. Whether it is within its maker's reach is decided where both are.
///
/// # Errors
/// What the operation may be refused with.
pub(super) async fn create(asked: &Asked<'_>) -> Result<Answer, Refused> {
    // Scopes that are left out are the maker's, as they are when the registry makes the key.
    let own = asked.caller.scopes();
    let fields = asked.fields(|fields| {
        management::validate(fields, &own)?;
        Ok(fields.clone())
    })?;
    let (secret, mut minted) = mint::for_management(asked).await?;
    let sealed = minted.sealed.take();
    let bootstrap = match &asked.caller {
        Caller::Bootstrap { digest } => Some(digest.clone()),
        Caller::Key(_) | Caller::Holder { .. } | Caller::GitHub => None,
    };
    let command = AccountCommand::CreateManagementKey(Box::new(NewManagementKey {
        id: mint::key_id()?,
        fields,
        secret,
        caller: told(asked),
        bootstrap,
    }));
    let reply = asked.account_sealed(command, sealed).await?;
    mint::answer(asked, reply, minted).await
}

/// Gives a management key another secret.
///
/// # Errors
/// What the operation may be refused with.
pub(super) async fn rotate(asked: &Asked<'_>) -> Result<Answer, Refused> {
    let rotation = keys::rotation(asked)?;
    let (secret, mut minted) = mint::for_management(asked).await?;
    let sealed = minted.sealed.take();
    let command = command(asked, ManagementKeyAct::Rotate { secret, rotation });
    let reply = asked.account_sealed(command, sealed).await?;
    mint::answer(asked, reply, minted).await
}

/// Shows or changes one management key.
///
/// # Errors
/// What the operation may be refused with.
pub(super) async fn act(asked: &Asked<'_>, act: ManagementKeyAct) -> Result<Answer, Refused> {
    reply::answer(asked, asked.account(command(asked, act)).await?)
}

/// Lists the management keys that the caller may see: of another project than its own, none.
///
/// # Errors
/// What the operation may be refused with.
pub(super) async fn list(asked: &Asked<'_>) -> Result<Answer, Refused> {
    let wanted = asked.query.text("project");
    let project = match (asked.caller.project(), wanted) {
        (Some(own), Some(wanted)) if own != wanted => {
            let (items, next) = (Vec::new(), None);
            return reply::answer(asked, Reply::Items { items, next });
        }
        (own, wanted) => own.or(wanted).map(str::to_owned),
    };
    let command = AccountCommand::ListManagementKeys {
        page: asked.page(),
        status: asked.query.text("status").and_then(keys::status),
        project,
    };
    reply::answer(asked, asked.account(command).await?)
}

fn command(asked: &Asked<'_>, act: ManagementKeyAct) -> AccountCommand {
    AccountCommand::ManagementKey {
        id: asked.segment("key"),
        caller: told(asked),
        if_match: asked.if_match,
        act,
    }
}

fn told(asked: &Asked<'_>) -> Told {
    Told {
        id: asked.caller.id().map(str::to_owned),
    }
}
