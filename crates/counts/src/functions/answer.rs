//! `Gateway::answer`: what of the origin's answer is changed.

use keyward_core::gateway::{Answered, Outcome};
use keyward_core::kind::Kind;
use serde_json::{Value, json};

use super::call::{limited, public};
use crate::scene::{ANSWER, NOW, PAGE, Scene, head, record, secret};
use crate::valgrind::measure;

pub(super) const ALL: &[(&str, fn())] = &[
    ("answer: untouched", || {
        answer(Kind::Private, "", &json!({}), false);
    }),
    ("answer: CORS and RateLimit", || {
        let mut fields = limited();
        fields["restrictions"] = public()["restrictions"].clone();
        answer(Kind::Public, PAGE, &fields, true);
    }),
];

fn answer(kind: Kind, more: &str, fields: &Value, edited: bool) {
    let (secret, record) = (secret(kind), record(kind, fields));
    let mut scene = Scene::new(Some((&secret, &record)));
    let head = head("GET", "/v1/x", Some(&secret), more);
    for _ in 0..30 {
        scene.call(&head);
    }
    let fixed = scene.gateway.fixed(&head).expect("a registered plan");
    let Outcome::Forward { forward, .. } = scene.call(&head) else {
        panic!("the call is not forwarded");
    };
    let asker = forward.asker;
    let answered = Answered {
        route: fixed.route,
        kind: fixed.kind,
        account: fixed.account,
        asker,
        secret: "",
        status: 200,
        headers: ANSWER,
    };
    let gateway = &mut scene.gateway;
    assert!(gateway.answer(&answered, NOW).is_ok());
    let edits = measure(|| gateway.answer(&answered, NOW)).expect("edits");
    let has = |name| edits.set.iter().any(|(set, _)| *set == name);
    assert_eq!(has("access-control-allow-origin"), edited);
    assert_eq!(has("ratelimit"), edited);
    assert_eq!(edits.set.is_empty() && edits.remove.is_empty(), !edited);
}
