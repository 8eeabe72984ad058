use super::*;
use crate::lease::message::{Outcome, Report, Sort};
use crate::lease::{ASKS_PER_S, LEASE_MS};

mod changes;
mod grants;
mod holds;
mod hurried;
mod many;
mod paced;

/// 2026-01-31T23:00:00Z: an hour before the end of a month.
const START: Millis = Millis(1_769_900_400_000);
const HOUR: u64 = 3_600_000;

fn limits(json: &str) -> Limits {
    serde_json::from_str(json).unwrap()
}

fn rate(limit: u64, window_s: u64) -> Limits {
    limits(&format!(
        r#"{{"rate":[{{"name":"r","limit":{limit},"window_s":{window_s}}}]}}"#
    ))
}

fn quota(limit: u64, period: &str) -> Limits {
    limits(&format!(
        r#"{{"quota":[{{"name":"q","limit":{limit},"period":"{period}"}}]}}"#
    ))
}

fn credits(balance: u64) -> Limits {
    limits(&format!(r#"{{"credits":{{"balance":{balance}}}}}"#))
}

fn ask(isolate: u64, number: u64, need: u64, want: u64) -> Ask {
    Ask {
        isolate,
        number,
        need,
        want,
        lasts_ms: 0,
        leases: Vec::new(),
    }
}

fn report(number: u64, spent: u64) -> Report {
    Report {
        number,
        spent,
        age_ms: 0,
        held_ms: 0,
        closed: true,
    }
}

fn telling(ask: Ask, leases: &[Report]) -> Ask {
    Ask {
        leases: leases.to_vec(),
        ..ask
    }
}

fn at(ms: u64) -> Millis {
    START.plus(ms)
}

/// What was granted; 0 when it was refused.
fn granted(answer: &Answer) -> u64 {
    match answer.outcome {
        Outcome::Granted { amount, .. } => amount,
        _ => 0,
    }
}

fn retry(answer: &Answer) -> Option<u64> {
    match answer.outcome {
        Outcome::Exhausted { retry_ms, .. } => retry_ms,
        _ => panic!("not exhausted: {answer:?}"),
    }
}

fn free(meter: &mut Meter, now: Millis) -> u64 {
    meter.standing(now)[0].free
}

/// The most that was let through in any span of so long.
fn most_in_a_window(log: &[(Millis, u64)], window_ms: u64) -> u64 {
    let within = |end: Millis| {
        let inside = log
            .iter()
            .filter(move |(at, _)| *at <= end && end.since(*at) < window_ms);
        inside.map(|(_, units)| units).sum()
    };
    log.iter().map(|(at, _)| within(*at)).max().unwrap_or(0)
}
