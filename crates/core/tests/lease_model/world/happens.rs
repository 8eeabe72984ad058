//! What becomes of the world when something happens.

use std::rc::Rc;

use keyward_core::lease::message::Answer;

use super::{ASK_DELIVERIES, Action, Message, Scenario, World, marks};
use crate::fingerprint::Shared;
use crate::sides::{Call, Counts, Spends};

impl<M: Counts, H: Spends> World<M, H> {
    /// Lets it happen.
    pub(crate) fn act(&mut self, action: &Action, scenario: &Scenario) {
        match action {
            Action::Start => {}
            Action::Call { seat, cost } => {
                self.left.calls -= 1;
                let now = self.clock(*seat);
                let call = self.seats[*seat].holder.spend(*cost, now);
                self.called(*seat, *cost, call);
            }
            Action::Background { seat } => {
                let now = self.clock(*seat);
                if self.seats[*seat].holder.due(now) {
                    self.ask(*seat, 0);
                }
            }
            Action::Deliver(message) => {
                match &**message {
                    Message::Ask(ask) => {
                        for (sent, left) in &mut self.messages {
                            *left -= u8::from(**sent == **message);
                        }
                        self.messages.retain(|(_, left)| *left > 0);
                        let answer = self.meter.take(ask, self.now);
                        let before = Rc::clone(&self.disk);
                        self.meter.write(&mut self.disk);
                        if !Rc::ptr_eq(&before, &self.disk) {
                            self.disk_marks = Rc::new(marks(&self.disk));
                        }
                        let isolate = ask.isolate;
                        // Nobody is there to take the answer to one that was killed.
                        if self.seats.iter().any(|seat| seat.isolate == isolate) {
                            self.send(Message::Answer { isolate, answer });
                        }
                    }
                    Message::Answer { isolate, answer } => self.answered(*isolate, answer),
                }
            }
            Action::GiveUp { seat, number } => {
                let now = self.clock(*seat);
                let seat = &mut self.seats[*seat];
                seat.waiting.retain(|(waiting, _)| waiting != number);
                seat.holder.unanswered(*number, now);
            }
            Action::KillIsolate { seat } => {
                self.left.isolate_crashes -= 1;
                let new = self.isolate(self.seats[*seat].clock);
                let old = std::mem::replace(&mut self.seats[*seat], Shared::new(new));
                self.wasted += old.at_stake;
                self.lose_answers(old.isolate);
            }
            Action::KillMeter => {
                self.left.meter_crashes -= 1;
                // An ask that was refused may be granted when it is repeated, by rule 7.
                let asks = self
                    .messages
                    .iter()
                    .filter_map(|(message, _)| match &**message {
                        Message::Ask(ask) => Some(ask.need + ask.want.min(self.share)),
                        Message::Answer { .. } => None,
                    });
                self.wasted += asks.sum::<u64>();
                self.meter = Shared::new(M::restore(&self.disk, &scenario.limits, self.now));
            }
            Action::Jump { seat, by } => {
                self.left.jumps -= 1;
                self.seats[*seat].clock += by;
            }
            Action::Pass { millis } => {
                self.left.steps -= 1;
                self.now = self.now.plus(*millis);
            }
            Action::MeterRests => {
                self.meter_rests = true;
                let messages = &mut self.messages;
                messages.retain(|(message, _)| matches!(**message, Message::Answer { .. }));
            }
            Action::Rest { seat } => {
                self.give_up_all(*seat);
                self.seats[*seat].rests = true;
                self.lose_answers(self.seats[*seat].isolate);
            }
        }
    }

    /// An isolate waits for nothing any more.
    pub(crate) fn give_up_all(&mut self, place: usize) {
        if self.seats[place].waiting.is_empty() {
            return;
        }
        let now = self.clock(place);
        let seat = &mut *self.seats[place];
        for (number, _) in std::mem::take(&mut seat.waiting) {
            seat.holder.unanswered(number, now);
        }
    }

    /// Nobody is there to take the answers to an isolate.
    fn lose_answers(&mut self, lost: u64) {
        self.messages.retain(|(message, _)| match &**message {
            Message::Answer { isolate, .. } => *isolate != lost,
            Message::Ask(_) => true,
        });
    }

    fn answered(&mut self, isolate: u64, answer: &Answer) {
        let Some(place) = self.seats.iter().position(|seat| seat.isolate == isolate) else {
            return;
        };
        let now = self.clock(place);
        let seat = &mut self.seats[place];
        let waits = |(number, _): &(u64, u64)| *number == answer.number;
        // An answer that comes late or again finds no call.
        let waited = seat.waiting.iter().position(waits);
        let cost = waited.map_or(0, |index| seat.waiting.remove(index).1);
        let call = seat.holder.answered(answer, cost, now);
        if cost > 0 {
            self.called(place, cost, call);
        }
    }

    fn called(&mut self, place: usize, cost: u64, call: Call) {
        match call {
            Call::Done => {
                match self.spent.last_mut() {
                    Some((at, units)) if *at == self.now => *units += cost,
                    _ => self.spent.push((self.now, cost)),
                }
                let seat = &mut self.seats[place];
                seat.at_stake = seat.at_stake.saturating_sub(cost);
            }
            // Beyond the bound of asks the call is given up.
            Call::Ask if self.left.asks > 0 => self.ask(place, cost),
            Call::Ask | Call::Refused => {}
        }
    }

    fn ask(&mut self, place: usize, need: u64) {
        self.left.asks -= 1;
        let now = self.clock(place);
        let seat = &mut self.seats[place];
        let ask = seat.holder.ask(need, now);
        seat.waiting.push((ask.number, need));
        seat.at_stake += need + ask.want.min(self.share);
        self.send(Message::Ask(ask));
    }

    fn send(&mut self, message: Message) {
        // The meter may say the same again; an isolate never does.
        if self.messages.iter().all(|(sent, _)| **sent != message) {
            self.messages.push((Shared::new(message), ASK_DELIVERIES));
        }
    }
}
