//! Operations on the keys of a project.

use keyward_core::refusal::Refusal;

use super::{READ, USAGE, WRITE, delete, get, patch, post};
use crate::operation::{Answer, Body, Op, Operation, Precondition};
use crate::parameter::{
    ACCOUNT_CURSOR, CURSOR, EXPORT_LIMIT, LIMIT, Parameter, USAGE as SPAN, Values,
};

const fn filter(name: &'static str, values: Values, summary: &'static str) -> Parameter {
    Parameter {
        name,
        values,
        summary,
    }
}

/// The parameters of a list of keys, with this cursor.
macro_rules! list {
    ($cursor:expr) => {
        &[
            LIMIT,
            $cursor,
            filter(
                "status",
                Values::Word(&["active", "disabled", "revoked", "suspended", "deleted"]),
                "Only keys in this status; deleted ones are listed only so.",
            ),
            filter("owner", Values::Text(200), "Only keys of this owner."),
            filter(
                "q",
                Values::Text(200),
                "Only keys with this text in name, owner or id, in any case.",
            ),
            filter(
                "environment",
                Values::Text(12),
                "Only keys of this environment.",
            ),
            filter(
                "kind",
                Values::Word(&["public", "private"]),
                "Only keys of this kind.",
            ),
            filter(
                "unused",
                Values::Duration,
                "Keys that were not used for so long. An alternative to `expiring`, `unrestricted` and `full_access`: a key that any of them lets through is listed, and `attention` says which.",
            ),
            filter(
                "expiring",
                Values::Duration,
                "Keys that end within this time.",
            ),
            filter(
                "unrestricted",
                Values::Flag,
                "Keys without restriction to websites, apps, addresses or paths.",
            ),
            filter("full_access", Values::Flag, "Keys with the scope `*:*`."),
        ]
    };
}

pub(super) const LIST_OF_ACCOUNT: &[Parameter] = list!(ACCOUNT_CURSOR);
pub(super) const LIST_SUMMARY: &str = "Lists the keys of every project that the caller may see. A page may be short, or even empty, when there is more.";

const DRY_RUN: &[Parameter] = &[filter(
    "dry_run",
    Values::Flag,
    "Reports what would happen, and changes nothing.",
)];

const CREATE: &str = "projects/{project}/keys";
const KEY: &str = "projects/{project}/keys/{key}";

/// A change is refused while the project is archived.
const CHANGED: &[Refusal] = &[Refusal::KeyStateConflict, Refusal::ProjectStateConflict];

/// A change without fields of one key.
const fn verb(op: Op, path: &'static str, summary: &'static str) -> Operation {
    Operation {
        scope: WRITE,
        precondition: Precondition::Optional,
        refused: CHANGED,
        ..post(op, path, Answer::KeyChanged, summary)
    }
}

pub(super) const TABLE: &[Operation] = &[
    Operation {
        scope: WRITE,
        body: Body::KeyFields,
        status: 201,
        refused: &[Refusal::ProjectStateConflict],
        ..post(
            Op::CreateKey,
            CREATE,
            Answer::KeyCreated,
            "Creates a key, and shows its secret this once.",
        )
    },
    Operation {
        scope: READ,
        query: list!(CURSOR),
        ..get(
            Op::ListKeys,
            CREATE,
            Answer::Keys,
            "Lists the project's keys, the newest first.",
        )
    },
    Operation {
        scope: READ,
        ..get(Op::ShowKey, KEY, Answer::Key, "Shows a key.")
    },
    Operation {
        scope: WRITE,
        body: Body::KeyPatch,
        refused: CHANGED,
        ..patch(
            Op::UpdateKey,
            KEY,
            Answer::KeyChanged,
            "Changes fields of a key: a merge patch (RFC 7396).",
        )
    },
    Operation {
        scope: WRITE,
        refused: &[
            Refusal::KeyStateConflict,
            Refusal::KeyProtected,
            Refusal::ProjectStateConflict,
        ],
        ..delete(
            Op::DeleteKey,
            KEY,
            Answer::KeyChanged,
            "Deletes a key; it can be brought back for 30 days.",
        )
    },
    verb(
        Op::UndeleteKey,
        "projects/{project}/keys/{key}/undelete",
        "Brings a deleted key back.",
    ),
    Operation {
        body: Body::Rotation,
        status: 201,
        answer: Answer::KeyCreated,
        refused: &[
            Refusal::KeyStateConflict,
            Refusal::RotationInProgress,
            Refusal::ProjectStateConflict,
        ],
        ..verb(
            Op::RotateKey,
            "projects/{project}/keys/{key}/rotate",
            "Gives a key another secret, and shows it this once; the older one goes on for the overlap.",
        )
    },
    Operation {
        body: Body::Revocation,
        ..verb(
            Op::RevokeKey,
            "projects/{project}/keys/{key}/revoke",
            "Revokes a key for ever.",
        )
    },
    verb(
        Op::DisableKey,
        "projects/{project}/keys/{key}/disable",
        "Disables a key until it is enabled.",
    ),
    verb(
        Op::EnableKey,
        "projects/{project}/keys/{key}/enable",
        "Enables a disabled key.",
    ),
    Operation {
        body: Body::Revocation,
        ..verb(
            Op::RevokeSecret,
            "projects/{project}/keys/{key}/secrets/{secret}/revoke",
            "Revokes one secret of a key.",
        )
    },
    Operation {
        body: Body::Credits,
        ..verb(
            Op::ChangeCredits,
            "projects/{project}/keys/{key}/credits",
            "Sets the balance of a key, or adds to it.",
        )
    },
    Operation {
        scope: USAGE,
        refused: &[Refusal::MeterUnavailable],
        ..get(
            Op::KeyLimits,
            "projects/{project}/keys/{key}/limits",
            Answer::KeyLimits,
            "Shows how the limits of a key stand, and those that it shares with the other keys of its owner.",
        )
    },
    Operation {
        scope: USAGE,
        query: SPAN,
        refused: &[Refusal::MeterUnavailable],
        ..get(
            Op::KeyUsage,
            "projects/{project}/keys/{key}/usage",
            Answer::Usage,
            "Shows how a key was used. Counts arrive within about half a minute.",
        )
    },
    Operation {
        scope: READ,
        ..get(
            Op::WhereKey,
            "projects/{project}/keys/{key}/where",
            Answer::Where,
            "Shows which version of a key each of its records in KV has.",
        )
    },
    Operation {
        scope: WRITE,
        query: DRY_RUN,
        body: Body::ImportLines,
        refused: &[Refusal::ProjectStateConflict],
        ..post(
            Op::ImportKeys,
            "projects/{project}/keys:import",
            Answer::ImportReport,
            "Imports keys, one on each line. A line that is wrong refuses itself only.",
        )
    },
    Operation {
        scope: WRITE,
        query: &[EXPORT_LIMIT, CURSOR],
        ..get(
            Op::ExportKeys,
            "projects/{project}/keys:export",
            Answer::KeyLines,
            "Exports keys with the digests of their secrets, the oldest first, in the form that can be imported.",
        )
    },
];
