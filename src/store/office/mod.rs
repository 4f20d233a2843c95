//! The office's file: its events, what they add up to, its answers and its staff.
//!
//! Events are the truth; `ticket` is their projection, written in the same transaction so that SQLite itself
//! refuses two tickets with one number and two tickets at one counter.
//! Begin at [`append`] and [`load`].

mod answers;
mod attempts;
mod audit;
mod drafts;
mod history;
mod password;
mod salvage;
mod second;
mod session;
mod settings;
mod staff;
mod tickets;

pub use crate::domain::staff::Role;
pub use answers::{Answer, find_answer, forget_answers, keep_answer};
pub use attempts::{Guarded, charge, failures, forgive};
pub use audit::{
    AuditFilter, append_audit, audit_head, audit_page, audit_people, epoch, keep_checkpoint,
    newest_checkpoint, read_audit, recorded_settings,
};
pub use drafts::{
    DraftRow, Keeping, Opening, SHUT_FOR, erase_drafts, has_due_drafts, keep_draft, open_draft, use_draft,
};
pub use history::{
    append, calls_of, events_after, events_between, events_counted, events_of_ticket, last_seq, load,
    newest_at,
};
pub use password::{Hashed, hash_password, is_password};
pub use salvage::{Salvaged, salvage};
pub use second::{
    Proof, SecondStep, asks_second_step, begin_second_step, confirm_second_step, drop_second_step,
    prove_second_step, recovery_left, second_step,
};
pub use session::{
    IDLE_AFTER, SESSION_HOURS, SESSION_LIFE, Session, SessionRow, end_session, end_sessions, open_session,
    other_at_counter, session, sessions, set_session_counter, use_session,
};
pub use settings::{
    SettingsRow, answer_wish, first_settings, keep_settings, newest_settings, next_wish, salvage_settings,
    seed_settings, settings_before, wish_outcome, wish_settings,
};
pub use staff::{
    Account, Staff, Token, account, accounts, create_token, create_user, has_users, password_of, put_account,
    revoke_token, set_disabled, set_language, set_name, set_password, set_role, staff_of_token, tokens,
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
        include_str!("0002_staff.sql"),
        super::lives::TABLES,
        super::backup::TABLES,
        super::inbox::DOUBTS,
        super::outbox::WORDS,
        super::usage::OFFICE_TABLES,
        include_str!("0003_counted.sql"),
        "ALTER TABLE staff ADD COLUMN language TEXT;",
        super::devices::TABLES,
        include_str!("0004_settings.sql"),
        include_str!("0005_second_step.sql"),
        include_str!("0006_cause.sql"),
        include_str!("0007_drafts.sql"),
        super::obeyed::TABLES,
    ],
};

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::store::Db;

    #[test]
    fn a_file_of_the_first_release_keeps_its_people_and_tokens() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("office.db");
        let first = Schema {
            migrations: &SCHEMA.migrations[..3],
            ..SCHEMA
        };
        let hashed = hash_password("clave larga").expect("hash");
        let old = Db::open(&file, first).expect("made").db;
        old.write_blocking(move |c| {
            c.execute(
                "INSERT INTO staff VALUES ('ana', 'Agente 07', 'agent', ?1, 5), ('jefa', 'Supervisora', 'supervisor', ?1, 4)",
                [&hashed.0],
            )?;
            c.execute("INSERT INTO session VALUES (x'01', 'ana', 4, 5)", [])?;
            c.execute("INSERT INTO token VALUES (x'02', 'demo', 'supervisor', 5)", [])?;
            Ok(())
        })
        .expect("written");
        drop(old);
        let db = Db::open(&file, SCHEMA).expect("upgraded").db;
        db.write_blocking(|c| {
            let people = accounts(c)?;
            let roles: Vec<(&str, Role)> = people
                .iter()
                .map(|one| (one.staff.login.as_str(), one.staff.role))
                .collect();
            assert_eq!(roles, [("ana", Role::Agent), ("jefa", Role::Supervisor)]);
            assert!(is_password(password_of(c, "ana")?.as_ref(), "clave larga")?);
            assert_eq!(tokens(c)?[0].name, "demo");
            assert!(
                sessions(c, Timestamp::UNIX_EPOCH)?.is_empty(),
                "everybody logs in once more"
            );
            create_user(c, "audi", "Auditora", Role::Auditor, "x", Timestamp::UNIX_EPOCH)
        })
        .expect("usable");
        let copy = format!("office.before-{}.db", SCHEMA.migrations.len());
        assert!(folder.path().join(copy).exists(), "a copy of what was there");
    }

    #[test]
    fn totals_of_kiosks_become_events_that_the_report_can_read() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("office.db");
        let steps = SCHEMA
            .migrations
            .iter()
            .position(|sql| sql.contains("DROP TABLE kiosk_usage"))
            .expect("the step");
        let before = Schema {
            migrations: &SCHEMA.migrations[..steps],
            ..SCHEMA
        };
        let old = Db::open(&file, before).expect("made").db;
        old.write_blocking(|c| {
            c.execute_batch(
                "INSERT INTO event (seq, at, business_date, type, details)
                 VALUES (1, 7, '2026-11-24', 'day_opened', '{\"type\":\"day_opened\"}');
                 INSERT INTO kiosk_usage VALUES ('2026-11-23', 'k1', 'iprus', 'review', 'left', 4);
                 INSERT INTO kiosk_usage VALUES ('2026-11-23', 'k1', 'iprus', 'lane', 'sent', 9);
                 INSERT INTO kiosk_mark VALUES ('2026-11-24', 'k2', 3, 5);",
            )?;
            Ok(())
        })
        .expect("written");
        drop(old);
        let db = Db::open(&file, SCHEMA).expect("upgraded").db;
        let (first, last) = (
            "2026-11-23".parse().expect("day"),
            "2026-11-24".parse().expect("day"),
        );
        let events = db.read(move |c| events_counted(c, first)).expect("read");
        let usage = crate::domain::report::Usage::of(&events, first, last);
        let counts: Vec<u32> = usage.lines.iter().map(|line| line.count).collect();
        assert_eq!((counts, usage.marks[0].count), (vec![9, 4], 5));
        let newest = db.read(last_seq).expect("read");
        assert_eq!(newest, 3, "without a gap");
    }
}
