//! `keyward webhooks rotate`

use clap::Args;
use serde_json::{Map, Value, json};

use super::OneWebhook;
use crate::client::Client;
use crate::commands::rotation;
use crate::failure::Failure;
use crate::output::Output;

/// Give an endpoint a new secret; the older one signs too for a while
#[derive(Args)]
#[command(
    after_help = "Until the overlap is over, each message has a signature with each secret. The new secret is\nshown once. In a pipe, it alone is on standard output."
)]
pub(crate) struct Rotate {
    #[command(flatten)]
    webhook: OneWebhook,

    /// How long the older secret signs too: 0 to 30d [default: 24h]
    #[arg(long, value_name = "DURATION", value_parser = rotation::overlap)]
    overlap: Option<u64>,
}

impl Rotate {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        let mut body = Map::new();
        if let Some(seconds) = self.overlap {
            body.insert("overlap".to_owned(), json!(seconds));
        }
        let path = format!("{}/rotate", self.webhook.path());
        let answer = Client::from_environment()?.post(&path, Some(&Value::Object(body)))?;
        super::issued(&answer, "Rotated", output)
    }
}
