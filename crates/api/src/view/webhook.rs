//! Endpoints that are told what happens to keys.

use serde::{Deserialize, Serialize};

use super::{Time, is_default};
#[cfg(feature = "schema")]
use crate::schema::words;

/// An endpoint, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Webhook {
    /// Names it for ever.
    pub id: String,
    /// Where messages are sent, as the URL standard serialises it.
    pub url: String,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The events that it is told of; left out: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "words::events"))]
    pub events: Vec<String>,
    /// Whether messages are sent to it.
    pub status: WebhookStatus,
    /// Counts its changes; the `ETag`.
    pub version: u64,
    /// Since when and why none are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<WebhookDisabled>,
    /// Messages that wait for it.
    pub waiting: u64,
    /// Messages that it never got: too many waited, or all attempts failed, or it was disabled.
    #[serde(default, skip_serializing_if = "is_default")]
    pub dropped: u64,
    /// When it last took a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Time>,
    /// The last attempt that failed, unless a later one succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<WebhookFailure>,
    /// Until when the older secret signs too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_secret_until: Option<Time>,
    /// When it was set.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

/// Whether messages are sent to an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum WebhookStatus {
    /// They are.
    Active,
    /// They are not.
    Disabled,
}

/// Since when and why nothing is sent to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WebhookDisabled {
    /// Since when.
    pub at: Time,
    /// Why.
    pub reason: WebhookReason,
}

/// Why nothing is sent to an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum WebhookReason {
    /// Somebody asked for it.
    Requested,
    /// It answered 410.
    Gone,
    /// All attempts to send a message failed, and no other was taken meanwhile.
    Failing,
}

/// An attempt that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WebhookFailure {
    /// When.
    pub at: Time,
    /// The status of the answer; left out: there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What went wrong.
    pub cause: FailureCause,
}

/// What went wrong with an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FailureCause {
    /// The answer was not of the class 2xx. Redirects are not followed.
    Status,
    /// There was no answer within 10 seconds.
    Timeout,
    /// The endpoint could not be reached.
    Unreachable,
    /// The deployment does not allow this address.
    AddressDenied,
    /// The secret cannot be opened: the entry of the deployment's secret that sealed it is gone.
    SecretUnavailable,
}

/// An endpoint with a new secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "WebhookCreated")
)]
pub struct WebhookCreated<W = Webhook, S = String> {
    /// As it is now.
    pub webhook: W,
    /// Shown this once.
    pub secret: S,
}

/// What became of a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WebhookTested {
    /// The `webhook-id` of the message.
    pub message: String,
    /// Whether the endpoint took it.
    pub delivered: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<WebhookFailure>,
}
