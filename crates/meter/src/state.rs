//! What a meter has in memory, as it is written: read once after each start of the object, and
//! written before an answer leaves.

mod answered;
mod answers;
mod duties;
mod known;
mod marks;
mod pages;
mod rounds;

use std::collections::{BTreeMap, BTreeSet};

use keyward_core::lease::ASKS_PER_S;
use keyward_core::lease::meter::Meter;
use keyward_core::metering::{Of, Subject};
use keyward_core::time::Millis;
use keyward_core::usage::Minute;
use keyward_edge::storage::{Storage, StorageError};

use self::answered::Answered;
pub(crate) use self::answers::Needs;
pub(crate) use self::duties::Tended;
use self::known::{Informed, Known};
use self::marks::Marks;
use self::pages::Pages;
use self::rounds::Rounds;
use crate::json::{read, written};
use crate::usage;

/// The names of parts. Those of the core's meter have a prefix of their own.
const SUBJECT: &str = "subject";
const KNOWN: &str = "known";
const REPORT: &str = "report";
const SEEN: &str = "seen";
const PAGES: &str = "pages";
const MARKS: &str = "marks";
const METER: &str = "meter/";
/// How the core names an isolate's part, which is written into a table of its own.
const ISOLATE: &str = "isolate/";

/// What a meter has in memory.
pub(crate) struct State {
    /// Whose meter it is: every command says it, but no alarm does.
    pub(crate) subject: Subject,
    /// None until the registry has told something.
    informed: Option<Informed>,
    isolates: BTreeMap<u64, Answered>,
    rounds: Rounds,
    /// Pages that have sent the key although it is private, of which the registry has not heard.
    pages: Pages,
    /// Thresholds of limits that were passed.
    marks: Marks,
    changed: Changed,
}

/// What is to be written, beside the parts that the core's meter names.
#[derive(Default)]
struct Changed {
    parts: BTreeSet<&'static str>,
    isolates: BTreeSet<u64>,
}

impl State {
    /// The meter of this subject, of which nothing is written.
    pub(crate) fn new(subject: Subject) -> Self {
        Self {
            subject,
            informed: None,
            isolates: BTreeMap::new(),
            rounds: Rounds::new(None, None),
            pages: Pages::default(),
            marks: Marks::default(),
            changed: Changed {
                parts: BTreeSet::from([SUBJECT]),
                isolates: BTreeSet::new(),
            },
        }
    }

    /// Reads what was written; none where nothing was, unless it is said whose meter it is.
    ///
    /// # Errors
    /// Those of the storage; [`StorageError::Row`] also when a part is missing: a meter never
    /// begins anew with empty counts.
    pub(crate) fn load(
        storage: &Storage,
        subject: Option<&Subject>,
        now: Millis,
    ) -> Result<Option<Self>, StorageError> {
        let mut parts = BTreeMap::new();
        for row in storage.rows("SELECT name, value FROM part", &[])? {
            parts.insert(row.text(0)?, row.text(1)?);
        }
        let mut state = match (parts.remove(SUBJECT), subject) {
            (Some(text), _) => Self {
                changed: Changed::default(),
                ..Self::new(read(&text)?)
            },
            (None, _) if !parts.is_empty() => return Err(StorageError::Row),
            (None, Some(subject)) => Self::new(subject.clone()),
            (None, None) => return Ok(None),
        };
        let known: Option<Known> = take(&mut parts, KNOWN)?;
        state.marks = take(&mut parts, MARKS)?.unwrap_or_default();
        state.load_rounds(storage, &mut parts)?;
        let named =
            |(name, value): (String, String)| Some((name.strip_prefix(METER)?.to_owned(), value));
        let mut parts: Vec<_> = parts.into_iter().filter_map(named).collect();
        for row in storage.rows("SELECT id, leases, answered FROM isolate", &[])? {
            let id = row.text(0)?;
            if let Some(leases) = row.optional_text(1)? {
                parts.push((format!("{ISOLATE}{id}"), leases));
            }
            let id = id.parse().map_err(|_| StorageError::Row)?;
            let answered: Answered = read(&row.text(2)?)?;
            state.isolates.insert(id, answered.again());
        }
        state.informed = match known {
            None if parts.is_empty() => None,
            None => return Err(StorageError::Row),
            Some(known) => {
                let meter =
                    Meter::restore(parts.into_iter(), ASKS_PER_S).ok_or(StorageError::Row)?;
                Some(Informed { known, meter })
            }
        };
        state.plan(storage, now)?;
        Ok(Some(state))
    }

