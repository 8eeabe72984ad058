//! Builds the worker into `build/`.
//!
//! 1. `gateway.toml` is validated, and written as the module `gateway.mjs`; an error ends the build.
//! 2. Cargo compiles the worker for wasm32.
//! 3. The bindings are generated: `index.js`, `index_bg.wasm` and the snippets of the crates.
//! 4. `wasm-opt` of the npm package `binaryen`, when it is installed, makes the module smaller.
//!
//! Steps 3 and 4 are skipped while the compiled module is the same. A build waits for another one
//! of the same folder. Everything runs from locked
//! dependencies: nothing has to be installed by hand, and nothing is downloaded here.

mod arguments;
mod bindings;
mod compile;
mod fresh;
mod gateway;
mod lock;
mod optimize;
mod recovery;
mod size;

use anyhow::Result;
use std::process::ExitCode;

fn main() -> ExitCode {
    match arguments::parse(std::env::args_os().skip(1)).and_then(|task| run(&task)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: &arguments::Task) -> Result<()> {
    gateway::embed(task)?;
    if task.config_only {
        return Ok(());
    }
    let _alone = lock::hold(&task.out)?;
    let compiled = compile::worker(&task.root)?;
    let stamp = fresh::Stamp::of(&compiled, task)?;
    if stamp.is_current(&task.out)? {
        eprintln!("The module is unchanged.");
    } else {
        bindings::generate(&compiled, task)?;
        optimize::run(task)?;
        stamp.write(&task.out)?;
    }
    eprintln!("{}", size::report(&task.module())?);
    Ok(())
}
