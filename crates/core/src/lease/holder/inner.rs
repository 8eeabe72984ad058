//! What a [`Holder`] does beneath its surface.

use super::*;

impl Holder {
    /// Reads the clock: closes what is over, or everything when it moved back.
    pub(super) fn read_clock(&mut self, now: Millis) -> Millis {
        let asks = self.asks;
        if now.plus(MARGIN_MS) < self.seen {
            self.seen = now;
            self.give_up(|_| true, now);
            self.recent.lose_time(now);
            for lease in &mut self.leases {
                lease.lose_time(asks, now);
            }
            self.told = None;
            self.refused = None;
            self.background = None;
            self.demand.restart(now);
            self.raise_standing();
            return now;
        }
        self.seen = self.seen.max(now);
        let now = self.seen;
        let before = self.held();
        self.recent.pass(now);
        for lease in &mut self.leases {
            lease.close_if_over(asks, now);
        }
        if self.held() != before {
            self.raise_standing();
        }
        now
    }

    /// How many leases there are, and asks that may become one.
    pub(super) const fn len(&self) -> usize {
        self.leases.len() + self.waiting.len()
    }

    /// Units that can be spent now.
    pub(super) fn held(&self) -> u64 {
        self.room(self.recent.units())
    }

    /// The same, if so many units of paced leases count.
    fn room(&self, mut recent: u64) -> u64 {
        let mut units = 0_u64;
        for lease in &self.leases {
            let room = lease.room(recent);
            units = units.saturating_add(room);
            if lease.each().is_some() {
                recent = recent.saturating_add(room);
            }
        }
        units
    }

    /// Units that are left of the leases in all; of paced ones too, if they are to be counted.
    fn left(&self, paced: bool) -> u64 {
        let leases = self.leases.iter();
        let leases = leases.filter(|lease| paced || lease.each().is_none());
        leases.map(Held::left).fold(0, u64::saturating_add)
    }

    /// What the pace does not let through is refused where there is no more of the limit.
    pub(super) fn short(&self, cost: u64, now: Millis) -> Option<Spent> {
        let cost = cost.max(1);
        let fits = |lease: &&Held| lease.left() >= cost;
        let paced = self.leases.iter().rev().filter(fits);
        let each = paced.filter_map(Held::each).next()?;
        let (limit, most) = (each.short?, each.units.checked_sub(cost)?);
        // The limits may be others than when it was said.
        let Sort::Rate(window_s) = self.standing.get(limit)?.sort else {
            return None;
        };
        if window_s.saturating_mul(1_000) > LEASE_MS {
            return None;
        }
        Some(Spent::Exhausted {
            limit,
            retry_ms: Some(self.recent.free_at(most, now).since(now)),
        })
    }

    /// Spends so much of the leases; they have it.
    pub(super) fn take(&mut self, units: u64, now: Millis) {
        let mut open = units;
        for lease in &mut self.leases {
            open -= lease.take(open, &mut self.recent, self.asks, now);
        }
        self.demand.spend(units, now);
        self.raise_standing();
    }

    /// Closes the leases of asks whose answers are not waited for any more.
    pub(super) fn give_up(&mut self, which: impl Fn(&Waiting) -> bool, now: Millis) {
        let asks = self.asks;
        let leases = &mut self.leases;
        self.waiting.retain(|ask| {
            let gone = which(ask);
            if gone {
                // The order is one of live leases; this is none.
                leases.insert(0, Held::given_up(ask, asks, now));
            }
            !gone
        });
    }

    /// Makes sure that something can be dropped for one more ask: the lease that ends first is
    /// closed, which wastes units at worst; when there is none, the oldest ask is given up. Not
    /// the other way about: the call that waits for it would have to ask again.
    pub(super) fn make_room(&mut self, now: Millis) {
        if self.len() < MOST_LEASES || self.leases.iter().any(Held::is_closed) {
            return;
        }
        if let Some(lease) = self.leases.first_mut() {
            lease.close(self.asks, now);
            self.raise_standing();
        } else if let Some(oldest) = self.waiting.first().map(|ask| ask.number) {
            self.give_up(|ask| ask.number == oldest, now);
        }
    }

    /// Closes every lease; nothing more is fetched before the next call.
    pub(super) fn give_back(&mut self, now: Millis) {
        for lease in &mut self.leases {
            lease.close(self.asks, now);
        }
        self.last_grant = None;
        self.raise_standing();
    }

    /// What to ask for beyond what is needed: enough for one lease, with what is held and what was
    /// asked for. Where the limit is so small that nothing beyond was granted, nothing is asked for
    /// in the background: it would only keep others from it.
    pub(super) fn want(&self, need: u64, now: Millis) -> u64 {
        if self.asks == 0 {
            return FIRST_WANT;
        }
        let lacks = self.demand.lacks(now);
        if need == 0
            && !lacks
            && (matches!(self.last_grant, Some((_, false))) || self.demand.is_silent(now))
        {
            return 0;
        }
        let mut demand = self.demand.within(self.hold_ms, now);
        if need > 0 && (self.hold_ms > LEASE_MS || self.is_crowd()) {
            // Who was refused for long has forgotten it, and the meter is not to be asked often.
            demand = demand.max(FIRST_WANT);
        }
        let asked = self.waiting.iter().map(|ask| ask.want);
        // A paced lease takes the place of those before it.
        let coming = asked.fold(self.coming(now), u64::saturating_add);
        demand.saturating_sub(coming)
    }

