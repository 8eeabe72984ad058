//! The object: takes one command, answers it, and has written what the answer rests on.
#![expect(missing_docs, reason = "on the methods that the macro writes")]

mod alarm;
mod inform;

use std::cell::{Cell, RefCell};
use std::task::Waker;

use keyward_core::metering::{
    Exchange, Knowledge, MeterCall, MeterCommand, MeterReply, Of, Subject,
};
use keyward_core::time::Millis;
use keyward_edge::storage::{Storage, StorageError};
use keyward_edge::{clock, log};
use worker::{DurableObject, Env, Request, Response, durable_object};

use crate::registry::Unavailable;
use crate::state::State;
use crate::{points, schema, sums, usage};

/// Counts for one key, one owner or one project.
#[durable_object(alarm)]
pub struct Meter {
    storage: Option<Storage>,
    env: Env,
    /// What is written; none until it is read, and after a failure.
    state: RefCell<Option<State>>,
    /// When the registry did not answer last.
    failed_at: Cell<Millis>,
    /// Who waits for what the registry answers, to whichever request.
    waiting: RefCell<Vec<Waker>>,
    /// Of a project's meter.
    turns: Cell<sums::Turns>,
}

/// Why a command is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Storage(#[from] StorageError),
    #[error("{0}, and what is known is not enough to go on with")]
    Unavailable(#[from] Unavailable),
    #[error("this meter has no such command")]
    Command,
}

impl DurableObject for Meter {
    fn new(state: worker::State, env: Env) -> Self {
        Self {
            storage: Storage::of(&state),
            env,
            state: RefCell::new(None),
            failed_at: Cell::new(Millis(0)),
            waiting: RefCell::new(Vec::new()),
            turns: Cell::new(sums::Turns::default()),
        }
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        let text = request.text().await;
        let call = text.ok().and_then(|text| serde_json::from_str(&text).ok());
        let Some(call) = call else { return failed() };
        match self.answer(call).await {
            Ok(reply) => match serde_json::to_string(&reply) {
                Ok(text) => Response::ok(text),
                Err(_) => failed(),
            },
            Err(error) => {
                log::meter("meter_failed", &error.to_string());
                failed()
            }
        }
    }

    async fn alarm(&self) -> worker::Result<Response> {
        self.ring().await
    }
}

/// A failure has no body: it says nothing but that it happened.
fn failed() -> worker::Result<Response> {
    Ok(Response::empty()?.with_status(500))
}

impl Meter {
    async fn answer(&self, call: MeterCall) -> Result<MeterReply, Failure> {
        let MeterCall { subject, command } = call;
        match (command, &subject.of) {
            (MeterCommand::Exchange(exchange), Of::Key(_) | Of::Owner(_)) => {
                self.exchange(&subject, &exchange).await
            }
            (MeterCommand::Tell(told), Of::Key(_) | Of::Owner(_)) => self.told(&subject, *told),
            (MeterCommand::Standing, Of::Key(_) | Of::Owner(_)) => {
                self.inform(&subject, 0).await?;
                let standing = self.change(&subject, |state, _, now| Ok(state.standing(now)))?;
                standing.map(MeterReply::Standing).ok_or(Failure::Command)
            }
            (MeterCommand::Usage { since, until, by }, Of::Key(_) | Of::Project) => {
                let spans = match self.written()? {
                    Some(storage) => usage::spans(storage, since, until, by)?,
                    None => Vec::new(),
                };
                Ok(MeterReply::Usage(spans))
            }
            (MeterCommand::Sum { key, report }, Of::Project) => {
                self.change(&subject, |state, storage, now| {
                    state.tend_some_day(now);
                    sums::add(storage, &key, &report, now)
                })?;
                let mut turns = self.turns.get();
                let wait_ms = turns.next(clock::now());
                self.turns.set(turns);
                Ok(MeterReply::Summed { wait_ms })
            }
            _ => Err(Failure::Command),
        }
    }

    async fn exchange(
        &self,
        subject: &Subject,
        exchange: &Exchange,
    ) -> Result<MeterReply, Failure> {
        let holds = exchange.holds.as_ref();
        let held = holds.map_or(0, |holds| holds.version);
        self.inform(subject, held.max(exchange.version)).await?;
        let exchanged = self.change(subject, |state, storage, now| {
            state.tend_some_day(now);
            state.exchange(storage, exchange, now)
        })?;
        let (exchanged, is_counted) = exchanged.ok_or(Failure::Command)?;
        if let (true, Some(report)) = (is_counted, &exchange.usage) {
            points::write(&self.env, subject, report);
        }
        Ok(MeterReply::Exchanged(Box::new(exchanged)))
    }

    fn told(&self, subject: &Subject, told: Knowledge) -> Result<MeterReply, Failure> {
        let told = self.change(subject, |state, _, now| {
            let version = told.version;
            state.learn(told, now);
            Ok(state.told(version, now))
        })?;
        Ok(MeterReply::Told(told))
    }

    fn storage(&self) -> Result<&Storage, StorageError> {
        self.storage.as_ref().ok_or(StorageError::Runtime)
    }

    /// The storage, if something is written in it: asking about what was never used must not leave
    /// a database behind.
    fn written(&self) -> Result<Option<&Storage>, StorageError> {
        let storage = self.storage()?;
        if storage.version()? == 0 {
            return Ok(None);
        }
        storage.migrate(schema::METER)?;
        Ok(Some(storage))
    }

    /// Looks at what is written, and writes nothing.
    fn look<T>(&self, subject: &Subject, act: impl FnOnce(&State) -> T) -> Result<T, StorageError> {
        if let Some(state) = self.state.borrow().as_ref() {
            return Ok(act(state));
        }
        let Some(storage) = self.written()? else {
            return Ok(act(&State::new(subject.clone())));
        };
        let state = State::load(storage, Some(subject), clock::now())?;
        let mut held = self.state.borrow_mut();
        *held = state;
        held.as_ref().map(act).ok_or(StorageError::Row)
    }

    /// Changes what is written.
    fn change<T>(
        &self,
        subject: &Subject,
        act: impl FnOnce(&mut State, &Storage, Millis) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let changed = self.run(Some(subject), |state, storage, now| {
            if state.subject != *subject {
                return Err(StorageError::Refused);
            }
            act(state, storage, now)
        })?;
        changed.ok_or(StorageError::Row)
    }

    /// Changes what is written, in one turn and as a whole, with the alarm: when anything of it
    /// fails, nothing stays, neither on disk nor in memory. None where nothing is written and it
    /// is not said whose meter this is.
    fn run<T>(
        &self,
        subject: Option<&Subject>,
        act: impl FnOnce(&mut State, &Storage, Millis) -> Result<T, StorageError>,
    ) -> Result<Option<T>, StorageError> {
        let (storage, now) = (self.storage()?, clock::now());
        let state = match self.state.take() {
            Some(state) => Some(state),
            None if subject.is_none() && self.written()?.is_none() => None,
            None => {
                storage.migrate(schema::METER)?;
                State::load(storage, subject, now)?
            }
        };
        let Some(mut state) = state else {
            return Ok(None);
        };
        let outcome = storage.transaction(|| {
            let outcome = act(&mut state, storage, now)?;
            state.save(storage)?;
            if let Some(time) = state.wake_at() {
                storage.wake_at(time)?;
            }
            Ok(outcome)
        })?;
        self.state.replace(Some(state));
        Ok(Some(outcome))
    }
}
