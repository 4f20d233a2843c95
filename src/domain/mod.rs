//! What Ventanilla decides, with no clock, no files, no network and no threads.
//!
//! Everything here is a function of state, input and now; the shell in `app` does what it says.
//! Begin at [`session`] for the citizen and at `queue` for the office.

pub mod announcement;
pub mod audit;
pub mod board;
pub mod desk;
pub mod document;
pub mod event;
pub mod fleet;
pub mod id;
pub mod office;
pub mod openrosa;
pub mod printing;
pub mod procedure;
pub mod provision;
pub mod queue;
pub mod receipt;
pub mod redacted;
pub mod release;
pub mod report;
pub mod resume;
pub mod seal;
pub mod search;
pub mod session;
pub mod sketch;
pub mod speech;
pub mod staff;
pub mod submission;
pub mod technician;
pub mod ticket;
pub mod timekeeper;
pub mod usage;
