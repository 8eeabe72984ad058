//! IP rules: strict in what is written, closed to what is not one address.

use std::net::IpAddr;

use proptest::prelude::*;

use keyward_core::restrict::ip::{IpRule, parse_client};

#[test]
fn an_address_is_allowed_inside_its_network_only() {
    for (rule, client, expected) in [
        ("192.0.2.1", "192.0.2.1", true),
        ("192.0.2.1", "192.0.2.2", false),
        ("192.0.2.0/24", "192.0.2.255", true),
        ("192.0.2.0/24", "192.0.3.0", false),
        ("192.0.2.0/31", "192.0.2.1", true),
        ("192.0.2.1/32", "192.0.2.1", true),
        ("0.0.0.0/0", "203.0.113.9", true),
        ("0.0.0.0/0", "2001:db8::1", false),
        ("::/0", "2001:db8::1", true),
        ("::/0", "203.0.113.9", false),
        ("2001:db8::/32", "2001:db8:ffff::1", true),
        ("2001:db8::/32", "2001:db9::1", false),
        ("2001:DB8::1", "2001:db8:0:0:0:0:0:1", true),
        ("192.0.2.0/24", "::ffff:192.0.2.7", true),
        ("::ffff:192.0.2.0/120", "192.0.2.7", true),
        ("::ffff:c000:207", "192.0.2.7", true),
        ("::ffff:0:0/96", "203.0.113.9", true),
        ("::192.0.2.7", "192.0.2.7", false),
        ("64:ff9b::192.0.2.7", "192.0.2.7", false),
    ] {
        let rule: IpRule = rule.parse().unwrap();
        assert_eq!(
            rule.contains(&parse_client(client).unwrap()),
            expected,
            "{rule} {client}"
        );
    }
}

#[test]
fn what_is_not_exactly_one_address_is_no_client() {
    for text in [
        "",
        " ",
        "unknown",
        "localhost",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.4 ",
        " 1.2.3.4",
        "1.2.3.4\n",
        "1.2.3.4:80",
        "1.2.3.4, 5.6.7.8",
        "1.2.3.4,5.6.7.8",
        "010.0.0.1",
        "1.2.3.04",
        "256.1.1.1",
        "0x7f.0.0.1",
        "127.1",
        "2130706433",
        "1.2.3.4/32",
        "١.2.3.4",
        "[::1]",
        "[::1]:80",
        "::1%eth0",
        "fe80::1%1",
        "::1::",
        ":::1",
        "1:2",
        "12345::",
        "::g",
        "::ffff:256.0.0.1",
        "::ffff:01.2.3.4",
        "2a06:98c0:3600::103",
        "2A06:98C0:3600:0:0:0:0:103",
    ] {
        assert_eq!(parse_client(text), None, "{text:?}");
    }
}

#[test]
fn the_address_that_strangers_workers_share_is_in_no_network() {
    let shared: IpAddr = "2a06:98c0:3600::103".parse().unwrap();
    for rule in [
        "::/0",
        "2a06:98c0::/29",
        "2a06:98c0:3600::/48",
        "2a06:98c0:3600::102/127",
    ] {
        assert!(!rule.parse::<IpRule>().unwrap().contains(&shared), "{rule}");
    }
    assert!("2a06:98c0:3600::103".parse::<IpRule>().is_err());
    assert!("2a06:98c0:3600::103/128".parse::<IpRule>().is_err());
}

#[test]
fn a_rule_that_is_no_network_is_refused_when_written() {
    for rule in [
        "",
        "/",
        "*",
        "any",
        "1.2.3.*",
        "1.2.3.0-1.2.3.9",
        "1.2.3.4 ",
        "1.2.3",
        "10/8",
        "10.0.0/8",
        "010.0.0.0/8",
        "256.0.0.0/8",
        "10.0.0.0/",
        "10.0.0.0/08",
        "10.0.0.0/00",
        "10.0.0.0/+8",
        "10.0.0.0/-1",
        "10.0.0.0/33",
        "10.0.0.0/256",
        "10.0.0.0/8/8",
        "10.0.0.0/255.0.0.0",
        "10.0.0.1/8",
        "192.0.2.1/24",
        "::1/64",
        "::/129",
        "2001:db8::1/32",
        "[::1]",
        "[::]/0",
        "fe80::1%eth0",
        "::ffff:0:0/95",
        "::ffff:192.0.2.0/24",
        "::ffff:192.0.2.1/120",
        "192.0.2.0/120",
        "1.2.3.4,5.6.7.8",
    ] {
        assert!(rule.parse::<IpRule>().is_err(), "{rule:?}");
    }
}

#[test]
fn a_rule_is_written_back_in_canonical_form() {
    for (text, canonical) in [
        ("192.0.2.1/32", "192.0.2.1"),
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("2001:DB8:0::/32", "2001:db8::/32"),
        ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
    ] {
        let rule: IpRule = text.parse().unwrap();
        assert_eq!(rule.to_string(), canonical);
        let json = serde_json::to_string(&rule).unwrap();
        assert_eq!(serde_json::from_str::<IpRule>(&json).unwrap(), rule);
    }
}

proptest! {
    #[test]
    fn a_network_contains_exactly_the_addresses_that_share_its_prefix(
        bits in any::<u32>(), length in 0_u8..=32, other in any::<u32>(),
    ) {
        let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
        let rule: IpRule = format!("{}/{length}", IpAddr::from((bits & mask).to_be_bytes())).parse().unwrap();
        prop_assert_eq!(rule.contains(&IpAddr::from(other.to_be_bytes())), other & mask == bits & mask);
        prop_assert!(rule.contains(&IpAddr::from(bits.to_be_bytes())));
    }

    #[test]
    fn parsing_never_panics_and_rules_come_back(text in "\\PC{0,20}|[0-9a-f:./]{0,24}") {
        let _ = parse_client(&text);
        if let Ok(rule) = text.parse::<IpRule>() {
            prop_assert_eq!(rule.to_string().parse::<IpRule>().unwrap(), rule);
        }
    }
}
