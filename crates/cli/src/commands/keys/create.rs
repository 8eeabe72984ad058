//! `keyward keys create`

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::fields::Fields;
use crate::commands::in_project::InProject;
use crate::commands::issued;
use crate::failure::Failure;
use crate::output::Output;

const AFTER_HELP: &str = "\
Examples:
  keyward keys create --project acme --name 'Shop page' --referrer 'https://shop.example.com'
  keyward keys create --project acme --name 'Night job' --scope orders:read --ip 203.0.113.0/24
  keyward keys create --project acme --path 'GET /v1/items/**' --expires-in 30d
  keyward keys create --project acme --owner customer-17 --rate 100/60s --quota 10000/month@15
  SECRET=$(keyward keys create --project acme)

The secret is shown once. In a pipe, it alone is on standard output.";

/// Create a key; its secret is shown once
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Create {
    #[command(flatten)]
    project: InProject,

    /// Public keys may be seen in a page; left out, it follows from the restrictions
    #[arg(long)]
    kind: Option<Kind>,

    /// An environment of the project, as in test [default: live]
    #[arg(long, short, value_name = "NAME")]
    environment: Option<String>,

    #[command(flatten)]
    fields: Fields,
}

/// The kinds of keys of projects.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Kind {
    Public,
    Private,
}

impl Kind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
        }
    }
}

impl Create {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        let mut body = self.fields.to_json();
        if let Some(kind) = self.kind {
            body.insert("kind".to_owned(), json!(kind.as_str()));
        }
        if let Some(environment) = &self.environment {
            body.insert("environment".to_owned(), json!(environment));
        }
        let body = Value::Object(body);
        let answer = super::client()?.post(&self.project.path(), Some(&body))?;
        issued::report(&answer, "Created", output)
    }
}
