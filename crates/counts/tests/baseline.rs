//! The comparison as it runs in CI, on one function.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::process::{Command, Output};

const FUNCTION: &str = "secret: parse";

/// Compares the function with a baseline that says `count`.
fn compared(count: u64) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("baseline.toml");
    let rustc = Command::new("rustc").arg("--version").output().unwrap();
    let rustc = String::from_utf8(rustc.stdout).unwrap();
    let text = format!(
        "rustc = {:?}\n[instructions]\n{FUNCTION:?} = {count}\n",
        rustc.trim()
    );
    fs::write(&path, text).unwrap();
    Command::new(env!("CARGO_BIN_EXE_keyward-counts"))
        .args(["--only", FUNCTION, "--baseline"])
        .arg(path)
        .output()
        .unwrap()
}

#[test]
fn a_wrong_baseline_fails_and_the_right_one_holds() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        assert!(
            std::env::var_os("CI").is_none(),
            "valgrind is not installed"
        );
        eprintln!("skipped: valgrind is not installed");
        return;
    }
    let wrong = compared(1);
    assert_eq!(wrong.status.code(), Some(1), "{wrong:?}");
    let (table, error) = (text(&wrong.stdout), text(&wrong.stderr));
    assert!(
        error.contains("not within 3 % of the baseline: secret: parse."),
        "{error}"
    );

    let row = table.lines().find(|line| line.contains(FUNCTION)).unwrap();
    let count: u64 = row.split('|').nth(2).unwrap().trim().parse().unwrap();
    assert!(count > 10, "{table}");
    for (baseline, code) in [(count, 0), (count * 9 / 10, 1), (count * 11 / 10, 1)] {
        let output = compared(baseline);
        assert_eq!(output.status.code(), Some(code), "{baseline}: {output:?}");
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}
