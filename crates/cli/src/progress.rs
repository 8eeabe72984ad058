//! A progress bar on standard error, where that is a terminal; else nothing.

use std::fmt;
use std::io::{self, IsTerminal as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::output::Output;

/// How far something has got.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Begins to show it. Without a total there is a count and a rate, and no end in sight.
    pub(crate) fn new(output: &Output, total: Option<u64>, unit: &str) -> Self {
        if output.json || !io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
        let template = match total {
            Some(_) => {
                format!("{{bar:30}} {{human_pos}}/{{human_len}} {unit}  {{rate}}  {{eta}} left")
            }
            None => format!("{{spinner}} {{human_pos}} {unit}  {{rate}}"),
        };
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style.with_key("rate", rate));
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// What was done by an earlier run counts as done and not for the rate.
    pub(crate) fn start_at(&self, position: u64) {
        self.0.set_position(position);
        self.0.reset_eta();
    }

    /// It has got to here.
    pub(crate) fn set(&self, position: u64) {
        self.0.set_position(position);
    }

    /// There is this much of it now.
    pub(crate) fn set_total(&self, total: u64) {
        self.0.set_length(total);
    }

    /// Prints something while the bar is out of the way.
    pub(crate) fn hide<T>(&self, print: impl FnOnce() -> T) -> T {
        self.0.suspend(print)
    }

    /// Says something above the bar.
    pub(crate) fn say(&self, output: &Output, text: &str) {
        self.0.suspend(|| output.say(text));
    }
}

fn rate(state: &ProgressState, text: &mut dyn fmt::Write) {
    // What cannot be written is not shown.
    let _ = write!(text, "{:.0}/s", state.per_sec());
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
