//! What `gateway.toml` says of the gateway as a whole.

use crate::route::file::{SettingsFile, TurnstileFile};
use crate::route::finding::Findings;
use crate::route::origin::Origin;
use crate::route::{Settings, header, value, variables};
use crate::turnstile::Turnstile;

/// Where Cloudflare Turnstile verifies tokens.
const SITEVERIFY: &str = "https://challenges.cloudflare.com/turnstile/v0/siteverify";

/// The gateway's settings; what is wrong has its default.
pub(super) fn settings(file: &SettingsFile, findings: &mut Findings<'_>) -> Settings {
    let defaults = Settings::default();
    let client_ip_header = file
        .client_ip_header
        .as_ref()
        .and_then(|text| findings.text("gateway.client_ip_header", text, header::client_address));
    Settings {
        client_ip_header: client_ip_header.unwrap_or(defaults.client_ip_header),
        stale_if_error_s: findings.number(
            "gateway.stale_if_error_s",
            file.stale_if_error_s,
            defaults.stale_if_error_s,
            (0, 86_400),
        ),
        memory_records: findings.number(
            "gateway.memory_records",
            file.memory_records,
            defaults.memory_records,
            (1, 100_000),
        ),
        public_key_ip_limit: findings.number(
            "gateway.public_key_ip_limit",
            file.public_key_ip_limit,
            defaults.public_key_ip_limit,
            (0, 1_000_000),
        ),
        public_key_ip_window_s: findings.number(
            "gateway.public_key_ip_window_s",
            file.public_key_ip_window_s,
            defaults.public_key_ip_window_s,
            (1, 3600),
        ),
        session_ip_limit: findings.number(
            "gateway.session_ip_limit",
            file.session_ip_limit,
            defaults.session_ip_limit,
            (0, 1_000_000),
        ),
        turnstile: (file.turnstile.as_ref()).and_then(|file| turnstile(file, findings)),
    }
}

fn turnstile(file: &TurnstileFile, findings: &mut Findings<'_>) -> Option<Turnstile> {
    let secret = findings.text("gateway.turnstile.secret", &file.secret, |text| {
        variables::check_name(text).map(|()| text.to_owned())
    });
    let action = file.action.as_deref().unwrap_or("keyward");
    let action = findings.text("gateway.turnstile.action", action, value::action);
    let url = file.url.as_deref().unwrap_or(SITEVERIFY);
    let url = findings.text("gateway.turnstile.url", url, Origin::parse);
    let url = url.map(|url| format!("{}{}", url.origin, url.base_path));
    Some(Turnstile {
        secret: secret?,
        url: url?,
        action: action?,
    })
}
