//! How far the projects of a deployment have come with publishing under each entry.

use std::collections::BTreeMap;

use keyward_core::time::Millis;
use serde::{Deserialize, Serialize};

use crate::client::{Answer, Client};
use crate::failure::Failure;
use crate::model::{Page, Project};

/// The state of all projects.
#[derive(Default, Serialize)]
pub(super) struct Deployment {
    pub(super) entries: Vec<Entry>,
    pub(super) projects: BTreeMap<String, Publication>,
}

/// An entry, over all projects.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) state: String,
    pub(super) records: u64,
    pub(super) published: u64,
    /// From when all projects can do without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) droppable_at: Option<String>,
    /// The projects that cannot.
    pub(super) needed_by: Vec<String>,
}

/// A project's answer.
#[derive(Clone, Deserialize, Serialize)]
pub(super) struct Publication {
    entries: Vec<Published>,
    #[serde(default)]
    outbox: Outbox,
}

#[derive(Clone, Deserialize, Serialize)]
struct Published {
    id: String,
    state: String,
    #[serde(default)]
    records: u64,
    #[serde(default)]
    published: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    finished_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    droppable_at: Option<String>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
struct Outbox {
    #[serde(default)]
    pending: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    oldest_at: Option<String>,
}

impl Deployment {
    /// Asks every project.
    pub(super) fn ask(client: &Client) -> Result<Self, Failure> {
        let call = |id: &str| client.get(&format!("projects/{id}/publication"), &[]);
        Self::of(&projects(client)?, call)
    }

    /// Has every project publish everything again.
    pub(super) fn republish(client: &Client, ids: &[String]) -> Result<Self, Failure> {
        let body = serde_json::json!({});
        let call = |id: &str| client.post(&format!("projects/{id}/republish"), Some(&body));
        Self::of(ids, call)
    }

    fn of(ids: &[String], call: impl Fn(&str) -> Result<Answer, Failure>) -> Result<Self, Failure> {
        let mut projects = BTreeMap::new();
        for id in ids {
            let publication: Publication = call(id)?.read()?;
            projects.insert(id.clone(), publication);
        }
        Ok(Self {
            entries: entries(&projects),
            projects,
        })
    }

    pub(super) fn entry(&self, id: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id == id)
    }

    /// How many records are under the current entry, and how many there are to be.
    pub(super) fn progress(&self) -> (u64, u64) {
        let mut current = self.entries.iter().filter(|entry| entry.state == "current");
        current
            .next()
            .map_or((0, 0), |entry| (entry.published, entry.records))
    }

    /// Whether all records are under the current entry, and nothing is waiting.
    pub(super) fn is_finished(&self) -> bool {
        let (published, records) = self.progress();
        published >= records
            && self
                .projects
                .values()
                .all(|project| project.outbox.pending == 0)
    }
}

/// The ids of all projects, archived ones too: their records are there as well.
pub(super) fn projects(client: &Client) -> Result<Vec<String>, Failure> {
    let mut ids = Vec::new();
    for status in [&[][..], &[("status", "archived")]] {
        let mut cursor: Option<String> = None;
        loop {
            let mut query = vec![("limit", "100")];
            query.extend(status);
            query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let page: Page<Project> = client.get("projects", &query)?.read()?;
            ids.extend(page.items.into_iter().map(|project| project.id));
            if page.next_cursor.is_none() {
                break;
            }
            cursor = page.next_cursor;
        }
    }
    ids.sort();
    ids.dedup();
    Ok(ids)
}

fn entries(projects: &BTreeMap<String, Publication>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for (project, publication) in projects {
        for published in &publication.entries {
            let index = entries.iter().position(|entry| entry.id == published.id);
            let new = || Entry {
                id: published.id.clone(),
                state: published.state.clone(),
                records: 0,
                published: 0,
                droppable_at: None,
                needed_by: Vec::new(),
            };
            let index = index.unwrap_or_else(|| {
                entries.push(new());
                entries.len().saturating_sub(1)
            });
            let Some(entry) = entries.get_mut(index) else {
                continue;
            };
            entry.records = entry.records.saturating_add(published.records);
            entry.published = entry.published.saturating_add(published.published);
            match &published.droppable_at {
                Some(time) if later(time, entry.droppable_at.as_deref()) => {
                    entry.droppable_at = Some(time.clone());
                }
                None if published.state == "in_force" => entry.needed_by.push(project.clone()),
                _ => {}
            }
        }
    }
    for entry in entries
        .iter_mut()
        .filter(|entry| !entry.needed_by.is_empty())
    {
        entry.droppable_at = None;
    }
    entries
}

fn later(time: &str, than: Option<&str>) -> bool {
    than.is_none_or(|than| time.parse::<Millis>().ok() > than.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(projects: serde_json::Value) -> Deployment {
        let projects = serde_json::from_value(projects).unwrap();
        Deployment {
            entries: entries(&projects),
            projects,
        }
    }

    #[test]
    fn an_entry_can_go_when_the_last_project_can_do_without_it() {
        let entry = |id: &str, state: &str, published: u64, droppable_at: Option<&str>| serde_json::json!({"id": id, "state": state, "records": 2, "published": published, "droppable_at": droppable_at});
        let of = |published: u64, droppable_at: Option<&str>| {
            let project = |published, droppable_at| {
                serde_json::json!({"entries": [
                    entry("new", "current", published, None), entry("old", "in_force", 2, droppable_at),
                ]})
            };
            deployment(serde_json::json!({
                "a": project(2, Some("2026-11-21T12:00:00Z")),
                "b": project(published, droppable_at),
            }))
        };
        let unfinished = of(1, None);
        assert_eq!(
            (unfinished.progress(), unfinished.is_finished()),
            ((3, 4), false)
        );
        let old = unfinished.entry("old").unwrap();
        assert_eq!(
            (old.droppable_at.as_deref(), &old.needed_by[..]),
            (None, &["b".to_owned()][..])
        );
        let finished = of(2, Some("2026-11-21T11:00:00.500Z"));
        assert!(finished.is_finished());
        let old = finished.entry("old").unwrap();
        assert_eq!(
            (old.droppable_at.as_deref(), old.needed_by.len()),
            (Some("2026-11-21T12:00:00Z"), 0)
        );
        assert!(deployment(serde_json::json!({})).is_finished());
    }
}
