//! Operations of the account as a whole.

use keyward_core::refusal::Refusal;

use super::keys::{LIST_OF_ACCOUNT, LIST_SUMMARY};
use super::{READ, get, post};
use crate::operation::{Answer, Body, Op, Operation, Who};

pub(super) const TABLE: &[Operation] = &[
    Operation {
        who: Who::KeyOrBootstrap,
        ..get(
            Op::Whoami,
            "whoami",
            Answer::Whoami,
            "Shows who is calling.",
        )
    },
    Operation {
        scope: READ,
        query: LIST_OF_ACCOUNT,
        ..get(Op::ListAccountKeys, "keys", Answer::Keys, LIST_SUMMARY)
    },
    Operation {
        who: Who::Holder,
        body: Body::Revocation,
        refused: &[
            Refusal::KindNotAccepted,
            Refusal::StoreUnavailable,
            Refusal::KeyRevoked,
            Refusal::KeyStateConflict,
        ],
        ..post(
            Op::SelfRevoke,
            "keys:selfRevoke",
            Answer::SelfRevoked,
            "Revokes the private or management secret that is sent as the credential.",
        )
    },
];
