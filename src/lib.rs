//! Ventanilla: a municipal service point in one binary.
//!
//! Read `ARCHITECTURE.md` first; then [`domain`] for what is decided and [`app`] for who runs it.

pub mod app;
pub mod board;
pub mod central;
pub mod cli;
pub mod clock;
pub mod config;
pub mod console;
pub mod devices;
pub mod domain;
pub mod forms;
pub mod i18n;
pub mod kiosk;
pub mod store;
pub mod sync;
