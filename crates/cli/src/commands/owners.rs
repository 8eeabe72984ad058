//! `keyward owners …`: one call for all keys of an owner.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::change;
use super::in_project::InProject;
use super::keys::page::Paging;
use super::revocation::Note;
use crate::client::Client;
use crate::failure::Failure;
use crate::model::Owner;
use crate::output::{Output, plain};

/// `keyward owners …`
#[derive(Subcommand)]
pub(crate) enum Owners {
    /// Refuse every key of an owner until the owner is resumed
    #[command(
        after_help = "It takes effect as a revocation does, also for keys that the owner is given later."
    )]
    Suspend(One),
    /// Accept a suspended owner's keys again
    Resume(One),
    /// List the suspended owners of a project
    List(List),
}

/// An owner of keys of a project.
#[derive(Args)]
pub(crate) struct One {
    #[command(flatten)]
    project: InProject,

    /// The owner, as the keys name it
    owner: String,

    #[command(flatten)]
    note: Note,
}

#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    project: InProject,

    #[command(flatten)]
    paging: Paging,
}

impl Owners {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        match self {
            Self::Suspend(one) => one.to("suspend", "Suspended", output),
            Self::Resume(one) => one.to("resume", "Resumed", output),
            Self::List(list) => list.run(output),
        }
    }
}

impl One {
    fn to(&self, verb: &str, done: &str, output: &Output) -> Result<(), Failure> {
        let mut body = self.note.fields();
        body.insert("owner".to_owned(), json!(self.owner));
        let path = format!("{}/owners:{verb}", self.project.address());
        let answer = Client::from_environment()?.post(&path, Some(&Value::Object(body)))?;
        if output.json {
            return output.data(&answer.text);
        }
        let changed: Map<String, Value> = answer.read()?;
        let keys = changed
            .get("keys")
            .and_then(Value::as_u64)
            .unwrap_or_default();
        output.rows(
            &["OWNER", "KEYS"],
            &[vec![self.owner.clone(), keys.to_string()]],
        )?;
        output.say(&format!("{done} {}.", plain(&self.owner)));
        if keys == 0 {
            output.say("No key of this project has this owner: is it written as `keyward keys list` shows it?");
        }
        change::publication(&change::word(&changed, "publication"), output);
        Ok(())
    }
}

impl List {
    fn run(&self, output: &Output) -> Result<(), Failure> {
        let row = |owner: Owner| {
            vec![
                owner.owner,
                owner.keys.to_string(),
                owner.suspended_at,
                owner.note,
            ]
        };
        self.paging.print(
            &Client::from_environment()?,
            output,
            &format!("{}/owners", self.project.address()),
            &[],
            &["OWNER", "KEYS", "SUSPENDED", "NOTE"],
            row,
        )
    }
}
