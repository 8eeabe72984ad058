//! The alarm: tends what is written, sends what was counted to the project's meter, and tells the
//! registry that the key was used.

use keyward_core::metering::Subject;
use keyward_edge::storage::StorageError;
use keyward_edge::{clock, log};
use worker::Response;

use super::Meter;
use crate::state::Tended;
use crate::{registry, sums};

/// How long after an alarm that failed the next one is set.
const AFTER_FAILURE_MS: u64 = 60_000;

impl Meter {
    /// Does what is due.
    pub(super) async fn ring(&self) -> worker::Result<Response> {
        if let Err(error) = self.do_what_is_due().await {
            log::meter("alarm_failed", &error.to_string());
            // The runtime rings again a few times after a failure, then never: what is owed must
            // not depend on that.
            let later = clock::now().plus(AFTER_FAILURE_MS);
            if self
                .storage()
                .and_then(|storage| storage.wake_at(later))
                .is_err()
            {
                let text = "the meter's alarm failed".to_owned();
                return Err(worker::Error::RustError(text));
            }
        }
        Response::empty()
    }

    async fn do_what_is_due(&self) -> Result<(), StorageError> {
        self.storage()?.alarm_rang();
        let tended = self.run(None, |state, storage, now| {
            state.watch(now);
            let tended = state.tend(storage, now)?;
            Ok((tended, state.subject.clone()))
        })?;
        let Some((tended, subject)) = tended else {
            return Ok(());
        };
        if tended == Tended::Over {
            self.state.take();
            return self.storage()?.delete_all().await;
        }
        self.send(&subject).await?;
        self.tell_of_limits(&subject).await?;
        self.tell_of_pages(&subject).await?;
        self.tell_of_use(&subject).await
    }

    /// Sends what was counted to the project's meter, if that is due.
    async fn send(&self, subject: &Subject) -> Result<(), StorageError> {
        let next = self.run(None, |state, storage, now| state.next_report(storage, now))?;
        let Some((key, report)) = next.flatten() else {
            return Ok(());
        };
        let number = report.number;
        let taken = sums::tell(&self.env, &subject.project, &key, report).await;
        let Some(wait_ms) = taken else {
            let detail = "the project's meter did not take what was counted";
            log::meter("sum_postponed", detail);
            return Ok(());
        };
        self.run(None, |state, _, _| {
            state.sent(number, wait_ms);
            Ok(())
        })?;
        Ok(())
    }

    /// Tells the registry which pages have sent the key although it is private, if that is due.
    async fn tell_of_pages(&self, subject: &Subject) -> Result<(), StorageError> {
        let next = self.run(None, |state, _, now| Ok(state.next_pages(now)))?;
        let Some((key, pages)) = next.flatten() else {
            return Ok(());
        };
        if !registry::used_in_browser(&self.env, &subject.project, &key, &pages).await {
            let detail = "the registry has not been told which pages have sent a private key";
            log::meter("pages_postponed", detail);
            return Ok(());
        }
        self.run(None, |state, _, _| {
            state.told_pages(&pages);
            Ok(())
        })?;
        Ok(())
    }

    /// Tells the registry which thresholds of limits were passed, if that is due.
    async fn tell_of_limits(&self, subject: &Subject) -> Result<(), StorageError> {
        let next = self.run(None, |state, _, now| Ok(state.next_passed(now)))?;
        let Some(passed) = next.flatten() else {
            return Ok(());
        };
        if !registry::passed(&self.env, subject, &passed).await {
            let detail = "the registry has not been told that a limit is nearly or wholly used up";
            log::meter("limits_postponed", detail);
            return Ok(());
        }
        self.run(None, |state, _, now| {
            state.told_passed(&passed, now);
            Ok(())
        })?;
        Ok(())
    }

    /// Tells the registry that the key was used, if that is due.
    async fn tell_of_use(&self, subject: &Subject) -> Result<(), StorageError> {
        let next = self.run(None, |state, _, now| Ok(state.next_seen(now)))?;
        let Some((key, minute)) = next.flatten() else {
            return Ok(());
        };
        if !registry::seen(&self.env, &subject.project, &key, minute).await {
            let detail = "the registry has not been told that a key was used";
            log::meter("seen_postponed", detail);
            return Ok(());
        }
        self.run(None, |state, _, _| {
            state.seen(minute);
            Ok(())
        })?;
        Ok(())
    }
}
