//! Carries out a plan, step by step, and stops at the first that fails.

use keyward_core::time::Millis;
use serde_json::{Map, Value, json};

use super::document::Wanted;
use super::plan::{Existing, Plan, Update};
use crate::client::{Answer, Client};
use crate::commands::change;
use crate::failure::Failure;
use crate::model::{Changed, Created};
use crate::output::{Output, plain};
use crate::progress::Progress;

/// What has been done.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) steps: Vec<Value>,
    pending: bool,
    /// When each change of a key that was there is in force everywhere, if that is known.
    in_force_by: Vec<Option<Millis>>,
}

impl Outcome {
    /// Does everything. The secret of a new key is printed at once: whatever follows, it is not
    /// lost.
    pub(super) fn carry_out(
        &mut self,
        plan: &Plan,
        client: &Client,
        path: &str,
        output: &Output,
    ) -> Result<(), Failure> {
        let progress = Progress::new(output, Some(plan.steps() as u64), "changes");
        let result = self.steps(plan, client, path, output, &progress);
        drop(progress);
        if !output.json {
            let done = self.steps.len();
            match &result {
                Ok(()) => {
                    let state = if self.pending { "pending" } else { "published" };
                    change::publication(state, &self.in_force_by(), output);
                }
                Err(_) => output.say(&format!(
                    "Stopped after {done} of {} changes; applying again does the others.",
                    plan.steps()
                )),
            }
        }
        result
    }

    fn steps(
        &mut self,
        plan: &Plan,
        client: &Client,
        path: &str,
        output: &Output,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let width = plan
            .create
            .iter()
            .map(|wanted| wanted.key.name.chars().count())
            .max();
        if output.terminal && !output.json && width.is_some() {
            progress.hide(|| output.data(&row(width, "NAME", "ID", "SECRET", true)))?;
        }
        for wanted in &plan.create {
            let (id, secret) = self.create(wanted, client, path)?;
            if !output.json {
                let line = row(width, &wanted.key.name, &id, &secret, output.terminal);
                progress.hide(|| output.data(&line))?;
            }
            progress.set(self.steps.len() as u64);
        }
        for update in &plan.update {
            self.update(update, client, path)
                .map_err(|failure| conflict(failure, &update.key))?;
            progress.set(self.steps.len() as u64);
        }
        for key in &plan.revoke {
            let call = format!("{path}/{}/revoke", key.id);
            let body = json!({"reason": "cessationOfOperation"});
            let answer = client.post_if(&call, &etag(key.version), &body);
            self.note(&answer.map_err(|failure| conflict(failure, key))?)?;
            self.done("revoke", key, Map::new());
            progress.set(self.steps.len() as u64);
        }
        Ok(())
    }

    fn create(
        &mut self,
        wanted: &Wanted,
        client: &Client,
        path: &str,
    ) -> Result<(String, String), Failure> {
        let answer = client.post(path, Some(&wanted.key.to_new(wanted.status)))?;
        let created: Created = answer.read()?;
        self.pending |= created.publication == "pending";
        let id = created
            .key
            .get("id")
            .and_then(Value::as_str)
            .unwrap_or_default();
        self.steps.push(json!({
            "action": "create", "id": id, "name": wanted.key.name,
            "environment": wanted.key.environment, "secret": created.secret,
        }));
        Ok((id.to_owned(), created.secret.clone()))
    }

    fn update(&mut self, update: &Update, client: &Client, path: &str) -> Result<(), Failure> {
        let key = &update.key;
        let path = format!("{path}/{}", key.id);
        let mut version = key.version;
        if !update.patch.is_empty() {
            let patch = Value::Object(update.patch.clone());
            let changed = self.note(&client.patch(&path, &etag(version), &patch)?)?;
            version = changed
                .key
                .get("version")
                .and_then(Value::as_u64)
                .unwrap_or(version);
        }
        let mut more = Map::new();
        if let Some(verb) = update.verb() {
            let answer = client.post_if(&format!("{path}/{verb}"), &etag(version), &json!({}))?;
            self.note(&answer)?;
            more.insert("then".to_owned(), json!(verb));
        }
        self.done("update", key, more);
        Ok(())
    }

    fn note(&mut self, answer: &Answer) -> Result<Changed, Failure> {
        let changed: Changed = answer.read()?;
        self.pending |= changed.publication == "pending";
        self.in_force_by.push(changed.in_force_by.parse().ok());
        Ok(changed)
    }

    /// When all of it is in force everywhere; empty if that is not known of all.
    fn in_force_by(&self) -> String {
        let all: Option<Vec<_>> = self.in_force_by.iter().copied().collect();
        let last = all.and_then(|times| times.into_iter().max());
        last.map(|time| time.to_string()).unwrap_or_default()
    }

    fn done(&mut self, action: &str, key: &Existing, more: Map<String, Value>) {
        let mut step = Map::from_iter([
            ("action".to_owned(), json!(action)),
            ("id".to_owned(), json!(key.id)),
            ("name".to_owned(), json!(key.name)),
            ("environment".to_owned(), json!(key.environment)),
        ]);
        step.extend(more);
        self.steps.push(Value::Object(step));
    }
}

fn etag(version: u64) -> String {
    format!("\"{version}\"")
}

/// Tab-separated for programs; on a terminal in columns, a row at a time.
fn row(width: Option<usize>, name: &str, id: &str, secret: &str, terminal: bool) -> String {
    let (name, id, secret) = (plain(name), plain(id), plain(secret));
    if terminal {
        let width = width.unwrap_or_default().max("NAME".len());
        format!("{name:width$}  {id:24}  {secret}")
    } else {
        format!("{name}\t{id}\t{secret}")
    }
}

/// Says which key it was about, and what to do if somebody else was faster.
fn conflict(failure: Failure, key: &Existing) -> Failure {
    match failure {
        Failure::Refused(problem) if matches!(problem.status, 409 | 412) => {
            Failure::Failed(format!(
                "{} ({}) has been changed since the plan was made, and is left as it is ({} {})\n  fix: apply again, and look at the new plan",
                plain(&key.name),
                plain(&key.id),
                problem.status,
                plain(&problem.code)
            ))
        }
        Failure::Refused(mut problem) => {
            problem.detail = format!("{} ({}): {}", key.name, key.id, problem.detail);
            Failure::Refused(problem)
        }
        other => other,
    }
}
