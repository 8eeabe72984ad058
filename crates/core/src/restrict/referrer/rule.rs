//! A referrer rule: `[scheme://]host[:port][/path]`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::origin::{SerializedOrigin, is_http, is_page_scheme, parse_port, split_port};
use super::page::is_serialized_path;
use crate::restrict::host::{self, HostKind};
use crate::restrict::path::encoding::push_hex;
use crate::restrict::{RuleError, suffix};

/// The pages that a rule allows. No scheme means http and https, no port any port, no path (or
/// `/*`) any path; `/app/*` is what is below `/app/`, any other path is exactly that path. `*.`
/// before the host stands for one or more labels, so the host itself is not covered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReferrerRule {
    scheme: Option<String>,
    subdomains: bool,
    host: String,
    port: Option<u16>,
    path: RulePath,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum RulePath {
    Any,
    /// Ends with the slash that the path of a page must begin with.
    Below(String),
    Exactly(String),
}

impl ReferrerRule {
    /// Whether a page of this origin, and of this path where one is known, may use the key.
    /// Never allocates.
    pub(super) fn allows(&self, origin: &SerializedOrigin<'_>, path: Option<&str>) -> bool {
        self.allows_scheme(origin.scheme())
            && self.allows_host(origin.host())
            && (self.port.is_none() || self.port == origin.port())
            && match &self.path {
                RulePath::Any => true,
                RulePath::Below(folder) => {
                    path.is_some_and(|path| path.starts_with(folder.as_str()))
                }
                RulePath::Exactly(wanted) => path.is_some_and(|path| path == wanted),
            }
    }

    fn allows_scheme(&self, scheme: &str) -> bool {
        self.scheme.as_ref().map_or_else(
            || is_http(scheme),
            |wanted| wanted.eq_ignore_ascii_case(scheme),
        )
    }

    fn allows_host(&self, host: &str) -> bool {
        if !self.subdomains {
            return host.eq_ignore_ascii_case(&self.host);
        }
        // Hosts have no empty labels, so whatever stands before the dot is whole labels.
        host.len()
            .checked_sub(self.host.len())
            .and_then(|at| host.split_at_checked(at))
            .is_some_and(|(labels, base)| {
                labels.ends_with('.') && base.eq_ignore_ascii_case(&self.host)
            })
    }

    /// Everything that is checked of a rule, but for the public suffixes: for rules that can only
    /// narrow, or were checked when they were written. The list is a third of the gateway's module.
    pub(crate) fn read(text: &str) -> Result<Self, RuleError> {
        refuse_other_things(text)?;
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) if !scheme.contains('/') => (Some(read_scheme(scheme)?), rest),
            _ => (None, text),
        };
        let (authority, path) = rest
            .split_at_checked(rest.find('/').unwrap_or(rest.len()))
            .unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err(RuleError(
                "a rule has no user name or password: write the host alone",
            ));
        }
        let (host, port) = split_port(authority).unwrap_or((authority, None));
        let port = port.map(read_port).transpose()?;
        let (subdomains, host) = read_host(host)?;
        if subdomains && scheme.as_deref().is_some_and(|scheme| !is_http(scheme)) {
            return Err(RuleError(
                "a scheme other than http and https needs the whole host: write app://localhost",
            ));
        }
        Ok(Self {
            scheme,
            subdomains,
            host,
            port,
            path: read_path(path)?,
        })
    }
}

fn refuse_other_things(text: &str) -> Result<(), RuleError> {
    if text.eq_ignore_ascii_case("null") {
        return Err(RuleError(
            "null is the origin of every sandboxed page: write the site's own origin",
        ));
    }
    if text.contains(['?', '#']) {
        return Err(RuleError(
            "a rule has no query and no fragment: end it with the path",
        ));
    }
    if text.contains('\\') {
        return Err(RuleError("a rule has no backslashes: write /"));
    }
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(RuleError(
            "a rule has no blanks and no control characters: write one site in each rule",
        ));
    }
    Ok(())
}

fn read_scheme(scheme: &str) -> Result<String, RuleError> {
    if !is_page_scheme(scheme) {
        return Err(RuleError(
            "no page has this scheme: write https, http, or an app's own scheme such as capacitor",
        ));
    }
    Ok(scheme.to_ascii_lowercase())
}

fn read_port(digits: &str) -> Result<u16, RuleError> {
    parse_port(digits).filter(|port| *port > 0).ok_or(RuleError(
        "a port is a number from 1 to 65535 without leading zeros: write example.com:8080",
    ))
}

fn read_host(host: &str) -> Result<(bool, String), RuleError> {
    let (subdomains, base) = host
        .strip_prefix("*.")
        .map_or((false, host), |base| (true, base));
    if base.contains('*') {
        return Err(RuleError(
            "* stands only for the first labels of a host: write *.example.com",
        ));
    }
    let (base, kind) = host::canonical(base)?;
    if subdomains && kind != HostKind::Domain {
        return Err(RuleError(
            "an IP address has no subdomains: write the address alone",
        ));
    }
    Ok((subdomains, base))
}

fn read_path(path: &str) -> Result<RulePath, RuleError> {
    if path.is_empty() || path == "/*" {
        return Ok(RulePath::Any);
    }
    let (literal, below) = path
        .strip_suffix("/*")
        .map_or((path, false), |folder| (folder, true));
    if literal.contains('*') {
        return Err(RuleError(
            "* in a path stands only at its end, after a slash: write /app/*",
        ));
    }
    let mut literal = encode_non_ascii(literal);
    if !is_serialized_path(&literal) || !is_percent_encoded(&literal) {
        return Err(RuleError(
            "browsers would send another path: resolve dot segments, and percent-encode what URLs encode",
        ));
    }
    if below {
        literal.push('/');
        return Ok(RulePath::Below(literal));
    }
    Ok(RulePath::Exactly(literal))
}

fn encode_non_ascii(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for c in path.chars() {
        if c.is_ascii() {
            encoded.push(c);
        } else {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                push_hex(&mut encoded, byte);
            }
        }
    }
    encoded
}

fn is_percent_encoded(path: &str) -> bool {
    path.split('%').skip(1).all(|rest| {
        rest.get(..2)
            .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
    })
}

/// A rule as someone writes it.
impl FromStr for ReferrerRule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let rule = Self::read(text)?;
        if rule.subdomains && suffix::is_shared(&rule.host) {
            return Err(RuleError(
                "anyone can have a host under this public suffix: write your own domain, as in *.example.com",
            ));
        }
        Ok(rule)
    }
}

impl fmt::Display for ReferrerRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scheme) = &self.scheme {
            write!(formatter, "{scheme}://")?;
        }
        if self.subdomains {
            formatter.write_str("*.")?;
        }
        formatter.write_str(&self.host)?;
        if let Some(port) = self.port {
            write!(formatter, ":{port}")?;
        }
        match &self.path {
            RulePath::Any => Ok(()),
            RulePath::Below(folder) => write!(formatter, "{folder}*"),
            RulePath::Exactly(path) => formatter.write_str(path),
        }
    }
}

impl Serialize for ReferrerRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A rule as it stands in a record. The public suffixes were asked when it was written, and are
/// not asked again: the list grows, and a record that is in force must not become unreadable.
impl<'de> Deserialize<'de> for ReferrerRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
