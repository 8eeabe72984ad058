//! The project itself: its name, its policy and its state.

use keyward_api::view::{self, ProjectStatus};
use keyward_core::changes::{self, FieldChange};
use keyward_core::kind::Kind;
use keyward_core::record::RevocationMode;
use keyward_core::refusal::Refusal;
use keyward_core::spec::reader::whole_number;
use keyward_core::time::Millis;
use keyward_edge::storage::{Storage, StorageError};
use serde_json::{Value, json};

use super::environment;
use super::{follow, log};
use crate::registry::journal::Context;
use crate::registry::keys::{bump, from_word, revocation, word};
use crate::registry::message::{IfMatch, ProjectChange, Publication, Reply};
use crate::registry::publication::Publisher;
use crate::registry::sweep::{self, Scope};
use crate::registry::view::shown;

/// The row of the project.
#[derive(Clone)]
struct Project {
    id: String,
    name: String,
    version: u64,
    suspended_at: Option<Millis>,
    archived_at: Option<Millis>,
    note: Option<String>,
    max_age_s: Option<u64>,
    warn_s: Option<u64>,
    revocation: Option<RevocationMode>,
    on_leak: Option<String>,
    browser_end_s: Option<u64>,
    created_at: Millis,
    updated_at: Millis,
}

/// The project as it is shown.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn show(storage: &Storage) -> Result<Reply, StorageError> {
    let project = Project::read(storage)?;
    let version = Some(project.version);
    let item = project.shown(storage)?;
    Ok(Reply::Item { item, version })
}

/// Applies a merge patch of what an update may change, whose values are valid.
///
/// # Errors
/// Those of the storage, and [`StorageError::Row`] for a patch that is not valid.
pub(in crate::registry) fn update(
    publisher: &Publisher,
    context: &Context<'_>,
    patch: &Value,
    if_match: IfMatch,
) -> Result<Reply, StorageError> {
    let before = Project::read(context.storage)?;
    if if_match.is_some_and(|version| version != before.version) {
        return Ok(Reply::refused(Refusal::VersionConflict));
    }
    let mut after = before.clone();
    if let Some(name) = patch.get("name") {
        after.name = name.as_str().ok_or(StorageError::Row)?.to_owned();
    }
    for (field, seconds) in [
        ("max_age_s", &mut after.max_age_s),
        ("warn_s", &mut after.warn_s),
        ("browser_end_s", &mut after.browser_end_s),
    ] {
        match patch.get(field) {
            None => {}
            Some(Value::Null) => *seconds = None,
            Some(value) => *seconds = Some(whole_number(value).ok_or(StorageError::Row)?),
        }
    }
    if let Some(value) = patch.get("revocation") {
        after.revocation = serde_json::from_value(value.clone()).map_err(|_| StorageError::Row)?;
    }
    if let Some(value) = patch.get("on_leak") {
        after.on_leak = serde_json::from_value(value.clone()).map_err(|_| StorageError::Row)?;
    }
    let differences = changes::diff(&before.policy(), &after.policy());
    if !differences.is_empty() {
        after.write(context, &before)?;
        if after.max_age_s != before.max_age_s {
            limit_age(publisher, context, before.max_age_s, after.max_age_s)?;
        }
        hold_by(publisher, context, before.revocation, after.revocation)?;
        log(context, "project.update", None, &differences)?;
    }
    changed(context.storage)
}

/// How old a secret may become, in seconds.
///
/// # Errors
/// Those of the storage.
pub(super) fn max_age(storage: &Storage) -> Result<Option<u64>, StorageError> {
    Ok(Project::read(storage)?.max_age_s)
}

/// Suspends, resumes, archives or restores the project.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn change(
    publisher: &Publisher,
    context: &Context<'_>,
    change: ProjectChange,
    note: Option<&str>,
) -> Result<Reply, StorageError> {
    let before = Project::read(context.storage)?;
    let mut after = before.clone();
    let action = match change {
        ProjectChange::Suspend => {
            after.suspended_at = before.suspended_at.or(Some(context.now));
            "project.suspend"
        }
        ProjectChange::Resume => {
            after.suspended_at = None;
            "project.resume"
        }
        ProjectChange::Archive => {
            after.archived_at = before.archived_at.or(Some(context.now));
            "project.archive"
        }
        ProjectChange::Restore => {
            after.archived_at = None;
            "project.restore"
        }
    };
    let suspends = matches!(change, ProjectChange::Suspend | ProjectChange::Resume);
    if suspends && before.archived_at.is_some() {
        return Ok(Reply::refused(Refusal::ProjectStateConflict));
    }
    let same = (before.suspended_at, before.archived_at) == (after.suspended_at, after.archived_at);
    if !same {
        after.note = note.map(str::to_owned);
        after.write(context, &before)?;
        let withdraws = matches!(change, ProjectChange::Suspend | ProjectChange::Archive);
        follow(publisher, context, Scope::Project, withdraws)?;
        log(context, action, None, &before.transition(&after))?;
    }
    changed(context.storage)
}

