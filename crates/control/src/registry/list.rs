//! The lists of keys, the newest first: filters, search, and what deserves attention.
//!
//! A page costs the same in a project of a thousand keys and of a hundred thousand: it visits a
//! bounded number of keys ([`query`]). Where few of them are let through, a page is shorter than
//! what was asked for, or empty, and still says from where to go on: only a page without that is
//! the last one. A cursor is the position of a key, so that keys that are added meanwhile neither
//! repeat nor hide others.

mod query;

use keyward_core::attention::{self, Facts, Wanted};
use keyward_core::time::Millis;
use keyward_edge::storage::{Row, Storage, StorageError};

use self::query::{END, FULL_ACCESS, Query, TOO_OLD_AT, UNRESTRICTED};
use super::keys::{self, Key, POSITION, Policy};
use super::message::{KeyFilter, Page, Reply, Shown};
use super::view::Attention;

/// The keys that the filter lets through, the newest first.
///
/// # Errors
/// Those of the storage.
pub(super) fn list(
    storage: &Storage,
    page: &Page,
    filter: &KeyFilter,
    now: Millis,
) -> Result<Reply, StorageError> {
    let policy = Policy::of(storage)?;
    let wanted = wanted(filter);
    let from = page.from.unwrap_or(END);
    let query = Query::new(filter, &wanted, &policy, from, page.limit, now);
    let rows = query.page(storage)?;
    let (shown, mut next) = page.cut(&rows, POSITION)?;
    if next.is_none() {
        // Fewer than asked for: are there none left, or have enough been visited?
        next = query.end(storage)?;
    }
    let item = |row: &Row| item(storage, &policy, &wanted, row, now);
    let items = shown.iter().map(item).collect::<Result<_, _>>()?;
    Ok(Reply::Items { items, next })
}

const fn wanted(filter: &KeyFilter) -> Wanted {
    Wanted {
        unused_s: filter.unused_s,
        expiring_s: filter.expiring_s,
        unrestricted: filter.unrestricted,
        full_access: filter.full_access,
    }
}

fn item(
    storage: &Storage,
    policy: &Policy,
    wanted: &Wanted,
    row: &Row,
    now: Millis,
) -> Result<Shown, StorageError> {
    let key = Key::read(row)?;
    let facts = Facts {
        created_at: key.created_at,
        last_used_at: key.last_used_at,
        ends: [key.expires_at, row.optional_time(TOO_OLD_AT)?],
        unrestricted: row.number(UNRESTRICTED)? != 0,
        full_access: row.number(FULL_ACCESS)? != 0,
    };
    let attention = wanted.of(&facts, now).into_iter().map(|why| match why {
        attention::Attention::Unused => Attention::Unused,
        attention::Attention::Expiring => Attention::Expiring,
        attention::Attention::Unrestricted => Attention::Unrestricted,
        attention::Attention::FullAccess => Attention::FullAccess,
    });
    keys::show(storage, policy, &key, attention.collect(), now)
}
