//! The command line.

use clap::builder::Styles;
use clap::builder::styling::AnsiColor;
use clap::{Parser, Subcommand};

use crate::commands::{
    apply, audit, completions, config, credentials, derive, environments, explain, init, keys,
    leaked, man, management_keys, owners, projects, secrets, self_revoke, usage, verify, webhooks,
    whoami,
};
use crate::failure::Failure;
use crate::output::Output;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Help is written in lines of at most so many characters: a longer one would be broken.
const WIDEST: usize = 100;

const AFTER_HELP: &str = "\
Environment:
  KEYWARD_URL      the gateway, as in https://gateway.example.com
  KEYWARD_KEY      the management key; never an argument
  KEYWARD_PROJECT  the project, where --project is not given
  NO_COLOR         no colours

Examples:
  keyward init
  keyward projects create acme --name 'Acme Inc.'
  keyward keys create --project acme --name 'Shop page' --referrer 'https://shop.example.com'
  keyward keys list --unused 90d --expiring 14d --unrestricted
  keyward keys create --project acme --owner customer-17 --rate 100/60s --quota 10000/month
  keyward usage --project acme --since 7d
  keyward audit --project acme --since 24h
  keyward keys import --project acme --from csv keys.csv
  keyward leaked < build.log
  keyward apply -f keys.toml
  keyward secrets rotate --file .dev.vars
  keyward derive --scope orders:read --user user-17 --expires-in 15m
  keyward config check
  keyward verify --url https://api.example.com/v1/orders < key.txt
  keyward explain < questions.jsonl

Exit codes: 0 done, 1 refused, 2 usage";

/// API keys at the edge: create them, take them back, and find out why a call is refused
#[derive(Parser)]
#[command(name = "keyward", version, styles = STYLES, max_term_width = WIDEST, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Print JSON instead of tables and sentences
    #[arg(long, global = true, display_order = 99)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Create, change, rotate, list and revoke keys
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Create, list and suspend projects
    #[command(subcommand)]
    Projects(projects::Projects),
    /// Create and list a project's environments
    #[command(subcommand)]
    Environments(environments::Environments),
    /// Suspend, resume and limit all keys of an owner together
    #[command(subcommand)]
    Owners(owners::Owners),
    /// Show how a key, or all keys of a project, were used
    Usage(usage::Usage),
    /// The keys that call the management API
    #[command(subcommand, visible_alias = "mk")]
    ManagementKeys(management_keys::ManagementKeys),
    /// Show which management key this is and what it may do
    Whoami(whoami::Whoami),
    /// Mint a short-lived, narrower key from a private key, without a call
    Derive(Box<derive::Derive>),
    /// Revoke the secret that you hold, without any other right
    SelfRevoke(self_revoke::SelfRevoke),
    /// Find keys in a text, and revoke those that work
    Leaked(leaked::Leaked),
    /// Who changed what, when and from where
    Audit(Box<audit::Audit>),
    /// Endpoints that are told what happens to keys
    #[command(subcommand)]
    Webhooks(webhooks::Webhooks),
    /// What a project has for origins, such as the key of an LLM's API
    #[command(subcommand)]
    Credentials(credentials::Credentials),
    /// Make a project's keys as a file says
    Apply(apply::Apply),
    /// Change the deployment's own secret, KEYWARD_SECRET
    #[command(subcommand)]
    Secrets(secrets::Secrets),
    /// Ask the gateway whether a call with a key would be let through
    Verify(verify::Verify),
    /// Say what the gateway would answer, for questions as JSON lines on standard input
    Explain(explain::Explain),
    /// Check gateway.toml
    #[command(subcommand)]
    Config(config::Config),
    /// Write gateway.toml, wrangler.toml and .dev.vars with fresh secrets
    Init(init::Init),
    /// Write what completes this command in a shell
    Completions(completions::Completions),
    /// Write the manual page
    Man(man::Man),
}

impl Command {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        match self {
            Self::Keys(command) => command.run(output),
            Self::Projects(command) => command.run(output),
            Self::Environments(command) => command.run(output),
            Self::Owners(command) => command.run(output),
            Self::Usage(command) => command.run(output),
            Self::ManagementKeys(command) => command.run(output),
            Self::Whoami(command) => command.run(output),
            Self::Derive(command) => command.run(output),
            Self::SelfRevoke(command) => command.run(output),
            Self::Leaked(command) => command.run(output),
            Self::Audit(command) => command.run(output),
            Self::Webhooks(command) => command.run(output),
            Self::Credentials(command) => command.run(output),
            Self::Apply(command) => command.run(output),
            Self::Secrets(command) => command.run(output),
            Self::Verify(command) => command.run(output),
            Self::Explain(command) => command.run(),
            Self::Config(command) => command.run(output),
            Self::Init(command) => command.run(output),
            Self::Completions(command) => command.run(output),
            Self::Man(command) => command.run(output),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory as _};

    use super::{Cli, WIDEST};

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_line_of_an_example_is_broken() {
        fn check(command: &Command) {
            let help = command.get_after_help().map(ToString::to_string);
            for line in help.iter().flat_map(|help| help.lines()) {
                assert!(
                    line.chars().count() <= WIDEST,
                    "{}: {line}",
                    command.get_name()
                );
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }
}
