//! Compiles the modules for wasm32 with Cargo.

use crate::module::{MODULES, Module, PLAIN, PLAIN_FOLDER};
use anyhow::{Context, Result, bail};
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Builds every module and returns it with the compiled file's path. Cargo shows its progress
/// itself, and does nothing when nothing has changed.
pub(crate) fn modules(root: &Path) -> Result<Vec<(Module, PathBuf)>> {
    let mut compiled = Vec::new();
    for modules in MODULES.chunk_by(|one, other| one.profile == other.profile) {
        compiled.extend(with_cargo(root, modules)?);
    }
    Ok(compiled)
}

/// The same of the benchmark's plain gateway alone.
pub(crate) fn plain(root: &Path) -> Result<Vec<(Module, PathBuf)>> {
    with_cargo(&root.join(PLAIN_FOLDER), &[PLAIN])
}

/// Compiles packages of a workspace, all with the profile of the first.
fn with_cargo(workspace: &Path, modules: &[Module]) -> Result<Vec<(Module, PathBuf)>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let packages = modules.iter();
    let mut child = Command::new(cargo)
        .args(["build", "--lib", "--locked"])
        .args(
            modules
                .first()
                .map(|first| format!("--profile={}", first.profile)),
        )
        .args(packages.map(|module| format!("--package={}", module.package)))
        .args([
            "--target=wasm32-unknown-unknown",
            "--message-format=json-render-diagnostics",
        ])
        // The macros of `worker` then use the futures of `js_sys`, as its panic recovery expects.
        .env("WASM_BINDGEN_USE_JS_SYS", "1")
        .current_dir(workspace)
        .stdout(Stdio::piped())
        .spawn()
        .context("cargo cannot be started; install Rust with rustup")?;
    let messages = child.stdout.take().context("cargo has no output")?;
    let messages = BufReader::new(messages)
        .lines()
        .collect::<Result<Vec<String>, _>>()?;
    if !child.wait()?.success() {
        bail!("the worker does not compile");
    }
    let found = |module: &Module| {
        let named = messages
            .iter()
            .find_map(|message| compiled_in(message, module));
        let path =
            named.with_context(|| format!("cargo has not named what {} became", module.package))?;
        Ok((*module, path))
    };
    modules.iter().map(found).collect()
}

/// The compiled file's path, when this message of Cargo announces that of the module.
fn compiled_in(message: &str, module: &Module) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    let library = message.pointer("/target/name")?.as_str()?;
    if library != module.package.replace('-', "_") {
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
    fn only_the_modules_own_artifact_counts() {
        let [gateway, control, ..] = MODULES;
        let message = |name: &str, file: &str| {
            serde_json::json!({"reason": "compiler-artifact", "target": {"name": name}, "filenames": [file]})
                .to_string()
        };
        assert_eq!(
            compiled_in(&message("keyward", "/t/keyward.wasm"), &gateway),
            Some("/t/keyward.wasm".into())
        );
        assert_eq!(
            compiled_in(
                &message("keyward_control", "/t/keyward_control.wasm"),
                &control
            ),
            Some("/t/keyward_control.wasm".into())
        );
        for other in [
            message("other", "/t/keyward.wasm"),
            message("keyward_control", "/t/keyward_control.wasm"),
            message("keyward", "/t/libkeyward.rlib"),
            "not JSON".to_owned(),
        ] {
            assert_eq!(compiled_in(&other, &gateway), None, "{other}");
        }
    }
}
