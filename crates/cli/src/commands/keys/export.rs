//! `keyward keys export`

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Deserialize;

use super::InProject;
use super::list::Status;
use crate::client::Client;
use crate::failure::Failure;
use crate::file::Replacement;
use crate::output::Output;
use crate::progress::Progress;

const AFTER_HELP: &str = "\
Examples:
  keyward keys export --project acme --output acme.ndjson
  keyward keys export --project acme --status active | wc -l

A line for each key, with the SHA-256 of its secrets; `keyward keys import --from ndjson` takes
them. Whoever has the file cannot call anything with it, but sees whose keys there are and what they
may do: it is written for its owner's eyes only.";

/// Export the keys with the digests of their secrets
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Export {
    #[command(flatten)]
    project: InProject,

    /// The file; standard output if left out
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Only keys in this state
    #[arg(long)]
    status: Option<Status>,

    /// How many keys are asked for at a time
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
}

/// As much of a line as is looked at.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(default, borrow)]
    status: std::borrow::Cow<'a, str>,
}

impl Export {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        let client = super::client()?;
        let keys = match self
            .output
            .as_deref()
            .filter(|path| *path != Path::new("-"))
        {
            None => match self.write(&client, output, &mut io::stdout().lock()) {
                Err(Stop::ReaderLeft) => return Ok(()),
                result => result.map_err(Stop::into_failure)?,
            },
            Some(path) => {
                let failed = |error: io::Error| {
                    Failure::Failed(format!("{} cannot be written: {error}", path.display()))
                };
                let mut file = Replacement::of(path).map_err(failed)?;
                let keys = self
                    .write(&client, output, &mut file)
                    .map_err(Stop::into_failure)?;
                file.finish().map_err(failed)?;
                keys
            }
        };
        let plural = if keys == 1 { "" } else { "s" };
        output.say(&format!("{keys} key{plural} exported."));
        Ok(())
    }

    fn write(&self, client: &Client, output: &Output, to: &mut dyn Write) -> Result<u64, Stop> {
        let path = format!("{}:export", self.project.path());
        let limit = self.limit.to_string();
        let progress = Progress::new(output, None, "keys");
        let (mut cursor, mut keys): (Option<String>, u64) = (None, 0);
        loop {
            let mut query = vec![("limit", limit.as_str())];
            query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let answer = client.get(&path, &query).map_err(Stop::Failed)?;
            for line in answer.text.lines().filter(|line| !line.is_empty()) {
                if self.wants(line).map_err(Stop::Failed)? {
                    writeln!(to, "{line}").map_err(Stop::of)?;
                    keys = keys.saturating_add(1);
                }
            }
            to.flush().map_err(Stop::of)?;
            progress.set(keys);
            if answer.next_cursor.is_none() {
                return Ok(keys);
            }
            cursor = answer.next_cursor;
        }
    }

    fn wants(&self, line: &str) -> Result<bool, Failure> {
        let Some(status) = self.status else {
            return Ok(true);
        };
        let line: Line<'_> = serde_json::from_str(line).map_err(|error| {
            Failure::Failed(format!(
                "the answer is not what the management API says: {error}"
            ))
        })?;
        Ok(line.status == status.as_str())
    }
}

/// Why an export ends before its time.
enum Stop {
    /// Whoever reads standard output has seen enough.
    ReaderLeft,
    Failed(Failure),
}

impl Stop {
    fn of(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ReaderLeft,
            _ => Self::Failed(error.into()),
        }
    }

    fn into_failure(self) -> Failure {
        match self {
            Self::ReaderLeft => Failure::Failed("the file's other end is gone".to_owned()),
            Self::Failed(failure) => failure,
        }
    }
}
