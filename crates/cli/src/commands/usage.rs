//! `keyward usage`: how a key, or all keys of a project, were used.

mod chart;
mod counted;
mod range;

use clap::Args;
use owo_colors::OwoColorize as _;

use self::counted::Counted;
use self::range::Range;
use super::in_project::InProject;
use super::keys;
use crate::client::Client;
use crate::failure::Failure;
use crate::output::Output;

const AFTER_HELP: &str = "\
Examples:
  keyward usage --project acme
  keyward usage --project acme key_0123456789ABCDEFGHIJ --since 7d
  keyward usage --project acme --since 2026-11-01T00:00:00Z --until 2026-12-01T00:00:00Z --by day

In a pipe there are lines of three fields: the sums of the whole time, or with --by a line for each
span in which something was counted: its start, the calls that were let through, those refused.
Minutes are kept for 2 days, hours for 90 days, days for two years. A call is counted here about 10
seconds after it was made.";

/// Show how a key, or all keys of a project, were used
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Usage {
    #[command(flatten)]
    project: InProject,

    /// The key's id; all keys of the project if left out
    #[arg(value_name = "KEY", value_parser = keys::id)]
    key: Option<String>,

    #[command(flatten)]
    range: Range,
}

impl Usage {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let path = match &self.key {
            Some(id) => format!("{}/{id}/usage", self.project.path()),
            None => format!("{}/usage", self.project.address()),
        };
        let query = self.range.query()?;
        let query: Vec<_> = query.iter().map(|(name, text)| (*name, &**text)).collect();
        let answer = Client::from_environment()?.get(&path, &query)?;
        if output.json {
            return output.data(&answer.text);
        }
        let counted: Counted = answer.read()?;
        if output.terminal && !counted.spans.is_empty() {
            draw(&counted, output)?;
        }
        if output.terminal || self.range.by.is_none() {
            output.rows(&["BY", "NAME", "CALLS"], &counted.sums())?;
        }
        if self.range.by.is_some() {
            if output.terminal {
                output.data("")?;
            }
            output.rows(&["START", "CALLS", "REFUSED"], &counted.series())?;
        }
        Ok(())
    }
}

/// The chart, for people.
fn draw(counted: &Counted, output: &Output) -> Result<(), Failure> {
    let lines = chart::draw(counted, output.width());
    let coloured = lines.iter().enumerate().map(|(index, line)| match index {
        0 => line.green().to_string(),
        1 => line.red().to_string(),
        _ => line.dimmed().to_string(),
    });
    output.data(&format!("{}\n", coloured.collect::<Vec<_>>().join("\n")))?;
    output.data("")
}
