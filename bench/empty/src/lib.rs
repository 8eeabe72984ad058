//! A worker that answers every request with 200 and an empty body: it is started, and called once
//! for each request.

/// The status of the answer.
#[unsafe(no_mangle)]
pub extern "C" fn status() -> u32 {
    200
}
