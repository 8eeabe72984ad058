//! Meters are told what changes.
//!
//! A meter is a replica of what the registry knows of one key, or of the limits that an owner's
//! keys share, and every isolate that uses the key asks it within seconds. The rules:
//! 1. A meter that knows nothing asks ([`asked`]). In the transaction that answers it the subject
//!    is marked as metered: from then on it is told of every change.
//! 2. A change owes a row ([`owed`]) in its own transaction, one for each subject; the newest state
//!    ([`knowledge`]) is read when it is sent.
//! 3. What is owed is sent at once, before or beside KV ([`flights`]), and again until the meter
//!    has acknowledged it ([`sent`]); an answer waits a little for that ([`waiting`]).
//! 4. Changes of credits ([`credits`]) have numbers and are sent until the meter confirms them: it
//!    applies each number once.
//! 5. A registry that was set back knows older versions than its meters, which pass over them: it
//!    goes above them as soon as it hears of them ([`raised`]).

pub(super) mod credits;
mod flights;
mod knowledge;
mod owed;
mod raised;
mod sent;
mod waiting;

pub(super) use self::flights::{Meters, Telling, launch, next_wake, plan};
pub(super) use self::owed::{owe, owe_scope};
pub(super) use self::waiting::{Whom, in_force};

use keyward_core::metering::Of;
use keyward_core::refusal::Refusal;
use keyward_core::time::Millis;
use keyward_edge::storage::StorageError;

use super::message::{Actor, Reply};
use super::publication::Publisher;
use super::view;

/// So long after a meter has been given changes of credits it is asked whether it applied them:
/// it only says so when it is told.
const CONFIRMED_AFTER_MS: u64 = 1_000;

/// A meter that has heard of the version `known` asks what it is to know; from now on it is told.
/// Of a key that is not known nothing is marked: whoever asks about keys that never were must not
/// fill the table.
///
/// # Errors
/// Those of the storage.
pub(super) fn asked(
    publisher: &Publisher,
    by: &Actor,
    of: &Of,
    known: u64,
    now: Millis,
) -> Result<Reply, StorageError> {
    if *by != Actor::Keyward {
        return Ok(Reply::refused(Refusal::InternalError));
    }
    let storage = publisher.storage();
    storage.transaction(|| {
        let Some(mut knowledge) = knowledge::of(storage, of)? else {
            return Ok(Reply::refused(Refusal::KeyUnknown));
        };
        if known > knowledge.version {
            raised::above(publisher, of, known, now)?;
            // A question sends nothing: the alarm goes on at once.
            storage.wake_at(now)?;
            knowledge = knowledge::of(storage, of)?.ok_or(StorageError::Row)?;
        }
        if *of != Of::Project {
            owed::mark(storage, of)?;
        }
        if !knowledge.credits.is_empty() {
            owed::owe_if_none(storage, of, now.plus(CONFIRMED_AFTER_MS))?;
            publisher.arm(now)?;
        }
        Ok(Reply::Metering(view::shown(&knowledge)?))
    })
}

/// The key that a subject is, for the log.
fn key(of: &Of) -> Option<&str> {
    match of {
        Of::Key(key) => Some(key),
        Of::Owner(_) | Of::Project => None,
    }
}

/// The subject's name in the tables: that of its object, without the project.
fn name(of: &Of) -> String {
    match of {
        Of::Key(key) => format!("k/{key}"),
        Of::Owner(owner) => format!("o/{owner}"),
        Of::Project => "p".to_owned(),
    }
}

/// The subject with this name in the tables; of the project there is none.
fn named(name: &str) -> Option<Of> {
    let (kind, id) = name.split_once('/')?;
    match kind {
        "k" => Some(Of::Key(id.to_owned())),
        "o" => Some(Of::Owner(id.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_found_again_by_its_name() {
        for of in [Of::Key("key_1".to_owned()), Of::Owner("a/b ü".to_owned())] {
            assert_eq!(named(&name(&of)), Some(of));
        }
        assert_eq!(named(&name(&Of::Project)), None);
        assert_eq!(named("x/y"), None);
    }
}
