//! The size of the module, as it is uploaded.

use anyhow::{Context, Result};
use flate2::{Compression, write::GzEncoder};
use std::{fs, io::Write, path::Path};

/// One line with the module's size, raw and compressed.
pub(crate) fn report(module: &Path) -> Result<String> {
    let bytes = fs::read(module).with_context(|| format!("{} cannot be read", module.display()))?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&bytes)?;
    let gzip = encoder.finish()?.len();
    Ok(format!(
        "Module: {} KiB, {} KiB gzip",
        kibibytes(bytes.len()),
        kibibytes(gzip)
    ))
}

/// In units of 1024 bytes, rounded up.
fn kibibytes(bytes: usize) -> usize {
    bytes.div_ceil(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sizes_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let module = folder.path().join("index_bg.wasm");
        fs::write(&module, vec![0; 10_001]).unwrap();
        assert_eq!(report(&module).unwrap(), "Module: 10 KiB, 1 KiB gzip");
    }
}
