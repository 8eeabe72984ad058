//! What an answer says of meters: it waits a little for them, so that most changes come with the time
//! from which they hold everywhere.

use std::future::poll_fn;
use std::task::Poll;

use keyward_core::metering::Of;
use keyward_core::time::Millis;
use keyward_edge::storage::{Storage, StorageError};
use keyward_edge::{clock, timeout};

use super::flights::bound;
use super::name;
use crate::registry::publication::Publisher;
use crate::registry::sweep::{MOST_AWAITED, Scope};

/// How long an answer waits for meters, from the change on.
const PATIENCE_MS: u64 = 1_500;

/// Whose meters an answer waits for.
pub(in crate::registry) enum Whom<'a> {
    /// That of this key.
    Key(&'a str),
    /// Those of the keys of this scope, and that of the owner if it is one.
    Scope(Scope<'a>),
}

/// When no isolate goes any more by a lease from before the newest state of these keys, or limits;
/// never before `from`, and none without it. Waits a little for their meters, from the time `since`
/// on; none when one of them has not acknowledged it, or there are no meters.
pub(in crate::registry) async fn in_force(
    publisher: &Publisher,
    whom: Whom<'_>,
    from: Option<Millis>,
    since: Millis,
) -> Option<Millis> {
    let storage = publisher.storage();
    if !bound(publisher) {
        return None;
    }
    let mut left = match whom {
        Whom::Key(key) => vec![name(&Of::Key(key.to_owned()))],
        Whom::Scope(scope) => subjects(storage, scope).ok().flatten()?,
    };
    let mut latest = from;
    let acknowledged = poll_fn(|context| {
        // A subject that is settled is not asked about again.
        while let Some(subject) = left.last() {
            match standing(storage, subject) {
                Ok(Standing::Acknowledged(by)) => {
                    latest = latest.map(|latest| by.map_or(latest, |by| latest.max(by)));
                    left.pop();
                }
                Ok(Standing::UnderWay) => {
                    publisher.meters.wake_later(context.waker());
                    return Poll::Pending;
                }
                Ok(Standing::Failing) | Err(_) => return Poll::Ready(None),
            }
        }
        Poll::Ready(latest)
    });
    let patience = PATIENCE_MS.saturating_sub(clock::now().since(since));
    timeout::within(patience, acknowledged).await.flatten()
}

/// How far a meter has been told.
enum Standing {
    /// It knows the newest state, or there is none; when the last lease by an older one is over.
    Acknowledged(Option<Millis>),
    UnderWay,
    /// It did not acknowledge it, and is asked again.
    Failing,
}

/// How far the meter of the subject with this name in the tables has been told.
///
/// # Errors
/// Those of the storage.
fn standing(storage: &Storage, subject: &str) -> Result<Standing, StorageError> {
    let subject = [subject.into()];
    let owed = storage.row(
        "SELECT attempts FROM meter_outbox WHERE subject = ?1",
        &subject,
    )?;
    if let Some(row) = owed {
        let failing = row.number(0)? > 0;
        return Ok(if failing {
            Standing::Failing
        } else {
            Standing::UnderWay
        });
    }
    let told = storage.row(
        "SELECT in_force_by FROM metered WHERE subject = ?1",
        &subject,
    )?;
    let by = told.map(|row| row.optional_time(0)).transpose()?;
    Ok(Standing::Acknowledged(by.flatten()))
}

/// The names in the tables of what is metered of this scope; none when there is more than an
/// answer waits for.
///
/// # Errors
/// Those of the storage.
fn subjects(storage: &Storage, scope: Scope<'_>) -> Result<Option<Vec<String>>, StorageError> {
    let condition = scope.condition();
    let rows = storage.rows(
        &format!(
            "SELECT metered.subject FROM metered JOIN key ON key.id = substr(metered.subject, 3)
                AND metered.subject = 'k/' || key.id
             WHERE metered.subject GLOB 'k/*' AND {condition} LIMIT ?1"
        ),
        &[(MOST_AWAITED as u64 + 1).into(), scope.name().into()],
    )?;
    if rows.len() > MOST_AWAITED {
        return Ok(None);
    }
    let mut subjects: Vec<_> = rows
        .iter()
        .map(|row| row.text(0))
        .collect::<Result<_, _>>()?;
    if let Scope::Owner(owner) = scope {
        subjects.push(name(&Of::Owner(owner.to_owned())));
    }
    Ok(Some(subjects))
}
