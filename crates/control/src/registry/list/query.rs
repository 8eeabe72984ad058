//! The statements behind a page. An inner one walks along the index that narrows most, newest
//! first, over at most [`VISITED`] keys; the outer one applies every filter to what comes by, and
//! stops when the page is full.

use keyward_core::attention::Wanted;
use keyward_core::life::RECOVERABLE_MS;
use keyward_core::record::Status;
use keyward_core::time::Millis;
use keyward_edge::storage::{Row, Storage, StorageError, Value};

use crate::registry::keys::{COLUMNS, Policy};
use crate::registry::message::KeyFilter;

/// So many keys are visited for one page.
pub(super) const VISITED: u64 = 20_000;
/// After the position of any key.
pub(super) const END: u64 = (1 << 53) - 1;
/// The columns after those of [`COLUMNS`].
pub(super) const UNRESTRICTED: u32 = 22;
pub(super) const FULL_ACCESS: u32 = 23;
/// When the newest secret is too old; null unless ends are asked for.
pub(super) const TOO_OLD_AT: u32 = 24;

/// The search index has runs of three characters; shorter texts are looked for key by key.
const SHORTEST_INDEXED: usize = 3;

/// The statements for one page.
pub(super) struct Query<'a> {
    /// From which keys in which order.
    walk: String,
    /// The filters, of which every one has to hold.
    filters: Vec<String>,
    too_old_at: String,
    limit: u32,
    /// Those of `walk` first.
    values: Vec<Bound<'a>>,
    walk_values: usize,
}

/// A value to bind, which may have been made here.
enum Bound<'a> {
    Given(&'a str),
    Made(String),
    Number(u64),
}

impl<'a> Query<'a> {
    /// The keys before this position that the filter lets through.
    pub(super) fn new(
        filter: &'a KeyFilter,
        wanted: &Wanted,
        policy: &Policy,
        from: u64,
        limit: u32,
        now: Millis,
    ) -> Self {
        let mut query = Self {
            walk: String::new(),
            filters: Vec::new(),
            too_old_at: "NULL".to_owned(),
            limit,
            values: Vec::new(),
            walk_values: 0,
        };
        query.walk = query.walk_along(filter, from);
        query.walk_values = query.values.len();
        query.narrow(filter, now);
        if wanted.any() {
            query.look_for(wanted, policy, now);
        }
        query
    }

