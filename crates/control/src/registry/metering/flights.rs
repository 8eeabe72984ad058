//! Sends what is owed to the meters.
//!
//! One sending is in flight for each subject. It ends after [`FLIGHT_MS`] at the latest, and what has
//! changed meanwhile follows at once: a meter that hangs holds a revocation back for no longer. One
//! that answers later than that has done no harm, because it passes over what is older than what it
//! knows. What was sent by an instance of the object that is gone is found in the table.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::task::Waker;

use keyward_core::metering::{MeterCall, MeterCommand, Subject, Told};
use keyward_core::time::Millis;
use keyward_edge::storage::{Storage, StorageError};
use keyward_edge::{bindings, clock, log, object, timeout};
use serde::Deserialize;

use super::owed::{self, Due};
use super::{key, knowledge, name, raised, sent};
use crate::registry::invocation::Invocation;
use crate::registry::outbox::Pace;
use crate::registry::publication::{Publisher, jitter};

/// How long a meter may take; it is asked again after that.
const FLIGHT_MS: u64 = 2_000;
/// Meters that are told at once, and how many of them because of a change of many keys.
const MOST: usize = 20;
const MOST_SWEPT: usize = 15;
/// A deployment without meters finds out at its next start whether it has some.
const UNBOUND_RECHECK_MS: u64 = 600_000;

/// What this instance of the object is sending.
#[derive(Default)]
pub(in crate::registry) struct Meters {
    flights: RefCell<BTreeSet<String>>,
    waiting: RefCell<Vec<Waker>>,
    pace: Cell<Pace>,
}

impl Meters {
    /// Wakes who waits when something that was sent has ended.
    pub(super) fn wake_later(&self, waker: &Waker) {
        self.waiting.borrow_mut().push(waker.clone());
    }
}

/// What is about to be sent.
pub(in crate::registry) struct Telling {
    due: Due,
    object: String,
    text: String,
    version: u64,
    /// The number of the last change of credits in it; 0 without one.
    credits: u64,
}

/// Notes what is sent now. Belongs into the publisher's plan, after what may add to it.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn plan(
    publisher: &Publisher,
    invocation: &Invocation,
    now: Millis,
) -> Result<Vec<Telling>, StorageError> {
    let (storage, meters) = (publisher.storage(), &publisher.meters);
    for of in sent::in_flight(storage)? {
        if !meters.flights.borrow().contains(&name(&of)) {
            sent::lost(storage, &of, now)?;
        }
    }
    if !bound(publisher) {
        if !invocation.missed.get() && owed::any_due(storage, now)? {
            invocation.missed.set(true);
            let detail = "meters are to be told of changes, and the binding METERS is missing";
            log::registry("metering_postponed", None, detail);
        }
        return Ok(Vec::new());
    }
    let mut planned: Vec<Telling> = Vec::new();
    for swept in [false, true] {
        if swept && !meters.pace.get().allows(now) {
            continue;
        }
        let under_way = meters.flights.borrow().len() + planned.len();
        let free = if swept { MOST_SWEPT } else { MOST }
            .saturating_sub(under_way)
            .min(invocation.tellings.left(planned.len()));
        for due in owed::due(storage, swept, free, now)? {
            match telling(storage, due) {
                Ok(telling) => {
                    sent::start(storage, &telling.due.of, now)?;
                    planned.push(telling);
                }
                Err((due, error)) => {
                    log::registry("metering_postponed", key(&due.of), &error.to_string());
                    sent::failed(storage, &due, now, jitter())?;
                }
            }
        }
    }
    if invocation.tellings.left(planned.len()) == 0 && owed::any_due(storage, now)? {
        // The alarm goes on at once, with a count of its own.
        storage.wake_at(now)?;
    }
    Ok(planned)
}

/// When the object has to wake at the latest to go on; none when nothing is owed.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn next_wake(
    publisher: &Publisher,
    now: Millis,
) -> Result<Option<Millis>, StorageError> {
    let wake = owed::next_wake(publisher.storage(), now)?;
    if bound(publisher) {
        return Ok(wake);
    }
    Ok(wake.map(|wake| wake.max(now.plus(UNBOUND_RECHECK_MS))))
}

/// Sends what was planned.
pub(in crate::registry) fn launch(
    publisher: &Rc<Publisher>,
    invocation: &Rc<Invocation>,
    planned: Vec<Telling>,
) {
    for telling in planned {
        let meters = &publisher.meters;
        invocation.tellings.take();
        meters.flights.borrow_mut().insert(name(&telling.due.of));
        let (sending, invocation) = (Rc::clone(publisher), Rc::clone(invocation));
        publisher.spawn(async move {
            let told = timeout::within(FLIGHT_MS, tell(&sending, &telling)).await;
            landed(&sending, &invocation, &telling, told.flatten());
        });
    }
}

/// Whether there are meters.
pub(super) fn bound(publisher: &Publisher) -> bool {
    bindings::binding(publisher.env(), bindings::METERS).is_some()
}

/// What to send, from the newest state.
fn telling(storage: &Storage, due: Due) -> Result<Telling, (Due, StorageError)> {
    let written = || {
        let project = storage.row("SELECT id FROM project", &[])?;
        let subject = Subject {
            project: project.ok_or(StorageError::Row)?.text(0)?,
            of: due.of.clone(),
        };
        let newest = knowledge::newest(storage, &due.of)?;
        let version = newest.version;
        let credits = newest.credits.last().map_or(0, |last| last.number);
        let object = subject.object();
        let command = MeterCommand::Tell(Box::new(newest));
        let call = MeterCall { subject, command };
        let text = serde_json::to_string(&call).map_err(|_| StorageError::Row)?;
        Ok((object, text, version, credits))
    };
    match written() {
        Ok((object, text, version, credits)) => Ok(Telling {
            due,
            object,
            text,
            version,
            credits,
        }),
        Err(error) => Err((due, error)),
    }
}

/// Of [`MeterReply`](keyward_core::metering::MeterReply), what may come back: the module has no
/// code to read the rest.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Reply {
    Told(Told),
}

async fn tell(publisher: &Publisher, telling: &Telling) -> Option<Told> {
    let (env, text) = (publisher.env(), &telling.text);
    let reply = object::exchange(env, bindings::METERS, &telling.object, text).await;
    match serde_json::from_str(&reply.ok()?) {
        Ok(Reply::Told(told)) => Some(told),
        Err(_) => None,
    }
}

fn landed(
    publisher: &Rc<Publisher>,
    invocation: &Rc<Invocation>,
    telling: &Telling,
    told: Option<Told>,
) {
    let (now, meters, due) = (clock::now(), &publisher.meters, &telling.due);
    meters.flights.borrow_mut().remove(&name(&due.of));
    meters
        .pace
        .set(meters.pace.get().after(told.is_some(), now));
    let storage = publisher.storage();
    let noted = storage.transaction(|| match told {
        Some(told) => {
            if told.version > telling.version {
                raised::above(publisher, &due.of, told.version, now)?;
            }
            sent::acknowledged(storage, due, telling.credits, told, now, jitter())
        }
        None => sent::failed(storage, due, now, jitter()),
    });
    if told.is_none() {
        let detail = "a meter has not acknowledged what it was told";
        log::registry("metering_failed", key(&due.of), detail);
    }
    // What could not be noted stays in the table as sent: it is found there as lost.
    if let Err(error) = noted.and_then(|()| publisher.go_on(invocation)) {
        log::registry("metering_postponed", key(&due.of), &error.to_string());
    }
    for waker in meters.waiting.take() {
        waker.wake();
    }
}
