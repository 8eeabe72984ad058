//! Keeps builds apart that write to the same folder: what two of them write at once is a broken
//! module, and a stamp that calls it current.

use anyhow::{Context, Result};
use std::{
    fs::{self, File},
    path::Path,
};

/// Waits until no other build holds the folder, and holds it until the result is dropped.
pub(crate) fn hold(out: &Path) -> Result<File> {
    fs::create_dir_all(out)?;
    let file = File::create(out.join(".lock")).context("the lock of the build cannot be made")?;
    if file.try_lock().is_err() {
        eprintln!("  Waiting for another build");
        file.lock().context("the build cannot be locked")?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_build_at_a_time_holds_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let held = hold(folder.path()).unwrap();
        let other = File::open(folder.path().join(".lock")).unwrap();
        assert!(other.try_lock().is_err());
        drop(held);
        assert!(other.try_lock().is_ok());
    }
}
