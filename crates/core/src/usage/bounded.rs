//! Sums of counts with a bound on how many names they have: no row of a meter grows without end,
//! whatever names it is told.

use std::collections::BTreeMap;

use super::Counts;

/// So many names each sum has at most, with [`OTHER`] among them.
pub const MOST_NAMES: usize = 256;
/// What is counted under no name of its own.
pub const OTHER: &str = "other";
/// A name of more bytes is counted as [`OTHER`].
const LONGEST_NAME: usize = 64;

impl Counts {
    /// Adds others. A name for which there is no place is counted as `other`, so the sum stays.
    pub fn take_in(&mut self, others: &Self) {
        self.calls = self.calls.saturating_add(others.calls);
        for (own, other) in [
            (&mut self.refused, &others.refused),
            (&mut self.answered, &others.answered),
            (&mut self.routes, &others.routes),
            (&mut self.countries, &others.countries),
        ] {
            for (name, count) in other {
                let sum = own.entry(place(own, name).to_owned()).or_default();
                *sum = sum.saturating_add(*count);
            }
        }
    }
}

fn place<'a>(sums: &BTreeMap<String, u64>, name: &'a str) -> &'a str {
    // A place is kept for OTHER, so that sums of sums have the same names.
    let named = sums
        .len()
        .saturating_sub(usize::from(sums.contains_key(OTHER)));
    let has_room = named < MOST_NAMES.saturating_sub(1);
    if sums.contains_key(name) || name == OTHER || has_room && name.len() <= LONGEST_NAME {
        name
    } else {
        OTHER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(names: impl Iterator<Item = String>) -> Counts {
        let routes: BTreeMap<_, _> = names.map(|name| (name, 1)).collect();
        Counts {
            calls: routes.len() as u64,
            routes,
            ..Counts::default()
        }
    }

    #[test]
    fn counts_are_added_by_name() {
        let read = |text| serde_json::from_str::<Counts>(text).unwrap();
        let mut sum = read(r#"{"calls":2,"answered":{"2xx":1,"5xx":1},"routes":{"a":2}}"#);
        sum.take_in(&read(
            r#"{"calls":1,"answered":{"2xx":1},"routes":{"b":1}}"#,
        ));
        assert_eq!(
            serde_json::to_string(&sum).unwrap(),
            r#"{"calls":3,"answered":{"2xx":2,"5xx":1},"routes":{"a":2,"b":1}}"#
        );
        assert!(!sum.is_empty() && Counts::default().is_empty());
    }

    #[test]
    fn names_beyond_the_bound_are_counted_as_other() {
        let mut sum = Counts::default();
        sum.take_in(&routes((0..200).map(|name| format!("a{name:03}"))));
        sum.take_in(&routes((0..200).map(|name| format!("b{name:03}"))));
        sum.take_in(&routes((0..200).map(|name| format!("a{name:03}"))));
        assert_eq!(sum.routes.len(), MOST_NAMES);
        assert_eq!(sum.calls, 600);
        assert_eq!(sum.routes.values().sum::<u64>(), 600);
        assert_eq!((sum.routes["a199"], sum.routes["b054"]), (2, 1));
        assert_eq!(sum.routes[OTHER], 145);
    }

    #[test]
    fn a_sum_of_sums_has_the_same_names() {
        let mut sum = Counts::default();
        sum.take_in(&routes((0..300).map(|name| format!("x{name:03}"))));
        let mut again = Counts::default();
        again.take_in(&sum);
        assert_eq!(again, sum);
    }

    #[test]
    fn a_name_that_is_too_long_is_counted_as_other() {
        let mut sum = Counts::default();
        sum.take_in(&routes(["x".repeat(64), "y".repeat(65)].into_iter()));
        assert_eq!((sum.routes[&"x".repeat(64)], sum.routes[OTHER]), (1, 1));
    }
}
