//! Which routes can be those of a request, without a look at each.
//!
//! A route's path begins with literal segments, up to its first `*`. A request's path can only be
//! of routes whose literal beginning is one of its own: these are few, however many routes there
//! are. Hosts come first, as in the order of the routes: an exact one, then `*.` with more labels
//! before one with fewer, then every host.

use std::collections::BTreeMap;

use super::Route;
use super::host::HostPattern;
use crate::restrict::path::CheckedPath;

/// The places of routes in their order, by what a request must have for them.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    exact: BTreeMap<String, Beginnings>,
    /// In the order of the routes.
    others: Vec<(HostPattern, Beginnings)>,
}

/// The places of routes by the literal beginnings of their paths.
#[derive(Clone, Debug, Default)]
struct Beginnings {
    places: BTreeMap<String, Vec<usize>>,
    /// The most slashes that a beginning has: a request's path may have thousands.
    deepest: usize,
}

impl Index {
    /// Of routes in their order.
    pub(super) fn of(routes: &[Route]) -> Self {
        let mut index = Self::default();
        for (place, route) in routes.iter().enumerate() {
            let beginning = route.path.literal_beginning();
            match &route.host {
                HostPattern::Exact(host) => {
                    let beginnings = index.exact.entry(host.clone()).or_default();
                    beginnings.add(beginning, place);
                }
                host => {
                    let known = index.others.iter().position(|(other, _)| other == host);
                    let at = known.unwrap_or(index.others.len());
                    if known.is_none() {
                        let beginnings = Beginnings::default();
                        index.others.push((host.clone(), beginnings));
                    }
                    if let Some((_, beginnings)) = index.others.get_mut(at) {
                        beginnings.add(beginning, place);
                    }
                }
            }
        }
        index
    }

    /// The first place whose route `is` the request's. Allocates nothing.
    pub(super) fn first(
        &self,
        host: &str,
        path: &CheckedPath<'_>,
        is: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let exact = self.exact.get(host).into_iter();
        let others = self.others.iter();
        let others = others.filter(|(pattern, _)| pattern.matches(host));
        exact
            .chain(others.map(|(_, beginnings)| beginnings))
            .find_map(|beginnings| beginnings.first(path.as_str(), &is))
    }
}

impl Beginnings {
    fn add(&mut self, beginning: &str, place: usize) {
        self.deepest = self.deepest.max(beginning.matches('/').count());
        let places = self.places.entry(beginning.to_owned()).or_default();
        places.push(place);
    }

    fn first(&self, path: &str, is: &impl Fn(usize) -> bool) -> Option<usize> {
        let slashes = path.match_indices('/').take(self.deepest);
        let up_to_slash = slashes.filter_map(|(at, _)| path.get(..=at));
        // A path that ends with a slash is among these already.
        let whole = (!path.ends_with('/')).then_some(path);
        up_to_slash
            .chain(whole)
            .filter_map(|beginning| self.places.get(beginning))
            .filter_map(|places| places.iter().copied().find(|place| is(*place)))
            .min()
    }
}
