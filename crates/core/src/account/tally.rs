//! What an isolate counts of one key until its meter has taken it in.
//!
//! 1. A call is counted in the minute in which it is decided, its answer in the one in which it
//!    comes.
//! 2. What is reported is set aside under a number, and repeated as it is until it is confirmed.
//! 3. Bounded: of more than [`MOST_MINUTES`], and of more than [`MOST_COUNTRIES`] in a minute, the
//!    rest is counted with others. Nothing is lost but how it is spread.

use std::mem;

use crate::refusal::Refusal;
use crate::route::Routes;
use crate::time::Millis;
use crate::usage::{Counts, Minute, UsageReport};
use crate::verify::NO_ROUTE;

/// How many minutes are kept apart, while a meter does not answer: when none does, each of thousands of
/// keys keeps as many.
pub const MOST_MINUTES: usize = 10;
/// How many countries are kept apart in a minute; further ones are `XX`.
pub const MOST_COUNTRIES: usize = 64;
/// How many pages are told apart that have sent a private key; of further ones nothing is noted for
/// now.
pub const MOST_PAGES: usize = 4;
/// For so long a page that was noted is not noted again.
pub const PAGE_NOTED_MS: u64 = 3_600_000;
/// The country of a client of which none is known.
pub const NO_COUNTRY: [u8; 2] = *b"XX";

/// Counts of one key.
#[derive(Debug)]
pub struct Tally {
    now: (Minute, Counted),
    before: Vec<(Minute, Counted)>,
    reported: Option<Reported>,
    reports: u64,
    /// Pages that have sent the key although it is private, since when, and whether that is in a
    /// report.
    pages: Vec<(String, Millis, bool)>,
}

/// What was reported, and is not confirmed.
#[derive(Debug)]
struct Reported {
    number: u64,
    /// In the order of time.
    minutes: Vec<(Minute, Counted)>,
    pages: Vec<String>,
}

/// Counts by small numbers: names are looked up when they are reported.
#[derive(Debug, Default)]
struct Counted {
    calls: u64,
    routes: Vec<(usize, u64)>,
    countries: Vec<([u8; 2], u64)>,
    refused: Vec<(Refusal, u64)>,
    /// By the first digit of the status; 0 where there was no answer.
    answered: [u64; 6],
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            now: (Minute(0), Counted::default()),
            before: Vec::new(),
            reported: None,
            reports: 0,
            pages: Vec::new(),
        }
    }
}

impl Tally {
    /// A call is let through, on a route, from a country.
    pub fn call(&mut self, route: usize, country: Option<&str>, now: Millis) {
        let counted = self.at(now);
        counted.calls = counted.calls.saturating_add(1);
        count(&mut counted.routes, route, 1);
        let country = country.and_then(country_code).unwrap_or(NO_COUNTRY);
        counted.count_country(country, 1);
    }

    /// A call is refused.
    pub fn refuse(&mut self, refusal: Refusal, now: Millis) {
        count(&mut self.at(now).refused, refusal, 1);
    }

    /// A page has sent the key, which is private; the call is refused and counted. `origin` is as in
    /// [`UsageReport::pages`].
    pub fn page(&mut self, origin: &str, now: Millis) {
        self.pages
            .retain(|(_, since, _)| *since <= now && now.since(*since) < PAGE_NOTED_MS);
        let is_noted = self.pages.iter().any(|(own, ..)| own == origin);
        if !is_noted && self.pages.len() < MOST_PAGES {
            self.pages.push((origin.to_owned(), now, false));
        }
    }

    /// The origin has answered with a status; with none when it could not be reached, or not in
    /// time.
    pub fn answer(&mut self, status: Option<u16>, now: Millis) {
        let class = usize::from(status.unwrap_or_default() / 100);
        if let Some(count) = self.at(now).answered.get_mut(class) {
            *count = count.saturating_add(1);
        }
    }

    /// What the meter has not confirmed; none when there is nothing.
    pub fn report(&mut self, routes: &Routes) -> Option<UsageReport> {
        if self.reported.is_none() && self.has_counted() {
            self.begin(Minute(0));
            let mut minutes = mem::take(&mut self.before);
            minutes.sort_by_key(|(minute, _)| *minute);
            self.reports += 1;
            self.reported = Some(Reported {
                number: self.reports,
                minutes,
                pages: self.fresh_pages(),
            });
        }
        let reported = self.reported.as_ref()?;
        let named = |(minute, counted): &(Minute, Counted)| (*minute, counted.named(routes));
        Some(UsageReport {
            number: reported.number,
            minutes: reported.minutes.iter().map(named).collect(),
            pages: reported.pages.clone(),
        })
    }

