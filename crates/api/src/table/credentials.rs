//! Operations on the credentials that a project has for origins.

use keyward_core::refusal::Refusal;

use super::{CREDENTIALS, CREDENTIALS_READ, delete, get};
use crate::operation::{Answer, Body, Method, Op, Operation, Precondition};

const ALL: &str = "projects/{project}/credentials";
const ONE: &str = "projects/{project}/credentials/{credential}";

pub(super) const TABLE: &[Operation] = &[
    Operation {
        method: Method::Put,
        scope: CREDENTIALS,
        body: Body::CredentialValue,
        refused: &[Refusal::VersionConflict, Refusal::ProjectStateConflict],
        ..get(
            Op::SetCredential,
            ONE,
            Answer::CredentialChanged,
            "Sets the value of a credential, which is never shown, for one origin.",
        )
    },
    Operation {
        scope: CREDENTIALS_READ,
        ..get(
            Op::ListCredentials,
            ALL,
            Answer::Credentials,
            "Lists the project's credentials by their names, without their values.",
        )
    },
    Operation {
        scope: CREDENTIALS,
        precondition: Precondition::None,
        refused: &[Refusal::CredentialUnknown],
        ..delete(
            Op::DeleteCredential,
            ONE,
            Answer::CredentialChanged,
            "Deletes a credential, and shows it as it was.",
        )
    },
];
