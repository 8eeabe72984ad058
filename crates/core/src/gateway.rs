//! The way of a request, from its head to the plan of what to do: pure, one call.
//!
//! 1. `/_keyward/…` is the gateway's own; no route can reach it.
//! 2. Loop, method, route by host and checked path. Host and path must stand apart.
//! 3. A preflight is answered before authentication, because it carries no key; also when the
//!    request behind it will be refused for its path, so that the page can read why.
//! 4. Credential; the offline check, so that a forged key costs no I/O.
//! 5. Record, from isolate memory or from what KV answered.
//! 6. Policy ([`policy`]).
//! 7. For a public key the limit per client address ([`throttle`](crate::throttle)). It is spent by
//!    what is forwarded, and by nothing that is refused.
//! 8. The plan of what to strip and what to add ([`forward`]).
//!
//! What an upgrade can break: the order above decides which refusal a caller sees.

mod refused;

use std::num::{NonZeroU32, NonZeroUsize};

pub use self::refused::refusal_response;
use self::refused::{No, answer_to};
use crate::answer::{self, Edits};
use crate::cors;
use crate::credential;
use crate::forward::{self, Forward};
use crate::head::{Head, MAX_HEAD};
use crate::keyring::Keyring;
use crate::kind::Kind;
use crate::last_use::{LastUse, Message};
use crate::memory::Memory;
use crate::own;
use crate::policy;
use crate::problem::Problem;
use crate::records::{Found, Load, Loaded, Records};
use crate::refusal::Refusal;
use crate::request::is_never_proxied;
use crate::restrict::ip::parse_client;
use crate::restrict::path::CheckedPath;
use crate::route::{Route, Routes};
use crate::secret::Digest;
use crate::throttle::{Failures, Network, Over, Quantity, Throttle};
use crate::time::Millis;

/// An answer that the gateway gives by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case; no value is empty.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty for HEAD.
    pub body: String,
    /// A read to make in the background: also a refused call keeps its record fresh, or refused
    /// calls could keep an old record in use.
    pub refresh: Option<Load>,
    /// For how many milliseconds the answer is held back: nothing waits for it but its client.
    pub hold_ms: u32,
}

/// What is the same for every request of one key on one route: registered once with the entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// Names the registration; unique within one instance of the module.
    pub id: u32,
    /// The route, for [`Gateway::answer`].
    pub route: usize,
    /// The kind of the key, for [`Gateway::answer`].
    pub kind: Kind,
    /// Identity and credential headers.
    pub set: Vec<(String, String)>,
    /// Milliseconds until the origin's response headers must have arrived.
    pub timeout_ms: Option<u32>,
    /// Whether the platform's cache may answer in the origin's place. It knows URLs, not keys.
    pub cache: bool,
}

/// What to do with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// Answer by itself.
    Respond(Response),
    /// Answer with this and the OpenAPI document of the management API.
    Document(Response),
    /// Hand the request to the management API.
    Management,
    /// Read KV, then ask again with what it answered.
    Load(Load),
    /// Send this to the origin.
    Forward {
        /// The edits registered for the key and the route.
        id: u32,
        /// What differs from request to request.
        forward: Forward<'a>,
        /// A read to make in the background.
        refresh: Option<Load>,
        /// Whether to begin a collection of [`last_use`](crate::last_use).
        collect: bool,
    },
}

/// The edits registered for one record, by route.
pub type Plans = Vec<(usize, u32)>;

/// The gateway of one isolate.
pub struct Gateway {
    routes: Routes,
    records: Records<Plans>,
    last_use: LastUse,
    throttle: Option<Throttle>,
    failures: Failures,
    credentials: Vec<Option<String>>,
    token: String,
    request_seed: u64,
    requests: u32,
    last_plan: u32,
}

impl Gateway {
    /// A gateway with an empty memory. `lookup` finds a Worker secret; `request_seed` is random
    /// and makes request ids unique.
    #[must_use]
    pub fn new(
        routes: Routes,
        keyring: Keyring,
        lookup: &dyn Fn(&str) -> Option<String>,
        request_seed: u64,
    ) -> Self {
        let secret_of = |route: &Route| {
            lookup(&route.credential.as_ref()?.secret).filter(|secret| usable(secret))
        };
        let credentials = (0..routes.len())
            .map(|index| routes.get(index).and_then(secret_of))
            .collect();
        let settings = routes.settings();
        let bound =
            NonZeroUsize::new(settings.memory_records as usize).unwrap_or(NonZeroUsize::MIN);
        let hash_seed = keyring.current().hash_seed();
        let window_s = settings.public_key_ip_window_s;
        let throttle = NonZeroU32::new(settings.public_key_ip_limit)
            .map(|calls| Throttle::new(Quantity { calls, window_s }, hash_seed));
        let memory = Memory::new(
            bound,
            u64::from(settings.stale_if_error_s) * 1000,
            hash_seed,
        );
        let token = format!("keyward-{}", keyring.current().deployment_id());
        Self {
            routes,
            records: Records::new(keyring, memory),
            last_use: LastUse::new(bound, hash_seed),
            throttle,
            failures: Failures::new(hash_seed),
            credentials,
            token,
            request_seed,
            requests: 0,
            last_plan: 0,
        }
    }

