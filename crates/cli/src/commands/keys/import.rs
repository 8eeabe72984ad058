//! `keyward keys import`
//!
//! 1. The input is read and converted here; what cannot be imported is refused with its line.
//! 2. What owners' keys share is brought in ([`owners`]).
//! 3. Batches are sent in order. Each is acknowledged in a file beside the input before the next
//!    one is sent, so that the same command goes on where it was stopped.
//! 4. What was sent and not acknowledged is sent again: under the same Idempotency-Key it gets
//!    the same answer, and later the lines come back as existing.

mod apisix;
mod batch;
mod check;
mod checkpoint;
mod csv;
mod kong;
mod ndjson;
mod outcome;
mod owners;
mod record;
mod run;
mod unkey;
mod yaml;

use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use keyward_core::names;
use sha2::{Digest as _, Sha256};

use self::batch::Batches;
use self::check::Finish;
use self::checkpoint::{Checkpoint, Import as Identity};
use self::outcome::Outcome;
use self::owners::Settled;
pub(super) use self::owners::each as each_owner;
use self::record::Reading;
use self::run::Run;
use super::InProject;
use crate::failure::Failure;
use crate::output::Output;

const AFTER_HELP: &str = "\
Examples:
  keyward keys import --project acme --from csv keys.csv --dry-run
  keyward keys import --project acme --from unkey unkey.ndjson --report refused.ndjson
  keyward keys import --project acme --from kong kong.yaml --environment live
  KEYWARD_URL=https://new.example.com keyward keys import --project acme acme.ndjson

Formats:
  ndjson  a key's fields a line, with secret, sha256 or secrets, and lines of owners: what
          `keyward keys export` writes
  csv     a header row names the fields; lists have semicolons between their entries
  unkey   keys with their hashes, as lines of JSON or a list
  kong    declarative configuration (YAML or JSON): keyauth_credentials
  apisix  consumers with key-auth: apisix.yaml, answers of the Admin API, ADC's dump

Secrets are sent to be hashed there; with --hash only their SHA-256 leaves this machine. Routes take
imported secrets where gateway.toml says `imported_keys = true`.

When it is stopped at any point, the same command goes on: <FILE>.keyward-import says from where.

Exit codes: 0 all lines are there, 1 lines were refused or it stopped, 2 usage";

/// Import keys from a file or from another gateway
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Import {
    #[command(flatten)]
    project: InProject,

    /// The file; - is standard input
    #[arg(default_value = "-")]
    file: PathBuf,

    /// What the file holds
    #[arg(long, value_name = "FORMAT", default_value = "ndjson")]
    from: Format,

    /// Say what would be imported, and import nothing
    #[arg(long)]
    dry_run: bool,

    /// Write the lines that were refused to this file, as lines of JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,

    /// The environment of keys that name none
    #[arg(long, short, value_name = "NAME", value_parser = environment)]
    environment: Option<String>,

    /// How many lines are sent at a time
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u16).range(1..=1000))]
    batch: u16,

    /// Hash the secrets here; such keys cannot mint derived ones
    #[arg(long)]
    hash: bool,

    /// apisix: take keys that look encrypted as they are
    #[arg(long)]
    as_written: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Ndjson,
    Csv,
    Unkey,
    Kong,
    Apisix,
}

impl Import {
    pub(super) fn run(self, output: &Output) -> Result<(), Failure> {
        let name = self.name();
        let text = self.input()?;
        let reading = self
            .read(text.trim_start_matches('\u{feff}'))
            .map_err(|message| Failure::Failed(format!("{name}: {message}")))?;
        for remark in reading.remarks() {
            output.say(&format!("{name}: {remark}"));
        }
        let mut owners = Settled::default();
        match self.bring(reading, &text, &mut owners, output) {
            Ok(mut done) => {
                done.add(owners);
                done.report(output, self.report.as_deref())
            }
            Err(failure) => {
                // Nothing else keeps them: the next run judges owners anew.
                owners.report(output, self.report.as_deref())?;
                Err(failure)
            }
        }
    }

    /// Brings everything in, owners first.
    fn bring(
        &self,
        mut reading: Reading,
        text: &str,
        owners: &mut Settled,
        output: &Output,
    ) -> Result<Outcome, Failure> {
        let client = super::client()?;
        let address = self.project.address();
        reading
            .owners
            .settle(&client, &address, self.dry_run, output, owners)?;
        let held = owners.hold_back(&mut reading.records);
        let input = hex(&Sha256::digest(text));
        let identity = Identity {
            gateway: client.base().to_owned(),
            project: self.project.id().to_owned(),
            options: self.options(),
            input,
            held,
        };
        let finish = Finish {
            environment: self.environment.as_deref(),
            hash: self.hash,
        };
        let run = Run {
            client,
            path: format!("{}:import", self.project.path()),
            batches: Batches::new(reading.records, &finish, self.batch.into()),
            // Standard input has no place beside it.
            checkpoint: (!self.dry_run && !self.is_stdin())
                .then(|| Checkpoint::beside(&self.file, identity.clone())),
            identity,
            dry_run: self.dry_run,
        };
        run.finish(output)
    }

    fn read(&self, text: &str) -> Result<Reading, String> {
        match self.from {
            Format::Ndjson => Ok(ndjson::read(text)),
            Format::Csv => csv::read(text),
            Format::Unkey => unkey::read(text),
            Format::Kong => kong::read(text),
            Format::Apisix => apisix::read(text, self.as_written),
        }
    }

    fn input(&self) -> Result<String, Failure> {
        let mut bytes = Vec::new();
        let read = if self.is_stdin() {
            if io::stdin().is_terminal() {
                return Err(Failure::Usage(
                    "name a file, or give it on standard input".to_owned(),
                ));
            }
            io::stdin().lock().read_to_end(&mut bytes).map(drop)
        } else {
            std::fs::read(&self.file).map(|content| bytes = content)
        };
        let name = self.name();
        read.map_err(|error| Failure::Usage(format!("{name} cannot be read: {error}")))?;
        String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let lines = error
                .as_bytes()
                .iter()
                .take(valid)
                .filter(|byte| **byte == b'\n')
                .count();
            Failure::Failed(format!(
                "{name}:{}: is not UTF-8; save it as UTF-8",
                lines.saturating_add(1)
            ))
        })
    }

    fn is_stdin(&self) -> bool {
        self.file == Path::new("-")
    }

    fn name(&self) -> String {
        if self.is_stdin() {
            "standard input".to_owned()
        } else {
            self.file.display().to_string()
        }
    }

    /// What changes the lines that are sent.
    fn options(&self) -> String {
        let name = self.from.to_possible_value();
        format!(
            "{} environment={} hash={} as-written={}",
            name.as_ref().map_or("", |name| name.get_name()),
            self.environment.as_deref().unwrap_or_default(),
            self.hash,
            self.as_written
        )
    }
}

fn environment(text: &str) -> Result<String, String> {
    if names::is_environment(text) {
        return Ok(text.to_owned());
    }
    Err("use 1 to 12 lower-case letters and digits, as in live".to_owned())
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
