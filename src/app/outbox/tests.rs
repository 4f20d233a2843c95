//! Exactly once, whatever the line does: a real client and a real server on files, with a bad line between them.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::RwLock;

use proptest::prelude::*;

use super::chaos::{Chaos, Order};
use super::confirm::{Case, Confirmed, Sealer};
use super::intake::Intake;
use super::*;
use crate::domain::id::{Moment, SubmissionId};
use crate::domain::receipt;
use crate::domain::redacted::Redacted;
use crate::domain::seal::{OpeningKey, Role, SigningKey, open};
use crate::domain::submission::peers::{Peer, PeerBook, TokenHash};
use crate::domain::submission::transit::State;
use crate::domain::submission::{Answer, Content};
use crate::store::{Opened, Schema, backup, central, inbox, lives};
use crate::sync::gate::Gate;
use crate::sync::server;

const KIOSK: Schema = Schema {
    application_id: 11,
    migrations: &[outbox::TABLES, outbox::WORDS],
};
const OFFICE: Schema = Schema {
    application_id: 12,
    migrations: &[
        inbox::TABLES,
        outbox::TABLES,
        lives::TABLES,
        backup::TABLES,
        inbox::DOUBTS,
        outbox::WORDS,
    ],
};
const CANARY: &str = "CANARIO-1714307103-Quishpe";

fn city_key() -> OpeningKey {
    OpeningKey::generate(&[40; 32])
}

fn device(id: &str) -> SigningKey {
    let mut seed = [9; 32];
    seed[..id.len()].copy_from_slice(id.as_bytes());
    SigningKey::generate(&seed)
}

fn server_key() -> SigningKey {
    SigningKey::generate(&[41; 32])
}

fn peers() -> Arc<RwLock<PeerBook>> {
    let peer = |id: &str| Peer {
        token: Some(TokenHash::of(&format!("token of {id}"))),
        ..Peer::with_key(id, "centro", device(id).verifying())
    };
    Arc::new(RwLock::new(PeerBook::new(vec![peer("kiosk-1"), peer("hub")])))
}

fn sealer() -> Sealer {
    Sealer {
        device_id: "kiosk-1".into(),
        office: "centro".into(),
        key: device("kiosk-1"),
        recipients: vec![city_key().recipient(Role::Municipality)],
    }
}

fn clock() -> Clock {
    Clock::manual("2026-11-24T14:00:00Z".parse().expect("time"))
}

fn content() -> Content {
    Content {
        v: 1,
        form_id: "residencia".into(),
        form_version: "3".into(),
        procedure_name: "Certificado de residencia".into(),
        language: "es".into(),
        instance_xml: Redacted::new(format!("<data><cedula>{CANARY}</cedula></data>")),
        answers: vec![Answer {
            name: "cedula".into(),
            label: "Cédula".into(),
            value: Redacted::new(CANARY.into()),
            masked: true,
        }],
        result: None,
        attachments: Vec::new(),
        consents: vec![],
    }
}

fn case(id: SubmissionId) -> Case {
    Case {
        id,
        form_id: "residencia".into(),
        form_version: "3".into(),
        catalogue: "00".repeat(32),
        procedure: "residencia".into(),
        procedure_name: "Certificado de residencia".into(),
        queue: None,
    }
}

/// Confirms as the kiosk's shell does: one transaction, fresh randomness.
async fn confirm(db: &Db, clock: &Clock) -> Confirmed {
    let moment = Moment {
        now: clock.now(),
        random: random(),
    };
    confirm_as(db, SubmissionId::new(moment), moment).await
}

async fn confirm_as(db: &Db, id: SubmissionId, moment: Moment) -> Confirmed {
    db.write(move |conn| sealer().confirm(conn, &case(id), &content(), moment, &random()))
        .await
        .expect("confirmed")
}

/// A server on its file; what it does with new items is the caller's.
async fn serve(
    opened: &Opened,
    clock: &Clock,
    on_accepted: intake::OnAccepted,
) -> (SocketAddr, JoinHandle<()>) {
    serve_as(opened, clock, on_accepted, false).await
}

