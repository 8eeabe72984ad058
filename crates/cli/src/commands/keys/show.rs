//! `keyward keys show`

use clap::Args;
use serde_json::{Map, Value};

use super::OneKey;
use crate::failure::Failure;
use crate::model::{self, Where};
use crate::output::Output;

const AFTER_HELP: &str = "\
Examples:
  keyward keys show --project acme key_0123456789ABCDEFGHIJ
  keyward keys show --project acme key_0123456789ABCDEFGHIJ --where

--where compares the registry, which decides, with KV, from which every location reads: a row for
each secret and each entry of KEYWARD_SECRET.";

/// Show a key
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Show {
    #[command(flatten)]
    key: OneKey,

    /// How far it is published instead: its version in the registry and in KV
    #[arg(long = "where")]
    place: bool,
}

impl Show {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        let path = self.key.path();
        if self.place {
            return self.place(&path, output);
        }
        let answer = super::client()?.get(&path, &[])?;
        if output.json {
            return output.data(&answer.text);
        }
        output.fields(&model::rows(&answer.read::<Map<String, Value>>()?))
    }

    fn place(&self, path: &str, output: &Output) -> Result<(), Failure> {
        let answer = super::client()?.get(&format!("{path}/where"), &[])?;
        if output.json {
            return output.data(&answer.text);
        }
        let place: Where = answer.read()?;
        let registry = place.version.to_string();
        let rows: Vec<_> = place
            .replicas
            .into_iter()
            .map(|replica| {
                let version = replica.version.map(|version| version.to_string());
                let kv = version.unwrap_or_else(|| "-".to_owned());
                vec![
                    replica.secret,
                    replica.entry,
                    registry.clone(),
                    kv,
                    replica.state,
                ]
            })
            .collect();
        output.rows(&["SECRET", "ENTRY", "REGISTRY", "KV", "STATE"], &rows)?;
        if rows.is_empty() {
            output.say(&format!(
                "Version {registry} in the registry; no secret of it has a record in KV."
            ));
        }
        Ok(())
    }
}
