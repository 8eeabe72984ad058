//! `keyward audit`

use clap::Args;

use super::entry::Entry;
use super::{Log, Period};
use crate::client::Client;
use crate::commands::keys;
use crate::commands::keys::page::Paging;
use crate::failure::Failure;
use crate::output::Output;

/// Which entries.
#[derive(Args)]
pub(super) struct List {
    #[command(flatten)]
    log: Log,

    /// Only changes of this key
    #[arg(long, value_name = "ID", value_parser = keys::id)]
    key: Option<String>,

    /// Only changes by this management key
    #[arg(long, value_name = "ID")]
    actor: Option<String>,

    /// Only this action, as in key.rotate
    #[arg(long)]
    action: Option<String>,

    #[command(flatten)]
    period: Period,

    #[command(flatten)]
    paging: Paging,
}

impl List {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        let period = self.period.query();
        let words = [
            ("key", self.key.as_deref()),
            ("actor", self.actor.as_deref()),
            ("action", self.action.as_deref()),
        ];
        let filters: Vec<_> = words
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .chain(period.iter().map(|(name, time)| (*name, time.as_str())))
            .collect();
        let path = self.log.path()?;
        self.paging.print(
            &Client::from_environment()?,
            output,
            &path,
            &filters,
            &["AT", "ACTION", "TARGET", "BY", "FROM", "CHANGES"],
            Entry::cells,
        )
    }
}
