//! What has to be done so that a project's keys are as a file says.

use std::collections::HashMap;

use keyward_core::record::Status;
use serde_json::{Map, Value};

use super::canonical::Canonical;
use super::document::{Document, Wanted};
use super::patch::{self, Change};
use crate::failure::Failure;

/// All of it, in the order in which it is done.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) create: Vec<Wanted>,
    pub(super) update: Vec<Update>,
    pub(super) revoke: Vec<Existing>,
    pub(super) unchanged: usize,
    /// What is not touched although it might be expected.
    pub(super) remarks: Vec<String>,
}

/// A key of the project, and all that is shown of it.
type Found<'a> = (Existing, &'a Map<String, Value>);

/// A key of the project.
#[derive(Clone, Debug)]
pub(super) struct Existing {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) environment: String,
    pub(super) version: u64,
    status: String,
}

/// A key that is to be another.
pub(super) struct Update {
    pub(super) key: Existing,
    pub(super) changes: Vec<Change>,
    pub(super) patch: Map<String, Value>,
    /// It is to be enabled or disabled.
    pub(super) status: Option<Status>,
}

impl Plan {
    /// Compares.
    ///
    /// # Errors
    /// What cannot be done, with the ids of the keys that stand in the way.
    pub(super) fn make(
        document: Document,
        views: &[Map<String, Value>],
        prune: bool,
    ) -> Result<Self, Failure> {
        let mut by_name: HashMap<(String, String), Vec<Found<'_>>> = HashMap::new();
        let mut nameless: usize = 0;
        for view in views {
            let key = Existing::of(view)?;
            if matches!(&*key.status, "revoked" | "deleted") {
                continue;
            }
            if key.name.is_empty() {
                nameless += usize::from(document.environments.contains(&key.environment));
                continue;
            }
            let place = (key.environment.clone(), key.name.clone());
            by_name.entry(place).or_default().push((key, view));
        }
        let mut plan = Self::default();
        let mut errors = Vec::new();
        for wanted in document.keys {
            let place = (wanted.key.environment.clone(), wanted.key.name.clone());
            let mut found = by_name.remove(&place).unwrap_or_default();
            match (found.pop(), found.is_empty()) {
                (None, _) => plan.create.push(wanted),
                (Some((key, view)), true) => match Update::of(key, view, wanted) {
                    Ok((update, remark)) => {
                        plan.remarks.extend(remark);
                        plan.take(update);
                    }
                    Err(error) => errors.push(error),
                },
                (Some(last), false) => {
                    let ids: Vec<_> = found
                        .iter()
                        .chain([&last])
                        .map(|(key, _)| key.id.as_str())
                        .collect();
                    errors.push(format!(
                        "line {}: {} keys of {} are named {:?}: {}\n    fix: revoke or rename all but one",
                        wanted.line, ids.len(), place.0, place.1, ids.join(", ")
                    ));
                }
            }
        }
        if !errors.is_empty() {
            return Err(Failure::Failed(format!(
                "there is no plan\n  {}",
                errors.join("\n  ")
            )));
        }
        if prune {
            let rest = by_name.into_values().flatten().map(|(key, _)| key);
            plan.prune(rest, &document.environments);
            if nameless > 0 {
                plan.remarks.push(format!(
                    "{nameless} keys without a name are left as they are"
                ));
            }
        }
        Ok(plan)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.steps() == 0
    }

    pub(super) fn steps(&self) -> usize {
        [self.create.len(), self.update.len(), self.revoke.len()]
            .iter()
            .sum()
    }

    fn take(&mut self, update: Update) {
        if update.changes.is_empty() && update.status.is_none() {
            self.unchanged = self.unchanged.saturating_add(1);
        } else {
            self.update.push(update);
        }
    }

    fn prune(&mut self, rest: impl Iterator<Item = Existing>, environments: &[String]) {
        let (mut revoke, suspended): (Vec<_>, Vec<_>) = rest
            .filter(|key| environments.contains(&key.environment))
            .partition(|key| matches!(&*key.status, "active" | "disabled"));
        revoke.sort_by(|one, other| {
            (&one.environment, &one.name, &one.id).cmp(&(
                &other.environment,
                &other.name,
                &other.id,
            ))
        });
        self.revoke = revoke;
        if !suspended.is_empty() {
            self.remarks.push(format!(
                "{} suspended keys that the file does not have are left as they are",
                suspended.len()
            ));
        }
    }
}

impl Existing {
    fn of(view: &Map<String, Value>) -> Result<Self, Failure> {
        let text = |name: &str| {
            view.get(name)
                .and_then(Value::as_str)
                .map(ToOwned::to_owned)
        };
        let read = || {
            Some(Self {
                id: text("id")?,
                name: text("name").unwrap_or_default(),
                environment: text("environment")?,
                version: view.get("version")?.as_u64()?,
                status: text("status")?,
            })
        };
        read().ok_or_else(|| {
            Failure::Failed("the answer is not what the management API says: a key lacks its id, environment, version or status".to_owned())
        })
    }
}

impl Update {
    fn of(
        key: Existing,
        view: &Map<String, Value>,
        wanted: Wanted,
    ) -> Result<(Self, Option<String>), String> {
        let current = Canonical::of_view(view).map_err(|errors| {
            let all: Vec<_> = errors
                .iter()
                .map(|error| format!("{}: {}", error.field, error.detail))
                .collect();
            format!(
                "{} cannot be compared ({}): use a newer version of this command",
                key.id,
                all.join("; ")
            )
        })?;
        if current.kind != wanted.key.kind {
            let kind = |kind| {
                serde_json::to_value(kind)
                    .ok()
                    .and_then(|kind| Some(kind.as_str()?.to_owned()))
                    .unwrap_or_default()
            };
            return Err(format!(
                "line {}: {} ({}) is {}, and the file makes it {}: a key's kind does not change\n    fix: give the new key another name; with --prune the old one is revoked",
                wanted.line,
                key.name,
                key.id,
                kind(current.kind),
                kind(wanted.key.kind)
            ));
        }
        let mut remark = None;
        let status = match (&*key.status, wanted.status) {
            ("active", Some(Status::Disabled)) => Some(Status::Disabled),
            ("disabled", Some(Status::Active)) => Some(Status::Active),
            ("suspended", Some(_)) => {
                remark = Some(format!(
                    "{} ({}) is suspended: its status is left as it is",
                    key.name, key.id
                ));
                None
            }
            _ => None,
        };
        let update = Self {
            changes: patch::changes(&current.fields, &wanted.key.fields),
            patch: patch::merge(&current.fields, &wanted.key.fields),
            status,
            key,
        };
        Ok((update, remark))
    }
}

#[cfg(test)]
mod tests;
