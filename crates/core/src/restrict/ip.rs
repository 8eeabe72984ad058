//! IP rules: client addresses that may use a key.
//!
//! The address is what the platform vouches for, never a list that a client can write
//! (`X-Forwarded-For`). An address that is unknown or not exactly one address is allowed by no rule.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use ipnet::IpNet;

use super::RuleError;

/// The address under which the workers of every other account on the platform arrive: whoever
/// allowed it would allow them all.
const WORKERS_OF_STRANGERS: IpAddr =
    IpAddr::V6(Ipv6Addr::new(0x2a06, 0x98c0, 0x3600, 0, 0, 0, 0, 0x0103));

/// One address, or a network in CIDR notation (RFC 4632 section 3.1, RFC 4291 section 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IpRule(IpNet);

/// The client's address from the one header that the platform writes. IPv4-mapped addresses
/// become the IPv4 address. `None` for everything but exactly one address, and for the address
/// that other accounts' workers share.
#[must_use]
pub fn parse_client(text: &str) -> Option<IpAddr> {
    let address = text.parse::<IpAddr>().ok()?.to_canonical();
    (address != WORKERS_OF_STRANGERS).then_some(address)
}

impl IpRule {
    /// Whether the rule allows an address.
    #[must_use]
    pub fn contains(&self, address: &IpAddr) -> bool {
        let address = address.to_canonical();
        address != WORKERS_OF_STRANGERS && self.0.contains(&address)
    }

    /// Whether the rule allows every address that `narrower` allows.
    #[must_use]
    pub fn covers(&self, narrower: &Self) -> bool {
        self.0.contains(&narrower.0)
    }
}

impl FromStr for IpRule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let (address, length) = text
            .split_once('/')
            .map_or((text, None), |(address, length)| (address, Some(length)));
        let address: IpAddr = address.parse().map_err(|_| {
            RuleError(
                "this is no IP address or network: write 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32",
            )
        })?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let length = length.map_or(Some(longest), |digits| parse_length(digits, longest)).ok_or(RuleError(
            "the prefix length is a number of bits, at most 32 for IPv4 and 128 for IPv6: write 192.0.2.0/24",
        ))?;
        let network = fold_mapped(address, length)
            .ok_or(RuleError("the address does not fit the prefix length"))?;
        if network.trunc() != network {
            return Err(RuleError(
                "the address has bits behind the prefix length: write the network's first address",
            ));
        }
        if network.addr() == WORKERS_OF_STRANGERS {
            return Err(RuleError(
                "every other account's workers share this address, so it is never allowed",
            ));
        }
        Ok(Self(network))
    }
}

fn parse_length(digits: &str, longest: u8) -> Option<u8> {
    let canonical = digits == "0" || !digits.starts_with('0');
    let decimal = digits.bytes().all(|byte| byte.is_ascii_digit());
    (canonical && decimal)
        .then(|| digits.parse().ok())?
        .filter(|length| *length <= longest)
}

/// Clients' addresses are folded too, so a mapped network would never match if it stayed one.
fn fold_mapped(address: IpAddr, length: u8) -> Option<IpNet> {
    let folded = address.to_canonical();
    let length = if folded == address {
        Some(length)
    } else {
        length.checked_sub(96)
    };
    // A shorter prefix leaves bits of `::ffff:0:0` behind it, and is refused for them.
    match length {
        Some(length) => IpNet::new(folded, length).ok(),
        None => None,
    }
}

impl fmt::Display for IpRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() {
            write!(formatter, "{}", self.0.addr())
        } else {
            write!(formatter, "{}", self.0)
        }
    }
}

serde_as_text!(IpRule);
