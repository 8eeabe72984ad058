//! The deployment's secret, `KEYWARD_SECRET`: entries with ids, and the subkeys of each.
//!
//! The text is `<id>:<base64url of 32 bytes or more>`, up to four of them with commas between.
//! The first entry is current: it mints. Those after it are in force: what they named and
//! MACed stays readable until it has been published anew. A `-` before the id retires an entry:
//! it still verifies the tags of secrets that are in circulation, and nothing else. `-<id>@<seconds>`:
//! until this time (Unix) origins also find its public key, and so believe what it has signed last.
//!
//! Every use has a subkey of its own by HKDF-SHA-256 (RFC 5869), told apart by its info label,
//! so that what leaks of one says nothing of another.

use std::str::FromStr as _;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use hkdf::Hkdf;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::base62;
use crate::kind::Kind;
use crate::mac::{self, Keyed};
use crate::names;
use crate::secret::{Digest, FORMAT, LONGEST, Minted, RANDOM, Shape, TAG};
use crate::time::Millis;

/// HKDF's salt: fixed, which RFC 5869 section 3.1 allows, and told apart from other programs'.
const SALT: &[u8] = b"keyward/1";
/// The fewest bytes that an entry's key has.
const SHORTEST_KEY: usize = 32;
/// The most entries: a forged secret costs one MAC for each.
const MOST_ENTRIES: usize = 4;

/// What `KEYWARD_SECRET` holds, ready for use.
pub struct Keyring {
    /// Not empty; the first is current and not retired.
    entries: Vec<Entry>,
}

/// One entry of `KEYWARD_SECRET` with its subkeys.
pub struct Entry {
    id: String,
    retired: bool,
    /// Of a retired one: until when its public key is in the key set.
    listed_until: Millis,
    tag: Keyed,
    look_up: Keyed,
    record: Keyed,
    session: Keyed,
    sealing: Zeroizing<[u8; 32]>,
    credential: Zeroizing<[u8; 32]>,
    assertion: Zeroizing<[u8; 32]>,
    assertion_key_id: String,
    derivation: Keyed,
    hash_seed: u64,
    deployment: u32,
}

/// What is wrong with `KEYWARD_SECRET`. Says nothing of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("KEYWARD_SECRET is not valid: {0}")]
pub struct KeyringError(pub &'static str);

impl Keyring {
    /// Reads the text of `KEYWARD_SECRET` (see the module) and derives the subkeys. Blanks around
    /// the whole are ignored, because secrets are often piped with a line end.
    ///
    /// # Errors
    /// When an entry, an id, the encoding or a key's length is not as the module describes.
    pub fn parse(text: &str) -> Result<Self, KeyringError> {
        let mut entries: Vec<Entry> = Vec::new();
        for part in text.trim().split(',') {
            let (id, key) = part.split_once(':').ok_or(KeyringError(
                "an entry is `id:key`; several have a comma between them",
            ))?;
            let (id, retired) = id.strip_prefix('-').map_or((id, false), |id| (id, true));
            let (id, until) = id.split_once('@').filter(|_| retired).unwrap_or((id, "0"));
            let Ok(until_s) = u32::from_str(until) else {
                return Err(KeyringError(
                    "behind the @ of a retired entry stands a time in seconds",
                ));
            };
            if !names::is_entry_id(id) {
                return Err(KeyringError(
                    "an entry's id is 1 to 12 lower-case letters and digits",
                ));
            }
            if entries.iter().any(|entry| entry.id == id) {
                return Err(KeyringError("two entries have the same id"));
            }
            if entries.len() == MOST_ENTRIES {
                return Err(KeyringError("there are more than four entries"));
            }
            entries.push(Entry::derive(id, retired, until_s, key)?);
        }
        match entries.first() {
            Some(entry) if !entry.retired => Ok(Self { entries }),
            _ => Err(KeyringError(
                "the first entry is the current one and cannot be retired",
            )),
        }
    }

    /// The entry that mints, names, MACs and seals.
    #[must_use]
    #[expect(
        clippy::indexing_slicing,
        reason = "`parse` makes no keyring without a first entry"
    )]
    pub fn current(&self) -> &Entry {
        &self.entries[0]
    }

    /// The entries under which records may stand: all but the retired ones, current first.
    pub fn in_force(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| !entry.retired)
    }

    /// The entries whose public keys are in the key set, or may be: those in force, and behind them
    /// the retired ones whose last signatures may not have ended ([`Entry::is_listed`]).
    pub fn signing(&self) -> impl Iterator<Item = &Entry> {
        let leaving = |entry: &&Entry| entry.retired && entry.listed_until != Millis(0);
        self.in_force().chain(self.entries.iter().filter(leaving))
    }

    /// Every entry, retired ones included, as they are written.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// The entry in force with this id.
    #[must_use]
    pub fn entry(&self, id: &str) -> Option<&Entry> {
        self.in_force().find(|entry| entry.id == id)
    }

    /// Whether the secret's tag was made under any entry, retired ones included. Takes the same
    /// time wherever a tag is wrong; which entry made a right one is no secret. Never allocates.
    #[must_use]
    pub fn verifies_tag(&self, shape: &Shape<'_>) -> bool {
        self.entries.iter().any(|entry| {
            entry
                .tag_of(shape.tagged())
                .ct_eq(shape.tag().as_bytes())
                .into()
        })
    }

    /// Mints a secret under the current entry. `vendor` and `environment` are valid (see
    /// [`names::is_vendor`] and [`names::is_environment`]), else nobody can use what comes out;
    /// `fill` fills a buffer from the platform's CSPRNG.
    #[must_use]
    pub fn mint(
        &self,
        vendor: &str,
        kind: Kind,
        environment: &str,
        fill: &mut dyn FnMut(&mut [u8]),
    ) -> Minted {
        debug_assert!(names::is_vendor(vendor) && names::is_environment(environment));
        let random = Zeroizing::new(base62::random(RANDOM, fill));
        // Reserved at once: a string that grows leaves copies of the secret behind.
        let mut text = Zeroizing::new(String::with_capacity(LONGEST));
        for part in [vendor, "_", kind.prefix(), "_", environment, "_"] {
            text.push_str(part);
        }
        text.push(FORMAT);
        text.push_str(&random);
        let tag = self.current().tag_of(&text);
        text.extend(tag.map(char::from));
        Minted(text)
    }
}

