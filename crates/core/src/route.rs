//! Routes: host and path pattern, an origin, an injected credential and requirements.
//!
//! A request is served by one route, or by none (404 `route_unknown`):
//! 1. of the routes that match, an exact host comes before `*.`, a longer `*.` before a shorter
//!    one, and any of them before a route without a host;
//! 2. then the path with more literal segments; at the first difference a literal comes before
//!    `*`, and `*` before `**`;
//! 3. two routes that would still be equal have the same host and path, and are refused when
//!    the configuration is compiled.
//!
//! The order in the file has no meaning. What a deployment can break: a variable that is not set
//! makes the whole configuration invalid, and then nothing is proxied.

mod compile;
mod cors;
mod credential;
mod file;
mod finding;
mod header;
mod host;
mod index;
mod origin;
mod path;
mod place;
mod proof;
mod value;
mod variables;

use std::cmp::Reverse;

use crate::decide::Access;
use crate::restrict::path::{CheckedPath, PathRule};
use crate::restrict::scope::Scope;
use crate::turnstile::Turnstile;

pub use self::cors::Cors;
pub use self::credential::{Credential, Source, Target};
pub use self::file::{
    CorsFile, CredentialFile, GatewayFile, RequireFile, RouteFile, SettingsFile, SignatureFile,
    TurnstileFile,
};
pub use self::finding::{ConfigError, Finding};
pub use self::host::HostPattern;
pub use self::path::RoutePath;
pub use self::place::Place;
pub use self::proof::Signature;
pub use self::variables::Lookup;

use self::finding::Findings;
use self::index::Index;

/// What holds for every route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The header that carries the client's address, in lower case.
    pub client_ip_header: String,
    /// How old a record may be, in seconds, that still serves while KV fails.
    pub stale_if_error_s: u32,
    /// How many records an isolate keeps in memory.
    pub memory_records: u32,
    /// How many calls a public key takes from one client address in a window; 0: any number.
    pub public_key_ip_limit: u32,
    /// The length of that window in seconds.
    pub public_key_ip_window_s: u32,
    /// How often a public key is exchanged for a session key from one client address in 60 seconds; 0: any
    /// number of times.
    pub session_ip_limit: u32,
    /// The challenge that a page has to meet before.
    pub turnstile: Option<Turnstile>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            client_ip_header: "cf-connecting-ip".to_owned(),
            stale_if_error_s: 300,
            memory_records: 10_000,
            public_key_ip_limit: 1200,
            public_key_ip_window_s: 60,
            session_ip_limit: 60,
            turnstile: None,
        }
    }
}

/// What a route does with session keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sessions {
    /// It takes none.
    Refused,
    /// It takes them, and public keys too.
    Taken,
    /// It takes them, and a public key only in exchange for one.
    Required,
}

/// A route, ready for use.
#[derive(Clone, Debug)]
pub struct Route {
    /// Its place in the file, from 0.
    pub index: usize,
    /// Host and path pattern, as the file writes them: what usage is counted under.
    pub name: String,
    /// The hosts that it answers on.
    pub host: HostPattern,
    /// The paths that it answers on.
    pub path: RoutePath,
    /// What it requires of a key.
    pub access: Access,
    /// Further scopes, all required, for a method and path of the route.
    pub requires: Vec<(PathRule, Vec<Scope>)>,
    /// `scheme://host[:port]`, without a slash at its end.
    pub origin: String,
    /// Empty, or what comes before every path at the origin: `/base`.
    pub base_path: String,
    /// Empty, or the beginning of the path that the origin does not see: `/openai`.
    pub strip_prefix: String,
    /// Where a key may stand.
    pub key_in: Vec<Place>,
    /// What the origin demands.
    pub credential: Option<Credential>,
    /// Whether the secret of the credential is overwritten where an answer's body repeats it.
    pub guard_body: bool,
    /// Whether session keys count for the public keys that they stand for, and whether they alone do.
    pub sessions: Sessions,
    /// Who asserts to the origin who is calling; nobody does where it is not wanted.
    pub asserted_by: Option<String>,
    /// How each request is signed.
    pub signature: Option<Signature>,
    /// What a call spends of the limits of its key.
    pub cost: u32,
    /// Milliseconds until the origin's response headers must have arrived; at least 1.
    pub timeout_ms: Option<u32>,
    /// Whether the origin's `Cache-Control` stands.
    pub cache_origin: bool,
    /// Whether `Cookie` and `Set-Cookie` pass for public keys.
    pub cookies: bool,
    /// Whether keys are taken whose secrets were made elsewhere.
    pub imported_keys: bool,
    /// Whether paths pass that would be refused as `path_ambiguous`.
    pub allow_ambiguous_paths: bool,
    /// What pages of other websites may do.
    pub cors: Cors,
}

