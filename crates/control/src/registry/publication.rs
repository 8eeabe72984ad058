//! Publication: the outbox is emptied into KV.
//!
//! [`Publisher::pump`] starts as many of the due writes as may run at once; each write that ends
//! goes on with the next, and so does the alarm, which is set in the same run of statements that
//! notes the starts: whatever happens to this object afterwards, another instance goes on from
//! the table. What is in memory only says which of the noted writes this instance itself has in
//! flight, and how many each [`Invocation`] may still begin.

mod late;
mod value;
mod waiting;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::rc::Rc;
use std::task::Waker;

use keyward_core::keyring::Keyring;
use keyward_core::time::Millis;
use keyward_edge::kv::{self, KvError, Write};
use keyward_edge::storage::{Storage, StorageError};
use keyward_edge::{bindings, clock, crypto, log};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::future_to_promise;
use worker::{Env, State};

use self::late::Late;
use super::invocation::Invocation;
use super::metering::{self, Meters, Telling};
use super::outbox::{self, Due, Pace, Urgency};
use super::{replica, republication, reseal, sweep, tasks, telling, webhooks};

/// The publisher of one project's registry.
pub(super) struct Publisher {
    state: State,
    env: Env,
    storage: Storage,
    /// None when the deployment's secret is not valid: then nothing can be sealed.
    keyring: Option<Keyring>,
    flights: RefCell<BTreeMap<String, Flight>>,
    flight_count: Cell<u64>,
    late: RefCell<Late>,
    waiting: RefCell<Vec<Waker>>,
    pace: Cell<Pace>,
    pub(super) republication: republication::Noticed,
    pub(super) resealing: Cell<bool>,
    pub(super) telling: Cell<bool>,
    pub(super) meters: Meters,
    pub(super) hooks: webhooks::Sender,
}

/// What meters are told, and what is written to KV.
type Planned = (Vec<Telling>, Vec<(Due, Write)>);

