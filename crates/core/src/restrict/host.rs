//! Hosts in the one form in which the URL standard serialises them, which is the form that
//! browsers send: lower-case ASCII with IDNs in punycode, IPv4 as four decimal numbers, IPv6 in
//! brackets as RFC 5952 writes it.
//!
//! There are no IDNA tables here: who takes rules from people converts Unicode hosts first, and
//! punycode is taken as given if it decodes. Everything else that the URL standard would rewrite is refused
//! rather than rewritten, except for ASCII case.

mod punycode;

use std::net::{Ipv4Addr, Ipv6Addr};

use super::RuleError;

/// The longest name that DNS can carry (RFC 1035 section 2.3.4), without the final dot.
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;

/// What a host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostKind {
    /// A name of one or more labels.
    Domain,
    /// Four decimal numbers.
    Ipv4,
    /// An address in brackets.
    Ipv6,
}

/// What kind of host a text is, if it is one in serialised form; upper case in ASCII is the only
/// deviation. Names with an empty label or a final dot are none.
#[must_use]
pub fn kind(host: &str) -> Option<HostKind> {
    if let Some(address) = bracketed(host) {
        return serialize_ipv6(address)?
            .eq_ignore_ascii_case(host)
            .then_some(HostKind::Ipv6);
    }
    if !is_name(host) {
        return None;
    }
    if !ends_in_number(host) {
        return Some(HostKind::Domain);
    }
    host.parse::<Ipv4Addr>().is_ok().then_some(HostKind::Ipv4)
}

/// The serialised form of a host that someone wrote into a rule, and what it is.
///
/// # Errors
/// What the host is not, and what to write instead.
pub fn canonical(host: &str) -> Result<(String, HostKind), RuleError> {
    if !host.is_ascii() {
        return Err(RuleError(
            "a host is written in ASCII: convert it to punycode, as in xn--bcher-kva.example",
        ));
    }
    if let Some(address) = bracketed(host) {
        let serialized = serialize_ipv6(address).ok_or(RuleError(
            "the text in brackets is not an IPv6 address: write [2001:db8::1]",
        ))?;
        return Ok((serialized, HostKind::Ipv6));
    }
    match kind(host) {
        Some(kind) => Ok((host.to_ascii_lowercase(), kind)),
        None if is_name(host) => Err(RuleError(
            "a host that ends in a number is an IPv4 address: write four decimal numbers, as in 192.0.2.1",
        )),
        None => Err(RuleError(
            "the host is not valid: write labels of letters, digits, hyphens and underscores with single dots between them, IDNs in punycode",
        )),
    }
}

fn bracketed(host: &str) -> Option<&str> {
    host.strip_prefix('[')?.strip_suffix(']')
}

/// Rust writes IPv4-mapped addresses with dots, the URL standard does not.
fn serialize_ipv6(address: &str) -> Option<String> {
    let address: Ipv6Addr = address.parse().ok()?;
    Some(match (address.to_ipv4_mapped(), address.segments()) {
        (Some(_), [.., high, low]) => format!("[::ffff:{high:x}:{low:x}]"),
        _ => format!("[{address}]"),
    })
}

/// Narrower than the URL standard, which lets characters into names that DNS does not carry.
fn is_name(host: &str) -> bool {
    let is_label = |label: &str| {
        (1..=LONGEST_LABEL).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && encoded_part(label).is_none_or(punycode::decodes)
    };
    host.len() <= LONGEST_NAME && host.split('.').all(is_label)
}

fn encoded_part(label: &str) -> Option<&str> {
    let (prefix, encoded) = label.split_at_checked(4)?;
    prefix.eq_ignore_ascii_case("xn--").then_some(encoded)
}

