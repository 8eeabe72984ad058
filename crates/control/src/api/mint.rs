//! Mints secrets: the registries only get what they may keep of them, and only the answer to whom
//! they are made for shows them.

use keyward_api::view;
use keyward_core::derived;
use keyward_core::kind::Kind;
use keyward_core::names;
use keyward_core::refusal::Refusal;
use keyward_core::webhook::signature;
use keyward_edge::crypto;
use zeroize::Zeroizing;

use super::answer::{Answer, Refused};
use super::asked::Asked;
use super::reply::{self, Given};
use crate::registry::message::{AccountCommand, NewSecret, Reply};

/// A freshly minted secret, and its seal for a repetition.
pub(super) struct Minted {
    text: Zeroizing<String>,
    pub(super) sealed: Option<String>,
}

/// Mints the id of a key.
///
/// # Errors
/// [`Refusal::InternalError`].
pub(super) fn key_id() -> Result<String, Refused> {
    crypto::with_random(names::mint_key_id).map_err(|_| Refusal::InternalError.into())
}

/// Mints the id of a secret.
///
/// # Errors
/// [`Refusal::InternalError`].
pub(super) fn secret_id() -> Result<String, Refused> {
    crypto::with_random(names::mint_secret_id).map_err(|_| Refusal::InternalError.into())
}

/// Mints a secret of a project's key: what the registry gets of it, and itself. Its derivation key is sealed for the registry.
///
/// # Errors
/// [`Refusal::InternalError`].
pub(super) async fn for_key(
    asked: &Asked<'_>,
    project: &str,
    key: &str,
    kind: Kind,
    environment: &str,
) -> Result<(NewSecret, Minted), Refused> {
    mint(asked, kind, environment, Some((project, key))).await
}

/// Mints a management key's secret; nothing is derived from it.
///
/// # Errors
/// [`Refusal::InternalError`].
pub(super) async fn for_management(asked: &Asked<'_>) -> Result<(NewSecret, Minted), Refused> {
    mint(asked, Kind::Management, names::DEFAULT_ENVIRONMENT, None).await
}

async fn mint(
    asked: &Asked<'_>,
    kind: Kind,
    environment: &str,
    derives: Option<(&str, &str)>,
) -> Result<(NewSecret, Minted), Refused> {
    let failed = |_| Refusal::InternalError;
    let keyring = asked.known.keyring;
    let minted =
        crypto::with_random(|fill| keyring.mint(names::DEFAULT_VENDOR, kind, environment, fill))
            .map_err(failed)?;
    let sealed_derivation = match derives {
        Some((project, key)) => {
            let (entry, digest) = (keyring.current(), minted.digest());
            derived::seal(entry, project, key, &digest, &minted.derivation_key())
        }
        None => String::new(),
    };
    let stored = NewSecret {
        id: secret_id()?,
        digest: minted.digest().to_hex(),
        sealed: sealed_derivation,
        redacted: minted.redacted(),
    };
    let sealed = match &asked.repetition {
        Some(repetition) => Some(repetition.seal(keyring, minted.expose()).await?),
        None => None,
    };
    let text = Zeroizing::new(minted.expose().to_owned());
    Ok((stored, Minted { text, sealed }))
}

/// Mints a webhook's secret: sealed for the registry, and itself.
///
/// # Errors
/// [`Refusal::InternalError`].
pub(super) async fn for_webhook(
    asked: &Asked<'_>,
    project: &str,
    webhook: &str,
) -> Result<(String, Minted), Refused> {
    let keyring = asked.known.keyring;
    let mut secret = Zeroizing::new([0; signature::SECRET_BYTES]);
    crypto::fill_random(secret.as_mut_slice()).map_err(|_| Refusal::InternalError)?;
    let context = crypto::webhook_context(project, webhook);
    let stored = crypto::seal(keyring.current(), &context, secret.as_slice())
        .await
        .map_err(|_| Refusal::InternalError)?;
    let text = signature::written(secret.as_slice());
    let sealed = match &asked.repetition {
        Some(repetition) => Some(repetition.seal(keyring, &text).await?),
        None => None,
    };
    Ok((stored, Minted { text, sealed }))
}

/// The secret to show: the minted one, or of a repetition the one that was shown before.
///
/// # Errors
/// [`Refusal::InternalError`].
pub(super) async fn text(
    asked: &Asked<'_>,
    minted: Minted,
    replayed: bool,
    sealed: Option<String>,
) -> Result<Zeroizing<String>, Refused> {
    match (&asked.repetition, sealed) {
        _ if !replayed => Ok(minted.text),
        (Some(repetition), Some(sealed)) => repetition.open(asked.known.keyring, &sealed).await,
        _ => Err(Refusal::InternalError.into()),
    }
}

/// Reserves names across projects before the project's registry is asked.
///
/// # Errors
/// [`Refusal::ProjectUnknown`], [`Refusal::SecretExists`], [`Refusal::RegistryUnavailable`].
pub(super) async fn reserve(
    asked: &Asked<'_>,
    project: &str,
    names: Vec<String>,
) -> Result<(), Refused> {
    let project = project.to_owned();
    let command = AccountCommand::Reserve {
        project,
        names,
        dry_run: false,
    };
    match asked.consult_account(command).await? {
        Reply::Done => Ok(()),
        reply => Err(reply::refused(asked, reply)),
    }
}

/// The name under which a digest is reserved.
pub(super) fn digest_name(digest: &str) -> String {
    format!("d:{digest}")
}

/// The name under which a key's id is reserved.
pub(super) fn key_name(id: &str) -> String {
    format!("k:{id}")
}

/// The answer that shows a new secret; the secret that was shown before, when it is repeated.
///
/// # Errors
/// What the reply refuses, and [`Refusal::InternalError`].
pub(super) async fn answer(
    asked: &Asked<'_>,
    reply: Reply,
    minted: Minted,
) -> Result<Answer, Refused> {
    let Given {
        reply,
        replayed,
        sealed,
    } = reply::given(reply);
    let thing = reply::thing(asked, reply)?;
    let text = text(asked, minted, replayed, sealed).await?;
    let (key, secret) = (&thing.item, text.as_str());
    let status = asked.known.operation.status;
    let answer = match thing.publication {
        Some(publication) => Answer::json(
            status,
            &view::KeyCreated {
                key,
                secret,
                publication,
                in_force_by: thing.in_force_by,
            },
        ),
        None => Answer::json(status, &view::ManagementKeyCreated { key, secret }),
    }?;
    let answer = reply::with_headers(asked, answer, key, thing.version)?;
    Ok(answer.with_header("idempotency-replayed", replayed.then(|| "true".to_owned())))
}
