//! What GitHub's secret scanning reports (GitHub's documentation, "Secret scanning partner program").
//!
//! A report has neither a time nor a number, so it can be sent again by whoever has seen it. It does
//! nothing then: a secret leaks once.

use keyward_api::request;
use keyward_api::view::GithubLabel;
use keyward_core::refusal::Refusal;

use super::super::answer::{Answer, Refused};
use super::super::asked::Asked;
use crate::registry::message::Leak;

/// Does what has to be done about each match, and says which are secrets of this deployment: by
/// their SHA-256, so that the answer shows nothing that could be used.
///
/// # Errors
/// What the operation may be refused with.
pub(in crate::api) async fn report(asked: &Asked<'_>) -> Result<Answer, Refused> {
    let matches = request::matches(&asked.json()?).ok_or_else(|| {
        let detail = "write a list of 1 to 1000 objects with `token`, `type`, `url` and `source`";
        Refused::field(Refusal::BodyInvalid, "body", detail)
    })?;
    let mut leaks: Vec<Leak> = Vec::new();
    for found in &matches {
        let leak = Leak {
            digest: found.parent.as_ref().unwrap_or(&found.digest).clone(),
            source: found.source.clone(),
            url: found.url.clone(),
            derived: found.parent.is_some(),
        };
        let same = |own: &Leak| (&own.digest, own.derived) == (&leak.digest, leak.derived);
        if !leaks.iter().any(same) {
            leaks.push(leak);
        }
    }
    let known = super::dealt_with(asked, leaks, true).await?;
    let labels = matches.into_iter().map(|found| {
        let digest = found.parent.as_ref().unwrap_or(&found.digest);
        let is_known = known.iter().any(|item| item.sha256 == *digest);
        GithubLabel {
            token_hash: found.digest,
            token_type: found.kind,
            label: if is_known {
                "true_positive"
            } else {
                "false_positive"
            }
            .to_owned(),
        }
    });
    Answer::json(asked.known.operation.status, &labels.collect::<Vec<_>>())
}
