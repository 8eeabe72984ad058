//! The records in the pieces in which they are sent.

use keyward_core::spec::FieldError;
use sha2::{Digest as _, Sha256};

use super::check::Finish;
use super::record::{Record, Refused};

/// The largest body of an import, in bytes.
pub(super) const LARGEST: usize = 1024 * 1024;

/// A line that can be sent, or why not.
type Line = Result<String, Vec<FieldError>>;

/// All records, ready to be sent.
pub(super) struct Batches {
    lines: Vec<(u64, Line)>,
    most: usize,
}

/// Some of them, from one on.
pub(super) struct Batch {
    /// The first record after it.
    pub(super) end: usize,
    /// JSON, a record each line; empty if all of them are refused here.
    pub(super) body: String,
    /// The line of the input for each line of the body.
    pub(super) lines: Vec<u64>,
    /// What is not sent at all.
    pub(super) refused: Vec<Refused>,
}

impl Batches {
    /// At most `most` records in each.
    pub(super) fn new(records: Vec<Record>, finish: &Finish<'_>, most: usize) -> Self {
        let line = |record: Record| (record.line, record.key.and_then(|key| finish.line(key)));
        Self {
            lines: records.into_iter().map(line).collect(),
            most,
        }
    }

    pub(super) fn records(&self) -> usize {
        self.lines.len()
    }

    /// The batch that begins at this record: always the same one.
    pub(super) fn from(&self, start: usize) -> Batch {
        let mut batch = Batch {
            end: start,
            body: String::new(),
            lines: Vec::new(),
            refused: Vec::new(),
        };
        for (number, line) in self.lines.iter().skip(start) {
            match line {
                Err(errors) => batch.refused.push(Refused::here(*number, errors)),
                Ok(line) => {
                    let size = batch
                        .body
                        .len()
                        .saturating_add(line.len())
                        .saturating_add(1);
                    if batch.lines.len() == self.most || size > LARGEST {
                        break;
                    }
                    batch.body.push_str(line);
                    batch.body.push('\n');
                    batch.lines.push(*number);
                }
            }
            batch.end = batch.end.saturating_add(1);
        }
        batch
    }
}

impl Batch {
    /// The name of the call that sends it: the same for the same piece of the same run, so that
    /// an answer that was lost is given again. The body is part of it, since the name is bound
    /// to that.
    pub(super) fn idempotency_key(
        &self,
        run: &str,
        input: &str,
        project: &str,
        start: usize,
    ) -> String {
        let mut hash = Sha256::new();
        for part in [run, input, project, &start.to_string(), &self.body] {
            hash.update(part);
            hash.update([0]);
        }
        let digest = hash.finalize();
        digest
            .iter()
            .take(16)
            .fold("import-".to_owned(), |text, byte| {
                format!("{text}{byte:02x}")
            })
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::error;
    use super::*;
    use serde_json::{Map, json};

    fn batches(secrets: &[Option<usize>], most: usize) -> Batches {
        let records = (1..).zip(secrets).map(|(line, size)| Record {
            line,
            key: match size {
                None => Err(error("key", "bad")),
                Some(size) => Ok(Map::from_iter([
                    ("secret".to_owned(), json!("x".repeat(20))),
                    ("name".to_owned(), json!("n".repeat(*size))),
                ])),
            },
        });
        let finish = Finish {
            environment: None,
            hash: false,
        };
        Batches::new(records.collect(), &finish, most)
    }

    #[test]
    fn batches_end_at_their_number_of_lines_and_at_their_size() {
        let few = batches(&[Some(1), None, Some(1), Some(1), None], 2);
        let batch = few.from(0);
        assert_eq!(
            (batch.end, &batch.lines[..], batch.refused.len()),
            (3, &[1, 3][..], 1)
        );
        let batch = few.from(3);
        assert_eq!(
            (batch.end, &batch.lines[..], batch.refused[0].line),
            (5, &[4][..], 5)
        );
        let large = batches(&[Some(LARGEST - 60), Some(60), Some(LARGEST * 2)], 1000);
        assert_eq!(large.from(0).end, 1);
        assert!(large.from(0).body.len() <= LARGEST);
        let batch = large.from(1);
        assert_eq!(
            (batch.end, batch.lines.len(), batch.refused.len()),
            (3, 1, 1)
        );
    }

    #[test]
    fn the_name_of_a_call_is_that_of_its_run_place_and_body() {
        let all = batches(&[Some(1), Some(2)], 1);
        let name = |run: &str, start: usize| all.from(start).idempotency_key(run, "i", "p", start);
        assert_eq!(name("r", 0), name("r", 0));
        assert_ne!(name("r", 0), name("r", 1));
        assert_ne!(name("r", 0), name("s", 0));
        assert_eq!(name("r", 0).len(), 39);
    }
}
