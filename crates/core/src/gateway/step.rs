//! The steps from a route to the plan of what to forward.

use std::mem;

use super::Gateway;
use super::aim::{Aim, aim, aim_of_asked};
use super::asked::approval;
use super::bill::{Checked, Payers};
use super::call::{Call, Notes, SentAs};
use super::exchange::{lacks_kv, without_kv};
use super::judge::judge;
use super::known::{Known, known};
use super::outcome::{Outcome, Waited};
use super::refused::{No, over_own, request_id};
use crate::credential::{self, Credential};
use crate::forward;
use crate::head::Head;
use crate::kind::Kind;
use crate::memory::Entry;
use crate::records::{Loaded, Stored};
use crate::refusal::Refusal;
use crate::restrict::path::CheckedPath;
use crate::route::Sessions;
use crate::secret::Digest;
use crate::session;
use crate::throttle::Network;
use crate::time::Millis;
use crate::vault::Found;
use crate::verify::Terms;

impl Gateway {
    pub(super) fn step<'a>(
        &mut self,
        head: &Head<'a>,
        now: Millis,
        waited: Waited<'_>,
        notes: &mut Notes,
        terms: Option<&Terms>,
    ) -> Result<Outcome<'a>, No> {
        let (route, path) = match terms {
            None => match aim(&self.routes, &self.token, head)? {
                Aim::Done(outcome) => return Ok(*outcome),
                Aim::Session => return self.session(head, now, waited, notes),
                Aim::Asked(form) => return self.asked(form, head, now, waited),
                Aim::Route(route, path) => (route, path),
            },
            Some(terms) if terms.is_placed => aim_of_asked(&self.routes, &self.token, head)?,
            Some(_) => {
                let anywhere = self.verify.anywhere.as_ref();
                let route = anywhere.ok_or(Refusal::InternalError)?;
                (route, CheckedPath::unchecked(head.path()))
            }
        };
        let credential = match terms.and_then(|terms| terms.key.as_deref()) {
            Some(key) => Credential::given(key)?,
            None => credential::find(&route.key_in, head)?,
        };
        let digest = Digest::of(&credential.key);
        let sent = self.derived.read(&credential.key, &digest);
        notes.derived = sent.is_some();
        // The same for every key of this form, and so said before anything is read.
        let (sent_as, taken) = match &sent {
            Some(_) => {
                let taken = !credential.in_query && route.access.accepts.contains(&Kind::Derived);
                (SentAs::Derived, taken)
            }
            None if session::is_one(&credential.key) => {
                (SentAs::Session, route.sessions != Sessions::Refused)
            }
            None => (SentAs::Secret, true),
        };
        if !taken {
            return Err(Refusal::KindNotAccepted.into());
        }
        let (of_record, ended) = match &sent {
            Some(sent) => (sent.parent(), None),
            None if sent_as == SentAs::Session => {
                self.records.exchanged(&credential.key, head, now)?
            }
            None => (digest, None),
        };
        let call = Call {
            head,
            path: &path,
            route,
            credential: &credential,
            digest: of_record,
            sent_as,
            ended,
            cost: terms.and_then(|terms| terms.cost).unwrap_or(route.cost),
            terms,
            now,
        };
        notes.uncounted = terms.is_some_and(|terms| terms.cost == Some(0));
        let Waited {
            mut patience,
            mut loaded,
            unlocked,
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
            Some(sent) => Some(self.derived.verified(digest, sent, record, keyring, now)?),
            None => None,
        };
        let allowed = judge(
            &call,
            record,
            native.unwrap_or(false),
            derived.as_deref(),
            &self.routes.settings().client_ip_header,
        );
        // Who holds a derived key whose time is over has it for good, and must be able to count up nothing.
        let in_time = derived.as_deref().is_none_or(|one| one.is_in_time(now));
        let (kind, plans, own, narrowed) = match derived {
            Some(derived) => (
                Kind::Derived,
                &mut derived.plans,
                derived.limit,
                Some(&derived.terms),
            ),
            None => (record.kind, plans, None, None),
        };
        // What must look like a key that does not exist leaves no trace of one.
        let payers = if !in_time || matches!(&allowed, Err((Refusal::KeyInvalid, _))) {
            Payers::default()
        } else {
            if terms.is_some() {
                notes.digest = Some(call.digest);
                notes.minted = notes.derived.then_some(digest);
            }
            Payers::of(&mut self.accounts, &call, record, plans, notes)
        };
        if matches!(&allowed, Err((Refusal::PrivateKeyInBrowser, _))) {
            notes.sent_by_page = Some(record.secret_id.clone());
        }
        let network = Network::from(allowed?);
        let room = match &mut self.throttle {
            Some(throttle) if record.kind == Kind::Public => {
                Some(throttle.room(&record.project, &record.key_id, network, now)?)
            }
            _ => None,
        };
        let of_parent = |no: No| {
            if call.sent_as == SentAs::Derived {
                no.without_figures()
            } else {
                no
            }
        };
        let checked = self.rates.check(record, network, now);
        checked.map_err(|over| of_parent(over.into()))?;
        let own = match own {
            Some(limit) => Some(self.owns.room(record, limit, now).map_err(over_own)?),
            None => None,
        };
        let checked = payers.check(&call, record, patience, &self.routes);
        let bill = match checked.map_err(of_parent)? {
            Checked::Bill(bill) => bill,
            Checked::Ask(ask) => return Ok(Outcome::Ask(ask)),
        };
        if call.terms.is_some() {
            if notes.uncounted {
                bill.waive(&call, notes);
            } else {
                if let Some(room) = room {
                    room.spend();
                }
                self.rates.spend(record, network, now);
                notes.own = own.map(|room| room.spend(now));
                bill.pay(&call, notes);
            }
            return Ok(Outcome::Respond(approval(
                route,
                record,
                narrowed,
                mem::take(&mut notes.work),
            )));
        }
        let found = self
            .vault
            .find(route, &record.project, keyring, unlocked, now)?;
        let held = match found {
            None => None,
            Some(Found::Ready(value, read)) => {
                notes.work.unlock = read;
                Some(value)
            }
            Some(Found::Read(read)) => return Ok(Outcome::Unlock(read)),
        };
        let signer = self.signers.of(route)?;
        if let Some(room) = room {
            room.spend();
        }
        self.rates.spend(record, network, now);
        let own = own.map(|room| room.spend(now));
        bill.pay(&call, notes);
        let key = &credential.key;
        let secret = held.map(|value| value.text.as_str());
        let mut forward = forward::plan(route, head, &path, key, kind, secret, &self.token);
        forward.asker.own = own;
        if !record.restrictions.apps.is_empty() {
            // A key for apps names no website that may read its answers.
            forward.asker.page = None;
        }
        let base = signer.and_then(|signer| {
            self.requests = self.requests.wrapping_add(1);
            let nonce = request_id(self.request_prefix, self.requests);
            signer.sign(route, (record, narrowed), head, &mut forward, &nonce, now)
        });
        Ok(Outcome::Forward {
            id: plans.id(
                route.index,
                held.map_or(0, |value| value.revision),
                &mut self.last_plan,
            ),
            forward,
            base,
            work: mem::take(&mut notes.work),
        })
    }
}
