//! Keys of a project: new ones, new secrets of old ones, and which to list.

use keyward_api::query::Query;
use keyward_api::request::Rotation;
use keyward_core::kind::Kind;
use keyward_core::record::Status;
use keyward_core::refusal::Refusal;
use keyward_core::spec;
use keyward_edge::clock;
use serde::Deserialize;

use super::answer::{Answer, Refused};
use super::asked::Asked;
use super::{host, mint, reply};
use crate::registry::message::{KeyAct, KeyFilter, NewKey, ProjectCommand, Rotation as Told};

/// Creates a key: the only answer that ever holds its secret, but for its repetition.
///
/// # Errors
/// What the operation may be refused with.
pub(super) async fn create(asked: &Asked<'_>) -> Result<Answer, Refused> {
    let mut fields = asked.json()?;
    host::convert(&mut fields);
    let key = spec::validate(&fields).map_err(|errors| asked.wrong_fields(errors))?;
    if !matches!(key.status, Status::Active | Status::Disabled) {
        let detail = "a new key is `active` or `disabled`";
        return Err(Refused::field(Refusal::KeySpecInvalid, "status", detail));
    }
    let project = asked.segment("project");
    let id = mint::key_id()?;
    let (secret, mut minted) =
        mint::for_key(asked, &project, &id, key.kind, &key.environment).await?;
    let names = vec![mint::digest_name(&secret.digest), mint::key_name(&id)];
    mint::reserve(asked, &project, names).await?;
    let sealed = minted.sealed.take();
    let command = ProjectCommand::CreateKey(Box::new(NewKey { id, fields, secret }));
    let reply = asked.project_sealed(command, sealed).await?;
    mint::answer(asked, reply, minted).await
}

/// Gives a key another secret. What the secret says of the key, the key is asked first.
///
/// # Errors
/// What the operation may be refused with.
pub(super) async fn rotate(asked: &Asked<'_>) -> Result<Answer, Refused> {
    #[derive(Deserialize)]
    struct Prefix {
        kind: Kind,
        environment: String,
    }
    let rotation = rotation(asked)?;
    let (project, id) = (asked.segment("project"), asked.segment("key"));
    let show = ProjectCommand::Key {
        id: id.clone(),
        if_match: None,
        act: KeyAct::Show,
    };
    let key = reply::thing(asked, asked.consult_project(&project, show).await?)?;
    let Prefix { kind, environment } = reply::read(&key.item)?;
    let (secret, mut minted) = mint::for_key(asked, &project, &id, kind, &environment).await?;
    let names = vec![mint::digest_name(&secret.digest)];
    mint::reserve(asked, &project, names).await?;
    let sealed = minted.sealed.take();
    let command = ProjectCommand::Key {
        id,
        if_match: asked.if_match,
        act: KeyAct::Rotate { secret, rotation },
    };
    let reply = asked.project_sealed(command, sealed).await?;
    mint::answer(asked, reply, minted).await
}

/// When a new secret begins, and how long the older one goes on.
///
/// # Errors
/// As [`Asked::fields`].
pub(super) fn rotation(asked: &Asked<'_>) -> Result<Told, Refused> {
    let now = clock::now();
    let Rotation { overlap_s, at } = asked.fields(|body| Rotation::read(body, now))?;
    Ok(Told { overlap_s, at })
}

/// A merge patch, with its hosts as browsers send them.
///
/// # Errors
/// As [`Asked::json`].
pub(super) fn patch(asked: &Asked<'_>) -> Result<KeyAct, Refused> {
    let mut patch = asked.json()?;
    host::convert(&mut patch);
    Ok(KeyAct::Update { patch })
}

/// Which keys a query lets through.
pub(super) fn filter(query: &Query) -> KeyFilter {
    let text = |name| query.text(name).map(str::to_owned);
    KeyFilter {
        status: query.text("status").and_then(status),
        owner: text("owner"),
        environment: text("environment"),
        kind: match query.text("kind") {
            Some("public") => Some(Kind::Public),
            Some("private") => Some(Kind::Private),
            _ => None,
        },
        text: text("q"),
        unused_s: query.duration_s("unused"),
        expiring_s: query.duration_s("expiring"),
        unrestricted: query.flag("unrestricted"),
        full_access: query.flag("full_access"),
    }
}

/// The status that a word stands for.
pub(super) fn status(word: &str) -> Option<Status> {
    Some(match word {
        "active" => Status::Active,
        "disabled" => Status::Disabled,
        "revoked" => Status::Revoked,
        "suspended" => Status::Suspended,
        "deleted" => Status::Deleted,
        _ => return None,
    })
}
