//! `keyward projects suspend`, `resume`, `archive` and `restore`: the same call with another last
//! word.

use clap::Args;

use crate::client::Client;
use crate::commands::change;
use crate::commands::revocation::Note;
use crate::failure::Failure;
use crate::output::Output;

/// A project, and a note about what is done to it.
#[derive(Args)]
pub(crate) struct OneProject {
    /// Its id
    #[arg(value_parser = super::id)]
    id: String,

    #[command(flatten)]
    note: Note,
}

impl OneProject {
    pub(super) fn to(&self, verb: &str, client: &Client, output: &Output) -> Result<(), Failure> {
        let path = format!("projects/{}/{verb}", self.id);
        let answer = client.post(&path, Some(&self.note.to_json()))?;
        change::report_of("project", &answer, output)
    }
}