/// The URL standard's "ends in a number checker": such a host is an IPv4 address or nothing, and
/// `127.1`, `0x7f.1` or `010.0.0.1` would become another text.
fn ends_in_number(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or(host);
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    last.bytes().all(|byte| byte.is_ascii_digit())
        || hexadecimal.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{HostKind, canonical, kind};

    #[test]
    fn serialised_hosts_are_recognised_and_nothing_else_is() {
        use HostKind::{Domain, Ipv4, Ipv6};
        for (host, expected) in [
            ("example.com", Some(Domain)),
            ("EXAMPLE.com", Some(Domain)),
            ("localhost", Some(Domain)),
            ("a_b.example", Some(Domain)),
            ("-", Some(Domain)),
            ("xn--bcher-kva.example", Some(Domain)),
            ("XN--BCHER-KVA.example", Some(Domain)),
            ("xn--p1ai", Some(Domain)),
            ("xn--", None),
            ("xn--a", None),
            ("xn--abc-", None),
            ("xn---abc", None),
            ("xn--bcher_kva.example", None),
            ("xn--99999999.example", None),
            ("1.example", Some(Domain)),
            ("1.2.3.4a", Some(Domain)),
            ("0xg", Some(Domain)),
            ("127.0.0.1", Some(Ipv4)),
            ("255.255.255.255", Some(Ipv4)),
            ("[::1]", Some(Ipv6)),
            ("[::]", Some(Ipv6)),
            ("[2001:db8::1]", Some(Ipv6)),
            ("[2001:DB8::1]", Some(Ipv6)),
            ("[::ffff:102:304]", Some(Ipv6)),
            ("", None),
            (".", None),
            ("example.com.", None),
            (".example.com", None),
            ("a..b", None),
            ("exa mple", None),
            ("ex%61mple", None),
            ("bücher.example", None),
            ("a@b", None),
            ("a:b", None),
            ("127.1", None),
            ("127.0.0.1.", None),
            ("010.0.0.1", None),
            ("0x7f.1", None),
            ("0x7f.0.0.1", None),
            ("0X", None),
            ("2130706433", None),
            ("256.1.1.1", None),
            ("1.2.3", None),
            ("1.2.3.4.5", None),
            ("example.1", None),
            ("[::1", None),
            ("::1", None),
            ("[]", None),
            ("[[::1]]", None),
            ("[::1%25eth0]", None),
            ("[0:0:0:0:0:0:0:1]", None),
            ("[2001:0db8::1]", None),
            ("[2001:db8:0:1:1:1:1:1]", Some(Ipv6)),
            ("[2001:db8::1:1:1:1:1]", None),
            ("[::ffff:1.2.3.4]", None),
            ("[1.2.3.4]", None),
        ] {
            assert_eq!(kind(host), expected, "{host:?}");
        }
        assert_eq!(kind(&"a".repeat(64)), None);
        assert_eq!(kind(&["a"; 128].join(".")), None);
    }

    #[test]
    fn hosts_of_rules_get_the_serialised_form() {
        for (host, expected) in [
            ("Example.COM", "example.com"),
            ("[2001:DB8:0:0::1]", "[2001:db8::1]"),
            ("[::FFFF:1.2.3.4]", "[::ffff:102:304]"),
        ] {
            assert_eq!(canonical(host).unwrap().0, expected);
        }
        assert!(
            canonical("bücher.example")
                .unwrap_err()
                .0
                .contains("punycode")
        );
        assert!(canonical("010.0.0.1").unwrap_err().0.contains("decimal"));
    }

    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("a"),
            Just("B"),
            Just("-"),
            Just("_"),
            Just("."),
            Just("0"),
            Just("1"),
            Just("255"),
            Just("0x"),
            Just("f"),
            Just("["),
            Just("]"),
            Just(":"),
            Just("::"),
            Just("%41"),
            Just("ffff"),
            Just("127.0.0.1"),
            Just("é"),
            Just("@"),
            Just("\\"),
            Just("/"),
            Just(" "),
            Just("\t"),
            Just("!"),
        ];
        prop_oneof![
            4 => prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat()),
            2 => "\\[[0-9a-fA-F:.]{0,24}\\]",
            1 => any::<[u16; 8]>().prop_map(|s| format!("[{}]", std::net::Ipv6Addr::from(s.map(|x| x % 3)))),
            1 => any::<String>(),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn an_idn_of_the_url_standard_is_a_host_here(
            name in "\\PC{1,8}|[a-zà-öа-яぁ-ん一-龥]{1,12}",
            label in "xn--[a-z0-9-]{0,10}",
        ) {
            for name in [name, label] {
                let Ok(url) = url::Url::parse(&format!("https://{name}.example/")) else { continue };
                let host = url.host_str().unwrap();
                let is_dns = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-');
                if host.bytes().all(is_dns) && host.split('.').all(|label| !label.is_empty()) {
                    prop_assert!(kind(host).is_some(), "{}", host);
                }
            }
        }

        #[test]
        fn what_is_a_host_here_is_one_in_the_url_standard_with_the_same_text(host in hostile()) {
            if kind(&host).is_some() {
                let url = url::Url::parse(&format!("https://{host}/")).unwrap();
                prop_assert_eq!(url.host_str().unwrap(), host.to_ascii_lowercase());
            }
            if let Ok((canonical, _)) = canonical(&host) {
                let url = url::Url::parse(&format!("https://{host}/")).unwrap();
                prop_assert_eq!(url.host_str().unwrap(), &canonical);
                prop_assert!(kind(&canonical).is_some());
            }
        }
    }
}
