//! Asks the project's registry what a meter is to know, and tells it that a key was used.

use keyward_core::metering::{Knowledge, Passed, Subject};
use keyward_core::usage::Minute;
use keyward_edge::{bindings, object, timeout};
use serde::Deserialize;
use serde_json::{Value, json};
use worker::Env;

/// How long the registry is waited for when it is told that a key was used.
const SEEN_PATIENCE_MS: u64 = 10_000;

/// The registry did not answer, or failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the registry did not answer")]
pub(crate) struct Unavailable;

/// What the registry answers to a meter.
#[derive(Deserialize)]
enum Reply {
    Metering(Box<Knowledge>),
    Refused {
        code: String,
    },
    /// There is no such project.
    Unfounded,
    Done,
}

/// What the registry knows of a subject, within so many milliseconds; none when it knows of none.
/// `known` is the newest version that was heard of: a registry that was set back goes above it.
///
/// # Errors
/// [`Unavailable`].
pub(crate) async fn pull(
    env: &Env,
    subject: &Subject,
    known: u64,
    patience_ms: u64,
) -> Result<Option<Knowledge>, Unavailable> {
    let command = json!({ "Metering": { "of": subject.of, "known": known } });
    match ask(env, &subject.project, &command, patience_ms).await? {
        Reply::Metering(knowledge) => Ok(Some(*knowledge)),
        Reply::Refused { code } if code == "key_unknown" => Ok(None),
        Reply::Unfounded => Ok(None),
        Reply::Refused { .. } | Reply::Done => Err(Unavailable),
    }
}

/// Tells the registry in which minute a key was last used; whether it has taken it.
pub(crate) async fn seen(env: &Env, project: &str, key: &str, minute: Minute) -> bool {
    let command = json!({ "Seen": { "key": key, "at": minute.start() } });
    let reply = ask(env, project, &command, SEEN_PATIENCE_MS).await;
    // Where there is no project any more, there is nobody to tell.
    matches!(reply, Ok(Reply::Done | Reply::Unfounded))
}

/// Tells the registry which pages have sent a private key; whether it has taken it.
pub(crate) async fn used_in_browser(env: &Env, project: &str, key: &str, pages: &[String]) -> bool {
    let command = json!({ "UsedInBrowser": { "key": key, "pages": pages } });
    let reply = ask(env, project, &command, SEEN_PATIENCE_MS).await;
    matches!(reply, Ok(Reply::Done | Reply::Unfounded))
}

/// Tells the registry which thresholds of limits were passed; whether it has taken it.
pub(crate) async fn passed(env: &Env, subject: &Subject, passed: &[Passed]) -> bool {
    let command = json!({ "Passed": { "of": subject.of, "limits": passed } });
    let reply = ask(env, &subject.project, &command, SEEN_PATIENCE_MS).await;
    matches!(reply, Ok(Reply::Done | Reply::Unfounded))
}

async fn ask(
    env: &Env,
    project: &str,
    command: &Value,
    patience_ms: u64,
) -> Result<Reply, Unavailable> {
    let call = json!({
        "by": "Keyward", "ip": null, "request_id": "", "idempotency": null, "command": command,
    })
    .to_string();
    let asked = object::exchange(env, bindings::PROJECTS, project, &call);
    let answer = timeout::within(patience_ms, asked).await;
    let text = answer.and_then(Result::ok).ok_or(Unavailable)?;
    serde_json::from_str(&text).map_err(|_| Unavailable)
}
