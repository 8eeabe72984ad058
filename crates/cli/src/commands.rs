//! One file for each command.

pub(crate) mod config;
pub(crate) mod explain;
pub(crate) mod init;
pub(crate) mod keys;
pub(crate) mod projects;
