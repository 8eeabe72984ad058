//! Runs a function under callgrind.

use std::env;
use std::fs;
use std::hint::black_box;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// What `counted` is called in the symbols of this program.
const COUNTED: &str = "--toggle-collect=*keyward_counts*valgrind*counted*";

/// Switches the C library to what every x86-64 processor has; elsewhere it means nothing.
const TUNABLES: &str =
    "glibc.cpu.hwcaps=-AVX2,-AVX,-BMI1,-BMI2,-ERMS,-FSRM,-LZCNT,-MOVBE,-SSSE3,-SSE4_1,-SSE4_2";

/// Runs the work; what it takes is counted, and to drop its result is not.
pub(crate) fn measure<T>(work: impl FnOnce() -> T) -> T {
    let mut work = Some(work);
    let mut result = None;
    counted(&mut || result = work.take().map(|work| black_box(work())));
    result.expect("the work was done")
}

#[inline(never)]
fn counted(work: &mut dyn FnMut()) {
    work();
}

/// The instructions that the function of this name takes, in a process of its own.
pub(crate) fn count(name: &str) -> Result<u64> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("counts");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no", COUNTED])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(env::current_exe()?)
        .args(["--run", name])
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap_or_default())
        .env("GLIBC_TUNABLES", TUNABLES)
        .output()
        .context("valgrind cannot be started; install it (on Debian: apt-get install valgrind)")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name} does not run:\n{said}");
    let text = fs::read_to_string(&out).context("callgrind has counted nothing")?;
    let count = summary(&text).with_context(|| format!("callgrind has no sum for {name}"))?;
    ensure!(count > 0, "{name} took no instructions: it was not seen");
    Ok(count)
}

/// What `rustc --version` says.
pub(crate) fn rustc() -> Result<String> {
    let output = Command::new("rustc").arg("--version").output();
    let output = output.context("rustc cannot be started")?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// The sum of everything in a file of callgrind.
fn summary(text: &str) -> Option<u64> {
    let sums = text.lines().rev();
    let mut sums = sums.filter_map(|line| line.strip_prefix("totals:"));
    sums.next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::summary;

    #[test]
    fn the_sum_is_the_last_of_the_file() {
        let file = "events: Ir\nsummary: 7\n\nfn=(1) main\n16 5\ntotals: 4711\n";
        assert_eq!(summary(file), Some(4711));
        assert_eq!(summary("events: Ir\n"), None);
    }
}
