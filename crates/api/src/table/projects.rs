//! Operations on projects, their environments and their owners.

use keyward_core::refusal::Refusal;

use super::{PROJECTS, READ, USAGE, WRITE, get, patch, post};
use crate::operation::{Answer, Body, Op, Operation, Who};
use crate::parameter::{CURSOR, LIMIT, Parameter, USAGE as SPAN, Values};

const PROJECT: &str = "projects/{project}";
const ENVIRONMENTS: &str = "projects/{project}/environments";

const STATUS: Parameter = Parameter {
    name: "status",
    values: Values::Word(&["active", "suspended", "archived"]),
    summary: "Only projects in this status; archived ones are listed only so.",
};

/// A change of a project's state.
const fn change(op: Op, path: &'static str, summary: &'static str) -> Operation {
    Operation {
        scope: PROJECTS,
        body: Body::Note,
        refused: &[Refusal::ProjectStateConflict],
        ..post(op, path, Answer::ProjectChanged, summary)
    }
}

const fn environment(op: Op, path: &'static str, summary: &'static str) -> Operation {
    Operation {
        scope: PROJECTS,
        refused: &[Refusal::ProjectStateConflict],
        ..post(op, path, Answer::EnvironmentChanged, summary)
    }
}

const fn owner(op: Op, path: &'static str, summary: &'static str) -> Operation {
    Operation {
        scope: WRITE,
        body: Body::Owner,
        refused: &[Refusal::ProjectStateConflict],
        ..post(op, path, Answer::OwnerChanged, summary)
    }
}

pub(super) const TABLE: &[Operation] = &[
    Operation {
        who: Who::Account,
        scope: PROJECTS,
        body: Body::NewProject,
        status: 201,
        refused: &[Refusal::ProjectExists],
        ..post(
            Op::CreateProject,
            "projects",
            Answer::Project,
            "Creates a project, with the environments `live` and `test`.",
        )
    },
    Operation {
        query: &[LIMIT, CURSOR, STATUS],
        ..get(
            Op::ListProjects,
            "projects",
            Answer::Projects,
            "Lists the projects that the caller may see, the newest first.",
        )
    },
    get(
        Op::ShowProject,
        PROJECT,
        Answer::Project,
        "Shows a project.",
    ),
    Operation {
        scope: PROJECTS,
        body: Body::ProjectPatch,
        refused: &[Refusal::ProjectStateConflict],
        ..patch(
            Op::UpdateProject,
            PROJECT,
            Answer::ProjectChanged,
            "Changes a project: a merge patch (RFC 7396).",
        )
    },
    change(
        Op::SuspendProject,
        "projects/{project}/suspend",
        "Suspends a project: none of its keys may be used.",
    ),
    change(
        Op::ResumeProject,
        "projects/{project}/resume",
        "Resumes a suspended project.",
    ),
    Operation {
        who: Who::Account,
        ..change(
            Op::ArchiveProject,
            "projects/{project}/archive",
            "Archives a project: its keys are refused and cannot be changed.",
        )
    },
    Operation {
        who: Who::Account,
        ..change(
            Op::RestoreProject,
            "projects/{project}/restore",
            "Brings an archived project back.",
        )
    },
    Operation {
        scope: READ,
        ..get(
            Op::Publication,
            "projects/{project}/publication",
            Answer::PublicationStatus,
            "Shows how far the project's records are published under each entry of the deployment's secret.",
        )
    },
    Operation {
        scope: PROJECTS,
        status: 202,
        ..post(
            Op::Republish,
            "projects/{project}/republish",
            Answer::PublicationStatus,
            "Publishes every record of the project under the current entry of the deployment's secret.",
        )
    },
    Operation {
        scope: PROJECTS,
        body: Body::NewEnvironment,
        status: 201,
        refused: &[Refusal::EnvironmentExists, Refusal::ProjectStateConflict],
        ..post(
            Op::CreateEnvironment,
            ENVIRONMENTS,
            Answer::Environment,
            "Creates an environment.",
        )
    },
    get(
        Op::ListEnvironments,
        ENVIRONMENTS,
        Answer::Environments,
        "Lists the project's environments.",
    ),
    environment(
        Op::ArchiveEnvironment,
        "projects/{project}/environments/{environment}/archive",
        "Archives an environment: its keys are refused.",
    ),
    environment(
        Op::RestoreEnvironment,
        "projects/{project}/environments/{environment}/restore",
        "Brings an archived environment back.",
    ),
    owner(
        Op::SuspendOwner,
        "projects/{project}/owners:suspend",
        "Suspends an owner: none of their keys may be used.",
    ),
    owner(
        Op::ResumeOwner,
        "projects/{project}/owners:resume",
        "Resumes a suspended owner.",
    ),
    Operation {
        body: Body::OwnerLimits,
        ..owner(
            Op::LimitOwner,
            "projects/{project}/owners:limit",
            "Limits how much the keys of an owner may be used together, or takes these limits away.",
        )
    },
    Operation {
        body: Body::OwnerCredits,
        ..owner(
            Op::ChangeOwnerCredits,
            "projects/{project}/owners:credits",
            "Sets the balance that the keys of an owner share, or adds to it.",
        )
    },
    Operation {
        scope: READ,
        query: &[LIMIT, CURSOR],
        ..get(
            Op::ListOwners,
            "projects/{project}/owners",
            Answer::Owners,
            "Lists the owners that are suspended, or whose keys share limits.",
        )
    },
    Operation {
        scope: USAGE,
        query: SPAN,
        refused: &[Refusal::MeterUnavailable],
        ..get(
            Op::ProjectUsage,
            "projects/{project}/usage",
            Answer::Usage,
            "Shows how all keys of the project together were used. Counts arrive within a few minutes.",
        )
    },
];
