//! Writes that were given up and may still end: what stands under their names afterwards is whatever
//! they carried, so the newest state has to be written again. Whose name it is by then is kept here,
//! because the key that such a write was about may have been purged meanwhile, and its secret may be
//! another key's.

use std::collections::BTreeMap;

use crate::registry::outbox::Target;

/// The names with writes that were given up in this instance.
#[derive(Debug, Default)]
pub(super) struct Late(BTreeMap<String, Name>);

#[derive(Debug)]
struct Name {
    /// Writes that have not ended.
    writes: usize,
    /// What was written under the name last.
    newest: Target,
}

impl Late {
    /// A write of this name is given up.
    pub(super) fn give_up(&mut self, target: &Target) {
        let name = self.0.entry(target.name.clone()).or_insert_with(|| Name {
            writes: 0,
            newest: target.clone(),
        });
        name.writes = name.writes.saturating_add(1);
    }

    /// A write of this name starts.
    pub(super) fn start(&mut self, target: &Target) {
        if let Some(name) = self.0.get_mut(&target.name) {
            name.newest = target.clone();
        }
    }

    /// A write that had been given up has ended: what was written under its name last.
    pub(super) fn end(&mut self, target: &Target) -> Target {
        let Some(name) = self.0.get_mut(&target.name) else {
            return target.clone();
        };
        name.writes = name.writes.saturating_sub(1);
        let newest = name.newest.clone();
        if name.writes == 0 {
            self.0.remove(&target.name);
        }
        newest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(secret: &str) -> Target {
        Target {
            name: "r/a1/x".to_owned(),
            entry: "a1".to_owned(),
            key: format!("key of {secret}"),
            secret: secret.to_owned(),
        }
    }

    #[test]
    fn the_last_write_says_whose_the_name_is() {
        let mut late = Late::default();
        late.start(&target("before"));
        late.give_up(&target("first"));
        late.start(&target("second"));
        late.give_up(&target("second"));
        late.start(&target("third"));
        assert_eq!(late.end(&target("second")), target("third"));
        assert_eq!(late.end(&target("first")), target("third"));
        assert!(late.0.is_empty());
    }

    #[test]
    fn of_a_name_that_nothing_was_given_up_of_nothing_is_kept() {
        let mut late = Late::default();
        late.start(&target("first"));
        assert!(late.0.is_empty());
        assert_eq!(late.end(&target("first")), target("first"));
    }
}
