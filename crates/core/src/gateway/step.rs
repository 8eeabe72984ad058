//! The steps from a route to the plan of what to forward.

use std::mem;
use std::net::IpAddr;

use super::Gateway;
use super::aim::{Aim, aim};
use super::bill::{Checked, Payers};
use super::derived::{Sent, Verified};
use super::exchange::{lacks_kv, without_kv};
use super::fixed::Plans;
use super::outcome::{Outcome, Waited, Work};
use super::refused::{No, over_own, request_id};
use crate::credential::{self, Credential};
use crate::forward;
use crate::head::Head;
use crate::keyring::Keyring;
use crate::kind::Kind;
use crate::memory::Entry;
use crate::policy;
use crate::record::Record;
use crate::records::{Found, Load, Loaded, Records, Stored, admit};
use crate::refusal::Refusal;
use crate::restrict::path::CheckedPath;
use crate::route::Route;
use crate::secret::Digest;
use crate::throttle::Network;
use crate::time::Millis;

/// What is found out about a call on its way, whatever becomes of it.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) work: Work,
    /// The key's account, once it is clear that the caller may know of the key.
    pub(super) account: Option<u64>,
    /// Whether the meter has told of a newer record than that of the call.
    pub(super) outdated: bool,
}

/// A call of a route, with a key.
pub(super) struct Call<'c, 'a> {
    pub(super) head: &'c Head<'a>,
    pub(super) path: &'c CheckedPath<'a>,
    pub(super) route: &'c Route,
    pub(super) credential: &'c Credential<'a>,
    /// Of its secret; of a derived key, that of its parent's secret.
    pub(super) digest: Digest,
    pub(super) derived: bool,
    pub(super) now: Millis,
}

impl Gateway {
    pub(super) fn step<'a>(
        &mut self,
        head: &Head<'a>,
        now: Millis,
        waited: Waited<'_>,
        notes: &mut Notes,
    ) -> Result<Outcome<'a>, No> {
        let (route, path) = match aim(&self.routes, &self.token, head)? {
            Aim::Done(outcome) => return Ok(*outcome),
            Aim::Route(route, path) => (route, path),
        };
        let credential = credential::find(&route.key_in, head)?;
        let digest = Digest::of(&credential.key);
        let sent = self.derived.read(&credential.key, &digest);
        // The same for every key of this form, and so said before anything is read.
        if sent.is_some() && !route.access.accepts.contains(&Kind::Derived) {
            return Err(Refusal::KindNotAccepted.into());
        }
        let call = Call {
            head,
            path: &path,
            route,
            credential: &credential,
            digest: sent.as_ref().map_or(digest, Sent::parent),
            derived: sent.is_some(),
            now,
        };
        let Waited {
            mut patience,
            mut loaded,
            ..
        } = waited;
        if loaded.is_some_and(|loaded| matches!(loaded.stored, Stored::Failed)) {
            patience = without_kv(patience);
        } else if lacks_kv(patience) {
            loaded = Some(Loaded {
                attempt: 0,
                stored: Stored::Failed,
            });
        }
        let (entry, keyring) = match known(&mut self.records, &call, loaded, notes)? {
            Known::Entry(entry, keyring) => (entry, keyring),
            Known::Load(load) => return Ok(Outcome::Load(load)),
        };
        let Entry {
            record: Some(record),
            native,
            plans,
            ..
        } = entry
        else {
            return Err(Refusal::KeyInvalid.into());
        };
        let derived = match sent {
            Some(sent) => Some(self.derived.verified(digest, sent, record, keyring)?),
            None => None,
        };
        let allowed = judge(
            &call,
            record,
            native.unwrap_or(false),
            derived.as_deref(),
            &self.routes.settings().client_ip_header,
        );
        let (kind, plans, mut own, terms) = match derived {
            Some(derived) => (
                Kind::Derived,
                &mut derived.plans,
                derived.limit.as_mut(),
                Some(&derived.terms),
            ),
            None => (record.kind, plans, None, None),
        };
        // What must look like a key that does not exist leaves no trace of one.
        let payers = if matches!(&allowed, Err((Refusal::KeyInvalid, _))) {
            Payers::default()
        } else {
            Payers::of(&mut self.accounts, &call, record, plans, notes)
        };
        let network = Network::from(allowed?);
        let room = match &mut self.throttle {
            Some(throttle) if record.kind == Kind::Public => {
                Some(throttle.room(&record.project, &record.key_id, network, now)?)
            }
            _ => None,
        };
        self.rates.check(record, network, now)?;
        if let Some(limit) = own.as_deref_mut() {
            limit.check(now).map_err(over_own)?;
        }
        let bill = match payers.check(&call, record, patience, &self.routes)? {
            Checked::Bill(bill) => bill,
            Checked::Ask(ask) => return Ok(Outcome::Ask(ask)),
        };
        let secret = self.credentials.get(route.index).and_then(Option::as_deref);
        if route.credential.is_some() && secret.is_none() {
            return Err(Refusal::CredentialUnavailable.into());
        }
        let signer = self.signers.of(route)?;
        if let Some(room) = room {
            room.spend();
        }
        self.rates.spend(record, network, now);
        if let Some(limit) = own {
            limit.spend();
        }
        bill.pay(&call, notes);
        let key = &credential.key;
        let mut forward = forward::plan(route, head, &path, key, kind, secret, &self.token);
        let base = signer.and_then(|signer| {
            self.requests = self.requests.wrapping_add(1);
            let nonce = request_id(self.request_prefix, self.requests);
            signer.sign(route, (record, terms), head, &mut forward, &nonce, now)
        });
        Ok(Outcome::Forward {
            id: plans.id(route.index, &mut self.last_plan),
            forward,
            base,
            work: mem::take(&mut notes.work),
        })
    }
}

