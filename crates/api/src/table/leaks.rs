//! Operations on secrets that were found where they must not be.

use keyward_core::refusal::Refusal;

use super::{READ, WRITE, post};
use crate::operation::{Answer, Body, Op, Operation, Who};

pub(super) const TABLE: &[Operation] = &[
    Operation {
        scope: READ,
        body: Body::LeakedSecrets,
        ..post(
            Op::FindLeaks,
            "leaks:find",
            Answer::LeakedSecrets,
            "Says which of these secrets are those of keys that the caller may see, by their SHA-256.",
        )
    },
    Operation {
        scope: WRITE,
        body: Body::LeakedSecrets,
        ..post(
            Op::ReportLeaks,
            "leaks:report",
            Answer::LeakedSecrets,
            "Notes that these secrets have leaked: those of private and management keys are revoked, or flagged where the project says so, and those of public keys are flagged.",
        )
    },
    Operation {
        who: Who::GitHub,
        body: Body::GithubReport,
        refused: &[Refusal::SignatureInvalid, Refusal::SigningKeysUnavailable],
        ..post(
            Op::GithubLeaks,
            "leaks/github",
            Answer::GithubLabels,
            "Takes what GitHub's secret scanning has found, and does as with any leak.",
        )
    },
];
