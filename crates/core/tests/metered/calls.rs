//! Calls of an isolate, with all that they wait for.

use std::collections::BTreeMap;

use keyward_core::account::{MOST_ASKING, Question};
use keyward_core::gateway::{Outcome, Reply, Response, Waited, Work};
use keyward_core::records::{Loaded, Stored};
use keyward_core::time::Millis;
use serde_json::Value;

use super::World;
use crate::desk::{answered, keyring, sealed};

/// What came of a call.
#[derive(Debug)]
pub(crate) struct Called {
    /// `ok`, or the code of the refusal.
    pub(crate) code: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) limit: Option<String>,
}

impl World {
    pub(crate) fn head(path: &str, secret: &str) -> String {
        format!("GET\nhttps://gate.example{path}\nx-api-key\n{secret}\ncf-ipcountry\nNZ\n")
    }

    /// One call of an isolate, with all that it waits for.
    pub(crate) fn call(&mut self, isolate: usize, path: &str, secret: &str) -> Called {
        let head = Self::head(path, secret);
        self.call_with(isolate, &head, secret)
    }

    pub(crate) fn call_with(&mut self, isolate: usize, head: &str, secret: &str) -> Called {
        let mut value = None;
        let mut replies: Vec<(u64, u64, String)> = Vec::new();
        let mut patience = 0;
        for _ in 0..200 {
            let loaded = value.take();
            let stored = |text: &Option<String>| match text {
                Some(text) => Stored::Found(text.clone().leak()),
                None => Stored::Missing,
            };
            let heard: Vec<_> = replies
                .iter()
                .map(|(account, number, text)| Reply {
                    account: *account,
                    number: *number,
                    text,
                })
                .collect();
            let waited = Waited {
                unlocked: false,
                patience,
                loaded: loaded.map(|(attempt, text)| Loaded {
                    attempt,
                    stored: stored(&text),
                }),
                replies: &heard,
            };
            let now = self.now;
            match self.isolates[isolate].resume(head, now, waited) {
                Outcome::Load(load) => {
                    self.reads += 1;
                    let held = self.kv.get(secret);
                    let held = held.map(|held| sealed(keyring().current(), held, secret));
                    value = Some((load.attempt, held));
                    replies.clear();
                }
                Outcome::Ask(ask) => {
                    self.waits += 1;
                    patience = ask.patience;
                    self.now = self.now.plus(ask.pause_ms.into());
                    replies = (ask.questions.iter())
                        .map(|question| {
                            let answer = self.ask(question).or_else(|| self.ask(question));
                            let text = answer.unwrap_or_default();
                            (question.account, question.number, text)
                        })
                        .collect();
                }
                Outcome::Forward { forward, work, .. } => {
                    let now = self.now;
                    let edits = answered(&mut self.isolates[isolate], head, forward.asker, now);
                    let headers = edits.set.iter();
                    let headers = headers
                        .map(|(name, value)| ((*name).to_owned(), value.clone()))
                        .collect();
                    let told = Work {
                        key: [edits.errand, None],
                        ..Work::default()
                    };
                    self.note(isolate, &told);
                    self.note(isolate, &work);
                    return Called {
                        code: "ok".to_owned(),
                        headers,
                        limit: None,
                    };
                }
                Outcome::Respond(response) => {
                    self.note(isolate, &response.work);
                    return refused(&response);
                }
                outcome => panic!("{outcome:?}"),
            }
        }
        panic!("the call waits on and on")
    }

    /// Many calls of an isolate that begin together, as the platform interleaves them. Answers come
    /// in the order in which they were asked for, 5 ms later.
    pub(crate) fn at_once(
        &mut self,
        isolate: usize,
        path: &str,
        secret: &str,
        calls: usize,
    ) -> Vec<String> {
        let head = Self::head(path, secret);
        assert_eq!(
            self.call(isolate, "/scoped/x", secret).code,
            "scope_missing"
        );
        // What a call waits with: its patience, when it goes on, and its questions.
        let mut waiting: Vec<(u32, Millis, Vec<Question>)> = vec![(0, self.now, Vec::new()); calls];
        let mut codes = Vec::new();
        let mut most = 0;
        while !waiting.is_empty() {
            waiting.sort_by_key(|(_, at, _)| *at);
            let (patience, at, questions) = waiting.remove(0);
            self.now = self.now.max(at);
            let answers: Vec<_> = (questions.iter())
                .map(|question| (question, self.ask(question).unwrap_or_default()))
                .collect();
            let replies: Vec<_> = (answers.iter())
                .map(|(question, text)| Reply {
                    account: question.account,
                    number: question.number,
                    text,
                })
                .collect();
            let waited = Waited {
                unlocked: false,
                patience,
                loaded: None,
                replies: &replies,
            };
            let now = self.now;
            match self.isolates[isolate].resume(&head, now, waited) {
                Outcome::Ask(ask) => {
                    let pause = u64::from(ask.pause_ms).max(5);
                    waiting.push((ask.patience, now.plus(pause), ask.questions));
                    let asking = waiting.iter().filter(|(.., asked)| !asked.is_empty());
                    most = most.max(asking.count());
                }
                Outcome::Forward { .. } => codes.push("ok".to_owned()),
                Outcome::Respond(response) => codes.push(refused(&response).code),
                outcome => panic!("{outcome:?}"),
            }
        }
        assert!(most <= MOST_ASKING, "{most} asked at once");
        codes
    }

    pub(crate) fn codes(
        &mut self,
        isolate: usize,
        path: &str,
        secret: &str,
        calls: usize,
    ) -> Vec<String> {
        (0..calls)
            .map(|_| self.call(isolate, path, secret).code)
            .collect()
    }

    pub(crate) fn passed(
        &mut self,
        isolate: usize,
        path: &str,
        secret: &str,
        calls: usize,
    ) -> usize {
        let codes = self.codes(isolate, path, secret, calls);
        codes.iter().filter(|code| *code == "ok").count()
    }
}

fn refused(response: &Response) -> Called {
    let problem: Value = serde_json::from_str(&response.body).unwrap();
    let headers = response.headers.iter();
    Called {
        code: problem["code"].as_str().unwrap().to_owned(),
        headers: headers
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
        limit: problem["limit"].as_str().map(str::to_owned),
    }
}
