//! `keyward keys delete`

use clap::Args;

use super::OneKey;
use crate::confirm::Confirm;
use crate::failure::Failure;
use crate::model::Changed;
use crate::output::Output;

/// Revoke a key and forget it
#[derive(Args)]
#[command(
    after_help = "Examples:\n  keyward keys delete --project acme key_0123456789ABCDEFGHIJ --yes"
)]
pub(crate) struct Delete {
    #[command(flatten)]
    key: OneKey,

    #[command(flatten)]
    confirm: Confirm,
}

impl Delete {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        let id = &self.key.id;
        self.confirm.ask(&format!("Delete {id}? Every call with it will be refused, and nothing of it can be looked up again."))?;
        let answer = super::client()?.delete(&self.key.path())?;
        if output.json {
            return output.data(&answer.0);
        }
        let changed: Changed = answer.read()?;
        output.rows(&["ID", "STATUS"], &[vec![id.clone(), "deleted".to_owned()]])?;
        output.say(&super::publication(&changed.publication));
        Ok(())
    }
}
