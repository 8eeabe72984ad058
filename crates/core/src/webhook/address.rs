//! Where messages may be sent.
//!
//! Whoever sets an endpoint makes the gateway call it from inside the platform, so it must lead to
//! the public internet (server-side request forgery, OWASP). What is checked is the address as the
//! URL standard serialises it: `https://0x7f.1/` has become `https://127.0.0.1/` before. What a
//! name resolves to is decided later and elsewhere: the platform's own network has to refuse
//! private addresses too, as Cloudflare's does.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest address, in bytes.
pub const LONGEST: usize = 2048;

/// Names that lead nowhere, or to the machine or the network itself: by RFC 6761, RFC 6762,
/// RFC 8375, and what ICANN has set aside for private use.
const PRIVATE_NAMES: [&str; 9] = [
    "localhost",
    "local",
    "internal",
    "home.arpa",
    "test",
    "invalid",
    "example",
    "onion",
    "alt",
];

/// Which hosts messages may be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hosts {
    /// Those of the public internet, by https.
    Public,
    /// Any by https, and the machine itself by http: for development.
    Any,
}

/// Whether messages may be sent to an address that the URL standard has serialised.
///
/// # Errors
/// What is wrong with it, as the end of a sentence about it.
pub fn check(address: &str, hosts: Hosts) -> Result<(), &'static str> {
    if address.len() > LONGEST {
        return Err("must have at most 2048 bytes");
    }
    if !address.bytes().all(|byte| byte.is_ascii_graphic()) || address.contains('\\') {
        return Err("must be an address such as https://example.com/hooks");
    }
    let (scheme, rest) = address
        .split_once("://")
        .ok_or("must be an address such as https://example.com/hooks")?;
    let (authority, path) = rest
        .split_at_checked(rest.find('/').unwrap_or(rest.len()))
        .ok_or("must have a path")?;
    if authority.contains('@') {
        return Err("must have no user name and no password");
    }
    if authority.contains(['?', '#']) || path.is_empty() {
        return Err("must have a path");
    }
    if path.contains('#') {
        return Err("must have no fragment");
    }
    let host = host(authority).ok_or("must have a host and, if any, a port")?;
    match scheme {
        "https" => {}
        "http" if hosts == Hosts::Any && host.is_loopback() => {}
        _ => return Err("must begin with https://"),
    }
    if hosts == Hosts::Public && !host.is_public() {
        return Err("must be on the public internet");
    }
    Ok(())
}

/// Whether an address leads back to the deployment itself: to one of these hosts, where `*.` stands for
/// one or more labels. One that is named without a port is meant with any.
#[must_use]
pub fn is_own<'a>(address: &str, hosts: impl IntoIterator<Item = &'a str>) -> bool {
    let rest = address.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    let name = without_port(authority);
    hosts.into_iter().any(|own| match own.strip_prefix("*.") {
        Some(domain) => name
            .strip_suffix(domain)
            .is_some_and(|labels| labels.len() > 1 && labels.ends_with('.')),
        None if without_port(own) == own => own.eq_ignore_ascii_case(name),
        None => own.eq_ignore_ascii_case(authority),
    })
}

/// A host without its port. What is in brackets has colons of its own.
#[must_use]
pub fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if is_port(port) && (!host.contains(':') || host.ends_with(']')) => host,
        _ => authority,
    }
}

/// A host as the URL standard writes it.
enum Host<'a> {
    Ip(IpAddr),
    Name(&'a str),
}

fn host(authority: &str) -> Option<Host<'_>> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        let port = port.strip_prefix(':').map_or(port.is_empty(), is_port);
        return port.then(|| address.parse().ok().map(|ip| Host::Ip(IpAddr::V6(ip))))?;
    }
    let (name, port) = match authority.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (authority, None),
    };
    if port.is_some_and(|port| !is_port(port)) {
        return None;
    }
    let labels = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
    };
    // A trailing dot makes an empty label: the same host under another name.
    if !name.split('.').all(labels) {
        return None;
    }
    let last = name.rsplit('.').next()?;
    if last.bytes().all(|byte| byte.is_ascii_digit()) {
        return name.parse().ok().map(|ip| Host::Ip(IpAddr::V4(ip)));
    }
    Some(Host::Name(name))
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse().is_ok_and(|port: u16| port > 0)
}

impl Host<'_> {
    fn is_loopback(&self) -> bool {
        match self {
            Self::Ip(ip) => ip.is_loopback(),
            Self::Name(name) => *name == "localhost",
        }
    }

    fn is_public(&self) -> bool {
        match self {
            Self::Ip(IpAddr::V4(ip)) => is_public_v4(*ip),
            Self::Ip(IpAddr::V6(ip)) => is_public_v6(*ip),
            Self::Name(name) => {
                let private = |own: &str| {
                    name.strip_suffix(own)
                        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
                };
                name.contains('.') && !PRIVATE_NAMES.iter().any(|own| private(own))
            }
        }
    }
}

