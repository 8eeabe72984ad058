//! `keyward keys list`

use clap::{Args, ValueEnum};

use super::InProject;
use super::page::Paging;
use crate::failure::Failure;
use crate::model::Key;
use crate::output::Output;

const AFTER_HELP: &str = "\
Examples:
  keyward keys list --project acme
  keyward keys list --project acme --status active --owner customer-17
  keyward keys list --project acme --all | cut -f1";

/// List keys, newest first
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct List {
    #[command(flatten)]
    project: InProject,

    /// Only keys in this state
    #[arg(long)]
    status: Option<Status>,

    /// Only keys of this owner
    #[arg(long)]
    owner: Option<String>,

    /// Only keys whose name or id contains this
    #[arg(long, short, value_name = "TEXT")]
    query: Option<String>,

    #[command(flatten)]
    paging: Paging,
}

#[derive(Clone, Copy, ValueEnum)]
enum Status {
    Active,
    Disabled,
    Revoked,
    Suspended,
}

impl Status {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Revoked => "revoked",
            Self::Suspended => "suspended",
        }
    }
}

impl List {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        let mut filters = Vec::new();
        filters.extend(self.status.map(|status| ("status", status.as_str())));
        filters.extend(self.owner.as_deref().map(|owner| ("owner", owner)));
        filters.extend(self.query.as_deref().map(|query| ("q", query)));
        let header = [
            "ID",
            "NAME",
            "KIND",
            "ENVIRONMENT",
            "STATUS",
            "OWNER",
            "CREATED",
        ];
        let row = |key: Key| {
            vec![
                key.id,
                key.name,
                key.kind,
                key.environment,
                key.status,
                key.owner,
                key.created_at,
            ]
        };
        self.paging.print(
            &super::client()?,
            output,
            &self.project.path(),
            &filters,
            &header,
            row,
        )
    }
}
