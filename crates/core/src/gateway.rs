//! The way of a request, from its head to the plan of what to do: pure, one call.
//!
//! 1. `/_keyward/…` is the gateway's own; no route can reach it.
//! 2. Loop, method, route by host and checked path. Host and path must stand apart.
//! 3. A preflight is answered before authentication, because it carries no key; also when the
//!    request behind it will be refused whatever its key, so that the page can read why.
//! 4. Credential; the offline check, so that a forged key costs no I/O.
//! 5. Record, from isolate memory or from what KV answered; of a derived key, that of its parent.
//! 6. Policy ([`policy`](crate::policy)).
//! 7. The limits per client address ([`throttle`](crate::throttle)), and those that meters count, with
//!    the lease that says that the key still holds ([`account`](crate::account)). They are paid by
//!    what is forwarded, all or none, and by nothing that is refused.
//! 8. The plan of what to strip and what to add ([`forward`](crate::forward)).
//!
//! What an upgrade can break: the order above decides which refusal a caller sees.

mod aim;
mod answered;
mod asked;
mod bill;
mod call;
mod derived;
mod exchange;
mod fixed;
mod judge;
mod known;
mod limits;
mod outcome;
mod proof;
mod refused;
mod session;
mod standing;
mod step;

use std::num::{NonZeroU32, NonZeroUsize};

pub use self::answered::Answered;
use self::asked::Verify;
use self::call::Notes;
use self::derived::Derived;
pub use self::exchange::{MOST_PATIENCE, PAUSE_MS, Reply};
pub use self::fixed::Fixed;
use self::fixed::Plans;
pub use self::outcome::{Ask, Outcome, Response, Waited, Work};
use self::proof::Signers;
pub use self::refused::refusal_response;
use self::refused::{No, to_preflight};
use crate::account::Accounts;
use crate::head::{Head, MAX_HEAD};
use crate::keyring::Keyring;
use crate::mac;
use crate::memory::Memory;
use crate::records::{Load, Loaded, Records};
use crate::refusal::Refusal;
use crate::restrict::ip::parse_client;
use crate::restrict::referrer::sender;
use crate::route::Routes;
use crate::secret::Digest;
use crate::throttle::{Failures, Network, Owns, Quantity, Rates, Throttle};
use crate::time::Millis;
use crate::vault::{self, Vault};

/// The window of the limit of exchanges for session keys.
const SESSION_WINDOW_S: u32 = 60;

/// The gateway of one isolate.
pub struct Gateway {
    routes: Routes,
    records: Records<Plans>,
    derived: Derived,
    accounts: Accounts,
    throttle: Option<Throttle>,
    rates: Rates,
    owns: Owns,
    failures: Failures,
    vault: Vault,
    signers: Signers,
    token: String,
    /// What request ids begin with. Not the seed itself: who knew it could foretell what names the
    /// isolate to meters.
    request_prefix: u64,
    requests: u32,
    last_plan: u32,
    verify: Verify,
    exchanges: Option<Throttle>,
    turnstile_secret: Option<String>,
}

impl Gateway {
    /// A gateway with an empty memory. `lookup` finds a Worker secret; `request_seed` is random
    /// and makes request ids, and what names the isolate to meters, unique.
    #[must_use]
    pub fn new(
        routes: Routes,
        keyring: Keyring,
        lookup: &dyn Fn(&str) -> Option<String>,
        request_seed: u64,
    ) -> Self {
        Self::with_stores(routes, keyring, lookup, &|_| false, request_seed)
    }

