//! What a damaged file can still say about the numbers of a day.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use tracing::warn;

use crate::domain::ticket::{BusinessDate, Series};

/// The highest numbers that were found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Salvaged {
    /// The series.
    pub series: Series,
    /// Highest number given online.
    pub online: u32,
    /// Highest number promised or given from a lease.
    pub leased: u32,
}

/// Reads the highest numbers of `date` from a file that was put aside; `None` if it says nothing.
///
/// The file is damaged, so what is found is a lower bound: go on well above it.
pub fn salvage(file: &Path, date: BusinessDate) -> Option<Vec<Salvaged>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    // Read and write, because a file left in the middle of a commit has a log that must be played first.
    let found = Connection::open_with_flags(file, flags).and_then(|c| read(&c, date));
    match found {
        Ok(found) => found,
        Err(error) => {
            warn!(error = %error, "nothing could be read from the damaged file");
            None
        }
    }
}

fn read(c: &Connection, date: BusinessDate) -> rusqlite::Result<Option<Vec<Salvaged>>> {
    let mut found: Vec<Salvaged> = Vec::new();
    let mut note = |series: String, online: u32, leased: u32| match found
        .iter_mut()
        .find(|known| known.series.as_str() == series)
    {
        Some(known) => {
            known.online = known.online.max(online);
            known.leased = known.leased.max(leased);
        }
        None => found.push(Salvaged {
            series: Series(series),
            online,
            leased,
        }),
    };
    let mut readable = false;
    // Row by row: what stands before the damage is read, the rest is given up.
    let mut select = c.prepare("SELECT series, number, leased FROM ticket WHERE business_date = ?1")?;
    let mut rows = select.query([date.to_string()])?;
    while let Ok(Some(row)) = rows.next() {
        readable = true;
        let (series, number) = (row.get(0)?, row.get(1)?);
        if row.get(2)? {
            note(series, 0, number);
        } else {
            note(series, number, 0);
        }
    }
    let mut select = c.prepare(
        "SELECT json_extract(details, '$.series'), json_extract(details, '$.to') FROM event WHERE type = 'leased'",
    )?;
    let mut rows = select.query([])?;
    while let Ok(Some(row)) = rows.next() {
        readable = true;
        note(row.get(0)?, 0, row.get(1)?);
    }
    Ok(readable.then_some(found))
}