    /// Only a key's meter tells others what it has counted.
    fn load_rounds(
        &mut self,
        storage: &Storage,
        parts: &mut BTreeMap<String, String>,
    ) -> Result<(), StorageError> {
        if let Of::Key(_) = self.subject.of {
            let last = take(parts, REPORT)?;
            let seen = take(parts, SEEN)?;
            self.pages = take(parts, PAGES)?.unwrap_or_default();
            self.rounds = Rounds::new(last, seen);
            self.rounds.unsent = usage::first_unsent(storage, Minute(0))?;
            self.rounds.used = usage::last_used(storage)?;
        }
        Ok(())
    }

    /// Writes what has changed. Belongs into a transaction with everything else that an answer
    /// rests on.
    ///
    /// # Errors
    /// Those of the storage.
    pub(crate) fn save(&mut self, storage: &Storage) -> Result<(), StorageError> {
        let Changed {
            parts,
            mut isolates,
        } = std::mem::take(&mut self.changed);
        for name in parts {
            let value = match name {
                SUBJECT => written(&self.subject)?,
                REPORT => written(&self.rounds.last)?,
                SEEN => written(&self.rounds.seen_told)?,
                PAGES => written(&self.pages)?,
                MARKS => written(&self.marks)?,
                _ => match &self.informed {
                    Some(informed) => written(&informed.known)?,
                    None => continue,
                },
            };
            put(storage, name, &value)?;
        }
        let mut leases = BTreeMap::new();
        let meter = self.informed.as_mut().map(|informed| &mut informed.meter);
        for (name, value) in meter.map(Meter::changed).unwrap_or_default() {
            if let Some(id) = name.strip_prefix(ISOLATE) {
                let id = id.parse().map_err(|_| StorageError::Row)?;
                isolates.insert(id);
                leases.insert(id, value);
                continue;
            }
            let name = format!("{METER}{name}");
            match value {
                Some(value) => put(storage, &name, &value)?,
                None => storage.run("DELETE FROM part WHERE name = ?1", &[(&name).into()])?,
            }
        }
        for id in isolates {
            self.save_isolate(storage, id, leases.remove(&id))?;
        }
        Ok(())
    }

    /// `leases`: as the core's meter writes them, if they have changed.
    fn save_isolate(
        &mut self,
        storage: &Storage,
        id: u64,
        leases: Option<Option<String>>,
    ) -> Result<(), StorageError> {
        let name = id.to_string();
        let Some(answered) = self.isolates.get_mut(&id) else {
            return storage.run("DELETE FROM isolate WHERE id = ?1", &[(&name).into()]);
        };
        let answered = written(&answered.ahead())?;
        match leases {
            Some(leases) => storage.run(
                "INSERT INTO isolate (id, leases, answered) VALUES (?1, ?2, ?3)
                 ON CONFLICT (id) DO UPDATE SET leases = ?2, answered = ?3",
                &[(&name).into(), leases.as_ref().into(), (&answered).into()],
            ),
            None => storage.run(
                "INSERT INTO isolate (id, answered) VALUES (?1, ?2)
                 ON CONFLICT (id) DO UPDATE SET answered = ?2",
                &[(&name).into(), (&answered).into()],
            ),
        }
    }
}

/// Takes a part out of those that were read.
fn take<T: serde::de::DeserializeOwned>(
    parts: &mut BTreeMap<String, String>,
    name: &str,
) -> Result<Option<T>, StorageError> {
    parts.remove(name).map(|text| read(&text)).transpose()
}

/// Writes a part.
fn put(storage: &Storage, name: &str, value: &str) -> Result<(), StorageError> {
    storage.run(
        "INSERT INTO part (name, value) VALUES (?1, ?2)
         ON CONFLICT (name) DO UPDATE SET value = ?2",
        &[name.into(), value.into()],
    )
}
