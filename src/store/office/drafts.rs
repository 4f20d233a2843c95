//! Drafts of forms, sealed: kept for some days, opened by proof, erased after use.
//!
//! A wrong try is counted in the transaction that finds it wrong, so that neither a restart nor many tries at once get
//! anybody more of them. The row stays a while without its body: who comes too late is told so.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use crate::clock::from_micros;
use crate::domain::resume::{DraftId, Proof, TRIES_IN_ALL, tries_left};
use crate::store::StoreError;

/// How long too many wrong tries shut a draft.
pub const SHUT_FOR: SignedDuration = SignedDuration::from_hours(1);
/// How long it is still known that a draft was used, or that its time is over.
const KNOWN_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Drafts kept at once; an office has a few a day.
const DRAFTS_MOST: u32 = 2_000;

/// A draft as a kiosk hands it in.
#[derive(Clone, Debug)]
pub struct DraftRow {
    /// Its name.
    pub id: DraftId,
    /// What its proof is held against.
    pub proof: [u8; 32],
    /// The sealed body.
    pub sealed: Vec<u8>,
    /// The draft whose place it takes.
    pub replaces: Option<DraftId>,
    /// When it came.
    pub kept_at: Timestamp,
    /// When its time is over.
    pub expires_at: Timestamp,
}

/// What became of a draft that was handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// It is kept until then.
    Until(Timestamp),
    /// Another draft has this name.
    Taken,
    /// There are too many.
    Full,
}

/// What a try at a draft brings.
#[derive(Clone, PartialEq, Eq)]
pub enum Opening {
    /// The sealed body, and until when it is kept.
    Sealed(Vec<u8>, Timestamp),
    /// The digits are wrong; so many tries are left.
    Wrong(u32),
    /// Shut until then.
    Shut(Timestamp),
    /// It was used.
    Used,
    /// Its time is over.
    Over,
    /// There is none of this name.
    Unknown,
}

/// Keeps a draft; handed in twice, it is kept once.
///
/// # Errors
/// When the file cannot be written.
pub fn keep_draft(c: &Connection, row: &DraftRow) -> Result<Keeping, StoreError> {
    let there = c
        .prepare_cached("SELECT proof, sealed, expires_at FROM draft WHERE id = ?1")?
        .query_row([row.id.0], |found| {
            Ok((
                found.get::<_, Vec<u8>>(0)?,
                found.get::<_, Option<Vec<u8>>>(1)?,
                from_micros(found.get(2)?),
            ))
        })
        .optional()?;
    if let Some((proof, sealed, until)) = there {
        let same = proof == row.proof && sealed.as_ref() == Some(&row.sealed);
        return Ok(if same {
            Keeping::Until(until)
        } else {
            Keeping::Taken
        });
    }
    let open: u32 = c
        .prepare_cached("SELECT count(*) FROM draft WHERE sealed IS NOT NULL")?
        .query_row([], |found| found.get(0))?;
    if open >= DRAFTS_MOST {
        return Ok(Keeping::Full);
    }
    c.prepare_cached(
        "INSERT INTO draft (id, proof, sealed, kept_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        row.id.0,
        row.proof,
        row.sealed,
        row.kept_at.as_microsecond(),
        row.expires_at.as_microsecond()
    ])?;
    if let Some(earlier) = row.replaces {
        use_draft(c, earlier, row.kept_at)?;
    }
    Ok(Keeping::Until(row.expires_at))
}

