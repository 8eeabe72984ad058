//! Which keys a change of many keys is about.

use crate::registry::message::ProjectCommand;

/// Which keys a change is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::registry) enum Scope<'a> {
    /// All of the project.
    Project,
    /// Those of an environment.
    Environment(&'a str),
    /// Those of an owner.
    Owner(&'a str),
}

impl<'a> Scope<'a> {
    /// The keys that a command is about.
    pub(in crate::registry) fn of(command: &'a ProjectCommand) -> Self {
        match command {
            ProjectCommand::ArchiveEnvironment { id, .. } => Self::Environment(id),
            ProjectCommand::SuspendOwner { owner, .. }
            | ProjectCommand::ResumeOwner { owner, .. }
            | ProjectCommand::LimitOwner { owner, .. }
            | ProjectCommand::OwnerCredits { owner, .. } => Self::Owner(owner),
            _ => Self::Project,
        }
    }

    /// The scope of this word and name in the table.
    pub(super) fn read(word: &str, name: &'a str) -> Self {
        match word {
            "environment" => Self::Environment(name),
            "owner" => Self::Owner(name),
            _ => Self::Project,
        }
    }

    /// The word in the table.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Environment(_) => "environment",
            Self::Owner(_) => "owner",
        }
    }

    /// The name in the table; of the project, nothing.
    pub(in crate::registry) const fn name(self) -> &'a str {
        match self {
            Self::Project => "",
            Self::Environment(name) | Self::Owner(name) => name,
        }
    }

    /// The condition on rows of `key`; `?2` is the name.
    pub(in crate::registry) const fn condition(self) -> &'static str {
        match self {
            Self::Project => "?2 = ''",
            Self::Environment(_) => "environment = ?2",
            Self::Owner(_) => "owner = ?2",
        }
    }
}
