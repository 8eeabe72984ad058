//! `keyward keys show`

use clap::Args;
use serde_json::{Map, Value};

use super::OneKey;
use crate::failure::Failure;
use crate::model;
use crate::output::Output;

/// Show a key
#[derive(Args)]
pub(crate) struct Show {
    #[command(flatten)]
    key: OneKey,
}

impl Show {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        let answer = super::client()?.get(&self.key.path(), &[])?;
        if output.json {
            return output.data(&answer.0);
        }
        output.fields(&model::rows(&answer.read::<Map<String, Value>>()?))
    }
}
