//! A plan for people, and as JSON.

use std::fmt::Write as _;

use keyward_core::record::Status;
use owo_colors::OwoColorize as _;
use serde_json::{Value, json};

use super::plan::{Plan, Update};
use crate::output::{Output, plain};

impl Plan {
    /// Says it on standard error: standard output is for secrets.
    pub(super) fn show(&self, output: &Output, project: &str) {
        let mut text = String::new();
        for wanted in &self.create {
            let key = &wanted.key;
            let place = named(&key.environment, &key.name);
            let _ = writeln!(text, "{} {place}", "+ create ".green());
            if wanted.status == Some(Status::Disabled) {
                let _ = writeln!(text, "      status: disabled");
            }
            for (field, value) in &key.fields {
                let _ = writeln!(text, "      {field}: {}", shown(Some(value)));
            }
        }
        for update in &self.update {
            let place = named(&update.key.environment, &update.key.name);
            let id = plain(&update.key.id);
            let _ = writeln!(text, "{} {place} {}", "~ update ".yellow(), id.dimmed());
            if let Some(verb) = update.verb() {
                let _ = writeln!(text, "      {verb}");
            }
            for change in &update.changes {
                let _ = writeln!(
                    text,
                    "      {}: {} {} {}",
                    plain(&change.field),
                    shown(change.before.as_ref()).red(),
                    "->".dimmed(),
                    shown(change.after.as_ref()).green()
                );
            }
        }
        for key in &self.revoke {
            let place = named(&key.environment, &key.name);
            let _ = writeln!(
                text,
                "{} {place} {} for good (cessationOfOperation): the file does not have it",
                "- revoke ".red(),
                plain(&key.id).dimmed()
            );
        }
        for remark in &self.remarks {
            let _ = writeln!(text, "  {}", plain(remark).dimmed());
        }
        let _ = write!(
            text,
            "{project}: {} to create, {} to update, {} to revoke, {} unchanged.",
            self.create.len(),
            self.update.len(),
            self.revoke.len(),
            self.unchanged
        );
        output.say(&text);
    }

    /// What is asked before it is carried out.
    pub(super) fn question(&self, project: &str) -> String {
        match self.revoke.len() {
            0 => format!("Make these changes to {project}?"),
            count => format!(
                "Make these changes to {project}? {count} keys will be revoked, and stay revoked."
            ),
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let create: Vec<_> = self
            .create
            .iter()
            .map(|wanted| {
                json!({
                    "name": wanted.key.name, "environment": wanted.key.environment,
                    "key": wanted.key.to_new(wanted.status),
                })
            })
            .collect();
        let update: Vec<_> = self
            .update
            .iter()
            .map(|update| {
                let mut step = json!({
                    "id": update.key.id, "name": update.key.name,
                    "environment": update.key.environment, "version": update.key.version,
                    "changes": update.changes,
                });
                if let (Some(verb), Some(step)) = (update.verb(), step.as_object_mut()) {
                    step.insert("then".to_owned(), json!(verb));
                }
                step
            })
            .collect();
        let revoke: Vec<_> = self
            .revoke
            .iter()
            .map(|key| {
                json!({
                    "id": key.id, "name": key.name, "environment": key.environment,
                    "version": key.version, "reason": "cessationOfOperation",
                })
            })
            .collect();
        json!({
            "create": create, "update": update, "revoke": revoke,
            "unchanged": self.unchanged, "remarks": self.remarks,
        })
    }
}

impl Update {
    /// `enable` or `disable`.
    pub(super) fn verb(&self) -> Option<&'static str> {
        match self.status? {
            Status::Active => Some("enable"),
            _ => Some("disable"),
        }
    }
}

fn named(environment: &str, name: &str) -> String {
    format!("{} {}", plain(environment), plain(name).bold())
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "(none)".to_owned(), |value| plain(&value.to_string()))
}
