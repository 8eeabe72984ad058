//! Makes a module smaller with `wasm-opt`.

use crate::{arguments::Task, module::Module};
use anyhow::{Context, Result, ensure};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// What rustc and wasm-bindgen emit for wasm32-unknown-unknown. Named one by one, so that a newer
/// `wasm-opt` never uses an encoding that the runtime does not know yet.
const FEATURES: [&str; 8] = [
    "--enable-mutable-globals",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-reference-types",
    "--enable-exception-handling",
    "--enable-simd",
];

/// Where npm puts the program.
pub(crate) fn tool(root: &Path) -> PathBuf {
    root.join("node_modules/binaryen/bin/wasm-opt")
}

/// Optimizes the module in place. Without the npm packages the module works as well, and is larger;
/// one that keeps its names is for development and stays as it is.
pub(crate) fn run(module: &Module, task: &Task) -> Result<()> {
    let tool = tool(&task.root);
    if task.keep_names {
        return Ok(());
    }
    if !tool.is_file() {
        eprintln!(
            "note: the npm package binaryen is not installed: {} is not optimized.",
            module.package
        );
        return Ok(());
    }
    let wasm = module.wasm(&task.out);
    let mut command = Command::new("node");
    command
        .arg(tool)
        .arg(&wasm)
        .arg("-o")
        .arg(&wasm)
        .args(["-Oz", "--strip-debug"])
        .args(FEATURES);
    eprintln!("  Optimizing {}", module.package);
    let status = command
        .status()
        .context("node cannot be started; install Node.js 20 or newer")?;
    ensure!(status.success(), "wasm-opt has failed");
    Ok(())
}
