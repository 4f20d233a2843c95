//! The office's file: its events, what they add up to, its answers and its staff.
//!
//! Events are the truth; `ticket` is their projection, written in the same transaction so that SQLite itself
//! refuses two tickets with one number and two tickets at one counter.
//! Begin at [`append`] and [`load`].

mod answers;
mod history;
mod salvage;
mod staff;
mod tickets;

pub use answers::{Answer, find_answer, forget_answers, keep_answer};
pub use history::{append, calls_of, events_after, events_between, events_of_ticket, last_seq, load};
pub use salvage::{Salvaged, salvage};
pub use staff::{
    Role, SESSION_HOURS, Session, Staff, create_token, create_user, end_session, has_users, open_session,
    other_at_counter, revoke_token, session, set_session_counter, staff_of_token, verify_password,
};
pub use tickets::{expire, project, ticket};

use super::Schema;

/// Tables of an office.
pub const SCHEMA: Schema = Schema {
    // "VtOf"
    application_id: 0x5674_4f66,
    migrations: &[
        include_str!("0001.sql"),
        super::inbox::TABLES,
        super::outbox::TABLES,
    ],
};
