//! What counts as one client address.

use std::net::IpAddr;

/// One IPv4 address, one IPv6 /64, or none that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Network {
    /// The address is not known: all such clients are one.
    Unknown,
    /// An IPv4 address, also one that came mapped into IPv6.
    V4(u32),
    /// The first 64 bits of an IPv6 address.
    V6(u64),
}

impl From<Option<IpAddr>> for Network {
    fn from(address: Option<IpAddr>) -> Self {
        match address.map(|address| address.to_canonical()) {
            None => Self::Unknown,
            Some(IpAddr::V4(address)) => Self::V4(address.to_bits()),
            Some(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments().map(u64::from);
                Self::V6(a << 48 | b << 32 | c << 16 | d)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        Network::from(Some(text.parse().unwrap()))
    }

    #[test]
    fn ipv6_counts_by_its_first_64_bits() {
        let one = network("2001:db8:1:2::1");
        assert_eq!(network("2001:db8:1:2:ffff:ffff:ffff:ffff"), one);
        assert_eq!(one, Network::V6(0x2001_0db8_0001_0002));
        for other in ["2001:db8:1:3::1", "2001:db8:0:2::1", "::1"] {
            assert_ne!(network(other), one, "{other}");
        }
    }

    #[test]
    fn ipv4_counts_by_the_whole_address_however_it_is_written() {
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        // Not mapped: an IPv6 address like others.
        assert_ne!(network("::192.0.2.1"), network("192.0.2.1"));
        assert_ne!(Network::from(None), network("0.0.0.0"));
        assert_ne!(network("0.0.0.0"), network("::"));
    }
}
