//! `keyward derive`: a short-lived, narrower key from a private key, without a call.

mod parent;

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use clap::builder::PossibleValuesParser;
use keyward_core::derived::{DEFAULT_LIFE_MS, DeriveError, Limit, Terms, mint};
use keyward_core::restrict::Restrictions;
use keyward_core::restrict::ip::IpRule;
use keyward_core::restrict::path::PathRule;
use keyward_core::restrict::referrer::ReferrerRule;
use keyward_core::restrict::scope::Scope;
use keyward_core::time::Millis;
use owo_colors::OwoColorize as _;
use serde_json::json;

use super::{held, limits};
use crate::failure::Failure;
use crate::output::Output;
use crate::{clock, punycode};

const AFTER_HELP: &str = "\
Examples:
  KEYWARD_KEY=$SHOP keyward derive --user user-7 --scope orders:read --referrer https://shop.example
  pass show shop/key | keyward derive - --path 'GET /v1/orders/**' --expires-in 1h --json

The private key is that in KEYWARD_KEY, or with `-`, or without KEYWARD_KEY, that on standard
input; it is never an argument. Nothing is called. What is not named is as the private key has it;
what it has not, the derived key cannot have: such a one is refused when it is used, and with
--parent when it is minted. It ends when the private key does.";

/// Mint a short-lived, narrower key from a private key, without a call
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Derive {
    /// Read the private key from standard input
    #[arg(value_name = "-", value_parser = PossibleValuesParser::new(["-"]), hide_possible_values = true)]
    input: Option<String>,

    /// The user that it is for: the origin receives it as Keyward-User
    #[arg(long)]
    user: Option<String>,

    /// What it may do, as in orders:read; repeatable
    #[arg(long = "scope", value_name = "RESOURCE:ACTION", value_parser = rule::<Scope>)]
    scopes: Vec<Scope>,

    /// Methods and a path that it may call, as in 'GET /v1/items/**'; repeatable
    #[arg(long = "path", value_name = "RULE", value_parser = rule::<PathRule>)]
    paths: Vec<PathRule>,

    /// A website that may use it, as in https://*.example.com; repeatable. Without this and
    /// --any-referrer no page may
    #[arg(long = "referrer", value_name = "RULE", value_parser = referrer)]
    referrers: Vec<ReferrerRule>,

    /// Any website may use it
    #[arg(long, conflicts_with = "referrers")]
    any_referrer: bool,

    /// An address or network that may use it; repeatable
    #[arg(long = "ip", value_name = "CIDR", value_parser = rule::<IpRule>)]
    ips: Vec<IpRule>,

    /// So many calls in a window, as in 60/60s: counted by each isolate for itself
    #[arg(long, value_name = "N/WINDOW", value_parser = limit)]
    rate: Option<Limit>,

    /// Refuse it after this time, as in 90s, 45m or 12h: 24h at most [default: 15m]
    #[arg(long, value_name = "DURATION", value_parser = clock::duration)]
    expires_in: Option<u64>,

    /// Refuse it before this time
    #[arg(long, value_name = "RFC3339", value_parser = clock::instant)]
    not_before: Option<Millis>,

    /// The environment of a private key that was made elsewhere and imported [default: live]
    #[arg(long)]
    environment: Option<String>,

    /// What `keyward keys show --json` says of the private key: refuse to mint what it has not
    #[arg(long, value_name = "FILE")]
    parent: Option<PathBuf>,
}

impl Derive {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let parent = self.parent.as_deref().map(parent::read).transpose()?;
        let secret = held::secret(self.input.is_some(), "keyward derive -")?;
        let now = clock::now();
        let terms = Terms {
            restrictions: Restrictions {
                referrers: self.referrers,
                any_referrer: self.any_referrer,
                ips: self.ips,
                paths: self.paths,
                scopes: self.scopes,
                ..Restrictions::default()
            },
            user: self.user,
            limit: self.rate,
            not_before: self.not_before,
            expires_at: now.plus(self.expires_in.unwrap_or(DEFAULT_LIFE_MS)),
        };
        let environment = self.environment.as_deref();
        let key = mint(&secret, environment, &terms, parent.as_ref(), now).map_err(refused)?;
        let expires_at = terms.expires_at.to_string();
        if output.json {
            let answer = json!({ "key": *key, "expires_at": expires_at });
            return output.data(&answer.to_string());
        }
        if output.terminal {
            output.data(&format!("\n  {}\n", key.as_str().green().bold()))?;
        } else {
            output.data(&key)?;
        }
        output.say(&format!(
            "Derived. It ends at {expires_at}, or when the private key does."
        ));
        Ok(())
    }
}

fn refused(error: DeriveError) -> Failure {
    match error {
        DeriveError::Wider => Failure::Failed(error.to_string()),
        _ => Failure::Usage(error.to_string()),
    }
}

fn rule<T: FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

fn referrer(text: &str) -> Result<ReferrerRule, String> {
    rule(&punycode::rule(text))
}

fn limit(text: &str) -> Result<Limit, String> {
    let (calls, window_s) = limits::calls_in_window(text)?;
    let narrow = |number| u32::try_from(number).ok();
    narrow(calls)
        .and_then(NonZeroU32::new)
        .zip(narrow(window_s))
        .map(|(calls, window_s)| Limit { calls, window_s })
        .ok_or_else(|| "a limit of a derived key is at most 4294967295 calls".to_owned())
}
