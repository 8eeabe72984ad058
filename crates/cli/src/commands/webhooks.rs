//! `keyward webhooks …`: endpoints that are told what happens to a project's keys.

mod create;
mod end;
mod rotate;
mod test;
mod update;

use clap::{Args, Subcommand};
use keyward_core::names;
use serde_json::{Map, Value};

use super::in_project::InProject;
use crate::client::{Answer, Client};
use crate::failure::Failure;
use crate::model::{self, Page, Webhook};
use crate::output::{Output, plain};

/// `keyward webhooks …`
#[derive(Subcommand)]
pub(crate) enum Webhooks {
    /// Set an endpoint; its secret is shown once
    Create(create::Create),
    /// List the endpoints of a project, oldest first
    List(InProject),
    /// Show an endpoint, and how sending to it goes
    Show(OneWebhook),
    /// Send a message to an endpoint now, and say what became of it
    Test(OneWebhook),
    /// Change where an endpoint leads, what it is told or whether it is
    Update(update::Update),
    /// Give an endpoint a new secret; the older one signs too for a while
    Rotate(rotate::Rotate),
    /// Send nothing to an endpoint until it is enabled again
    Disable(end::Disable),
    /// Send to a disabled endpoint again
    Enable(OneWebhook),
    /// Forget an endpoint and what waits for it
    Delete(end::Delete),
}

/// An endpoint of a project.
#[derive(Args)]
pub(crate) struct OneWebhook {
    #[command(flatten)]
    project: InProject,

    /// Its id, whk_…
    #[arg(value_parser = id)]
    id: String,
}

impl Webhooks {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        match self {
            Self::Create(command) => command.run(output),
            Self::List(project) => list(&project, output),
            Self::Show(webhook) => {
                let answer = Client::from_environment()?.get(&webhook.path(), &[])?;
                show(&answer, output)
            }
            Self::Test(webhook) => test::run(&webhook, output),
            Self::Update(command) => command.run(output),
            Self::Rotate(command) => command.run(output),
            Self::Disable(command) => command.run(output),
            Self::Enable(webhook) => webhook.to("enable", output),
            Self::Delete(command) => command.run(output),
        }
    }
}

impl OneWebhook {
    fn path(&self) -> String {
        format!("{}/{}", all(&self.project), self.id)
    }

    fn to(&self, verb: &str, output: &Output) -> Result<(), Failure> {
        let path = format!("{}/{verb}", self.path());
        let answer = Client::from_environment()?.post(&path, None)?;
        show(&answer, output)
    }
}

fn all(project: &InProject) -> String {
    format!("{}/webhooks", project.address())
}

fn list(project: &InProject, output: &Output) -> Result<(), Failure> {
    let answer = Client::from_environment()?.get(&all(project), &[])?;
    if output.json {
        return output.data(&answer.text);
    }
    let page: Page<Webhook> = answer.read()?;
    let row = |webhook: Webhook| {
        let events = if webhook.events.is_empty() {
            "all".to_owned()
        } else {
            webhook.events.join(" ")
        };
        vec![
            webhook.id,
            webhook.url,
            events,
            webhook.status,
            webhook.waiting.to_string(),
            webhook.dropped.to_string(),
        ]
    };
    let rows: Vec<_> = page.items.into_iter().map(row).collect();
    let header = ["ID", "URL", "EVENTS", "STATUS", "WAITING", "DROPPED"];
    output.rows(&header, &rows)
}

fn show(answer: &Answer, output: &Output) -> Result<(), Failure> {
    if output.json {
        return output.data(&answer.text);
    }
    output.fields(&model::rows(&answer.read::<Map<String, Value>>()?))
}

/// Prints an endpoint and its new secret; in a pipe, the secret alone. `verb` is what was done.
fn issued(answer: &Answer, verb: &str, output: &Output) -> Result<(), Failure> {
    if output.json {
        return output.data(&answer.text);
    }
    let created: Map<String, Value> = answer.read()?;
    let nothing = Map::new();
    let webhook = created.get("webhook").and_then(Value::as_object);
    let webhook = webhook.unwrap_or(&nothing);
    let secret = super::change::word(&created, "secret");
    if output.terminal {
        output.fields(&model::rows(webhook))?;
        output.data(&format!("\n  {secret}\n"))?;
    } else {
        output.data(&secret)?;
        let id = super::change::word(webhook, "id");
        output.say(&format!("{verb} {}.", plain(&id)));
    }
    output.say("Keep it now. This is the only time that the secret is shown.");
    Ok(())
}

fn id(text: &str) -> Result<String, String> {
    if names::is_webhook_id(text) {
        return Ok(text.to_owned());
    }
    Err("a webhook's id is whk_ and 16 letters and digits".to_owned())
}
