//! Isolates, KV and meters on one table: the gateway is real, and so is the state machine of leases
//! behind each meter. What a meter's object adds to that is written here as plainly as can be.

pub(crate) mod calls;

use std::collections::BTreeMap;

use keyward_core::account::{Errand, LONGEST_MS, Question};
use keyward_core::gateway::{Gateway, Reply, Work};
use keyward_core::kind::Kind;
use keyward_core::lease::ASKS_PER_S;
use keyward_core::lease::meter::Meter;
use keyward_core::limits::Limits;
use keyward_core::metering::{Exchanged, MeterCall, MeterCommand, MeterReply, News};
use keyward_core::record::{Record, RevocationMode};
use keyward_core::records::{Loaded, Stored};
use keyward_core::route::Routes;
use keyward_core::secret::Digest;
use keyward_core::time::Millis;
use keyward_core::usage::Counts;

use super::desk::{NOW, keyring, native, record, sealed};

pub(crate) const STRICT: RevocationMode = RevocationMode::Strict;
pub(crate) const EVENTUAL: RevocationMode = RevocationMode::Eventual;
/// A field `limits`: ten calls a minute.
pub(crate) const RATE: &str = r#"{"rate":[{"name":"burst","limit":10,"window_s":60}]}"#;

pub(crate) const ROUTES: &str = r#"{"route":[
    {"host":"gate.example","path":"/one/**","origin":"https://origin.example"},
    {"path":"/three/**","origin":"https://origin.example","cost":3},
    {"path":"/free/**","origin":"https://origin.example","cost":0},
    {"path":"/gone/**","origin":"https://origin.example","credential":{"secret":"NOT_SET","header":"x-token"}},
    {"path":"/scoped/**","origin":"https://origin.example","scopes":["a:b"]}
]}"#;

/// A meter's object.
pub(crate) struct Object {
    pub(crate) meter: Meter,
    pub(crate) version: u64,
    pub(crate) records: BTreeMap<String, Record>,
    pub(crate) counts: Counts,
    /// By isolate.
    reports: BTreeMap<u64, u64>,
    pub(crate) asked: usize,
}

/// How meters answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    Fair,
    /// Nothing arrives.
    Down,
    /// What is sent arrives; the answers do not.
    Deaf,
}

pub(crate) struct World {
    pub(crate) isolates: Vec<Gateway>,
    pub(crate) objects: BTreeMap<String, Object>,
    pub(crate) kv: BTreeMap<String, Record>,
    pub(crate) now: Millis,
    pub(crate) weather: Weather,
    /// What waits for its time, by isolate, with all the delays since its call.
    pub(crate) errands: Vec<(Millis, usize, Errand, u64)>,
    /// How often a call waited for meters.
    pub(crate) waits: usize,
    pub(crate) reads: usize,
    /// What becomes of answers on their way.
    pub(crate) garble: Option<fn(String) -> String>,
}

pub(crate) fn world(isolates: u64) -> World {
    bounded(isolates, ROUTES)
}

pub(crate) fn bounded(isolates: u64, routes: &str) -> World {
    let isolate = |seed| {
        let routes = Routes::compile(&serde_json::from_str(routes).unwrap(), &|_| None).unwrap();
        Gateway::new(routes, keyring(), &|_| None, seed)
    };
    World {
        isolates: (1..=isolates).map(isolate).collect(),
        objects: BTreeMap::new(),
        kv: BTreeMap::new(),
        now: NOW,
        weather: Weather::Fair,
        errands: Vec::new(),
        waits: 0,
        reads: 0,
        garble: None,
    }
}

pub(crate) fn limits(json: &str) -> Limits {
    serde_json::from_str(json).unwrap()
}

pub(crate) fn keyed(mode: RevocationMode, limits: Limits) -> Record {
    Record {
        revocation: Some(mode),
        derivation: None,
        limits,
        ..record(Kind::Private, false)
    }
}

pub(crate) fn secret(start: u8) -> String {
    native(Kind::Private, start)
}

impl World {
    /// A secret of a key, in KV and in the key's meter.
    pub(crate) fn hold(&mut self, secret: &str, record: &Record) {
        self.kv.insert(secret.to_owned(), record.clone());
        self.tell(record);
    }