/// A write in flight.
#[derive(Clone)]
struct Flight {
    /// Tells this write from a later one of the same name.
    number: u64,
    started_at: Millis,
    due: Due,
    /// Whether a record stands under the name afterwards.
    puts: bool,
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
            late: RefCell::default(),
            waiting: RefCell::default(),
            pace: Cell::default(),
            republication: Cell::default(),
            resealing: Cell::default(),
            telling: Cell::default(),
            meters: Meters::default(),
            hooks: webhooks::Sender::default(),
        }))
    }

    /// What the deployment binds.
    pub(super) fn env(&self) -> &Env {
        &self.env
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
        // All are asked in any case: one alarm rings for all, and where another is set is not
        // always known.
        let wakes = [
            outbox::next_wake(&self.storage, now)?,
            sweep::next_wake(&self.storage, now)?,
            tasks::next_wake(&self.storage, now)?,
            metering::next_wake(self, now)?,
            webhooks::next_wake(&self.storage, now)?,
        ];
        match wakes.into_iter().flatten().min() {
            Some(time) => self.storage.wake_at(time),
            None => Ok(()),
        }
    }

    /// Starts what is due and may start. A request or the alarm asks for it: each is a new
    /// invocation.
    ///
    /// # Errors
    /// Those of the storage; then nothing was started.
    pub(super) fn pump(self: &Rc<Self>) -> Result<(), StorageError> {
        let invocation = Invocation::new();
        self.go_on(&invocation)?;
        telling::start(self)?;
        webhooks::go_on(self, &invocation)?;
        reseal::start(self)
    }

    /// Lets the future run on its own, for as long as the object lives.
    pub(super) fn spawn(&self, future: impl Future<Output = ()> + 'static) {
        let task = future_to_promise(async move {
            future.await;
            Ok(JsValue::UNDEFINED)
        });
        // Refused only where the task runs without it; it lives on its own promise anyway.
        let _ = self.state.as_raw().wait_until(&task);
    }

    /// Starts what has become due, within the same invocation.
    ///
    /// # Errors
    /// As [`Publisher::pump`].
    pub(super) fn go_on(self: &Rc<Self>, invocation: &Rc<Invocation>) -> Result<(), StorageError> {
        let now = clock::now();
        let (meters, planned) = self.storage.transaction(|| self.plan(invocation, now))?;
        metering::launch(self, invocation, meters);
        for (due, write) in planned {
            self.launch(Rc::clone(invocation), due, write, now);
        }
        self.wake_waiting();
        Ok(())
    }

    fn plan(&self, invocation: &Invocation, now: Millis) -> Result<Planned, StorageError> {
        self.give_up_lost(now)?;
        let swept = self.pace.get().allows(now);
        if swept {
            sweep::step(self, now)?;
        }
        let mut planned: Vec<(Due, Write)> = Vec::new();
        for urgency in Urgency::ALL {
            if urgency.swept() && !swept {
                continue;
            }
            let left = invocation.writes.left(planned.len());
            let free = self.free(urgency, &planned).min(left);
            for due in outbox::due(&self.storage, urgency, free, now)? {
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
        if invocation.writes.left(planned.len()) == 0 {
            // The alarm goes on at once, with a count of its own.
            self.storage.wake_at(now)?;
        }
        let meters = metering::plan(self, invocation, now)?;
        self.arm(now)?;
        Ok((meters, planned))
    }

    /// Writes that were noted as started, but are not in flight here (the instance that started
    /// them is gone), or have been for too long.
    fn give_up_lost(&self, now: Millis) -> Result<(), StorageError> {
        for (name, started_at) in outbox::in_flight(&self.storage)? {
            let too_long = now.since(started_at) >= outbox::FLIGHT_CAP_MS;
            if too_long || !self.flights.borrow().contains_key(&name) {
                let flight = self.flights.borrow_mut().remove(&name);
                if let Some(flight) = flight {
                    self.late.borrow_mut().give_up(&flight.due.target);
                }
                outbox::give_up(&self.storage, &name, now)?;
            }
        }
        Ok(())
    }

    /// How many more writes of this urgency may start, when `planned` are about to.
    fn free(&self, urgency: Urgency, planned: &[(Due, Write)]) -> usize {
        let flights = self.flights.borrow();
        let flying = flights.values().map(|flight| flight.due.urgency);
        let about_to = planned.iter().map(|(due, _)| due.urgency);
        urgency.free(flying.chain(about_to))
    }

    fn launch(
        self: &Rc<Self>,
        invocation: Rc<Invocation>,
        due: Due,
        write: Write,
        started_at: Millis,
    ) {
        let number = self.flight_count.get();
        self.flight_count.set(number.wrapping_add(1));
        invocation.writes.take();
        self.late.borrow_mut().start(&due.target);
        let flight = Flight {
            number,
            started_at,
            due,
            puts: matches!(write, Write::Put(_)),
        };
        self.flights
            .borrow_mut()
            .insert(flight.due.target.name.clone(), flight.clone());
        let publisher = Rc::clone(self);
        self.spawn(async move {
            let name = &flight.due.target.name;
            let outcome = kv::write(&publisher.env, name, &write).await;
            publisher.landed(&invocation, &flight, outcome);
        });
    }

    fn landed(
        self: &Rc<Self>,
        invocation: &Rc<Invocation>,
        flight: &Flight,
        outcome: Result<(), KvError>,
    ) {
        let now = clock::now();
        let target = &flight.due.target;
        let current = self
            .flights
            .borrow()
            .get(&target.name)
            .is_some_and(|own| own.number == flight.number);
        let newest = if current {
            self.flights.borrow_mut().remove(&target.name);
            None
        } else {
            Some(self.late.borrow_mut().end(target))
        };
        if let Err(error) = outcome {
            log::registry("publication_failed", Some(&target.key), &error.to_string());
        }
        let acknowledged = outcome.is_ok();
        self.pace.set(self.pace.get().after(acknowledged, now));
        let noted = self.storage.transaction(|| {
            if let Some(newest) = &newest {
                let urgency = flight.due.urgency;
                return outbox::landed_late(&self.storage, newest, urgency, acknowledged, now);
            }
            if acknowledged {
                replica::note(&self.storage, target, flight.puts)?;
            }
            let (due, started_at) = (&flight.due, flight.started_at);
            outbox::landed(&self.storage, due, started_at, acknowledged, now, jitter())
        });
        // What could not be noted stays in the table as started: it is found there as lost.
        if let Err(error) = noted.and_then(|()| self.go_on(invocation)) {
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

/// A random number; without randomness the retries only lose their spread.
pub(super) fn jitter() -> u32 {
    let mut bytes = [0; 4];
    match crypto::fill_random(&mut bytes) {
        Ok(()) => u32::from_le_bytes(bytes),
        Err(_) => u32::MAX,
    }
}
