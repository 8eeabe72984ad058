//! What a management key may do, as arguments.

use clap::Args;
use clap::builder::PossibleValuesParser;
use keyward_core::management::Scope;
use keyward_core::time::Millis;
use serde_json::{Map, Value, json};

use crate::clock;

/// What a management key may do, where from and when.
#[derive(Args)]
pub(super) struct Limits {
    /// What it may do; repeatable
    #[arg(long = "scope", value_parser = PossibleValuesParser::new(Scope::ALL.iter().map(|(word, _)| *word)))]
    scopes: Vec<String>,

    /// An address or network that may use it; repeatable
    #[arg(long = "ip", value_name = "CIDR")]
    ips: Vec<String>,

    /// Refuse it before this time
    #[arg(long, value_name = "RFC3339", value_parser = clock::instant)]
    not_before: Option<Millis>,

    /// Refuse it from this time on
    #[arg(long, value_name = "RFC3339", value_parser = clock::instant, conflicts_with = "expires_in")]
    expires_at: Option<Millis>,

    /// Refuse it after this time, as in 30d, 12h or 45m
    #[arg(long, value_name = "DURATION", value_parser = clock::duration)]
    expires_in: Option<u64>,
}

impl Limits {
    /// As the management API takes them: what is not given is left out.
    pub(super) fn to_json(&self) -> Map<String, Value> {
        let list = |items: &[String]| (!items.is_empty()).then(|| json!(items));
        let time = |time: Millis| json!(time.to_string());
        let expires_at = self
            .expires_at
            .or_else(|| Some(clock::now().plus(self.expires_in?)));
        [
            ("scopes", list(&self.scopes)),
            ("ips", list(&self.ips)),
            ("not_before", self.not_before.map(time)),
            ("expires_at", expires_at.map(time)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
    }
}
