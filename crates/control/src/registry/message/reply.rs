//! What a registry replies.

use keyward_core::management::Scope;
use keyward_core::refusal::Refusal;
use keyward_core::restrict::ip::IpRule;
use keyward_core::spec::FieldError;
use keyward_core::time::Millis;
use serde::{Deserialize, Serialize};

use super::Shown;

/// From a registry.
#[derive(Serialize, Deserialize)]
pub(crate) enum Reply {
    /// It is done, and there is nothing to show.
    Done,
    /// What was asked for or created, with its version when it has one.
    Item { item: Shown, version: Option<u64> },
    /// A page, and the position from which to go on, when there is more.
    Items {
        items: Vec<Shown>,
        next: Option<u64>,
    },
    /// A key, project, environment or owner after a change.
    Changed {
        item: Shown,
        version: Option<u64>,
        publication: Publication,
        /// When no isolate anywhere lets through any more what the change took away; none where that
        /// is not known. Of a reply that has yet to wait for meters: from when on it may be.
        #[serde(default)]
        in_force_by: Option<Millis>,
    },
    /// What a meter is to know: [`keyward_core::metering::Knowledge`], which only meters read.
    Metering(Shown),
    /// The report of an import.
    Imported { report: Shown },
    /// Who calls.
    Principal(Principal),
    /// A project's id.
    Project { id: String },
    /// Names that another project holds.
    Taken { names: Vec<String> },
    /// The answer that the same request was given before, and its sealed secret.
    Replayed {
        reply: Box<Reply>,
        sealed: Option<String>,
    },
    /// No, with the refusal's code.
    Refused {
        code: String,
        errors: Vec<FieldError>,
    },
    /// The account registry has not founded this registry.
    Unfounded,
}

/// The holder of a management key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Principal {
    pub(crate) id: String,
    pub(crate) name: String,
    /// None: the whole account.
    pub(crate) project: Option<String>,
    pub(crate) scopes: Vec<Scope>,
    /// Addresses that it may be used from; empty: any.
    pub(crate) ips: Vec<IpRule>,
    pub(crate) expires_at: Option<Millis>,
}

/// Whether KV has what the registry decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Publication {
    /// KV has acknowledged the newest state, and no earlier write of it is unaccounted for.
    Published,
    /// Not yet; the registry goes on until it holds.
    Pending,
}

impl Reply {
    /// A refusal without fields.
    pub(crate) fn refused(refusal: Refusal) -> Self {
        Self::Refused {
            code: refusal.code().to_owned(),
            errors: Vec::new(),
        }
    }
}
