//! Copies and restores on files, with nothing between the test and the disk.

use super::*;
use crate::domain::submission::peers::Delivery;
use crate::domain::submission::{Item, tests::header};
use crate::store::{central, inbox};

struct Place {
    folder: tempfile::TempDir,
    source: Source,
}

fn key() -> SigningKey {
    SigningKey::generate(&[41; 32])
}

fn now() -> Timestamp {
    header(1).created_at
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let source = Source::new("central", &folder.path().join("data"), central::SCHEMA, None);
        Self { folder, source }
    }

    fn open(&self) -> Db {
        let db = Db::open(&self.source.path, central::SCHEMA).expect("open").db;
        begin(&self.source, &db, now()).expect("begun");
        db
    }

    fn backups(&self) -> PathBuf {
        self.folder.path().join("backups")
    }

    fn copy(&self, db: &Db, at: Timestamp) -> Made {
        make(&self.source, db, &self.backups(), &key(), at, true).expect("a copy")
    }
}

fn hand_in(db: &Db, seq: u32) {
    let header = header(seq);
    let device = SigningKey::generate(&[1; 32]);
    let delivery = Delivery {
        item: Item::sign(
            header.submission_id,
            format!("envelope {seq}").into_bytes(),
            &device,
        ),
        header,
        sender: "hub".into(),
    };
    db.write_blocking(move |conn| {
        let stamp = inbox::Stamp {
            epoch: &lives::epoch(conn)?,
            now: now(),
            key: &key(),
        };
        inbox::ingest(conn, &delivery, &stamp)
    })
    .expect("kept");
}

fn epoch(db: &Db) -> String {
    db.read(lives::epoch).expect("an epoch")
}

fn reach(db: &Db) -> i64 {
    db.read(|conn| backup::reach(conn, &lives::epoch(conn)?))
        .expect("a reach")
}

fn whys(db: &Db) -> Vec<String> {
    let lives = db.read(lives::list).expect("lives");
    lives.into_iter().map(|life| life.why).collect()
}

#[test]
fn only_what_was_there_when_it_was_copied_counts() {
    let place = Place::new();
    let db = place.open();
    hand_in(&db, 1);
    hand_in(&db, 2);
    assert_eq!(reach(&db), 0);
    let made = place.copy(&db, now());
    assert!(made.counts);
    hand_in(&db, 3);
    assert_eq!((reach(&db), made.copied.submissions), (2, 2));
    let signed: Signed =
        serde_json::from_slice(&fs::read(&made.manifest).expect("a manifest")).expect("json");
    assert!(
        signed
            .read::<Manifest>(MANIFEST_DOMAIN, &[key().verifying()])
            .is_some()
    );
    let other = Signed::new("VSP1//durable//", &1, &key());
    assert!(other.read::<i32>(MANIFEST_DOMAIN, &[key().verifying()]).is_none());
}

#[test]
fn a_copy_on_the_disk_of_the_data_does_not_count_unless_told() {
    let place = Place::new();
    let db = place.open();
    hand_in(&db, 1);
    let made = make(&place.source, &db, &place.backups(), &key(), now(), false).expect("a copy");
    assert!(!made.counts && made.manifest.exists());
    assert_eq!(reach(&db), 0);
}

#[test]
fn a_restore_begins_a_new_life_and_deletes_nothing() {
    let place = Place::new();
    let db = place.open();
    hand_in(&db, 1);
    let made = place.copy(&db, now());
    hand_in(&db, 2);
    let before = epoch(&db);
    drop(db);
    drop(place.open());
    let restored = restore(&place.source, &made.manifest, &[key().verifying()], now()).expect("restored");
    let db = place.open();
    assert_eq!(epoch(&db), restored.epoch);
    assert_ne!(restored.epoch, before);
    assert_eq!(db.read(|c| inbox::list(c, 0, 9)).expect("list").len(), 1);
    assert_eq!(
        reach(&db),
        0,
        "an earlier life's copy promises nothing in this one"
    );
    assert_eq!(whys(&db), ["restore"], "once, not again at the start");
    let aside = restored.replaced.expect("moved aside").join("central.db");
    let old = Db::open(&aside, central::SCHEMA).expect("still good").db;
    assert_eq!(old.read(|c| inbox::list(c, 0, 9)).expect("list").len(), 2);
    hand_in(&db, 2);
    assert!(place.copy(&db, now()).counts);
    assert_eq!(reach(&db), 2);
}

