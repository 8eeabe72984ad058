//! The modules that make up the worker, and where their parts lie.

use std::path::{Path, PathBuf};

/// One WebAssembly module with its bindings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Module {
    /// The package that it is compiled from.
    pub(crate) package: &'static str,
    /// What its files are called.
    pub(crate) name: &'static str,
    /// What a person calls it.
    pub(crate) title: &'static str,
    /// Cargo's profile, with what it is optimized for.
    pub(crate) profile: &'static str,
}

/// Every module: the one that each isolate starts, then those that are loaded when they are needed.
pub(crate) const MODULES: [Module; 3] = [
    Module {
        package: "keyward",
        name: "index",
        title: "Gateway",
        profile: "gateway",
    },
    Module {
        package: "keyward-control",
        name: "control",
        title: "Control plane",
        profile: "release",
    },
    Module {
        package: "keyward-meter",
        name: "meter",
        title: "Meter",
        profile: "release",
    },
];

/// What the benchmark compares the gateway with: a worker that shares nothing with it.
pub(crate) const PLAIN: Module = Module {
    package: "plain-gateway",
    name: "plain",
    title: "Plain gateway",
    profile: "release",
};

/// The folder of [`PLAIN`], a workspace of its own.
pub(crate) const PLAIN_FOLDER: &str = "bench/plain";

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
