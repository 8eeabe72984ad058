//! Operations on the endpoints that are told what happens to a project's keys.

use keyward_core::refusal::Refusal;

use super::{PROJECTS, READ, delete, get, patch, post};
use crate::operation::{Answer, Body, Op, Operation, Precondition};

const ALL: &str = "projects/{project}/webhooks";
const ONE: &str = "projects/{project}/webhooks/{webhook}";

const fn verb(op: Op, path: &'static str, summary: &'static str) -> Operation {
    Operation {
        scope: PROJECTS,
        refused: &[Refusal::ProjectStateConflict],
        ..post(op, path, Answer::Webhook, summary)
    }
}

pub(super) const TABLE: &[Operation] = &[
    Operation {
        scope: PROJECTS,
        body: Body::NewWebhook,
        status: 201,
        refused: &[Refusal::ProjectStateConflict],
        ..post(
            Op::CreateWebhook,
            ALL,
            Answer::WebhookCreated,
            "Sets an endpoint that is told what happens to keys, and shows its secret this once.",
        )
    },
    Operation {
        scope: READ,
        ..get(
            Op::ListWebhooks,
            ALL,
            Answer::Webhooks,
            "Lists the project's endpoints, the oldest first.",
        )
    },
    Operation {
        scope: READ,
        ..get(
            Op::ShowWebhook,
            ONE,
            Answer::Webhook,
            "Shows an endpoint, and how sending to it goes.",
        )
    },
    Operation {
        scope: PROJECTS,
        body: Body::WebhookPatch,
        refused: &[Refusal::ProjectStateConflict],
        ..patch(
            Op::UpdateWebhook,
            ONE,
            Answer::Webhook,
            "Changes an endpoint: a merge patch (RFC 7396). Its secret stays, and what waits for it.",
        )
    },
    Operation {
        scope: PROJECTS,
        precondition: Precondition::None,
        refused: &[Refusal::ProjectStateConflict],
        ..delete(
            Op::DeleteWebhook,
            ONE,
            Answer::Webhook,
            "Deletes an endpoint, with the messages that wait for it, and shows it as it was.",
        )
    },
    Operation {
        body: Body::WebhookRotation,
        answer: Answer::WebhookCreated,
        refused: &[Refusal::RotationInProgress, Refusal::ProjectStateConflict],
        ..verb(
            Op::RotateWebhook,
            "projects/{project}/webhooks/{webhook}/rotate",
            "Gives an endpoint another secret. Until the overlap is over, both sign.",
        )
    },
    verb(
        Op::DisableWebhook,
        "projects/{project}/webhooks/{webhook}/disable",
        "Sends nothing to an endpoint any more; what waits for it is dropped.",
    ),
    verb(
        Op::EnableWebhook,
        "projects/{project}/webhooks/{webhook}/enable",
        "Sends to a disabled endpoint again, from now on.",
    ),
    Operation {
        answer: Answer::WebhookTested,
        ..verb(
            Op::TestWebhook,
            "projects/{project}/webhooks/{webhook}/test",
            "Sends one message of the type `webhook.test` now, and shows what became of it.",
        )
    },
];
