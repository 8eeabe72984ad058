//! Why a command is not carried out.

use keyward_core::refusal::Refusal;
use keyward_core::spec::FieldError;
use keyward_edge::storage::StorageError;

use crate::registry::message::Reply;

/// Ends a command early. The journal takes back what had been written before.
pub(super) enum Stop {
    /// The storage failed.
    Storage(StorageError),
    /// No.
    Refused(Refusal),
    /// No, because of these fields.
    Fields(Vec<FieldError>),
}

impl From<StorageError> for Stop {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// What a command answers, a refusal being an answer too.
pub(super) fn reply(outcome: Result<Reply, Stop>) -> Result<Reply, StorageError> {
    match outcome {
        Ok(reply) => Ok(reply),
        Err(Stop::Storage(error)) => Err(error),
        Err(Stop::Refused(refusal)) => Ok(Reply::refused(refusal)),
        Err(Stop::Fields(errors)) => Ok(Reply::Refused {
            code: Refusal::KeySpecInvalid.code().to_owned(),
            errors,
        }),
    }
}
