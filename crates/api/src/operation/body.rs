//! The body of a request.

use keyward_core::refusal::Refusal;

use crate::condition::Media;
use crate::request::{LARGEST_BODY, LARGEST_IMPORT, LARGEST_REPORT};

/// What the body of a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is a type of `request`")]
pub enum Body {
    /// None: what a GET request carries is not read, what a DELETE request carries has no fields.
    None,
    /// None, or an object without fields.
    Nothing,
    NewProject,
    ProjectPatch,
    Note,
    NewEnvironment,
    Owner,
    OwnerLimits,
    OwnerCredits,
    Credits,
    KeyFields,
    KeyPatch,
    Rotation,
    Revocation,
    ImportLines,
    NewManagementKey,
    ManagementKeyPatch,
    NewWebhook,
    WebhookPatch,
    WebhookRotation,
    CredentialValue,
    LeakedSecrets,
    GithubReport,
}

impl Body {
    /// Whether it may be left out, as an object without fields.
    #[must_use]
    pub const fn is_optional(self) -> bool {
        matches!(
            self,
            Self::None
                | Self::Nothing
                | Self::Note
                | Self::Rotation
                | Self::Revocation
                | Self::WebhookRotation
        )
    }

    /// The media type that it is read as.
    #[must_use]
    pub const fn media(self) -> Media {
        match self {
            Self::KeyPatch | Self::ProjectPatch | Self::ManagementKeyPatch | Self::WebhookPatch => {
                Media::MergePatch
            }
            Self::ImportLines => Media::Lines,
            _ => Media::Json,
        }
    }

    /// So many bytes are read of it.
    #[must_use]
    pub const fn largest(self) -> usize {
        match self {
            Self::ImportLines => LARGEST_IMPORT,
            // A thousand digests, with room for other writings of them.
            Self::LeakedSecrets => 2 * LARGEST_BODY,
            Self::GithubReport => LARGEST_REPORT,
            _ => LARGEST_BODY,
        }
    }

    /// What it is refused with when its fields are not valid; none when it has no fields.
    #[must_use]
    pub const fn refusal(self) -> Option<Refusal> {
        match self {
            Self::None | Self::Nothing | Self::ImportLines | Self::GithubReport => None,
            Self::NewProject | Self::ProjectPatch => Some(Refusal::ProjectSpecInvalid),
            Self::KeyFields | Self::KeyPatch => Some(Refusal::KeySpecInvalid),
            Self::Note
            | Self::NewEnvironment
            | Self::Owner
            | Self::OwnerLimits
            | Self::OwnerCredits
            | Self::Credits
            | Self::Rotation
            | Self::Revocation
            | Self::NewManagementKey
            | Self::ManagementKeyPatch
            | Self::NewWebhook
            | Self::WebhookPatch
            | Self::WebhookRotation
            | Self::CredentialValue
            | Self::LeakedSecrets => Some(Refusal::RequestInvalid),
        }
    }
}
