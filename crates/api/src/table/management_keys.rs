//! Operations on management keys.

use keyward_core::refusal::Refusal;

use super::{READ, WRITE, delete, get, patch, post};
use crate::operation::{Answer, Body, Op, Operation, Precondition, Who};
use crate::parameter::{CURSOR, LIMIT, Parameter, Values};

const ALL: &str = "management-keys";
const KEY: &str = "management-keys/{key}";

const STATUS: Parameter = Parameter {
    name: "status",
    values: Values::Word(&["active", "disabled", "revoked"]),
    summary: "Only management keys in this status.",
};

const PROJECT: Parameter = Parameter {
    name: "project",
    values: Values::Text(40),
    summary: "Only management keys of this project.",
};

const CHANGED: &[Refusal] = &[Refusal::KeyStateConflict, Refusal::WiderThanCaller];

/// A change without fields of one management key.
const fn verb(op: Op, path: &'static str, summary: &'static str) -> Operation {
    Operation {
        scope: WRITE,
        precondition: Precondition::Optional,
        refused: CHANGED,
        ..post(op, path, Answer::ManagementKeyChanged, summary)
    }
}

pub(super) const TABLE: &[Operation] = &[
    Operation {
        who: Who::KeyOrBootstrap,
        scope: WRITE,
        body: Body::NewManagementKey,
        status: 201,
        refused: &[Refusal::ProjectUnknown, Refusal::WiderThanCaller],
        ..post(
            Op::CreateManagementKey,
            ALL,
            Answer::ManagementKeyCreated,
            "Creates a management key that can do no more than the caller, and shows its secret this once.",
        )
    },
    Operation {
        scope: READ,
        query: &[LIMIT, CURSOR, STATUS, PROJECT],
        ..get(
            Op::ListManagementKeys,
            ALL,
            Answer::ManagementKeys,
            "Lists the management keys that the caller may see, the newest first.",
        )
    },
    Operation {
        scope: READ,
        ..get(
            Op::ShowManagementKey,
            KEY,
            Answer::ManagementKey,
            "Shows a management key.",
        )
    },
    Operation {
        scope: WRITE,
        body: Body::ManagementKeyPatch,
        refused: CHANGED,
        ..patch(
            Op::UpdateManagementKey,
            KEY,
            Answer::ManagementKeyChanged,
            "Changes a management key: a merge patch (RFC 7396).",
        )
    },
    Operation {
        scope: WRITE,
        refused: CHANGED,
        ..delete(
            Op::DeleteManagementKey,
            KEY,
            Answer::ManagementKeyChanged,
            "Forgets a revoked management key.",
        )
    },
    Operation {
        body: Body::Rotation,
        status: 201,
        answer: Answer::ManagementKeyCreated,
        refused: &[
            Refusal::KeyStateConflict,
            Refusal::WiderThanCaller,
            Refusal::RotationInProgress,
        ],
        ..verb(
            Op::RotateManagementKey,
            "management-keys/{key}/rotate",
            "Gives a management key another secret, and shows it this once.",
        )
    },
    Operation {
        body: Body::Revocation,
        ..verb(
            Op::RevokeManagementKey,
            "management-keys/{key}/revoke",
            "Revokes a management key for ever.",
        )
    },
    verb(
        Op::DisableManagementKey,
        "management-keys/{key}/disable",
        "Disables a management key until it is enabled.",
    ),
    verb(
        Op::EnableManagementKey,
        "management-keys/{key}/enable",
        "Enables a disabled management key.",
    ),
    Operation {
        body: Body::Revocation,
        ..verb(
            Op::RevokeManagementSecret,
            "management-keys/{key}/secrets/{secret}/revoke",
            "Revokes one secret of a management key.",
        )
    },
];
