//! The steps from a route to the plan of what to forward.

use std::mem;
use std::net::IpAddr;

use super::Gateway;
use super::aim::{Aim, aim};
use super::bill::{Checked, Payers};
use super::exchange::{lacks_kv, without_kv};
use super::fixed::Plans;
use super::outcome::{Outcome, Waited, Work};
use super::refused::{No, request_id};
use crate::credential::{self, Credential};
use crate::forward;
use crate::head::Head;
use crate::kind::Kind;
use crate::memory::Entry;
use crate::policy;
use crate::record::Record;
use crate::records::{Found, Load, Loaded, Records, Stored};
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
    pub(super) digest: Digest,
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
        let call = Call {
            head,
            path: &path,
            route,
            credential: &credential,
            digest: Digest::of(&credential.key),
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
        let entry = match known(&mut self.records, &call, loaded, notes)? {
            Known::Entry(entry) => entry,
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
        let allowed = judge(
            &call,
            record,
            *native,
            &self.routes.settings().client_ip_header,
        );
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
        bill.pay(&call, notes);
        let (key, kind) = (&credential.key, record.kind);
        let mut forward = forward::plan(route, head, &path, key, kind, secret, &self.token);
        let base = signer.and_then(|signer| {
            self.requests = self.requests.wrapping_add(1);
            let nonce = request_id(self.request_prefix, self.requests);
            signer.sign(route, record, head, &mut forward, &nonce, now)
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
    Entry(&'g mut Entry<Plans>),
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
    match records.find(key, call.digest, imported_keys, call.now, loaded)? {
        Found::Ready => {}
        Found::Refresh(load) => notes.work.refresh = Some(load),
        Found::Load(load) => return Ok(Known::Load(load)),
    }
    let entry = records.entry(&call.digest);
    entry
        .map(Known::Entry)
        .ok_or_else(|| Refusal::InternalError.into())
}

/// What the policy says of a call, and the client's address.
fn judge(
    call: &Call<'_, '_>,
    record: &Record,
    native: bool,
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
    if !policy::belongs(route, record, native, &credential.key) {
        return Err((Refusal::KeyInvalid, String::new()));
    }
    policy::check(
        client_ip_header,
        route,
        record,
        credential,
        head,
        path,
        *now,
    )
}
