//! What the registry knows of the lines of an import: asked in a few statements for all of them,
//! and learnt from line to line.

use std::collections::{BTreeMap, BTreeSet};

use keyward_core::record::Status;
use keyward_core::spec::{FieldError, ValidKey};
use keyward_edge::storage::{Storage, StorageError};

use crate::registry::message::ImportLine;

/// Environments, secrets and ids.
pub(super) struct Known {
    /// Whether each of the project's environments is archived.
    environments: BTreeMap<String, bool>,
    /// The key that each digest belongs to.
    owners: BTreeMap<String, Owner>,
    ids: BTreeSet<String>,
}

/// A key that has a line's secret already.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Owner {
    /// The key's id.
    pub(super) id: String,
    deleted: bool,
    revoked: bool,
}

impl Owner {
    /// Why the line cannot count as imported, if it cannot: a key that opens nothing any more is
    /// not what it asks for, unless that is what it says.
    pub(super) fn contradicts(&self, fields: &ValidKey) -> Option<FieldError> {
        let detail = if self.deleted {
            format!("undelete {}", self.id)
        } else if self.revoked && fields.status != Status::Revoked {
            format!("{} is revoked for good; leave this line out", self.id)
        } else {
            return None;
        };
        Some(FieldError {
            field: "status".to_owned(),
            detail,
        })
    }
}

impl Known {
    /// What is known of these lines beforehand.
    ///
    /// # Errors
    /// Those of the storage.
    pub(super) fn about(storage: &Storage, lines: &[ImportLine]) -> Result<Self, StorageError> {
        let secrets = lines.iter().flat_map(|line| &line.secrets);
        let digests = list(secrets.map(|own| &own.secret.digest))?;
        let ids = list(lines.iter().map(|line| &line.id))?;
        let mut known = Self {
            environments: BTreeMap::new(),
            owners: BTreeMap::new(),
            ids: BTreeSet::new(),
        };
        for row in storage.rows("SELECT id, archived_at IS NOT NULL FROM environment", &[])? {
            known.environments.insert(row.text(0)?, row.number(1)? != 0);
        }
        for row in storage.rows(
            "SELECT secret.digest, key.id, key.deleted_at IS NOT NULL, key.status = 'revoked'
             FROM secret JOIN key ON key.id = secret.key
             WHERE secret.digest IN (SELECT value FROM json_each(?1))",
            &[(&digests).into()],
        )? {
            let owner = Owner {
                id: row.text(1)?,
                deleted: row.number(2)? != 0,
                revoked: row.number(3)? != 0,
            };
            known.owners.insert(row.text(0)?, owner);
        }
        for row in storage.rows(
            "SELECT id FROM key WHERE id IN (SELECT value FROM json_each(?1))",
            &[(&ids).into()],
        )? {
            known.ids.insert(row.text(0)?);
        }
        Ok(known)
    }

    /// What is wrong with a line in this project, if anything is.
    pub(super) fn wrong(&self, fields: &ValidKey, line: &ImportLine) -> Option<FieldError> {
        let mut digests: Vec<_> = line.secrets.iter().map(|own| &own.secret.digest).collect();
        digests.sort_unstable();
        let repeated = digests.windows(2).any(|pair| pair.first() == pair.last());
        let (field, detail) = match self.environments.get(&fields.environment) {
            None => (
                "environment",
                "the project has no such environment; create it, or name another",
            ),
            Some(true) => (
                "environment",
                "the environment is archived; restore it, or name another",
            ),
            Some(false) if fields.status == Status::Suspended => {
                ("status", "write `active`, `disabled` or `revoked`")
            }
            Some(false) if !(1..=2).contains(&line.secrets.len()) => {
                ("secrets", "must be a list of one or two secrets")
            }
            Some(false) if repeated => ("secrets", "the two are the same"),
            Some(false) => return None,
        };
        Some(FieldError {
            field: field.to_owned(),
            detail: detail.to_owned(),
        })
    }

    /// The key that a secret belongs to.
    pub(super) fn owner(&self, digest: &str) -> Option<&Owner> {
        self.owners.get(digest)
    }

    /// Whether there is, or was until it is purged, a key with this id.
    pub(super) fn has_id(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// The line's key is there now.
    pub(super) fn learn(&mut self, line: &ImportLine, fields: &ValidKey) {
        self.ids.insert(line.id.clone());
        let owner = Owner {
            id: line.id.clone(),
            deleted: false,
            revoked: fields.status == Status::Revoked,
        };
        for own in &line.secrets {
            let digest = own.secret.digest.clone();
            self.owners.insert(digest, owner.clone());
        }
    }
}

/// A list of texts as JSON, for `json_each`: a statement takes far fewer values than an import
/// has lines.
fn list<'a>(texts: impl Iterator<Item = &'a String>) -> Result<String, StorageError> {
    serde_json::to_string(&texts.collect::<Vec<_>>()).map_err(|_| StorageError::Row)
}
