//! `keyward webhooks create`

use clap::Args;
use clap::builder::PossibleValuesParser;
use keyward_core::webhook::Event;
use serde_json::{Map, Value, json};

use crate::client::Client;
use crate::commands::in_project::InProject;
use crate::failure::Failure;
use crate::output::Output;

const AFTER_HELP: &str = "\
Examples:
  keyward webhooks create --project acme https://ops.example.com/keyward
  keyward webhooks create --project acme https://ops.example.com/leaks \\
    --event key.leaked --event key.used_in_browser
  SECRET=$(keyward webhooks create --project acme https://ops.example.com/keyward)

Messages are those of Standard Webhooks: its libraries verify them with the secret. The secret is
shown once. In a pipe, it alone is on standard output.";

/// Set an endpoint; its secret is shown once
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Create {
    #[command(flatten)]
    project: InProject,

    /// Where messages are sent: https, on the public internet
    url: String,

    /// Only of this; may be repeated [default: all]
    #[arg(long = "event", value_name = "EVENT", value_parser = PossibleValuesParser::new(Event::ALL.iter().map(|(word, _)| *word)))]
    events: Vec<String>,

    /// A sentence for people
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
}

impl Create {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        let mut body = Map::new();
        body.insert("url".to_owned(), json!(self.url));
        if !self.events.is_empty() {
            body.insert("events".to_owned(), json!(self.events));
        }
        if let Some(description) = &self.description {
            body.insert("description".to_owned(), json!(description));
        }
        let path = super::all(&self.project);
        let answer = Client::from_environment()?.post(&path, Some(&Value::Object(body)))?;
        super::issued(&answer, "Created", output)
    }
}
