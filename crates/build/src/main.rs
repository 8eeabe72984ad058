//! Builds the worker into `build/`.
//!
//! 1. `gateway.toml` is validated, and written as the module `gateway.mjs`; an error ends the build.
//! 2. The description of the management API is written as the module `openapi.mjs`.
//! 3. Cargo compiles the modules of the worker for wasm32: the gateway, which every isolate starts,
//!    and those that are loaded when they are needed, such as the control plane and the meters.
//! 4. The bindings of each are generated: `index.js`, `index_bg.wasm` and `index_snippets` of the
//!    gateway, the same as `control` of the control plane, and as `meter` of the meters.
//! 5. `wasm-opt` of the npm package `binaryen`, when it is installed, makes each module smaller.
//!
//! With `--plain` steps 3 to 5 are done with the benchmark's plain gateway, and nothing else is.
//!
//! Steps 4 and 5 are skipped for a module that is compiled to the same. A build waits for another
//! one of the same folder. Everything runs from locked dependencies: nothing has to be installed by
//! hand, and nothing is downloaded here.

mod arguments;
mod bindings;
mod compile;
mod fresh;
mod gateway;
mod lock;
mod module;
mod openapi;
mod optimize;
mod recovery;
mod size;
mod strings;
mod text;

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
    if !task.plain {
        gateway::embed(task)?;
    }
    if task.config_only {
        return Ok(());
    }
    let _alone = lock::hold(&task.out)?;
    let compiled = if task.plain {
        compile::plain(&task.root)?
    } else {
        openapi::write(task)?;
        compile::modules(&task.root)?
    };
    for (module, compiled) in compiled {
        let stamp = fresh::Stamp::of(&compiled, task)?;
        if stamp.is_current(&module, &task.out)? {
            eprintln!("{} is unchanged.", module.package);
        } else {
            bindings::generate(&module, &compiled, task)?;
            optimize::run(&module, task)?;
            stamp.write(&module, &task.out)?;
        }
        eprintln!("{}", size::report(&module, &task.out)?);
    }
    Ok(())
}
