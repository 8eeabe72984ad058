//! The public suffixes in the module against the list that the `psl` crate carries.
//!
//! After an update of `psl`, `KEYWARD_WRITE_SUFFIXES=1 cargo test -p keyward-core --test restrict
//! suffixes` writes `src/restrict/suffix.bin` anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use keyward_core::restrict::suffix::{is_public_suffix, is_shared};
use proptest::prelude::*;

const SUFFIX: u8 = 1;
const EXCEPTION: u8 = 2;
const PARENT: u8 = 4;

/// Labels from the right, with what the list says of the name that ends there.
#[derive(Default)]
struct Node {
    listed: u8,
    below: BTreeMap<String, Node>,
}

impl Node {
    fn of(rules: &[String]) -> Self {
        let mut root = Self::default();
        for rule in rules {
            let (name, listed) = rule
                .strip_prefix('!')
                .map_or((rule.as_str(), SUFFIX), |name| (name, EXCEPTION));
            let mut node = &mut root;
            for label in name.rsplit('.') {
                node = node.below.entry(label.to_owned()).or_default();
            }
            node.listed = listed;
        }
        root
    }

    fn write(&self, list: &mut Vec<u8>) {
        for (label, node) in &self.below {
            list.extend(label.bytes());
            if node.below.is_empty() {
                list.push(node.listed);
            } else {
                let mut below = Vec::new();
                node.write(&mut below);
                list.push(node.listed | PARENT);
                list.extend(u16::try_from(below.len()).unwrap().to_le_bytes());
                list.extend(below);
            }
        }
    }
}

/// The rules in the sources of `psl`, in lower case and punycode.
fn rules_of_psl() -> Vec<String> {
    let host = output(Command::new("rustc").arg("-vV"));
    let host = host
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap();
    let metadata = output(
        Command::new(env!("CARGO"))
            .args([
                "metadata",
                "--format-version",
                "1",
                "--filter-platform",
                host,
            ])
            .current_dir(env!("CARGO_MANIFEST_DIR")),
    );
    let metadata: serde_json::Value = serde_json::from_str(&metadata).unwrap();
    let psl = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .find(|package| package["name"] == "psl")
        .unwrap();
    let list = Path::new(psl["manifest_path"].as_str().unwrap())
        .with_file_name("data")
        .join("rules.txt");
    let list = std::fs::read_to_string(list).unwrap();
    list.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .map(|rule| {
            let name = rule.trim_start_matches(['!', '*', '.']);
            let start = rule.strip_suffix(name).unwrap();
            format!("{start}{}", url::Host::parse(name).unwrap())
        })
        .collect()
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_list_in_the_module_is_the_list_of_the_psl_crate() {
    let mut list = Vec::new();
    Node::of(&rules_of_psl()).write(&mut list);
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/restrict/suffix.bin");
    if std::env::var_os("KEYWARD_WRITE_SUFFIXES").is_some() {
        std::fs::write(&file, &list).unwrap();
    }
    assert!(
        std::fs::read(&file).unwrap() == list,
        "suffix.bin is out of date: see the head of this test"
    );
}

/// Whether `psl` says the same. It overlooks that `*.futurecms.at` holds for `ex.futurecms.at` too
/// when there is also a rule for `*.ex.futurecms.at`; what it says of a sibling is right.
fn agrees_with_psl(host: &str) -> bool {
    let listed = is_public_suffix(host);
    let sibling = host
        .split_once('.')
        .map(|(_, parent)| format!("any.{parent}"));
    listed == is_public_suffix_by_psl(host)
        || (listed && sibling.is_some_and(|sibling| is_public_suffix_by_psl(&sibling)))
}

fn is_public_suffix_by_psl(host: &str) -> bool {
    psl::suffix(host.as_bytes()).is_some_and(|suffix| suffix.is_known() && suffix == host)
}

#[test]
fn every_rule_and_its_neighbours_are_decided_as_psl_decides() {
    for rule in rules_of_psl() {
        let name = rule.trim_start_matches(['!', '*', '.']);
        for host in [
            name.to_owned(),
            format!("any.{name}"),
            format!("any.any.{name}"),
            format!("any{name}"),
        ] {
            assert!(agrees_with_psl(&host), "{host}");
        }
    }
}

#[test]
fn names_below_which_strangers_live_are_shared() {
    for (host, shared) in [
        ("com", true),
        ("co.uk", true),
        ("github.io", true),
        ("pages.dev", true),
        ("workers.dev", true),
        ("xn--p1ai", true),
        ("xn--55qx5d.cn", true),
        ("ck", true),
        ("any.ck", true),
        ("www.ck", false),
        ("kawasaki.jp", true),
        ("any.kawasaki.jp", true),
        ("city.kawasaki.jp", false),
        ("example.com", false),
        ("example.co.uk", false),
        ("example.github.io", false),
        ("localhost", false),
        ("internal", false),
        ("", false),
        (".", false),
        ("*", false),
        ("com.", false),
        ("\u{1}", false),
    ] {
        assert_eq!(is_shared(host), shared, "{host:?}");
    }
}

proptest! {
    #[test]
    fn any_text_is_decided_without_a_panic(host in any::<String>()) {
        let _ = is_shared(&host);
    }

    #[test]
    fn generated_names_are_decided_as_psl_decides(
        labels in prop::collection::vec("[a-z]{1,2}|www|city|kobe|blogspot|github|s3|compute|amazonaws", 0..3),
        top in "[a-z]{2}|com|jp|ck|io|dev|co.uk|kobe.jp|github.io|amazonaws.com",
    ) {
        let host = labels.iter().map(String::as_str).chain([top.as_str()]).collect::<Vec<_>>().join(".");
        prop_assert!(agrees_with_psl(&host), "{}", host);
    }
}
