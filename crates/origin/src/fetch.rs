//! Reads the key set from the gateway.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use ed25519_dalek::VerifyingKey;

use crate::Reason;
use crate::keys::{self, Found, Keys};

const TIMEOUT: Duration = Duration::from_secs(5);
const LARGEST: u64 = 64 * 1024;

/// A key set and where it is read.
#[derive(Clone)]
pub(crate) struct Source {
    shared: Arc<Shared>,
}

struct Shared {
    url: String,
    agent: ureq::Agent,
    keys: RwLock<Keys>,
    /// One reads; who needs the same key waits for it.
    reading: tokio::sync::Mutex<()>,
}

impl Source {
    pub(crate) fn new(url: String) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .max_redirects(0)
            .build();
        Self {
            shared: Arc::new(Shared {
                url,
                agent: config.new_agent(),
                keys: RwLock::default(),
                reading: tokio::sync::Mutex::default(),
            }),
        }
    }

    /// The key of an id.
    pub(crate) async fn key(&self, id: &str) -> Result<VerifyingKey, Reason> {
        match self.find(id) {
            Found::Key(key) => return Ok(key),
            Found::Refused(reason) if !self.is_reading() => return Err(reason),
            Found::Renew(key) => {
                let own = self.clone();
                tokio::spawn(async move {
                    if let Ok(_turn) = own.shared.reading.try_lock() {
                        own.read().await;
                    }
                });
                return Ok(key);
            }
            Found::Read | Found::Refused(_) => {}
        }
        let _turn = self.shared.reading.lock().await;
        if self.find(id) == Found::Read {
            self.read().await;
        }
        match self.find(id) {
            Found::Key(key) | Found::Renew(key) => Ok(key),
            Found::Refused(reason) => Err(reason),
            Found::Read => Err(Reason::KeysUnavailable),
        }
    }

    fn is_reading(&self) -> bool {
        self.shared.reading.try_lock().is_err()
    }

    fn find(&self, id: &str) -> Found {
        let keys = self.shared.keys.read();
        let keys = keys.unwrap_or_else(PoisonError::into_inner);
        keys.find(id, Instant::now())
    }

    async fn read(&self) {
        self.change(|keys| keys.begin(Instant::now()));
        let own = self.clone();
        let reading = tokio::task::spawn_blocking(move || own.shared.fetch());
        // Why it failed is in the logs of whoever runs the gateway; here the old keys stay.
        if let Ok(Some(keys)) = reading.await {
            self.change(|known| known.renew(keys, Instant::now()));
        }
    }

    fn change(&self, change: impl FnOnce(&mut Keys)) {
        let keys = self.shared.keys.write();
        change(&mut keys.unwrap_or_else(PoisonError::into_inner));
    }
}

impl Shared {
    fn fetch(&self) -> Option<Vec<(String, VerifyingKey)>> {
        let mut response = self.agent.get(&self.url).call().ok()?;
        if response.status() != http::StatusCode::OK {
            return None;
        }
        let text = response.body_mut().with_config().limit(LARGEST);
        keys::parse(&text.read_to_string().ok()?)
    }
}
