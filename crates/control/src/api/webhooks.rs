//! Endpoints that are told what happens to a project's keys.

use keyward_api::request::{NewWebhook, WebhookRotation};
use keyward_api::view::WebhookCreated;
use keyward_core::names;
use keyward_core::refusal::Refusal;
use keyward_edge::{bindings, crypto};

use super::answer::{Answer, Refused};
use super::asked::Asked;
use super::host;
use super::mint::{self, Minted};
use super::reply::{self, Given};
use crate::registry::message::{NewWebhook as Told, ProjectCommand, Reply, WebhookAct};

/// Sets an endpoint: the only answer that ever holds its secret, but for its repetition.
///
/// # Errors
/// What the operation may be refused with.
pub(super) async fn create(asked: &Asked<'_>) -> Result<Answer, Refused> {
    let mut fields = asked.json()?;
    host::serialize(&mut fields, "url");
    let hosts = bindings::webhook_hosts(asked.known.env);
    let new = NewWebhook::read(&fields, hosts).map_err(|errors| asked.wrong_fields(errors))?;
    let id = crypto::with_random(names::mint_webhook_id).map_err(|_| Refusal::InternalError)?;
    let (sealed, mut minted) = mint::for_webhook(asked, &asked.segment("project"), &id).await?;
    let repetition = minted.sealed.take();
    let command = ProjectCommand::CreateWebhook(Told {
        id,
        url: new.url,
        events: new
            .events
            .iter()
            .map(|event| event.word().to_owned())
            .collect(),
        description: new.description,
        sealed,
    });
    let reply = asked.project_sealed(command, repetition).await?;
    answer(asked, reply, minted).await
}

/// Gives an endpoint another secret.
///
/// # Errors
/// What the operation may be refused with.
pub(super) async fn rotate(asked: &Asked<'_>) -> Result<Answer, Refused> {
    let WebhookRotation { overlap_s } = asked.fields(WebhookRotation::read)?;
    let id = asked.segment("webhook");
    let (sealed, mut minted) = mint::for_webhook(asked, &asked.segment("project"), &id).await?;
    let repetition = minted.sealed.take();
    let command = ProjectCommand::Webhook {
        id,
        act: WebhookAct::Rotate { sealed, overlap_s },
    };
    let reply = asked.project_sealed(command, repetition).await?;
    answer(asked, reply, minted).await
}

/// The endpoint with its new secret; with the one that was shown before, when it is repeated.
async fn answer(asked: &Asked<'_>, reply: Reply, minted: Minted) -> Result<Answer, Refused> {
    let Given {
        reply,
        replayed,
        sealed,
    } = reply::given(reply);
    let thing = reply::thing(asked, reply)?;
    let text = mint::text(asked, minted, replayed, sealed).await?;
    let created = WebhookCreated {
        webhook: &thing.item,
        secret: text.as_str(),
    };
    let answer = Answer::json(asked.known.operation.status, &created)?;
    let answer = reply::with_headers(asked, answer, &thing.item, None)?;
    Ok(answer.with_header("idempotency-replayed", replayed.then(|| "true".to_owned())))
}
