//! Validates `gateway.toml` and embeds it.

use crate::{arguments::Task, text};
use anyhow::{Context, Result, bail};
use std::fs;

/// Prints what is to be said about the configuration and writes `gateway.mjs`, a module whose
/// default export is the configuration as JSON text. An error leaves the last module as it was.
pub(crate) fn embed(task: &Task) -> Result<()> {
    let name = task
        .config
        .strip_prefix(&task.root)
        .unwrap_or(&task.config)
        .display()
        .to_string();
    let text =
        fs::read_to_string(&task.config).with_context(|| format!("{name} cannot be read"))?;
    let checked = keyward_config::check(&text, &name);
    for diagnostic in &checked.diagnostics {
        eprintln!("{diagnostic}");
    }
    let Some(file) = checked.file else {
        bail!("{name} is not valid; the gateway is not built");
    };
    let json = serde_json::to_string(&file)?;
    text::write(&task.out.join("gateway.mjs"), &json)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn embedded(toml: &str) -> Result<String> {
        let folder = tempfile::tempdir()?;
        let config = folder.path().join("gateway.toml");
        fs::write(&config, toml)?;
        let task = Task {
            config,
            out: folder.path().join("out"),
            root: folder.path().to_path_buf(),
            config_only: true,
            plain: false,
            keep_names: false,
        };
        embed(&task)?;
        Ok(fs::read_to_string(task.out.join("gateway.mjs"))?)
    }

    #[test]
    fn a_valid_configuration_becomes_a_module_with_its_json() {
        let module = embedded("[[route]]\norigin = \"https://api.example.com\"\n").unwrap();
        let literal = module
            .strip_prefix("export default ")
            .unwrap()
            .strip_suffix(";\n")
            .unwrap();
        let json: String = serde_json::from_str(literal).unwrap();
        let file: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(file["route"][0]["origin"], "https://api.example.com");
    }

    #[test]
    fn an_error_writes_no_module() {
        let error = embedded("[[route]]\norigni = \"https://api.example.com\"\n").unwrap_err();
        assert!(
            error.to_string().contains("gateway.toml is not valid"),
            "{error}"
        );
    }

    #[test]
    fn a_missing_file_is_named() {
        let task = Task {
            config: "/nowhere/gateway.toml".into(),
            out: "/nowhere".into(),
            root: "/nowhere".into(),
            config_only: true,
            plain: false,
            keep_names: false,
        };
        assert!(
            embed(&task)
                .unwrap_err()
                .to_string()
                .contains("gateway.toml cannot be read")
        );
    }
}