    /// The rows of the page, and one more when there is more.
    ///
    /// # Errors
    /// Those of the storage.
    pub(super) fn page(&self, storage: &Storage) -> Result<Vec<Row>, StorageError> {
        // Another table of the walk has columns of the same names.
        let columns = COLUMNS.replace(", ", ", key.");
        let too_old_at = &self.too_old_at;
        let statement = format!(
            "SELECT * FROM (SELECT key.{columns}, key.unrestricted, key.full_access,
                                   {too_old_at} AS too_old_at {} LIMIT {VISITED})
             WHERE {} LIMIT {}",
            self.walk,
            self.filters.join(" AND "),
            u64::from(self.limit) + 1,
        );
        storage.rows(&statement, &self.bound(self.values.len()))
    }

    /// The position of the last key that the walk visits, when there may be more after it.
    ///
    /// # Errors
    /// Those of the storage.
    pub(super) fn end(&self, storage: &Storage) -> Result<Option<u64>, StorageError> {
        let walk = &self.walk;
        let last = VISITED - 1;
        let row = storage.row(
            &format!("SELECT key.position {walk} LIMIT 1 OFFSET {last}"),
            &self.bound(self.walk_values),
        )?;
        row.map(|row| row.number(0)).transpose()
    }

    fn bound(&self, count: usize) -> Vec<Value<'_>> {
        let values = self.values.iter().take(count);
        values
            .map(|value| match value {
                Bound::Given(text) => Value::Text(text),
                Bound::Made(text) => Value::Text(text),
                Bound::Number(number) => Value::Number(*number),
            })
            .collect()
    }

    fn bind(&mut self, value: Bound<'a>) -> String {
        self.values.push(value);
        format!("?{}", self.values.len())
    }

    /// Along what the keys are visited: the search index, or the index of the filter that lets
    /// the fewest through, or their positions.
    fn walk_along(&mut self, filter: &'a KeyFilter, from: u64) -> String {
        let text = filter.text.as_deref();
        if let Some(text) = text.filter(|text| text.chars().count() >= SHORTEST_INDEXED) {
            let phrase = self.bind(Bound::Made(phrase(text)));
            let from = self.bind(Bound::Number(from));
            // `CROSS JOIN` keeps the order: first the index, then the keys that it names.
            return format!(
                "FROM key_text CROSS JOIN key ON key.position = key_text.rowid
                 WHERE key_text MATCH {phrase} AND key_text.rowid < {from}
                 ORDER BY key_text.rowid DESC"
            );
        }
        let narrowest = match (&filter.owner, &filter.environment, own_status(filter)) {
            (Some(owner), _, _) => {
                format!("key.owner = {} AND ", self.bind(Bound::Given(owner)))
            }
            (None, Some(environment), None | Some("active")) => {
                let environment = self.bind(Bound::Given(environment));
                format!("key.environment = {environment} AND ")
            }
            (None, _, Some(status)) => {
                format!("key.status = {} AND ", self.bind(Bound::Given(status)))
            }
            (None, None, None) => String::new(),
        };
        let from = self.bind(Bound::Number(from));
        format!("FROM key WHERE {narrowest}key.position < {from} ORDER BY key.position DESC")
    }

    fn narrow(&mut self, filter: &'a KeyFilter, now: Millis) {
        let state = match filter.status {
            Some(Status::Active) => "suspended_by IS NULL AND status = 'active'",
            Some(Status::Disabled) => "suspended_by IS NULL AND status = 'disabled'",
            Some(Status::Suspended) => "suspended_by IS NOT NULL AND status <> 'revoked'",
            Some(Status::Revoked) => "status = 'revoked'",
            Some(Status::Deleted) | None => "1",
        };
        self.filters.push(state.to_owned());
        if filter.status == Some(Status::Deleted) {
            // Those that can come back; the others are about to be purged.
            let oldest = now.0.saturating_sub(RECOVERABLE_MS);
            let oldest = self.bind(Bound::Number(oldest));
            self.filters.push(format!("deleted_at > {oldest}"));
        } else {
            self.filters.push("deleted_at IS NULL".to_owned());
        }
        let words = [
            ("owner", filter.owner.as_deref()),
            ("environment", filter.environment.as_deref()),
            ("kind", filter.kind.map(|kind| kind.as_str())),
        ];
        for (column, word) in words {
            if let Some(word) = word {
                let word = self.bind(Bound::Given(word));
                self.filters.push(format!("{column} = {word}"));
            }
        }
        let text = filter.text.as_deref();
        if let Some(text) = text.filter(|text| text.chars().count() < SHORTEST_INDEXED) {
            let text = self.bind(Bound::Given(text));
            let found = ["name", "owner", "id"]
                .map(|column| format!("instr(lower({column}), lower({text})) > 0"));
            self.filters.push(format!("({})", found.join(" OR ")));
        }
    }

    /// The same as [`Wanted::of`], of keys that may still be used.
    fn look_for(&mut self, wanted: &Wanted, policy: &Policy, now: Millis) {
        let mut reasons = Vec::new();
        if let Some(seconds) = wanted.unused_s {
            let since = now.0.checked_sub(seconds.saturating_mul(1000));
            if let Some(since) = since {
                let since = self.bind(Bound::Number(since));
                reasons.push(format!("coalesce(last_used_at, created_at) <= {since}"));
            }
        }
        if let Some(seconds) = wanted.expiring_s {
            if let Some(max_age) = policy.max_age {
                self.too_old_at = format!(
                    "(SELECT max(max(created_at, coalesce(not_before, 0))) + {max_age}
                      FROM secret WHERE secret.key = key.id AND revoked_at IS NULL
                        AND not_after IS NULL)"
                );
            }
            let until = now.plus(seconds.saturating_mul(1000)).0.min(END);
            let now = self.bind(Bound::Number(now.0));
            let until = self.bind(Bound::Number(until));
            for end in ["expires_at", "too_old_at"] {
                reasons.push(format!("{end} > {now} AND {end} <= {until}"));
            }
        }
        if wanted.unrestricted {
            reasons.push("unrestricted = 1".to_owned());
        }
        if wanted.full_access {
            reasons.push("full_access = 1".to_owned());
        }
        if reasons.is_empty() {
            reasons.push("0".to_owned());
        }
        self.filters.push("status <> 'revoked'".to_owned());
        self.filters.push(format!("({})", reasons.join(" OR ")));
    }
}

/// The word in the column `status` that a filter by status asks for, where that narrows.
const fn own_status(filter: &KeyFilter) -> Option<&'static str> {
    match filter.status {
        Some(Status::Active) => Some("active"),
        Some(Status::Disabled) => Some("disabled"),
        Some(Status::Revoked) => Some("revoked"),
        _ => None,
    }
}

/// A phrase of the search index's own language: whatever is in it, it only stands for itself.
fn phrase(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}
