//! How limits stand and how keys were used. The meters know, and are asked by the management API
//! itself: what a registry does must not wait for them. A registry is asked first whether there is
//! such a key, so that nobody makes objects by asking for what does not exist.

use keyward_api::request::UsageRange;
use keyward_api::view::{KeyLimits, LimitStanding, Usage};
use keyward_core::lease::message::Standing;
use keyward_core::metering::{MeterCall, MeterCommand, Of, Subject};
use keyward_core::refusal::Refusal;
use keyward_core::time::Millis;
use keyward_core::usage::Counts;
use keyward_edge::{bindings, clock, object, timeout};
use serde::Deserialize;

use super::answer::{Answer, Refused};
use super::asked::Asked;
use super::reply;
use crate::registry::message::{KeyAct, Metered, ProjectCommand};

/// A meter may have to ask its registry before it answers.
const PATIENCE_MS: u64 = 5_000;

/// Shows how the limits of a key stand, and those of its owner.
///
/// # Errors
/// What the operation may be refused with.
pub(super) async fn limits(asked: &Asked<'_>) -> Result<Answer, Refused> {
    let Metered { limited, owner } = key(asked).await?;
    let id = asked.segment("key");
    let own = if limited {
        standing(asked, Of::Key(id.clone())).await?
    } else {
        Vec::new()
    };
    let owner = match owner {
        Some(owner) => standing(asked, Of::Owner(owner)).await?,
        None => Vec::new(),
    };
    shown(
        asked,
        &KeyLimits {
            key: id,
            limits: own,
            owner,
        },
    )
}

/// Shows how a key was used.
///
/// # Errors
/// What the operation may be refused with.
pub(super) async fn key_usage(asked: &Asked<'_>) -> Result<Answer, Refused> {
    let range = range(asked)?;
    key(asked).await?;
    usage(asked, Of::Key(asked.segment("key")), range).await
}

/// Shows how all keys of a project together were used.
///
/// # Errors
/// What the operation may be refused with.
pub(super) async fn project_usage(asked: &Asked<'_>) -> Result<Answer, Refused> {
    let range = range(asked)?;
    let project = asked.segment("project");
    let show = asked
        .consult_project(&project, ProjectCommand::Show)
        .await?;
    reply::thing(asked, show)?;
    usage(asked, Of::Project, range).await
}

/// Which meters count for the key of the path, if there is one.
async fn key(asked: &Asked<'_>) -> Result<Metered, Refused> {
    let show = ProjectCommand::Key {
        id: asked.segment("key"),
        if_match: None,
        act: KeyAct::Metered,
    };
    let project = asked.segment("project");
    let key = reply::thing(asked, asked.consult_project(&project, show).await?)?;
    reply::read(&key.item)
}

fn range(asked: &Asked<'_>) -> Result<UsageRange, Refused> {
    UsageRange::read(&asked.query, clock::now())
        .map_err(|errors| Refused::fields(Refusal::QueryInvalid, errors))
}

async fn standing(asked: &Asked<'_>, of: Of) -> Result<Vec<LimitStanding>, Refused> {
    let Told::Standing(all) = ask(asked, of, MeterCommand::Standing).await? else {
        return Err(Refusal::InternalError.into());
    };
    let now = clock::now();
    let shown = |standing| LimitStanding::of(standing, now);
    Ok(all.into_iter().map(shown).collect())
}

async fn usage(asked: &Asked<'_>, of: Of, range: UsageRange) -> Result<Answer, Refused> {
    let UsageRange { since, until, by } = range;
    let command = MeterCommand::Usage { since, until, by };
    let Told::Usage(counted) = ask(asked, of, command).await? else {
        return Err(Refusal::InternalError.into());
    };
    shown(asked, &Usage::of((since, until), by, counted))
}

fn shown(asked: &Asked<'_>, view: &impl serde::Serialize) -> Result<Answer, Refused> {
    Answer::json(asked.known.operation.status, view)
}

/// Of [`MeterReply`](keyward_core::metering::MeterReply), what is asked for here: the module has no
/// code to read the rest.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Told {
    Standing(Vec<Standing>),
    Usage(Vec<(Millis, Counts)>),
}

/// Asks a meter of the path's project.
async fn ask(asked: &Asked<'_>, of: Of, command: MeterCommand) -> Result<Told, Refused> {
    let project = asked.segment("project");
    let call = MeterCall {
        subject: Subject { project, of },
        command,
    };
    let name = call.subject.object();
    let text = serde_json::to_string(&call).map_err(|_| Refusal::InternalError)?;
    let exchange = object::exchange(asked.known.env, bindings::METERS, &name, &text);
    let answered = timeout::within(PATIENCE_MS, exchange).await;
    let answer = answered
        .and_then(Result::ok)
        .ok_or(Refusal::MeterUnavailable)?;
    serde_json::from_str(&answer).map_err(|_| Refusal::MeterUnavailable.into())
}