/// Tries to open a draft; a wrong try counts.
///
/// # Errors
/// When the file cannot be read or written.
pub fn open_draft(c: &Connection, id: DraftId, proof: &Proof, now: Timestamp) -> Result<Opening, StoreError> {
    let found = c
        .prepare_cached(
            "SELECT proof, sealed, expires_at, tries, shut_until, used_at FROM draft WHERE id = ?1",
        )?
        .query_row([id.0], |row| {
            Ok((
                row.get::<_, Vec<u8>>(0)?,
                row.get::<_, Option<Vec<u8>>>(1)?,
                from_micros(row.get(2)?),
                row.get::<_, u32>(3)?,
                row.get::<_, Option<i64>>(4)?.map(from_micros),
                row.get::<_, Option<i64>>(5)?,
            ))
        })
        .optional()?;
    let Some((kept, sealed, until, tries, shut, used)) = found else {
        return Ok(Opening::Unknown);
    };
    if used.is_some() {
        return Ok(Opening::Used);
    }
    let Some(sealed) = sealed.filter(|_| now < until) else {
        return Ok(Opening::Over);
    };
    if let Some(shut) = shut.filter(|shut| now < *shut) {
        return Ok(Opening::Shut(shut));
    }
    if proof.fits(&kept) {
        c.prepare_cached("UPDATE draft SET tries = 0, shut_until = NULL WHERE id = ?1")?
            .execute([id.0])?;
        return Ok(Opening::Sealed(sealed, until));
    }
    let tries = tries.saturating_add(1);
    let (shut, told) = match tries_left(tries) {
        _ if tries >= TRIES_IN_ALL => (Some(until), Opening::Shut(until)),
        None => {
            let shut = now + SHUT_FOR;
            (Some(shut), Opening::Shut(shut))
        }
        Some(left) => (None, Opening::Wrong(left)),
    };
    c.prepare_cached("UPDATE draft SET tries = ?2, shut_until = ?3 WHERE id = ?1")?
        .execute(params![id.0, tries, shut.map(Timestamp::as_microsecond)])?;
    Ok(told)
}

/// Erases the body of a draft that was used; whether there was one.
///
/// # Errors
/// When the file cannot be written.
pub fn use_draft(c: &Connection, id: DraftId, now: Timestamp) -> Result<bool, StoreError> {
    let changed = c
        .prepare_cached("UPDATE draft SET sealed = NULL, used_at = ?2 WHERE id = ?1 AND used_at IS NULL")?
        .execute(params![id.0, now.as_microsecond()])?;
    Ok(changed > 0)
}

/// Whether [`erase_drafts`] has something to do.
///
/// # Errors
/// When the file cannot be read.
pub fn has_due_drafts(c: &Connection, now: Timestamp) -> Result<bool, StoreError> {
    let long_ago = now.checked_sub(KNOWN_FOR).unwrap_or(Timestamp::UNIX_EPOCH);
    Ok(c.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM draft
             WHERE expires_at <= ?2 OR (expires_at <= ?1 AND sealed IS NOT NULL))",
    )?
    .query_row(params![now.as_microsecond(), long_ago.as_microsecond()], |row| {
        row.get(0)
    })?)
}

