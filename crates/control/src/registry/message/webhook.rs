//! What is said about endpoints that are told what happens to keys.

use serde::{Deserialize, Serialize};

/// An endpoint to be set. Its secret has been minted by who sends this.
#[derive(Serialize, Deserialize)]
pub(crate) struct NewWebhook {
    pub(crate) id: String,
    pub(crate) url: String,
    /// Words of [`keyward_core::webhook::Event`]; empty: all.
    pub(crate) events: Vec<String>,
    pub(crate) description: String,
    /// The secret, sealed and bound to project and id.
    pub(crate) sealed: String,
}

/// What is changed of an endpoint; none: it stays.
#[derive(Serialize, Deserialize)]
pub(crate) struct WebhookPatch {
    pub(crate) url: Option<String>,
    /// As in [`NewWebhook`].
    pub(crate) events: Option<Vec<String>>,
    pub(crate) description: Option<String>,
    pub(crate) enabled: Option<bool>,
}

/// What is done with one endpoint.
#[derive(Serialize, Deserialize)]
pub(crate) enum WebhookAct {
    Delete,
    /// Gives it another secret; the older one signs for so many seconds more.
    Rotate {
        sealed: String,
        overlap_s: u64,
    },
    Disable,
    Enable,
}
