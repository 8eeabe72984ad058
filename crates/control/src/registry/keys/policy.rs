//! What the project says about all its keys.

use keyward_core::kind::Kind;
use keyward_core::life;
use keyward_core::record::RevocationMode;
use keyward_edge::storage::{Storage, StorageError};

use super::row::from_word;

/// The project, as far as its keys are concerned.
pub(in crate::registry) struct Policy {
    pub(in crate::registry) project: String,
    /// How old a secret may become, in milliseconds.
    pub(in crate::registry) max_age: Option<u64>,
    /// How long before an end to warn, in seconds.
    pub(in crate::registry) warning_s: u64,
    /// How soon a change of a key holds; none: by the key's kind.
    pub(in crate::registry) revocation: Option<RevocationMode>,
    /// Whether a private key's secret that has leaked is revoked, and not only flagged.
    pub(in crate::registry) revokes_leaks: bool,
    /// So long after a page has sent a private key's secret that one ends, in seconds.
    pub(in crate::registry) browser_end_s: Option<u64>,
    /// No key of it may be changed.
    pub(in crate::registry) archived: bool,
}

impl Policy {
    /// The policy of the project that this registry is the one of.
    ///
    /// # Errors
    /// Those of the storage.
    pub(in crate::registry) fn of(storage: &Storage) -> Result<Self, StorageError> {
        let row = storage
            .row(
                "SELECT id, max_age_s * 1000, coalesce(warn_s, ?1), archived_at, revocation,
                        on_leak, browser_end_s
                 FROM project",
                &[life::DEFAULT_WARNING_S.into()],
            )?
            .ok_or(StorageError::Row)?;
        Ok(Self {
            project: row.text(0)?,
            max_age: row.optional_time(1)?.map(|time| time.0),
            warning_s: row.number(2)?,
            revocation: row.optional_text(4)?.map(from_word).transpose()?,
            revokes_leaks: row.optional_text(5)?.as_deref() != Some("flag"),
            browser_end_s: row.optional_time(6)?.map(|seconds| seconds.0),
            archived: row.optional_time(3)?.is_some(),
        })
    }
}

/// How soon a change of a key of this kind holds in a project with this setting: what is for
/// servers only is withdrawn at once, and what a page may show must not wait for a meter.
pub(in crate::registry) fn revocation(
    setting: Option<RevocationMode>,
    kind: Kind,
) -> RevocationMode {
    setting.unwrap_or(match kind {
        Kind::Public => RevocationMode::Eventual,
        Kind::Private | Kind::Management | Kind::Derived => RevocationMode::Strict,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_project_says_how_soon_changes_hold_and_else_the_kind_does() {
        use RevocationMode::{Eventual, Strict};
        for (setting, private, public) in [
            (None, Strict, Eventual),
            (Some(Strict), Strict, Strict),
            (Some(Eventual), Eventual, Eventual),
        ] {
            assert_eq!(revocation(setting, Kind::Private), private);
            assert_eq!(revocation(setting, Kind::Public), public);
        }
    }
}
