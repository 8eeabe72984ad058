//! Generates the JavaScript side of a module.
//!
//! The settings are those that the panic recovery of `worker` relies on: `__wbg_reset_state` makes
//! a new instance of the module, and the abort handler marks one that has trapped as dead, so that
//! the next call makes a new one. [`recovery`] completes that, and [`strings`] copies texts faster.

use crate::{arguments::Task, module::Module, recovery, strings};
use anyhow::{Context, Result, ensure};
use std::{fs, io, path::Path};
use wasm_bindgen_cli_support::Bindgen;

/// Where the bindings expect their snippets.
const SNIPPETS: &str = "snippets";

/// Writes the bindings, the WebAssembly and the snippets from the compiled module.
pub(crate) fn generate(module: &Module, compiled: &Path, task: &Task) -> Result<()> {
    let generated = task.out.join(SNIPPETS);
    remove(&generated)?;
    Bindgen::new()
        .input_path(compiled)
        .out_name(module.name)
        .module(true)?
        .typescript(false)
        .remove_name_section(!task.keep_names)
        .remove_producers_section(true)
        .reset_state_function(true)
        .force_enable_abort_handler(true)
        .generate(&task.out)
        .with_context(|| format!("the bindings of {} cannot be generated", module.package))?;
    // The names of the folders inside carry a hash: an older one would stay for ever.
    let snippets = task.out.join(module.snippets());
    remove(&snippets)?;
    if generated.exists() {
        fs::rename(&generated, &snippets)?;
    }
    let glue = module.glue(&task.out);
    let text = own_snippets(&plain_import(&fs::read_to_string(&glue)?)?, module);
    let text = strings::encode_at_once(&text)?;
    fs::write(&glue, recovery::complete(&text)?)?;
    Ok(())
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be removed", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Each module imports its snippets from a folder of its own. What a snippet exports is the state
/// of one module, such as the number of its instance: from the same file all would get the same.
fn own_snippets(glue: &str, module: &Module) -> String {
    glue.replace(
        &format!("'./{SNIPPETS}/"),
        &format!("'./{}/", module.snippets()),
    )
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
    use crate::module::MODULES;

    #[test]
    fn the_source_import_becomes_a_plain_one() {
        let glue = "import source wasmModule from \"./index_bg.wasm\";\nexport function __wbg_reset_state() {}\n";
        let plain = plain_import(glue).unwrap();
        assert!(plain.starts_with("import wasmModule from \"./index_bg.wasm\";"));
    }

    #[test]
    fn modules_share_no_snippet() {
        let glue = "import { state } from './snippets/worker-1/inline0.js';";
        let [gateway, control, ..] = MODULES.map(|module| own_snippets(glue, &module));
        assert!(gateway.contains("from './index_snippets/worker-1/inline0.js'"));
        assert!(control.contains("from './control_snippets/worker-1/inline0.js'"));
    }

    #[test]
    fn bindings_of_another_shape_are_refused() {
        assert!(plain_import("import * as wasm from \"./index_bg.wasm\";").is_err());
        assert!(plain_import("import source wasmModule from \"./index_bg.wasm\";").is_err());
    }
}
