//! `keyward whoami`

use clap::Args;
use serde_json::{Map, Value};

use crate::client::Client;
use crate::failure::Failure;
use crate::model;
use crate::output::Output;

/// Show which management key this is and what it may do
#[derive(Args)]
pub(crate) struct Whoami {}

impl Whoami {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        let answer = Client::from_environment()?.get("whoami", &[])?;
        if output.json {
            return output.data(&answer.text);
        }
        output.fields(&model::rows(&answer.read::<Map<String, Value>>()?))
    }
}
