//! Text as a JavaScript module, which every bundler and runtime can load.

use anyhow::{Context, Result};
use std::{fs, path::Path};

/// Writes a module whose default export is the text.
pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    let module = format!("export default {};\n", serde_json::to_string(text)?);
    // Who watches the folder is not woken by a file that is the same.
    if fs::read_to_string(path).is_ok_and(|last| last == module) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, module).with_context(|| format!("{} cannot be written", path.display()))
}
