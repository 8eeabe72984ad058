//! `gateway.toml` as it is written: the shape only. What the values mean, and which of them are
//! wrong, is decided in [`super::compile`].
//!
//! The build embeds this as JSON, so that the module needs no TOML parser.

mod read;

use serde::{Deserialize, Serialize};

/// The whole file. Any text in it may take Worker variables as `${NAME}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayFile {
    /// What holds for every route.
    #[serde(default)]
    pub gateway: SettingsFile,
    /// The `[[route]]` tables, in the order of the file. The order has no meaning.
    #[serde(default, rename = "route")]
    pub routes: Vec<RouteFile>,
}

/// The `[gateway]` table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingsFile {
    /// The header that carries the client's address. Default `cf-connecting-ip`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ip_header: Option<String>,
    /// Who makes assertions: the gateway's own origin. Must be given where a route has `assertion`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// How old a record may be, in seconds, that still serves while KV fails. Default 300.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_if_error_s: Option<u64>,
    /// How many records an isolate keeps in memory. Default 10,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_records: Option<u64>,
    /// How many calls a public key takes from one client address in a window; 0: any number.
    /// Default 1200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key_ip_limit: Option<u64>,
    /// The length of that window in seconds. Default 60.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key_ip_window_s: Option<u64>,
    /// How often a public key is exchanged for a session key from one client address in 60 seconds; 0:
    /// any number of times. Default 60.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_ip_limit: Option<u64>,
    /// The challenge that a page has to meet before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turnstile: Option<TurnstileFile>,
}

/// The `[gateway.turnstile]` table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TurnstileFile {
    /// The name of the Worker secret.
    pub secret: String,
    /// The action that a token must be for. Default `keyward`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// The address of the service. Default: that of Cloudflare Turnstile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// One `[[route]]` table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteFile {
    /// The gateway's host: exact, or `*.example.com`. Left out: every host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The path pattern. Default `/**`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Scheme, host, port and base path of the protected upstream.
    pub origin: String,
    /// The literal beginning of `path` that the origin does not see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strip_prefix: Option<String>,
    /// The projects whose keys are accepted. Left out: every project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projects: Option<Vec<String>>,
    /// The environments that are accepted. Left out: every environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environments: Option<Vec<String>>,
    /// The kinds of keys that are accepted. Default `public` and `private`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepts: Option<Vec<String>>,
    /// Where a key may stand. Default `bearer` and `header:x-api-key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_in: Option<Vec<String>>,
    /// Scopes that a key needs, all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// The origin's own credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialFile>,
    /// Whether the injected secret is overwritten where the origin's answer repeats it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub guard_body: bool,
    /// Whether the origin receives a signed assertion of who is calling.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub assertion: bool,
    /// The signature of each request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<SignatureFile>,
    /// What a call spends of the limits of its key. Default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<u64>,
    /// Milliseconds until the origin's response headers must have arrived. Off by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// `private` (the default) or `origin`: whose `Cache-Control` a keyed response carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<String>,
    /// Whether `Cookie` and `Set-Cookie` pass for public keys.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cookies: bool,
    /// Whether keys are taken whose secrets were made elsewhere.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub imported_keys: bool,
    /// Whether paths pass that a proxy and an origin might read differently.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_ambiguous_paths: bool,
    /// What other websites' pages may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cors: Option<CorsFile>,
    /// The `[[route.require]]` tables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub require: Vec<RequireFile>,
}

/// A route's `credential`: exactly one of `secret` and `project_secret`, and of `header` and `query`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialFile {
    /// The name of the Worker secret, or of the binding of a Secrets Store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The name of the value that the project of the calling key has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_secret: Option<String>,
    /// The header that carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The query parameter that carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The value with `{secret}` in it. Default `{secret}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
}

/// A route's `signature`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignatureFile {
    /// `ed25519` or `hmac-sha256`.
    pub algorithm: String,
    /// The name of the Worker secret that gateway and origin share, for `hmac-sha256`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// What names that secret to the origin. Default `keyward`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
}

/// A `[route.cors]` table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorsFile {
    /// Origins that may send credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origins: Option<Vec<String>>,
    /// Request headers that a page may send. Left out: what the preflight asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_headers: Option<Vec<String>>,
    /// Response headers that a page may read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expose_headers: Option<Vec<String>>,
    /// Seconds for which a browser may remember a preflight. Default 7200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age_s: Option<u64>,
}

/// A `[[route.require]]` table: further scopes for a part of the route.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequireFile {
    /// `METHOD[,METHOD] /pattern`, as in a key's path rules.
    pub rule: String,
    /// The scopes, all required.
    pub scopes: Vec<String>,
}
