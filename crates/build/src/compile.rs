//! Compiles the worker for wasm32 with Cargo.

use anyhow::{Context, Result, bail};
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Builds the worker and returns the compiled module's path. Cargo shows its progress itself, and
/// does nothing when nothing has changed.
pub(crate) fn worker(root: &Path) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut child = Command::new(cargo)
        .args([
            "build",
            "--release",
            "--lib",
            "--locked",
            "--package=keyward",
        ])
        .args([
            "--target=wasm32-unknown-unknown",
            "--message-format=json-render-diagnostics",
        ])
        // The macros of `worker` then use the futures of `js_sys`, as its panic recovery expects.
        .env("WASM_BINDGEN_USE_JS_SYS", "1")
        .current_dir(root)
        .stdout(Stdio::piped())
        .spawn()
        .context("cargo cannot be started; install Rust with rustup")?;
    let messages = child.stdout.take().context("cargo has no output")?;
    let mut module = None;
    for line in BufReader::new(messages).lines() {
        module = module_in(&line?).or(module);
    }
    if !child.wait()?.success() {
        bail!("the worker does not compile");
    }
    module.context("cargo has not named the compiled module")
}

/// The module's path, when this message of Cargo announces it.
fn module_in(message: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    if message.pointer("/target/name")? != "keyward" {
        return None;
    }
    let files = message.get("filenames")?.as_array()?.iter();
    files
        .filter_map(|file| file.as_str())
        .find(|file| file.ends_with(".wasm"))
        .map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_workers_own_artifact_counts() {
        let message = |name: &str, file: &str| {
            serde_json::json!({"reason": "compiler-artifact", "target": {"name": name}, "filenames": [file]})
                .to_string()
        };
        assert_eq!(
            module_in(&message("keyward", "/t/keyward.wasm")),
            Some("/t/keyward.wasm".into())
        );
        assert_eq!(module_in(&message("other", "/t/keyward.wasm")), None);
        assert_eq!(module_in(&message("keyward", "/t/libkeyward.rlib")), None);
        assert_eq!(module_in("not JSON"), None);
    }
}
