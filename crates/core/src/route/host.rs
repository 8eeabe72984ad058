//! The hosts under which the gateway is called, and the hosts of origins.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::finding::{Fault, fault};

/// The hosts that a route answers on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HostPattern {
    /// Every host.
    Any,
    /// One or more labels before this suffix, which begins with a dot.
    Below(String),
    /// This host alone.
    Exact(String),
}

/// How closely a pattern names a host; the greater one wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum HostRank {
    Any,
    /// With how many labels.
    Below(usize),
    Exact,
}

impl HostPattern {
    /// `api.example.com` or `*.example.com`.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        if text == "*" {
            return Err(fault(
                "`*` alone is not a host",
                "leave `host` out to answer on every host",
            ));
        }
        let Some(suffix) = text.strip_prefix("*.") else {
            return canonical(text).map(Self::Exact);
        };
        let suffix = canonical(suffix)?;
        if is_address(&suffix) {
            return Err(fault(
                "an IP address has no subdomains",
                "write the address without `*.`",
            ));
        }
        Ok(Self::Below(format!(".{suffix}")))
    }

    /// Whether a request's host (lower case, without port) is among them.
    #[must_use]
    pub fn matches(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(exact) => exact == host,
            Self::Below(suffix) => host
                .strip_suffix(suffix.as_str())
                .is_some_and(|labels| !labels.is_empty()),
        }
    }

    pub(super) fn rank(&self) -> HostRank {
        match self {
            Self::Any => HostRank::Any,
            Self::Below(suffix) => HostRank::Below(suffix.matches('.').count()),
            Self::Exact(_) => HostRank::Exact,
        }
    }
}

/// The host as the URL standard writes it: lower case, strict addresses.
pub(super) fn canonical(text: &str) -> Result<String, Fault> {
    if text.contains('*') {
        return Err(fault(
            "`*` may only be the whole first label",
            "write *.example.com",
        ));
    }
    if let Some(address) = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return match address.parse::<Ipv6Addr>() {
            Ok(address) => Ok(format!("[{address}]")),
            Err(_) => Err(fault("not an IPv6 address", "write it as in [2001:db8::1]")),
        };
    }
    if text.contains(':') {
        return Err(fault(
            "a host has no port and no scheme here",
            "write the name alone, as in api.example.com",
        ));
    }
    if !text.is_ascii() {
        return Err(fault(
            "a host outside ASCII",
            "write it in punycode, as in xn--bcher-kva.example",
        ));
    }
    let host = text.to_ascii_lowercase();
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if host.len() > 253 || !host.split('.').all(label) {
        return Err(fault(
            format!("`{text}` is not a host name"),
            "write it as in api.example.com, without a slash or a final dot",
        ));
    }
    // The URL standard reads a name that ends in a number as an IPv4 address.
    let last = host.rsplit('.').next().unwrap_or_default();
    let numeric = last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x");
    if numeric && host.parse::<Ipv4Addr>().is_err() {
        return Err(fault(
            format!("`{text}` is not an IPv4 address"),
            "write four numbers from 0 to 255 without leading zeros",
        ));
    }
    Ok(host)
}

/// Whether a canonical host never leaves the machine.
pub(super) fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host.ends_with(".localhost")
        || host == "[::1]"
        || host
            .parse::<Ipv4Addr>()
            .is_ok_and(|address| address.is_loopback())
}

fn is_address(host: &str) -> bool {
    host.starts_with('[') || host.parse::<Ipv4Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_stands_for_one_or_more_labels_and_not_for_the_apex() {
        let pattern = HostPattern::parse("*.Example.com").unwrap();
        for (host, matches) in [
            ("api.example.com", true),
            ("a.b.example.com", true),
            ("example.com", false),
            (".example.com", false),
            ("evilexample.com", false),
            ("api.example.com.evil.test", false),
        ] {
            assert_eq!(pattern.matches(host), matches, "{host}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in [
            "",
            "*",
            "*.",
            "a*.example.com",
            "a.*.com",
            "a..b",
            "example.com.",
            ".example.com",
            "https://a.example",
            "a.example:443",
            "a.example/x",
            "a b",
            "bücher.example",
            "*.127.0.0.1",
            "*.[::1]",
            "010.0.0.1",
            "256.1.1.1",
            "1.2.3",
            "0x7f.1",
            "[::1",
            "[1.2.3.4]",
            "user@a.example",
            "a%2eb",
        ] {
            assert!(HostPattern::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn hosts_are_written_as_the_url_standard_writes_them() {
        for (text, host) in [
            ("API.Example.COM", "api.example.com"),
            ("[2001:DB8:0:0::1]", "[2001:db8::1]"),
            ("127.0.0.1", "127.0.0.1"),
        ] {
            assert_eq!(canonical(text).unwrap(), host);
        }
    }
}