    /// Decides what to do with a request. `loaded` is what KV answered when an earlier call for
    /// the same request returned [`Outcome::Load`].
    pub fn handle<'a>(
        &mut self,
        text: &'a str,
        now: Millis,
        loaded: Option<Loaded<'_>>,
    ) -> Outcome<'a> {
        let Some(head) = Head::parse(text) else {
            return Outcome::Respond(self.refuse(None, Refusal::InternalError, ""));
        };
        if text.len() > MAX_HEAD {
            return Outcome::Respond(self.refuse(Some(&head), Refusal::HeadTooLarge, ""));
        }
        let mut refresh = None;
        match self.step(&head, now, loaded, &mut refresh) {
            Ok(outcome) => outcome,
            Err(no) => {
                let hold_ms = match no.refusal {
                    Refusal::KeyInvalid => self.failures.note(self.network(&head), now),
                    _ => 0,
                };
                Outcome::Respond(Response {
                    refresh,
                    hold_ms,
                    ..self.refuse_over(Some(&head), no.refusal, &no.scopes, no.over)
                })
            }
        }
    }

    /// The client's address, as the policy has it.
    fn network(&self, head: &Head<'_>) -> Network {
        let facts = head.facts(&self.routes.settings().client_ip_header);
        facts.client_ip.and_then(parse_client).into()
    }

    fn step<'a>(
        &mut self,
        head: &Head<'a>,
        now: Millis,
        loaded: Option<Loaded<'_>>,
        refresh: &mut Option<Load>,
    ) -> Result<Outcome<'a>, No> {
        let plain = |refusal: Refusal| No::from((refusal, String::new()));
        if self.has_looped(head) {
            return Err(plain(Refusal::LoopDetected));
        }
        if !head.is_addressed_plainly() {
            return Err(plain(Refusal::PathAmbiguous));
        }
        let checked = CheckedPath::parse(head.target);
        let ambiguous = checked.is_err();
        let path = checked.unwrap_or_else(|_| CheckedPath::unchecked(head.path()));
        if own::is_own(&path) {
            return match own::answer(head, &path) {
                _ if ambiguous => Err(plain(Refusal::PathAmbiguous)),
                own::Own::Response(response) => Ok(Outcome::Respond(response)),
                own::Own::Document(response) => Ok(Outcome::Document(response)),
                own::Own::Management => Ok(Outcome::Management),
                own::Own::Refused(refusal) => Err(plain(refusal)),
            };
        }
        if is_never_proxied(head.method) {
            return Err(plain(Refusal::MethodNotAllowed));
        }
        let route = self.routes.find(&head.host(), &path);
        let found = match route {
            Some(route) if !ambiguous || route.allow_ambiguous_paths => Ok(route),
            _ if ambiguous => Err(Refusal::PathAmbiguous),
            _ => Err(Refusal::RouteUnknown),
        };
        if cors::is_preflight(head) {
            let headers = match found {
                Ok(route) => cors::preflight(&route.cors, head),
                Err(_) => cors::preflight_of_a_refusal(head),
            };
            return Ok(Outcome::Respond(Response {
                status: 204,
                headers,
                body: String::new(),
                refresh: None,
                hold_ms: 0,
            }));
        }
        let route = found.map_err(plain)?;
        let credential = credential::find(&route.key_in, head).map_err(plain)?;
        let digest = Digest::of(&credential.key);
        match self
            .records
            .find(&credential.key, digest, route.imported_keys, now, loaded)
            .map_err(plain)?
        {
            Found::Ready => {}
            Found::Refresh(load) => *refresh = Some(load),
            Found::Load(load) => return Ok(Outcome::Load(load)),
        }
        let Some(entry) = self.records.entry(&digest) else {
            return Err(plain(Refusal::InternalError));
        };
        let Some(record) = &entry.record else {
            return Err(plain(Refusal::KeyInvalid));
        };
        if !policy::belongs(route, record, entry.native, &credential.key) {
            return Err(plain(Refusal::KeyInvalid));
        }
        let address = policy::check(
            &self.routes.settings().client_ip_header,
            route,
            record,
            &credential,
            head,
            &path,
            now,
        )?;
        let room = match &mut self.throttle {
            Some(throttle) if record.kind == Kind::Public => {
                let network = Network::from(address);
                Some(throttle.room(&record.project, &record.key_id, network, now)?)
            }
            _ => None,
        };
        let secret = self.credentials.get(route.index).and_then(Option::as_deref);
        if route.credential.is_some() && secret.is_none() {
            return Err(plain(Refusal::CredentialUnavailable));
        }
        if let Some(room) = room {
            room.spend();
        }
        let forward = forward::plan(
            route,
            head,
            &path,
            &credential.key,
            record.kind,
            secret,
            &self.token,
        );
        let id = match entry.plans.iter().find(|(index, _)| *index == route.index) {
            Some((_, id)) => *id,
            None => {
                self.last_plan = self.last_plan.wrapping_add(1);
                entry.plans.push((route.index, self.last_plan));
                self.last_plan
            }
        };
        let mut collect = false;
        if now >= entry.tell_at {
            let noted = self.last_use.note(&record.project, &record.key_id, now);
            entry.tell_at = noted.next;
            collect = noted.collect;
        }
        Ok(Outcome::Forward {
            id,
            forward,
            refresh: refresh.take(),
            collect,
        })
    }

    /// Takes in the answer to a background read. Returns the next name to read, if any.
    pub fn refreshed(&mut self, digest: Digest, loaded: Loaded<'_>, now: Millis) -> Option<Load> {
        self.records.refreshed(digest, loaded, now)
    }

    /// Ends a collection that an [`Outcome::Forward`] has begun: what to tell the registries.
    pub fn used(&mut self) -> Vec<Message> {
        self.last_use.take()
    }

    /// A registry has been told that these keys were used.
    pub fn told<'a>(&mut self, keys: impl Iterator<Item = &'a str>, now: Millis) {
        self.last_use.told(keys, now);
    }

    fn has_looped(&self, head: &Head<'_>) -> bool {
        head.headers().any(|(name, value)| {
            matches!(name, "cdn-loop" | "via")
                && value
                    .split([',', ';', ' '])
                    .any(|word| word.trim() == self.token)
        })
    }

    /// What to register for the key and the route of a request that [`Gateway::handle`] has just
    /// said to forward.
    #[must_use]
    pub fn fixed(&mut self, text: &str) -> Option<Fixed> {
        let head = Head::parse(text)?;
        let path =
            CheckedPath::parse(head.target).unwrap_or_else(|_| CheckedPath::unchecked(head.path()));
        let route = self.routes.find(&head.host(), &path)?;
        let digest = Digest::of(&credential::find(&route.key_in, &head).ok()?.key);
        let entry = self.records.entry(&digest)?;
        let (_, id) = *entry
            .plans
            .iter()
            .find(|(index, _)| *index == route.index)?;
        let record = entry.record.as_ref()?;
        let secret = self.credentials.get(route.index).and_then(Option::as_deref);
        Some(Fixed {
            id,
            route: route.index,
            kind: record.kind,
            set: forward::fixed(route, record, secret),
            timeout_ms: route.timeout_ms,
            cache: route.cache_origin,
        })
    }

    /// Plans the edits of the origin's answer. `None` when the route is not known any more.
    #[must_use]
    pub fn answer<'a>(
        &self,
        route: usize,
        kind: Kind,
        text: &str,
        status: u16,
        headers: &'a str,
    ) -> Option<Edits<'a>> {
        let head = Head::parse(text)?;
        let route = self.routes.get(route)?;
        let secret = self.credentials.get(route.index).and_then(Option::as_deref);
        Some(answer::plan(route, kind, secret, &head, status, headers))
    }

    /// The answer that refuses a request. `head` is unknown when it could not be read.
    pub fn refuse(&mut self, head: Option<&Head<'_>>, refusal: Refusal, scopes: &str) -> Response {
        self.refuse_over(head, refusal, scopes, None)
    }

    fn refuse_over(
        &mut self,
        head: Option<&Head<'_>>,
        refusal: Refusal,
        scopes: &str,
        over: Option<Over>,
    ) -> Response {
        self.requests = self.requests.wrapping_add(1);
        let id = format!("{:016x}{:08x}", self.request_seed, self.requests);
        let id = head
            .and_then(|head| head.header("cf-ray"))
            .filter(|ray| {
                ray.len() <= 64 && ray.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            })
            .unwrap_or(&id);
        answer_to(
            head,
            &Problem {
                scopes,
                over,
                ..Problem::new(refusal, id)
            },
        )
    }
}

/// Whether a secret can stand in a header as it is: a line break from a careless paste would end
/// it early, and blanks around it are trimmed by the runtime, so that it would no longer be
/// recognised in an answer.
fn usable(secret: &str) -> bool {
    !secret.is_empty()
        && secret.trim() == secret
        && secret.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
}
