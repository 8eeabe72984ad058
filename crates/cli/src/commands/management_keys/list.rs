//! `keyward management-keys list`

use clap::{Args, ValueEnum};

use crate::commands::keys::page::Paging;
use crate::commands::projects;
use crate::failure::Failure;
use crate::model::ManagementKey;
use crate::output::Output;

/// List management keys, newest first
#[derive(Args)]
pub(crate) struct List {
    /// Only keys of this project
    #[arg(long, short, value_parser = projects::id, value_name = "ID")]
    project: Option<String>,

    /// Only keys in this state
    #[arg(long)]
    status: Option<Status>,

    #[command(flatten)]
    paging: Paging,
}

#[derive(Clone, Copy, ValueEnum)]
enum Status {
    Active,
    Disabled,
    Revoked,
}

impl List {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        let status = self.status.map(|status| match status {
            Status::Active => "active",
            Status::Disabled => "disabled",
            Status::Revoked => "revoked",
        });
        let mut filters = Vec::new();
        filters.extend(status.map(|status| ("status", status)));
        filters.extend(self.project.as_deref().map(|project| ("project", project)));
        let row = |key: ManagementKey| {
            vec![
                key.id,
                key.name,
                key.project,
                key.scopes.join(" "),
                key.status,
                key.last_used_at,
            ]
        };
        self.paging.print(
            &super::client()?,
            output,
            "management-keys",
            &filters,
            &["ID", "NAME", "PROJECT", "SCOPES", "STATUS", "LAST USED"],
            row,
        )
    }
}
