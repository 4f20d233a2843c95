//! The citizen's face: fills the touch screen from the session's `View` and gives touches back.
//!
//! It decides nothing: what is said and what may be touched is in the `View`; here it gets a place and a size.
//! Begin at [`run`]: whoever drives a session implements [`run::Driver`]. [`web`] shows the screen in a browser;
//! only the modules behind the feature `screen` know Slint.

pub mod driver;
pub mod hands;
pub mod narrator;
pub mod pad;
pub mod run;
pub mod web;

#[cfg(feature = "screen")]
mod blocks;
#[cfg(feature = "screen")]
mod bridge;
#[cfg(feature = "screen")]
mod compose;
#[cfg(feature = "screen")]
mod elements;
#[cfg(feature = "screen")]
mod picture;
#[cfg(feature = "screen")]
pub mod screen;
#[cfg(feature = "screen")]
pub(crate) mod stage;
#[cfg(feature = "screen")]
mod window;

#[cfg(feature = "screen")]
pub use bridge::Shown;