    /// What it takes in memory, beside itself.
    pub(super) fn bytes(&self) -> usize {
        let told = (self.reported.iter()).flat_map(|reported| &reported.minutes);
        let minutes = told
            .chain(&self.before)
            .map(|(_, counted)| counted.bytes() + size_of::<(Minute, Counted)>());
        minutes.sum::<usize>() + self.now.1.bytes()
    }

    /// The meter has taken in what was reported up to this number.
    pub fn confirm(&mut self, number: u64) {
        let taken = |report: &Reported| report.number <= number;
        if self.reported.as_ref().is_some_and(taken) {
            self.reported = None;
        }
    }

    /// Whether the meter knows everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.reported.is_none() && !self.has_counted()
    }

    /// The pages that are in no report yet; from now on they are.
    fn fresh_pages(&mut self) -> Vec<String> {
        let fresh = self.pages.iter_mut().filter(|(_, _, told)| !told);
        fresh
            .map(|(origin, _, told)| {
                *told = true;
                origin.clone()
            })
            .collect()
    }

    fn has_counted(&self) -> bool {
        !self.before.is_empty() || !self.now.1.is_empty()
    }

    /// The counts of the minute.
    fn at(&mut self, now: Millis) -> &mut Counted {
        let minute = Minute::of(now);
        if self.now.0 != minute {
            self.begin(minute);
        }
        &mut self.now.1
    }

    /// Another minute begins.
    fn begin(&mut self, minute: Minute) {
        let ended = mem::replace(&mut self.now, (minute, Counted::default()));
        if ended.1.is_empty() {
            return;
        }
        // One that comes again: the clock has moved back.
        let same = (self.before.iter()).position(|(minute, _)| *minute == ended.0);
        let full = self.before.len() >= MOST_MINUTES;
        let place = same.or(full.then(|| self.before.len().saturating_sub(1)));
        match place.and_then(|place| self.before.get_mut(place)) {
            Some((_, counted)) => counted.add(ended.1),
            None => {
                let (minute, mut counted) = ended;
                counted.shrink();
                self.before.reserve_exact(1);
                self.before.push((minute, counted));
            }
        }
    }
}

impl Counted {
    fn is_empty(&self) -> bool {
        self.calls == 0 && self.refused.is_empty() && self.answered == [0; 6]
    }

    /// What its lists take.
    fn bytes(&self) -> usize {
        let rows = self.routes.capacity() + self.countries.capacity() + self.refused.capacity();
        rows * size_of::<(usize, u64)>()
    }

    /// Gives back the room for what would come.
    fn shrink(&mut self) {
        self.routes.shrink_to_fit();
        self.countries.shrink_to_fit();
        self.refused.shrink_to_fit();
    }

    fn add(&mut self, others: Self) {
        self.calls = self.calls.saturating_add(others.calls);
        for (route, units) in others.routes {
            count(&mut self.routes, route, units);
        }
        for (country, units) in others.countries {
            self.count_country(country, units);
        }
        for (refusal, units) in others.refused {
            count(&mut self.refused, refusal, units);
        }
        for (own, other) in self.answered.iter_mut().zip(others.answered) {
            *own = own.saturating_add(other);
        }
    }

    fn count_country(&mut self, country: [u8; 2], units: u64) {
        let known = self.countries.iter().any(|(code, _)| *code == country);
        let other = !known && self.countries.len() >= MOST_COUNTRIES;
        let country = if other { NO_COUNTRY } else { country };
        count(&mut self.countries, country, units);
    }

    fn named(&self, routes: &Routes) -> Counts {
        let mut named = Counts {
            calls: self.calls,
            ..Counts::default()
        };
        for &(refusal, count) in &self.refused {
            named.refused.insert(refusal.code().to_owned(), count);
        }
        let classes = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];
        for (class, count) in classes.into_iter().zip(self.answered) {
            if count > 0 {
                named.answered.insert(class.to_owned(), count);
            }
        }
        for &(index, count) in &self.routes {
            let route = routes.get(index);
            let name = route.map_or(NO_ROUTE, |route| route.name.as_str());
            named.routes.insert(name.to_owned(), count);
        }
        for &(code, count) in &self.countries {
            let code = std::str::from_utf8(&code).unwrap_or("XX");
            named.countries.insert(code.to_owned(), count);
        }
        named
    }
}

