//! `keyward management-keys create`

use clap::Args;
use serde_json::{Value, json};

use super::limits::Limits;
use crate::commands::{issued, projects};
use crate::failure::Failure;
use crate::output::Output;

const AFTER_HELP: &str = "\
Examples:
  keyward management-keys create --name owner
  keyward management-keys create --name ci --project acme --scope keys:read --scope keys:write
  export KEYWARD_KEY=$(keyward management-keys create --name laptop --expires-in 90d)

Without --project it is a key of the account: it may call for every project, and create projects.
KEYWARD_PROJECT does not count here. A key can make none that may do more than itself. The first
one is made with the bootstrap secret in KEYWARD_KEY, which is refused from then on.

The secret is shown once. In a pipe, it alone is on standard output.";

/// Create a management key; its secret is shown once
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Create {
    /// A name for people; the audit log shows it
    #[arg(long)]
    name: String,

    /// Only for this project
    #[arg(long, short, value_parser = projects::id, value_name = "ID")]
    project: Option<String>,

    #[command(flatten)]
    limits: Limits,
}

impl Create {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        let mut body = self.limits.to_json();
        body.insert("name".to_owned(), json!(self.name));
        if let Some(project) = &self.project {
            body.insert("project".to_owned(), json!(project));
        }
        let answer = super::client()?.post("management-keys", Some(&Value::Object(body)))?;
        issued::report(&answer, "Created", output)
    }
}
