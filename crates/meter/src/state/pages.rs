//! Pages that have sent a private key, until the registry has heard of them.

use keyward_core::time::Millis;
use serde::{Deserialize, Serialize};

/// So many are kept at once: who holds the key can make up as many as they like.
const MOST: usize = 8;
/// How long after a failure the registry is told again.
const AGAIN_MS: u64 = 60_000;

/// The origins, and when they are told.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pages {
    waiting: Vec<String>,
    at: Millis,
}

impl Default for Pages {
    fn default() -> Self {
        Self {
            waiting: Vec::new(),
            at: Millis(0),
        }
    }
}

impl Pages {
    /// Adds what was reported; whether that is anything new.
    pub(crate) fn add(&mut self, pages: &[String], now: Millis) -> bool {
        if pages.is_empty() {
            return false;
        }
        if self.waiting.is_empty() {
            self.at = now;
        }
        for page in pages {
            if self.waiting.len() < MOST && !self.waiting.contains(page) {
                self.waiting.push(page.clone());
            }
        }
        true
    }

    /// When the registry is to be told.
    pub(crate) fn due(&self) -> Option<Millis> {
        (!self.waiting.is_empty()).then_some(self.at)
    }

    /// What it is told now. That it has not heard of it is tried again after a pause.
    pub(crate) fn next(&mut self, now: Millis) -> Option<Vec<String>> {
        if self.due().is_none_or(|due| now < due) {
            return None;
        }
        self.at = now.plus(AGAIN_MS);
        Some(self.waiting.clone())
    }

    /// It has heard of these.
    pub(crate) fn told(&mut self, pages: &[String]) {
        self.waiting.retain(|page| !pages.contains(page));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_heard_of_is_told_again() {
        let page = |name: &str| vec![format!("https://{name}.example")];
        let mut pages = Pages::default();
        assert!(!pages.add(&[], Millis(1)));
        assert!(pages.add(&page("a"), Millis(1)));
        assert_eq!(pages.next(Millis(1)), Some(page("a")));
        assert_eq!(pages.next(Millis(2)), None);
        pages.add(&page("b"), Millis(3));
        assert_eq!(pages.due(), Some(Millis(1 + AGAIN_MS)));
        let both = pages.next(Millis(1 + AGAIN_MS)).unwrap();
        assert_eq!(both.len(), 2);
        pages.told(&page("a"));
        assert!(pages.due().is_some());
        pages.told(&both);
        assert_eq!(pages.due(), None);
    }

    #[test]
    fn no_more_are_kept_than_a_few() {
        let mut pages = Pages::default();
        for number in 0..100 {
            pages.add(&[format!("https://{number}.example")], Millis(number));
        }
        assert_eq!(pages.waiting.len(), MOST);
    }
}
