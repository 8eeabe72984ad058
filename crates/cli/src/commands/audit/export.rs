//! `keyward audit export`

use std::io::{self, ErrorKind, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;

use super::{Log, Period};
use crate::client::Client;
use crate::failure::Failure;
use crate::file::Replacement;
use crate::output::Output;
use crate::progress::Progress;

const AFTER_HELP: &str = "\
Examples:
  keyward audit export --project acme > audit.ndjson
  keyward audit export --account --since 2026-01-01T00:00:00Z --output account.ndjson

A line is an entry as `keyward --json audit` has it. The file of --output is there when it is
complete, and not before.";

/// Write the whole log as JSON lines, oldest first
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Export {
    #[command(flatten)]
    log: Log,

    #[command(flatten)]
    period: Period,

    /// Where to; standard output, if left out or `-`
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Export {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        let log = self.log.path()?;
        let client = Client::from_environment()?;
        let file = self
            .output
            .as_deref()
            .filter(|path| *path != Path::new("-"));
        let entries = match file {
            None => {
                // A bar would stand among the entries.
                let progress = (!output.terminal).then(|| begin(&client, &log, output));
                self.write(&client, &log, &mut io::stdout().lock(), progress)?
            }
            Some(path) => {
                let failed =
                    |error: io::Error| Failure::Failed(format!("{}: {error}", path.display()));
                let mut file = Replacement::of(path).map_err(failed)?;
                let progress = begin(&client, &log, output);
                let entries = self.write(&client, &log, &mut file, Some(progress))?;
                file.finish().map_err(failed)?;
                entries
            }
        };
        if let Some(entries) = entries {
            let plural = if entries == 1 { "y" } else { "ies" };
            output.say(&format!("{entries} entr{plural} exported."));
        }
        Ok(())
    }

    /// Gives how many entries there are; none when the reader has left.
    fn write(
        &self,
        client: &Client,
        log: &str,
        to: &mut impl Write,
        progress: Option<Progress>,
    ) -> Result<Option<u64>, Failure> {
        let path = format!("{log}:export");
        let period = self.period.query();
        let mut cursor: Option<String> = None;
        let mut entries = 0;
        loop {
            let mut query: Vec<_> = period
                .iter()
                .map(|(name, time)| (*name, time.as_str()))
                .collect();
            query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let page = client.get(&path, &query)?;
            match to.write_all(page.text.as_bytes()).and_then(|()| to.flush()) {
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(None),
                written => written?,
            }
            let lines = page.text.lines().filter(|line| !line.is_empty());
            entries += u64::try_from(lines.count()).unwrap_or_default();
            if let Some(progress) = &progress {
                let last = page.text.lines().last();
                let last = last.and_then(|line| serde_json::from_str::<Value>(line).ok());
                progress.set(last.as_ref().and_then(position).unwrap_or(entries));
            }
            if page.next_cursor.is_none() {
                return Ok(Some(entries));
            }
            cursor = page.next_cursor;
        }
    }
}

/// A bar over the positions of the log, of which the newest entry says the last.
fn begin(client: &Client, log: &str, output: &Output) -> Progress {
    let shown = !output.json && io::stderr().is_terminal();
    let newest = shown.then(|| client.get(log, &[("limit", "1")]));
    let page = newest.and_then(|answer| answer.ok()?.read::<Value>().ok());
    let total = page.and_then(|page| position(page.pointer("/items/0")?));
    Progress::new(output, total, "entries")
}

/// Where in the log an entry stands: its id is `aud_<position>`.
fn position(entry: &Value) -> Option<u64> {
    entry
        .get("id")?
        .as_str()?
        .strip_prefix("aud_")?
        .parse()
        .ok()
}
