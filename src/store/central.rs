//! The municipality's file: what was handed in, what became of it and who read it.

use super::{Schema, backup, chain, desk, devices, fleet, inbox, lives, onward};

/// Every table of the municipality's file.
pub const SCHEMA: Schema = Schema {
    application_id: 0x5643_454e,
    migrations: &[
        inbox::TABLES,
        TABLES,
        lives::TABLES,
        backup::TABLES,
        inbox::DOUBTS,
        devices::TABLES,
        chain::TABLES,
        desk::TABLES,
        onward::TABLES,
        fleet::TABLES,
    ],
};

/// What was read, before the audit log; nothing is written there any more.
const TABLES: &str = "
CREATE TABLE access (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    act TEXT NOT NULL,
    about TEXT NOT NULL,
    reason TEXT NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
";
