//! The file: TOML with a table `[[key]]` for each key.

use std::collections::HashMap;
use std::io::Read as _;
use std::path::Path;

use keyward_core::names;
use keyward_core::record::Status;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use toml::Spanned;

use super::canonical::Canonical;
use crate::failure::Failure;

/// What a file asks for.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) project: Option<String>,
    /// The environments that it is about.
    pub(super) environments: Vec<String>,
    pub(super) keys: Vec<Wanted>,
}

/// A key as it is to be.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) line: usize,
    pub(super) key: Canonical,
    /// None leaves it as it is.
    pub(super) status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    project: Option<String>,
    environments: Option<Vec<String>>,
    #[serde(default)]
    key: Vec<Spanned<toml::Table>>,
}

impl Document {
    /// Reads a file, or standard input for `-`.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let mut text = String::new();
        let read = if super::is_stdin(path) {
            std::io::stdin().lock().read_to_string(&mut text).map(drop)
        } else {
            std::fs::read_to_string(path).map(|content| text = content)
        };
        let name = path.display();
        read.map_err(|error| Failure::Usage(format!("{name} cannot be read: {error}")))?;
        Self::parse(&text).map_err(|errors| {
            Failure::Failed(format!("{name} is not valid\n  {}", errors.join("\n  ")))
        })
    }

    fn parse(text: &str) -> Result<Self, Vec<String>> {
        let written: Written = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(0, |span| line(text, span.start));
            vec![format!("line {line}: {}", error.message())]
        })?;
        let mut errors = Vec::new();
        let mut keys: Vec<Wanted> = Vec::new();
        let mut seen = HashMap::new();
        for table in written.key {
            let line = line(text, table.span().start);
            match wanted(table.into_inner(), line) {
                Err(all) => errors.extend(all.iter().map(|error| format!("line {line}: {error}"))),
                Ok(wanted) => {
                    let Canonical {
                        name, environment, ..
                    } = &wanted.key;
                    if let Some(first) = seen.insert((environment.clone(), name.clone()), line) {
                        errors.push(format!("line {line}: {name:?} of {environment} is there already, in line {first}: names tell keys apart"));
                    }
                    keys.push(wanted);
                }
            }
        }
        if let Some(project) = written
            .project
            .as_deref()
            .filter(|id| !names::is_project_id(id))
        {
            errors.push(format!("project: {project:?} is no project's id"));
        }
        let mut environments = written.environments.clone().unwrap_or_default();
        for wanted in &keys {
            let environment = &wanted.key.environment;
            if written.environments.is_none() && !environments.contains(environment) {
                environments.push(environment.clone());
            } else if !environments.contains(environment) {
                errors.push(format!(
                    "line {}: {environment} is not one of `environments`",
                    wanted.line
                ));
            }
        }
        if errors.is_empty() {
            Ok(Self {
                project: written.project,
                environments,
                keys,
            })
        } else {
            Err(errors)
        }
    }
}

fn wanted(table: toml::Table, line: usize) -> Result<Wanted, Vec<String>> {
    let mut fields: Map<_, _> = table
        .into_iter()
        .map(|(name, value)| (name, to_json(value)))
        .collect();
    let status = match fields.remove("status").as_ref().map(Value::as_str) {
        None => None,
        Some(Some("active")) => Some(Status::Active),
        Some(Some("disabled")) => Some(Status::Disabled),
        Some(_) => return Err(vec!["status: write \"active\" or \"disabled\"; a key that is to be revoked is left out, with --prune".to_owned()]),
    };
    let name = fields.get("name").cloned().unwrap_or_default();
    let key = Canonical::of(fields).map_err(|errors| {
        let error = |error: &keyward_core::spec::FieldError| {
            format!("{name} {}: {}", error.field, error.detail)
        };
        errors.iter().map(error).collect::<Vec<_>>()
    })?;
    if key.name.is_empty() {
        return Err(vec![
            "name: is missing; it says which key this is".to_owned(),
        ]);
    }
    Ok(Wanted { line, key, status })
}

fn to_json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => json!(number),
        toml::Value::Float(number) => json!(number),
        toml::Value::Boolean(flag) => Value::Bool(flag),
        toml::Value::Datetime(time) => json!(time.to_string()),
        toml::Value::Array(items) => items.into_iter().map(to_json).collect(),
        toml::Value::Table(table) => Value::Object(
            table
                .into_iter()
                .map(|(name, value)| (name, to_json(value)))
                .collect(),
        ),
    }
}

fn line(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    before
        .filter(|byte| **byte == b'\n')
        .count()
        .saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_with_their_lines_and_environments() {
        let document = Document::parse(
            "project = \"acme\"\n\n[[key]]\nname = \"A\"\nexpires_at = 2027-01-01T01:00:00+01:00\n\n[[key]]\nname = \"A\"\nenvironment = \"test\"\nstatus = \"disabled\"\n",
        )
        .unwrap();
        assert_eq!(document.environments, ["live", "test"]);
        let [first, second] = &document.keys[..] else {
            panic!("two keys")
        };
        assert_eq!((first.line, first.status), (3, None));
        assert_eq!(first.key.fields["expires_at"], "2027-01-01T00:00:00Z");
        assert_eq!((second.line, second.status), (7, Some(Status::Disabled)));
    }

    #[test]
    fn everything_that_is_wrong_is_said_with_its_line() {
        for (text, parts) in [
            (
                "[[key]]\nname = \"A\"\n[[key]]\nname = \"A\"\n",
                &["line 3: \"A\" of live is there already, in line 1"][..],
            ),
            (
                "[[key]]\nips = [\"x\"]\n\n[[key]]\nname = \"B\"\ncolour = 1\n",
                &["line 1: ", "ips[0]: ", "line 4: ", "colour: unknown field"],
            ),
            (
                "[[key]]\nscopes = [\"a:b\"]\n",
                &["line 1: name: is missing"],
            ),
            (
                "[[key]]\nname = \"A\"\nstatus = \"revoked\"\n",
                &["--prune"],
            ),
            (
                "[[key]]\nname = \"A\"\nexpires_at = 2027-01-01\n",
                &["expires_at: not an RFC 3339"],
            ),
            (
                "environments = [\"test\"]\n[[key]]\nname = \"A\"\n",
                &["live is not one of `environments`"],
            ),
            ("project = \"A B\"\n", &["no project's id"]),
            ("projects = \"acme\"\n", &["line 1: unknown field"]),
            ("[[key]\n", &["line 1: "]),
        ] {
            let errors = Document::parse(text).unwrap_err().join("\n");
            for part in parts {
                assert!(errors.contains(part), "{text}: {errors}");
            }
        }
    }
}
