//! `keyward keys create`

use clap::Args;
use owo_colors::OwoColorize as _;

use super::InProject;
use super::fields::Fields;
use crate::failure::Failure;
use crate::model::{self, Created};
use crate::output::Output;

const AFTER_HELP: &str = "\
Examples:
  keyward keys create --project acme --name 'Shop page' --referrer 'https://shop.example.com'
  keyward keys create --project acme --name 'Night job' --scope orders:read --ip 203.0.113.0/24
  keyward keys create --project acme --path 'GET /v1/items/**' --expires-in 30d
  SECRET=$(keyward keys create --project acme)

The secret is shown once. In a pipe, it alone is on standard output.";

/// Create a key; its secret is shown once
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Create {
    #[command(flatten)]
    project: InProject,

    #[command(flatten)]
    fields: Fields,
}

impl Create {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        let answer = super::client()?.post(&self.project.path(), Some(&self.fields.to_json()))?;
        if output.json {
            return output.data(&answer.0);
        }
        let created: Created = answer.read()?;
        if output.terminal {
            output.fields(&model::rows(&created.key))?;
            output.data(&format!("\n  {}\n", created.secret.green().bold()))?;
        } else {
            output.data(&created.secret)?;
            let id = created
                .key
                .get("id")
                .and_then(serde_json::Value::as_str)
                .unwrap_or_default();
            output.say(&format!("Created {}.", crate::output::plain(id)));
        }
        output.say(&format!(
            "{} This is the only time that the secret is shown.",
            "Keep it now.".bold()
        ));
        output.say(&super::publication(&created.publication));
        Ok(())
    }
}
