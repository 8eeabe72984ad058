//! What an isolate knows of credentials: when they are read, how long they hold, and what displaces them.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use keyward_core::keyring::Keyring;
use keyward_core::names::credential_name;
use keyward_core::refusal::Refusal;
use keyward_core::route::{GatewayFile, Routes};
use keyward_core::time::Millis;
use keyward_core::vault::{
    ABSENT_MS, Answer, FRESH_MS, Found, GONE_MS, HARD_MS, MARK_MS, MOST, Read, STALE_MS, Vault,
};
use proptest::prelude::*;

const KEYRING: &str =
    "b2:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE,a1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const FILE: &str = r#"{"route":[
    {"path":"/p/**","origin":"https://one.example","credential":{"project_secret":"P","header":"a"}},
    {"path":"/q/**","origin":"https://one.example/base","credential":{"project_secret":"P","query":"k"}},
    {"path":"/r/**","origin":"https://two.example","credential":{"project_secret":"P","header":"a"}},
    {"path":"/s/**","origin":"https://one.example","credential":{"secret":"STORED","header":"a"}},
    {"path":"/t/**","origin":"https://one.example","credential":{"secret":"TEXT","header":"a"}},
    {"path":"/u/**","origin":"https://one.example","credential":{"secret":"UNSET","header":"a"}},
    {"path":"/v/**","origin":"https://one.example"}
]}"#;
const T0: Millis = Millis(1_000_000);

struct World {
    vault: Vault,
    routes: Routes,
    keyring: Keyring,
}

fn world() -> World {
    let file: GatewayFile = serde_json::from_str(FILE).unwrap();
    let routes = Routes::compile(&file, &|_| None).unwrap();
    let lookup = |name: &str| (name == "TEXT").then(|| "from a secret".to_owned());
    World {
        vault: Vault::new(&routes, &lookup, &|name| name == "STORED"),
        routes,
        keyring: Keyring::parse(KEYRING).unwrap(),
    }
}

impl World {
    /// The value that a call gets, and the read that it makes in the background; or the one it waits for.
    fn find(
        &mut self,
        route: usize,
        project: &str,
        answered: bool,
        now: Millis,
    ) -> Result<(Option<String>, Option<Read>), Refusal> {
        let route = self.routes.get(route).unwrap();
        let found = self
            .vault
            .find(route, project, &self.keyring, answered, now)?;
        Ok(match found {
            None => (None, None),
            Some(Found::Ready(value, read)) => (Some(value.text.clone()), read),
            Some(Found::Read(read)) => (None, Some(read)),
        })
    }

    /// Reads as a cold call does.
    fn load(&mut self, route: usize, project: &str, answer: Answer<'_>, now: Millis) {
        let (value, read) = self.find(route, project, false, now).unwrap();
        assert_eq!(value, None);
        self.vault.take(&read.unwrap().0, answer, now);
    }

    fn value(&mut self, route: usize, project: &str, now: Millis) -> Option<String> {
        self.find(route, project, true, now).ok()?.0
    }
}

#[test]
fn a_read_says_what_to_read_in_the_order_of_the_entries() {
    let mut world = world();
    let (_, read) = world.find(2, "acme", false, T0).unwrap();
    let names: Vec<_> = world
        .keyring
        .in_force()
        .map(|entry| credential_name(entry, "acme", "P"))
        .collect();
    assert!(names[0].starts_with("c/b2/") && names[1].starts_with("c/a1/"));
    let expected = format!(
        "1 1000000 acme/P/https://two.example {} {}",
        names[0], names[1]
    );
    assert_eq!(read.unwrap().0, expected);
    let (_, read) = world.find(3, "acme", false, T0).unwrap();
    assert_eq!(read.unwrap().0, "2 1000000 STORED");
}

#[test]
fn routes_share_what_goes_to_the_same_origin_and_nothing_else() {
    let mut world = world();
    world.load(0, "acme", Answer::Value(1, "v"), T0);
    assert_eq!(world.value(0, "acme", T0).as_deref(), Some("v"));
    assert_eq!(world.value(1, "acme", T0).as_deref(), Some("v"));
    assert_eq!(world.value(2, "acme", T0), None);
    assert_eq!(world.value(0, "other", T0), None);
    world.load(3, "acme", Answer::Value(0, "stored"), T0);
    assert_eq!(world.value(3, "other", T0).as_deref(), Some("stored"));
    assert_eq!(
        world.find(4, "acme", false, T0),
        Ok((Some("from a secret".to_owned()), None))
    );
    let unset = Err(Refusal::CredentialUnavailable);
    assert_eq!(world.find(5, "acme", false, T0), unset);
    assert_eq!(world.find(6, "acme", false, T0), Ok((None, None)));
}

