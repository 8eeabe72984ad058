//! `keyward keys update`

use clap::Args;
use serde_json::{Map, Value, json};

use super::OneKey;
use super::fields::Fields;
use crate::commands::{change, limits};
use crate::failure::Failure;
use crate::output::Output;

const AFTER_HELP: &str = "\
Examples:
  keyward keys update --project acme key_0123456789ABCDEFGHIJ --name 'Shop' --no-expiry
  keyward keys update --project acme key_0123456789ABCDEFGHIJ --ip 203.0.113.7 --ip 203.0.113.8
  keyward keys update --project acme key_0123456789ABCDEFGHIJ --any-referrer --clear-referrers
  keyward keys update --project acme key_0123456789ABCDEFGHIJ --rate 100/60s --clear-quotas

What is not named stays as it is. A list that is named replaces the one before (--rate and
--rate-per-ip are one list); metadata is merged by name. --credits replaces a refill, or takes
it away when none is named; it does not change a balance that there is: `keyward keys credits` does.
The key is read first, and nothing is changed if somebody else changes it meanwhile.";

/// Change a key's fields
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Update {
    #[command(flatten)]
    key: OneKey,

    /// Only if it is still this version of the key
    #[arg(long, value_name = "N")]
    if_version: Option<u64>,

    // The last two: their headings hold for what follows.
    #[command(flatten)]
    fields: Fields,

    #[command(flatten)]
    removed: Removed,
}

/// What to take away.
#[derive(Args)]
#[command(next_help_heading = "Take away")]
struct Removed {
    /// No name
    #[arg(long, conflicts_with = "name")]
    no_name: bool,

    /// No owner
    #[arg(long, conflicts_with = "owner")]
    no_owner: bool,

    /// It does not expire
    #[arg(long, conflicts_with_all = ["expires_at", "expires_in"])]
    no_expiry: bool,

    /// It is valid from now on
    #[arg(long, conflicts_with = "not_before")]
    no_not_before: bool,

    /// No scope
    #[arg(long, conflicts_with = "scopes")]
    clear_scopes: bool,

    /// No website by name
    #[arg(long, conflicts_with = "referrers")]
    clear_referrers: bool,

    /// Not every website
    #[arg(long, conflicts_with = "any_referrer")]
    no_any_referrer: bool,

    /// From every address
    #[arg(long, conflicts_with = "ips")]
    clear_ips: bool,

    /// Every method and path
    #[arg(long, conflicts_with = "paths")]
    clear_paths: bool,

    /// No app
    #[arg(long, conflicts_with_all = ["android", "ios", "clear_android", "clear_ios"])]
    clear_apps: bool,

    /// No Android app
    #[arg(long, conflicts_with = "android")]
    clear_android: bool,

    /// No iOS app
    #[arg(long, conflicts_with = "ios")]
    clear_ios: bool,

    /// No metadata
    #[arg(long, conflicts_with_all = ["metadata", "no_metadata"])]
    clear_metadata: bool,

    /// Take this name out of the metadata; repeatable
    #[arg(long, value_name = "NAME")]
    no_metadata: Vec<String>,

    /// It can be deleted
    #[arg(long, conflicts_with = "delete_protection")]
    no_delete_protection: bool,

    /// No limit of any sort
    #[arg(long, conflicts_with_all = ["rates", "rates_per_ip", "quotas", "credits", "on_meter_error", "clear_rates", "clear_quotas", "no_credits"])]
    no_limits: bool,

    /// No rate limit, also none per address
    #[arg(long, conflicts_with_all = ["rates", "rates_per_ip"])]
    clear_rates: bool,

    /// No quota
    #[arg(long, conflicts_with = "quotas")]
    clear_quotas: bool,

    /// No prepaid balance
    #[arg(long, conflicts_with = "credits")]
    no_credits: bool,
}

impl Update {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        let show = format!(
            "keyward keys show --project {} {}",
            self.key.project.id(),
            self.key.id
        );
        let patch = self.patch();
        let client = super::client()?;
        let answer = change::edit(&client, &self.key.path(), self.if_version, &patch, &show)?;
        change::report(&answer, output)
    }

    fn patch(&self) -> Map<String, Value> {
        let mut patch = self.fields.to_json();
        if let Some(given) = patch.get_mut("limits") {
            *given = limits::for_patch(given.take());
        }
        self.removed.add_to(&mut patch);
        patch
    }
}

