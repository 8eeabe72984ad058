//! Sends the batches, one after the other.

use std::thread;
use std::time::Duration;

use serde::Deserialize;

use super::batch::{Batch, Batches};
use super::checkpoint::{Checkpoint, Import, Tally};
use super::hex;
use super::outcome::Outcome;
use super::record::Refused;
use crate::client::{Answer, Client};
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;

/// How long a gateway that has answered before is waited for, beyond what each call waits.
const WAITS: [Duration; 3] = [
    Duration::from_secs(2),
    Duration::from_secs(8),
    Duration::from_secs(20),
];

/// An import that is under way.
pub(super) struct Run {
    pub(super) client: Client,
    pub(super) path: String,
    pub(super) batches: Batches,
    pub(super) checkpoint: Option<Checkpoint>,
    pub(super) identity: Import,
    pub(super) dry_run: bool,
}

/// The answer to a batch.
#[derive(Deserialize)]
struct Report {
    created: u64,
    existing: u64,
    #[serde(default)]
    publication: String,
    #[serde(default)]
    errors: Vec<Refused>,
}

impl Run {
    /// Goes on from where it is until all batches are answered.
    pub(super) fn finish(self, output: &Output) -> Result<Outcome, Failure> {
        let mut tally = self.beginning(output)?;
        let total = self.batches.records();
        let progress = Progress::new(output, Some(total as u64), "keys");
        progress.start_at(tally.acknowledged as u64);
        let mut publication = String::new();
        let mut patient = false;
        while tally.acknowledged < total {
            let batch = self.batches.from(tally.acknowledged);
            if !batch.body.is_empty() {
                let report = self
                    .send(&batch, &tally, patient, output, &progress)
                    .map_err(|failure| self.stopped(failure, &tally, output, &progress))?;
                patient = true;
                count(&mut tally, &report, &batch)?;
                if publication != "pending" {
                    publication = report.publication;
                }
            }
            tally.refused.extend(batch.refused);
            tally.acknowledged = batch.end;
            self.acknowledge(&tally)?;
            progress.set(tally.acknowledged as u64);
        }
        drop(progress);
        if let Some(checkpoint) = &self.checkpoint {
            checkpoint.remove();
        }
        tally.refused.sort_by_key(|refused| refused.line);
        Ok(Outcome {
            lines: total,
            tally,
            owners: None,
            publication,
            dry_run: self.dry_run,
        })
    }

    /// Where an earlier run has got to, or a new run.
    fn beginning(&self, output: &Output) -> Result<Tally, Failure> {
        let mut fresh = [0; 16];
        getrandom::fill(&mut fresh)
            .map_err(|error| Failure::Failed(format!("the system gives no randomness: {error}")))?;
        let new = Tally {
            run: hex(&fresh),
            ..Tally::default()
        };
        let Some(checkpoint) = &self.checkpoint else {
            return Ok(new);
        };
        let path = checkpoint.path().display();
        match checkpoint.read() {
            Ok(Some(tally)) if tally.acknowledged <= self.batches.records() => {
                output.say(&format!(
                    "Going on after {} of {} keys, as {path} says.",
                    tally.acknowledged,
                    self.batches.records()
                ));
                return Ok(tally);
            }
            Ok(_) => {}
            Err(reason) => output.say(&format!("{path} is not used: {reason}.")),
        }
        // Before the first batch: should its answer get lost, it is sent again under this name.
        self.acknowledge(&new)?;
        Ok(new)
    }

    fn acknowledge(&self, tally: &Tally) -> Result<(), Failure> {
        let Some(checkpoint) = &self.checkpoint else {
            return Ok(());
        };
        checkpoint.write(tally).map_err(|error| {
            Failure::Failed(format!(
                "{} cannot be written: {error}; without it, give the file on standard input",
                checkpoint.path().display()
            ))
        })
    }

    fn send(
        &self,
        batch: &Batch,
        tally: &Tally,
        patient: bool,
        output: &Output,
        progress: &Progress,
    ) -> Result<Report, Failure> {
        let Import { input, project, .. } = &self.identity;
        let name = batch.idempotency_key(&tally.run, input, project, tally.acknowledged);
        let query: &[_] = if self.dry_run {
            &[("dry_run", "true")]
        } else {
            &[]
        };
        let call = || {
            self.client
                .post_lines(&self.path, query, &name, &batch.body)
        };
        let mut waits = WAITS.iter().filter(|_| patient);
        loop {
            let failure = match call().and_then(|answer: Answer| answer.read()) {
                Ok(report) => return Ok(report),
                Err(failure) => failure,
            };
            match waits.next().filter(|_| may_pass(&failure)) {
                Some(wait) => {
                    let seconds = wait.as_secs();
                    progress.say(output, &format!("{failure}; trying again in {seconds} s"));
                    thread::sleep(*wait);
                }
                None => return Err(failure),
            }
        }
    }

    fn stopped(
        &self,
        failure: Failure,
        tally: &Tally,
        output: &Output,
        progress: &Progress,
    ) -> Failure {
        if tally.acknowledged > 0 {
            let remark = format!(
                "Stopped after {} of {} keys. To go on, give the same command again.",
                tally.acknowledged,
                self.batches.records()
            );
            progress.say(output, &remark);
        }
        failure
    }
}

/// Whether the same call may get another answer.
fn may_pass(failure: &Failure) -> bool {
    match failure {
        Failure::Usage(_) => false,
        Failure::Failed(_) => true,
        Failure::Refused(problem) => problem.status >= 500 || problem.status == 429,
    }
}

/// Adds an answer, its lines as those of the input.
fn count(tally: &mut Tally, report: &Report, batch: &Batch) -> Result<(), Failure> {
    let answered = [report.created, report.existing, report.errors.len() as u64];
    if answered.iter().sum::<u64>() != batch.lines.len() as u64 {
        return Err(Failure::Failed(format!(
            "{} lines were sent, and the answer is about {} created, {} existing and {} refused ones",
            batch.lines.len(),
            report.created,
            report.existing,
            report.errors.len()
        )));
    }
    tally.created = tally.created.saturating_add(report.created);
    tally.existing = tally.existing.saturating_add(report.existing);
    for refused in &report.errors {
        let index = usize::try_from(refused.line)
            .unwrap_or(usize::MAX)
            .wrapping_sub(1);
        let line = batch.lines.get(index).copied().ok_or_else(|| {
            Failure::Failed(format!(
                "the answer is about line {}, which was not sent",
                refused.line
            ))
        })?;
        tally.refused.push(Refused {
            line,
            ..refused.clone()
        });
    }
    Ok(())
}
