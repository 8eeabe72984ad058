//! What an answer says of publication: it waits a little for KV, so that most changes can be
//! called published at once.

use std::future::poll_fn;
use std::task::Poll;

use keyward_edge::storage::StorageError;
use keyward_edge::timeout;

use super::Publisher;
use crate::registry::message::Publication;
use crate::registry::outbox::{self, Owed};
use crate::registry::sweep::{self, Scope};

/// How long an answer waits for KV.
const PATIENCE_MS: u64 = 2_000;

impl Publisher {
    /// Whether KV has the newest state of this key; waits a little for it.
    pub(in crate::registry) async fn publication(&self, key: &str) -> Publication {
        self.settled(|| outbox::owed(self.storage(), key)).await
    }

    /// Whether KV has the newest state of all these keys, after the sweep of `scope`, if there is
    /// one, has come to its end; waits a little for it.
    pub(in crate::registry) async fn publication_of(
        &self,
        scope: Option<&Scope<'_>>,
        mut keys: Vec<String>,
    ) -> Publication {
        self.settled(|| {
            if let Some(scope) = scope
                && sweep::under_way(self.storage(), scope)?
            {
                return Ok(Owed::UnderWay);
            }
            // A key that is settled is not asked about again, so that each write that ends costs
            // one question, not one for every key.
            while let Some(key) = keys.last() {
                match outbox::owed(self.storage(), key)? {
                    Owed::Nothing => drop(keys.pop()),
                    owed => return Ok(owed),
                }
            }
            Ok(Owed::Nothing)
        })
        .await
    }

    async fn settled(&self, mut owed: impl FnMut() -> Result<Owed, StorageError>) -> Publication {
        let settled = poll_fn(|context| match owed() {
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
}