impl Removed {
    /// As a merge patch (RFC 7396): null takes away.
    fn add_to(&self, patch: &mut Map<String, Value>) {
        for (name, given) in [
            ("name", self.no_name),
            ("owner", self.no_owner),
            ("expires_at", self.no_expiry),
            ("not_before", self.no_not_before),
            ("scopes", self.clear_scopes),
            ("referrers", self.clear_referrers),
            ("any_referrer", self.no_any_referrer),
            ("ips", self.clear_ips),
            ("paths", self.clear_paths),
            ("apps", self.clear_apps),
            ("metadata", self.clear_metadata),
            ("limits", self.no_limits),
        ] {
            if given {
                patch.insert(name.to_owned(), Value::Null);
            }
        }
        if self.no_delete_protection {
            patch.insert("delete_protection".to_owned(), json!(false));
        }
        let apps = [("android", self.clear_android), ("ios", self.clear_ios)];
        let apps = apps.into_iter().filter(|(_, given)| *given);
        within(patch, "apps", apps.map(|(name, _)| name));
        let limits = [
            ("rate", self.clear_rates),
            ("quota", self.clear_quotas),
            ("credits", self.no_credits),
        ];
        let limits = limits.into_iter().filter(|(_, given)| *given);
        within(patch, "limits", limits.map(|(name, _)| name));
        let names = self.no_metadata.iter().map(String::as_str);
        within(patch, "metadata", names);
    }
}

/// Takes these names away from the object that a field holds.
fn within<'a>(patch: &mut Map<String, Value>, field: &str, names: impl Iterator<Item = &'a str>) {
    for name in names {
        let object = patch.entry(field).or_insert_with(|| json!({}));
        if let Value::Object(object) = object {
            object.insert(name.to_owned(), Value::Null);
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        update: Update,
    }

    fn parse(arguments: &[&str]) -> Result<Value, clap::Error> {
        let fixed = ["keyward", "--project", "acme", "key_0123456789ABCDEFGHIJ"];
        Line::try_parse_from([&fixed, arguments].concat())
            .map(|line| Value::Object(line.update.patch()))
    }

    #[test]
    fn what_is_taken_away_is_null_in_the_patch() {
        for (arguments, expected) in [
            (&[][..], json!({})),
            (
                &["--no-name", "--no-owner", "--no-expiry", "--no-not-before"],
                json!({"name": null, "owner": null, "expires_at": null, "not_before": null}),
            ),
            (
                &[
                    "--clear-scopes",
                    "--clear-ips",
                    "--clear-paths",
                    "--clear-apps",
                ],
                json!({"scopes": null, "ips": null, "paths": null, "apps": null}),
            ),
            (
                &["--any-referrer", "--clear-referrers"],
                json!({"any_referrer": true, "referrers": null}),
            ),
            (
                &["--referrer", "a.example", "--no-any-referrer"],
                json!({"any_referrer": null, "referrers": ["a.example"]}),
            ),
            (
                &["--ios", "a", "--clear-android"],
                json!({"apps": {"ios": ["a"], "android": null}}),
            ),
            (
                &["--metadata", "a=b", "--no-metadata", "c"],
                json!({"metadata": {"a": "b", "c": null}}),
            ),
            (
                &["--clear-metadata", "--no-delete-protection"],
                json!({"metadata": null, "delete_protection": false}),
            ),
            (&["--delete-protection"], json!({"delete_protection": true})),
            (&["--no-limits"], json!({"limits": null})),
            (
                &["--rate", "9/1s", "--clear-quotas", "--no-credits"],
                json!({"limits": {"rate": [{"limit": 9, "window_s": 1}], "quota": null, "credits": null}}),
            ),
            (&["--clear-rates"], json!({"limits": {"rate": null}})),
            (
                &["--credits", "5/month"],
                json!({"limits": {"credits": {"balance": 5, "refill": {"amount": 5, "period": "month", "reset_day": null}}}}),
            ),
        ] {
            assert_eq!(parse(arguments).unwrap(), expected, "{arguments:?}");
        }
    }

    #[test]
    fn to_set_and_to_take_away_the_same_is_refused() {
        for arguments in [
            ["--name=a", "--no-name"],
            ["--owner=a", "--no-owner"],
            ["--expires-in=1d", "--no-expiry"],
            ["--scope=a:b", "--clear-scopes"],
            ["--ip=a", "--clear-ips"],
            ["--ios=a", "--clear-apps"],
            ["--metadata=a=b", "--clear-metadata"],
            ["--delete-protection", "--no-delete-protection"],
            ["--rate=1/1s", "--no-limits"],
            ["--on-meter-error=allow", "--no-limits"],
            ["--rate-per-ip=1/1s", "--clear-rates"],
            ["--quota=1/day", "--clear-quotas"],
            ["--credits=1", "--no-credits"],
            ["--kind", "public"],
        ] {
            assert!(parse(&arguments).is_err(), "{arguments:?}");
        }
    }
}
