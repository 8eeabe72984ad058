//! Public suffixes (publicsuffix.org, ICANN and private sections): names under which anyone can
//! register, so that a wildcard directly below would let strangers in.
//!
//! The list stands in the module as a tree of labels from the right, as little text as possible:
//! it is asked only when a rule is written, so a walk from the front is fast enough.
//!
//! An entry is its label, one byte of flags, and, if it has entries below, their length in bytes
//! (two bytes, little-endian) and themselves. Labels have no byte as low as a flag, so they end by
//! themselves. `tests/restrict/suffixes.rs` writes the file, and fails when it is not the list of the
//! `psl` crate.

static LIST: &[u8] = include_bytes!("suffix.bin");

const SUFFIX: u8 = 1;
const EXCEPTION: u8 = 2;
const PARENT: u8 = 4;
const HIGHEST_FLAG: u8 = 7;

/// Whether a host is listed as a public suffix. The host is in lower case and punycode. Names
/// under top-level domains that are not listed, such as `localhost`, are not.
#[must_use]
pub fn is_public_suffix(host: &str) -> bool {
    let (first, parents) = host
        .split_once('.')
        .map_or((host, None), |(first, rest)| (first, Some(rest)));
    let mut level = LIST;
    for label in parents.into_iter().flat_map(|parents| parents.rsplit('.')) {
        let Some(entry) = find(level, label) else {
            return false;
        };
        level = entry.below;
    }
    match find(level, first) {
        Some(entry) if entry.flags & EXCEPTION != 0 => false,
        Some(entry) if entry.flags & SUFFIX != 0 => true,
        _ => find(level, "*").is_some(),
    }
}

/// Whether the names directly under a host belong to different people: the host is a public
/// suffix, or the list says that every name below is one (`*.ck`).
#[must_use]
pub fn is_shared(host: &str) -> bool {
    is_public_suffix(host) || is_public_suffix(&format!("*.{host}"))
}

struct Entry {
    flags: u8,
    below: &'static [u8],
}

/// Looks for a label among the entries of one level.
fn find(mut level: &'static [u8], label: &str) -> Option<Entry> {
    loop {
        let length = level.iter().position(|byte| *byte <= HIGHEST_FLAG)?;
        let (name, rest) = level.split_at_checked(length)?;
        let (flags, mut rest) = rest.split_first()?;
        let mut below: &[u8] = &[];
        if flags & PARENT != 0 {
            let (length, entries) = rest.split_first_chunk()?;
            (below, rest) = entries.split_at_checked(u16::from_le_bytes(*length).into())?;
        }
        if name == label.as_bytes() {
            return Some(Entry {
                flags: *flags,
                below,
            });
        }
        level = rest;
    }
}
