use super::*;
use crate::domain::submission::Header;
use crate::domain::submission::tests::header;
use crate::store::{Db, Schema};

const FILE: Schema = Schema {
    application_id: 78,
    migrations: &[TABLES, DOUBTS],
};

fn delivery(header: Header, body: &str) -> Delivery {
    let key = SigningKey::generate(&[1; 32]);
    Delivery {
        item: Item::sign(header.submission_id, body.as_bytes().to_vec(), &key),
        header,
        sender: "hub".into(),
    }
}

fn hand_in(db: &Db, delivery: &Delivery, epoch: &'static str, kid: u8) -> Verdict {
    let delivery = delivery.clone();
    db.write_blocking(move |conn| {
        let stamp = Stamp {
            epoch,
            now: header(1).created_at,
            key: &SigningKey::generate(&[kid; 32]),
        };
        ingest(conn, &delivery, &stamp)
    })
    .expect("written")
}

#[test]
fn the_same_again_gets_the_same_word_and_another_is_a_conflict() {
    let db = Db::memory(FILE).expect("open").db;
    let first = delivery(header(1), "uno");
    let Verdict::Accepted(ack) = hand_in(&db, &first, "s1", 2) else {
        panic!("accepted")
    };
    assert_eq!(hand_in(&db, &first, "s1", 2), Verdict::Duplicate(ack.clone()));
    let other = delivery(header(1), "otro");
    assert_eq!(hand_in(&db, &other, "s1", 2), Verdict::Conflict);
    assert_eq!(hand_in(&db, &other, "s1", 2), Verdict::Conflict);
    let kept = db.read(move |conn| read(conn, first.item.id)).expect("read");
    assert_eq!(
        kept.map(|item| item.envelope),
        Some(b"uno".to_vec()),
        "the first stays"
    );
    assert_eq!(db.read(alarms).expect("alarms"), 1, "said once");

    // After a restore the same item gets a word of the new life, with its old place.
    let again = delivery(header(1), "uno");
    let Verdict::Duplicate(new) = hand_in(&db, &again, "s2", 2) else {
        panic!("duplicate")
    };
    assert_ne!(new, ack);
    let keys = [SigningKey::generate(&[2; 32]).verifying()];
    let body = new.check(&keys, again.item.id, again.item.hash).expect("signed");
    assert_eq!((body.server_epoch.as_str(), body.server_seq), ("s2", 1));
}

#[test]
fn a_copied_disk_shows_and_loses_nothing() {
    let db = Db::memory(FILE).expect("open").db;
    let mut twin = header(1);
    twin.submission_id = header(2).submission_id;
    assert!(matches!(
        hand_in(&db, &delivery(header(1), "uno"), "s1", 2),
        Verdict::Accepted(_)
    ));
    assert!(matches!(
        hand_in(&db, &delivery(twin, "dos"), "s1", 2),
        Verdict::Accepted(_)
    ));
    assert_eq!(db.read(alarms).expect("alarms"), 1);
}

#[test]
fn kept_bytes_that_changed_are_not_given_out() {
    let db = Db::memory(FILE).expect("open").db;
    let first = delivery(header(1), "uno");
    hand_in(&db, &first, "s1", 2);
    let result = db.write_blocking(move |conn| {
        conn.execute("UPDATE inbox SET envelope=x'00'", [])?;
        read(conn, first.item.id)
    });
    assert!(matches!(result, Err(StoreError::Unreadable { .. })));
}

#[test]
fn it_is_found_by_code_and_in_order() {
    let db = Db::memory(FILE).expect("open").db;
    for n in 1..4 {
        hand_in(&db, &delivery(header(n), &n.to_string()), "s1", 2);
    }
    let listed = db.read(|conn| list(conn, 1, 10)).expect("list");
    assert_eq!(
        listed.iter().map(|row| row.server_seq).collect::<Vec<_>>(),
        [2, 3]
    );
    let by_code = db.read(|conn| by_code(conn, header(1).code)).expect("code");
    assert_eq!(by_code.len(), 3);
}

#[test]
fn two_devices_with_one_key_show_and_both_are_kept() {
    let db = Db::memory(FILE).expect("open").db;
    let first = delivery(header(1), "uno");
    hand_in(&db, &first, "s1", 2);
    // Both go on from the same disk: the same place, another citizen.
    let with = |seq: u32, random: u8, prev: &Item| {
        let mut header = header(seq);
        header.submission_id = crate::domain::id::SubmissionId::new(crate::domain::id::Moment {
            now: header.created_at,
            random: [random; 16],
        });
        header.prev_hash = Some(prev.hash.to_hex());
        header
    };
    let ours = delivery(with(2, 21, &first.item), "ours");
    let theirs = delivery(with(2, 22, &first.item), "theirs");
    let their_next = delivery(with(3, 23, &theirs.item), "their next");
    for arrived in [&ours, &theirs, &their_next] {
        assert!(matches!(hand_in(&db, arrived, "s1", 2), Verdict::Accepted(_)));
    }
    let devices = db.read(devices).expect("devices");
    assert_eq!((devices.len(), devices[0].last_seq), (1, 3));
    assert_eq!(devices[0].doubts, 1, "the fork");
    assert_eq!(db.read(alarms).expect("alarms"), 1);
    // Whoever does not follow the one before is another one too.
    let stray = delivery(with(4, 24, &ours.item), "stray");
    hand_in(&db, &stray, "s1", 2);
    assert_eq!(db.read(alarms).expect("alarms"), 2);
}

#[test]
fn what_is_missing_in_between_is_named() {
    let db = Db::memory(FILE).expect("open").db;
    for seq in [1, 2, 5, 8] {
        let mut header = header(seq);
        header.prev_hash = (seq == 2).then(|| Hash::of(b"1").to_hex());
        let body = seq.to_string();
        hand_in(&db, &delivery(header, &body), "s1", 2);
    }
    let devices = db.read(devices).expect("devices");
    assert_eq!(devices[0].missing, [3, 4, 6, 7]);
    assert_eq!((devices[0].last_seq, devices[0].doubts), (8, 0));
}
