use super::*;
use crate::domain::seal::SigningKey;
use crate::domain::submission::Acknowledgement;
use crate::domain::submission::tests::header;
use crate::store::{Db, Schema};

const FILE: Schema = Schema {
    application_id: 77,
    migrations: &[TABLES, WORDS],
};

fn now() -> Timestamp {
    header(1).created_at
}

fn run<T: Send + 'static>(
    db: &Db,
    work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
) -> T {
    db.write_blocking(work).expect("written")
}

/// Confirms `count` submissions of small made-up envelopes.
fn filled(count: u32) -> (Db, Vec<Item>) {
    let db = Db::memory(FILE).expect("open").db;
    let items = run(&db, move |conn| {
        let key = SigningKey::generate(&[1; 32]);
        let mut items = Vec::new();
        for _ in 0..count {
            let place = place(conn, "kiosk-1")?;
            let header = Header {
                outbox_epoch: place.outbox_epoch,
                prev_hash: place.prev_hash,
                ..header(place.device_seq)
            };
            let envelope = format!("envelope {}", header.device_seq).into_bytes();
            let item = Item::sign(header.submission_id, envelope, &key);
            enqueue(conn, &header, &item, now())?;
            items.push(item);
        }
        Ok(items)
    });
    (db, items)
}

fn ids(items: &[Item]) -> Vec<SubmissionId> {
    items.iter().map(|item| item.id).collect()
}

fn received(epoch: &str, server_seq: i64) -> Outcome {
    Outcome::Received {
        ack: Acknowledgement {
            body: server_seq.to_string(),
            signature: "s".into(),
        },
        server_epoch: epoch.into(),
        server_seq,
    }
}

#[test]
fn the_chain_has_no_gap_and_names_the_one_before() {
    let (db, items) = filled(3);
    let next = run(&db, |conn| place(conn, "kiosk-1"));
    assert_eq!(next.device_seq, 4);
    assert_eq!(next.prev_hash, Some(items[2].hash.to_hex()));
    let refused = db.write_blocking({
        let item = items[0].clone();
        move |conn| enqueue(conn, &header(9), &item, now())
    });
    assert!(refused.is_err());
}

#[test]
fn what_was_on_the_line_waits_again_after_a_restart() {
    let (db, items) = filled(3);
    let taken = run(&db, |conn| take(conn, now(), 2, 1 << 20));
    assert_eq!(ids(&taken), ids(&items[..2]));
    let rest = run(&db, |conn| take(conn, now(), 9, 1 << 20));
    assert_eq!(ids(&rest), ids(&items[2..]), "nothing is on the line twice");
    assert_eq!(run(&db, |conn| recover(conn, now())), 3);
    let taken = run(&db, |conn| take(conn, now(), 9, 1 << 20));
    assert_eq!(ids(&taken), ids(&items));
}

#[test]
fn a_suspect_travels_alone_and_holds_up_nobody() {
    let (db, items) = filled(4);
    let bad = items[0].id;
    let later = now() + SignedDuration::from_secs(5);
    let rest = run(&db, move |conn| {
        take(conn, now(), 1, 1 << 20)?;
        let again = Outcome::Again {
            next_at: Some(later),
            suspect: true,
            why: "400".into(),
        };
        settle(conn, &[(bad, again)], now())?;
        take(conn, now(), 9, 1 << 20)
    });
    assert_eq!(ids(&rest), ids(&items[1..]));
    let alone = run(&db, move |conn| {
        recover(conn, now())?;
        let first = take(conn, later, 9, 1 << 20)?;
        let second = take(conn, later, 9, 1 << 20)?;
        Ok((first, second))
    });
    assert_eq!((ids(&alone.0), ids(&alone.1)), (ids(&items[1..]), vec![bad]));
}

#[test]
fn a_clock_set_back_by_years_stops_nothing() {
    let (db, items) = filled(1);
    let id = items[0].id;
    let taken = run(&db, move |conn| {
        take(conn, now(), 1, 1 << 20)?;
        let again = Outcome::Again {
            next_at: Some(now() + SignedDuration::from_mins(5)),
            suspect: true,
            why: "x".into(),
        };
        settle(conn, &[(id, again)], now())?;
        assert!(take(conn, now(), 1, 1 << 20)?.is_empty());
        take(conn, now() - SignedDuration::from_hours(5 * 365 * 24), 1, 1 << 20)
    });
    assert_eq!(taken.len(), 1);
}

#[test]
fn bytes_changed_on_the_disk_are_put_aside_and_said() {
    let (db, items) = filled(2);
    let (taken, counts) = run(&db, |conn| {
        conn.execute("UPDATE outbox SET envelope=x'00' WHERE seq=1", [])?;
        Ok((take(conn, now(), 9, 1 << 20)?, counts(conn)?))
    });
    assert_eq!(ids(&taken), ids(&items[1..]));
    assert_eq!(
        (counts.stuck, counts.stuck_rows[0].state),
        (1, State::Quarantined)
    );
}

