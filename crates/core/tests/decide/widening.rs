//! No type of restriction widens a key.

use keyward_core::decide::{Access, decide};
use keyward_core::kind::Kind;
use keyward_core::record::Record;
use keyward_core::request::Facts;
use keyward_core::restrict::path::CheckedPath;
use proptest::prelude::*;

use crate::{NOW, PAGE, facts, private, restrict};

/// Values of each type of restriction, of which some allow some of the requests below.
const RESTRICTIONS: &[(&str, &[&str])] = &[
    (
        "referrers",
        &[
            r#"["app.example.com"]"#,
            r#"["*.example.com", "example.org"]"#,
        ],
    ),
    (
        "ips",
        &[r#"["192.0.2.7"]"#, r#"["192.0.2.0/24", "2001:db8::/32"]"#],
    ),
    ("apps", &[r#"{"ios": ["com.example.app"]}"#]),
    (
        "paths",
        &[r#"["GET /v1/*"]"#, r#"["POST /v1/**", "* /v2/**"]"#],
    ),
];

fn any_subset() -> impl Strategy<Value = Vec<Option<usize>>> {
    proptest::collection::vec(proptest::option::of(0_usize..2), RESTRICTIONS.len())
}

fn apply(record: &mut Record, chosen: &[Option<usize>]) {
    for ((field, values), choice) in RESTRICTIONS.iter().zip(chosen) {
        if let Some(choice) = choice {
            restrict(
                record,
                field,
                serde_json::from_str(values[choice % values.len()]).unwrap(),
            );
        }
    }
}

proptest! {
    /// Another type of restriction narrows: whatever was refused stays refused. The one exception
    /// is a public key that restricts nothing, which no registry writes: so this one says "any".
    #[test]
    fn another_type_of_restriction_never_allows_what_was_refused(
        public: bool,
        before in any_subset(),
        added in any_subset(),
        origin in proptest::option::of(prop_oneof![Just(PAGE), Just("https://evil.example"), Just("null"), Just("")]),
        referer in proptest::option::of(prop_oneof![Just("https://app.example.com/x"), Just("https://example.org/"), Just("x")]),
        site in proptest::option::of(prop_oneof![Just("none"), Just("cross-site")]),
        ip in proptest::option::of(prop_oneof![Just("192.0.2.7"), Just("192.0.2.8"), Just("2001:db8::1"), Just("::1")]),
        app in proptest::option::of(prop_oneof![Just("com.example.app"), Just("com.evil.app")]),
        method in prop_oneof![Just("GET"), Just("POST"), Just("get"), Just("TRACE")],
        target in prop_oneof![Just("/v1/models"), Just("/v1/a/b"), Just("/v2/x"), Just("/")],
        websocket: bool,
        is_exchange: bool,
    ) {
        let path = CheckedPath::parse(target).unwrap();
        let facts = Facts {
            method,
            origin,
            referer,
            sec_fetch_site: site,
            websocket,
            is_exchange,
            ip: ip.map(|ip| ip.parse().unwrap()),
            ios_bundle: app,
            ..facts(&path)
        };
        let mut record = private();
        if public {
            record.kind = Kind::Public;
            record.restrictions.any_referrer = true;
        }
        apply(&mut record, &before);
        let first = decide(&record, &Access::everything(), &facts, NOW);
        let added: Vec<_> = before.iter().zip(added).map(|(before, added)| before.map_or(added, |_| None)).collect();
        apply(&mut record, &added);
        let second = decide(&record, &Access::everything(), &facts, NOW);
        prop_assert!(first.is_ok() || second.is_err(), "{first:?} became {second:?}");
    }

    /// An exchange leaves out path rules, and nothing else.
    #[test]
    fn an_exchange_is_judged_as_if_the_key_had_no_path_rules(
        public: bool,
        chosen in any_subset(),
        origin in proptest::option::of(prop_oneof![Just(PAGE), Just("https://evil.example")]),
        ip in proptest::option::of(prop_oneof![Just("192.0.2.7"), Just("192.0.2.8")]),
        target in prop_oneof![Just("/v1/models"), Just("/v2/x"), Just("/")],
    ) {
        let path = CheckedPath::parse(target).unwrap();
        let call = Facts {
            origin,
            ip: ip.map(|ip| ip.parse().unwrap()),
            ..facts(&path)
        };
        let exchange = Facts { is_exchange: true, ..call };
        let mut record = private();
        if public {
            record.kind = Kind::Public;
            record.restrictions.any_referrer = true;
        }
        apply(&mut record, &chosen);
        let decided = decide(&record, &Access::everything(), &exchange, NOW);
        record.restrictions.paths.clear();
        let free = decide(&record, &Access::everything(), &call, NOW);
        prop_assert_eq!(decided, free);
    }
}
