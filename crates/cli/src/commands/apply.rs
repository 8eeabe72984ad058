//! `keyward apply`: makes a project's keys as a file says.
//!
//! 1. The file is read and brought into the form in which the management API shows keys, so that
//!    the same thing written differently is no change.
//! 2. A key of the file is the one key of the project with its environment and name that is not
//!    revoked. Keys without a name are never touched.
//! 3. The plan is shown, and carried out after a yes. Every change is made to the version that
//!    was planned on; who changed the key meanwhile is not overwritten.

mod canonical;
mod document;
mod patch;
mod perform;
mod plan;
mod show;

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value, json};

use self::document::Document;
use self::perform::Outcome;
use self::plan::Plan;
use crate::client::{self, Client};
use crate::confirm::Confirm;
use crate::failure::Failure;
use crate::model::Page;
use crate::output::Output;
use crate::progress::Progress;

const AFTER_HELP: &str = "\
Examples:
  keyward apply -f keys.toml --dry-run
  keyward apply -f keys.toml --yes > secrets.tsv
  keyward apply -f keys.toml --prune

The file:
  project = \"acme\"
  environments = [\"live\"]       # what --prune looks at; left out, those of the keys

  [[key]]
  name = \"Shop page\"            # with the environment, it says which key this is
  environment = \"live\"          # live if left out
  referrers = [\"https://shop.example.com\"]
  metadata = { team = \"web\" }
  limits = { rate = [{ limit = 100, window_s = 60 }], quota = { limit = 10000, period = \"month\" } }

A field that is left out is taken off the key; only `status` is then left as it is (\"active\" and
\"disabled\" set it). The secrets of new keys go to standard output, a line each: name, id, secret.

Exit codes: 0 done or nothing to do, 1 failed, 2 usage";

/// Make a project's keys as a file says
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Apply {
    /// The file; - is standard input
    #[arg(long, short, default_value = "keys.toml")]
    file: PathBuf,

    /// The project, if the file names none [env: KEYWARD_PROJECT]
    #[arg(long, short, value_parser = super::projects::id, value_name = "ID")]
    project: Option<String>,

    /// Revoke the keys that the file does not have
    #[arg(long)]
    prune: bool,

    /// Show the plan, and change nothing
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    confirm: Confirm,
}

impl Apply {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        let document = Document::read(&self.file)?;
        let project = self.project(document.project.as_deref())?;
        let client = Client::from_environment()?;
        let path = format!("projects/{project}/keys");
        let existing = keys(&client, &path, output)?;
        let plan = Plan::make(document, &existing, self.prune)?;
        if !output.json {
            plan.show(output, &project);
        }
        let mut outcome = Outcome::default();
        let result = if self.dry_run || plan.is_empty() {
            Ok(())
        } else {
            self.confirm.ask(&plan.question(&project))?;
            outcome.carry_out(&plan, &client, &path, output)
        };
        if output.json {
            let answer = json!({
                "project": project, "dry_run": self.dry_run, "plan": plan.to_json(),
                "outcome": outcome.steps,
            });
            output.data(&answer.to_string())?;
        }
        result
    }

    /// The file's word and the argument must agree; the environment is asked last, because it
    /// is there for other commands too.
    fn project(&self, in_file: Option<&str>) -> Result<String, Failure> {
        match (in_file, &self.project) {
            (Some(file), Some(argument)) if file != argument => Err(Failure::Usage(format!(
                "the file is for the project {file}, and --project says {argument}"
            ))),
            (Some(project), _) => Ok(project.to_owned()),
            (None, Some(project)) => Ok(project.clone()),
            (None, None) => {
                let project = client::variable("KEYWARD_PROJECT").ok_or_else(|| {
                    Failure::Usage(
                        "name the project: `project = \"…\"` in the file, or --project".to_owned(),
                    )
                })?;
                super::projects::id(&project)
                    .map_err(|message| Failure::Usage(format!("KEYWARD_PROJECT: {message}")))
            }
        }
    }
}

/// All keys of the project that are not deleted.
fn keys(client: &Client, path: &str, output: &Output) -> Result<Vec<Map<String, Value>>, Failure> {
    let progress = Progress::new(output, None, "keys read");
    let mut keys = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut query = vec![("limit", "100")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page: Page<Map<String, Value>> = client.get(path, &query)?.read()?;
        keys.extend(page.items);
        progress.set(keys.len() as u64);
        if page.next_cursor.is_none() {
            return Ok(keys);
        }
        cursor = page.next_cursor;
    }
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}
