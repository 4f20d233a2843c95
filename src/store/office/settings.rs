//! What administrators set, version by version.
//!
//! The event `settings_changed` is what happened; these rows say what was in force without looking through years of
//! events. Begin at [`newest_settings`].

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};

use crate::clock::from_micros;
use crate::domain::event::{OfficeEvent, What};
use crate::domain::office::settings::Settings;
use crate::store::StoreError;

/// One version of the settings.
#[derive(Clone, PartialEq, Debug)]
pub struct SettingsRow {
    /// From 1.
    pub version: u64,
    /// The event that brought it; for the first, the newest event of then.
    pub seq: u64,
    /// Since when it is in force.
    pub at: Timestamp,
    /// Who brought it; nobody for what came from the file.
    pub who: Option<String>,
    /// All of it.
    pub settings: Settings,
}

const ROW: &str = "SELECT version, seq, at, who, body FROM settings";

fn unreadable() -> StoreError {
    StoreError::Unreadable { what: "settings" }
}

type Raw = (i64, i64, i64, Option<String>, String);

fn raw(row: &Row<'_>) -> rusqlite::Result<Raw> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
}

fn read((version, seq, at, who, body): Raw) -> Result<SettingsRow, StoreError> {
    let number = |n: i64| u64::try_from(n).map_err(|_| unreadable());
    Ok(SettingsRow {
        version: number(version)?,
        seq: number(seq)?,
        at: from_micros(at),
        who,
        settings: serde_json::from_str(&body).map_err(|_| unreadable())?,
    })
}

/// Writes the first version, unless there is one.
pub fn seed_settings(c: &Connection, settings: &Settings, now: Timestamp) -> Result<bool, StoreError> {
    let body = serde_json::to_string(settings).map_err(|_| unreadable())?;
    let added = c.execute(
        "INSERT INTO settings (version, seq, at, who, body)
         SELECT 1, (SELECT coalesce(max(seq), 0) FROM event), ?1, NULL, ?2
         WHERE NOT EXISTS (SELECT 1 FROM settings)",
        params![now.as_microsecond(), body],
    )?;
    Ok(added > 0)
}

/// Writes the version that an event brought; other events write nothing.
pub fn keep_settings(c: &Connection, event: &OfficeEvent) -> Result<(), StoreError> {
    let What::SettingsChanged { version, settings } = &event.what else {
        return Ok(());
    };
    let body = serde_json::to_string(settings).map_err(|_| unreadable())?;
    let number = |n: u64| i64::try_from(n).map_err(|_| unreadable());
    c.execute(
        "INSERT INTO settings (version, seq, at, who, body) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            number(*version)?,
            number(event.seq)?,
            event.at.as_microsecond(),
            event.who,
            body
        ],
    )?;
    Ok(())
}

/// What is in force; none in a file that no office has opened yet.
pub fn newest_settings(c: &Connection) -> Result<Option<SettingsRow>, StoreError> {
    one(c, "ORDER BY version DESC LIMIT 1", [])
}

/// What was in force when the event `seq` was decided; the first version for whatever is older than it.
pub fn settings_before(c: &Connection, seq: u64) -> Result<Option<SettingsRow>, StoreError> {
    let seq = i64::try_from(seq).unwrap_or(i64::MAX);
    match one(c, "WHERE seq < ?1 ORDER BY version DESC LIMIT 1", [seq])? {
        Some(row) => Ok(Some(row)),
        None => one(c, "ORDER BY version LIMIT 1", []),
    }
}

/// The first version, as it came from the file.
pub fn first_settings(c: &Connection) -> Result<Option<SettingsRow>, StoreError> {
    one(c, "ORDER BY version LIMIT 1", [])
}

fn one<P: rusqlite::Params>(c: &Connection, which: &str, with: P) -> Result<Option<SettingsRow>, StoreError> {
    c.prepare_cached(&format!("{ROW} {which}"))?
        .query_row(with, raw)
        .optional()?
        .map(read)
        .transpose()
}

/// The newest settings that a damaged file, put aside, still tells.
pub fn salvage_settings(file: &Path) -> Option<Settings> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let c = Connection::open_with_flags(file, flags).ok()?;
    newest_settings(&c).ok().flatten().map(|row| row.settings)
}

/// Asks a running office, or the next one that starts, to take settings; the number of the wish.
pub fn wish_settings(c: &Connection, settings: &Settings, now: Timestamp) -> Result<i64, StoreError> {
    let body = serde_json::to_string(settings).map_err(|_| unreadable())?;
    c.execute(
        "INSERT INTO settings_wish (at, body) VALUES (?1, ?2)",
        params![now.as_microsecond(), body],
    )?;
    Ok(c.last_insert_rowid())
}

