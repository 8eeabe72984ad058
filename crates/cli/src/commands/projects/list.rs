//! `keyward projects list`

use clap::{Args, ValueEnum};

use crate::client::Client;
use crate::commands::keys::page::Paging;
use crate::failure::Failure;
use crate::model::Project;
use crate::output::Output;

/// List the projects
#[derive(Args)]
pub(crate) struct List {
    /// Only projects in this state; archived ones are listed with `archived` only
    #[arg(long)]
    status: Option<Status>,

    #[command(flatten)]
    paging: Paging,
}

#[derive(Clone, Copy, ValueEnum)]
enum Status {
    Active,
    Suspended,
    Archived,
}

impl List {
    pub(super) fn run(&self, client: &Client, output: &Output) -> Result<(), Failure> {
        let status = self.status.map(|status| match status {
            Status::Active => "active",
            Status::Suspended => "suspended",
            Status::Archived => "archived",
        });
        let filters: Vec<_> = status
            .map(|status| ("status", status))
            .into_iter()
            .collect();
        let row =
            |project: Project| vec![project.id, project.name, project.status, project.created_at];
        self.paging.print(
            client,
            output,
            "projects",
            &filters,
            &["ID", "NAME", "STATUS", "CREATED"],
            row,
        )
    }
}
