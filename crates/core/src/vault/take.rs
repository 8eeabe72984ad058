//! What came of a read, and what of it is held.

use super::held::{Floor, room_for};
use super::place::{Known, usable};
use super::{Answer, MOST, Value, Vault};
use crate::route::Source;
use crate::time::Millis;

impl Vault {
    /// Takes in what came of a read. Returns what the log is to say: a field, and what is wrong with it.
    pub fn take(
        &mut self,
        read: &str,
        answer: Answer<'_>,
        now: Millis,
    ) -> Option<(&str, &'static str)> {
        let mut parts = read.split(' ');
        let mut number = || parts.next()?.parse::<u64>().ok();
        let (number, asked) = (number()?, Millis(number()?));
        let what = parts.next()?;
        let place = self.places.get_mut(usize::try_from(number).ok()?)?;
        let Known::Read(all) = &mut place.known else {
            return None;
        };
        let owner = match &place.source {
            Source::Secret(_) => "",
            Source::Project(_) => what.split('/').next().unwrap_or_default(),
        };
        let trouble = |detail| Some((place.field.as_str(), detail));
        let at = all.binary_search_by(|held| held.project.as_str().cmp(owner));
        let (value, detail) = match answer {
            Answer::Value(version, text) if usable(text) => (Some((version, text)), None),
            Answer::Value(..) => (None, Some("the value cannot stand in a header")),
            Answer::Missing => (None, Some("there is no value")),
            Answer::Unreadable => (
                None,
                Some("the value cannot be opened for this project, name and origin"),
            ),
            Answer::Failed => {
                let at = match at {
                    Ok(at) => Some(at),
                    // A failure displaces no value.
                    Err(_) => (all.len() < MOST).then(|| room_for(all, owner, now)),
                };
                if let Some(held) = at.and_then(|at| all.get_mut(at)) {
                    held.failed = Some(now);
                }
                return trouble("the value could not be read");
            }
        };
        let at = at.unwrap_or_else(|_| room_for(all, owner, now));
        let held = all.get_mut(at)?;
        // What was asked for earlier may come later.
        if held.read <= now && asked < held.asked {
            return None;
        }
        match answer {
            Answer::Value(version, _) if held.floor.refuses(version, now) => {
                held.failed = Some(now);
                return None;
            }
            Answer::Value(version, _) => {
                held.floor = Floor {
                    version,
                    gone: false,
                    since: now,
                };
            }
            Answer::Missing if !held.floor.gone => {
                (held.floor.gone, held.floor.since) = (true, now);
            }
            _ => {}
        }
        (held.read, held.asked) = (now, asked);
        (held.marked, held.failed) = (None, None);
        let unchanged = |old: &Value| {
            value.is_some_and(|(version, text)| old.version == version && old.text == text)
        };
        if !held.value.as_ref().is_some_and(unchanged) {
            self.last = self.last.wrapping_add(1).max(1);
            let revision = self.last;
            held.value = value.map(|(version, text)| Value {
                text: text.to_owned(),
                revision,
                version,
            });
        }
        detail.and_then(trouble)
    }
}
