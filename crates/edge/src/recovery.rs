//! What the log says of a panic: where it happened, never its message, which may quote values or
//! the runtime's own error text.

use std::cell::Cell;
use std::panic;

use crate::log;

thread_local! {
    static PREPARED: Cell<bool> = const { Cell::new(false) };
}

/// Takes the place of the panic hook that `worker` has set at start-up, which logs the message.
/// Once for each instance of the module; a panic before it is logged with its message.
pub fn prepare() {
    if PREPARED.replace(true) {
        return;
    }
    panic::set_hook(Box::new(|info| {
        let (file, line) = info
            .location()
            .map_or(("", 0), |place| (place.file(), place.line()));
        log::panicked(place(file), line);
    }));
}

/// The end of a path: crate, folder, file. What comes before is of the machine that built this.
fn place(file: &str) -> &str {
    let start = file
        .rmatch_indices(['/', '\\'])
        .nth(2)
        .map_or(0, |(slash, _)| slash + 1);
    file.get(start..).unwrap_or(file)
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn a_place_is_named_by_crate_folder_and_file() {
        for (path, expected) in [
            (
                "/home/me/registry/src/index/worker-0.8.7/src/delay.rs",
                "worker-0.8.7/src/delay.rs",
            ),
            ("crates/core/src/head.rs", "core/src/head.rs"),
            ("src/hot.rs", "src/hot.rs"),
            ("", ""),
        ] {
            assert_eq!(place(path), expected);
        }
    }
}
