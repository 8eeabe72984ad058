//! Where a key stands: what KV has under each name of its secrets, against the registry.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use keyward_api::view::{Replica, ReplicaState, Where};
use keyward_core::keyring::Keyring;
use keyward_core::names;
use keyward_core::record::Record;
use keyward_core::refusal::Refusal;
use keyward_core::secret::Digest;
use keyward_core::time::Millis;
use keyward_edge::kv::{self, KvError};
use keyward_edge::storage::{Storage, StorageError};
use keyward_edge::timeout;

use crate::registry::keys;
use crate::registry::message::Reply;
use crate::registry::publication::Publisher;
use crate::registry::view;

/// How long KV may take; what it has not said by then is not known.
const PATIENCE_MS: u64 = 2_000;
/// So many secrets are looked for, the newest.
const SECRETS: u64 = 10;

/// A name to look up.
struct Place {
    secret: String,
    entry: String,
    name: String,
}

/// What KV answered, as soon as it has.
type Answer = Result<Option<String>, KvError>;

/// Reads the key's records from KV and compares them with what the registry has now.
///
/// # Errors
/// Those of the storage, and [`StorageError::Runtime`] without a valid keyring.
pub(in crate::registry) async fn locate(
    publisher: &Rc<Publisher>,
    id: &str,
    now: Millis,
) -> Result<Reply, StorageError> {
    let storage = publisher.storage();
    let keyring = publisher.keyring().ok_or(StorageError::Runtime)?;
    let Some(key) = keys::find(storage, id, now)? else {
        return Ok(Reply::refused(Refusal::KeyUnknown));
    };
    let places = places(storage, keyring, id)?;
    let answers = read(publisher, &places).await;
    let replicas = places.into_iter().zip(answers).map(|(place, answer)| {
        let (state, version) = compare(keyring, &place.name, answer, key.version);
        Replica {
            secret: place.secret,
            entry: place.entry,
            version,
            state,
        }
    });
    let item = view::shown(&Where {
        id: key.id,
        version: key.version,
        replicas: replicas.collect(),
    })?;
    let version = Some(key.version);
    Ok(Reply::Item { item, version })
}

fn places(storage: &Storage, keyring: &Keyring, key: &str) -> Result<Vec<Place>, StorageError> {
    let rows = storage.rows(
        "SELECT id, digest FROM secret WHERE key = ?1 AND withdrawn = 0
         ORDER BY created_at DESC, rowid DESC LIMIT ?2",
        &[key.into(), SECRETS.into()],
    )?;
    let mut places = Vec::new();
    for row in &rows {
        let digest = Digest::from_hex(&row.text(1)?).ok_or(StorageError::Row)?;
        for entry in keyring.in_force() {
            places.push(Place {
                secret: row.text(0)?,
                entry: entry.id().to_owned(),
                name: names::record_name(entry, &digest),
            });
        }
    }
    Ok(places)
}

/// What KV answers for each place, in the same order; none where it takes too long.
async fn read(publisher: &Publisher, places: &[Place]) -> Vec<Option<Answer>> {
    let answers = RefCell::new(places.iter().map(|_| None).collect::<Vec<_>>());
    // All at once: together they take no longer than the slowest.
    let mut reads: Vec<Pin<Box<dyn Future<Output = ()> + '_>>> = Vec::new();
    for (index, place) in places.iter().enumerate() {
        let answers = &answers;
        reads.push(Box::pin(async move {
            let answer = kv::read(publisher.env(), &place.name).await;
            if let Some(slot) = answers.borrow_mut().get_mut(index) {
                *slot = Some(answer);
            }
        }));
    }
    let all = poll_fn(|context| {
        reads.retain_mut(|read| read.as_mut().poll(context).is_pending());
        if reads.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    });
    let _ = timeout::within(PATIENCE_MS, all).await;
    answers.take()
}

/// How what KV has under a name compares with the registry's version.
fn compare(
    keyring: &Keyring,
    name: &str,
    answer: Option<Answer>,
    version: u64,
) -> (ReplicaState, Option<u64>) {
    let value = match answer {
        None | Some(Err(KvError)) => return (ReplicaState::Unknown, None),
        Some(Ok(None)) => return (ReplicaState::Missing, None),
        Some(Ok(Some(value))) => value,
    };
    match Record::open(&value, name, keyring) {
        Err(_) => (ReplicaState::Unreadable, None),
        Ok(record) => {
            let state = match record.version.cmp(&version) {
                std::cmp::Ordering::Less => ReplicaState::Behind,
                std::cmp::Ordering::Equal => ReplicaState::Current,
                std::cmp::Ordering::Greater => ReplicaState::Ahead,
            };
            (state, Some(record.version))
        }
    }
}