impl Route {
    /// Whether the origin sees the paths that the client sees.
    #[must_use]
    pub const fn keeps_paths(&self) -> bool {
        self.strip_prefix.is_empty() && self.base_path.is_empty()
    }

    /// The path at the origin for a path that the client sees: without `strip_prefix`, behind
    /// the origin's own base path. Begins with a slash.
    #[must_use]
    pub fn upstream_path(&self, path: &CheckedPath<'_>) -> String {
        let path = path.as_str();
        let rest = path
            .strip_prefix(self.strip_prefix.as_str())
            .unwrap_or(path);
        if rest.is_empty() && self.base_path.is_empty() {
            "/".to_owned()
        } else {
            format!("{}{rest}", self.base_path)
        }
    }
}

/// All routes of a deployment, the most specific first.
#[derive(Clone, Debug)]
pub struct Routes {
    settings: Settings,
    routes: Vec<Route>,
    /// Where each route of the file stands in `routes`.
    places: Vec<usize>,
    /// Which of `routes` may be those of a request.
    index: Index,
}

impl Routes {
    /// Compiles the configuration. `lookup` gives the Worker variables that it takes.
    ///
    /// # Errors
    /// The first value that is wrong, or a variable that is not set.
    pub fn compile(file: &GatewayFile, lookup: &Lookup<'_>) -> Result<Self, ConfigError> {
        let mut findings = Findings::new(Some(lookup));
        let (settings, mut routes) = compile::compile(file, &mut findings);
        if let Some(error) = findings.first_error() {
            return Err(error);
        }
        routes.sort_by_cached_key(|route| Reverse((route.host.rank(), route.path.rank())));
        let mut places = vec![0; routes.len()];
        for (place, route) in routes.iter().enumerate() {
            if let Some(slot) = places.get_mut(route.index) {
                *slot = place;
            }
        }
        Ok(Self {
            settings,
            index: Index::of(&routes),
            routes,
            places,
        })
    }

    /// What holds for every route.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The route of a request. `host` is in lower case and without a port.
    #[must_use]
    pub fn find(&self, host: &str, path: &CheckedPath<'_>) -> Option<&Route> {
        let is = |place: usize| {
            let route = self.routes.get(place);
            route.is_some_and(|route| route.host.matches(host) && route.path.matches(path))
        };
        let place = self.index.first(host, path, is)?;
        self.routes.get(place)
    }

    /// The route at a place of the file.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&Route> {
        self.routes.get(*self.places.get(index)?)
    }

    /// The most specific route alone.
    #[must_use]
    pub fn into_first(self) -> Option<Route> {
        self.routes.into_iter().next()
    }

    /// How many routes there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.routes.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.routes.is_empty()
    }

    /// Every route, the most specific first.
    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter()
    }
}

/// An origin without a path, as routes have it: `scheme://host[:port]`.
///
/// # Errors
/// What is wrong with it.
pub fn origin(text: &str) -> Result<String, String> {
    match origin::Origin::parse(text) {
        Ok(origin) if origin.base_path.is_empty() => Ok(origin.origin),
        Ok(_) => Err("leave the path out: a value is for a whole origin".to_owned()),
        Err(fault) => Err(format!("{}; {}", fault.message, fault.fix)),
    }
}

/// Everything that is wrong or unwise in a configuration, before a deployment: Worker variables
/// are not known, so a value that takes one is only checked for its spelling.
#[must_use]
pub fn check(file: &GatewayFile) -> Vec<Finding> {
    let mut findings = Findings::new(None);
    compile::compile(file, &mut findings);
    findings.into_list()
}

#[cfg(test)]
mod tests;
