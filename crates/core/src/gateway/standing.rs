//! What an answer says of how the limits of its key stand: what their meter told last. As long as it
//! has told nothing, the key's record says what its limits are, though not what is left of them; of
//! the owner's limits it says nothing.

use super::call::Notes;
use super::{Gateway, limits};
use crate::rate_limit::{Fields, Item};
use crate::time::Millis;

impl Gateway {
    /// How the limits of a call's key stand: of a derived key, only its own.
    pub(super) fn standing_of(&mut self, notes: &Notes, now: Millis) -> Fields {
        if !notes.derived {
            return self.standing(notes.account, now);
        }
        let mut fields = Fields::default();
        if let Some(own) = &notes.own {
            fields.push(&Item::own(own));
        }
        fields
    }

    /// How the limits of a key stand, and those of its owner.
    pub(super) fn standing(&mut self, account: Option<u64>, now: Millis) -> Fields {
        let mut fields = Fields::default();
        let Some(account) = account.and_then(|account| self.accounts.find(account)) else {
            return fields;
        };
        account.describe(&mut fields, "", now);
        let (owner, secret) = (account.owner(), account.secret());
        if fields.is_empty() {
            let entry = secret.and_then(|digest| self.records.entry(&digest));
            if let Some(record) = entry.and_then(|entry| entry.record.as_ref()) {
                Item::all(&record.limits).for_each(|item| fields.push(&item));
            }
        }
        if let Some(owner) = owner.and_then(|owner| self.accounts.find(owner)) {
            owner.describe(&mut fields, limits::OWNER, now);
        }
        fields
    }
}
