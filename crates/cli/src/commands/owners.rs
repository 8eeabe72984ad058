//! `keyward owners …`: one call for all keys of an owner.

mod credits;
mod limit;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::change;
use super::in_project::InProject;
use super::keys::page::Paging;
use super::limits;
use super::revocation::Note;
use crate::client::{Answer, Client};
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
    /// Limit what all keys of an owner may use together
    Limit(limit::Limit),
    /// Add to the credits that an owner's keys share, or replace them
    Credits(credits::Credits),
    /// List the owners that are suspended or have limits
    List(List),
}

/// An owner of keys of a project.
#[derive(Args)]
struct Owned {
    #[command(flatten)]
    project: InProject,

    /// The owner, as the keys name it
    owner: String,
}

/// An owner, and a note about what is done to it.
#[derive(Args)]
pub(crate) struct One {
    #[command(flatten)]
    owned: Owned,

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
            Self::Limit(command) => command.run(output),
            Self::Credits(command) => command.run(output),
            Self::List(list) => list.run(output),
        }
    }
}

impl One {
    fn to(&self, verb: &str, done: &str, output: &Output) -> Result<(), Failure> {
        let answer = self.owned.post(verb, self.note.fields())?;
        self.owned.report(&answer, done, output)
    }
}

impl Owned {
    /// Does something to the owner; `body` is what there is to say beside its name.
    fn post(&self, verb: &str, body: Map<String, Value>) -> Result<Answer, Failure> {
        self.post_once(verb, body, None)
    }

    /// As [`Owned::post`], once for each `key`.
    fn post_once(
        &self,
        verb: &str,
        mut body: Map<String, Value>,
        key: Option<&str>,
    ) -> Result<Answer, Failure> {
        body.insert("owner".to_owned(), json!(self.owner));
        let path = format!("{}/owners:{verb}", self.project.address());
        Client::from_environment()?.post_once(&path, Some(&Value::Object(body)), key)
    }

    /// Prints the answer. `done` is what was done.
    fn report(&self, answer: &Answer, done: &str, output: &Output) -> Result<(), Failure> {
        if output.json {
            return output.data(&answer.text);
        }
        let changed: Map<String, Value> = answer.read()?;
        let keys = changed
            .get("keys")
            .and_then(Value::as_u64)
            .unwrap_or_default();
        let limits = limits::brief(changed.get("limits"));
        output.rows(
            &["OWNER", "KEYS", "LIMITS"],
            &[vec![self.owner.clone(), keys.to_string(), limits]],
        )?;
        output.say(&format!("{done} {}.", plain(&self.owner)));
        if keys == 0 {
            output.say("No key of this project has this owner: is it written as `keyward keys list` shows it?");
        }
        change::publication_of(&changed, output);
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
                limits::brief(owner.limits.as_ref()),
            ]
        };
        self.paging.print(
            &Client::from_environment()?,
            output,
            &format!("{}/owners", self.project.address()),
            &[],
            &["OWNER", "KEYS", "SUSPENDED", "NOTE", "LIMITS"],
            row,
        )
    }
}
