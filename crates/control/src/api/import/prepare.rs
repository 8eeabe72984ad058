//! A line as the registry takes it: with ids, and nothing of its secrets but what may be kept.

use keyward_api::request::{ImportLine as Read, ImportSecret as ReadSecret, Origin};
use keyward_core::derived;
use keyward_core::secret::{Shape, derivation_key};
use keyward_core::spec::FieldError;

use crate::api::answer::Refused;
use crate::api::asked::Asked;
use crate::api::mint;
use crate::registry::message::{ImportLine, ImportSecret, NewSecret, Revocation};

/// Prepares a line, or says what is wrong with it.
///
/// # Errors
/// [`Refusal::InternalError`].
pub(super) async fn line(
    asked: &Asked<'_>,
    project: &str,
    line: u32,
    read: Read,
) -> Result<Result<ImportLine, Vec<FieldError>>, Refused> {
    if read
        .secrets
        .iter()
        .any(|secret| contradicts(asked, secret, &read))
    {
        let error = FieldError {
            field: "secret".to_owned(),
            detail: "its prefix names another kind or environment than the key's".to_owned(),
        };
        return Ok(Err(vec![error]));
    }
    let id = match read.id {
        Some(id) => id,
        None => mint::key_id()?,
    };
    let mut secrets = Vec::with_capacity(read.secrets.len());
    for secret in read.secrets {
        secrets.push(prepared(asked, project, &id, secret)?);
    }
    Ok(Ok(ImportLine {
        line,
        id,
        fields: read.fields,
        created_at: read.created_at,
        revocation: read.revocation.map(|revocation| Revocation {
            reason: revocation.reason,
            note: revocation.note,
        }),
        revoked_at: read.revoked_at,
        secrets,
    }))
}

/// Whether a secret of this deployment's own form says something else than the key: the edge
/// would never accept it.
fn contradicts(asked: &Asked<'_>, secret: &ReadSecret, line: &Read) -> bool {
    let Origin::Raw(text) = &secret.origin else {
        return false;
    };
    Shape::parse(text)
        .filter(|shape| asked.known.keyring.verifies_tag(shape))
        .is_some_and(|shape| {
            shape.kind() != line.key.kind || shape.environment() != line.key.environment
        })
}

fn prepared(
    asked: &Asked<'_>,
    project: &str,
    key: &str,
    read: ReadSecret,
) -> Result<ImportSecret, Refused> {
    let sealed = match &read.origin {
        Origin::Raw(text) => {
            let (entry, digest) = (asked.known.keyring.current(), read.origin.digest());
            derived::seal(entry, project, key, &digest, &derivation_key(text))
        }
        // From a digest nothing can be derived.
        Origin::Digest(_) => String::new(),
    };
    Ok(ImportSecret {
        secret: NewSecret {
            id: mint::secret_id()?,
            digest: read.origin.digest().to_hex(),
            sealed,
            redacted: read.redacted,
        },
        not_before: read.not_before,
        not_after: read.not_after,
        created_at: read.created_at,
    })
}
