//! What is simulated: the arguments, and what follows from them.

use std::path::PathBuf;

use clap::Parser;
use keyward_core::lease::ASKS_PER_S;
use keyward_core::limits::Limits;

use crate::keys::{self, Class, Key};
use crate::world::World;

/// Simulates isolates, keys and meters with the gateway's own code, and checks every call that was
/// let through against its limit
#[derive(Parser)]
#[command(name = "keyward-sim", version)]
pub(crate) struct Arguments {
    /// Numbers of isolates, a run for each
    #[arg(long, value_delimiter = ',', default_value = "10,100,1000,10000")]
    pub(crate) isolates: Vec<u32>,
    /// Number of keys
    #[arg(long, default_value_t = 100_000)]
    keys: u32,
    /// Calls a second of one isolate
    #[arg(long, default_value_t = 2.0)]
    calls: f64,
    /// Minutes of simulated time
    #[arg(long, default_value_t = 60)]
    minutes: u64,
    /// A run that would make more calls is cut short
    #[arg(long, default_value_t = 7_200_000)]
    most_calls: u64,
    /// Exponent of Zipf's law: how much more often the first keys are used than the rest
    #[arg(long, default_value_t = 1.1)]
    zipf: f64,
    /// Round trips to the meters, shortest and longest, in milliseconds
    #[arg(long, num_args = 2, value_names = ["FROM", "TO"], default_values_t = [100, 300])]
    latency: Vec<u64>,
    /// Share of messages that are lost
    #[arg(long, default_value_t = 0.001)]
    loss: f64,
    /// Isolates that share one hot key, with and without adaptation; 0 for none
    #[arg(long, default_value_t = 10_000)]
    pub(crate) hot: u32,
    /// Seed of everything random
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A file of prices
    #[arg(long)]
    pub(crate) prices: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// One run.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    /// What it shows.
    pub(crate) name: String,
    pub(crate) isolates: u32,
    /// Calls a second, of all isolates together.
    pub(crate) calls: f64,
    pub(crate) seconds: u64,
    pub(crate) zipf: f64,
    /// One way, shortest and longest, in microseconds.
    pub(crate) latency: (u64, u64),
    pub(crate) loss: f64,
    pub(crate) seed: u64,
    /// How many keys are changed once each: those that are used most.
    pub(crate) changed: u32,
    /// In which time all isolates have started, in microseconds.
    pub(crate) start: u64,
    /// From when on nothing is left of that, in microseconds.
    pub(crate) steady: u64,
    /// How many asks a second a meter is to have at most, for long; one that bears any number does not
    /// adapt.
    pub(crate) bears: u64,
    /// The limits of the one hot key; all keys where there are none.
    hot: Option<Limits>,
}

/// How long a hot key is looked at, in seconds; how soon it is used everywhere; and from when on
/// that is over: leases last a minute at most.
const HOT_S: u64 = 200;
const HOT_START_S: u64 = 60;
const HOT_STEADY_S: u64 = 140;

impl Arguments {
    /// A run of so many isolates.
    pub(crate) fn growth(&self, isolates: u32) -> Scenario {
        let calls = self.calls * f64::from(isolates);
        let most = (self.most_calls as f64 / calls) as u64;
        Scenario {
            name: isolates.to_string(),
            isolates,
            calls,
            seconds: (self.minutes * 60).min(most.max(60)),
            zipf: self.zipf,
            latency: (self.latency[0] * 500, self.latency[1] * 500),
            loss: self.loss,
            seed: self.seed,
            changed: 1_000,
            start: 0,
            steady: 0,
            bears: ASKS_PER_S,
            hot: None,
        }
    }

    /// Runs with one key that all isolates use at once, each once a second.
    pub(crate) fn hot(&self) -> Vec<Scenario> {
        let calls = u64::from(self.hot);
        let rate = |limit: u64, window_s: u64| Limits {
            rate: vec![keys::rate(limit, window_s)],
            ..keys::none()
        };
        // What refuses adapts in itself: there is nothing to compare it with.
        let cases = [
            ("no limits", keys::none(), &[false, true][..]),
            ("10 times, 60 s", rate(calls * 60 * 10, 60), &[false, true]),
            ("10 times, 1 s", rate(calls * 10, 1), &[true]),
            ("100 times, 1 s", rate(calls * 100, 1), &[true]),
            ("half, 60 s", rate(calls * 60 / 2, 60), &[true]),
            ("half, 1 s", rate(calls / 2, 1), &[true]),
        ];
        let both = |(name, limits, adapts): (&str, Limits, &[bool])| {
            let scenario = |adapts: &bool| Scenario {
                name: name.to_owned(),
                calls: calls as f64,
                seconds: HOT_S,
                start: HOT_START_S * 1_000_000,
                steady: HOT_STEADY_S * 1_000_000,
                changed: 1,
                bears: if *adapts { ASKS_PER_S } else { u64::MAX },
                hot: Some(limits.clone()),
                ..self.growth(self.hot)
            };
            adapts.iter().map(scenario).collect::<Vec<_>>()
        };
        cases.into_iter().flat_map(both).collect()
    }
}

impl Scenario {
    /// Its world.
    pub(crate) fn world(&self, arguments: &Arguments) -> World {
        let keys = match &self.hot {
            None => keys::keys(
                arguments.keys,
                self.isolates,
                self.calls,
                self.zipf,
                self.seconds,
            ),
            Some(limits) => vec![Key {
                class: match (limits.is_metered(), self.name.starts_with("half")) {
                    (false, _) => Class::Free,
                    (true, false) => Class::Slack,
                    (true, true) => Class::Tight,
                },
                limits: limits.clone(),
                waits: true,
                isolates: (0, self.isolates),
            }],
        };
        World::new(self.clone(), keys)
    }
}