    /// The same, where a secret may be in a Secrets Store: `stored` says whether a name is that of such
    /// a binding.
    #[must_use]
    pub fn with_stores(
        routes: Routes,
        keyring: Keyring,
        lookup: &dyn Fn(&str) -> Option<String>,
        stored: &dyn Fn(&str) -> bool,
        request_seed: u64,
    ) -> Self {
        let vault = Vault::new(&routes, lookup, stored);
        let signers = Signers::new(&routes, &keyring, lookup);
        let settings = routes.settings();
        let bound =
            NonZeroUsize::new(settings.memory_records as usize).unwrap_or(NonZeroUsize::MIN);
        let hash_seed = keyring.current().hash_seed();
        let window_s = settings.public_key_ip_window_s;
        let throttle = NonZeroU32::new(settings.public_key_ip_limit)
            .map(|calls| Throttle::new(Quantity { calls, window_s }, hash_seed));
        let exchanges = NonZeroU32::new(settings.session_ip_limit).map(|calls| {
            Throttle::new(
                Quantity {
                    calls,
                    window_s: SESSION_WINDOW_S,
                },
                hash_seed,
            )
        });
        let turnstile_secret = (settings.turnstile.as_ref())
            .and_then(|turnstile| lookup(&turnstile.secret))
            .filter(|secret| vault::usable(secret));
        let memory = Memory::new(
            bound,
            u64::from(settings.stale_if_error_s) * 1000,
            hash_seed,
        );
        let token = format!("keyward-{}", keyring.current().deployment_id());
        Self {
            routes,
            records: Records::new(keyring, memory),
            derived: Derived::new(hash_seed),
            accounts: Accounts::new(bound, hash_seed, request_seed),
            throttle,
            rates: Rates::new(hash_seed),
            owns: Owns::new(hash_seed),
            failures: Failures::new(hash_seed),
            vault,
            signers,
            token,
            request_prefix: mac::draw(&mac::keyed(&request_seed.to_be_bytes()), "request", 0),
            requests: 0,
            last_plan: 0,
            verify: Verify::default(),
            exchanges,
            turnstile_secret,
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
        let waited = Waited {
            loaded,
            ..Waited::default()
        };
        self.resume(text, now, waited)
    }

    /// Decides what to do with a request that has waited.
    pub fn resume<'a>(&mut self, text: &'a str, now: Millis, waited: Waited<'_>) -> Outcome<'a> {
        for reply in waited.replies {
            self.hear(*reply, now);
        }
        let Some(head) = Head::parse(text) else {
            return Outcome::Respond(self.refuse(None, Refusal::InternalError));
        };
        if text.len() > MAX_HEAD {
            let refused = self.refuse(Some(&head), Refusal::HeadTooLarge);
            return Outcome::Respond(to_preflight(&head, refused));
        }
        let mut notes = Notes::default();
        match self.step(&head, now, waited, &mut notes, None) {
            Ok(outcome) => outcome,
            Err(no) => {
                let refused = self.refused(&head, &no, notes, now);
                Outcome::Respond(to_preflight(&head, refused))
            }
        }
    }

    /// The answer to a request that is refused on its way, and what that brings about.
    fn refused(&mut self, head: &Head<'_>, no: &No, mut notes: Notes, now: Millis) -> Response {
        let hold_ms = match no.refusal {
            Refusal::KeyInvalid | Refusal::VerifyKeyInvalid => {
                self.failures.note(self.network(head), now)
            }
            _ => 0,
        };
        if let Some(account) = notes.account.and_then(|one| self.accounts.find(one)) {
            if !notes.uncounted {
                account.tally.refuse(no.refusal, now);
                if let Some(secret) = &notes.sent_by_page {
                    let mut page = sender(head.header("origin"), head.header("referer"));
                    page.push(' ');
                    page.push_str(secret);
                    account.tally.page(&page, now);
                }
            }
            notes.work.key = account.schedule(notes.outdated, now);
        }
        let fields = self.standing_of(&notes, now);
        Response {
            work: notes.work,
            hold_ms,
            ..self.refuse_with(Some(head), no, fields)
        }
    }

    /// Takes in the answer to a background read. Returns the next name to read, if any.
    pub fn refreshed(&mut self, digest: Digest, loaded: Loaded<'_>, now: Millis) -> Option<Load> {
        self.records.refreshed(digest, loaded, now)
    }

    /// Takes in what came of a read of a credential ([`vault::Read`]). Returns what the log is to say:
    /// a field, and what is wrong with it.
    pub fn unlocked(
        &mut self,
        read: &str,
        answer: vault::Answer<'_>,
        now: Millis,
    ) -> Option<(&str, &'static str)> {
        self.vault.take(read, answer, now)
    }

    /// The keys under which the credentials of projects are sealed in KV, by the ids of their entries.
    pub fn credential_keys(&self) -> impl Iterator<Item = (&str, &[u8; 32])> {
        let entries = self.records.keyring().in_force();
        entries.map(|entry| (entry.id(), entry.credential_key()))
    }

    /// How many accounts there are, of keys and of owners.
    #[must_use]
    pub fn accounts(&self) -> (usize, usize) {
        self.accounts.len()
    }

    /// The client's address, as the policy has it.
    fn network(&self, head: &Head<'_>) -> Network {
        let facts = head.facts(&self.routes.settings().client_ip_header);
        facts.client_ip.and_then(parse_client).into()
    }
}
