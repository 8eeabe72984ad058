//! `keyward webhooks update`

use clap::Args;
use clap::builder::PossibleValuesParser;
use keyward_core::webhook::Event;
use serde_json::{Map, Value, json};

use super::OneWebhook;
use crate::client::Client;
use crate::commands::change;
use crate::failure::Failure;
use crate::output::Output;

const AFTER_HELP: &str = "\
Examples:
  keyward webhooks update --project acme whk_2mZr8QxT5vKc1JyB --url https://ops.example.com/new
  keyward webhooks update --project acme whk_2mZr8QxT5vKc1JyB \\
    --event key.leaked --event limit.reached
  keyward webhooks update --project acme whk_2mZr8QxT5vKc1JyB --all-events

Its secret stays; `keyward webhooks rotate` gives it another. What waits is sent to the new address.";

/// Change where an endpoint leads, what it is told or whether it is
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Update {
    #[command(flatten)]
    webhook: OneWebhook,

    /// Where messages are sent: https, on the public internet
    #[arg(long)]
    url: Option<String>,

    /// Only of this, in place of what was named before; may be repeated
    #[arg(long = "event", value_name = "EVENT", value_parser = PossibleValuesParser::new(Event::ALL.iter().map(|(word, _)| *word)))]
    events: Vec<String>,

    /// Of all events
    #[arg(long, conflicts_with = "events")]
    all_events: bool,

    /// A sentence for people
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,

    /// No description
    #[arg(long, conflicts_with = "description")]
    no_description: bool,

    /// Whether it is sent to; with false, what waits for it is dropped
    #[arg(long, value_name = "BOOL")]
    enabled: Option<bool>,

    /// Only if it is still this version of the endpoint
    #[arg(long, value_name = "N")]
    if_version: Option<u64>,
}

impl Update {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        let client = Client::from_environment()?;
        let show = format!("keyward webhooks show {}", self.webhook.id);
        let path = self.webhook.path();
        let answer = change::edit(&client, &path, self.if_version, &self.patch(), &show)?;
        super::show(&answer, output)
    }

    fn patch(&self) -> Map<String, Value> {
        let events = (!self.events.is_empty()).then(|| json!(self.events));
        let description = self.description.as_ref().map(|text| json!(text));
        [
            ("url", self.url.as_ref().map(|url| json!(url))),
            ("events", events.or(self.all_events.then_some(Value::Null))),
            (
                "description",
                description.or(self.no_description.then_some(Value::Null)),
            ),
            ("enabled", self.enabled.map(|enabled| json!(enabled))),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
    }
}
