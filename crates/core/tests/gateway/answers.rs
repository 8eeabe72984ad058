//! What the client receives of the answer, and preflights.

use keyward_core::answer::Asker;
use keyward_core::gateway::{Answered, Outcome};
use keyward_core::kind::Kind;

use crate::{BEARER, NOW, desk};

fn answered<'a>(route: usize, kind: Kind, asker: Asker<'a>, headers: &'a str) -> Answered<'a> {
    Answered {
        route,
        kind,
        account: 0,
        asker,
        secret: "",
        status: 302,
        headers,
    }
}

fn asker(outcome: Outcome<'_>) -> Asker<'_> {
    match outcome {
        Outcome::Forward { forward, .. } => forward.asker,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_answer_is_cleaned() {
    let mut desk = desk(Kind::Public, r#"{"referrers":["https://page.example"]}"#);
    let text = desk.head(
        "GET",
        "/llm/x",
        &[BEARER, ("origin", "https://page.example")],
    );
    let asker = asker(desk.call(&text));
    let route = desk.gateway.fixed(&text).unwrap().route;
    let headers = "x-echo\nBearer llm-secret\nset-cookie\na=b\naccess-control-allow-origin\n*\ncache-control\npublic, max-age=9\nvary\nAccept\nlocation\nhttps://llm.example/v1/next?x=1\nkeyward-key-id\nx\netag\n\"1\"\n";
    let edits = desk
        .gateway
        .answer(&answered(route, Kind::Public, asker, headers), NOW)
        .unwrap();
    assert_eq!(
        edits.remove,
        [
            "x-echo",
            "set-cookie",
            "access-control-allow-origin",
            "keyward-key-id"
        ]
    );
    let set = |name: &str| {
        edits
            .set
            .iter()
            .filter(|(found, _)| *found == name)
            .map(|(_, value)| value.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(set("location"), ["https://gate.example/llm/next?x=1"]);
    assert_eq!(set("cache-control"), ["private, max-age=9"]);
    assert_eq!(set("vary"), ["Accept, Origin"]);
    assert_eq!(set("access-control-allow-origin"), ["https://page.example"]);
}

#[test]
fn a_location_on_the_origin_is_mapped_back_whole() {
    let mut desk = desk(Kind::Private, "{}");
    let text = desk.head("GET", "/llm/x", &[BEARER]);
    let asker = asker(desk.call(&text));
    let route = desk.gateway.fixed(&text).unwrap().route;
    for (sent, expected) in [
        ("/v1/next", "https://gate.example/llm/next"),
        (
            "/v1//evil.example/x",
            "https://gate.example/llm//evil.example/x",
        ),
        (
            "/v1/\\evil.example",
            "https://gate.example/llm/\\evil.example",
        ),
        ("https://llm.example:443/v1/x", "https://gate.example/llm/x"),
        ("https://llm.example/v1", "https://gate.example/llm/"),
    ] {
        let headers = format!("location\n{sent}\n");
        let edits = desk
            .gateway
            .answer(&answered(route, Kind::Private, asker, &headers), NOW)
            .unwrap();
        let location = edits.set.iter().find(|(name, _)| *name == "location");
        assert_eq!(
            location.map(|(_, value)| value.as_str()),
            Some(expected),
            "{sent}"
        );
    }
    for sent in [
        "https://llm.example.evil/v1/x",
        "https://llm.example:444/v1/x",
        "/other",
        "//evil.example/v1/x",
    ] {
        let headers = format!("location\n{sent}\n");
        let edits = desk
            .gateway
            .answer(&answered(route, Kind::Private, asker, &headers), NOW)
            .unwrap();
        assert!(
            edits.set.iter().all(|(name, _)| *name != "location"),
            "{sent}"
        );
    }
}

#[test]
fn an_answer_that_needs_no_edit_is_handed_back_untouched() {
    let mut desk = desk(Kind::Private, "{}");
    let text = desk.head("GET", "/plain/x", &[BEARER]);
    let asker = asker(desk.call(&text));
    let edits = desk
        .gateway
        .answer(
            &answered(
                0,
                Kind::Private,
                asker,
                "cache-control\nno-store\nconnection\nkeep-alive\ncontent-type\na/b\nlocation\nhttps://elsewhere.example/\n",
            ),
            NOW,
        )
        .unwrap();
    assert!(edits.remove.is_empty() && edits.set.is_empty(), "{edits:?}");
}

#[test]
fn a_preflight_is_answered_before_authentication_and_never_forwarded() {
    let mut desk = desk(Kind::Public, r#"{"any_referrer":true}"#);
    let text = desk.head(
        "OPTIONS",
        "/plain/x",
        &[
            ("origin", "https://page.example"),
            ("access-control-request-method", "POST"),
        ],
    );
    assert!(matches!(desk.call(&text), Outcome::Respond(response) if response.status == 204));
}

#[test]
fn a_preflight_succeeds_where_the_request_will_be_refused_for_its_path_so_that_the_page_reads_why()
{
    let mut desk = desk(Kind::Public, r#"{"any_referrer":true}"#);
    for (target, code) in [
        ("/nowhere/x", "404 route_unknown"),
        ("/plain//x", "400 path_ambiguous"),
        ("/plain/%2e%2e/x", "400 path_ambiguous"),
    ] {
        let page = ("origin", "https://page.example");
        let asked = [
            page,
            ("access-control-request-method", "GET"),
            ("access-control-request-headers", "authorization"),
        ];
        let text = desk.head("OPTIONS", target, &asked);
        let Outcome::Respond(response) = desk.call(&text) else {
            panic!("{target} is not answered")
        };
        let value = |name: &str| {
            response
                .headers
                .iter()
                .find(|(found, _)| *found == name)
                .map(|(_, value)| value.as_str())
        };
        assert_eq!(response.status, 204, "{target}");
        assert_eq!(
            value("access-control-allow-origin"),
            Some("https://page.example")
        );
        assert_eq!(value("access-control-allow-headers"), Some("authorization"));
        assert_eq!(value("access-control-allow-credentials"), None);
        assert_eq!(value("access-control-max-age"), Some("0"));
        assert_eq!(desk.refused("GET", target, &[page, BEARER]), code);
    }
}
