//! Endpoints that are told what happens to a project's keys.

use keyward_api::request::{NewWebhook, WebhookPatch, WebhookRotation};
use keyward_api::view::WebhookCreated;
use keyward_core::names;
use keyward_core::refusal::Refusal;
use keyward_core::webhook::Event;
use keyward_core::webhook::address::Hosts;
use keyward_edge::{bindings, crypto};
use serde_json::Value;

use super::answer::{Answer, Refused};
use super::asked::Asked;
use super::host;
use super::mint::{self, Minted};
use super::reply::{self, Given};
use crate::own;
use crate::registry::message::{
    NewWebhook as Told, ProjectCommand, Reply, WebhookAct, WebhookPatch as Changed,
};

/// Sets an endpoint: the only answer that ever holds its secret, but for its repetition.
///
/// # Errors
/// What the operation may be refused with.
pub(super) async fn create(asked: &Asked<'_>) -> Result<Answer, Refused> {
    let (fields, hosts) = fields(asked)?;
    let new = NewWebhook::read(&fields, hosts).map_err(|errors| asked.wrong_fields(errors))?;
    elsewhere(asked, &new.url, hosts)?;
    let id = crypto::with_random(names::mint_webhook_id).map_err(|_| Refusal::InternalError)?;
    let (sealed, mut minted) = mint::for_webhook(asked, &asked.segment("project"), &id).await?;
    let repetition = minted.sealed.take();
    let command = ProjectCommand::CreateWebhook(Told {
        id,
        url: new.url,
        events: words(&new.events),
        description: new.description,
        sealed,
    });
    let reply = asked.project_sealed(command, repetition).await?;
    answer(asked, reply, minted).await
}

/// Changes an endpoint.
///
/// # Errors
/// What the operation may be refused with.
pub(super) async fn update(asked: &Asked<'_>) -> Result<Answer, Refused> {
    let (fields, hosts) = fields(asked)?;
    let patch = WebhookPatch::read(&fields, hosts).map_err(|errors| asked.wrong_fields(errors))?;
    if let Some(url) = &patch.url {
        elsewhere(asked, url, hosts)?;
    }
    let command = ProjectCommand::UpdateWebhook {
        id: asked.segment("webhook"),
        if_match: asked.if_match,
        patch: Changed {
            url: patch.url,
            events: patch.events.as_deref().map(words),
            description: patch.description,
            enabled: patch.enabled,
        },
    };
    reply::answer(asked, asked.project(command).await?)
}

/// The body, its address as the URL standard serialises it, and which hosts it may lead to.
fn fields(asked: &Asked<'_>) -> Result<(Value, Hosts), Refused> {
    let mut fields = asked.json()?;
    host::serialize(&mut fields, "url");
    Ok((fields, bindings::webhook_hosts(asked.known.env)))
}

/// Refuses an address that leads back to the gateway.
fn elsewhere(asked: &Asked<'_>, url: &str, hosts: Hosts) -> Result<(), Refused> {
    if own::is_routed(url) || own::is_called(url, asked.known.url, hosts) {
        let detail = "must not lead to the gateway itself";
        return Err(Refused::field(Refusal::RequestInvalid, "url", detail));
    }
    Ok(())
}

fn words(events: &[Event]) -> Vec<String> {
    let words = events.iter().map(|event| event.word().to_owned());
    words.collect()
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
