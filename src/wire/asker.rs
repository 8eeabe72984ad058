//! Who has asked, as the planning of an answer is given it back.

use std::fmt::Write as _;

use keyward_core::answer::Asker;
use keyward_core::throttle::{OwnStanding, Quantity};

/// The base, then the page behind a blank, then how the key's own limit stands: four numbers, each
/// behind a blank. Neither base nor page can hold one.
pub(super) fn asker(text: &mut String, asker: Asker<'_>) {
    text.push_str(asker.base);
    if asker.page.is_some() || asker.own.is_some() {
        text.push(' ');
        text.push_str(asker.page.unwrap_or_default());
    }
    if let Some(own) = asker.own {
        let Quantity { calls, window_s } = own.quantity;
        let (left, more_s) = (own.left, own.more_s);
        let _ = write!(text, " {calls} {window_s} {left} {more_s}");
    }
}

/// Reads what [`asker`] has written.
pub(crate) fn asker_of(text: &str) -> Asker<'_> {
    let mut words = text.split(' ');
    Asker {
        base: words.next().unwrap_or_default(),
        page: words.next().filter(|page| !page.is_empty()),
        own: own_of(&mut words),
    }
}

fn own_of<'a>(words: &mut impl Iterator<Item = &'a str>) -> Option<OwnStanding> {
    Some(OwnStanding {
        quantity: Quantity {
            calls: words.next()?.parse().ok()?,
            window_s: words.next()?.parse().ok()?,
        },
        left: words.next()?.parse().ok()?,
        more_s: words.next()?.parse().ok()?,
    })
}
