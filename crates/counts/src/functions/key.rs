//! What is done with a secret, and with the record that KV holds for it.

use keyward_core::kind::Kind;
use keyward_core::names::record_name;
use keyward_core::record::Record;
use keyward_core::secret::{Digest, Shape};

use super::call::public;
use crate::scene::{keyring, record, sealed, secret};
use crate::valgrind::measure;

pub(super) const ALL: &[(&str, fn())] = &[
    ("secret: digest", || {
        let secret = secret(Kind::Private);
        let digest = measure(|| Digest::of(&secret));
        assert_eq!(digest, Digest::of(&secret));
    }),
    ("secret: parse", || {
        let secret = secret(Kind::Private);
        assert!(measure(|| Shape::parse(&secret)).is_some());
    }),
    ("secret: verify tag", || {
        let (secret, keyring) = (secret(Kind::Private), keyring());
        let shape = Shape::parse(&secret).expect("a secret");
        assert!(measure(|| keyring.verifies_tag(&shape)));
    }),
    ("record: name", || {
        let (digest, keyring) = (Digest::of(&secret(Kind::Private)), keyring());
        let name = measure(|| record_name(keyring.current(), &digest));
        assert!(name.starts_with("r/a/"));
    }),
    ("record: open", || {
        let (secret, keyring) = (secret(Kind::Public), keyring());
        let record = record(Kind::Public, &public());
        let name = record_name(keyring.current(), &Digest::of(&secret));
        let value = sealed(&record, &secret);
        let opened = measure(|| Record::open(&value, &name, &keyring));
        assert_eq!(opened.ok().as_ref(), Some(&record));
    }),
    ("record: decode", || {
        let record = record(Kind::Public, &public());
        let text = serde_json::to_string(&record).expect("JSON");
        let decoded = measure(|| serde_json::from_str::<Record>(&text));
        assert_eq!(decoded.ok().as_ref(), Some(&record));
    }),
];
