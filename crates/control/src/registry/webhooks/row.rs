//! An endpoint as it stands in its row, and as it is shown.

use keyward_api::view::{
    FailureCause, Webhook, WebhookDisabled, WebhookFailure, WebhookReason, WebhookStatus,
};
use keyward_core::time::Millis;
use keyward_edge::storage::{Row, Storage, StorageError};

use crate::registry::keys::{from_json, from_word, word};

const COLUMNS: &str = "webhook.id, url, events, description, sealed, old_sealed, old_until,
    disabled_at, disabled_why, dropped, delivered_at, failed_at, failed_status, failed_cause,
    created_at, updated_at,
    version, (SELECT count(*) FROM webhook_message WHERE webhook_message.webhook = webhook.id)";

/// An endpoint.
pub(super) struct Endpoint {
    pub(super) shown: Webhook,
    /// The secret, sealed.
    pub(super) sealed: String,
    /// The older one, and until when it signs.
    pub(super) old: Option<(String, Millis)>,
}

impl Endpoint {
    fn read(row: &Row) -> Result<Self, StorageError> {
        let disabled_at = row.optional_time(7)?;
        let why = row.optional_text(8)?;
        let disabled = match (disabled_at, why) {
            (Some(at), Some(why)) => Some(WebhookDisabled {
                at: at.into(),
                reason: from_word(why)?,
            }),
            _ => None,
        };
        let failure = match (row.optional_time(11)?, row.optional_text(13)?) {
            (Some(at), Some(cause)) => Some(WebhookFailure {
                at: at.into(),
                status: row
                    .optional_time(12)?
                    .and_then(|status| u16::try_from(status.0).ok()),
                cause: from_word(cause)?,
            }),
            _ => None,
        };
        let until = row.optional_time(6)?;
        Ok(Self {
            shown: Webhook {
                id: row.text(0)?,
                url: row.text(1)?,
                description: row.text(3)?,
                events: from_json(&row.text(2)?)?,
                status: match disabled {
                    Some(_) => WebhookStatus::Disabled,
                    None => WebhookStatus::Active,
                },
                disabled,
                version: row.number(16)?,
                waiting: row.number(17)?,
                dropped: row.number(9)?,
                delivered_at: row.optional_time(10)?.map(Into::into),
                failure,
                old_secret_until: until.map(Into::into),
                created_at: row.time(14)?.into(),
                updated_at: row.time(15)?.into(),
            },
            sealed: row.text(4)?,
            old: row.optional_text(5)?.zip(until),
        })
    }

    /// Whether messages are sent to it.
    pub(super) const fn is_active(&self) -> bool {
        matches!(self.shown.status, WebhookStatus::Active)
    }

    /// It is shown without a secret that does not sign any more.
    pub(super) fn at(mut self, now: Millis) -> Self {
        self.old = self.old.filter(|(_, until)| now < *until);
        if self.old.is_none() {
            self.shown.old_secret_until = None;
        }
        self
    }
}

/// One endpoint.
///
/// # Errors
/// Those of the storage.
pub(super) fn find(storage: &Storage, id: &str) -> Result<Option<Endpoint>, StorageError> {
    let row = storage.row(
        &format!("SELECT {COLUMNS} FROM webhook WHERE webhook.id = ?1"),
        &[id.into()],
    )?;
    row.as_ref().map(Endpoint::read).transpose()
}

/// All of them, the oldest first.
///
/// # Errors
/// Those of the storage.
pub(super) fn all(storage: &Storage) -> Result<Vec<Endpoint>, StorageError> {
    let rows = storage.rows(
        &format!("SELECT {COLUMNS} FROM webhook ORDER BY webhook.position"),
        &[],
    )?;
    rows.iter().map(Endpoint::read).collect()
}

/// An attempt has ended.
///
/// # Errors
/// Those of the storage.
pub(super) fn attempted(
    storage: &Storage,
    id: &str,
    failed: Option<(Option<u16>, FailureCause)>,
    now: Millis,
) -> Result<(), StorageError> {
    let Some((status, cause)) = failed else {
        return storage.run(
            "UPDATE webhook SET delivered_at = ?2, failed_at = NULL, failed_status = NULL,
                failed_cause = NULL
             WHERE id = ?1",
            &[id.into(), now.into()],
        );
    };
    storage.run(
        "UPDATE webhook SET failed_at = ?2, failed_status = ?3, failed_cause = ?4 WHERE id = ?1",
        &[
            id.into(),
            now.into(),
            status.map(u64::from).into(),
            (&word(&cause)?).into(),
        ],
    )
}

/// So many messages were dropped.
///
/// # Errors
/// Those of the storage.
pub(super) fn dropped(storage: &Storage, id: &str, count: u64) -> Result<(), StorageError> {
    storage.run(
        "UPDATE webhook SET dropped = dropped + ?2 WHERE id = ?1",
        &[id.into(), count.into()],
    )
}

/// It is sent to again.
///
/// # Errors
/// Those of the storage.
pub(super) fn enable(storage: &Storage, id: &str, now: Millis) -> Result<(), StorageError> {
    storage.run(
        "UPDATE webhook SET disabled_at = NULL, disabled_why = NULL, failed_at = NULL,
            failed_status = NULL, failed_cause = NULL, updated_at = ?2, version = version + 1
         WHERE id = ?1",
        &[id.into(), now.into()],
    )
}

/// Nothing is sent to it from now on; what waited is dropped.
///
/// # Errors
/// Those of the storage.
pub(super) fn disable(
    storage: &Storage,
    endpoint: &Endpoint,
    why: WebhookReason,
    now: Millis,
) -> Result<(), StorageError> {
    let id = &endpoint.shown.id;
    storage.run(
        "UPDATE webhook SET disabled_at = ?2, disabled_why = ?3, updated_at = ?2, version = version + 1,
            dropped = dropped + (SELECT count(*) FROM webhook_message WHERE webhook = ?1)
         WHERE id = ?1",
        &[id.into(), now.into(), (&word(&why)?).into()],
    )?;
    storage.run(
        "DELETE FROM webhook_message WHERE webhook = ?1",
        &[id.into()],
    )
}
