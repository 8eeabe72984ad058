//! The deployment's own hosts, as far as they are known: those that routes name, and the one that the
//! management API is called by. Messages of webhooks do not go there.

use std::cell::RefCell;

use keyward_core::webhook::address::{self, Hosts};

thread_local! {
    /// Those of the routes, with a blank between them.
    static ROUTES: RefCell<String> = const { RefCell::new(String::new()) };
}

/// These are the routes'.
pub(crate) fn are(hosts: &str) {
    ROUTES.with_borrow_mut(|own| {
        if own != hosts {
            hosts.clone_into(own);
        }
    });
}

/// Whether an address leads to a host that a route names.
pub(crate) fn is_routed(address: &str) -> bool {
    ROUTES.with_borrow(|own| address::is_own(address, own.split_ascii_whitespace()))
}

/// Whether an address leads to the host of the URL that is called now. In development the machine has
/// others beside it, each on a port of its own.
pub(crate) fn is_called(address: &str, url: &str, hosts: Hosts) -> bool {
    let authority = url.split('/').nth(2).unwrap_or_default();
    let host = match hosts {
        Hosts::Any => authority,
        Hosts::Public => address::without_port(authority),
    };
    address::is_own(address, [host])
}