impl Entry {
    fn derive(id: &str, retired: bool, until_s: u32, key: &str) -> Result<Self, KeyringError> {
        let key = Base64UrlUnpadded::decode_vec(key.trim_end_matches('='))
            .map(Zeroizing::new)
            .map_err(|_| KeyringError("a key is not base64url"))?;
        if key.len() < SHORTEST_KEY {
            return Err(KeyringError("a key is shorter than 32 bytes"));
        }
        let root = Hkdf::<Sha256>::new(Some(SALT), &key);
        Ok(Self {
            id: id.to_owned(),
            retired,
            listed_until: Millis(u64::from(until_s) * 1000),
            tag: mac::keyed(&*subkey::<32>(&root, "keyward/tag/1")?),
            look_up: mac::keyed(&*subkey::<32>(&root, "keyward/look-up/1")?),
            record: mac::keyed(&*subkey::<32>(&root, "keyward/record/1")?),
            session: mac::keyed(&*subkey::<32>(&root, "keyward/session/1")?),
            sealing: subkey(&root, "keyward/sealing/1")?,
            credential: subkey(&root, "keyward/credential/1")?,
            assertion: subkey(&root, "keyward/assertion/1")?,
            assertion_key_id: Base64UrlUnpadded::encode_string(&*subkey::<16>(
                &root,
                "keyward/assertion-key-id/1",
            )?),
            derivation: mac::keyed(&*subkey::<32>(&root, "keyward/derivation/1")?),
            hash_seed: u64::from_be_bytes(*subkey(&root, "keyward/hash-seed/1")?),
            deployment: u32::from_be_bytes(*subkey(&root, "keyward/deployment/1")?),
        })
    }

    /// The id that names, MACs and seals carry.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether its public key is in the key set.
    #[must_use]
    pub fn is_listed(&self, now: Millis) -> bool {
        !self.retired || now < self.listed_until
    }

    /// Whether it only verifies tags.
    #[must_use]
    pub const fn is_retired(&self) -> bool {
        self.retired
    }

    /// The AES-256-GCM key under which the registries seal what they give out again.
    #[must_use]
    pub fn sealing_key(&self) -> Zeroizing<[u8; 32]> {
        self.sealing.clone()
    }

    /// The AES-256-GCM key under which the credentials of projects are sealed in KV. It opens nothing
    /// else: the gateway hands it to the runtime, and only seals that the edge reads are under it.
    #[must_use]
    pub fn credential_key(&self) -> &[u8; 32] {
        &self.credential
    }

    /// The seed of the Ed25519 key (RFC 8032 section 5.1.5) that signs assertions and requests.
    #[must_use]
    pub fn assertion_seed(&self) -> &[u8; 32] {
        &self.assertion
    }

    /// What names that key: the same wherever it is derived, and no secret. It is derived as the
    /// seed is, because a name made of the public key would need the curve's arithmetic here.
    #[must_use]
    pub fn assertion_key_id(&self) -> &str {
        &self.assertion_key_id
    }

    /// Seeds the hash table of isolate memory, so that nobody outside can aim at one bucket.
    #[must_use]
    pub const fn hash_seed(&self) -> u64 {
        self.hash_seed
    }

    /// 8 hexadecimal digits that name the deployment in `Via`. Not secret.
    #[must_use]
    pub fn deployment_id(&self) -> String {
        format!("{:08x}", self.deployment)
    }

    /// The keyed hash of a digest, of which the KV name is made.
    pub(crate) fn look_up(&self, digest: &Digest) -> [u8; 32] {
        mac::mac(&self.look_up, &[digest.as_bytes()])
    }

    /// The MAC over what a session key says.
    pub(crate) fn session_mac(&self, payload: &[u8]) -> [u8; 32] {
        mac::mac(&self.session, &[payload])
    }

    /// The MAC over the parts of a record.
    pub(crate) fn record_mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        mac::mac(&self.record, parts)
    }

    /// The MAC of which the seals of derivation keys are made.
    pub(crate) fn derivation_mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        mac::mac(&self.derivation, parts)
    }

    /// The tag of everything before it: 8 digits of a truncated HMAC. 64 bits modulo 62^8 favour
    /// some tags by one part in 84,000, which gains a forger nothing.
    fn tag_of(&self, tagged: &str) -> [u8; TAG] {
        let [a, b, c, d, e, f, g, h, ..] = mac::mac(&self.tag, &[tagged.as_bytes()]);
        base62::digits(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }
}

/// The subkey for one use.
fn subkey<const N: usize>(
    root: &Hkdf<Sha256>,
    label: &str,
) -> Result<Zeroizing<[u8; N]>, KeyringError> {
    let mut key = Zeroizing::new([0; N]);
    root.expand(label.as_bytes(), key.as_mut_slice())
        .map_err(|_| KeyringError("a subkey cannot be derived"))?;
    Ok(key)
}
