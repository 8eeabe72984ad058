//! Publication: the outbox is emptied into KV.
//!
//! [`Publisher::pump`] starts as many of the due writes as may run at once; each write that ends
//! pumps again, and so does the alarm, which is set in the same run of statements that notes the
//! starts: whatever happens to this object afterwards, another instance goes on from the table.
//! What is in memory only says which of the noted writes this instance itself has in flight.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use keyward_core::keyring::Keyring;
use keyward_core::time::Millis;
use keyward_edge::kv::{self, KvError, Write};
use keyward_edge::{bindings, clock, crypto, log, timeout};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::future_to_promise;
use worker::{Env, State};

use super::keys;
use super::message::Publication;
use super::outbox::{self, Due, Owed};
use super::storage::{Storage, StorageError};

/// Writes in flight at once: the platform opens six connections for one object and queues the
/// rest, in their order.
const WRITES: usize = 6;
/// How many of these may grant something: a revocation never waits behind slow writes of others.
const GRANTING_WRITES: usize = 4;
/// How long an answer waits for KV.
const PATIENCE_MS: u64 = 2_000;

/// The publisher of one project's registry.
pub(super) struct Publisher {
    state: State,
    env: Env,
    storage: Storage,
    /// None when the deployment's secret is not valid: then nothing can be sealed.
    keyring: Option<Keyring>,
    flights: RefCell<BTreeMap<String, Flight>>,
    flight_count: Cell<u64>,
    waiting: RefCell<Vec<Waker>>,
}

/// A write in flight.
#[derive(Clone)]
struct Flight {
    /// Tells this write from a later one of the same name.
    number: u64,
    started_at: Millis,
    due: Due,
}

impl Publisher {
    /// The publisher of the object with this state; None where the runtime offers no storage.
    pub(super) fn new(state: State, env: Env) -> Option<Rc<Self>> {
        let storage = Storage::of(&state)?;
        let keyring = bindings::keyring(&env);
        Some(Rc::new(Self {
            state,
            env,
            storage,
            keyring,
            flights: RefCell::default(),
            flight_count: Cell::new(0),
            waiting: RefCell::default(),
        }))
    }

    /// The object's storage.
    pub(super) fn storage(&self) -> &Storage {
        &self.storage
    }

    /// The deployment's keyring, if it is valid.
    pub(super) fn keyring(&self) -> Option<&Keyring> {
        self.keyring.as_ref()
    }

    /// Makes sure that the alarm rings in time for all that is owed. Belongs into the transaction
    /// that adds to the outbox.
    ///
    /// # Errors
    /// Those of the storage.
    pub(super) fn arm(&self, now: Millis) -> Result<(), StorageError> {
        match outbox::next_wake(&self.storage, now)? {
            Some(time) => self.storage.wake_at(time),
            None => Ok(()),
        }
    }

    /// Starts what is due and may start.
    ///
    /// # Errors
    /// Those of the storage; then nothing was started.
    pub(super) fn pump(self: &Rc<Self>) -> Result<(), StorageError> {
        let now = clock::now();
        let planned = self.storage.transaction(|| self.plan(now))?;
        for (due, write) in planned {
            self.launch(due, write, now);
        }
        self.wake_waiting();
        Ok(())
    }

    /// Whether KV has the newest state of this key; waits a little for it.
    pub(super) async fn publication(&self, key: &str) -> Publication {
        let settled = poll_fn(|context| match outbox::owed(&self.storage, key) {
            Ok(Owed::Nothing) => Poll::Ready(Publication::Published),
            Ok(Owed::Doubtful) | Err(_) => Poll::Ready(Publication::Pending),
            Ok(Owed::UnderWay) => {
                self.waiting.borrow_mut().push(context.waker().clone());
                Poll::Pending
            }
        });
        timeout::within(PATIENCE_MS, settled)
            .await
            .unwrap_or(Publication::Pending)
    }

    fn plan(&self, now: Millis) -> Result<Vec<(Due, Write)>, StorageError> {
        self.give_up_lost(now)?;
        let mut planned = Vec::new();
        for withdraws in [true, false] {
            let free = self.free(withdraws, planned.len());
            for due in outbox::due(&self.storage, withdraws, free, now)? {
                outbox::start(&self.storage, &due.target.name, now)?;
                match self.write(&due) {
                    Ok(write) => planned.push((due, write)),
                    Err(reason) => {
                        let key = Some(due.target.key.as_str());
                        log::registry("publication_postponed", key, &reason.to_string());
                        outbox::landed(&self.storage, &due, now, false, now, jitter())?;
                    }
                }
            }
        }
        self.arm(now)?;
        Ok(planned)
    }

