//! `/_keyward/v1/projects/{p}/keys`.

mod view;

use keyward_core::names;
use keyward_core::record::Status;
use keyward_core::refusal::Refusal;
use keyward_core::spec::{self, ValidKey};
use serde::Serialize;
use serde_json::Value;
use worker::Env;
use zeroize::Zeroizing;

use self::view::View;
use super::answer::{Answer, Refused};
use super::host;
use super::query::{self, Query};
use crate::registry::client;
use crate::registry::message::{
    Change, KeyFilter, NewKey, NewSecret, ProjectAnswer, ProjectCommand, Publication,
};
use crate::{bindings, crypto};

#[derive(Serialize)]
struct Created<'a> {
    key: View<'a>,
    secret: &'a str,
    publication: Publication,
}

#[derive(Serialize)]
struct Changed<Key> {
    key: Key,
    publication: Publication,
}

#[derive(Serialize)]
struct Deleted<'a> {
    id: &'a str,
    status: &'static str,
}

#[derive(Serialize)]
struct Page<'a> {
    items: Vec<View<'a>>,
    next_cursor: Option<String>,
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
    let (key, secret) = mint(env, project, key).await?;
    let id = key.id.clone();
    match ask(env, project, &ProjectCommand::Create(Box::new(key))).await? {
        ProjectAnswer::Changed { key, publication } => {
            let location = format!("/_keyward/v1/projects/{project}/keys/{id}");
            let key = View::of(project, &key);
            let created = Created {
                key,
                secret: &secret,
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
    let status = query.value("status").map(|status| {
        serde_json::from_value(Value::String(status.to_owned())).map_err(|_| {
            query::wrong(
                "status",
                "write `active`, `disabled`, `revoked` or `suspended`",
            )
        })
    });
    let filter = KeyFilter {
        status: status.transpose()?,
        owner: query.text("owner")?,
        text: query.text("q")?,
    };
    let command = ProjectCommand::List {
        limit: query.limit()?,
        before: query.cursor()?,
        filter,
    };
    match ask(env, project, &command).await? {
        ProjectAnswer::Keys { items, next } => {
            let items = items.iter().map(|key| View::of(project, key)).collect();
            Answer::json(
                200,
                &Page {
                    items,
                    next_cursor: next.map(query::cursor_at),
                },
            )
        }
        _ => Err(Refusal::InternalError.into()),
    }
}

/// `GET /projects/{p}/keys/{id}`.
///
/// # Errors
/// [`Refusal::ProjectUnknown`], [`Refusal::KeyUnknown`], [`Refusal::RegistryUnavailable`].
pub(super) async fn show(env: &Env, project: &str, id: &str) -> Result<Answer, Refused> {
    match ask(env, project, &ProjectCommand::Show { id: id.to_owned() }).await? {
        ProjectAnswer::Key(key) => {
            let etag = format!("\"{}\"", key.version);
            Ok(Answer::json(200, &View::of(project, &key))?.with_header("etag", etag))
        }
        ProjectAnswer::Unknown => Err(Refusal::KeyUnknown.into()),
        _ => Err(Refusal::InternalError.into()),
    }
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
    match ask(
        env,
        project,
        &ProjectCommand::Change {
            id: id.to_owned(),
            change,
        },
    )
    .await?
    {
        ProjectAnswer::Changed { key, publication } => Answer::json(
            200,
            &Changed {
                key: View::of(project, &key),
                publication,
            },
        ),
        ProjectAnswer::Unknown => Err(Refusal::KeyUnknown.into()),
        ProjectAnswer::Conflict => Err(Refusal::KeyStateConflict.into()),
        _ => Err(Refusal::InternalError.into()),
    }
}

/// `DELETE /projects/{p}/keys/{id}`.
///
/// # Errors
/// As [`show`], and [`Refusal::ConfigInvalid`].
pub(super) async fn delete(env: &Env, project: &str, id: &str) -> Result<Answer, Refused> {
    require_keyring(env)?;
    match ask(env, project, &ProjectCommand::Delete { id: id.to_owned() }).await? {
        ProjectAnswer::Deleted { publication } => {
            let key = Deleted {
                id,
                status: "deleted",
            };
            Answer::json(200, &Changed { key, publication })
        }
        ProjectAnswer::Unknown => Err(Refusal::KeyUnknown.into()),
        _ => Err(Refusal::InternalError.into()),
    }
}

async fn ask(env: &Env, project: &str, command: &ProjectCommand) -> Result<ProjectAnswer, Refused> {
    let answer = client::project(env, project, command).await?;
    answer.ok_or_else(|| Refusal::ProjectUnknown.into())
}

/// Without a keyring no record has a name: nothing is changed that could not be published.
fn require_keyring(env: &Env) -> Result<(), Refused> {
    bindings::keyring(env)
        .map(drop)
        .ok_or_else(|| Refusal::ConfigInvalid.into())
}

/// Mints the key's secret here, so that the registry only gets what it may keep of it.
async fn mint(
    env: &Env,
    project: &str,
    key: ValidKey,
) -> Result<(NewKey, Zeroizing<String>), Refused> {
    let failed = |_| Refused::from(Refusal::InternalError);
    let keyring = bindings::keyring(env).ok_or(Refusal::ConfigInvalid)?;
    let (id, secret_id, minted) = crypto::with_random(|fill| {
        let minted = keyring.mint(names::DEFAULT_VENDOR, key.kind, &key.environment, fill);
        (
            names::mint_key_id(fill),
            names::mint_secret_id(fill),
            minted,
        )
    })
    .map_err(failed)?;
    let context = format!("keyward/seal/derivation/1\n{project}\n{id}");
    let derivation_key = minted.derivation_key();
    let sealed = crypto::seal(keyring.current(), &context, derivation_key.as_slice())
        .await
        .map_err(failed)?;
    let secret = NewSecret {
        id: secret_id,
        digest: minted.digest().to_hex(),
        sealed,
        redacted: minted.redacted(),
    };
    let new = NewKey {
        id,
        status: key.status,
        name: key.name,
        kind: key.kind,
        environment: key.environment,
        owner: key.owner,
        restrictions: key.restrictions,
        not_before: key.not_before,
        expires_at: key.expires_at,
        metadata: key.metadata,
        secret,
    };
    Ok((new, Zeroizing::new(minted.expose().to_owned())))
}