async fn serve_as(
    opened: &Opened,
    clock: &Clock,
    on_accepted: intake::OnAccepted,
    relays: bool,
) -> (SocketAddr, JoinHandle<()>) {
    let intake = Intake {
        db: opened.db.clone(),
        key: server_key(),
        clock: clock.clone(),
        on_accepted,
        relays,
        after_commit: Arc::new(|_| {}),
    };
    let router = server::router(intake.door(Gate::new(peers(), Clock::System)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let address = listener.local_addr().expect("an address");
    let task = tokio::spawn(async move {
        axum::serve(listener, router).await.expect("served");
    });
    (address, task)
}

fn nothing_more() -> intake::OnAccepted {
    Arc::new(|_, _, _| Ok(()))
}

fn pump(db: &Db, to: SocketAddr, id: &str, clock: &Clock) -> Pump {
    let token = Redacted::new(format!("token of {id}"));
    let upstream = Upstream {
        client: Client::new(&format!("http://{to}"), token, None).expect("a client"),
        receipt_keys: vec![server_key().verifying()],
    };
    Pump::new(db.clone(), upstream, clock.clone(), Delays::default()).1
}

/// Turns the pump until nothing waits, moving the clock over every pause.
async fn drain(pump: &mut Pump, clock: &Clock) {
    for _ in 0..500 {
        if let Pass::Wait(until) = pump.pass().await.expect("the store works") {
            let waiting = pump.db.read(outbox::counts).expect("counts").queued;
            if waiting == 0 {
                return;
            }
            clock.advance(until.duration_since(clock.now()) + SignedDuration::from_micros(1));
        }
    }
    panic!("something waits for ever: {:?}", pump.db.read(outbox::counts));
}

fn ids_at(db: &Db) -> Vec<SubmissionId> {
    let mut ids: Vec<_> = db
        .read(|conn| inbox::list(conn, 0, 1000))
        .expect("list")
        .into_iter()
        .map(|row| row.id)
        .collect();
    ids.sort();
    ids
}

fn run<F: Future>(work: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(work)
}

fn order() -> impl Strategy<Value = Order> {
    prop_oneof![
        2 => Just(Order::Pass),
        1 => Just(Order::Drop),
        3 => (0_usize..1500).prop_map(Order::Cut),
        1 => Just(Order::Twice),
        1 => Just(Order::Busy),
        1 => Just(Order::Portal),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn any_trouble_on_the_line_leaves_the_same_set(
        orders in proptest::collection::vec(order(), 0..12),
        before in 1_usize..6, between in 0_usize..6,
    ) {
        run(async {
            let folder = tempfile::tempdir().expect("folder");
            let clock = clock();
            let city = Db::open(&folder.path().join("central.db"), central::SCHEMA).expect("open");
            let kiosk = Db::open(&folder.path().join("kiosk.db"), KIOSK).expect("open").db;
            let (address, _server) = serve(&city, &clock, nothing_more()).await;
            let chaos = Chaos::start(address, &orders).await;
            let mut pump = pump(&kiosk, chaos.address, "kiosk-1", &clock);
            let mut wanted = Vec::new();
            for _ in 0..before {
                wanted.push(confirm(&kiosk, &clock).await.id);
            }
            pump.pass().await.expect("the store works");
            for _ in 0..between {
                wanted.push(confirm(&kiosk, &clock).await.id);
            }
            drain(&mut pump, &clock).await;
            wanted.sort();
            assert_eq!(ids_at(&city.db), wanted);
            let counts = kiosk.read(outbox::counts).expect("counts");
            assert_eq!((counts.received as usize, counts.stuck), (wanted.len(), 0));
        });
    }
}

#[test]
fn both_ends_restart_on_their_files_after_a_lost_answer() {
    run(async {
        let folder = tempfile::tempdir().expect("folder");
        let (clock, paths) = (
            clock(),
            [folder.path().join("central.db"), folder.path().join("kiosk.db")],
        );
        let city = Db::open(&paths[0], central::SCHEMA).expect("open");
        let kiosk = Db::open(&paths[1], KIOSK).expect("open");
        let (address, server) = serve(&city, &clock, nothing_more()).await;
        let chaos = Chaos::start(address, &[Order::Pass, Order::Cut(100)]).await;
        let mut first = pump(&kiosk.db, chaos.address, "kiosk-1", &clock);
        assert_eq!(first.pass().await.expect("asks"), Pass::Answered);
        let mut wanted = vec![
            confirm(&kiosk.db, &clock).await.id,
            confirm(&kiosk.db, &clock).await.id,
        ];
        // The power goes while the batch is on the line: taken, never settled.
        let now = clock.now();
        let on_line = kiosk
            .db
            .write(move |conn| outbox::take(conn, now, 100, 1 << 20))
            .await
            .expect("taken");
        assert_eq!(
            first.upstream.client.post(&on_line, None, now).await,
            Reply::Nothing { why: "cut" }
        );
        assert_eq!(
            ids_at(&city.db).len(),
            2,
            "the server has them, the kiosk does not know"
        );
        server.abort();
        let epoch = city.epoch.clone();
        drop((first, city, kiosk));

        let city = Db::open(&paths[0], central::SCHEMA).expect("open again");
        let kiosk = Db::open(&paths[1], KIOSK).expect("open again").db;
        assert_eq!(city.epoch, epoch);
        let (address, _server) = serve(&city, &clock, nothing_more()).await;
        chaos.lead_to(address);
        let mut second = pump(&kiosk, chaos.address, "kiosk-1", &clock);
        drain(&mut second, &clock).await;
        wanted.sort();
        assert_eq!(ids_at(&city.db), wanted);
        assert_eq!(kiosk.read(outbox::counts).expect("counts").received, 2);
    });
}

#[test]
fn an_office_passes_on_once_and_two_taps_are_one() {
    run(async {
        let folder = tempfile::tempdir().expect("folder");
        let clock = clock();
        let open = |name: &str, schema| Db::open(&folder.path().join(name), schema).expect("open");
        let city = open("central.db", central::SCHEMA);
        let office = open("office.db", OFFICE);
        let kiosk = open("kiosk.db", KIOSK).db;
        let (city_at, _a) = serve(&city, &clock, nothing_more()).await;
        let (office_at, _b) = serve(&office, &clock, Arc::new(outbox::relay)).await;
        let chaos = Chaos::start(office_at, &[Order::Cut(40), Order::Twice]).await;
        let mut from_kiosk = pump(&kiosk, chaos.address, "kiosk-1", &clock);
        let mut from_office = pump(&office.db, city_at, "hub", &clock);

        let moment = Moment {
            now: clock.now(),
            random: random(),
        };
        let id = SubmissionId::new(moment);
        let first = confirm_as(&kiosk, id, moment).await;
        let again = confirm_as(
            &kiosk,
            id,
            Moment {
                random: random(),
                ..moment
            },
        )
        .await;
        assert_eq!(first, again, "two taps on confirm give one receipt");
        let claims = receipt::verify(&first.token, &[device("kiosk-1").verifying()]).expect("ours");
        assert!(claims.is_of(first.hash) && claims.code == first.code);

        drain(&mut from_kiosk, &clock).await;
        drain(&mut from_office, &clock).await;
        drain(&mut from_kiosk, &clock).await;
        assert_eq!((ids_at(&office.db), ids_at(&city.db)), (vec![id], vec![id]));
        let item = city
            .db
            .read(move |conn| inbox::read(conn, id))
            .expect("read")
            .expect("there");
        let opened = open_with_city(&item.envelope);
        assert_eq!(opened, content());
    });
}

fn open_with_city(envelope: &[u8]) -> Content {
    let opened = open(envelope, &city_key()).expect("opened");
    Content::from_bytes(&opened.plain).expect("a content")
}

#[test]
fn one_that_is_refused_holds_up_nobody_and_is_shown() {
    run(async {
        let clock = clock();
        let city = Db::memory(central::SCHEMA).expect("open");
        let kiosk = Db::memory(KIOSK).expect("open").db;
        let (address, _server) = serve(&city, &clock, nothing_more()).await;
        for _ in 0..3 {
            confirm(&kiosk, &clock).await;
        }
        kiosk
            .write(|conn| {
                conn.execute("UPDATE outbox SET signature=zeroblob(64) WHERE seq=2", [])?;
                Ok(())
            })
            .await
            .expect("written");
        let mut pump = pump(&kiosk, address, "kiosk-1", &clock);
        drain(&mut pump, &clock).await;
        let counts = kiosk.read(outbox::counts).expect("counts");
        assert_eq!((counts.received, counts.stuck), (2, 1));
        assert_eq!(
            (counts.stuck_rows[0].state, counts.stuck_rows[0].why.as_str()),
            (State::Dead, "bad_signature")
        );
    });
}

#[test]
fn a_server_restored_from_an_old_copy_gets_everything_again() {
    run(async {
        let clock = clock();
        let kiosk = Db::memory(KIOSK).expect("open").db;
        let city = Db::memory(central::SCHEMA).expect("open");
        let (address, _a) = serve(&city, &clock, nothing_more()).await;
        let chaos = Chaos::start(address, &[]).await;
        let mut pump = pump(&kiosk, chaos.address, "kiosk-1", &clock);
        let mut wanted = vec![confirm(&kiosk, &clock).await.id, confirm(&kiosk, &clock).await.id];
        drain(&mut pump, &clock).await;
        wanted.sort();
        // An empty file with a new epoch is the oldest copy there is.
        let restored = Db::memory(central::SCHEMA).expect("open");
        let (address, _b) = serve(&restored, &clock, nothing_more()).await;
        chaos.lead_to(address);
        clock.advance(SignedDuration::from_mins(11));
        assert_eq!(pump.pass().await.expect("heartbeat"), Pass::Answered);
        drain(&mut pump, &clock).await;
        assert_eq!(ids_at(&restored.db), wanted);
    });
}

/// Copies and checks the file as `ventanilla backup` does.
async fn back_up(folder: &Path, role: &'static str, db: &Db, clock: &Clock) -> crate::app::backup::Made {
    let schema = if role == "central" {
        central::SCHEMA
    } else {
        OFFICE
    };
    let source = crate::app::backup::Source::new(role, folder, schema, None);
    let (db, now, copies) = (db.clone(), clock.now(), folder.join("copies"));
    tokio::task::spawn_blocking(move || {
        crate::app::backup::make(&source, &db, &copies, &server_key(), now, true).expect("a copy")
    })
    .await
    .expect("made")
}

/// Turns the pump once, after the pause that it asks for.
async fn ask_again(pump: &mut Pump, clock: &Clock) {
    clock.advance(SignedDuration::from_mins(11));
    assert_eq!(pump.pass().await.expect("heartbeat"), Pass::Answered);
}

fn bodies(db: &Db) -> i64 {
    db.read(|conn| Ok(conn.query_row("SELECT count(envelope) FROM outbox", [], |row| row.get(0))?))
        .expect("bodies")
}

#[test]
fn a_body_is_let_go_of_only_a_day_after_a_checked_copy_has_it() {
    run(async {
        let folder = tempfile::tempdir().expect("folder");
        let clock = clock();
        let city = Db::open(&folder.path().join("central.db"), central::SCHEMA).expect("open");
        let kiosk = Db::memory(KIOSK).expect("open").db;
        let (address, _server) = serve(&city, &clock, nothing_more()).await;
        let mut pump = pump(&kiosk, address, "kiosk-1", &clock);
        confirm(&kiosk, &clock).await;
        confirm(&kiosk, &clock).await;
        drain(&mut pump, &clock).await;
        clock.advance(SignedDuration::from_hours(48));
        ask_again(&mut pump, &clock).await;
        assert_eq!(bodies(&kiosk), 2, "received is not enough, however long ago");

        back_up(folder.path(), "central", &city.db, &clock).await;
        confirm(&kiosk, &clock).await;
        drain(&mut pump, &clock).await;
        let counts = kiosk.read(outbox::counts).expect("counts");
        assert_eq!(
            (counts.durable, counts.received),
            (2, 1),
            "the third came after the copy"
        );
        ask_again(&mut pump, &clock).await;
        assert_eq!(bodies(&kiosk), 3, "not at once");
        clock.advance(SignedDuration::from_hours(25));
        ask_again(&mut pump, &clock).await;
        assert_eq!(bodies(&kiosk), 1);
    });
}

#[test]
fn what_is_durable_above_is_durable_at_the_office_in_between() {
    run(async {
        let folder = tempfile::tempdir().expect("folder");
        let clock = clock();
        let open = |name: &str, schema| Db::open(&folder.path().join(name), schema).expect("open");
        let (city, office) = (open("central.db", central::SCHEMA), open("office.db", OFFICE));
        let kiosk = Db::memory(KIOSK).expect("open").db;
        let (city_at, _a) = serve(&city, &clock, nothing_more()).await;
        let (office_at, _b) = serve_as(&office, &clock, Arc::new(outbox::relay), true).await;
        let mut from_kiosk = pump(&kiosk, office_at, "kiosk-1", &clock);
        let mut from_office = pump(&office.db, city_at, "hub", &clock);
        confirm(&kiosk, &clock).await;
        confirm(&kiosk, &clock).await;
        drain(&mut from_kiosk, &clock).await;
        drain(&mut from_office, &clock).await;
        let durable = |db: &Db| db.read(outbox::counts).expect("counts").durable;
        ask_again(&mut from_kiosk, &clock).await;
        assert_eq!((durable(&kiosk), durable(&office.db)), (0, 0));
        back_up(folder.path(), "central", &city.db, &clock).await;
        ask_again(&mut from_office, &clock).await;
        ask_again(&mut from_kiosk, &clock).await;
        assert_eq!((durable(&kiosk), durable(&office.db)), (2, 2));
        confirm(&kiosk, &clock).await;
        drain(&mut from_kiosk, &clock).await;
        assert_eq!(durable(&kiosk), 2);
        back_up(folder.path(), "office", &office.db, &clock).await;
        ask_again(&mut from_kiosk, &clock).await;
        assert_eq!(
            (durable(&kiosk), durable(&office.db)),
            (3, 2),
            "the office's own copy counts too"
        );
    });
}

#[test]
fn a_server_set_back_behind_its_own_back_learns_it_from_the_first_sender() {
    run(async {
        let folder = tempfile::tempdir().expect("folder");
        let (clock, path) = (clock(), folder.path().join("central.db"));
        let kiosk = Db::memory(KIOSK).expect("open").db;
        let city = Db::open(&path, central::SCHEMA).expect("open");
        let (address, server) = serve(&city, &clock, nothing_more()).await;
        let chaos = Chaos::start(address, &[]).await;
        let mut pump = pump(&kiosk, chaos.address, "kiosk-1", &clock);
        let mut wanted = vec![confirm(&kiosk, &clock).await.id];
        drain(&mut pump, &clock).await;
        let old = folder.path().join("old.db");
        crate::store::backup::copy(&path, &old).expect("copied by hand");
        wanted.push(confirm(&kiosk, &clock).await.id);
        drain(&mut pump, &clock).await;
        server.abort();
        let _ = server.await;
        let epoch = city.epoch.clone();
        drop(city);

        // The whole folder of yesterday, so that nothing beside the database tells.
        for ending in ["db-wal", "db-shm"] {
            let _ = std::fs::remove_file(path.with_extension(ending));
        }
        std::fs::copy(&old, &path).expect("copied back");
        let city = Db::open(&path, central::SCHEMA).expect("open again");
        assert_eq!(city.epoch, epoch, "nothing shows yet");
        let (address, _server) = serve(&city, &clock, nothing_more()).await;
        chaos.lead_to(address);
        ask_again(&mut pump, &clock).await;
        drain(&mut pump, &clock).await;
        wanted.sort();
        assert_eq!(ids_at(&city.db), wanted);
        let lives = city.db.read(lives::list).expect("lives");
        assert_eq!(lives.len(), 1, "one new life, not one for each question");
        assert_eq!(
            (lives[0].why.as_str(), lives[0].server_seq),
            ("sender-knows-more", 1)
        );
    });
}

#[test]
fn a_place_that_another_took_after_the_server_was_set_back_hides_nothing() {
    run(async {
        let folder = tempfile::tempdir().expect("folder");
        let (clock, path) = (clock(), folder.path().join("central.db"));
        let (ours, others) = (
            Db::memory(KIOSK).expect("open").db,
            Db::memory(KIOSK).expect("open").db,
        );
        let city = Db::open(&path, central::SCHEMA).expect("open");
        let old = folder.path().join("old.db");
        crate::store::backup::copy(&path, &old).expect("copied by hand");
        let (address, _a) = serve(&city, &clock, nothing_more()).await;
        let chaos = Chaos::start(address, &[]).await;
        let mut pump_ours = pump(&ours, chaos.address, "kiosk-1", &clock);
        let id = confirm(&ours, &clock).await.id;
        drain(&mut pump_ours, &clock).await;

        let restored = Db::open(&old, central::SCHEMA).expect("open");
        let (address, _b) = serve(&restored, &clock, nothing_more()).await;
        chaos.lead_to(address);
        confirm(&others, &clock).await;
        let mut pump_others = pump(&others, chaos.address, "kiosk-1", &clock);
        drain(&mut pump_others, &clock).await;
        // The sender starts anew as well, so that it remembers nothing.
        let mut pump_ours = pump(&ours, chaos.address, "kiosk-1", &clock);
        drain(&mut pump_ours, &clock).await;
        drain(&mut pump_ours, &clock).await;
        assert!(ids_at(&restored.db).contains(&id));
    });
}

#[test]
fn a_life_that_ended_while_the_sender_was_off_is_noticed_at_the_first_answer() {
    run(async {
        let clock = clock();
        let kiosk = Db::memory(KIOSK).expect("open").db;
        let (first, second) = (
            Db::memory(central::SCHEMA).expect("open"),
            Db::memory(central::SCHEMA).expect("open"),
        );
        let (address, _a) = serve(&first, &clock, nothing_more()).await;
        let id = confirm(&kiosk, &clock).await.id;
        drain(&mut pump(&kiosk, address, "kiosk-1", &clock), &clock).await;
        let (address, _b) = serve(&second, &clock, nothing_more()).await;
        let mut again = pump(&kiosk, address, "kiosk-1", &clock);
        assert_eq!(again.pass().await.expect("asks"), Pass::Answered);
        drain(&mut again, &clock).await;
        assert_eq!(ids_at(&second.db), [id]);
    });
}

#[test]
fn a_mark_that_the_server_did_not_sign_lets_nothing_go() {
    let kiosk = Db::memory(KIOSK).expect("open").db;
    let pump = pump(
        &kiosk,
        "127.0.0.1:9".parse().expect("address"),
        "kiosk-1",
        &clock(),
    );
    let mark = Mark {
        server_epoch: "s".into(),
        server_seq: 9,
    };
    let ours = Signed::new(MARK_DOMAIN, &mark, &server_key());
    assert_eq!(pump.mark(Some(&ours), "s"), Some(mark.clone()));
    assert_eq!(pump.mark(Some(&ours), "t"), None, "of an earlier life");
    assert_eq!(
        pump.mark(Some(&Signed::new(MARK_DOMAIN, &mark, &device("hub"))), "s"),
        None
    );
    assert_eq!(
        pump.mark(Some(&Signed::new("VSP1//other//", &mark, &server_key())), "s"),
        None
    );
    assert_eq!(pump.mark(None, "s"), None);
}

#[test]
fn a_stranger_and_a_stolen_token_get_nothing_in() {
    run(async {
        let clock = clock();
        let city = Db::memory(central::SCHEMA).expect("open");
        let kiosk = Db::memory(KIOSK).expect("open").db;
        let (address, _server) = serve(&city, &clock, nothing_more()).await;
        confirm(&kiosk, &clock).await;
        let mut stranger = pump(&kiosk, address, "nobody", &clock);
        assert_eq!(stranger.pass().await.expect("pass"), Pass::Failed);
        assert_eq!(stranger.line.state, LineState::Refused);
        assert_eq!(
            kiosk.read(outbox::counts).expect("counts").queued,
            1,
            "it waits, it does not die"
        );
        assert!(ids_at(&city.db).is_empty());
    });
}

#[test]
fn nothing_a_citizen_said_is_on_any_disk() {
    run(async {
        let folder = tempfile::tempdir().expect("folder");
        let clock = clock();
        let city = Db::open(&folder.path().join("central.db"), central::SCHEMA).expect("open");
        let kiosk = Db::open(&folder.path().join("kiosk.db"), KIOSK).expect("open").db;
        let (address, _server) = serve(&city, &clock, nothing_more()).await;
        let mut pump = pump(&kiosk, address, "kiosk-1", &clock);
        for _ in 0..3 {
            confirm(&kiosk, &clock).await;
        }
        drain(&mut pump, &clock).await;
        let mut looked_at = 0;
        for entry in std::fs::read_dir(folder.path()).expect("folder") {
            let path = entry.expect("entry").path();
            assert!(!holds(&path, CANARY), "{} holds what was said", path.display());
            looked_at += 1;
        }
        assert!(looked_at >= 4, "both files and their logs");
        // The test has teeth: what is not sealed is found.
        assert!(holds(&folder.path().join("kiosk.db-wal"), "kiosk-1"));
    });
}

fn holds(path: &Path, text: &str) -> bool {
    let bytes = std::fs::read(path).expect("read");
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