    /// The registry tells the key's meter of a record.
    pub(crate) fn tell(&mut self, record: &Record) {
        let now = self.now;
        let object = self.object(&format!("k/acme/{}", record.key_id));
        object.version = record.version;
        object
            .records
            .insert(record.secret_id.clone(), record.clone());
        object.meter.set_limits(record.limits.clone(), now);
    }

    pub(crate) fn object(&mut self, name: &str) -> &mut Object {
        let now = self.now;
        self.objects
            .entry(name.to_owned())
            .or_insert_with(|| Object {
                meter: Meter::new(Limits::default(), ASKS_PER_S, now),
                version: 0,
                records: BTreeMap::new(),
                counts: Counts::default(),
                reports: BTreeMap::new(),
                asked: 0,
            })
    }

    pub(crate) fn ask(&mut self, question: &Question) -> Option<String> {
        if self.weather == Weather::Down {
            return None;
        }
        let now = self.now;
        let call: MeterCall = serde_json::from_str(&question.body).unwrap();
        assert_eq!(call.subject.object(), question.object);
        let MeterCommand::Exchange(exchange) = call.command else {
            panic!("{}", question.body)
        };
        let object = self.object(&question.object);
        object.asked += 1;
        if let Some(report) = &exchange.usage {
            let taken = object.reports.entry(exchange.ask.isolate).or_default();
            if *taken < report.number {
                *taken = report.number;
                for (_, counts) in &report.minutes {
                    object.counts.take_in(counts);
                }
            }
        }
        let news = exchange
            .holds
            .and_then(|holds| match object.records.get(&holds.secret_id) {
                None => Some(News::Gone),
                Some(record) if record.version > holds.version => {
                    Some(News::Record(Box::new(record.clone())))
                }
                Some(_) => None,
            });
        let reply = MeterReply::Exchanged(Box::new(Exchanged {
            answer: object.meter.take(&exchange.ask, now),
            news,
            usage: exchange.usage.map(|report| report.number),
        }));
        let text = serde_json::to_string(&reply).unwrap();
        let garble = self.garble.unwrap_or(|text| text);
        (self.weather == Weather::Fair).then(|| garble(text))
    }

    pub(crate) fn note(&mut self, isolate: usize, work: &Work) {
        let mut read = work.refresh.clone();
        while let Some(load) = read {
            self.reads += 1;
            let held = (self.kv.iter()).find(|(secret, _)| Digest::of(secret) == load.digest);
            let held = held.map(|(secret, held)| sealed(keyring().current(), held, secret));
            let stored = held.as_deref().map_or(Stored::Missing, Stored::Found);
            let attempt = load.attempt;
            let loaded = Loaded { attempt, stored };
            read = self.isolates[isolate].refreshed(load.digest, loaded, self.now);
        }
        for errand in work.key.iter().chain(&work.owner).flatten() {
            let at = self.now.plus(errand.delay_ms);
            self.errands.push((at, isolate, *errand, errand.delay_ms));
        }
    }

    /// Lets time pass, with what is to be done on the way.
    pub(crate) fn pass(&mut self, ms: u64) {
        let until = self.now.plus(ms);
        loop {
            self.errands.sort_by_key(|(at, ..)| *at);
            match self.errands.first() {
                Some((at, ..)) if *at <= until => {}
                _ => break,
            }
            let (at, isolate, errand, total_ms) = self.errands.remove(0);
            self.now = self.now.max(at);
            self.run(isolate, errand, total_ms);
        }
        self.now = until;
    }

    fn run(&mut self, isolate: usize, errand: Errand, total_ms: u64) {
        assert!(total_ms <= LONGEST_MS, "the platform would end it");
        let (account, now) = (errand.account, self.now);
        let question = self.isolates[isolate].exchange(account, total_ms, now);
        let Some(question) = question else { return };
        let text = self.ask(&question).unwrap_or_default();
        let reply = Reply {
            account: question.account,
            number: question.number,
            text: &text,
        };
        if let Some(delay_ms) = self.isolates[isolate].exchanged(reply, total_ms, now) {
            let next = Errand { account, delay_ms };
            let at = now.plus(delay_ms);
            self.errands.push((at, isolate, next, total_ms + delay_ms));
        }
    }
}