#[test]
fn a_new_life_of_the_server_sends_all_again_that_is_still_here() {
    let (db, items) = filled(3);
    let all = ids(&items);
    let again = run(&db, move |conn| {
        take(conn, now(), 9, 1 << 20)?;
        let outcomes: Vec<_> = (1..)
            .zip(&all)
            .map(|(seq, id)| (*id, received("s1", seq)))
            .collect();
        settle(conn, &outcomes, now())?;
        let mark = |epoch: &str| Mark {
            server_epoch: epoch.into(),
            server_seq: 1,
        };
        assert_eq!(durable(conn, &mark("s0"), now())?, 0, "another life's word");
        assert_eq!(durable(conn, &mark("s1"), now())?, 1);
        assert_eq!(server_epoch(conn, "s1", now())?, 0);
        let hour = SignedDuration::from_hours(1);
        assert_eq!(purge(conn, hour, now())?, 0, "not at once");
        assert_eq!(purge(conn, hour, now() - hour)?, 0, "nor a little before");
        assert_eq!(purge(conn, hour, now() + hour * 2)?, 1);
        assert_eq!(
            durable(
                conn,
                &Mark {
                    server_seq: 2,
                    ..mark("s1")
                },
                now()
            )?,
            1
        );
        assert_eq!(
            server_epoch(conn, "s2", now())?,
            2,
            "also what was durable and is still here"
        );
        take(conn, now(), 9, 1 << 20)
    });
    assert_eq!(ids(&again), ids(&items[1..]));
}

#[test]
fn the_last_word_of_a_life_is_the_one_with_the_highest_place() {
    let (db, items) = filled(3);
    let all = ids(&items);
    let (word, epoch, none) = run(&db, move |conn| {
        take(conn, now(), 9, 1 << 20)?;
        let outcomes = [
            (all[0], received("s1", 7)),
            (all[1], received("s1", 9)),
            (all[2], received("s0", 12)),
        ];
        settle(conn, &outcomes[2..], now())?;
        settle(conn, &outcomes[..2], now() + SignedDuration::from_secs(1))?;
        Ok((last_word(conn, "s1")?, last_epoch(conn)?, last_word(conn, "s9")?))
    });
    assert_eq!(word.expect("a word").body, "9");
    assert_eq!((epoch.as_deref(), none), (Some("s1"), None));
}

#[test]
fn names_stay_for_long_and_the_newest_for_ever() {
    let (db, items) = filled(2);
    let all = ids(&items);
    let later = now() + SignedDuration::from_hours(1);
    let (gone, left) = run(&db, move |conn| {
        take(conn, now(), 9, 1 << 20)?;
        let outcomes: Vec<_> = (1..)
            .zip(&all)
            .map(|(seq, id)| (*id, received("s1", seq)))
            .collect();
        settle(conn, &outcomes, now())?;
        assert_eq!(
            forget(conn, SignedDuration::ZERO, later)?,
            0,
            "what is not durable is never forgotten"
        );
        let mark = Mark {
            server_epoch: "s1".into(),
            server_seq: 2,
        };
        durable(conn, &mark, now())?;
        assert_eq!(
            forget(conn, SignedDuration::ZERO, later)?,
            0,
            "nor what still has its body"
        );
        purge(conn, SignedDuration::ZERO, later)?;
        Ok((forget(conn, SignedDuration::ZERO, later)?, state(conn, all[1])?))
    });
    assert_eq!((gone, left), (1, Some(State::Durable)));
}

#[test]
fn a_body_does_not_stay_for_years_because_a_clock_was_ahead() {
    let (db, items) = filled(1);
    let id = items[0].id;
    let gone = run(&db, move |conn| {
        take(conn, now(), 9, 1 << 20)?;
        settle(conn, &[(id, received("s1", 1))], now())?;
        let mark = Mark {
            server_epoch: "s1".into(),
            server_seq: 1,
        };
        durable(conn, &mark, now())?;
        let right = now() - SignedDuration::from_hours(5 * 365 * 24);
        purge(conn, SignedDuration::from_hours(24), right)
    });
    assert_eq!(gone, 1);
}

#[test]
fn only_a_person_brings_back_the_dead() {
    let (db, items) = filled(1);
    let id = items[0].id;
    let (before, revived, state_after) = run(&db, move |conn| {
        take(conn, now(), 1, 1 << 20)?;
        settle(
            conn,
            &[(
                id,
                Outcome::Dead {
                    why: "conflict".into(),
                },
            )],
            now(),
        )?;
        settle(conn, &[(id, received("s1", 1))], now())?;
        assert!(take(conn, now(), 1, 1 << 20)?.is_empty());
        let before = state(conn, id)?;
        Ok((before, revive(conn, id, now())?, state(conn, id)?))
    });
    assert_eq!(
        (before, revived, state_after),
        (Some(State::Dead), true, Some(State::Queued))
    );
}
