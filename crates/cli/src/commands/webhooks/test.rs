//! `keyward webhooks test`

use serde::Deserialize;

use super::OneWebhook;
use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Output, plain};

#[derive(Deserialize)]
struct Tested {
    message: String,
    delivered: bool,
    failure: Option<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    status: Option<u16>,
    #[serde(default)]
    cause: String,
}

/// Sends a message now. That the endpoint does not take it is a refusal: exit code 1.
pub(super) fn run(webhook: &OneWebhook, output: &Output) -> Result<(), Failure> {
    let path = format!("{}/test", webhook.path());
    let answer = Client::from_environment()?.post(&path, None)?;
    let tested: Tested = answer.read()?;
    if output.json {
        output.data(&answer.text)?;
    } else if tested.delivered {
        let row = vec![plain(&tested.message), "delivered".to_owned()];
        output.rows(&["MESSAGE", "STATUS"], &[row])?;
    }
    if tested.delivered {
        return Ok(());
    }
    let why = match tested.failure {
        Some(Reason {
            status: Some(status),
            ..
        }) => format!("it answered {status}"),
        Some(Reason { cause, .. }) => match cause.as_str() {
            "timeout" => "it did not answer within 10 seconds".to_owned(),
            "unreachable" => "it could not be reached".to_owned(),
            "address_denied" => "the deployment does not allow its address".to_owned(),
            "secret_unavailable" => "its secret cannot be opened; rotate it".to_owned(),
            other => plain(other),
        },
        None => "why is not known".to_owned(),
    };
    Err(Failure::Failed(format!(
        "the endpoint did not take the message: {why}"
    )))
}
