//! `keyward webhooks disable` and `delete`.

use clap::Args;

use super::OneWebhook;
use crate::client::Client;
use crate::confirm::Confirm;
use crate::failure::Failure;
use crate::output::Output;

/// Send nothing to an endpoint until it is enabled again
#[derive(Args)]
pub(crate) struct Disable {
    #[command(flatten)]
    webhook: OneWebhook,

    #[command(flatten)]
    confirm: Confirm,
}

/// Forget an endpoint and what waits for it
#[derive(Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    webhook: OneWebhook,

    #[command(flatten)]
    confirm: Confirm,
}

impl Disable {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        self.confirm.ask(&format!(
            "Disable {}? What waits for it is dropped, and it hears of nothing meanwhile.",
            self.webhook.id
        ))?;
        self.webhook.to("disable", output)
    }
}

impl Delete {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        self.confirm.ask(&format!(
            "Delete {}? What waits for it is dropped, and nothing brings it back.",
            self.webhook.id
        ))?;
        let answer = Client::from_environment()?.delete(&self.webhook.path())?;
        if output.json {
            return output.data(&answer.text);
        }
        let row = vec![self.webhook.id.clone(), "deleted".to_owned()];
        output.rows(&["ID", "STATUS"], &[row])
    }
}