/// The oldest wish that nobody looked at.
pub fn next_wish(c: &Connection) -> Result<Option<(i64, Settings)>, StoreError> {
    let found = c
        .prepare_cached("SELECT id, body FROM settings_wish WHERE outcome IS NULL ORDER BY id LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))
        .optional()?;
    found
        .map(|(id, body)| Ok((id, serde_json::from_str(&body).map_err(|_| unreadable())?)))
        .transpose()
}

/// Writes what came of a wish.
pub fn answer_wish(c: &Connection, id: i64, outcome: &str) -> Result<(), StoreError> {
    c.execute(
        "UPDATE settings_wish SET outcome = ?2 WHERE id = ?1",
        params![id, outcome],
    )?;
    Ok(())
}

/// What came of a wish, once the office looked.
pub fn wish_outcome(c: &Connection, id: i64) -> Result<Option<String>, StoreError> {
    let outcome = c
        .query_row("SELECT outcome FROM settings_wish WHERE id = ?1", [id], |row| {
            row.get::<_, Option<String>>(0)
        })
        .optional()?;
    Ok(outcome.flatten())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::SignedDuration;
    use jiff::tz::TimeZone;

    use super::*;
    use crate::domain::id::Moment;
    use crate::domain::office::settings::{Base, CounterSettings, ProfileSettings, QueueSettings};
    use crate::domain::office::{Command, Issue, Office, Order};
    use crate::domain::ticket::Lane;
    use crate::store::Db;
    use crate::store::office::{SCHEMA, append, load, project};

    fn written() -> Settings {
        Settings {
            queues: vec![QueueSettings::new("tributos", "Tributos", "T")],
            profiles: vec![ProfileSettings {
                id: "p1".into(),
                name: "Tributos".into(),
                serves: vec!["tributos".into()],
                then_serves: Vec::new(),
            }],
            counters: vec![CounterSettings {
                number: 4,
                profile: "p1".into(),
                zone: None,
            }],
            ..Settings::default()
        }
    }

    fn issue() -> Command {
        Command::Issue(Issue {
            id: None,
            queue: "tributos".into(),
            lane: Lane::General,
            kiosk: None,
            submission: None,
            leased: None,
            replaces: None,
            slot: None,
        })
    }

    /// The settings of the moment with another K.
    fn with_k(office: &Office, k: u8) -> Command {
        let mut settings = office.setup().written.clone();
        settings.rules.max_priority_run = k;
        Command::Configure {
            version: office.setup().version,
            settings: Box::new(settings),
        }
    }

    #[test]
    fn a_file_tells_the_same_state_whenever_settings_changed() {
        let base = Base {
            zone: TimeZone::get("America/Guayaquil").expect("zone"),
            day_cut: SignedDuration::from_hours(3),
            lease_from: 501,
            room: "Sala A".into(),
        };
        let given = Arc::new(written().setup(&base, 1).expect("fits"));
        let db = Db::memory(SCHEMA).expect("open").db;
        db.write_blocking(move |c| {
            let mut now: Timestamp = "2026-11-24T13:00:00Z".parse().expect("time");
            // Older than any settings, as after an update in the middle of a day.
            let mut office = Office::new(Arc::clone(&given));
            let mut steps = 0_u64;
            let mut give =
                |office: &mut Office, command: &Command, now: Timestamp| -> Result<(), StoreError> {
                    steps += 1;
                    let mut random = [0; 16];
                    random[..8].copy_from_slice(&steps.to_be_bytes());
                    let order = Order {
                        moment: Moment { now, random },
                        cause: None,
                        who: None,
                    };
                    let handled = office.handle(command, &order);
                    assert!(handled.outcome.is_ok(), "{:?}", handled.outcome);
                    append(c, &handled.events)?;
                    for event in &handled.events {
                        keep_settings(c, event)?;
                        if let Some(ticket) = event.ticket.and_then(|id| office.ticket(id)) {
                            project(c, ticket)?;
                        }
                    }
                    assert_eq!(&load(c, &given)?, office, "after {command:?}");
                    Ok(())
                };
            give(&mut office, &issue(), now)?;
            assert!(seed_settings(c, &written(), now)?);
            assert!(!seed_settings(c, &Settings::default(), now)?, "once");
            for k in [3, 4] {
                let change = with_k(&office, k);
                give(&mut office, &change, now)?;
                give(&mut office, &issue(), now)?;
                // A day that begins under the settings of the day before, and changes them at noon.
                now += SignedDuration::from_hours(24);
            }
            give(&mut office, &issue(), now)?;
            let change = with_k(&office, 5);
            give(&mut office, &change, now)?;
            let newest = newest_settings(c)?.expect("there");
            assert_eq!((newest.version, newest.settings.rules.max_priority_run), (4, 5));
            assert_eq!(settings_before(c, 2)?.expect("there").version, 1);
            Ok(())
        })
        .expect("written");
    }

    #[test]
    fn a_file_put_aside_still_tells_its_settings() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("office.db");
        let db = Db::open(&file, SCHEMA).expect("made").db;
        let seeded = db.write_blocking(|c| seed_settings(c, &written(), Timestamp::UNIX_EPOCH));
        assert!(seeded.expect("written"));
        drop(db);
        assert_eq!(salvage_settings(&file), Some(written()));
        std::fs::write(&file, b"no database at all, though long enough to be looked at").expect("damage");
        let _ = std::fs::remove_file(folder.path().join("office.db-wal"));
        assert_eq!(salvage_settings(&file), None);
    }
}
