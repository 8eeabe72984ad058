//! Generates the JavaScript side of the module.
//!
//! The settings are those that the panic recovery of `worker` relies on: `__wbg_reset_state` makes
//! a new instance of the module, and the abort handler marks one that has trapped as dead, so that
//! the next call makes a new one. [`recovery`] completes that.

use crate::{arguments::Task, recovery};
use anyhow::{Context, Result, ensure};
use std::{fs, path::Path};
use wasm_bindgen_cli_support::Bindgen;

/// Writes `index.js`, `index_bg.wasm` and `snippets/` from the compiled module.
pub(crate) fn generate(compiled: &Path, task: &Task) -> Result<()> {
    // The names of snippet folders carry a hash: an older one would stay for ever.
    let snippets = task.out.join("snippets");
    if snippets.exists() {
        fs::remove_dir_all(&snippets)?;
    }
    Bindgen::new()
        .input_path(compiled)
        .out_name("index")
        .module(true)?
        .typescript(false)
        .remove_name_section(!task.keep_names)
        .remove_producers_section(true)
        .reset_state_function(true)
        .force_enable_abort_handler(true)
        .generate(&task.out)
        .context("the bindings of the module cannot be generated")?;
    let glue = task.out.join("index.js");
    let text = recovery::complete(&plain_import(&fs::read_to_string(&glue)?)?)?;
    fs::write(&glue, text)?;
    Ok(())
}

/// Source-phase imports are not known to every bundler; workerd and wrangler both give the
/// compiled module to a plain import of a `.wasm` file.
fn plain_import(glue: &str) -> Result<String> {
    const SOURCE: &str = "import source wasmModule from ";
    ensure!(
        glue.matches(SOURCE).count() == 1,
        "the generated bindings do not import the module once"
    );
    ensure!(
        glue.contains("__wbg_reset_state"),
        "the generated bindings cannot be reset after a panic"
    );
    Ok(glue.replace(SOURCE, "import wasmModule from "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_import_becomes_a_plain_one() {
        let glue = "import source wasmModule from \"./index_bg.wasm\";\nexport function __wbg_reset_state() {}\n";
        let plain = plain_import(glue).unwrap();
        assert!(plain.starts_with("import wasmModule from \"./index_bg.wasm\";"));
    }

    #[test]
    fn bindings_of_another_shape_are_refused() {
        assert!(plain_import("import * as wasm from \"./index_bg.wasm\";").is_err());
        assert!(plain_import("import source wasmModule from \"./index_bg.wasm\";").is_err());
    }
}
