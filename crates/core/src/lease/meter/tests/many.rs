//! Three isolates that spend as they like, within the rules: no limit is ever passed.

use proptest::prelude::*;

use super::*;

/// A lease as its isolate knows it.
struct Own {
    number: u64,
    /// When the answer came: not before the meter gave it.
    from: Millis,
    end: Millis,
    left: u64,
    spent: u64,
    last: Millis,
}

#[derive(Default)]
struct Caller {
    number: u64,
    leases: Vec<Own>,
}

impl Caller {
    /// Asks; the meter hears it `delay_ms` later, though not before what it has heard already, and its
    /// answer may be lost.
    fn ask(&mut self, meter: &mut Meter, act: &Act, now: Millis) {
        let heard = now.plus(act.delay_ms).max(meter.clock);
        self.number += 1;
        let told = |own: &Own| Report {
            number: own.number,
            spent: own.spent,
            age_ms: now.since(own.last),
            held_ms: 0,
            closed: own.left == 0 || own.end <= now || act.close,
        };
        let leases: Vec<Report> = self.leases.iter().map(told).collect();
        let asked = Ask {
            isolate: act.who,
            number: self.number,
            need: act.need,
            want: act.want,
            lasts_ms: 0,
            leases,
        };
        let answer = meter.take(&asked, heard);
        if act.repeat {
            let again = meter.take(&asked, heard);
            assert_eq!(granted(&again), granted(&answer));
        }
        let closed = |number: u64| asked.leases.iter().any(|r| r.closed && r.number == number);
        self.leases.retain(|own| !closed(own.number));
        if let Outcome::Granted {
            amount, hold_ms, ..
        } = answer.outcome
            && amount > 0
            && !act.lose
        {
            self.leases.push(Own {
                number: self.number,
                from: heard,
                end: now.plus(hold_ms),
                left: amount,
                spent: 0,
                last: now,
            });
        }
    }

    fn spend(&mut self, units: u64, now: Millis, log: &mut Vec<(Millis, u64)>) {
        for own in &mut self.leases {
            if own.from <= now && now < own.end && own.left > 0 {
                let units = units.min(own.left);
                own.left -= units;
                own.spent += units;
                own.last = now;
                log.push((now, units));
            }
        }
    }
}

/// What happens next.
#[derive(Clone, Debug)]
struct Act {
    who: u64,
    pause_ms: u64,
    delay_ms: u64,
    need: u64,
    want: u64,
    spend: Option<u64>,
    close: bool,
    lose: bool,
    repeat: bool,
    /// The isolate restarts: what it held is never reported.
    die: bool,
    /// The meter starts again from what was written.
    restart: bool,
}

fn act() -> impl Strategy<Value = Act> {
    let pause = prop_oneof![6 => 0..40_u64, 3 => 0..900_u64, 1 => 0..9_000_u64, 1 => 0..99_000_u64];
    let odds = (0..10_u8, 0..12_u8, 0..6_u8, 0..40_u8, 0..20_u8);
    let units = (0..4_u64, prop_oneof![Just(0), 0..200_u64]);
    let spend = prop_oneof![Just(None), (0..40_u64).prop_map(Some)];
    (0..3_u64, pause, 0..400_u64, units, spend, odds).prop_map(
        |(who, pause_ms, delay_ms, (need, want), spend, odds)| Act {
            who,
            pause_ms,
            delay_ms,
            need,
            want,
            spend,
            close: odds.0 == 0,
            lose: odds.1 == 0,
            repeat: odds.2 == 0,
            die: odds.3 == 0,
            restart: odds.4 == 0,
        },
    )
}

proptest! {
    #[test]
    fn no_limit_is_ever_passed(
        acts in proptest::collection::vec(act(), 1..250),
        limit in prop_oneof![1..20_u64, 1..600_u64, Just(9_999)],
        window_s in 1..40_u64,
        daily in prop_oneof![1..8_u64, 1..900_u64],
        before_ms in prop_oneof![0..2_000_u64, 0..60_000_u64],
        balance in prop_oneof![1..900_u64, Just(9_999)],
    ) {
        let all = limits(&format!(
            r#"{{"rate":[{{"name":"r","limit":{limit},"window_s":{window_s}}}],
            "quota":[{{"name":"q","limit":{daily},"period":"day"}}],
            "credits":{{"balance":{balance}}}}}"#
        ));
        // Close to midnight, so that many leases are near it.
        let mut now = at(HOUR - before_ms);
        let mut meter = Meter::new(all, ASKS_PER_S, now);
        let mut stored = BTreeMap::new();
        let mut callers: Vec<Caller> = (0..3).map(|_| Caller::default()).collect();
        let mut log = Vec::new();
        for act in &acts {
            now = now.plus(act.pause_ms);
            let caller = &mut callers[act.who as usize];
            match act.spend {
                Some(units) => caller.spend(units, now, &mut log),
                None => caller.ask(&mut meter, act, now),
            }
            if act.die {
                caller.leases.clear();
            }
            for (name, part) in meter.changed() {
                match part {
                    Some(json) => stored.insert(name, json),
                    None => stored.remove(&name),
                };
            }
            if act.restart {
                meter = Meter::restore(stored.clone().into_iter(), ASKS_PER_S).unwrap();
            }
            // What is kept beside the isolates is what a walk through them finds.
            prop_assert_eq!(&meter.index, &Index::of(&meter.isolates, windows(&meter.counters), meter.clock));
        }
        let sum = |day: bool| -> u64 {
            let side = log.iter().filter(|(time, _)| (*time < at(HOUR)) == day);
            side.map(|(_, units)| units).sum()
        };
        prop_assert!(most_in_a_window(&log, window_s * 1_000) <= limit);
        prop_assert!(sum(true) <= daily);
        prop_assert!(sum(false) <= daily);
        prop_assert!(sum(true) + sum(false) <= balance);
    }

    #[test]
    fn an_isolate_that_asks_per_call_uses_nearly_all(
        limit in 40..400_u64,
        window_s in 2..120_u64,
        gap_ms in 1..20_u64,
    ) {
        let mut meter = Meter::new(rate(limit, window_s), ASKS_PER_S, START);
        let mut last: Vec<Report> = Vec::new();
        let (mut used, mut refused) = (0_u64, 0_u64);
        let span_ms = window_s * 4_000;
        let mut now = 0;
        let mut number = 0;
        while now < span_ms {
            number += 1;
            let answer = meter.take(&telling(ask(1, number, 1, 0), &last), at(now));
            last.clear();
            if granted(&answer) == 1 {
                used += 1;
                last.push(Report { age_ms: gap_ms, ..report(number, 1) });
                now += gap_ms;
            } else {
                refused += 1;
                now += retry(&answer).unwrap();
            }
        }
        // Where nothing was refused, calls were fewer than the limit.
        prop_assert!(refused == 0 || used * 100 >= limit * 4 * 95, "{used} of {}", limit * 4);
    }
}