impl Project {
    fn read(storage: &Storage) -> Result<Self, StorageError> {
        let row = storage
            .row(
                "SELECT id, name, version, suspended_at, archived_at, note, max_age_s, warn_s,
                        created_at, updated_at, revocation, on_leak, browser_end_s
                 FROM project",
                &[],
            )?
            .ok_or(StorageError::Row)?;
        Ok(Self {
            id: row.text(0)?,
            name: row.text(1)?,
            version: row.number(2)?,
            suspended_at: row.optional_time(3)?,
            archived_at: row.optional_time(4)?,
            note: row.optional_text(5)?,
            max_age_s: row.optional_time(6)?.map(|seconds| seconds.0),
            warn_s: row.optional_time(7)?.map(|seconds| seconds.0),
            revocation: row.optional_text(10)?.map(from_word).transpose()?,
            on_leak: row.optional_text(11)?,
            browser_end_s: row.optional_time(12)?.map(|seconds| seconds.0),
            created_at: row.time(8)?,
            updated_at: row.time(9)?,
        })
    }

    /// Writes it as the next version. The account registry is to be told only what it shows.
    fn write(&self, context: &Context<'_>, before: &Self) -> Result<(), StorageError> {
        let revocation = self.revocation.as_ref().map(word).transpose()?;
        let told = self.name != before.name || self.status() != before.status();
        context.storage.run(
            "UPDATE project SET name = ?1, suspended_at = ?2, archived_at = ?3, note = ?4,
                max_age_s = ?5, warn_s = ?6, updated_at = ?7, version = version + 1,
                told = told + iif(?8 = 0 AND told = version, 1, 0), revocation = ?9,
                on_leak = ?10, browser_end_s = ?11",
            &[
                (&self.name).into(),
                self.suspended_at.into(),
                self.archived_at.into(),
                self.note.as_ref().into(),
                self.max_age_s.into(),
                self.warn_s.into(),
                context.now.into(),
                told.into(),
                revocation.as_ref().into(),
                self.on_leak.as_ref().into(),
                self.browser_end_s.into(),
            ],
        )
    }

    const fn status(&self) -> ProjectStatus {
        match (self.suspended_at, self.archived_at) {
            (_, Some(_)) => ProjectStatus::Archived,
            (Some(_), None) => ProjectStatus::Suspended,
            (None, None) => ProjectStatus::Active,
        }
    }

    /// What an update may change.
    fn policy(&self) -> Value {
        let mut policy = json!({ "name": self.name });
        if let (Some(policy), Some(mode)) = (policy.as_object_mut(), self.revocation) {
            policy.insert("revocation".to_owned(), json!(mode));
        }
        if let (Some(policy), Some(on_leak)) = (policy.as_object_mut(), &self.on_leak) {
            policy.insert("on_leak".to_owned(), json!(on_leak));
        }
        for (field, seconds) in [
            ("max_age_s", self.max_age_s),
            ("warn_s", self.warn_s),
            ("browser_end_s", self.browser_end_s),
        ] {
            if let (Some(policy), Some(seconds)) = (policy.as_object_mut(), seconds) {
                policy.insert(field.to_owned(), seconds.into());
            }
        }
        policy
    }

    /// What a change of state has changed.
    fn transition(&self, after: &Self) -> Vec<FieldChange> {
        let state = |project: &Self| match &project.note {
            Some(note) => json!({ "status": project.status(), "note": note }),
            None => json!({ "status": project.status() }),
        };
        changes::diff(&state(self), &state(after))
    }

    fn shown(self, storage: &Storage) -> Result<crate::registry::message::Shown, StorageError> {
        shown(&view::Project {
            status: self.status(),
            environments: environment::all(storage)?,
            id: self.id,
            name: self.name,
            version: self.version,
            max_age_s: self.max_age_s,
            warn_s: self.warn_s,
            revocation: self.revocation,
            on_leak: self.on_leak,
            browser_end_s: self.browser_end_s,
            suspended_at: self.suspended_at.map(Into::into),
            archived_at: self.archived_at.map(Into::into),
            note: self.note,
            created_at: self.created_at.into(),
            updated_at: self.updated_at.into(),
        })
    }
}

/// Every record says when its secret is too old.
fn limit_age(
    publisher: &Publisher,
    context: &Context<'_>,
    before: Option<u64>,
    after: Option<u64>,
) -> Result<(), StorageError> {
    let condition = "?2 = '' AND status <> 'revoked' AND deleted_at IS NULL";
    let scope = Scope::Project;
    bump(
        context.storage,
        condition,
        vec![scope.name().into()],
        context.now,
    )?;
    let shorter = after.is_some_and(|after| before.is_none_or(|before| after < before));
    sweep::start(publisher, scope, shorter, context.now)
}

/// Every record of a kind for which that is something else now says how soon changes hold.
fn hold_by(
    publisher: &Publisher,
    context: &Context<'_>,
    before: Option<RevocationMode>,
    after: Option<RevocationMode>,
) -> Result<(), StorageError> {
    let mut changed = false;
    let mut stricter = false;
    for kind in [Kind::Public, Kind::Private] {
        let mode = revocation(after, kind);
        if mode == revocation(before, kind) {
            continue;
        }
        changed = true;
        stricter |= mode == RevocationMode::Strict;
        bump(
            context.storage,
            "kind = ?2 AND status <> 'revoked' AND deleted_at IS NULL",
            vec![kind.as_str().into()],
            context.now,
        )?;
    }
    if changed {
        sweep::start(publisher, Scope::Project, stricter, context.now)?;
    }
    Ok(())
}

/// The answer to a change of the project; whether KV has it is added afterwards.
fn changed(storage: &Storage) -> Result<Reply, StorageError> {
    let project = Project::read(storage)?;
    let version = Some(project.version);
    let item = project.shown(storage)?;
    Ok(Reply::Changed {
        item,
        version,
        publication: Publication::Pending,
        in_force_by: None,
    })
}
