//! Projects, environments, owners, management keys, and the holder's own revocation.

use crate::command::{ID, calls, keyward, run};
use crate::stub::Stub;

const PRIVATE: &str = "kw_sk_live_10123456789ABCDEFGHIJKLMNabcdefgh";
const MANAGEMENT: &str = "kw_mk_live_10123456789ABCDEFGHIJKLMNabcdefgh";
const REVOKED: &str =
    r#"{"id":"key_0123456789ABCDEFGHIJ","secret":"sec_0123456789AB","status":"revoked"}"#;

#[test]
fn a_project_is_suspended_archived_and_brought_back() {
    for (verb, status) in [
        ("suspend", "suspended"),
        ("resume", "active"),
        ("archive", "archived"),
        ("restore", "active"),
    ] {
        let answer =
            format!(r#"{{"project":{{"id":"acme","status":"{status}"}},"publication":"pending"}}"#);
        let (done, called) = calls(
            &[("200 OK", &answer)],
            &["projects", verb, "acme", "--note", "n"],
        );
        assert_eq!(
            (done.code, done.stdout.as_str()),
            (Some(0), format!("acme\t{status}\n").as_str())
        );
        done.notes("pending");
        assert_eq!(
            called,
            [format!(r#"POST projects/acme/{verb} {{"note":"n"}}"#)]
        );
    }
}

#[test]
fn a_projects_policy_is_changed_on_the_version_that_was_read() {
    let project = r#"{"id":"acme","name":"Acme","version":2,"max_age_s":7776000}"#;
    let changed = format!(r#"{{"project":{project},"publication":"pending"}}"#);
    let answers = [("200 OK\r\nETag: \"2\"", project), ("200 OK", &changed)];
    let stub = Stub::new(&answers);
    let arguments = [
        "projects",
        "update",
        "acme",
        "--max-age",
        "90d",
        "--warn",
        "14d",
    ];
    let done = keyward(&stub.url, &arguments);
    done.prints("max_age_s\t7776000\n");
    done.notes("pending:");
    let calls = stub.calls();
    assert_eq!(calls[1].line, "PATCH /_keyward/v1/projects/acme HTTP/1.1");
    assert!(calls[1].headers.contains(&"if-match: \"2\"".to_owned()));
    assert_eq!(calls[1].body, r#"{"max_age_s":7776000,"warn_s":1209600}"#);

    let stub = Stub::new(&answers);
    keyward(&stub.url, &["projects", "update", "acme", "--no-max-age"]);
    assert_eq!(stub.calls()[1].body, r#"{"max_age_s":null}"#);
    let (done, _) = self::calls(&[], &["projects", "update", "acme"]);
    assert_eq!(done.code, Some(2));
}

#[test]
fn environments_are_created_listed_and_archived() {
    let one = r#"{"id":"staging","status":"active","created_at":"t"}"#;
    let page = format!(r#"{{"items":[{one}],"next_cursor":null}}"#);
    let archived =
        r#"{"environment":{"id":"staging","status":"archived"},"publication":"published"}"#;
    for (arguments, answer, stdout, call) in [
        (
            &["create", "staging"][..],
            one,
            "staging\n",
            r#"POST projects/acme/environments {"id":"staging"}"#,
        ),
        (
            &["list"],
            &page,
            "staging\tactive\tt\n",
            "GET projects/acme/environments",
        ),
        (
            &["archive", "staging"],
            archived,
            "staging\tarchived\n",
            "POST projects/acme/environments/staging/archive {}",
        ),
        (
            &["restore", "staging"],
            archived,
            "staging\tarchived\n",
            "POST projects/acme/environments/staging/restore {}",
        ),
    ] {
        let (done, called) = calls(
            &[("200 OK", answer)],
            &[&["environments"], arguments].concat(),
        );
        assert_eq!((done.code, done.stdout.as_str()), (Some(0), stdout));
        assert_eq!(called, [call]);
    }
    let (done, _) = calls(&[], &["environments", "archive", "../live"]);
    assert_eq!(done.code, Some(2));
}

#[test]
fn an_owner_is_suspended_with_one_call() {
    let answer = r#"{"owner":"web team","keys":12,"publication":"published"}"#;
    let (done, called) = calls(
        &[("200 OK", answer)],
        &["owners", "suspend", "web team", "--note", "unpaid"],
    );
    assert_eq!(done.stdout, "web team\t12\t\n");
    assert_eq!(
        called,
        [r#"POST projects/acme/owners:suspend {"note":"unpaid","owner":"web team"}"#]
    );
    let (_, called) = calls(&[("200 OK", answer)], &["owners", "resume", "web team"]);
    assert_eq!(
        called,
        [r#"POST projects/acme/owners:resume {"owner":"web team"}"#]
    );
    let page = r#"{"items":[{"owner":"web team","keys":12,"suspended_at":"t","note":"unpaid"}],"next_cursor":null}"#;
    let (done, called) = calls(&[("200 OK", page)], &["owners", "list"]);
    assert_eq!(done.stdout, "web team\t12\tt\tunpaid\t\n");
    assert_eq!(called, ["GET projects/acme/owners?limit=50"]);
}

#[test]
fn a_management_keys_secret_stands_alone_in_a_pipe() {
    let answer = format!(r#"{{"key":{{"id":"{ID}","name":"ci"}},"secret":"{MANAGEMENT}"}}"#);
    let arguments = [
        "mk",
        "create",
        "--name",
        "ci",
        "--project",
        "acme",
        "--scope",
        "keys:read",
        "--scope",
        "audit:read",
        "--ip",
        "203.0.113.0/24",
        "--expires-at",
        "2027-01-01T00:00:00Z",
    ];
    let (done, called) = calls(&[("201 Created", &answer)], &arguments);
    assert_eq!(
        (done.code, done.stdout),
        (Some(0), format!("{MANAGEMENT}\n"))
    );
    assert!(
        !done.stderr.contains("published"),
        "management keys are not in KV"
    );
    assert_eq!(
        called,
        [
            r#"POST management-keys {"expires_at":"2027-01-01T00:00:00Z","ips":["203.0.113.0/24"],"name":"ci","project":"acme","scopes":["keys:read","audit:read"]}"#
        ]
    );
    // A project in the environment does not narrow it: that would surprise.
    let (_, called) = calls(
        &[("201 Created", &answer)],
        &["mk", "create", "--name", "owner"],
    );
    assert_eq!(called, [r#"POST management-keys {"name":"owner"}"#]);
    let (done, _) = calls(&[], &["mk", "create", "--name", "x", "--scope", "keys:*"]);
    assert_eq!(done.code, Some(2));
}

#[test]
fn management_keys_are_listed_changed_and_ended() {
    let page = format!(
        r#"{{"items":[{{"id":"{ID}","name":"ci","scopes":["keys:read","keys:write"],"status":"active"}}],"next_cursor":null}}"#
    );
    let (done, called) = calls(
        &[("200 OK", &page)],
        &[
            "management-keys",
            "list",
            "--status",
            "active",
            "--project",
            "acme",
        ],
    );
    assert_eq!(
        done.stdout,
        format!("{ID}\tci\t\tkeys:read keys:write\tactive\t\n")
    );
    assert_eq!(
        called,
        ["GET management-keys?status=active&project=acme&limit=50"]
    );

    let answer = format!(r#"{{"key":{{"id":"{ID}","status":"x"}},"secret":"{MANAGEMENT}"}}"#);
    for (arguments, call) in [
        (
            &["rotate", ID, "--overlap", "1h"][..],
            format!(r#"POST management-keys/{ID}/rotate {{"overlap":3600}}"#),
        ),
        (
            &["disable", ID, "--yes"],
            format!("POST management-keys/{ID}/disable {{}}"),
        ),
        (
            &["enable", ID],
            format!("POST management-keys/{ID}/enable {{}}"),
        ),
        (
            &["revoke", ID, "--yes", "--reason", "superseded"],
            format!(r#"POST management-keys/{ID}/revoke {{"reason":"superseded"}}"#),
        ),
        (
            &["secrets", "revoke", ID, "sec_0123456789AB", "--yes"],
            format!("POST management-keys/{ID}/secrets/sec_0123456789AB/revoke {{}}"),
        ),
        (
            &["delete", ID, "--yes"],
            format!("DELETE management-keys/{ID}"),
        ),
    ] {
        let (done, called) = calls(&[("200 OK", &answer)], &[&["mk"], arguments].concat());
        assert_eq!((done.code, called), (Some(0), vec![call]));
        if arguments.contains(&"--yes") {
            let without: Vec<_> = arguments
                .iter()
                .copied()
                .filter(|word| *word != "--yes")
                .collect();
            let (done, called) = calls(&[], &[&["mk"], &without[..]].concat());
            assert_eq!((done.code, called.len()), (Some(2), 0));
        }
    }

    let stub = Stub::new(&[("200 OK\r\nETag: \"5\"", &answer), ("200 OK", &answer)]);
    keyward(
        &stub.url,
        &[
            "mk",
            "update",
            ID,
            "--name",
            "n",
            "--clear-ips",
            "--no-expiry",
        ],
    );
    let calls = stub.calls();
    assert!(calls[1].headers.contains(&"if-match: \"5\"".to_owned()));
    assert_eq!(
        calls[1].body,
        r#"{"expires_at":null,"ips":null,"name":"n"}"#
    );
}

#[test]
fn whoami_shows_the_key_in_use() {
    let answer =
        r#"{"type":"management_key","id":"key_1","name":"ci","scopes":["keys:read","keys:write"]}"#;
    let (done, called) = calls(&[("200 OK", answer)], &["whoami"]);
    assert_eq!(
        done.stdout,
        "type\tmanagement_key\nid\tkey_1\nname\tci\nscopes\tkeys:read, keys:write\n"
    );
    assert_eq!(called, ["GET whoami"]);
}

#[test]
fn a_holder_revokes_its_own_secret_from_the_environment_or_standard_input() {
    for (arguments, key, input) in [
        (&["self-revoke", "--yes"][..], PRIVATE, ""),
        (&["self-revoke", "-", "--yes"], "mk-secret", PRIVATE),
        (&["self-revoke", "--yes"], "", PRIVATE),
        (&["self-revoke", "--yes", "--management"], MANAGEMENT, ""),
    ] {
        let stub = Stub::new(&[("200 OK", REVOKED)]);
        let done = run(
            &stub.url,
            arguments,
            &[("KEYWARD_KEY", key)],
            &format!("{input}\n"),
        );
        assert_eq!(
            done.stdout,
            format!("{ID}\tsec_0123456789AB\trevoked\n"),
            "{}",
            done.stderr
        );
        let call = &stub.calls()[0];
        assert_eq!(call.line, "POST /_keyward/v1/keys:selfRevoke HTTP/1.1");
        let secret = if input.is_empty() { key } else { input };
        let header = format!("authorization: bearer {}", secret.to_ascii_lowercase());
        assert!(call.headers.contains(&header));
        assert_eq!(call.body, "{}");
    }
}

#[test]
fn a_holder_does_not_revoke_by_accident() {
    for (arguments, key, input, said) in [
        (&["self-revoke"][..], PRIVATE, "", "--yes"),
        (&["self-revoke", "--yes"], MANAGEMENT, "", "--management"),
        (&["self-revoke", "--yes"], "", "", "holds no secret"),
        (&["self-revoke", PRIVATE, "--yes"], "", "", "invalid value"),
    ] {
        let stub = Stub::new(&[]);
        let done = run(&stub.url, arguments, &[("KEYWARD_KEY", key)], input);
        assert_eq!((done.code, stub.calls().len()), (Some(2), 0));
        done.notes(said);
    }
}
