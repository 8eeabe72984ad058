//! Asks the registry what a meter is to know, before somebody is answered.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::task::{Poll, Waker};

use keyward_core::metering::Subject;
use keyward_edge::clock;

use super::{Failure, Meter};
use crate::registry::{self, Unavailable};
use crate::state::{Needs, State};

/// How long the registry is waited for where nothing can be said without it.
const PATIENCE_MS: u64 = 2_000;
/// How long it is waited for where something is known: who asks here waits for 500 ms.
const SHORT_PATIENCE_MS: u64 = 400;
/// For so long after it did not answer, it is not asked where there is something to go on with.
const PAUSE_MS: u64 = 5_000;
/// For so long it is not asked where there is nothing, and nobody is answered: a registry that comes
/// back is not to be met by everybody at once.
const SHORT_PAUSE_MS: u64 = 1_000;

impl Meter {
    /// Asks the registry where what is known is not enough for somebody who holds this version.
    /// Each asks for itself: the platform cancels who waits for another request's promise. But what
    /// another has learned meanwhile is enough: who is asked a second time, because the first answer
    /// took too long, does not wait for longer.
    pub(super) async fn inform(&self, subject: &Subject, held: u64) -> Result<(), Failure> {
        let look = |state: &State| (state.needs(held, clock::now()), state.version());
        let (needs, version) = self.look(subject, look)?;
        let patience_ms = match needs {
            Needs::Nothing => return Ok(()),
            Needs::News if self.pauses(PAUSE_MS) => return Ok(()),
            Needs::All if self.pauses(SHORT_PAUSE_MS) => return Err(Unavailable.into()),
            Needs::News => SHORT_PATIENCE_MS,
            Needs::All => PATIENCE_MS,
        };
        let known = version.unwrap_or(0).max(held);
        let mut pull = pin!(registry::pull(&self.env, subject, known, patience_ms));
        let pulled = poll_fn(|context| {
            if let Poll::Ready(pulled) = pull.as_mut().poll(context) {
                return Poll::Ready(Some(pulled));
            }
            if matches!(self.look(subject, look), Ok((Needs::Nothing, _))) {
                return Poll::Ready(None);
            }
            self.waiting.borrow_mut().push(context.waker().clone());
            Poll::Pending
        });
        match pulled.await {
            Some(Ok(Some(knowledge))) => self.change(subject, |state, _, now| {
                state.pulled(knowledge, now);
                Ok(())
            })?,
            Some(Ok(None)) => self.change(subject, |state, _, now| {
                state.gone(version, held, now);
                Ok(())
            })?,
            Some(Err(Unavailable)) => self.failed_at.set(clock::now()),
            None => {}
        }
        self.waiting.take().into_iter().for_each(Waker::wake);
        match self.look(subject, look)? {
            (Needs::All, _) => Err(Unavailable.into()),
            _ => Ok(()),
        }
    }

    /// Whether the registry did not answer a moment ago.
    fn pauses(&self, pause_ms: u64) -> bool {
        let (now, failed) = (clock::now(), self.failed_at.get());
        failed <= now && now.since(failed) < pause_ms
    }
}