/// What memory has of a secret.
enum Known<'g> {
    Entry(&'g mut Entry<Plans>, &'g Keyring),
    /// Nothing that may be used: it is to be read first.
    Load(Load),
}

fn known<'g>(
    records: &'g mut Records<Plans>,
    call: &Call<'_, '_>,
    loaded: Option<Loaded<'_>>,
    notes: &mut Notes,
) -> Result<Known<'g>, No> {
    let (key, imported_keys) = (&call.credential.key, call.route.imported_keys);
    let found = if call.derived {
        records.find_parent(call.digest, call.now, loaded)
    } else {
        records.find(key, call.digest, imported_keys, call.now, loaded)
    };
    match found? {
        Found::Ready => {}
        Found::Refresh(load) => notes.work.refresh = Some(load),
        Found::Load(load) => return Ok(Known::Load(load)),
    }
    let (entry, keyring) = records.opened(&call.digest).ok_or(Refusal::InternalError)?;
    // Only keys that are derived from it were sent before.
    if !call.derived && entry.native.is_none() {
        entry.native = Some(admit(keyring, key, imported_keys)?);
    }
    Ok(Known::Entry(entry, keyring))
}

/// What the policy says of a call, and the client's address.
fn judge(
    call: &Call<'_, '_>,
    record: &Record,
    native: bool,
    derived: Option<&Verified>,
    client_ip_header: &str,
) -> Result<Option<IpAddr>, (Refusal, String)> {
    let Call {
        head,
        path,
        route,
        credential,
        now,
        ..
    } = call;
    let belongs = match derived {
        Some(derived) => policy::belongs_derived(route, record, &derived.environment),
        None => policy::belongs(route, record, native, &credential.key),
    };
    if !belongs {
        return Err((Refusal::KeyInvalid, String::new()));
    }
    policy::check(
        client_ip_header,
        route,
        record,
        derived.map(|derived| &derived.terms),
        credential,
        head,
        path,
        *now,
    )
}
