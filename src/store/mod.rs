//! What is kept: SQLite, one file a role, one writer a file.
//!
//! [`Db`] opens, checks, migrates and writes; each table family has a file of its own beside it.
//! Nothing outside `store` writes SQL.
//! A write that returned `Ok` is on the disk (measured: no acknowledged row lost in power cuts with WAL and
//! `synchronous=FULL`; `NORMAL` loses thousands).

mod db;
mod error;
#[cfg(test)]
mod full_disk_tests;
mod reserve;

pub mod backup;
pub mod both;
pub mod central;
pub mod chain;
pub mod desk;
pub mod devices;
pub mod fleet;
pub mod inbox;
pub mod kiosk;
pub mod lives;
pub mod municipal;
pub mod obeyed;
pub mod office;
pub mod onward;
pub mod outbox;
pub mod postgres;
pub mod usage;

pub use db::{Db, Opened, Schema};
pub use error::StoreError;
pub use reserve::Reserve;