    /// Writes that were noted as started, but are not in flight here (the instance that started
    /// them is gone), or have been for too long.
    fn give_up_lost(&self, now: Millis) -> Result<(), StorageError> {
        for (name, started_at) in outbox::in_flight(&self.storage)? {
            let too_long = now.since(started_at) >= outbox::FLIGHT_CAP_MS;
            if too_long || !self.flights.borrow().contains_key(&name) {
                self.flights.borrow_mut().remove(&name);
                outbox::give_up(&self.storage, &name, now)?;
            }
        }
        Ok(())
    }

    /// How many more writes of this sort may start, when `planned` are about to.
    fn free(&self, withdraws: bool, planned: usize) -> usize {
        let flights = self.flights.borrow();
        let free = WRITES.saturating_sub(flights.len() + planned);
        if withdraws {
            return free;
        }
        let granting = flights
            .values()
            .filter(|flight| !flight.due.withdraws)
            .count();
        free.min(GRANTING_WRITES.saturating_sub(granting))
    }

    /// What to write, from the newest state.
    fn write(&self, due: &Due) -> Result<Write, Unwritable> {
        let record =
            keys::record(&self.storage, &due.target.secret).map_err(Unwritable::Storage)?;
        let keyring = self.keyring.as_ref().ok_or(Unwritable::Keyring)?;
        let entry = keyring
            .in_force()
            .find(|entry| entry.id() == due.target.entry);
        Ok(match (record, entry) {
            (Some(record), Some(entry)) => Write::Put(record.seal(entry, &due.target.name)),
            // The key is gone, or names of this entry are not read any more.
            _ => Write::Delete,
        })
    }

    fn launch(self: &Rc<Self>, due: Due, write: Write, started_at: Millis) {
        let number = self.flight_count.get();
        self.flight_count.set(number.wrapping_add(1));
        let flight = Flight {
            number,
            started_at,
            due,
        };
        self.flights
            .borrow_mut()
            .insert(flight.due.target.name.clone(), flight.clone());
        let publisher = Rc::clone(self);
        let task = future_to_promise(async move {
            let name = &flight.due.target.name;
            let outcome = kv::write(&publisher.env, name, &write).await;
            publisher.landed(&flight, outcome);
            Ok(JsValue::UNDEFINED)
        });
        // Refused only where the task runs without it; it lives on its own promise anyway.
        let _ = self.state.as_raw().wait_until(&task);
    }

    fn landed(self: &Rc<Self>, flight: &Flight, outcome: Result<(), KvError>) {
        let now = clock::now();
        let name = &flight.due.target.name;
        let current = self
            .flights
            .borrow()
            .get(name)
            .is_some_and(|own| own.number == flight.number);
        if current {
            self.flights.borrow_mut().remove(name);
        }
        if let Err(error) = outcome {
            log::registry(
                "publication_failed",
                Some(&flight.due.target.key),
                &error.to_string(),
            );
        }
        let acknowledged = outcome.is_ok();
        let noted = self.storage.transaction(|| {
            if current {
                let (due, started_at) = (&flight.due, flight.started_at);
                outbox::landed(&self.storage, due, started_at, acknowledged, now, jitter())
            } else {
                outbox::landed_late(&self.storage, &flight.due, acknowledged, now)
            }
        });
        // What could not be noted stays in the table as started: it is found there as lost.
        if let Err(error) = noted.and_then(|()| self.pump()) {
            log::registry("publication_postponed", None, &error.to_string());
        }
        self.wake_waiting();
    }

    fn wake_waiting(&self) {
        let waiting = self.waiting.take();
        for waker in waiting {
            waker.wake();
        }
    }
}

/// Why the value of a record cannot be made.
#[derive(Debug, thiserror::Error)]
enum Unwritable {
    #[error("the deployment's secret is not valid")]
    Keyring,
    #[error(transparent)]
    Storage(StorageError),
}

/// A random number; without randomness the retries only lose their spread.
fn jitter() -> u32 {
    let mut bytes = [0; 4];
    match crypto::fill_random(&mut bytes) {
        Ok(()) => u32::from_le_bytes(bytes),
        Err(_) => u32::MAX,
    }
}
