//! One key under change: found in the version that is meant, changed in its rows, and then
//! compared with what it was. What has changed nothing is no change: no version, no entry in the
//! audit log, nothing for KV.

use keyward_core::record::Status;
use keyward_core::refusal::Refusal;
use keyward_core::time::Millis;
use keyward_edge::storage::StorageError;
use serde_json::{Map, Value};

use super::leased;
use super::pages;
use super::policy::Policy;
use super::record::{owe, owe_each};
use super::row::{self, Key, word};
use super::secrets::{self, Secret};
use super::view;
use crate::registry::audit::diff;
use crate::registry::journal::{Context, Subject};
use crate::registry::message::{IfMatch, Publication, Reply};
use crate::registry::outbox::Event;
use crate::registry::publication::Publisher;
use crate::registry::view::{Cause, ExpiresSoon, Key as Shown};
use crate::registry::webhooks;

/// A key as it was before the change, and all that the change is made with.
pub(super) struct Edit<'a> {
    pub(super) publisher: &'a Publisher,
    pub(super) context: &'a Context<'a>,
    pub(super) policy: Policy,
    pub(super) key: Key,
    pub(super) secrets: Vec<Secret>,
    /// Whether it was used by leases alone before the change.
    is_leased: bool,
}

/// What has happened to a key, as far as its records are concerned.
#[derive(Clone, Copy)]
pub(super) enum Effect<'a> {
    /// The same for all of its secrets.
    All(Event),
    /// Something was taken away from all of them, and nothing given.
    TakenAway,
    /// This secret is new, and the older ones may end earlier.
    Rotated(&'a str),
}

impl<'a> Edit<'a> {
    /// Finds the key; a refusal when there is none, or it is in another version than is meant.
    ///
    /// # Errors
    /// Those of the storage.
    pub(super) fn begin(
        publisher: &'a Publisher,
        context: &'a Context<'a>,
        id: &str,
        if_match: IfMatch,
    ) -> Result<Result<Self, Reply>, StorageError> {
        let storage = context.storage;
        let Some(key) = row::find(storage, id, context.now)? else {
            return Ok(Err(Reply::refused(Refusal::KeyUnknown)));
        };
        if if_match.is_some_and(|version| version != key.version) {
            return Ok(Err(Reply::refused(Refusal::VersionConflict)));
        }
        Ok(Ok(Self {
            publisher,
            context,
            policy: Policy::of(storage)?,
            secrets: secrets::of(storage, &key.id)?,
            is_leased: leased::is_leased(storage, &key.id, context.now)?,
            key,
        }))
    }

    /// Whether what counts of the key's state is one of these.
    pub(super) fn is(&self, statuses: &[Status]) -> bool {
        statuses.contains(&self.key.status())
    }

    /// From when on a change may be in force everywhere, if that will be known: of what takes away,
    /// and from a key that nobody uses without a lease.
    pub(super) fn in_force_from(&self, takes_away: bool) -> Option<Millis> {
        (takes_away && self.is_leased).then_some(self.context.now)
    }

    /// The rows are written: gives the key its next version if they differ from what they were,
    /// logs how, and owes KV the difference. Answers with the key as it is now.
    ///
    /// # Errors
    /// Those of the storage.
    pub(super) fn end(
        self,
        action: &str,
        target: Option<&str>,
        effect: Effect<'_>,
    ) -> Result<Reply, StorageError> {
        self.end_as(self.context, action, target, effect)
    }

    /// As [`Edit::end`], in the name of somebody else.
    ///
    /// # Errors
    /// Those of the storage.
    pub(super) fn end_as(
        &self,
        context: &Context<'_>,
        action: &str,
        target: Option<&str>,
        effect: Effect<'_>,
    ) -> Result<Reply, StorageError> {
        let (storage, now) = (context.storage, context.now);
        let id = &self.key.id;
        let find = || row::find(storage, id, now)?.ok_or(StorageError::Row);
        let before = view::compared(&self.policy, &self.key, &self.secrets, now)?;
        let mut key = find()?;
        let secrets = secrets::of(storage, id)?;
        let after = view::compared(&self.policy, &key, &secrets, now)?;
        let changes = diff(&before, &after);
        if !changes.is_empty() {
            row::next_version(storage, id, now)?;
            key = find()?;
            let subject = Subject {
                project: Some(&self.policy.project),
                key: Some(id),
                target,
            };
            context.log(action, subject, &changes)?;
            self.tell(context, &key, &secrets, action, target)?;
            match effect {
                Effect::All(event) => owe(self.publisher, id, event, now)?,
                Effect::TakenAway => owe(self.publisher, id, Event::Withdrawn, now)?,
                Effect::Rotated(new) => {
                    let event = |secret: &str| {
                        if secret == new {
                            Event::Created
                        } else {
                            Event::Withdrawn
                        }
                    };
                    owe_each(self.publisher, id, event, now)?;
                }
            }
        }
        let shown = Shown {
            pages: pages::of(storage, id)?,
            ..view::of(&self.policy, &key, &secrets, Vec::new(), now)
        };
        Ok(Reply::Changed {
            item: crate::registry::view::shown(&shown)?,
            version: Some(key.version),
            // Asked when the change is stored.
            publication: Publication::Pending,
            in_force_by: self.in_force_from(matches!(effect, Effect::TakenAway)),
        })
    }

    /// Tells the project's endpoints of a change that they want to know of.
    fn tell(
        &self,
        context: &Context<'_>,
        key: &Key,
        secrets: &[Secret],
        action: &str,
        target: Option<&str>,
    ) -> Result<(), StorageError> {
        let revoked = match target {
            Some(target) => secrets
                .iter()
                .find(|secret| secret.id == target)
                .and_then(|secret| secret.revoked.as_ref()),
            None => key.revoked.as_ref(),
        };
        let mut more = Map::new();
        let leaked = target.and_then(|target| {
            let secret = secrets.iter().find(|secret| secret.id == target)?;
            secret.leaked.as_ref().filter(|_| action == "key.leak")
        });
        if let Some(leaked) = leaked {
            let leaked = serde_json::to_value(leaked).map_err(|_| StorageError::Row)?;
            more.insert("leaked".to_owned(), leaked);
            let done = if revoked.is_some() {
                "revoked"
            } else {
                "flagged"
            };
            more.insert("done".to_owned(), done.into());
        }
        let ends = target.and_then(|target| {
            let secret = secrets.iter().find(|secret| secret.id == target)?;
            secret.browser_end_at.filter(|_| action == pages::ENDS)
        });
        if let Some(at) = ends {
            let soon = ExpiresSoon {
                at: at.into(),
                cause: Cause::BrowserUse,
            };
            let soon = serde_json::to_value(soon).map_err(|_| StorageError::Row)?;
            more.insert("expires_soon".to_owned(), soon);
        }
        if let Some(revoked) = revoked {
            more.insert("reason".to_owned(), word(&revoked.reason)?.into());
        }
        let project = &self.policy.project;
        webhooks::about_key(context, project, key, action, target, more)
    }
}

/// The key with its first secrets, for the audit log and webhooks: all of it is new.
pub(super) fn created(
    context: &Context<'_>,
    policy: &Policy,
    key: &Key,
    secrets: &[Secret],
    action: &str,
) -> Result<(), StorageError> {
    let after = view::compared(policy, key, secrets, context.now)?;
    let subject = Subject {
        project: Some(&policy.project),
        key: Some(&key.id),
        target: None,
    };
    context.log(action, subject, &diff(&Value::Null, &after))?;
    webhooks::about_key(context, &policy.project, key, action, None, Map::new())
}
