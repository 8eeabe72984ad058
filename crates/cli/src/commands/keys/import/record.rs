//! What every importer gives: keys with the lines of the input that they stand in.

use std::collections::BTreeMap;

use keyward_core::spec::FieldError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::owners::Owners;

/// The code of a line that is refused for its fields, as the management API has it.
const REFUSED: &str = "key_spec_invalid";

/// The fields of a line of an import.
pub(super) type Key = Map<String, Value>;

/// One key of the input.
pub(super) struct Record {
    /// The line of the input, from 1.
    pub(super) line: u64,
    /// The key, or why it cannot be imported.
    pub(super) key: Result<Key, Vec<FieldError>>,
}

/// Everything that was read from an input.
#[derive(Default)]
pub(super) struct Reading {
    pub(super) records: Vec<Record>,
    /// Only Keyward's own form has them.
    pub(super) owners: Owners,
    remarks: BTreeMap<String, (u64, u64)>,
}

/// A line that was refused, here or by the management API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Refused {
    pub(super) line: u64,
    pub(super) code: String,
    #[serde(default)]
    pub(super) errors: Vec<FieldError>,
}

/// A secret, or what is left of it.
#[derive(Default)]
pub(super) struct Material {
    pub(super) secret: Option<String>,
    pub(super) sha256: Option<String>,
    pub(super) redacted: Option<String>,
    pub(super) created_at: Option<String>,
}

impl Reading {
    pub(super) fn add(&mut self, line: u64, key: Result<Key, Vec<FieldError>>) {
        self.records.push(Record { line, key });
    }

    /// Something of a line that is not imported, although the key is.
    pub(super) fn remark(&mut self, line: u64, text: impl Into<String>) {
        let (count, _) = self.remarks.entry(text.into()).or_insert((0, line));
        *count = count.saturating_add(1);
    }

    /// The remarks, each once.
    pub(super) fn remarks(&self) -> impl Iterator<Item = String> {
        self.remarks
            .iter()
            .map(|(text, (count, line))| match count {
                1 => format!("line {line}: {text}"),
                _ => format!("{count} keys, the first in line {line}: {text}"),
            })
    }
}

impl Refused {
    pub(super) fn here(line: u64, errors: &[FieldError]) -> Self {
        Self {
            line,
            code: REFUSED.to_owned(),
            errors: errors.to_vec(),
        }
    }
}

impl Material {
    /// Writes it into a line: as one field where that says all.
    pub(super) fn write(self, key: &mut Key) {
        let mut fields = Map::new();
        let all = [
            ("secret", self.secret),
            ("sha256", self.sha256),
            ("redacted", self.redacted),
            ("created_at", self.created_at),
        ];
        fields.extend(
            all.into_iter()
                .filter_map(|(name, text)| Some((name.to_owned(), json!(text?)))),
        );
        if fields.contains_key("redacted") || fields.contains_key("created_at") {
            key.insert("secrets".to_owned(), json!([fields]));
        } else {
            key.extend(fields);
        }
    }
}

/// What is wrong with one field.
pub(super) fn error(field: &str, detail: impl Into<String>) -> Vec<FieldError> {
    vec![FieldError {
        field: field.to_owned(),
        detail: detail.into(),
    }]
}
