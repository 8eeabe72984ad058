//! `keyward projects list`

use clap::Args;

use crate::client::Client;
use crate::commands::keys::page::Paging;
use crate::failure::Failure;
use crate::model::Project;
use crate::output::Output;

/// List the projects
#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    paging: Paging,
}

impl List {
    pub(super) fn run(&self, client: &Client, output: &Output) -> Result<(), Failure> {
        let row = |project: Project| vec![project.id, project.name, project.created_at];
        self.paging.print(
            client,
            output,
            "projects",
            &[],
            &["ID", "NAME", "CREATED"],
            row,
        )
    }
}
