//! The gateway's module: what a call goes through on its way to the origin. It is small, because
//! every isolate starts it. The decision itself is `keyward-core`; the management API and the
//! registries are a module of their own, `keyward-control`.

mod hot;
mod wire;

pub use self::hot::Hot;