    /// Whether the meter gives longer leases than others, because very many isolates ask.
    pub(super) fn is_crowd(&self) -> bool {
        let told = self.told.as_ref();
        told.is_some_and(|told| told.lease_ms > LEASE_MS)
    }

    /// What will be spent of leases that are not paced, before they end.
    fn coming(&self, now: Millis) -> u64 {
        let leases = self.leases.iter().filter(|lease| lease.each().is_none());
        let coming = leases.map(|lease| {
            let spent = self.demand.within(lease.ends().since(now), now);
            lease.left().min(spent)
        });
        coming.fold(0, u64::saturating_add)
    }

    /// Takes in what the newest answer says of the meter.
    pub(super) fn hear(&mut self, ask: &Waiting, answer: &Answer) {
        self.told = Some(Told {
            asked: ask.asked,
            lease_ms: bounded(answer.lease_ms),
            unlimited: answer.outcome == Outcome::Unlimited,
        });
        self.standing.clone_from(&answer.limits);
        self.free.clear();
        let free = answer.limits.iter().map(|limit| limit.free);
        self.free.extend(free);
        // A grant of nothing to an ask that needed nothing says no more than the limits do.
        let refused = self.refused.take();
        self.refused = refused.filter(|refused| refused.agrees_with(&answer.limits));
        if let Outcome::Granted { amount, .. } = answer.outcome
            && ask.want > 0
        {
            self.last_grant = Some((amount, amount > ask.need));
        }
    }

    /// A paced lease has come. Where its window is another, those before it are over, at the meter
    /// too, and what was spent of them is counted there.
    fn keep_pace(&mut self, lease: &Held, now: Millis) {
        let Some(each) = lease.each() else { return };
        if each.window_ms != self.recent.window_ms() {
            for other in self.leases.iter_mut().filter(|one| one.each().is_some()) {
                other.close(self.asks, now);
            }
            self.recent = Recent::new(each.window_ms);
        }
    }

    /// Takes in a lease, and pays the call that waited for it.
    pub(super) fn receive(
        &mut self,
        ask: &Waiting,
        mut lease: Held,
        hold_ms: u64,
        cost: u64,
        now: Millis,
    ) -> Spent {
        let in_time = now.since(ask.asked) < hold_ms;
        if lease.left() == 0 {
            // The meter knows that there is nothing to come back: nothing to hold or to tell.
            return if in_time && cost == 0 {
                Spent::Done
            } else {
                Spent::Ask
            };
        }
        self.refused = None;
        self.hold_ms = hold_ms.max(LEASE_MS);
        let mut spent = Spent::Ask;
        if in_time {
            self.keep_pace(&lease, now);
            let recent = self.recent.units();
            let own = cost.min(lease.room(recent));
            let recent = recent.saturating_add(if lease.each().is_some() { own } else { 0 });
            // The waiting call needs no margin: the clock was seen not to have moved back.
            if cost <= own.saturating_add(self.room(recent)) {
                lease.take(own, &mut self.recent, self.asks, now);
                self.demand.spend(own, now);
                self.take(cost - own, now);
                spent = Spent::Done;
            }
            for older in &mut self.leases {
                older.close_if_replaced(&lease, self.asks, now);
            }
        }
        lease.close_if_over(self.asks, now);
        if !in_time {
            lease.close(self.asks, now);
        }
        // Only the order of live ones matters.
        let later = |one: &Held| !one.is_closed() && one.ends() > lease.ends();
        let at = self.leases.iter().position(later);
        let at = at.unwrap_or(self.leases.len());
        self.leases.insert(at, lease);
        spent
    }

    /// Whether there is less than the next second will take, or a quarter of the last grant. Right
    /// after a grant it is not low, or a meter that has little to give would be asked on and on.
    pub(super) fn runs_low(&self, now: Millis) -> bool {
        let Some((last, true)) = self.last_grant else {
            return false;
        };
        if self.refused.as_ref().is_some_and(|one| one.holds(now)) || !self.demand.is_some(now) {
            return false;
        }
        if self.is_kept_for_calls() {
            return false;
        }
        let quarter = last.div_ceil(4);
        let low = self.demand.within(1_000, now).min(last - last / 4);
        self.left(true) < low.max(quarter)
    }

    /// Whether a meter of so many isolates has so little left that it grants only what calls need.
    fn is_kept_for_calls(&self) -> bool {
        let mut limits = self.standing.iter().zip(&self.free);
        self.is_crowd() && limits.any(|(limit, free)| *free < limit.limit / LITTLE)
    }

    /// Whether the meter has not been told of something for too long.
    pub(super) fn is_untold(&self, now: Millis) -> bool {
        let lease_ms = self.told.as_ref().map_or(0, |told| told.lease_ms);
        let most = REPORT_MS.saturating_add(lease_ms.saturating_sub(LEASE_MS));
        let long = |since: Millis, most: u64| now.since(since) > most;
        let untold = |since: Millis| long(since, most);
        let mut leases = self.leases.iter().filter_map(Held::untold_since);
        leases.any(untold) || self.waiting.iter().any(|ask| long(ask.asked, REPORT_MS))
    }

    /// What this isolate holds is free to its own calls.
    pub(super) fn raise_standing(&mut self) {
        let held = self.held();
        for (limit, free) in self.standing.iter_mut().zip(&self.free) {
            limit.free = free.saturating_add(held);
        }
    }
}
