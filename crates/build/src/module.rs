//! The modules that make up the worker, and where their parts lie.

use std::path::{Path, PathBuf};

/// One WebAssembly module with its bindings.
#[derive(Debug)]
pub(crate) struct Module {
    /// The package that it is compiled from.
    pub(crate) package: &'static str,
    /// What its files are called.
    pub(crate) name: &'static str,
    /// What a person calls it.
    pub(crate) title: &'static str,
}

/// Every module: the one that each isolate starts, then those that are loaded when they are needed.
pub(crate) const MODULES: [Module; 3] = [
    Module {
        package: "keyward",
        name: "index",
        title: "Gateway",
    },
    Module {
        package: "keyward-control",
        name: "control",
        title: "Control plane",
    },
    Module {
        package: "keyward-meter",
        name: "meter",
        title: "Meter",
    },
];

impl Module {
    /// The bindings.
    pub(crate) fn glue(&self, out: &Path) -> PathBuf {
        out.join(format!("{}.js", self.name))
    }

    /// The finished WebAssembly.
    pub(crate) fn wasm(&self, out: &Path) -> PathBuf {
        out.join(format!("{}_bg.wasm", self.name))
    }

    /// The name of the folder with the snippets of JavaScript that its crates bring.
    pub(crate) fn snippets(&self) -> String {
        format!("{}_snippets", self.name)
    }

    /// What the outputs were made from.
    pub(crate) fn stamp(&self, out: &Path) -> PathBuf {
        out.join(format!(".{}.stamp", self.name))
    }
}
