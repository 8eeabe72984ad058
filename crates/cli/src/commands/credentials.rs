//! `keyward credentials …`: what a project has for origins.

use std::io::{self, IsTerminal as _, Read as _};

use clap::{Args, Subcommand};
use keyward_api::request::LONGEST_VALUE;
use keyward_core::{names, route};
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::in_project::InProject;
use crate::client::Client;
use crate::confirm::Confirm;
use crate::failure::Failure;
use crate::model::Page;
use crate::output::Output;

/// `keyward credentials …`
#[derive(Subcommand)]
pub(crate) enum Credentials {
    /// Set a value, which is read from standard input
    Set(Set),
    /// List what is set, without the values
    List(InProject),
    /// Delete a credential: routes that need it refuse the project's calls
    Delete(Delete),
}

const AFTER_HELP: &str = "\
Examples:
  keyward credentials set OPENAI --project acme --origin https://api.openai.com < value
  op read op://vault/openai/key |
    keyward credentials set OPENAI --project acme --origin https://api.openai.com

The value is never an argument, which other users and the shell's history could see, and nothing
shows it again. It goes to this origin alone, where a route has
`credential = { project_secret = \"OPENAI\", header = \"authorization\" }`. One that was there is
replaced: within two minutes every location sends the new value, so end the old one after that.";

/// Set a value, which is read from standard input
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Set {
    #[command(flatten)]
    one: One,

    /// The only origin that receives it: scheme, host and port
    #[arg(long, value_name = "URL", value_parser = route::origin)]
    origin: String,
}

/// Delete a credential: routes that need it refuse the project's calls
#[derive(Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    one: One,

    #[command(flatten)]
    confirm: Confirm,
}

/// A credential of a project.
#[derive(Args)]
struct One {
    #[command(flatten)]
    project: InProject,

    /// What routes name it by: capital letters, digits and _
    #[arg(value_parser = name)]
    name: String,
}

/// A credential, as it is shown.
#[derive(Deserialize)]
struct Shown {
    name: String,
    origin: String,
    version: u64,
    updated_at: String,
}

#[derive(Deserialize)]
struct Changed {
    credential: Shown,
    publication: String,
}

impl Credentials {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        match self {
            Self::Set(command) => command.run(output),
            Self::List(project) => list(&project, output),
            Self::Delete(command) => command.run(output),
        }
    }
}

impl One {
    fn path(&self) -> String {
        format!("{}/{}", all(&self.project), self.name)
    }
}

impl Set {
    fn run(&self, output: &Output) -> Result<(), Failure> {
        let value = value()?;
        let body = json!({ "value": value.as_str(), "origin": self.origin });
        let answer = Client::from_environment()?.put(&self.one.path(), &body)?;
        if output.json {
            return output.data(&answer.text);
        }
        let Changed {
            credential,
            publication,
        } = answer.read()?;
        if publication == "pending" {
            output.say("Not yet everywhere: Keyward goes on until it is.");
        }
        output.rows(&HEADER, &[row(credential)])
    }
}

impl Delete {
    fn run(&self, output: &Output) -> Result<(), Failure> {
        self.confirm.ask(&format!(
            "Delete {}? Calls on routes that need it are refused then.",
            self.one.name
        ))?;
        let answer = Client::from_environment()?.delete(&self.one.path())?;
        if output.json {
            return output.data(&answer.text);
        }
        let row = vec![self.one.name.clone(), "deleted".to_owned()];
        output.rows(&["NAME", "STATUS"], &[row])
    }
}

const HEADER: [&str; 4] = ["NAME", "ORIGIN", "VERSION", "SET"];

fn row(shown: Shown) -> Vec<String> {
    let version = shown.version.to_string();
    vec![shown.name, shown.origin, version, shown.updated_at]
}

fn list(project: &InProject, output: &Output) -> Result<(), Failure> {
    let answer = Client::from_environment()?.get(&all(project), &[])?;
    if output.json {
        return output.data(&answer.text);
    }
    let page: Page<Shown> = answer.read()?;
    let rows: Vec<_> = page.items.into_iter().map(row).collect();
    output.rows(&HEADER, &rows)
}

fn all(project: &InProject) -> String {
    format!("{}/credentials", project.address())
}

fn name(text: &str) -> Result<String, String> {
    if names::is_credential(text) {
        return Ok(text.to_owned());
    }
    Err("a name is a capital letter, then capital letters, digits and _, at most 64".to_owned())
}

/// The value, without the line end that many programs add.
fn value() -> Result<Zeroizing<String>, Failure> {
    if io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "pipe the value into `keyward credentials set`".to_owned(),
        ));
    }
    let mut text = Zeroizing::new(String::with_capacity(LONGEST_VALUE + 3));
    let most = u64::try_from(LONGEST_VALUE + 3).unwrap_or(u64::MAX);
    io::stdin().lock().take(most).read_to_string(&mut text)?;
    let value = text.strip_suffix('\n').unwrap_or(&text);
    let value = value.strip_suffix('\r').unwrap_or(value);
    let fits = (1..=LONGEST_VALUE).contains(&value.len());
    if !fits || !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failure::Usage(format!(
            "a value is 1 to {LONGEST_VALUE} visible ASCII characters"
        )));
    }
    Ok(Zeroizing::new(value.to_owned()))
}
