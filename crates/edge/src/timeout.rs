//! Waiting, but not for ever.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use worker::Delay;

/// What the future yields, unless it takes longer than this many milliseconds. What the future
/// had begun outside of wasm goes on; only its outcome is no longer awaited.
pub async fn within<T>(millis: u64, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut delay = pin!(Delay::from(Duration::from_millis(millis)));
    poll_fn(|context| {
        if let Poll::Ready(outcome) = future.as_mut().poll(context) {
            return Poll::Ready(Some(outcome));
        }
        delay.as_mut().poll(context).map(|()| None)
    })
    .await
}
