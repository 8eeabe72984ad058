//! The commands that work on files, and what they print: `config check`, `init` and help.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// Runs in a directory; gives the exit code, standard output and standard error.
fn keyward(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyward"));
    command
        .current_dir(directory)
        .args(arguments)
        .env("COLUMNS", "100")
        .write_stdin("");
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn config_check_names_everything_that_is_wrong_and_exits_with_1() {
    let directory = TempDir::new().unwrap();
    fs::write(
        directory.path().join("gateway.toml"),
        "[[route]]\norigin = \"ftp://a.example\"\ncach = \"origin\"\n",
    )
    .unwrap();
    let (code, stdout, stderr) = keyward(directory.path(), &["config", "check"]);
    assert_eq!(code, 1);
    assert_eq!(
        stdout,
        "gateway.toml:2:10: error: route[0].origin: `ftp` is not a scheme that an origin can have\n  fix: use https or http\n\
         gateway.toml:3:1: error: route[0].cach: there is no field `cach` in [[route]]\n  fix: did you mean `cache`?\n"
    );
    assert_eq!(stderr, "error: gateway.toml is not valid: 2 errors\n");

    let (code, stdout, _) = keyward(directory.path(), &["config", "check", "--json"]);
    let answer: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(
        (
            code,
            &answer["valid"],
            answer["diagnostics"][1]["line"].as_u64()
        ),
        (1, &Value::Bool(false), Some(3))
    );
}

#[test]
fn config_check_lets_warnings_pass_unless_they_are_denied() {
    let directory = TempDir::new().unwrap();
    fs::write(
        directory.path().join("routes.toml"),
        "[[route]]\norigin = \"http://a.example\"\n",
    )
    .unwrap();
    let (code, stdout, stderr) = keyward(directory.path(), &["config", "check", "routes.toml"]);
    assert_eq!(
        (code, stderr.as_str()),
        (0, "routes.toml is valid: 1 route\n")
    );
    assert!(stdout.starts_with("routes.toml:2:10: warning: route[0].origin: "));
    assert_eq!(
        keyward(
            directory.path(),
            &["config", "check", "routes.toml", "--deny-warnings"]
        )
        .0,
        1
    );
    let (code, _, stderr) = keyward(directory.path(), &["config", "check"]);
    assert!(code == 2 && stderr.contains("gateway.toml cannot be read"));
}

#[test]
fn init_writes_what_is_missing_and_keeps_what_is_there() {
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::write(path(".gitignore"), "/target").unwrap();
    let (code, stdout, stderr) = keyward(directory.path(), &["init"]);
    let secrets = fs::read_to_string(path(".dev.vars")).unwrap();
    assert_eq!((code, stdout.as_str()), (0, ""));
    assert!(stderr.contains("Next steps"));
    assert!(
        secrets
            .lines()
            .all(|line| !stderr.contains(line.split_once('=').unwrap().1)),
        "no secret is printed"
    );
    assert_eq!(
        fs::read_to_string(path(".gitignore")).unwrap(),
        "/target\n.dev.vars\n"
    );
    assert_eq!(keyward(directory.path(), &["config", "check"]).0, 0);

    fs::write(path("gateway.toml"), "# mine\n").unwrap();
    let (_, stdout, _) = keyward(directory.path(), &["init", "--json"]);
    let answer: Value = serde_json::from_str(&stdout).unwrap();
    assert!(
        answer["files"]
            .as_array()
            .unwrap()
            .iter()
            .all(|file| file["outcome"] == "kept"),
        "{answer}"
    );
    assert_eq!(fs::read_to_string(path(".dev.vars")).unwrap(), secrets);
    assert_eq!(
        fs::read_to_string(path("gateway.toml")).unwrap(),
        "# mine\n"
    );

    keyward(directory.path(), &["init", "--force"]);
    assert_ne!(fs::read_to_string(path(".dev.vars")).unwrap(), secrets);
    assert_ne!(
        fs::read_to_string(path("gateway.toml")).unwrap(),
        "# mine\n"
    );
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_the_secrets_that_init_writes() {
    use std::os::unix::fs::PermissionsExt as _;

    let directory = TempDir::new().unwrap();
    let secrets = directory.path().join(".dev.vars");
    fs::write(&secrets, "ORIGIN_API_KEY=x").unwrap();
    fs::set_permissions(&secrets, fs::Permissions::from_mode(0o644)).unwrap();
    keyward(directory.path(), &["init"]);
    assert_eq!(
        fs::metadata(&secrets).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert!(
        fs::read_to_string(&secrets)
            .unwrap()
            .starts_with("ORIGIN_API_KEY=x\nKEYWARD_SECRET=dev1:")
    );
}

/// Set `UPDATE_HELP=1` to write the new text.
#[test]
fn help_is_as_it_was_reviewed() {
    let directory = TempDir::new().unwrap();
    let mut help = String::new();
    for command in [
        "",
        "keys",
        "keys create",
        "keys list",
        "keys show",
        "keys revoke",
        "keys disable",
        "keys enable",
        "keys delete",
        "projects",
        "projects create",
        "projects list",
        "projects show",
        "explain",
        "config",
        "config check",
        "init",
    ] {
        let arguments: Vec<_> = command
            .split(' ')
            .filter(|word| !word.is_empty())
            .chain(["--help"])
            .collect();
        let (code, stdout, _) = keyward(directory.path(), &arguments);
        assert_eq!(code, 0);
        help.push_str(&format!("$ keyward {}\n{stdout}\n", arguments.join(" ")));
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/help.txt");
    if std::env::var_os("UPDATE_HELP").is_some() {
        fs::write(file, &help).unwrap();
    }
    assert_eq!(help, fs::read_to_string(file).unwrap());
}
