//! `keyward keys list`

use clap::{Args, ValueEnum};

use super::create::Kind;
use super::page::Paging;
use crate::clock;
use crate::commands::in_project::MaybeProject;
use crate::commands::limits;
use crate::failure::Failure;
use crate::model::Key;
use crate::output::Output;

const AFTER_HELP: &str = "\
Examples:
  keyward keys list --project acme
  keyward keys list --project acme --status active --owner customer-17
  keyward keys list --unused 90d --expiring 14d --unrestricted
  keyward keys list --project acme --all | cut -f1

Without a project, the keys of all projects are listed. --unused, --expiring, --unrestricted and
--full-access are alternatives: a key is listed if one of them is true of it, and the column
ATTENTION says which. Every other filter narrows the list.";

/// List keys, newest first
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct List {
    #[command(flatten)]
    project: MaybeProject,

    /// The keys of all projects, also when KEYWARD_PROJECT is set
    #[arg(long, conflicts_with = "project")]
    all_projects: bool,

    #[command(flatten)]
    filters: Filters,

    #[command(flatten)]
    paging: Paging,

    // The last: its heading holds for what follows.
    #[command(flatten)]
    attention: Attention,
}

#[derive(Args)]
struct Filters {
    /// Only keys in this state; deleted ones are listed with `deleted` only
    #[arg(long)]
    status: Option<Status>,

    /// Only keys of this owner
    #[arg(long)]
    owner: Option<String>,

    /// Only keys whose name, owner or id contains this
    #[arg(long, short, value_name = "TEXT")]
    query: Option<String>,

    /// Only keys of this environment
    #[arg(long, short, value_name = "NAME")]
    environment: Option<String>,

    /// Only keys of this kind
    #[arg(long)]
    kind: Option<Kind>,
}

/// What makes a key worth a look.
#[derive(Args)]
#[command(next_help_heading = "Worth a look")]
struct Attention {
    /// Keys that were not used for so long, as in 90d
    #[arg(long, value_name = "DURATION", value_parser = clock::query)]
    unused: Option<String>,

    /// Keys that expire within this time, as in 14d
    #[arg(long, value_name = "DURATION", value_parser = clock::query)]
    expiring: Option<String>,

    /// Keys without any restriction
    #[arg(long)]
    unrestricted: bool,

    /// Keys that may do everything
    #[arg(long)]
    full_access: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Status {
    Active,
    Disabled,
    Revoked,
    Suspended,
    Deleted,
}

impl Status {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Revoked => "revoked",
            Self::Suspended => "suspended",
            Self::Deleted => "deleted",
        }
    }
}

impl List {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        let project = if self.all_projects {
            None
        } else {
            self.project.chosen()?
        };
        let path = project
            .as_ref()
            .map_or_else(|| "keys".to_owned(), |id| format!("projects/{id}/keys"));
        let attention = self.attention.query();
        let mut columns: Vec<Column> = COLUMNS.to_vec();
        if project.is_none() {
            columns.insert(1, ("PROJECT", |key| key.project.clone()));
        }
        if !attention.is_empty() {
            columns.push(("ATTENTION", |key| key.attention.join(", ")));
        }
        let header: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
        let row = |key: Key| columns.iter().map(|(_, cell)| cell(&key)).collect();
        let query = [self.filters.query(), attention].concat();
        self.paging
            .print(&super::client()?, output, &path, &query, &header, row)
    }
}

/// A column's name, and a key's cell in it.
type Column = (&'static str, fn(&Key) -> String);

const COLUMNS: [Column; 8] = [
    ("ID", |key| key.id.clone()),
    ("NAME", |key| key.name.clone()),
    ("KIND", |key| key.kind.clone()),
    ("ENV", |key| key.environment.clone()),
    ("STATUS", |key| key.status.clone()),
    ("OWNER", |key| key.owner.clone()),
    ("CREATED", |key| key.created_at.clone()),
    ("LIMITS", |key| limits::brief(key.limits.as_ref())),
];

impl Filters {
    fn query(&self) -> Vec<(&str, &str)> {
        [
            ("status", self.status.map(Status::as_str)),
            ("owner", self.owner.as_deref()),
            ("q", self.query.as_deref()),
            ("environment", self.environment.as_deref()),
            ("kind", self.kind.map(Kind::as_str)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }
}

impl Attention {
    fn query(&self) -> Vec<(&str, &str)> {
        [
            ("unused", self.unused.as_deref()),
            ("expiring", self.expiring.as_deref()),
            ("unrestricted", self.unrestricted.then_some("true")),
            ("full_access", self.full_access.then_some("true")),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }
}
