//! Operations on the audit logs of projects and of the account.

use super::{AUDIT, get};
use crate::operation::{Answer, Op, Operation, Who};
use crate::parameter::{CURSOR, EXPORT_LIMIT, LIMIT, Parameter, SINCE, UNTIL, Values};
use crate::view::ACTIONS;

const KEY: Parameter = Parameter {
    name: "key",
    values: Values::Text(64),
    summary: "Only what was done to the key with this id.",
};

const ACTOR: Parameter = Parameter {
    name: "actor",
    values: Values::Text(64),
    summary: "Only what the management key or holder with this id did.",
};

const ACTION: Parameter = Parameter {
    name: "action",
    values: Values::Word(ACTIONS),
    summary: "Only this action.",
};

const ENTRIES: &[Parameter] = &[LIMIT, CURSOR, KEY, ACTOR, ACTION, SINCE, UNTIL];
const LINES: &[Parameter] = &[EXPORT_LIMIT, CURSOR, SINCE, UNTIL];

pub(super) const TABLE: &[Operation] = &[
    Operation {
        scope: AUDIT,
        query: ENTRIES,
        ..get(
            Op::ProjectAudit,
            "projects/{project}/audit",
            Answer::Audit,
            "Shows the project's audit log, the newest entry first.",
        )
    },
    Operation {
        scope: AUDIT,
        query: LINES,
        ..get(
            Op::ExportProjectAudit,
            "projects/{project}/audit:export",
            Answer::AuditLines,
            "Exports the project's audit log, the oldest entry first.",
        )
    },
    Operation {
        who: Who::Account,
        scope: AUDIT,
        query: ENTRIES,
        ..get(
            Op::AccountAudit,
            "audit",
            Answer::Audit,
            "Shows the account's audit log, the newest entry first.",
        )
    },
    Operation {
        who: Who::Account,
        scope: AUDIT,
        query: LINES,
        ..get(
            Op::ExportAccountAudit,
            "audit:export",
            Answer::AuditLines,
            "Exports the account's audit log, the oldest entry first.",
        )
    },
];