/// Globally reachable, by the IANA registry of special-purpose addresses (RFC 6890).
fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127 | 224..=255, _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 168, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    )
}

/// Global unicast that neither carries an IPv4 address nor is set aside (the same registry).
fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    // 2001::/23 is for protocols, 2002::/16 tunnels to IPv4, the rest is for documentation.
    a & 0xe000 == 0x2000
        && !(a == 0x2001 && (b < 0x200 || b == 0xdb8))
        && a != 0x2002
        && a & 0xfff0 != 0x3ff0
}

/// Scheme, host and port of an address, and that there is more: for the audit log. The rest may be
/// what lets one in at the endpoint.
#[must_use]
pub fn host_of(address: &str) -> String {
    let host = address.find("://").and_then(|at| {
        let rest = address.get(at.saturating_add(3)..)?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        address.get(..at.saturating_add(3).saturating_add(end))
    });
    format!("{}/…", host.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_log_has_no_more_of_an_address_than_its_host() {
        for (address, expected) in [
            (
                "https://hooks.example:8443/T0/B0/secret?x=y",
                "https://hooks.example:8443/…",
            ),
            ("https://hooks.example?token=1", "https://hooks.example/…"),
            ("nonsense", "/…"),
        ] {
            assert_eq!(host_of(address), expected);
        }
    }

    use super::*;

    #[test]
    fn public_addresses_are_called() {
        for address in [
            "https://example.com/",
            "https://hooks.example.com:8443/a/b?c=d",
            "https://xn--bcher-kva.example.net/",
            "https://93.184.216.34/",
            "https://100.128.0.1/",
            "https://[2606:4700::1111]/",
            "https://[2606:4700::1111]:444/x",
        ] {
            assert_eq!(check(address, Hosts::Public), Ok(()), "{address}");
        }
    }

    #[test]
    fn others_are_not() {
        for address in [
            "",
            "example.com",
            "ftp://example.com/",
            "http://example.com/",
            "javascript:alert(1)//",
            "https://",
            "https:///path",
            "https://example.com",
            "https://user@example.com/",
            "https://user:pw@example.com/",
            "https://example.com/#x",
            "https://example.com?x",
            "https://example.com./",
            "https://example.com:0/",
            "https://example.com:65536/",
            "https://example.com:+1/",
            "https://EXAMPLE.com/",
            "https://exa mple.com/",
            "https://example.com\\@127.0.0.1/",
            "https://localhost/",
            "https://a.localhost/",
            "https://printer.local/",
            "https://metadata.google.internal/",
            "https://gateway/",
            "https://router.home.arpa/",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://0.0.0.0/",
            "https://10.0.0.1/",
            "https://100.64.0.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://172.31.255.255/",
            "https://192.168.0.1/",
            "https://192.0.0.8/",
            "https://198.19.0.1/",
            "https://224.0.0.1/",
            "https://255.255.255.255/",
            "https://[::1]/",
            "https://[::]/",
            "https://[::ffff:7f00:1]/",
            "https://[::ffff:5db8:d822]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[2002:7f00:1::]/",
            "https://[2001::1]/",
            "https://[2001:db8::1]/",
            "https://[fc00::1]/",
            "https://[fe80::1]/",
            "https://[ff02::1]/",
            "https://[::1/",
            "https://[2606:4700::1111]x/",
            &format!("https://example.com/{}", "a".repeat(LONGEST)),
        ] {
            assert!(check(address, Hosts::Public).is_err(), "{address}");
        }
    }

    #[test]
    fn what_leads_back_is_found_on_every_port() {
        let hosts = [
            "gate.example.com",
            "*.shop.example",
            "127.0.0.1:8787",
            "[::1]",
        ];
        let own = |address: &str| is_own(address, hosts);
        for address in [
            "https://gate.example.com/",
            "https://gate.example.com:8443/x",
            "https://a.shop.example/",
            "https://a.b.shop.example/",
            "http://127.0.0.1:8787/",
            "https://[::1]:1/",
        ] {
            assert!(own(address), "{address}");
        }
        for address in [
            "https://example.com/gate.example.com/",
            "https://xgate.example.com/",
            "https://shop.example/",
            "https://xshop.example/",
            "http://127.0.0.1:8788/",
            "https://[::2]/",
            "",
        ] {
            assert!(!own(address), "{address}");
        }
    }

    #[test]
    fn in_development_any_host_is_called_and_the_machine_itself_in_the_clear() {
        for address in [
            "https://10.0.0.1/",
            "https://gateway/",
            "http://127.0.0.1:9000/x",
            "http://localhost:9000/",
            "http://[::1]:9000/",
        ] {
            assert_eq!(check(address, Hosts::Any), Ok(()), "{address}");
        }
        for address in ["http://10.0.0.1/", "http://gateway/", "http://example.com/"] {
            assert!(check(address, Hosts::Any).is_err(), "{address}");
        }
    }
}
