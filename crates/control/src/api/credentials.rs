//! The credentials that a project has for origins. Values are sealed here: the registry never has one.

use keyward_api::request::CredentialValue;
use keyward_core::names;
use keyward_core::refusal::Refusal;
use keyward_edge::crypto;
use zeroize::Zeroizing;

use super::answer::{Answer, Refused};
use super::asked::Asked;
use super::reply;
use crate::registry::message::{NewCredential, ProjectCommand, Reply};

/// Sets a value. Its version is given out first, because the seals are bound to it.
///
/// # Errors
/// What the operation may be refused with.
pub(super) async fn set(asked: &Asked<'_>) -> Result<Answer, Refused> {
    let name = asked.segment("credential");
    if !names::is_credential(&name) {
        let detail = "use a capital letter, then capital letters, digits and `_`, at most 64";
        return Err(Refused::field(
            Refusal::RequestInvalid,
            "credential",
            detail,
        ));
    }
    let CredentialValue { value, origin } = asked.fields(CredentialValue::read)?;
    let value = Zeroizing::new(value);
    let project = asked.segment("project");
    let numbered = asked
        .consult_project(&project, ProjectCommand::NumberCredential)
        .await?;
    let Reply::Item {
        version: Some(version),
        ..
    } = numbered
    else {
        return Err(reply::refused(asked, numbered));
    };
    let mut seals = Vec::new();
    for entry in asked.known.keyring.in_force() {
        let context = crypto::CredentialContext {
            project: &project,
            name: &name,
            origin: &origin,
            version,
        };
        let sealed = crypto::seal_credential(entry, &context, value.as_bytes())
            .await
            .map_err(|_| Refusal::InternalError)?;
        seals.push((entry.id().to_owned(), sealed));
    }
    let command = ProjectCommand::SetCredential(NewCredential {
        name,
        origin,
        version,
        seals,
    });
    reply::answer(asked, asked.project(command).await?)
}
