//! Properties of [`Reach`], and tables about the fields.

use std::net::{IpAddr, Ipv4Addr};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use serde_json::{Value, json};

use super::*;

const SCOPES: [Scope; 7] = [
    Scope::KeysRead,
    Scope::KeysWrite,
    Scope::UsageRead,
    Scope::AuditRead,
    Scope::ProjectsWrite,
    Scope::CredentialsRead,
    Scope::CredentialsWrite,
];

/// A reach that owns its parts.
#[derive(Clone, Debug)]
struct Owned {
    project: Option<&'static str>,
    scopes: Vec<Scope>,
    ips: Vec<IpRule>,
    expires_at: Option<Millis>,
}

impl Owned {
    fn reach(&self) -> Reach<'_> {
        Reach {
            project: self.project,
            scopes: &self.scopes,
            ips: &self.ips,
            expires_at: self.expires_at,
        }
    }
}

/// Few values, so that two reaches are often related.
fn reach() -> impl Strategy<Value = Owned> {
    let project = option::of(select(vec!["one", "two"]));
    let scopes = subsequence(SCOPES.to_vec(), 1..=SCOPES.len());
    let ips = vec(rule(), 0..4);
    let expires_at = option::of((1..5_u64).prop_map(Millis));
    (project, scopes, ips, expires_at).prop_map(|(project, scopes, ips, expires_at)| Owned {
        project,
        scopes,
        ips,
        expires_at,
    })
}

/// Networks within 10.0.0.0/28, and one of IPv6.
fn rule() -> impl Strategy<Value = IpRule> {
    (0..16_u8, 28..=32_u8, 0..8_u8).prop_map(|(low, length, other)| {
        let text = if other == 0 {
            "2001:db8::/32".to_owned()
        } else {
            let mask = u8::MAX.checked_shl(u32::from(32 - length)).unwrap_or(0);
            format!("10.0.0.{}/{length}", low & mask)
        };
        text.parse().unwrap()
    })
}

fn address() -> impl Strategy<Value = Option<IpAddr>> {
    let v4 = (0..20_u8).prop_map(|low| IpAddr::V4(Ipv4Addr::new(10, 0, 0, low)));
    let v6 = Just("2001:db8::1".parse().unwrap());
    option::of(prop_oneof![4 => v4, 1 => v6])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn every_reach_is_within_itself(one in reach()) {
        prop_assert!(one.reach().is_within(&one.reach()));
    }

    #[test]
    fn within_is_transitive(a in reach(), b in reach(), c in reach()) {
        if a.reach().is_within(&b.reach()) && b.reach().is_within(&c.reach()) {
            prop_assert!(a.reach().is_within(&c.reach()));
        }
    }

    #[test]
    fn what_is_within_can_do_nothing_that_the_caller_cannot(
        child in reach(),
        caller in reach(),
        address in address(),
        scope in select(SCOPES.to_vec()),
        project in select(vec![None, Some("one"), Some("two"), Some("three")]),
        now in (0..6_u64).prop_map(Millis),
    ) {
        // All that a call asks of a reach: where, what, from where and when.
        let may = |reach: &Reach<'_>| {
            (reach.project.is_none() || reach.project == project)
                && reach.scopes.contains(&scope)
                && reach.admits(address)
                && reach.expires_at.is_none_or(|end| now < end)
        };
        if child.reach().is_within(&caller.reach()) && may(&child.reach()) {
            prop_assert!(may(&caller.reach()));
        }
    }

    #[test]
    fn a_caller_that_loses_a_scope_reaches_no_more(
        child in reach(),
        caller in reach(),
        lost in any::<Index>(),
    ) {
        let mut less = caller.clone();
        less.scopes.remove(lost.index(caller.scopes.len()));
        if child.reach().is_within(&less.reach()) {
            prop_assert!(child.reach().is_within(&caller.reach()));
        }
    }
}