#[test]
fn a_restore_is_refused_while_it_runs_or_where_anything_was_changed() {
    let place = Place::new();
    let db = place.open();
    hand_in(&db, 1);
    let made = place.copy(&db, now());
    drop(db);
    let keys = [key().verifying()];
    {
        let _running = Lock::take(&place.source.lock, "central").expect("taken");
        let error = restore(&place.source, &made.manifest, &keys, now()).expect_err("refused");
        assert!(matches!(error, BackupError::Running { .. }), "{error}");
    }
    let stranger = [SigningKey::generate(&[9; 32]).verifying()];
    let error = restore(&place.source, &made.manifest, &stranger, now()).expect_err("refused");
    assert!(matches!(error, BackupError::Manifest { .. }), "{error}");
    let copy = made.manifest.to_string_lossy().replace(MANIFEST_ENDING, "db");
    let whole = fs::read(&copy).expect("the copy");
    let mut bad = whole.clone();
    let middle = bad.len() / 2;
    bad[middle] ^= 1;
    fs::write(&copy, bad).expect("changed");
    let error = restore(&place.source, &made.manifest, &keys, now()).expect_err("refused");
    assert!(matches!(error, BackupError::Changed { .. }), "{error}");
    assert!(place.source.path.exists(), "what was there stays");
    fs::write(&copy, whole).expect("as it was");
    restore(&place.source, &made.manifest, &keys, now()).expect("restored");
}

#[test]
fn an_older_file_copied_over_is_noticed_and_a_plain_restart_is_not() {
    let place = Place::new();
    let db = place.open();
    hand_in(&db, 1);
    let first = epoch(&db);
    drop(db);
    let old = place.folder.path().join("old.db");
    let db = place.open();
    assert_eq!((epoch(&db), whys(&db)), (first.clone(), vec![]), "a restart");
    backup::copy(&place.source.path, &old).expect("copied by hand");
    hand_in(&db, 2);
    lives::note(&db, &place.source.outside).expect("noted");
    drop(db);
    // Copied within the same run, so only the place in the order tells.
    fs::copy(&old, &place.source.path).expect("copied back");
    let db = place.open();
    assert_ne!(epoch(&db), first);
    assert_eq!(whys(&db), ["file-copy"]);
    let second = epoch(&db);
    drop(db);
    // A copy of an earlier run, with nothing handed in since.
    fs::copy(&old, &place.source.path).expect("copied back");
    let db = place.open();
    assert_ne!(epoch(&db), second);
    drop(db);
    // Power lost between the two writes at a start.
    let db = place.open();
    let third = epoch(&db);
    drop(db);
    let text = fs::read_to_string(&place.source.outside).expect("outside");
    let run: serde_json::Value = serde_json::from_str(&text).expect("json");
    let half = serde_json::json!({ "run": "an earlier one", "next": run["run"], "server_seq": 1 });
    fs::write(&place.source.outside, half.to_string()).expect("written");
    assert_eq!(epoch(&place.open()), third);
    fs::remove_file(&place.source.outside).expect("removed");
    assert_ne!(
        epoch(&place.open()),
        third,
        "a database that was carried elsewhere"
    );
}

#[test]
fn old_copies_go_and_the_newest_stays_whatever_the_clock_said() {
    let place = Place::new();
    let db = place.open();
    for minutes in 0..4 {
        place.copy(&db, now() + SignedDuration::from_mins(minutes));
    }
    let made = place.copy(&db, now() - SignedDuration::from_hours(24)).manifest;
    let folder = place.backups();
    assert_eq!(thin_out("central", &folder, 4, &made).expect("thinned"), 1);
    assert_eq!(thin_out("central", &folder, 0, &made).expect("thinned"), 2);
    assert_eq!(thin_out("office", &folder, 0, &made).expect("thinned"), 0);
    assert_eq!(fs::read_dir(&folder).expect("folder").count(), 4);
    assert!(made.exists());
}