/// The lists are short, and what is counted most comes first soon after a minute has begun.
fn count<K: PartialEq>(counts: &mut Vec<(K, u64)>, key: K, units: u64) {
    match counts.iter_mut().find(|(own, _)| *own == key) {
        Some((_, count)) => *count = count.saturating_add(units),
        None => counts.push((key, units)),
    }
}

fn country_code(text: &str) -> Option<[u8; 2]> {
    let code: [u8; 2] = text.as_bytes().try_into().ok()?;
    let upper = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    code.iter().all(upper).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::Routes;

    const MINUTE: u64 = 60_000;

    fn routes() -> Routes {
        let file = r#"{"route":[{"origin":"https://o.example"},{"host":"${HOST}","path":"/a/*","origin":"https://o.example"}]}"#;
        let host = |_: &str| Some("a.example".to_owned());
        Routes::compile(&serde_json::from_str(file).unwrap(), &host).unwrap()
    }

    fn at(minute: u64) -> Millis {
        Millis(minute * MINUTE + 7)
    }

    #[test]
    fn counts_have_names_and_stand_in_the_order_of_time() {
        let mut tally = Tally::default();
        assert!(tally.is_empty() && tally.report(&routes()).is_none());
        tally.call(1, Some("NZ"), at(5));
        tally.answer(Some(204), at(5));
        tally.call(0, Some("nz"), at(6));
        tally.answer(None, at(6));
        // The clock moved back.
        tally.call(0, None, at(5));
        tally.refuse(Refusal::RateLimited, at(5));
        tally.answer(Some(700), at(5));
        let report = tally.report(&routes()).unwrap();
        assert_eq!(
            serde_json::to_string(&report).unwrap(),
            r#"{"number":1,"minutes":[[5,{"calls":2,"refused":{"rate_limited":1},"answered":{"2xx":1},"routes":{"${HOST}/a/*":1,"/**":1},"countries":{"NZ":1,"XX":1}}],[6,{"calls":1,"answered":{"none":1},"routes":{"/**":1},"countries":{"XX":1}}]]}"#
        );
    }

    #[test]
    fn what_was_reported_is_repeated_as_it_is_until_it_is_confirmed() {
        let mut tally = Tally::default();
        tally.call(0, None, at(1));
        let first = tally.report(&routes());
        tally.call(0, None, at(1));
        assert_eq!(tally.report(&routes()), first);
        tally.confirm(0);
        assert_eq!(tally.report(&routes()), first);
        tally.confirm(1);
        let second = tally.report(&routes()).unwrap();
        assert_eq!((second.number, second.minutes[0].1.calls), (2, 1));
        tally.confirm(1);
        assert!(!tally.is_empty());
        tally.confirm(2);
        assert!(tally.is_empty());
    }

    #[test]
    fn a_page_is_reported_once_an_hour_and_few_of_them() {
        let mut tally = Tally::default();
        let mut seen = |origin: &str, minute| {
            tally.refuse(Refusal::PrivateKeyInBrowser, at(minute));
            tally.page(origin, at(minute));
            let report = tally.report(&routes()).unwrap();
            tally.confirm(report.number);
            report.pages
        };
        assert_eq!(seen("https://a.example", 0), ["https://a.example"]);
        assert_eq!(seen("https://a.example", 59), [""; 0]);
        assert_eq!(seen("https://b.example", 59), ["https://b.example"]);
        assert_eq!(seen("https://a.example", 60), ["https://a.example"]);
        for origin in ["https://c.example", "https://d.example"] {
            assert_eq!(seen(origin, 61), [origin]);
        }
        assert_eq!(seen("https://e.example", 61), [""; 0]);
        assert_eq!(seen("https://e.example", 130), ["https://e.example"]);
    }

    #[test]
    fn it_is_bounded_and_loses_nothing() {
        let mut tally = Tally::default();
        let letters = (b'A'..=b'Z').flat_map(|a| (b'A'..=b'Z').map(move |b| [a, b]));
        for (number, code) in letters.enumerate() {
            let code = String::from_utf8(code.to_vec()).unwrap();
            tally.call(0, Some(&code), at(number as u64 / 2));
            tally.call(0, Some(&code), at(999));
        }
        let report = tally.report(&routes()).unwrap();
        assert!(report.minutes.len() <= MOST_MINUTES + 1);
        let most = report
            .minutes
            .iter()
            .map(|(_, counts)| counts.countries.len());
        assert!(most.max().unwrap() <= MOST_COUNTRIES + 1);
        let calls = report.minutes.iter().map(|(_, counts)| counts.calls);
        assert_eq!(calls.sum::<u64>(), 2 * 26 * 26);
    }
}
