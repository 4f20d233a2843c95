//! Where forms end and how people say it went: a kiosk's counts of a day. The office keeps what it is told as events.
//!
//! Nothing here is about a person: a day, a procedure, a step, an outcome and a number.

use rusqlite::{Connection, params};

use super::StoreError;

/// The kiosk's part: `told` is how many of `count` the office knows.
pub const KIOSK_TABLES: &str = "
CREATE TABLE usage (
    business_date TEXT NOT NULL,
    procedure TEXT NOT NULL,
    step TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('sent', 'left', 'silent')),
    count INTEGER NOT NULL,
    told INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (business_date, procedure, step, outcome)
) STRICT;
ALTER TABLE rating ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
";

/// What the office kept before it kept events of it.
pub const OFFICE_TABLES: &str = "
CREATE TABLE kiosk_usage (
    business_date TEXT NOT NULL,
    kiosk TEXT NOT NULL,
    procedure TEXT NOT NULL,
    step TEXT NOT NULL,
    outcome TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (business_date, kiosk, procedure, step, outcome)
) STRICT;
CREATE TABLE kiosk_mark (
    business_date TEXT NOT NULL,
    kiosk TEXT NOT NULL,
    mark INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (business_date, kiosk, mark)
) STRICT;
";

/// Forms of one procedure that ended in one way at one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageRow {
    /// The procedure's identifier.
    pub procedure: String,
    /// `question-3`, `review`, `lane` or `consent`.
    pub step: String,
    /// `sent`, `left` or `silent`.
    pub outcome: String,
    /// How many on the day.
    pub count: u32,
}

/// A day's totals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsageDay {
    /// `2026-11-24`.
    pub date: String,
    /// Where forms ended.
    pub lines: Vec<UsageRow>,
    /// Marks from 1 to 3, and how many of each.
    pub marks: Vec<(u8, u32)>,
}

/// Counts one form at a kiosk.
pub fn count(
    c: &Connection,
    business_date: &str,
    procedure: &str,
    step: &str,
    outcome: &str,
) -> Result<(), StoreError> {
    c.execute(
        "INSERT INTO usage (business_date, procedure, step, outcome, count) VALUES (?1, ?2, ?3, ?4, 1)
         ON CONFLICT (business_date, procedure, step, outcome) DO UPDATE SET count = count + 1",
        params![business_date, procedure, step, outcome],
    )?;
    Ok(())
}

/// The days of a kiosk with counts that the office does not know, each with all that changed in it.
pub fn to_tell(c: &Connection) -> Result<Vec<UsageDay>, StoreError> {
    let mut days: Vec<UsageDay> = Vec::new();
    fn at(days: &mut Vec<UsageDay>, date: String) -> &mut UsageDay {
        let place = days.iter().position(|day| day.date == date).unwrap_or_else(|| {
            days.push(UsageDay {
                date,
                ..UsageDay::default()
            });
            days.len() - 1
        });
        &mut days[place]
    }
    let mut query = c.prepare_cached(
        "SELECT business_date, procedure, step, outcome, count FROM usage WHERE told < count
         ORDER BY business_date LIMIT 500",
    )?;
    let rows = query.query_map([], |row| Ok((row.get::<_, String>(0)?, row_of(row, 1)?)))?;
    for row in rows {
        let (date, row) = row?;
        at(&mut days, date).lines.push(row);
    }
    let mut query =
        c.prepare_cached("SELECT business_date, mark, count FROM rating WHERE told < count LIMIT 500")?;
    let rows = query.query_map([], |row| {
        Ok((
            row.get::<_, String>(0)?,
            (row.get::<_, u8>(1)?, row.get::<_, u32>(2)?),
        ))
    })?;
    for row in rows {
        let (date, mark) = row?;
        at(&mut days, date).marks.push(mark);
    }
    Ok(days)
}

/// The office knows these totals now; what was counted meanwhile is told next time.
pub fn told(c: &Connection, day: &UsageDay) -> Result<(), StoreError> {
    for line in &day.lines {
        c.execute(
            "UPDATE usage SET told = ?5 WHERE business_date = ?1 AND procedure = ?2 AND step = ?3 AND outcome = ?4",
            params![day.date, line.procedure, line.step, line.outcome, line.count],
        )?;
    }
    for (mark, count) in &day.marks {
        c.execute(
            "UPDATE rating SET told = ?3 WHERE business_date = ?1 AND mark = ?2",
            params![day.date, mark, count],
        )?;
    }
    Ok(())
}

fn row_of(row: &rusqlite::Row<'_>, first: usize) -> Result<UsageRow, rusqlite::Error> {
    Ok(UsageRow {
        procedure: row.get(first)?,
        step: row.get(first + 1)?,
        outcome: row.get(first + 2)?,
        count: row.get(first + 3)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Db, kiosk};

    #[test]
    fn totals_are_told_until_the_office_knows_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let here = Db::open(&folder.path().join("kiosk.db"), kiosk::SCHEMA)
            .expect("opens")
            .db;
        let date = "2026-11-24";
        let add = || {
            here.write_blocking(move |c| {
                count(c, date, "iprus", "question-3", "left")?;
                kiosk::rate(c, date, 3)
            })
            .expect("counted");
        };
        add();
        add();
        let first = here.read(to_tell).expect("read");
        assert_eq!(first.len(), 1);
        assert_eq!((first[0].lines[0].count, first[0].marks[0]), (2, (3, 2)));
        // Counted between telling and the answer: it must be told again.
        add();
        let day = first[0].clone();
        here.write_blocking(move |c| told(c, &day)).expect("told");
        let second = here.read(to_tell).expect("read");
        assert_eq!((second[0].lines[0].count, second[0].marks[0]), (3, (3, 3)));
        let day = second[0].clone();
        here.write_blocking(move |c| told(c, &day)).expect("told");
        assert!(here.read(to_tell).expect("read").is_empty());
    }
}
