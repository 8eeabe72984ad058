//! The size of a module, as it is uploaded.

use crate::module::Module;
use anyhow::{Context, Result};
use flate2::{Compression, write::GzEncoder};
use std::{fs, io::Write, path::Path};

/// One line with the module's size, raw and compressed.
pub(crate) fn report(module: &Module, out: &Path) -> Result<String> {
    let wasm = module.wasm(out);
    let bytes = fs::read(&wasm).with_context(|| format!("{} cannot be read", wasm.display()))?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&bytes)?;
    let gzip = encoder.finish()?.len();
    Ok(format!(
        "{}: {} KiB, {} KiB gzip",
        module.title,
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
    use crate::module::MODULES;

    #[test]
    fn both_sizes_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let [gateway, ..] = MODULES;
        fs::write(gateway.wasm(folder.path()), vec![0; 10_001]).unwrap();
        assert_eq!(
            report(&gateway, folder.path()).unwrap(),
            "Gateway: 10 KiB, 1 KiB gzip"
        );
    }
}
