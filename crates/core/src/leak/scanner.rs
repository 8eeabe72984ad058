//! Finds secrets of Keyward's shape in any bytes, piece by piece.
//!
//! 1. Bytes that are 0 are passed over, so that text in UTF-16 is read as well.
//! 2. What stands before and after a secret does not matter: where its vendor may begin further to
//!    the right, each way to read it is a candidate (`%3dkw_sk_…` is one of `3dkw`, `dkw`, `kw`).
//! 3. Bounded: of what was read, no more is kept than the longest secret has.

use crate::kind::Kind;
use crate::names::{is_environment, is_vendor};

const LONGEST_VENDOR: usize = 10;
const SHORTEST_VENDOR: usize = 2;
const LONGEST_ENVIRONMENT: usize = 12;
/// The format's version, 24 random characters and 8 of the tag.
const BODY: usize = 33;
const FORMAT: u8 = b'1';
/// What may stand behind the mark of a kind: it, the environment, `_`, the body.
const AFTER: usize = 4 + LONGEST_ENVIRONMENT + 1 + BODY;

/// Reads a text in pieces of any size.
#[derive(Default)]
pub struct Scanner {
    kept: Vec<u8>,
}

impl Scanner {
    /// Reads on; `found` is called with each candidate, perhaps more than once.
    pub fn read(&mut self, piece: &[u8], mut found: impl FnMut(&str)) {
        self.kept.extend(piece.iter().filter(|byte| **byte != 0));
        self.scan(false, &mut found);
        let keep = LONGEST_VENDOR + AFTER;
        let over = self.kept.len().saturating_sub(keep);
        self.kept.drain(..over);
    }

    /// The text has ended.
    pub fn end(self, mut found: impl FnMut(&str)) {
        self.scan(true, &mut found);
    }

    /// Looks at every mark of a kind that has all behind it that may belong to it.
    fn scan(&self, ended: bool, found: &mut impl FnMut(&str)) {
        for (at, window) in self.kept.windows(4).enumerate() {
            let is_mark = matches!(window, [b'_', b's' | b'p' | b'm', b'k', b'_']);
            let is_whole = ended || at + AFTER <= self.kept.len();
            if is_mark && is_whole {
                self.at(at, found);
            }
        }
    }

    fn at(&self, mark: usize, found: &mut impl FnMut(&str)) {
        let (Some(before), Some(behind)) = (self.kept.get(..mark), self.kept.get(mark..)) else {
            return;
        };
        let word = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let vendor = before.iter().rev().take_while(|byte| word(byte)).count();
        let environment = behind.iter().skip(4).take_while(|byte| word(byte)).count();
        let body = 4 + environment + 1;
        let is_body = behind.get(body - 1) == Some(&b'_')
            && behind.get(body) == Some(&FORMAT)
            && behind
                .get(body..body + BODY)
                .is_some_and(|body| body.iter().all(u8::is_ascii_alphanumeric));
        if !is_body || !(1..=LONGEST_ENVIRONMENT).contains(&environment) {
            return;
        }
        for length in SHORTEST_VENDOR..=vendor.min(LONGEST_VENDOR) {
            let candidate = self.kept.get(mark - length..mark + body + BODY);
            let text = candidate.and_then(|bytes| std::str::from_utf8(bytes).ok());
            if let Some(text) = text.filter(|text| is_shaped(text)) {
                found(text);
            }
        }
    }
}

fn is_shaped(text: &str) -> bool {
    let mut parts = text.split('_');
    let vendor = parts.next().is_some_and(is_vendor);
    let kind = parts.next().and_then(Kind::from_prefix).is_some();
    vendor && kind && parts.next().is_some_and(is_environment)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "kw_sk_live_1abcdefghijklmnopqrstuvwxABCDEFGH";

    fn found(text: &[u8], piece: usize) -> Vec<String> {
        let mut all = Vec::new();
        let mut note = |text: &str| {
            if !all.iter().any(|own| own == text) {
                all.push(text.to_owned());
            }
        };
        let mut scanner = Scanner::default();
        for piece in text.chunks(piece) {
            scanner.read(piece, &mut note);
        }
        scanner.end(&mut note);
        all
    }

    #[test]
    fn secrets_are_found_wherever_they_stand() {
        for text in [
            SECRET.to_owned(),
            format!("KEY={SECRET}"),
            format!("KEY_{SECRET}\n"),
            format!("\"{SECRET}\","),
            format!("https://x.example/?key={SECRET}&a=b"),
            format!("{SECRET}and more"),
            format!("é{SECRET}é"),
            format!("{} {SECRET}", "x".repeat(100_000)),
            format!("_sk_sk_{SECRET}_sk_"),
        ] {
            for piece in [1, 7, 64, 1 << 20] {
                let found = found(text.as_bytes(), piece);
                assert!(found.iter().any(|own| own == SECRET), "{piece} {found:?}");
            }
        }
    }

    #[test]
    fn so_are_those_that_something_is_glued_to_and_those_in_utf_16() {
        assert_eq!(
            found(format!("%3d{SECRET}").as_bytes(), 9),
            [
                SECRET.to_owned(),
                format!("d{SECRET}"),
                format!("3d{SECRET}")
            ]
        );
        let little: Vec<_> = SECRET.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<_> = SECRET.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [little, big] {
            assert_eq!(found(&bytes, 5), [SECRET]);
        }
    }

    #[test]
    fn what_is_no_secret_is_not() {
        for text in [
            "",
            "kw_sk_live_1",
            "kw_sk_live_2abcdefghijklmnopqrstuvwxABCDEFGH",
            "kw_sk_live_1abcdefghijklmnopqrstuvwxABCDEFG",
            "kw_sk_live_1abcdefghijklmnopqrstuvwx-BCDEFGH",
            "kw_xk_live_1abcdefghijklmnopqrstuvwxABCDEFGH",
            "k_sk_live_1abcdefghijklmnopqrstuvwxABCDEFGH",
            "sk_live_1abcdefghijklmnopqrstuvwxABCDEFGH",
            "kw_sk_LIVE_1abcdefghijklmnopqrstuvwxABCDEFGH",
            "kw_sk__1abcdefghijklmnopqrstuvwxABCDEFGH",
            "kw_sk_abcdefghijklm_1abcdefghijklmnopqrstuvwxABCDEFGH",
            "sk_sk_live_1abcdefghijklmnopqrstuvwxABCDEFGH",
        ] {
            assert_eq!(found(text.as_bytes(), 3), [""; 0], "{text}");
        }
    }

    #[test]
    fn no_more_is_kept_than_one_secret_needs() {
        let mut scanner = Scanner::default();
        for _ in 0..1000 {
            scanner.read(&[b'a'; 4096], |_| {});
            assert!(scanner.kept.len() <= LONGEST_VENDOR + AFTER);
        }
    }
}
