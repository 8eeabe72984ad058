//! `keyward projects show`

use clap::Args;
use serde_json::{Map, Value};

use crate::client::Client;
use crate::failure::Failure;
use crate::model;
use crate::output::Output;

/// Show a project
#[derive(Args)]
pub(crate) struct Show {
    /// Its id
    #[arg(value_parser = super::id)]
    id: String,
}

impl Show {
    pub(super) fn run(&self, client: &Client, output: &Output) -> Result<(), Failure> {
        let answer = client.get(&format!("projects/{}", self.id), &[])?;
        if output.json {
            return output.data(&answer.text);
        }
        output.fields(&model::rows(&answer.read::<Map<String, Value>>()?))
    }
}
