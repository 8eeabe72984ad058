//! One file for each command, and what several of them share.

pub(crate) mod apply;
pub(crate) mod audit;
mod change;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod derive;
pub(crate) mod environments;
pub(crate) mod explain;
mod held;
mod in_project;
pub(crate) mod init;
mod issued;
pub(crate) mod keys;
pub(crate) mod leaked;
pub(crate) mod limits;
pub(crate) mod man;
pub(crate) mod management_keys;
pub(crate) mod owners;
pub(crate) mod projects;
mod revocation;
mod rotation;
pub(crate) mod secrets;
pub(crate) mod self_revoke;
pub(crate) mod usage;
pub(crate) mod webhooks;
pub(crate) mod whoami;
