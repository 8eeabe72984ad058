//! The commands that work on files, and what they print: `config check`, `init` and help.

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
    assert!(stderr.contains("Next steps") && stderr.contains("keyward management-keys create"));
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

#[test]
fn every_shell_gets_completions() {
    let directory = TempDir::new().unwrap();
    for (shell, sign) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef keyward"),
        ("fish", "complete -c keyward"),
        ("powershell", "Register-ArgumentCompleter"),
        ("elvish", "edit:completion"),
    ] {
        let (code, stdout, _) = keyward(directory.path(), &["completions", shell]);
        assert_eq!(code, 0);
        assert!(
            stdout.contains(sign) && stdout.contains("management-keys"),
            "{shell}"
        );
    }
    assert_eq!(keyward(directory.path(), &["completions", "cmd"]).0, 2);
}

#[test]
fn there_is_a_manual_page_for_every_command() {
    let directory = TempDir::new().unwrap();
    let (code, stdout, _) = keyward(directory.path(), &["man"]);
    assert!(code == 0 && stdout.contains(".TH keyward 1"), "{stdout}");
    let (code, stdout, _) = keyward(directory.path(), &["man", "--output", "man1"]);
    assert_eq!((code, stdout.as_str()), (0, ""));
    for page in [
        "keyward.1",
        "keyward-keys-secrets-revoke.1",
        "keyward-audit-export.1",
    ] {
        let text = fs::read_to_string(directory.path().join("man1").join(page)).unwrap();
        assert!(text.contains(".SH"), "{page}");
    }
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
        "keys update",
        "keys rotate",
        "keys revoke",
        "keys disable",
        "keys enable",
        "keys delete",
        "keys undelete",
        "keys limits",
        "keys credits",
        "keys secrets",
        "keys secrets revoke",
        "projects",
        "projects create",
        "projects list",
        "projects show",
        "projects update",
        "projects suspend",
        "projects resume",
        "projects archive",
        "projects restore",
        "environments",
        "environments create",
        "environments list",
        "environments archive",
        "environments restore",
        "owners",
        "owners suspend",
        "owners resume",
        "owners limit",
        "owners credits",
        "owners list",
        "usage",
        "management-keys",
        "management-keys create",
        "management-keys list",
        "management-keys show",
        "management-keys update",
        "management-keys rotate",
        "management-keys revoke",
        "management-keys disable",
        "management-keys enable",
        "management-keys delete",
        "management-keys secrets",
        "management-keys secrets revoke",
        "keys import",
        "keys export",
        "leaked",
        "credentials",
        "credentials set",
        "credentials list",
        "credentials delete",
        "webhooks",
        "webhooks create",
        "webhooks list",
        "webhooks show",
        "webhooks test",
        "webhooks rotate",
        "webhooks disable",
        "webhooks enable",
        "webhooks delete",
        "apply",
        "secrets",
        "secrets rotate",
        "secrets status",
        "secrets republish",
        "secrets drop",
        "whoami",
        "self-revoke",
        "audit",
        "audit export",
        "derive",
        "verify",
        "explain",
        "config",
        "config check",
        "init",
        "completions",
        "man",
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
