//! What is held of one project's value, and the versions that it does not go back to.

use std::cmp::Ordering;

use super::{GONE_MS, MOST, STALE_MS, Value};
use crate::time::Millis;

pub(super) struct Held {
    pub(super) project: String,
    pub(super) value: Option<Value>,
    /// When the answer that holds came.
    pub(super) read: Millis,
    /// When it had been asked for.
    pub(super) asked: Millis,
    pub(super) marked: Option<Millis>,
    /// When a read last brought nothing that says what holds.
    pub(super) failed: Option<Millis>,
    pub(super) floor: Floor,
    pub(super) used: Millis,
}

/// The newest version that was seen of a value. It outlives the value: what cannot be opened or is not
/// there for a moment makes nothing older acceptable.
pub(super) struct Floor {
    /// 0 where values have none.
    pub(super) version: u64,
    /// There was none after it.
    pub(super) gone: bool,
    /// When it was last seen, or first was gone.
    pub(super) since: Millis,
}

impl Floor {
    pub(super) fn refuses(&self, version: u64, now: Millis) -> bool {
        let most = match version.cmp(&self.version) {
            Ordering::Less => STALE_MS,
            Ordering::Equal if self.gone => GONE_MS,
            _ => return false,
        };
        self.version > 0 && self.since <= now && now.since(self.since) <= most
    }
}

/// A place for what is known of a project, in their order.
pub(super) fn room_for(all: &mut Vec<Held>, project: &str, now: Millis) -> usize {
    if all.len() >= MOST {
        let oldest = all.iter().enumerate().min_by_key(|(_, held)| held.used);
        if let Some((at, _)) = oldest {
            all.remove(at);
        }
    }
    let at = all.partition_point(|held| held.project.as_str() < project);
    let held = Held {
        project: project.to_owned(),
        value: None,
        read: Millis(0),
        asked: Millis(0),
        marked: None,
        failed: None,
        floor: Floor {
            version: 0,
            gone: false,
            since: Millis(0),
        },
        used: now,
    };
    all.insert(at, held);
    at
}
