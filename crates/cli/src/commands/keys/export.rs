//! `keyward keys export`

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::InProject;
use super::import::each_owner;
use super::list::Status;
use super::owner_line::OwnerLine;
use crate::client::Client;
use crate::failure::Failure;
use crate::file::Replacement;
use crate::output::Output;
use crate::progress::Progress;

const AFTER_HELP: &str = "\
Examples:
  keyward keys export --project acme --output acme.ndjson
  keyward keys export --project acme --status active | wc -l

First a line for each owner that is suspended or whose keys share limits, then one for each key,
with the SHA-256 of its secrets; `keyward keys import --from ndjson` takes them. With --status there
are lines of keys only.

Whoever has the file cannot call anything with it, but sees whose keys there are and what they may
do: it is written for its owner's eyes only.";

const CHANGED: &str = "the limits or the suspension of an owner changed while it was exported, so what was written may lack them: leave it, and give the command again";

/// Export the keys with the digests of their secrets, and what owners' keys share
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
    owner: Option<IgnoredAny>,
}

impl Export {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        let client = super::client()?;
        let written = match self
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
                let written = self
                    .write(&client, output, &mut file)
                    .map_err(Stop::into_failure)?;
                file.finish().map_err(failed)?;
                written
            }
        };
        written.report(output);
        Ok(())
    }

    fn write(&self, client: &Client, output: &Output, to: &mut dyn Write) -> Result<Written, Stop> {
        let mut written = Written::default();
        let owners = self.owners(client)?;
        // Before their keys: an import that is stopped has no key without what it shares.
        for owner in &owners {
            written.owner(owner, to)?;
        }
        self.keys(client, output, to, &mut written)?;
        // One that is suspended or limited meanwhile moves to the first page, and is missed by
        // whoever is past that.
        if self.owners(client)? != owners {
            return Err(Stop::Failed(Failure::Failed(CHANGED.to_owned())));
        }
        Ok(written)
    }

    /// What owners' keys share, in the order of the list.
    fn owners(&self, client: &Client) -> Result<Vec<OwnerLine>, Failure> {
        let mut owners = Vec::new();
        if self.status.is_none() {
            each_owner(client, &self.project.address(), |owner| {
                owners.push(OwnerLine::from(owner));
            })?;
        }
        Ok(owners)
    }

    fn keys(
        &self,
        client: &Client,
        output: &Output,
        to: &mut dyn Write,
        written: &mut Written,
    ) -> Result<(), Stop> {
        let path = format!("{}:export", self.project.path());
        let limit = self.limit.to_string();
        let progress = Progress::new(output, None, "keys");
        let mut cursor: Option<String> = None;
        loop {
            let mut query = vec![("limit", limit.as_str())];
            query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let answer = client.get(&path, &query).map_err(Stop::Failed)?;
            for line in answer.text.lines().filter(|line| !line.is_empty()) {
                if let Some(status) = self.status {
                    let read = read(line)?;
                    if read.status != status.as_str() {
                        continue;
                    }
                    written.lacks_owners |= read.owner.is_some();
                }
                writeln!(to, "{line}").map_err(Stop::of)?;
                written.keys = written.keys.saturating_add(1);
            }
            to.flush().map_err(Stop::of)?;
            progress.set(written.keys);
            if answer.next_cursor.is_none() {
                return Ok(());
            }
            cursor = answer.next_cursor;
        }
    }
}

fn read(line: &str) -> Result<Line<'_>, Failure> {
    serde_json::from_str(line).map_err(|error| {
        Failure::Failed(format!(
            "the answer is not what the management API says: {error}"
        ))
    })
}

/// How much has been written.
#[derive(Default)]
struct Written {
    keys: u64,
    owners: u64,
    /// Owners with counts, which are not written.
    counted: u64,
    /// Whether there are keys of owners whose lines were not asked for.
    lacks_owners: bool,
}

impl Written {
    fn owner(&mut self, line: &OwnerLine, to: &mut dyn Write) -> Result<(), Stop> {
        let text = serde_json::to_string(line).map_err(|error| Stop::of(error.into()))?;
        writeln!(to, "{text}").map_err(Stop::of)?;
        self.owners = self.owners.saturating_add(1);
        self.counted = self.counted.saturating_add(line.has_counts().into());
        Ok(())
    }

    fn report(&self, output: &Output) {
        let of = |count: u64, thing: &str| {
            let plural = if count == 1 { "" } else { "s" };
            format!("{count} {thing}{plural}")
        };
        let keys = of(self.keys, "key");
        if self.owners == 0 {
            output.say(&format!("{keys} exported."));
            if self.lacks_owners {
                output.say(
                    "Some of them have owners. Limits that an owner's keys share and suspensions of owners are not in \
                     the file: where it is imported, they do not hold. Without --status they come along.",
                );
            }
            return;
        }
        output.say(&format!(
            "{} and {keys} exported.",
            of(self.owners, "owner")
        ));
        if self.counted > 0 {
            output.say(
                "What owners' keys have used of shared quotas, and what is left of shared credits, is not in the file: \
                 where it is imported, both begin anew.",
            );
        }
    }
}

/// Why an export ends before its time.
enum Stop {
    /// Whoever reads standard output has seen enough.
    ReaderLeft,
    Failed(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
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