#[test]
fn a_value_ages() {
    let mut world = world();
    world.load(0, "acme", Answer::Value(1, "v"), T0);
    let held = Some("v".to_owned());
    let mut at = |ms, answered| world.find(0, "acme", answered, T0.plus(ms));
    assert_eq!(at(FRESH_MS - 1, false), Ok((held.clone(), None)));
    let (value, read) = at(FRESH_MS, false).unwrap();
    assert!(value == held && read.is_some());
    assert_eq!(at(FRESH_MS + 1, false), Ok((held.clone(), None)), "marked");
    assert!(at(FRESH_MS + MARK_MS, false).unwrap().1.is_some());
    let (value, read) = at(HARD_MS, false).unwrap();
    assert!(value.is_none() && read.is_some());
    assert_eq!(at(STALE_MS, true), Ok((held, None)), "its place has failed");
    assert_eq!(at(STALE_MS + 1, true), Err(Refusal::CredentialUnavailable));
    let before = world.find(0, "acme", false, Millis(T0.0 - 1)).unwrap();
    assert!(
        before.0.is_none() && before.1.is_some(),
        "the clock moved back"
    );
}

#[test]
fn what_is_not_there_or_not_readable_is_remembered_shortly_and_logged_without_values() {
    for answer in [
        Answer::Missing,
        Answer::Unreadable,
        Answer::Value(1, ""),
        Answer::Value(1, "line\nbreak"),
        Answer::Value(1, " blank"),
        Answer::Value(1, "é"),
    ] {
        let mut world = world();
        world.load(0, "acme", Answer::Value(1, "v"), T0);
        let (_, read) = world.find(0, "acme", false, T0.plus(HARD_MS)).unwrap();
        let now = T0.plus(HARD_MS);
        let log = world.vault.take(&read.unwrap().0, answer, now);
        let (field, detail) = log.unwrap();
        assert_eq!(field, "route[0].credential.project_secret");
        assert!(!detail.contains("blank") && !detail.contains('\n'));
        let refused = Err(Refusal::CredentialUnavailable);
        assert_eq!(world.find(0, "acme", true, now), refused);
        let later = now.plus(ABSENT_MS);
        assert_eq!(
            world.find(0, "acme", false, Millis(later.0 - 1)),
            refused,
            "no read"
        );
        assert!(world.find(0, "acme", false, later).unwrap().1.is_some());
    }
}

#[test]
fn an_older_version_and_an_older_answer_displace_nothing() {
    let mut world = world();
    world.load(0, "acme", Answer::Value(5, "new"), T0);
    let read = |asked: u64| format!("0 {asked} acme/P/https://one.example x");
    let now = T0.plus(HARD_MS);
    world.vault.take(&read(now.0), Answer::Value(4, "old"), now);
    assert_eq!(world.value(0, "acme", now).as_deref(), Some("new"));
    // It is not fresher for that.
    let later = now.plus(MARK_MS);
    assert!(world.find(0, "acme", false, later).unwrap().1.is_some());
    let dead = T0.plus(STALE_MS + 1);
    world
        .vault
        .take(&read(dead.0), Answer::Value(4, "old"), dead);
    assert_eq!(world.value(0, "acme", dead).as_deref(), Some("old"));
    // What was asked for before that comes late.
    world
        .vault
        .take(&read(dead.0 - 1), Answer::Value(3, "late"), dead.plus(1));
    assert_eq!(world.value(0, "acme", dead.plus(1)).as_deref(), Some("old"));
}

