//! Writes the description of the management API.

use crate::{arguments::Task, text};
use anyhow::Result;

/// Writes `openapi.mjs`, a module whose default export is the OpenAPI document as JSON text.
pub(crate) fn write(task: &Task) -> Result<()> {
    let document = keyward_api::schema::document(env!("CARGO_PKG_VERSION"));
    text::write(
        &task.out.join("openapi.mjs"),
        &serde_json::to_string(&document)?,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_module_holds_the_document() {
        let folder = tempfile::tempdir().unwrap();
        let task = Task {
            config: folder.path().join("gateway.toml"),
            out: folder.path().join("out"),
            root: folder.path().to_path_buf(),
            config_only: false,
            plain: false,
            keep_names: false,
        };
        write(&task).unwrap();
        let module = fs::read_to_string(task.out.join("openapi.mjs")).unwrap();
        let literal = module.strip_prefix("export default ").unwrap();
        let json: String = serde_json::from_str(literal.trim_end().trim_end_matches(';')).unwrap();
        let document: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
    }
}
