//! The office's hub as a process of its own: many at once, the plug pulled, and whatever else is sent to it.
//!
//! Needs no screen: `cargo test --no-default-features --test office`.

mod bad_input;
mod crowd;
mod house;
mod kills;
mod kiosks;
mod power;
mod secret;
#[path = "../it/support.rs"]
#[expect(
    dead_code,
    reason = "shared with the tests of the whole product, which use more of it"
)]
mod support;
