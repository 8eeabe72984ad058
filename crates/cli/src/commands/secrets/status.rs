//! `keyward secrets status`

use std::thread;
use std::time::Duration;

use clap::Args;
use keyward_core::time::Millis;

use super::deployment::{Deployment, Entry};
use crate::client::Client;
use crate::clock;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;

const AFTER_HELP: &str = "\
Examples:
  keyward secrets status
  keyward secrets status --watch

States: current mints and publishes, in_force reads what it published, retired verifies the form of
secrets and nothing else. An entry in force can go when all records are under the current one.";

/// How often the projects are asked.
const INTERVAL: Duration = Duration::from_secs(2);

/// Say which entries are in use, and from when an old one can go
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Status {
    /// Wait until all records are under the current entry
    #[arg(long)]
    watch: bool,
}

impl Status {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        let client = Client::from_environment()?;
        let deployment = Deployment::ask(&client)?;
        let deployment = if self.watch {
            wait(&client, deployment, output)?
        } else {
            deployment
        };
        show(&deployment, output)
    }
}

/// Asks until all records are under the current entry.
pub(super) fn wait(
    client: &Client,
    mut deployment: Deployment,
    output: &Output,
) -> Result<Deployment, Failure> {
    let (published, records) = deployment.progress();
    let progress = Progress::new(output, Some(records), "records");
    progress.start_at(published);
    while !deployment.is_finished() {
        thread::sleep(INTERVAL);
        deployment = Deployment::ask(client)?;
        let (published, records) = deployment.progress();
        progress.set_total(records);
        progress.set(published);
    }
    Ok(deployment)
}

/// Prints a row for each entry.
pub(super) fn show(deployment: &Deployment, output: &Output) -> Result<(), Failure> {
    if output.json {
        let json = serde_json::to_string(deployment)
            .map_err(|error| Failure::Failed(error.to_string()))?;
        return output.data(&json);
    }
    let rows: Vec<_> = deployment
        .entries
        .iter()
        .map(|entry| {
            vec![
                entry.id.clone(),
                entry.state.clone(),
                entry.records.to_string(),
                entry.published.to_string(),
                can_go(entry),
            ]
        })
        .collect();
    output.rows(&["ENTRY", "STATE", "RECORDS", "PUBLISHED", "CAN GO"], &rows)
}

/// From when an entry is not needed.
pub(super) fn can_go(entry: &Entry) -> String {
    match (&*entry.state, &entry.droppable_at) {
        ("current", _) => String::new(),
        ("retired", _) => "retired".to_owned(),
        (_, Some(time)) if is_past(time) => "now".to_owned(),
        (_, Some(time)) => time.clone(),
        (_, None) => "not yet".to_owned(),
    }
}

/// Whether a time has come.
pub(super) fn is_past(time: &str) -> bool {
    time.parse::<Millis>()
        .is_ok_and(|time| time <= clock::now())
}
