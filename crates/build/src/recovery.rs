//! Completes what the generated bindings do when an instance of the module is lost to a panic.
//!
//! They notice the loss, and make a new instance at the next call; but only after the call's
//! arguments were copied into the memory of the old one, and after the test whether an object or a
//! closure belongs to the instance of today. The first call would then read, and free, what lies
//! at the same addresses of the new memory. So here every way into the module begins with that
//! guard. And whoever waits for a promise of the lost instance is told, because it never ends.

use anyhow::{Result, ensure};

const GUARD: &str = "__wbg_call_guard();";
const CLOSURE: &str = "const real = (...args) => {";
const LOSS: &str = "    __wbg_call_abort_hook();\n    throw e;\n";

/// The bindings with the guard first, and with `__keyward_on_loss`, which takes the function to
/// call when an instance is lost.
pub(crate) fn complete(glue: &str) -> Result<String> {
    ensure!(
        glue.matches(LOSS).count() == 1,
        "the generated bindings do not notice a lost instance in the known place"
    );
    let told = glue.replace(
        LOSS,
        "    __wbg_call_abort_hook();\n    onLoss();\n    throw e;\n",
    );
    let hook =
        "let onLoss = () => {};\nexport function __keyward_on_loss(act) {\n    onLoss = act;\n}\n";
    Ok(format!("{hook}{}", guarded(&told)?))
}

/// Moves each guard to the beginning of its function, and puts one into each closure.
fn guarded(glue: &str) -> Result<String> {
    let mut lines: Vec<&str> = Vec::new();
    let (mut functions, mut closures) = (0, 0);
    for line in glue.lines() {
        if line.trim() == GUARD {
            let header = lines.iter().rposition(|line| is_header(line));
            ensure!(
                header.is_some(),
                "a guard of the generated bindings is in no function"
            );
            let at = header.map_or(0, |at| at + 1);
            // A function that gives memory back in the end has two of them.
            if lines.get(at).is_none_or(|line| line.trim() != GUARD) {
                lines.insert(at, line);
            }
            functions += 1;
            continue;
        }
        lines.push(line);
        if line.trim() == CLOSURE {
            lines.push(GUARD);
            closures += 1;
        }
    }
    ensure!(
        functions > 0 && closures > 0,
        "the generated bindings have no known ways into the module"
    );
    lines.push("");
    Ok(lines.join("\n"))
}

/// Whether a function or a method begins in this line.
fn is_header(line: &str) -> bool {
    const OTHERS: [&str; 6] = ["if ", "for ", "while ", "switch ", "}", "try "];
    let begins = line.trim_start();
    line.ends_with(") {") && !OTHERS.iter().any(|other| begins.starts_with(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GLUE: &str = "
export class Hot {
    static answer(route, head) {
        let ptr0;
        try {
            ptr0 = pass(head);
        } catch (e) {
            if (ptr0) { free(ptr0); }
            throw e;
        }
        let ret;
        __wbg_call_guard();
        ret = wasm.hot_answer(route, ptr0);
    }
}
function makeMutClosure(arg0, arg1, f) {
    const real = (...args) => {
        if (state.instance !== __wbg_instance_id) {
            throw new Error('stale');
        }
    };
}
function __wbg_handle_catch(e) {
    __wbg_call_abort_hook();
    throw e;
}
";

    #[test]
    fn every_way_into_the_module_begins_with_the_guard() {
        let complete = complete(GLUE).unwrap();
        let after = |header: &str| {
            let mut lines = complete.lines().skip_while(|line| line.trim() != header);
            lines.nth(1).unwrap().trim().to_owned()
        };
        assert_eq!(after("static answer(route, head) {"), GUARD);
        assert_eq!(after("const real = (...args) => {"), GUARD);
        assert_eq!(complete.matches(GUARD).count(), 2);
    }

    #[test]
    fn a_loss_is_told() {
        let complete = complete(GLUE).unwrap();
        assert!(complete.starts_with("let onLoss = () => {};\nexport function __keyward_on_loss("));
        assert!(complete.contains("__wbg_call_abort_hook();\n    onLoss();\n    throw e;"));
    }

    #[test]
    fn bindings_of_another_shape_are_refused() {
        for part in ["throw e;\n}\n", "__wbg_call_guard", "(...args)"] {
            let other = GLUE.replace(part, "other");
            assert!(complete(&other).is_err(), "{part}");
        }
    }
}
