//! The holder of a secret revokes it.
//!
//! - A management secret: the account registry knows it.
//! - A private secret of this deployment: the account registry says which project holds it.
//! - Any other, which can only have been imported: its record in KV names the project.
//!
//! A public key's secret proves nothing, because anyone has it. Everything that is unknown has one
//! answer, as everywhere.

use std::ops::RangeInclusive;

use keyward_api::request::{LONGEST_SECRET, SHORTEST_SECRET};
use keyward_core::kind::Kind;
use keyward_core::names::record_name;
use keyward_core::record::Record;
use keyward_core::refusal::Refusal;
use keyward_core::secret::{Digest, Shape};
use keyward_edge::{kv, timeout};

use super::answer::{Answer, Refused};
use super::asked::Asked;
use super::caller::Caller;
use super::{dispatch, mint, reply};
use crate::registry::message::{AccountCommand, ProjectCommand, Reply};

/// What can have been imported has 20 to 512 visible ASCII characters.
const IMPORTED: RangeInclusive<usize> = SHORTEST_SECRET..=LONGEST_SECRET;
/// For so long KV is waited for.
const KV_PATIENCE_MS: u64 = 2_000;

/// Revokes the secret that was sent as the credential.
///
/// # Errors
/// What the operation may be refused with.
pub(super) async fn answer(asked: &Asked<'_>) -> Result<Answer, Refused> {
    let Caller::Holder { secret } = &asked.caller else {
        return Err(Refusal::KeyInvalid.into());
    };
    let digest = Digest::of(secret);
    let native = Shape::parse(secret).filter(|shape| asked.known.keyring.verifies_tag(shape));
    let project = match native.map(|shape| shape.kind()) {
        Some(Kind::Management) => {
            let command = AccountCommand::SelfRevoke {
                digest: digest.to_hex(),
                revocation: dispatch::revocation(asked)?,
            };
            return reply::answer(asked, asked.account(command).await?);
        }
        Some(Kind::Public) => return Err(Refusal::KindNotAccepted.into()),
        Some(Kind::Derived) => return Err(Refusal::KeyInvalid.into()),
        Some(Kind::Private) => match locate(asked, &digest).await? {
            Some(project) => project,
            // Made before secrets were reserved.
            None => recorded(asked, &digest).await?,
        },
        None if is_importable(secret) => recorded(asked, &digest).await?,
        None => return Err(Refusal::KeyInvalid.into()),
    };
    let command = ProjectCommand::SelfRevoke {
        digest: digest.to_hex(),
        revocation: dispatch::revocation(asked)?,
    };
    let reply = asked.project_named(&project, command).await;
    // That a project is gone must say no more than that the secret is not valid.
    let gone = |refused: Refused| {
        if refused.is(Refusal::ProjectUnknown) {
            Refusal::KeyInvalid.into()
        } else {
            refused
        }
    };
    reply::answer(asked, reply.map_err(gone)?)
}

/// The project that holds the secret, as the account registry knows.
async fn locate(asked: &Asked<'_>, digest: &Digest) -> Result<Option<String>, Refused> {
    let name = mint::digest_name(&digest.to_hex());
    match asked
        .consult_account(AccountCommand::Locate { name })
        .await?
    {
        Reply::Project { id } => Ok(Some(id)),
        Reply::Refused { .. } => Ok(None),
        reply => Err(reply::refused(asked, reply)),
    }
}

/// The project that the secret's record in KV names.
async fn recorded(asked: &Asked<'_>, digest: &Digest) -> Result<String, Refused> {
    let keyring = asked.known.keyring;
    for entry in keyring.in_force() {
        let name = record_name(entry, digest);
        let read = timeout::within(KV_PATIENCE_MS, kv::read(asked.known.env, &name)).await;
        let value = read.and_then(Result::ok).ok_or(Refusal::StoreUnavailable)?;
        let Some(value) = value else { continue };
        let record = Record::open(&value, &name, keyring).map_err(|_| Refusal::StoreUnavailable)?;
        return match record.kind {
            Kind::Public => Err(Refusal::KindNotAccepted.into()),
            _ => Ok(record.project),
        };
    }
    Err(Refusal::KeyInvalid.into())
}

fn is_importable(secret: &str) -> bool {
    IMPORTED.contains(&secret.len()) && secret.bytes().all(|byte| byte.is_ascii_graphic())
}
