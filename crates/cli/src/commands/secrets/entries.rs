//! The text of KEYWARD_SECRET as its entries.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use keyward_core::base62;
use keyward_core::keyring::Keyring;
use keyward_core::time::Millis;
use zeroize::Zeroizing;

use crate::clock;

/// The most entries of a text.
const MOST: usize = 4;

/// The entries, the current one first.
pub(super) struct Entries(Vec<Entry>);

/// One of them. Its key is never shown.
struct Entry {
    id: String,
    retired: bool,
    /// Behind the id of a retired one: `@` and until when origins find its public key.
    until: String,
    key: Zeroizing<String>,
}

impl Entries {
    /// Reads a text.
    ///
    /// # Errors
    /// What is wrong with it, without any of it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        Keyring::parse(text).map_err(|error| error.to_string())?;
        let entry = |part: &str| {
            let (id, key) = part.split_once(':')?;
            let retired = id.starts_with('-');
            let id = id.trim_start_matches('-');
            let (id, until) = id.split_at(id.find('@').unwrap_or(id.len()));
            Some(Entry {
                id: id.to_owned(),
                retired,
                until: until.to_owned(),
                key: Zeroizing::new(key.to_owned()),
            })
        };
        text.trim()
            .split(',')
            .map(entry)
            .collect::<Option<_>>()
            .map(Self)
            .ok_or_else(|| "an entry is `id:key`".to_owned())
    }

    pub(super) fn to_text(&self) -> Zeroizing<String> {
        // Reserved at once: a string that grows leaves copies behind.
        let size = |entry: &Entry| {
            entry
                .id
                .len()
                .saturating_add(entry.until.len())
                .saturating_add(entry.key.len())
                .saturating_add(3)
        };
        let mut text = Zeroizing::new(String::with_capacity(self.0.iter().map(size).sum()));
        for entry in &self.0 {
            if !text.is_empty() {
                text.push(',');
            }
            if entry.retired {
                text.push('-');
            }
            for part in [&entry.id, &entry.until, ":", &entry.key] {
                text.push_str(part);
            }
        }
        text
    }

    /// Puts a fresh entry first and gives its id.
    ///
    /// # Errors
    /// When there are as many as there can be, with those that can go.
    pub(super) fn rotate(&mut self) -> Result<String, String> {
        if self.0.len() >= MOST {
            return Err(self.full());
        }
        let mut filled = Ok(());
        let mut fill = |buffer: &mut [u8]| filled = filled.and(getrandom::fill(buffer));
        let mut key = Zeroizing::new([0; 32]);
        fill(key.as_mut_slice());
        let id = self.fresh_id(&mut fill);
        filled.map_err(|error| format!("the system gives no randomness: {error}"))?;
        let entry = Entry {
            id: id.clone(),
            retired: false,
            until: String::new(),
            key: Zeroizing::new(Base64UrlUnpadded::encode_string(key.as_slice())),
        };
        self.0.insert(0, entry);
        Ok(id)
    }

    /// The day and three letters: it says how old the entry is, and is never used twice.
    fn fresh_id(&self, fill: &mut dyn FnMut(&mut [u8])) -> String {
        let day: String = clock::now()
            .to_string()
            .chars()
            .take(10)
            .filter(char::is_ascii_digit)
            .collect();
        loop {
            let id = format!("{day}{}", base62::random(3, fill).to_ascii_lowercase());
            if self.0.iter().all(|entry| entry.id != id) {
                return id;
            }
        }
    }

    fn full(&self) -> String {
        let retired: Vec<_> = self
            .0
            .iter()
            .filter(|entry| entry.retired)
            .map(|entry| &*entry.id)
            .collect();
        let oldest = self.0.last().map_or("", |entry| &entry.id);
        let fix = if retired.is_empty() {
            format!(
                "when `keyward secrets status` says that {oldest} can go: keyward secrets drop {oldest}, then once more with --remove"
            )
        } else {
            format!(
                "take a retired one out: {}, with  keyward secrets drop <ID> --remove",
                retired.join(" or ")
            )
        };
        format!("there are {MOST} entries already, and that is the most\n  fix: {fix}")
    }

    pub(super) fn ids(&self) -> Vec<&str> {
        self.0.iter().map(|entry| entry.id.as_str()).collect()
    }

    pub(super) fn is_current(&self, id: &str) -> bool {
        self.0.first().is_some_and(|entry| entry.id == id)
    }

    /// Whether the entry is retired; none: there is no such entry.
    pub(super) fn is_retired(&self, id: &str) -> Option<bool> {
        let entry = self.0.iter().find(|entry| entry.id == id)?;
        Some(entry.retired)
    }

    /// Retires an entry. Origins find its public key until then, or not any more. One that was
    /// retired before stays as it is, but for that.
    pub(super) fn retire(&mut self, id: &str, until: Option<Millis>) {
        for entry in self.0.iter_mut().filter(|entry| entry.id == id) {
            match until {
                Some(until) if !entry.retired => entry.until = format!("@{}", until.0 / 1000),
                Some(_) => {}
                None => entry.until.clear(),
            }
            entry.retired = true;
        }
    }

    pub(super) fn remove(&mut self, id: &str) {
        self.0.retain(|entry| entry.id != id);
    }

    /// The ids and states, as `--json` shows them.
    pub(super) fn to_json(&self) -> serde_json::Value {
        let state = |(index, entry): (usize, &Entry)| match (index, entry.retired) {
            (0, _) => "current",
            (_, false) => "in_force",
            (_, true) => "retired",
        };
        self.0
            .iter()
            .enumerate()
            .map(|(index, entry)| serde_json::json!({"id": entry.id, "state": state((index, entry))}))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> String {
        Base64UrlUnpadded::encode_string(&[byte; 32])
    }

    #[test]
    fn a_fresh_entry_comes_first_and_the_others_stay_as_they_are() {
        let text = format!("b:{},-a:{}", key(1), key(2));
        let mut entries = Entries::parse(&format!("{text}\n")).unwrap();
        let id = entries.rotate().unwrap();
        let new = entries.to_text();
        assert!(new.starts_with(&format!("{id}:")) && new.ends_with(&format!(",{text}")));
        assert_eq!(Keyring::parse(&new).unwrap().current().id(), id);
        assert!(id.len() == 11 && id.starts_with("20"), "{id}");
        assert_ne!(entries.rotate().unwrap(), id);
        let error = entries.rotate().unwrap_err();
        assert!(error.contains("take a retired one out: a,"), "{error}");
    }

    #[test]
    fn entries_are_retired_and_removed() {
        let mut entries = Entries::parse(&format!("b:{},a:{}", key(1), key(2))).unwrap();
        assert!(entries.is_current("b") && !entries.is_current("a"));
        for (until, written) in [
            (Some(Millis(1_700_000_000_999)), "@1700000000"),
            (Some(Millis(1_800_000_000_000)), "@1700000000"),
            (None, ""),
        ] {
            entries.retire("a", until);
            assert_eq!(entries.is_retired("a"), Some(true));
            let text = format!("b:{},-a{written}:{}", key(1), key(2));
            assert_eq!(*entries.to_text(), text);
            entries = Entries::parse(&text).unwrap();
        }
        entries.remove("a");
        assert_eq!(*entries.to_text(), format!("b:{}", key(1)));
        assert_eq!(entries.is_retired("a"), None);
        assert!(Entries::parse("a:short").is_err());
    }
}
