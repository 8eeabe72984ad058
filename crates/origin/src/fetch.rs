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
        match reading.await {
            Ok(Some(keys)) => self.change(|known| known.renew(keys, Instant::now())),
            // The pause begins now: who has waited does not wait for another reading.
            _ => self.change(|known| known.begin(Instant::now())),
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

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use base64ct::{Base64UrlUnpadded, Encoding as _};
    use ed25519_dalek::SigningKey;
    use serde_json::json;

    use super::*;

    fn key(seed: u8) -> VerifyingKey {
        SigningKey::from_bytes(&[seed; 32]).verifying_key()
    }

    /// A gateway whose key set has the second key alone: where it is, and how often it was asked.
    fn gateway() -> (String, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 4096]).unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                let x = Base64UrlUnpadded::encode_string(key(2).as_bytes());
                let set = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k2", "x": x}]});
                let body = set.to_string();
                let length = body.len();
                write!(
                    stream,
                    "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
                )
                .unwrap();
            }
        });
        (url, asked)
    }

    /// A source that has read both keys so many seconds ago.
    fn aged(url: &str, seconds: u64) -> Source {
        let source = Source::new(url.to_owned());
        let then = Instant::now() - Duration::from_secs(seconds);
        source.change(|keys| {
            keys.begin(then);
            keys.renew(vec![("k1".into(), key(1)), ("k2".into(), key(2))], then);
        });
        source
    }

    #[tokio::test]
    async fn after_hours_without_a_call_the_set_is_read_before_anything_is_accepted() {
        for id in ["k1", "k2"] {
            let (url, asked) = gateway();
            let source = aged(&url, 3 * 60 * 60);
            let (first, second) = tokio::join!(source.key("k1"), source.key(id));
            assert_eq!(first, Err(Reason::UnknownKey), "it was retired meanwhile");
            let expected = if id == "k1" {
                Err(Reason::UnknownKey)
            } else {
                Ok(key(2))
            };
            assert_eq!(second, expected);
            assert_eq!(asked.load(Ordering::SeqCst), 1);
        }
    }

    #[tokio::test]
    async fn after_hours_nothing_is_accepted_while_the_set_cannot_be_read() {
        let source = aged("http://127.0.0.1:1/", 3 * 60 * 60);
        for _ in 0..2 {
            assert_eq!(source.key("k2").await, Err(Reason::KeysUnavailable));
        }
    }

    #[tokio::test]
    async fn who_has_waited_for_a_gateway_that_does_not_answer_waits_for_no_other_reading() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        // Nobody accepts: connections wait in the listener's queue.
        let source = aged(&url, 3 * 60 * 60);
        let began = Instant::now();
        let all = tokio::join!(source.key("k2"), source.key("k2"), source.key("k3"));
        let refused = Err(Reason::KeysUnavailable);
        assert_eq!(all, (refused, refused, refused));
        assert!(began.elapsed() < TIMEOUT * 2, "{:?}", began.elapsed());
        drop(listener);
    }

    #[tokio::test]
    async fn within_its_lifetime_the_set_is_read_again_in_the_background() {
        let (url, asked) = gateway();
        let source = aged(&url, 400);
        assert_eq!(source.key("k1").await, Ok(key(1)));
        for _ in 0..200 {
            if asked.load(Ordering::SeqCst) == 1 && source.key("k1").await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(source.key("k1").await, Err(Reason::UnknownKey));
        assert_eq!(source.key("k2").await, Ok(key(2)));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }
}
