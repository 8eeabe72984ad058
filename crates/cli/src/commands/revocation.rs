//! `--reason` and `--note` of a revocation.

use clap::Args;
use clap::builder::PossibleValuesParser;
use keyward_core::revocation::{LONGEST_NOTE, Reason};
use serde_json::{Map, Value, json};

/// Why something is revoked.
#[derive(Args)]
pub(super) struct Revocation {
    /// Why, in the words of RFC 5280 [default: unspecified]
    #[arg(long, value_parser = PossibleValuesParser::new(Reason::ALL.iter().map(|(word, _)| *word)))]
    reason: Option<String>,

    #[command(flatten)]
    note: Note,
}

/// `--note`.
#[derive(Args)]
pub(super) struct Note {
    /// A sentence for whoever looks later, at most 200 characters
    #[arg(long, value_name = "TEXT", value_parser = note)]
    note: Option<String>,
}

impl Revocation {
    /// As the management API takes it.
    pub(super) fn to_json(&self) -> Value {
        let mut body = self.note.fields();
        body.extend(
            self.reason
                .iter()
                .map(|reason| ("reason".to_owned(), json!(reason))),
        );
        Value::Object(body)
    }
}

impl Note {
    /// As the management API takes it.
    pub(super) fn to_json(&self) -> Value {
        Value::Object(self.fields())
    }

    /// The same, to be added to.
    pub(super) fn fields(&self) -> Map<String, Value> {
        let note = self.note.iter();
        note.map(|note| ("note".to_owned(), json!(note))).collect()
    }
}

fn note(text: &str) -> Result<String, String> {
    if text.chars().count() <= LONGEST_NOTE {
        return Ok(text.to_owned());
    }
    Err(format!("a note has at most {LONGEST_NOTE} characters"))
}