#[test]
fn each_part_of_a_reach_can_make_it_wider() {
    let caller = fields(json!({
        "name": "caller", "project": "one", "scopes": ["keys:read", "keys:write"],
        "ips": ["192.0.2.0/24"], "expires_at": "2027-01-01T00:00:00Z",
    }));
    for (change, within) in [
        (json!({}), true),
        (json!({"project": "two"}), false),
        (json!({"project": null}), false),
        (json!({"scopes": ["keys:read"]}), true),
        (json!({"scopes": ["keys:read", "audit:read"]}), false),
        (json!({"ips": ["192.0.2.7", "192.0.2.128/25"]}), true),
        (json!({"ips": ["192.0.2.7", "198.51.100.1"]}), false),
        (json!({"ips": ["192.0.0.0/16"]}), false),
        (json!({"ips": ["2001:db8::/32"]}), false),
        (json!({"ips": null}), false),
        (json!({"expires_at": "2026-12-31T23:59:59Z"}), true),
        (json!({"expires_at": "2027-01-01T00:00:00.001Z"}), false),
        (json!({"expires_at": null}), false),
    ] {
        let mut changed = serde_json::to_value(&caller).unwrap();
        for (field, value) in change.as_object().unwrap() {
            if value.is_null() {
                changed.as_object_mut().unwrap().remove(field);
            } else {
                changed[field] = value.clone();
            }
        }
        let child = fields(changed);
        assert_eq!(child.reach().is_within(&caller.reach()), within, "{change}");
    }
}

#[test]
fn an_unknown_address_is_in_no_range() {
    let anywhere = fields(json!({"name": "a"}));
    let somewhere = fields(json!({"name": "a", "ips": ["192.0.2.0/24"]}));
    let inside = "192.0.2.1".parse().ok();
    for (fields, address, admitted) in [
        (&anywhere, None, true),
        (&anywhere, inside, true),
        (&somewhere, inside, true),
        (&somewhere, "192.0.3.1".parse().ok(), false),
        (&somewhere, None, false),
    ] {
        assert_eq!(fields.reach().admits(address), admitted, "{address:?}");
    }
}

#[test]
fn words_of_scopes_and_json_are_the_same() {
    assert_eq!(Scope::ALL.len(), SCOPES.len());
    for (word, scope) in Scope::ALL {
        assert_eq!(word.parse(), Ok(*scope));
        assert_eq!(scope.word(), *word);
        assert_eq!(serde_json::to_value(scope).unwrap(), *word);
    }
    for word in ["", "*", "*:*", "keys:*", "keys:read ", "Keys:read"] {
        assert_eq!(word.parse::<Scope>(), Err(ScopeError), "{word}");
    }
}

#[test]
fn the_fields_of_a_new_key_are_read() {
    let own = [Scope::KeysRead, Scope::AuditRead];
    let least = validate(&json!({"name": "CI"}), &own).unwrap();
    assert_eq!(least.scopes, own);
    assert_eq!(
        (least.project, least.ips, least.not_before, least.expires_at),
        (None, vec![], None, None)
    );

    let written = json!({
        "name": "CI", "project": "shop", "scopes": ["keys:write", "audit:read"],
        "ips": ["192.0.2.7", "2001:db8::/32"],
        "not_before": "2026-11-21T12:00:00Z", "expires_at": "2027-11-21T12:00:00Z",
    });
    assert_eq!(
        serde_json::to_value(fields(written.clone())).unwrap(),
        written
    );

    let nulls = json!({"name": "CI", "project": null, "not_before": null, "expires_at": null});
    assert_eq!(fields(nulls), fields(json!({"name": "CI"})));
    let unordered = json!({"name": "CI", "scopes": ["audit:read", "keys:read"]});
    assert_eq!(fields(unordered).scopes, own);
}

