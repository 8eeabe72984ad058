//! Files that are wrong, and where they are said to be wrong.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use keyward_config::{check, load};

/// Each file with its findings: line, column, field, a part of the message, a part of the fix.
/// A `?` before the field marks a warning.
type Finding = (usize, usize, &'static str, &'static str, &'static str);

const FILES: &[(&str, &[Finding])] = &[
    // Not TOML.
    (
        "[[route]\norigin = 1\n",
        &[(1, 9, "", "not valid TOML", "")],
    ),
    (
        "[[route]]\norigin = \"https://a.example\n",
        &[(2, 28, "", "not valid TOML", "")],
    ),
    (
        "[[route]]\norigin = \"https://a.example\"\norigin = \"https://b.example\"\n",
        &[(3, 1, "", "duplicate key", "")],
    ),
    ("", &[(1, 1, "?route", "no route", "[[route]]")]),
    // Not what a table holds.
    (
        "[[routes]]\norigin = \"https://a.example\"\n",
        &[(
            1,
            3,
            "routes",
            "no field `routes` in the top of the file",
            "did you mean `route`?",
        )],
    ),
    (
        "[route]\norigin = \"https://a.example\"\n",
        &[(
            1,
            1,
            "route",
            "expected a list of tables, found table",
            "[[route]] with two brackets",
        )],
    ),
    (
        "[[route]]\norgin = \"https://a.example\"\n",
        &[(2, 1, "route[0].orgin", "no field", "did you mean `origin`?")],
    ),
    (
        "[[route]]\nhost = \"a.example\"\n",
        &[(
            1,
            1,
            "route[0].origin",
            "`origin` is missing",
            "https://api.example.com",
        )],
    ),
    (
        "[[route]]\norigin = \"https://a.example\"\nsession = true\n",
        &[(
            3,
            1,
            "route[0].session",
            "no field `session` in [[route]]",
            "the fields here are host, path",
        )],
    ),
    (
        "[[route]]\norigin = \"https://a.example\"\n[route.cors]\norigins = [\"https://b.example\"]\ntimeout_ms = 5\n",
        &[(
            5,
            1,
            "route[0].cors.timeout_ms",
            "no field",
            "belongs to [[route]]",
        )],
    ),
    (
        "[[route]]\norigin = \"https://a.example\"\nprojects = \"acme\"\ncookies = \"true\"\ntimeout_ms = \"30\"\nimported_keys = 1\nimport_keys = true\n",
        &[
            (
                3,
                12,
                "route[0].projects",
                "expected a list of strings, found string",
                "[\"acme\"]",
            ),
            (
                4,
                11,
                "route[0].cookies",
                "expected true or false, found string",
                "without quotes",
            ),
            (
                5,
                14,
                "route[0].timeout_ms",
                "expected a whole number, found string",
                "without quotes",
            ),
            (
                6,
                17,
                "route[0].imported_keys",
                "expected true or false, found integer",
                "",
            ),
            (
                7,
                1,
                "route[0].import_keys",
                "no field",
                "did you mean `imported_keys`?",
            ),
        ],
    ),
    (
        "[gateway]\nmemory_records = -1\nstale_if_error_s = 0.5\n[[route]]\norigin = \"https://a.example\"\n",
        &[
            (2, 18, "gateway.memory_records", "-1 is out of range", ""),
            (
                3,
                20,
                "gateway.stale_if_error_s",
                "expected a whole number, found float",
                "",
            ),
        ],
    ),
    (
        "[gateway]\npublic_key_ip_limit = 1_000_001\npublic_key_ip_window_s = 0\n[[route]]\norigin = \"https://a.example\"\n",
        &[
            (
                2,
                23,
                "gateway.public_key_ip_limit",
                "1000001 is out of range",
                "from 0 to 1000000",
            ),
            (
                3,
                26,
                "gateway.public_key_ip_window_s",
                "0 is out of range",
                "from 1 to 3600",
            ),
        ],
    ),
    // Wrong values.
    (
        "[gateway]\nclient_ip_header = \"X-Forwarded-For\"\n[[route]]\norigin = \"https://a.example\"\n",
        &[(
            2,
            20,
            "gateway.client_ip_header",
            "can be written by clients",
            "cf-connecting-ip",
        )],
    ),
    (
        "[[route]]\norigin = \"https://user:pw@a.example\"\n",
        &[(2, 10, "route[0].origin", "no user", "credential.secret")],
    ),
    (
        "[[route]]\norigin = \"https://a.example?key=1\"\n",
        &[(2, 10, "route[0].origin", "no query", "credential.query")],
    ),
    (
        "[[route]]\norigin = \"http://a.example\"\n",
        &[(2, 10, "?route[0].origin", "in the clear", "https")],
    ),
    ("[[route]]\norigin = \"http://localhost:9000\"\n", &[]),
    (
        "[[route]]\norigin = \"https://a.example\"\nhost = \"a.example:443\"\npath = \"/a/../b\"\n",
        &[
            (3, 8, "route[0].host", "no port", ""),
            (4, 8, "route[0].path", "dot segments", ""),
        ],
    ),
    (
        "[[route]]\norigin = \"https://a.example\"\npath = \"/a/**\"\nstrip_prefix = \"/b\"\n",
        &[(
            4,
            16,
            "route[0].strip_prefix",
            "does not begin with this prefix",
            "literal first segments",
        )],
    ),
    (
        "[[route]]\norigin = \"https://a.example\"\npath = \"/a/**\"\n[[route]]\norigin = \"https://b.example\"\npath = \"/a/**\"\n",
        &[(
            6,
            8,
            "route[1].path",
            "route[0] has the same host and path",
            "more specific",
        )],
    ),
    // The same where no path is written: the table is named.
    (
        "[[route]]\norigin = \"https://a.example\"\n\n[[route]]\norigin = \"https://b.example\"\n",
        &[(4, 1, "route[1].path", "same host and path", "")],
    ),
    (
        "[[route]]\norigin = \"https://a.example\"\naccepts = [\"public\", \"machine\"]\nkey_in = [\"bearer\", \"cookie:a\"]\n",
        &[
            (
                3,
                22,
                "route[0].accepts[1]",
                "`machine`",
                "\"public\", \"session\", \"private\" or \"derived\"",
            ),
            (
                4,
                21,
                "route[0].key_in[1]",
                "`cookie:a`",
                "\"header:<name>\"",
            ),
        ],
    ),
    (
        "[[route]]\norigin = \"https://a.example\"\naccepts = [\"private\"]\nkey_in = [\"query:key\"]\n",
        &[(
            4,
            11,
            "route[0].key_in[0]",
            "only public keys are read from the query",
            "",
        )],
    ),
    (
        "[[route]]\norigin = \"https://a.example\"\ncredential = { secret = \"S\", header = \"Host\" }\n",
        &[(
            3,
            39,
            "route[0].credential.header",
            "has another meaning",
            "authorization",
        )],
    ),
    (
        "[[route]]\norigin = \"https://a.example\"\ncredential = { secret = \"S\" }\n",
        &[(3, 14, "route[0].credential", "no place", "header")],
    ),
    (
        "[[route]]\norigin = \"https://a.example\"\ncredential = { header = \"a\" }\n",
        &[(3, 14, "route[0].credential", "from nowhere", "secret")],
    ),
    (
        "[[route]]\norigin = \"https://a.example\"\ncredential = { secret = \"S\", project_secret = \"P\", header = \"a\" }\n",
        &[(3, 14, "route[0].credential", "from one place", "either")],
    ),
    (
        "[[route]]\norigin = \"https://a.example\"\ncredential = { project_secret = \"openai\", header = \"a\" }\n",
        &[(
            3,
            33,
            "route[0].credential.project_secret",
            "not the name",
            "capital",
        )],
    ),
    (
        "[[route]]\norigin = \"https://a.example\"\nguard_body = true\n",
        &[(3, 14, "route[0].guard_body", "no credential", "credential")],
    ),
    (
        "[[route]]\norigin = \"https://a.example\"\ncredential = { secret = \"S\", query = \"key\" }\n",
        &[(3, 38, "?route[0].credential.query", "logs", "header")],
    ),
    (
        "[[route]]\norigin = \"https://a.example\"\ncredential = { secret = \"KEYWARD_SECRET\", header = \"a\" }\n",
        &[(3, 25, "route[0].credential.secret", "goes to no origin", "")],
    ),
    (
        "[[route]]\norigin = \"https://a.example\"\n[route.cors]\norigins = [\n  \"https://b.example\",\n  \"*\",\n]\nmax_age_s = 100000\n",
        &[
            (6, 3, "route[0].cors.origins[1]", "every website", ""),
            (8, 13, "route[0].cors.max_age_s", "out of range", "86400"),
        ],
    ),
    (
        "[[route]]\norigin = \"https://a.example\"\npath = \"/a/**\"\n[[route.require]]\nrule = \"POST /b/**\"\nscopes = [\"a:b\"]\n[[route.require]]\nrule = \"POST /a/**\"\n",
        &[
            (
                5,
                8,
                "route[0].require[0].rule",
                "would require nothing",
                "",
            ),
            (
                7,
                1,
                "route[0].require[1].scopes",
                "`scopes` is missing",
                "",
            ),
        ],
    ),
    // Variables.
    (
        "[[route]]\norigin = \"${ORIGIN}/base\"\nhost = \"${HOST\"\n",
        &[(3, 8, "route[0].host", "not closed", "${NAME}")],
    ),
    // One wrong field hides nothing else, also not in a list with something that is no table.
    (
        "route = [3, { origin = \"ftp://a.example\", x = 1 }]\n",
        &[
            (1, 10, "route[0]", "expected a table, found integer", ""),
            (1, 24, "route[1].origin", "`ftp` is not a scheme", ""),
            (1, 43, "route[1].x", "no field", ""),
        ],
    ),
];

#[test]
fn every_finding_has_its_place_its_field_and_a_fix() {
    for (text, expected) in FILES {
        let found = check(text, "gateway.toml");
        let shown: Vec<_> = found.diagnostics.iter().map(ToString::to_string).collect();
        assert_eq!(
            found.diagnostics.len(),
            expected.len(),
            "{text}\n{shown:#?}"
        );
        for (diagnostic, (line, column, field, message, fix)) in
            found.diagnostics.iter().zip(*expected)
        {
            let (warning, field) = field
                .strip_prefix('?')
                .map_or((false, *field), |field| (true, field));
            let place = (
                diagnostic.line,
                diagnostic.column,
                diagnostic.field.as_str(),
                diagnostic.warning,
            );
            assert_eq!(
                place,
                (*line, *column, field, warning),
                "{text}\n{diagnostic}"
            );
            assert!(diagnostic.message.contains(message), "{text}\n{diagnostic}");
            assert!(diagnostic.fix.contains(fix), "{text}\n{diagnostic}");
        }
        let valid = expected
            .iter()
            .all(|(_, _, field, _, _)| field.starts_with('?'));
        assert_eq!(found.file.is_some(), valid, "{text}");
        assert_eq!(load(text, "gateway.toml").is_ok(), valid, "{text}");
    }
}
