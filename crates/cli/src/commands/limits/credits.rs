//! `--add` and `--set`: a change of a balance, which another run may repeat.

use clap::Args;
use serde_json::{Map, Value, json};

use super::written;

/// What is done to a balance.
#[derive(Args)]
pub(in crate::commands) struct CreditChange {
    #[command(flatten)]
    act: Act,

    /// Do it once for this name of yours (1 to 255 visible ASCII characters), however often the same
    /// command is run within 24 hours; left out, each run counts
    #[arg(long, value_name = "KEY", value_parser = idempotency_key)]
    idempotency_key: Option<String>,
}

/// Exactly one of the two.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Act {
    /// Add so many to what is left
    #[arg(long, value_name = "N", value_parser = written::amount)]
    add: Option<u64>,

    /// Replace what is left
    #[arg(long, value_name = "N", value_parser = written::balance)]
    set: Option<u64>,
}

impl CreditChange {
    /// The name under which it is done once, if there is one.
    pub(in crate::commands) fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    /// As the management API takes it.
    pub(in crate::commands) fn fields(&self) -> Map<String, Value> {
        [("add", self.act.add), ("set", self.act.set)]
            .into_iter()
            .filter_map(|(name, number)| Some((name.to_owned(), json!(number?))))
            .collect()
    }
}

fn idempotency_key(text: &str) -> Result<String, String> {
    let is_one =
        (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_one {
        Ok(text.to_owned())
    } else {
        Err("must have 1 to 255 visible ASCII characters".to_owned())
    }
}
