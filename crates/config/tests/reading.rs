//! A file that is right, and how one that is not is written about.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use keyward_config::check;

#[test]
fn a_full_file_is_read() {
    let text = r#"
[gateway]
client_ip_header = "cf-connecting-ip"
stale_if_error_s = 300
memory_records = 10000
public_key_ip_limit = 0
public_key_ip_window_s = 3600

[[route]]
host = "*.example.com"
path = "/openai/**"
origin = "https://api.openai.com"
strip_prefix = "/openai"
projects = ["acme"]
environments = ["live", "test"]
accepts = ["public", "private"]
key_in = ["bearer", "header:x-api-key", "query:key"]
scopes = ["chat:write"]
credential = { secret = "OPENAI_API_KEY", header = "authorization", template = "Bearer {secret}" }
timeout_ms = 30_000
cache = "origin"
cookies = true
imported_keys = true
allow_ambiguous_paths = true

[route.cors]
origins = ["https://app.example.com"]
allow_headers = ["content-type"]
expose_headers = ["x-request-id"]
max_age_s = 7200

[[route.require]]
rule = "POST /openai/v1/chat/**"
scopes = ["chat:write"]
"#;
    let checked = check(text, "gateway.toml");
    assert_eq!(checked.diagnostics, []);
    let route = checked.file.unwrap().routes.remove(0);
    assert_eq!((route.timeout_ms, route.require.len()), (Some(30_000), 1));
}

#[test]
fn a_diagnostic_is_written_as_compilers_write_theirs() {
    let found = check(
        "[[route]]\norigin = \"ftp://a.example\"\n",
        "deploy/gateway.toml",
    );
    assert_eq!(
        found.diagnostics[0].to_string(),
        "deploy/gateway.toml:2:10: error: route[0].origin: `ftp` is not a scheme that an origin can have\n  fix: use https or http"
    );
}
