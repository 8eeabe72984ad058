//! A CSV with a header row that names fields of keys.
//!
//! Entries of a list have a semicolon or blanks between them; those of `paths` a semicolon, since
//! a rule has a blank in it. `metadata.team` is the member `team` of `metadata`. An empty cell is
//! a field that is left out.

use csv::{Position, ReaderBuilder, StringRecord, Trim};
use keyward_core::spec::FieldError;
use serde_json::{Value, json};

use super::record::{Key, Material, Reading, error};

const TEXTS: [&str; 10] = [
    "id",
    "name",
    "kind",
    "environment",
    "owner",
    "status",
    "not_before",
    "expires_at",
    "secret",
    "sha256",
];
const LISTS: [&str; 4] = ["scopes", "referrers", "ips", "paths"];
const FLAGS: [&str; 2] = ["any_referrer", "delete_protection"];
const OF_THE_SECRET: [&str; 2] = ["redacted", "created_at"];
const OBJECTS: [&str; 2] = ["apps", "metadata"];
const MEMBER: &str = "metadata.";

/// Reads the records.
///
/// # Errors
/// What is wrong with the header row: then no line can be understood.
pub(super) fn read(text: &str) -> Result<Reading, String> {
    let first = text.lines().next().unwrap_or_default();
    let delimiter = [b',', b';', b'\t']
        .into_iter()
        .find(|delimiter| first.as_bytes().contains(delimiter))
        .unwrap_or(b',');
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .trim(Trim::All)
        .from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| error.to_string())?.clone();
    known(&header)?;
    let mut reading = Reading::default();
    let mut lines = Lines::default();
    for record in reader.records() {
        match record {
            Ok(record) if record.iter().all(str::is_empty) => {}
            Ok(record) => {
                let line = lines.of(text, record.position());
                reading.add(line, key(&header, &record));
            }
            Err(wrong) => {
                let line = lines.of(text, wrong.position());
                let detail = format!(
                    "does not have as many cells as the header row ({})",
                    header.len()
                );
                reading.add(line, Err(error("key", detail)));
            }
        }
    }
    Ok(reading)
}

/// Counts lines up to records, one after the other.
#[derive(Default)]
struct Lines {
    seen: usize,
    ends: u64,
}

impl Lines {
    /// The line in which a record begins. Where the reader says that it begins there may be line
    /// ends and blank lines yet.
    fn of(&mut self, text: &str, position: Option<&Position>) -> u64 {
        let byte = position.map_or(0, Position::byte);
        let rest = text.as_bytes().iter().enumerate().skip(self.seen);
        for (index, c) in rest {
            if index as u64 >= byte && !matches!(c, b'\r' | b'\n') {
                break;
            }
            self.ends = self.ends.saturating_add(u64::from(*c == b'\n'));
            self.seen = index.saturating_add(1);
        }
        self.ends.saturating_add(1)
    }
}

fn known(header: &StringRecord) -> Result<(), String> {
    let all = || {
        TEXTS
            .iter()
            .chain(&LISTS)
            .chain(&FLAGS)
            .chain(&OF_THE_SECRET)
            .chain(&OBJECTS)
    };
    for (index, name) in header.iter().enumerate() {
        if !all().any(|known| *known == name) && name.strip_prefix(MEMBER).is_none_or(str::is_empty)
        {
            let names: Vec<_> = all().copied().collect();
            return Err(format!(
                "there is no field {name:?}: the header row names {}, or metadata.<name>",
                names.join(", ")
            ));
        }
        if header.iter().take(index).any(|earlier| earlier == name) {
            return Err(format!("two columns are named {name:?}"));
        }
    }
    if header
        .iter()
        .any(|name| name == "secret" || name == "sha256")
    {
        return Ok(());
    }
    Err("the header row names neither `secret` nor `sha256`".to_owned())
}

fn key(header: &StringRecord, record: &StringRecord) -> Result<Key, Vec<FieldError>> {
    let mut key = Key::new();
    let mut metadata = Key::new();
    let mut material = Material::default();
    let mut errors = Vec::new();
    for (name, cell) in header
        .iter()
        .zip(record)
        .filter(|(_, cell)| !cell.is_empty())
    {
        let text = Some(cell.to_owned());
        match name {
            "secret" => material.secret = text,
            "sha256" => material.sha256 = text,
            "redacted" => material.redacted = text,
            "created_at" => material.created_at = text,
            "metadata" => match serde_json::from_str(cell) {
                Ok(Value::Object(object)) => metadata.extend(object),
                _ => errors.extend(error(name, "must be a JSON object")),
            },
            "apps" => match serde_json::from_str::<Value>(cell) {
                Ok(apps) => drop(key.insert(name.to_owned(), apps)),
                Err(_) => errors.extend(error(name, "must be a JSON object")),
            },
            _ if FLAGS.contains(&name) => match cell.to_ascii_lowercase().as_str() {
                "true" | "yes" | "1" => drop(key.insert(name.to_owned(), json!(true))),
                "false" | "no" | "0" => {}
                _ => errors.extend(error(name, "must be true or false")),
            },
            _ if LISTS.contains(&name) => drop(key.insert(name.to_owned(), list(name, cell))),
            _ => match name.strip_prefix(MEMBER) {
                Some(member) => drop(metadata.insert(member.to_owned(), json!(cell))),
                None => drop(key.insert(name.to_owned(), json!(cell))),
            },
        }
    }
    if !metadata.is_empty() {
        key.insert("metadata".to_owned(), Value::Object(metadata));
    }
    if material.secret.is_some() && material.sha256.is_some() {
        errors.extend(error("secret", "give `secret` or `sha256`, not both"));
    } else if material.secret.is_some() || material.sha256.is_some() {
        material.write(&mut key);
    }
    if errors.is_empty() {
        Ok(key)
    } else {
        Err(errors)
    }
}

fn list(name: &str, cell: &str) -> Value {
    let between = |c: char| c == ';' || (c.is_whitespace() && name != "paths");
    cell.split(between)
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .collect()
}

#[cfg(test)]
mod tests;
