//! What can happen next.

use super::{Action, Message, Scenario, Seat, World};
use crate::fingerprint::Shared;
use crate::sides::{Counts, Spends};

impl<M: Counts, H: Spends> World<M, H> {
    /// What can happen next.
    pub(crate) fn actions(&self, scenario: &Scenario) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.is_parted() {
            match self.seats.iter().position(|seat| !seat.rests) {
                _ if !self.meter_rests => {
                    self.actions_of_meter(&mut actions);
                    actions.push(Action::MeterRests);
                }
                Some(seat) => {
                    self.actions_of(seat, scenario, &mut actions);
                    actions.push(Action::Rest { seat });
                }
                None => {}
            }
            return actions;
        }
        for (place, seat) in self.seats.iter().enumerate() {
            // Of isolates that have done nothing and whose clocks agree, one is as good as another.
            let same = |other: &Shared<Seat<H>>| other.is_new() && other.clock == seat.clock;
            if !(seat.is_new() && self.seats.iter().take(place).any(same)) {
                self.actions_of(place, scenario, &mut actions);
            }
        }
        self.actions_of_meter(&mut actions);
        if self.left.steps > 0 {
            let pass = |millis: &u64| Action::Pass { millis: *millis };
            actions.extend(scenario.steps.iter().map(pass));
        }
        actions
    }

    fn actions_of(&self, place: usize, scenario: &Scenario, actions: &mut Vec<Action>) {
        let seat = &self.seats[place];
        if self.left.calls > 0 {
            let call = |cost: &u64| Action::Call {
                seat: place,
                cost: *cost,
            };
            actions.extend(scenario.costs.iter().map(call));
        }
        if self.left.asks > 0 {
            actions.push(Action::Background { seat: place });
        }
        let give_up = |(number, _): &(u64, u64)| Action::GiveUp {
            seat: place,
            number: *number,
        };
        actions.extend(seat.waiting.iter().map(give_up));
        // One that has done nothing is as good as a new one.
        if self.left.isolate_crashes > 0 && !seat.is_new() {
            actions.push(Action::KillIsolate { seat: place });
        }
        if self.left.jumps > 0 {
            let jump = |by: &i64| Action::Jump {
                seat: place,
                by: *by,
            };
            actions.extend(scenario.jumps.iter().map(jump));
        }
        let answers = self.messages.iter().filter(|(message, _)| {
            matches!(&**message, Message::Answer { isolate, .. } if *isolate == seat.isolate)
        });
        actions.extend(answers.map(|(message, _)| Action::Deliver(message.clone())));
    }

    fn actions_of_meter(&self, actions: &mut Vec<Action>) {
        let messages = self.messages.iter();
        let asks = messages.filter(|(message, _)| matches!(**message, Message::Ask(_)));
        actions.extend(asks.map(|(message, _)| Action::Deliver(message.clone())));
        if self.left.meter_crashes > 0 {
            actions.push(Action::KillMeter);
        }
    }
}
