//! `/_keyward/v1/projects/{p}/keys`.

use keyward_core::names;
use keyward_core::record::Status;
use keyward_core::refusal::Refusal;
use keyward_core::spec::{self, ValidKey};
use keyward_edge::{bindings, crypto};
use serde::Serialize;
use serde_json::Value;
use worker::Env;
use zeroize::Zeroizing;

use super::answer::{Answer, Refused};
use super::host;
use super::query::{self, Query};
use super::reply::{self, Meaning};
use crate::registry::client;
use crate::registry::message::{
    Change, KeyFilter, NewKey, NewSecret, ProjectCommand, Publication, Reply, Shown,
};

const MEANING: Meaning = Meaning {
    unknown: Refusal::KeyUnknown,
    conflict: Refusal::KeyStateConflict,
};

#[derive(Serialize)]
struct Created<'a> {
    key: Shown,
    secret: &'a str,
    publication: Publication,
}

/// A freshly minted secret, and what the registry gets of it.
struct Minted {
    key_id: String,
    text: Zeroizing<String>,
    stored: NewSecret,
}

/// `POST /projects/{p}/keys`: the only answer that ever holds the secret.
///
/// # Errors
/// [`Refusal::KeySpecInvalid`], [`Refusal::ProjectUnknown`], [`Refusal::ConfigInvalid`],
/// [`Refusal::RegistryUnavailable`].
pub(super) async fn create(env: &Env, project: &str, mut fields: Value) -> Result<Answer, Refused> {
    host::convert(&mut fields);
    let key = spec::validate(&fields)
        .map_err(|errors| Refused::fields(Refusal::KeySpecInvalid, errors))?;
    if !matches!(key.status, Status::Active | Status::Disabled) {
        let detail = "a new key is `active` or `disabled`";
        return Err(Refused::field(Refusal::KeySpecInvalid, "status", detail));
    }
    let minted = mint(env, project, &key).await?;
    let location = format!("/_keyward/v1/projects/{project}/keys/{}", minted.key_id);
    let key = NewKey {
        id: minted.key_id,
        fields,
        secret: minted.stored,
    };
    match ask(env, project, ProjectCommand::Create(Box::new(key))).await? {
        Reply::Changed { item, publication } => {
            let created = Created {
                key: item,
                secret: &minted.text,
                publication,
            };
            Ok(Answer::json(201, &created)?.with_header("location", location))
        }
        _ => Err(Refusal::InternalError.into()),
    }
}

/// `GET /projects/{p}/keys`: the newest first.
///
/// # Errors
/// [`Refusal::QueryInvalid`], [`Refusal::ProjectUnknown`], [`Refusal::RegistryUnavailable`].
pub(super) async fn list(env: &Env, project: &str, query: &Query) -> Result<Answer, Refused> {
    let status = query.value("status").map(status).transpose()?;
    let filter = KeyFilter {
        status,
        owner: query.text("owner")?,
        text: query.text("q")?,
    };
    let page = query.page()?;
    let reply = ask(env, project, ProjectCommand::List { page, filter }).await?;
    reply::answer(reply, MEANING)
}

/// `GET /projects/{p}/keys/{id}`.
///
/// # Errors
/// [`Refusal::ProjectUnknown`], [`Refusal::KeyUnknown`], [`Refusal::RegistryUnavailable`].
pub(super) async fn show(env: &Env, project: &str, id: &str) -> Result<Answer, Refused> {
    let id = id.to_owned();
    let reply = ask(env, project, ProjectCommand::Show { id }).await?;
    reply::answer(reply, MEANING)
}

/// `POST /projects/{p}/keys/{id}/revoke`, `disable` and `enable`.
///
/// # Errors
/// As [`show`], [`Refusal::KeyStateConflict`], and [`Refusal::ConfigInvalid`].
pub(super) async fn change(
    env: &Env,
    project: &str,
    id: &str,
    change: Change,
) -> Result<Answer, Refused> {
    require_keyring(env)?;
    let id = id.to_owned();
    let reply = ask(env, project, ProjectCommand::Change { id, change }).await?;
    reply::answer(reply, MEANING)
}

/// `DELETE /projects/{p}/keys/{id}`.
///
/// # Errors
/// As [`show`], and [`Refusal::ConfigInvalid`].
pub(super) async fn delete(env: &Env, project: &str, id: &str) -> Result<Answer, Refused> {
    require_keyring(env)?;
    let id = id.to_owned();
    let reply = ask(env, project, ProjectCommand::Delete { id }).await?;
    reply::answer(reply, MEANING)
}

async fn ask(env: &Env, project: &str, command: ProjectCommand) -> Result<Reply, Refused> {
    match client::project(env, project, &command).await? {
        Reply::Unfounded => Err(Refusal::ProjectUnknown.into()),
        reply => Ok(reply),
    }
}

fn status(word: &str) -> Result<Status, Refused> {
    let detail = "write `active`, `disabled`, `revoked` or `suspended`";
    serde_json::from_value(Value::String(word.to_owned()))
        .map_err(|_| query::wrong("status", detail))
}

/// Without a keyring no record has a name: nothing is changed that could not be published.
fn require_keyring(env: &Env) -> Result<(), Refused> {
    bindings::keyring(env)
        .map(drop)
        .ok_or_else(|| Refusal::ConfigInvalid.into())
}

/// Mints the key's secret here, so that the registry only gets what it may keep of it.
async fn mint(env: &Env, project: &str, key: &ValidKey) -> Result<Minted, Refused> {
    let failed = |_| Refused::from(Refusal::InternalError);
    let keyring = bindings::keyring(env).ok_or(Refusal::ConfigInvalid)?;
    let (key_id, id, minted) = crypto::with_random(|fill| {
        let minted = keyring.mint(names::DEFAULT_VENDOR, key.kind, &key.environment, fill);
        (
            names::mint_key_id(fill),
            names::mint_secret_id(fill),
            minted,
        )
    })
    .map_err(failed)?;
    let context = format!("keyward/seal/derivation/1\n{project}\n{key_id}");
    let derivation_key = minted.derivation_key();
    let sealed = crypto::seal(keyring.current(), &context, derivation_key.as_slice())
        .await
        .map_err(failed)?;
    let stored = NewSecret {
        id,
        digest: minted.digest().to_hex(),
        sealed,
        redacted: minted.redacted(),
    };
    let text = Zeroizing::new(minted.expose().to_owned());
    Ok(Minted {
        key_id,
        text,
        stored,
    })
}