/// Erases bodies whose time is over, and forgets what nobody asks for any more; how many bodies went.
///
/// # Errors
/// When the file cannot be written.
pub fn erase_drafts(c: &Connection, now: Timestamp) -> Result<usize, StoreError> {
    let erased = c.execute(
        "UPDATE draft SET sealed = NULL WHERE expires_at <= ?1 AND sealed IS NOT NULL",
        [now.as_microsecond()],
    )?;
    let long_ago = now.checked_sub(KNOWN_FOR).unwrap_or(Timestamp::UNIX_EPOCH);
    c.execute(
        "DELETE FROM draft WHERE expires_at <= ?1",
        [long_ago.as_microsecond()],
    )?;
    Ok(erased)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::resume::{Keys, ResumeCode, Work};
    use crate::store::Db;
    use crate::store::office::SCHEMA;

    const DAY: SignedDuration = SignedDuration::from_hours(24);

    fn keys(digits: &str) -> Keys {
        Keys::of(ResumeCode::from_random([3; 5]), digits, "quitumbe", Work::LEAST)
    }

    fn row(now: Timestamp) -> DraftRow {
        let keys = keys("7103");
        DraftRow {
            id: keys.id,
            proof: keys.proof.kept(),
            sealed: b"SEALED-BODY".to_vec(),
            replaces: None,
            kept_at: now,
            expires_at: now + DAY * 7,
        }
    }

    fn with(work: impl FnOnce(&Connection, Timestamp) -> Result<(), StoreError> + Send + 'static) {
        let folder = tempfile::tempdir().expect("folder");
        let db = Db::open(&folder.path().join("office.db"), SCHEMA)
            .expect("open")
            .db;
        db.write_blocking(|c| work(c, Timestamp::from_second(1_800_000_000).expect("a time")))
            .expect("done");
    }

    #[track_caller]
    fn tried(c: &Connection, digits: &str, now: Timestamp) -> Opening {
        let keys = keys(digits);
        open_draft(c, keys.id, &keys.proof, now).expect("tried")
    }

    #[test]
    fn it_is_kept_once_opened_with_its_digits_and_erased_after_use() {
        with(|c, now| {
            let row = row(now);
            for _ in 0..2 {
                assert_eq!(keep_draft(c, &row)?, Keeping::Until(row.expires_at));
            }
            let other = DraftRow {
                sealed: b"another".to_vec(),
                ..row.clone()
            };
            assert_eq!(keep_draft(c, &other)?, Keeping::Taken);
            for _ in 0..2 {
                // A kiosk may die with it open: until it is used it opens again.
                assert!(tried(c, "7103", now) == Opening::Sealed(b"SEALED-BODY".to_vec(), row.expires_at));
            }
            assert!(use_draft(c, row.id, now)?);
            assert!(!use_draft(c, row.id, now)?, "used once");
            assert!(tried(c, "7103", now) == Opening::Used);
            let left: u32 = c.query_row("SELECT count(*) FROM draft WHERE sealed IS NOT NULL", [], |r| {
                r.get(0)
            })?;
            assert_eq!(left, 0);
            assert_eq!(
                keep_draft(c, &row)?,
                Keeping::Taken,
                "what was used does not come back"
            );
            Ok(())
        });
    }

    #[test]
    fn wrong_digits_shut_it_for_an_hour_and_at_last_for_good() {
        with(|c, now| {
            let until = row(now).expires_at;
            keep_draft(c, &row(now))?;
            let mut now = now;
            for round in 1..=4 {
                for left in (1..=4).rev() {
                    assert!(tried(c, "0000", now) == Opening::Wrong(left));
                }
                let shut = if round == 4 { until } else { now + SHUT_FOR };
                assert!(tried(c, "0000", now) == Opening::Shut(shut));
                assert!(
                    tried(c, "7103", now) == Opening::Shut(shut),
                    "also for the right ones"
                );
                now += SHUT_FOR;
            }
            assert!(tried(c, "7103", now) == Opening::Shut(until));
            Ok(())
        });
    }

    #[test]
    fn right_digits_forgive_the_wrong_ones() {
        with(|c, now| {
            keep_draft(c, &row(now))?;
            for _ in 0..4 {
                tried(c, "0000", now);
            }
            assert!(matches!(tried(c, "7103", now), Opening::Sealed(..)));
            assert!(tried(c, "0000", now) == Opening::Wrong(4));
            Ok(())
        });
    }

    #[test]
    fn its_time_ends_and_it_is_forgotten_at_last() {
        with(|c, now| {
            let row = row(now);
            keep_draft(c, &row)?;
            assert!(!has_due_drafts(c, now)?);
            let over = row.expires_at;
            assert!(
                tried(c, "7103", over) == Opening::Over,
                "also before it is erased"
            );
            assert!(has_due_drafts(c, over)?);
            assert_eq!(erase_drafts(c, over)?, 1);
            assert!(!has_due_drafts(c, over)?);
            assert!(tried(c, "7103", over) == Opening::Over);
            let later = over + DAY * 31;
            assert!(has_due_drafts(c, later)?);
            erase_drafts(c, later)?;
            assert!(tried(c, "7103", later) == Opening::Unknown);
            Ok(())
        });
    }

    #[test]
    fn a_newer_draft_takes_the_place_of_the_earlier() {
        with(|c, now| {
            keep_draft(c, &row(now))?;
            let newer = Keys::of(ResumeCode::from_random([4; 5]), "7103", "quitumbe", Work::LEAST);
            let newer = DraftRow {
                id: newer.id,
                proof: newer.proof.kept(),
                replaces: Some(keys("7103").id),
                ..row(now)
            };
            assert_eq!(keep_draft(c, &newer)?, Keeping::Until(newer.expires_at));
            assert!(tried(c, "7103", now) == Opening::Used);
            Ok(())
        });
    }
}
