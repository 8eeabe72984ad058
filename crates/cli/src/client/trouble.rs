//! Why a call got no good answer, and whether to make it again.

use std::io::ErrorKind;
use std::time::Duration;

use ureq::{Error, Timeout};

use crate::failure::{Failure, Problem};

/// How long to wait before the second and the third try.
pub(super) const WAITS: [Duration; 2] = [Duration::from_millis(300), Duration::from_millis(1500)];
/// The longest `Retry-After` that is waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// A call that got no good answer.
pub(super) enum Trouble {
    /// No answer.
    Broken(Error),
    /// A problem document, and its `Retry-After`.
    Refused(Box<Problem>, Option<Duration>),
    /// An answer that is not Keyward's.
    Foreign(Failure),
}

impl Trouble {
    /// How long to wait before the same call may get a better answer; none: it never does.
    pub(super) fn wait(&self, backoff: Duration) -> Option<Duration> {
        match self {
            Self::Broken(
                Error::Io(_) | Error::Timeout(_) | Error::ConnectionFailed | Error::Protocol(_),
            ) => Some(backoff),
            Self::Refused(problem, after) if problem.code == "registry_unavailable" => {
                Some(after.unwrap_or_default().min(LONGEST_WAIT).max(backoff))
            }
            _ => None,
        }
    }

    /// What to report, of a call to the gateway at `base` that `changes` something or not.
    pub(super) fn into_failure(self, base: &str, changes: bool) -> Failure {
        match self {
            Self::Broken(error) if changes && may_have_arrived(&error) => Failure::Failed(format!(
                "{base} gave no answer: {error}\n  The change may or may not have been made.\n  \
                     fix: look whether it was (list, show or audit), then repeat the command"
            )),
            Self::Broken(error) => Failure::Failed(format!("{base} cannot be reached: {error}")),
            Self::Refused(problem, _) => Failure::Refused(problem),
            Self::Foreign(failure) => failure,
        }
    }
}

/// Whether the gateway may have read the call.
fn may_have_arrived(error: &Error) -> bool {
    match error {
        Error::Io(error) => error.kind() != ErrorKind::ConnectionRefused,
        Error::Timeout(Timeout::Resolve | Timeout::Connect) => false,
        Error::Timeout(_) | Error::Protocol(_) | Error::BodyStalled => true,
        _ => false,
    }
}
