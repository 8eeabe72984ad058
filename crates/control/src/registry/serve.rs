//! How an object answers: JSON in, JSON out. A failure has no body: it says nothing but that it
//! happened.

use keyward_edge::log;
use keyward_edge::storage::StorageError;
use serde::de::DeserializeOwned;
use worker::{Request, Response};

use super::message::Reply;

/// Reads the command, runs it and answers.
///
/// # Errors
/// Only when the runtime cannot even make a response.
pub(super) async fn answer<Command: DeserializeOwned>(
    mut request: Request,
    run: impl AsyncFnOnce(Command) -> Result<Reply, StorageError>,
) -> worker::Result<Response> {
    let Ok(text) = request.text().await else {
        return failed();
    };
    let Ok(command) = serde_json::from_str(&text) else {
        return failed();
    };
    match run(command).await {
        Ok(answer) => match serde_json::to_string(&answer) {
            Ok(text) => Response::ok(text),
            Err(_) => failed(),
        },
        Err(error) => {
            log::registry("registry_failed", None, &error.to_string());
            failed()
        }
    }
}

fn failed() -> worker::Result<Response> {
    Ok(Response::empty()?.with_status(500))
}