#[test]
fn what_is_not_there_or_not_readable_makes_no_older_version_acceptable() {
    let now = T0.plus(HARD_MS);
    let until = Millis(now.0 + STALE_MS);
    let read = |asked: Millis| format!("0 {} acme/P/https://one.example x", asked.0);
    for (between, same) in [(Answer::Unreadable, true), (Answer::Missing, false)] {
        let after = |answer, at: Millis| {
            let mut world = world();
            world.load(0, "acme", Answer::Value(5, "five"), T0);
            world.vault.take(&read(now), between, now);
            // Said once more, it holds no longer.
            world.vault.take(&read(now.plus(1)), between, now.plus(1));
            world.vault.take(&read(at), answer, at);
            world.value(0, "acme", at)
        };
        let soon = now.plus(ABSENT_MS + 1);
        assert_eq!(after(Answer::Value(4, "four"), soon), None, "{between:?}");
        let five = after(Answer::Value(5, "five"), soon);
        assert_eq!(five.is_some(), same, "{between:?}");
        assert!(after(Answer::Value(6, "six"), soon).is_some());
        let older = after(Answer::Value(4, "four"), until);
        assert_eq!(older.is_some(), same, "{between:?}");
        assert!(after(Answer::Value(4, "four"), until.plus(1)).is_some());
        // What was deleted is not given out for longer: what is there then was lost, and published again.
        let gone = now.plus(GONE_MS);
        let last = after(Answer::Value(5, "five"), gone);
        assert_eq!(last.is_some(), same, "{between:?}");
        assert!(after(Answer::Value(5, "five"), gone.plus(1)).is_some());
    }
    // What has no versions comes back at once.
    let mut world = world();
    world.load(3, "acme", Answer::Value(0, "stored"), T0);
    let read = format!("2 {} STORED", now.0);
    world.vault.take(&read, Answer::Missing, now);
    assert_eq!(world.value(3, "acme", now), None);
    world.vault.take(&read, Answer::Value(0, "stored"), now);
    assert_eq!(world.value(3, "acme", now).as_deref(), Some("stored"));
}

#[test]
fn a_place_that_fails_is_not_asked_again_at_once() {
    let mut world = world();
    let none = Err(Refusal::CredentialUnavailable);
    world.load(0, "acme", Answer::Failed, T0);
    assert_eq!(world.find(0, "acme", false, T0.plus(MARK_MS - 1)), none);
    let began = T0.plus(MARK_MS);
    world.load(0, "acme", Answer::Value(1, "v"), began);
    let held = Some("v".to_owned());
    for age in [HARD_MS - 1, HARD_MS + MARK_MS, STALE_MS - MARK_MS] {
        let now = began.plus(age);
        let (_, read) = world.find(0, "acme", false, now).unwrap();
        world.vault.take(&read.unwrap().0, Answer::Failed, now);
        let soon = now.plus(MARK_MS - 1);
        assert_eq!(world.find(0, "acme", false, soon), Ok((held.clone(), None)));
        let later = world.find(0, "acme", false, now.plus(MARK_MS)).unwrap();
        assert!(later.1.is_some(), "{age}");
    }
    let dead = began.plus(STALE_MS + 1);
    let (_, read) = world.find(0, "acme", false, dead).unwrap();
    world.vault.take(&read.unwrap().0, Answer::Failed, dead);
    assert_eq!(world.find(0, "acme", false, dead), none);
}

#[test]
fn a_failure_displaces_no_value() {
    let mut world = world();
    for number in 0..MOST as u64 {
        world.load(0, &format!("p{number}"), Answer::Value(1, "v"), T0);
    }
    world.load(0, "one more", Answer::Failed, T0);
    for number in 0..MOST as u64 {
        assert!(world.value(0, &format!("p{number}"), T0).is_some());
    }
}

#[test]
fn a_bounded_number_of_projects_is_kept_those_used_last() {
    let mut world = world();
    for number in 0..=MOST as u64 {
        let project = format!("p{number}");
        world.load(0, &project, Answer::Value(1, "v"), T0.plus(number));
        assert!(world.value(0, "p0", T0.plus(number)).is_some());
    }
    let now = T0.plus(MOST as u64 + 1);
    assert!(world.value(0, "p1", now).is_none());
    assert!(world.value(0, "p2", now).is_some());
}

proptest! {
    #[test]
    fn nothing_that_is_given_back_panics(text in ".{0,60}", version in any::<u64>(), value in ".{0,10}") {
        let mut world = world();
        world.vault.take(&text, Answer::Value(version, &value), T0);
        let odd = format!("{text} {value}");
        world.vault.take(&odd, Answer::Missing, T0);
    }
}
