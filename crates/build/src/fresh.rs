//! Knows whether the outputs of a module were made from the same inputs.

use crate::{arguments::Task, module::Module};
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::{fs, io, path::Path, time::UNIX_EPOCH};

/// A line of text that stands for all that decides what the bindings become.
pub(crate) struct Stamp(String);

impl Stamp {
    /// The stamp of the compiled module, this tool, and what is installed and asked for.
    pub(crate) fn of(compiled: &Path, task: &Task) -> Result<Stamp> {
        let module =
            fs::read(compiled).with_context(|| format!("{} cannot be read", compiled.display()))?;
        let mut digest = Sha256::new();
        digest.update(&module);
        for tool in [std::env::current_exe()?, crate::optimize::tool(&task.root)] {
            digest.update(format!("{:?}", changed(&tool)));
        }
        digest.update([u8::from(task.keep_names)]);
        let hex = digest
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(Stamp(hex))
    }

    /// Whether the outputs are there and carry this stamp.
    pub(crate) fn is_current(&self, module: &Module, out: &Path) -> Result<bool> {
        let outputs = [module.glue(out), module.wasm(out)];
        match fs::read_to_string(module.stamp(out)) {
            Ok(text) => Ok(text == self.0 && outputs.iter().all(|output| output.is_file())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error).context("the stamp of the last build cannot be read"),
        }
    }

    /// Marks the outputs as made from these inputs.
    pub(crate) fn write(&self, module: &Module, out: &Path) -> Result<()> {
        fs::write(module.stamp(out), &self.0).context("the stamp of this build cannot be written")
    }
}

/// Size and time of change, or nothing for a file that is not there.
fn changed(path: &Path) -> Option<(u64, u128)> {
    let metadata = fs::metadata(path).ok()?;
    let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some((metadata.len(), modified.as_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::module::MODULES;

    fn task(root: &Path, keep_names: bool) -> Task {
        let root = root.to_path_buf();
        Task {
            config: root.join("gateway.toml"),
            out: root.join("out"),
            root,
            config_only: false,
            plain: false,
            keep_names,
        }
    }

    #[test]
    fn a_build_is_current_until_an_input_changes_or_an_output_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let compiled = folder.path().join("keyward.wasm");
        fs::write(&compiled, b"one").unwrap();
        let task = task(folder.path(), false);
        let [gateway, control, ..] = MODULES;
        let is_current = |module| {
            let stamp = Stamp::of(&compiled, &task).unwrap();
            stamp.is_current(module, &task.out).unwrap()
        };
        fs::create_dir(&task.out).unwrap();
        assert!(!is_current(&gateway));

        for output in [gateway.glue(&task.out), gateway.wasm(&task.out)] {
            fs::write(output, "").unwrap();
        }
        let stamp = Stamp::of(&compiled, &task).unwrap();
        stamp.write(&gateway, &task.out).unwrap();
        assert!(is_current(&gateway));
        assert!(!is_current(&control));

        fs::write(&compiled, b"two").unwrap();
        assert!(!is_current(&gateway));
        fs::write(&compiled, b"one").unwrap();
        fs::remove_file(gateway.glue(&task.out)).unwrap();
        assert!(!is_current(&gateway));
    }

    #[test]
    fn keeping_names_makes_another_build() {
        let folder = tempfile::tempdir().unwrap();
        let compiled = folder.path().join("keyward.wasm");
        fs::write(&compiled, b"one").unwrap();
        let [plain, named] =
            [false, true].map(|keep| Stamp::of(&compiled, &task(folder.path(), keep)).unwrap().0);
        assert_ne!(plain, named);
    }
}