#[test]
fn every_wrong_field_is_named() {
    let many: Vec<_> = (0..=200).map(|n| format!("10.0.{n}.1")).collect();
    for (wrong, named) in [
        (json!({}), vec!["name"]),
        (json!({"name": ""}), vec!["name"]),
        (json!({"name": "x".repeat(101)}), vec!["name"]),
        (json!({"name": " a"}), vec!["name"]),
        (json!({"name": "a\nb"}), vec!["name"]),
        (json!({"name": null}), vec!["name"]),
        (
            json!({"name": 1, "kind": "management"}),
            vec!["kind", "name"],
        ),
        (json!({"name": "a", "project": "A b"}), vec!["project"]),
        (json!({"name": "a", "scopes": []}), vec!["scopes"]),
        (json!({"name": "a", "scopes": null}), vec!["scopes"]),
        (
            json!({"name": "a", "scopes": ["keys:*", 1]}),
            vec!["scopes[0]", "scopes[1]"],
        ),
        (
            json!({"name": "a", "scopes": ["keys:read", "keys:read"]}),
            vec!["scopes"],
        ),
        (json!({"name": "a", "ips": []}), vec!["ips"]),
        (json!({"name": "a", "ips": null}), vec!["ips"]),
        (json!({"name": "a", "ips": ["010.0.0.1"]}), vec!["ips[0]"]),
        (json!({"name": "a", "ips": many}), vec!["ips"]),
        (
            json!({"name": "a", "not_before": "now"}),
            vec!["not_before"],
        ),
        (
            json!({"name": "a", "not_before": "2027-01-01T00:00:00Z",
                   "expires_at": "2027-01-01T00:00:00Z"}),
            vec!["expires_at"],
        ),
        (json!([]), vec!["key"]),
    ] {
        assert_eq!(refused(validate(&wrong, &SCOPES)), named, "{wrong}");
    }
}

#[test]
fn a_patch_changes_what_it_names_and_nothing_else() {
    let before = fields(json!({
        "name": "CI", "project": "shop", "scopes": ["keys:read"], "ips": ["192.0.2.7"],
        "expires_at": "2027-11-21T12:00:00Z",
    }));
    assert_eq!(patch(&before, &json!({})), Ok(before.clone()));
    let after = json!({"name": "Deploy", "ips": null, "expires_at": null,
                       "not_before": "2026-11-21T12:00:00Z"});
    let expected = json!({"name": "Deploy", "project": "shop", "scopes": ["keys:read"],
                          "not_before": "2026-11-21T12:00:00Z"});
    assert_eq!(patch(&before, &after), Ok(fields(expected)));

    for (wrong, named) in [
        (json!({"name": null}), vec!["name"]),
        (json!({"scopes": null}), vec!["scopes"]),
        (json!({"scopes": []}), vec!["scopes"]),
        (json!({"project": "shop"}), vec!["project"]),
        (json!({"project": null, "ips": 1}), vec!["ips", "project"]),
        (json!({"status": null}), vec!["status"]),
        (
            json!({"status": "active", "kind": 1}),
            vec!["kind", "status"],
        ),
        (
            json!({"not_before": "2028-01-01T00:00:00Z"}),
            vec!["expires_at"],
        ),
        (json!(null), vec!["key"]),
    ] {
        assert_eq!(refused(patch(&before, &wrong)), named, "{wrong}");
    }
}

fn fields(written: Value) -> Fields {
    validate(&written, &SCOPES).unwrap()
}

/// The names of the fields that are wrong, sorted.
fn refused(outcome: Result<Fields, Vec<crate::spec::FieldError>>) -> Vec<String> {
    let mut named: Vec<_> = outcome
        .unwrap_err()
        .into_iter()
        .map(|error| error.field)
        .collect();
    named.sort();
    named
}

#[test]
fn the_first_key_of_the_account_can_do_everything_now() {
    let now: Millis = "2026-06-01T00:00:00Z".parse().unwrap();
    for (fields, wrong) in [
        (json!({}), vec![]),
        (
            json!({"not_before": "2026-06-01T00:00:00Z", "expires_at": "2026-06-01T00:00:01Z"}),
            vec![],
        ),
        (
            json!({"scopes": ["keys:read", "keys:write", "usage:read", "audit:read"]}),
            vec!["scopes"],
        ),
        (
            json!({"not_before": "2026-06-01T00:00:01Z"}),
            vec!["not_before"],
        ),
        (
            json!({"expires_at": "2026-06-01T00:00:00Z"}),
            vec!["expires_at"],
        ),
        (
            json!({"scopes": ["keys:write"], "expires_at": "2020-01-01T00:00:00Z"}),
            vec!["scopes", "expires_at"],
        ),
    ] {
        let mut fields = fields;
        fields["name"] = json!("first");
        let errors = validate(&fields, &SCOPES).unwrap().open_the_account(now);
        let named: Vec<_> = errors.err().unwrap_or_default();
        let named: Vec<_> = named.into_iter().map(|error| error.field).collect();
        assert_eq!(named, wrong, "{fields}");
    }
}
