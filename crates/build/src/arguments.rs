//! What the build is asked to do.

use anyhow::{Context, Result, bail};
use std::{ffi::OsString, path::PathBuf};

const USAGE: &str = "usage: keyward-build [--config FILE] [--out DIR] [--config-only | --plain]";

/// One run of the build.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Task {
    /// The root of the workspace.
    pub(crate) root: PathBuf,
    /// The gateway's configuration.
    pub(crate) config: PathBuf,
    /// Where the results go.
    pub(crate) out: PathBuf,
    /// Only `gateway.mjs` is written, and nothing compiled.
    pub(crate) config_only: bool,
    /// Only the benchmark's plain gateway is built.
    pub(crate) plain: bool,
    /// For development (`KEYWARD_BUILD=dev`): function names stay in the modules, for readable stack
    /// traces, and they are not optimized, which takes most of a build's time.
    pub(crate) keep_names: bool,
}

/// Reads the arguments after the program's name. Relative paths are the caller's own; the defaults
/// lie in the workspace.
pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Task> {
    let root = root()?;
    let mut task = Task {
        config: root.join("gateway.toml"),
        out: root.join("build"),
        root,
        config_only: false,
        plain: false,
        keep_names: std::env::var_os("KEYWARD_BUILD").is_some_and(|mode| mode == "dev"),
    };
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        let mut path = || arguments.next().map(PathBuf::from).context(USAGE);
        match argument.to_str() {
            Some("--config") => task.config = path()?,
            Some("--out") => task.out = path()?,
            Some("--config-only") => task.config_only = true,
            Some("--plain") => task.plain = true,
            _ => bail!("unknown argument {}\n{USAGE}", argument.display()),
        }
    }
    Ok(task)
}

fn root() -> Result<PathBuf> {
    // Compiled in: the tool always runs from the workspace that it was built in.
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .map(PathBuf::from)
        .context("the build tool is not inside the workspace")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Task> {
        parse(arguments.iter().map(OsString::from))
    }

    #[test]
    fn defaults_lie_in_the_workspace() {
        let task = parsed(&[]).unwrap();
        assert!(task.root.join("Cargo.lock").is_file());
        assert_eq!(task.config, task.root.join("gateway.toml"));
        assert_eq!(task.out, task.root.join("build"));
        assert!(!task.config_only);
    }

    #[test]
    fn paths_and_the_flags_are_taken() {
        let task = parsed(&["--config", "a.toml", "--out", "b", "--config-only"]).unwrap();
        assert_eq!(task.config, PathBuf::from("a.toml"));
        assert_eq!(task.out, PathBuf::from("b"));
        assert!(task.config_only && !task.plain);
        assert!(parsed(&["--plain"]).unwrap().plain);
    }

    #[test]
    fn anything_else_is_refused_with_the_usage() {
        for wrong in [&["--confg", "a.toml"][..], &["x"], &["--out"]] {
            assert!(
                parsed(wrong).unwrap_err().to_string().contains("usage:"),
                "{wrong:?}"
            );
        }
    }
}
