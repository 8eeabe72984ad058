//! What is told.

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident $word:literal)*) => {
        /// What has happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Event {
            $($(#[$doc])* $name,)*
        }

        impl Event {
            /// Every event, by its word. [`Event::Test`] is sent on request alone.
            pub const ALL: &'static [(&'static str, Self)] = &[$(($word, Self::$name),)*];

            /// The word for it: the `type` of its message.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }
    };
}

events! {
    /// A key was created.
    KeyCreated "key.created"
    /// A key has a new secret.
    KeyRotated "key.rotated"
    /// A key, or one secret of it, was revoked.
    KeyRevoked "key.revoked"
    /// A key, or its newest secret by the project's limit of age, ends soon.
    KeyExpiring "key.expiring"
    /// A secret of a key was found where it must not be.
    KeyLeaked "key.leaked"
    /// A private key was sent by a web page.
    KeyUsedInBrowser "key.used_in_browser"
    /// Most of a quota, or of credits, is spent: of a key's, or of those that an owner's keys share.
    LimitWarning "limit.warning"
    /// All of it is.
    LimitReached "limit.reached"
    /// Somebody tries the endpoint.
    Test "webhook.test"
}

impl Event {
    /// What an action of the audit log is told as; none that is not told.
    #[must_use]
    pub fn of_action(action: &str) -> Option<Self> {
        Some(match action {
            "key.create" => Self::KeyCreated,
            "key.rotate" => Self::KeyRotated,
            "key.revoke" | "secret.revoke" | "secret.self_revoke" => Self::KeyRevoked,
            "key.rotation_due" | "key.expiring" | "key.browser_end" => Self::KeyExpiring,
            "key.leak" => Self::KeyLeaked,
            "key.browser_use" => Self::KeyUsedInBrowser,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Event;

    #[test]
    fn words_are_told_apart() {
        for (word, event) in Event::ALL {
            assert_eq!(event.word(), *word);
            let same = Event::ALL.iter().filter(|(other, _)| other == word);
            assert_eq!(same.count(), 1, "{word}");
        }
    }

    #[test]
    fn what_only_tidies_up_is_not_told() {
        for action in ["key.purge", "key.import", "key.update", "project.update"] {
            assert_eq!(Event::of_action(action), None, "{action}");
        }
    }
}
