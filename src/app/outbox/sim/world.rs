//! Two kiosks, an office and a central on files of their own, and what may happen to them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use jiff::SignedDuration;
use tower::ServiceExt;

use super::Fault;
use super::dice::Dice;
use crate::app::backup::{self, Source};
use crate::app::outbox::confirm::{Case, Sealer};
use crate::app::outbox::intake::{Intake, OnAccepted};
use crate::app::outbox::{Pump, Upstream};
use crate::clock::Clock;
use crate::domain::id::{Moment, SubmissionId};
use crate::domain::redacted::Redacted;
use crate::domain::seal::{OpeningKey, Role, SigningKey};
use crate::domain::submission::peers::{Peer, PeerBook, TokenHash};
use crate::domain::submission::transit::State;
use crate::domain::submission::{Acknowledgement, Content, Hash};
use crate::store::{Db, Reserve, Schema, central, office, outbox};
use crate::sync::client::{Carried, Carry, Client};
use crate::sync::gate::Gate;
use crate::sync::plan::Delays;
use crate::sync::server;
use crate::sync::wire::{BatchWire, PATH};

const KIOSK: Schema = Schema {
    application_id: 11,
    migrations: &[outbox::TABLES, outbox::WORDS],
};
const KIOSKS: [&str; 2] = ["kiosk-1", "kiosk-2"];

/// A promise that did not hold.
#[derive(Debug, thiserror::Error)]
#[error("{promise}: {what}\n  {history}")]
pub(super) struct Broken {
    promise: &'static str,
    what: String,
    history: String,
}

/// What the network does to one request.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Pass,
    LoseRequest,
    LoseAnswer,
    Twice,
    /// Arrives now, without an answer, and once more some steps later.
    AgainLater,
    Busy,
    Portal,
    CutAnswer,
}

const FATES: [(u64, Fate); 8] = [
    (12, Fate::Pass),
    (2, Fate::LoseRequest),
    (3, Fate::LoseAnswer),
    (1, Fate::Twice),
    (1, Fate::AgainLater),
    (1, Fate::Busy),
    (1, Fate::Portal),
    (1, Fate::CutAnswer),
];

#[derive(Clone, Copy, Debug)]
enum Event {
    Confirm(usize),
    KioskSends(usize),
    OfficeSends,
    KioskDies(usize),
    OfficeDies,
    CentralDies,
    Copy,
    OfficeCopy,
    Restore,
    CopyBack,
    CopyFolderBack,
    TimePasses,
    ClockJumps(usize),
    OldMail,
}

/// What stands behind a line now; exchanged when a server comes up again.
type Server = Arc<Mutex<Router>>;

struct Receiver {
    source: Source,
    db: Db,
    router: Server,
    clock: Clock,
    relays: bool,
}

struct Sender {
    db: Db,
    path: PathBuf,
    schema: Schema,
    clock: Clock,
    pump: Pump,
    client: Client,
    key: SigningKey,
    id: &'static str,
}

/// What is shared with the lines: the fate of the next request and letters that come late.
#[derive(Default)]
struct Net {
    fate: Option<Fate>,
    late: Vec<(Server, &'static str, Vec<u8>)>,
}

pub(super) struct World {
    folder: tempfile::TempDir,
    fault: Fault,
    net: Arc<Mutex<Net>>,
    kiosks: Vec<Sender>,
    office: Receiver,
    office_sender: Option<Sender>,
    central: Receiver,
    confirmed: BTreeMap<SubmissionId, (usize, Hash)>,
    seen: BTreeMap<SubmissionId, State>,
    last_copy: Option<PathBuf>,
    history: Vec<Event>,
    seed: u64,
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
        token: Some(TokenHash::of(id)),
        ..Peer::with_key(id, "centro", device(id).verifying())
    };
    let all = KIOSKS.iter().chain(&["hub"]).map(|id| peer(id)).collect();
    Arc::new(RwLock::new(PeerBook::new(all)))
}

/// Small, for many of them stand in memory at once.
fn open(path: &Path, schema: Schema) -> Db {
    Db::open_with(path, schema, |path| Reserve::new(path, 4096, 0))
        .expect("opens")
        .db
}

impl Receiver {
    fn new(role: &'static str, folder: &Path, schema: Schema, clock: &Clock, relays: bool) -> Self {
        let source = Source::new(role, &folder.join(role), schema, None);
        let mut receiver = Self {
            db: open(&source.path, schema),
            source,
            router: Arc::new(Mutex::new(Router::new())),
            clock: clock.clone(),
            relays,
        };
        receiver.come_up();
        receiver
    }

    /// As at a start of the process, on the file as it lies there.
    fn come_up(&mut self) {
        self.db = open(&self.source.path, self.source.schema);
        backup::begin(&self.source, &self.db, self.clock.now()).expect("begun");
        let on_accepted: OnAccepted = if self.relays {
            Arc::new(outbox::relay)
        } else {
            Arc::new(|_, _, _| Ok(()))
        };
        let intake = Intake {
            db: self.db.clone(),
            key: server_key(),
            clock: self.clock.clone(),
            on_accepted,
            relays: self.relays,
            after_commit: Arc::new(|_| {}),
        };
        *self.router.lock().expect("lock") = server::router(intake.door(Gate::new(peers(), Clock::System)));
    }

    /// Lets go of the file.
    fn go_down(&mut self) {
        *self.router.lock().expect("lock") = Router::new();
        self.db = Db::memory(KIOSK).expect("a placeholder").db;
    }
}

async fn ask(server: &Server, id: &str, body: Vec<u8>) -> Carried {
    let router = server.lock().expect("lock").clone();
    let request = Request::post(PATH)
        .header("authorization", format!("Bearer {id}"))
        .body(Body::from(body))
        .expect("a request");
    let response = router.oneshot(request).await.expect("never fails");
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), 8 << 20).await.expect("a body");
    Carried {
        status,
        retry_after: None,
        body: Some(body.to_vec()),
    }
}

/// The line of `id` to `server`.
fn line(id: &'static str, server: &Server, net: &Arc<Mutex<Net>>, fault: Fault) -> Client {
    let (server, net) = (Arc::clone(server), Arc::clone(net));
    let carry: Carry = Arc::new(move |body| {
        let (server, net) = (Arc::clone(&server), Arc::clone(&net));
        Box::pin(async move {
            let body = if fault == Fault::NoNewLife {
                without_last_word(&body)
            } else {
                body
            };
            let fate = net.lock().expect("lock").fate.take().unwrap_or(Fate::Pass);
            match fate {
                Fate::Pass => Ok(ask(&server, id, body).await),
                Fate::LoseRequest => Err("timeout"),
                Fate::LoseAnswer => {
                    ask(&server, id, body).await;
                    Err("cut")
                }
                Fate::Twice => {
                    ask(&server, id, body.clone()).await;
                    Ok(ask(&server, id, body).await)
                }
                Fate::AgainLater => {
                    ask(&server, id, body.clone()).await;
                    net.lock().expect("lock").late.push((server, id, body));
                    Err("timeout")
                }
                Fate::Busy => Ok(Carried {
                    status: 503,
                    retry_after: Some("86400".into()),
                    body: None,
                }),
                Fate::Portal => Ok(Carried {
                    status: 200,
                    retry_after: None,
                    body: Some(b"<html>wifi".to_vec()),
                }),
                Fate::CutAnswer => {
                    let mut carried = ask(&server, id, body).await;
                    if let Some(body) = &mut carried.body {
                        body.truncate(body.len() / 2);
                    }
                    Ok(carried)
                }
            }
        })
    });
    Client::by(carry)
}

fn without_last_word(body: &[u8]) -> Vec<u8> {
    let mut batch: BatchWire = serde_json::from_slice(body).expect("our own batch");
    batch.last_word = None::<Acknowledgement>;
    serde_json::to_vec(&batch).expect("plain data")
}

impl Sender {
    fn pump(&self, seed: u64) -> Pump {
        let upstream = Upstream {
            client: self.client.clone(),
            receipt_keys: vec![server_key().verifying()],
        };
        let mut pump = Pump::new(self.db.clone(), upstream, self.clock.clone(), Delays::default()).1;
        let mut dice = Dice::new(seed);
        pump.dice = Box::new(move || dice.next());
        pump
    }

    /// The process ends without a word and starts again on its file.
    fn die(&mut self, seed: u64) {
        let idle = Db::memory(KIOSK).expect("a placeholder").db;
        self.pump.db = idle.clone();
        self.db = idle;
        self.db = open(&self.path, self.schema);
        self.pump = self.pump(seed);
    }
}

impl World {
    pub(super) fn new(dice: &mut Dice, fault: Fault) -> Self {
        // In memory it is faster; where nobody may write there, the disk serves.
        let folder = tempfile::tempdir_in(Path::new("/dev/shm"))
            .or_else(|_| tempfile::tempdir())
            .expect("a folder");
        let clock = || Clock::manual("2026-11-24T14:00:00Z".parse().expect("time"));
        let net = Arc::new(Mutex::new(Net::default()));
        let central = Receiver::new("central", folder.path(), central::SCHEMA, &clock(), false);
        let office = Receiver::new("office", folder.path(), office::SCHEMA, &clock(), true);
        let kiosks = KIOSKS
            .iter()
            .map(|id| {
                let path = folder.path().join(format!("{id}.db"));
                let client = line(id, &office.router, &net, fault);
                sender(id, open(&path, KIOSK), path, KIOSK, clock(), client)
            })
            .collect();
        let mut world = Self {
            office_sender: None,
            folder,
            fault,
            net,
            kiosks,
            office,
            central,
            confirmed: BTreeMap::new(),
            seen: BTreeMap::new(),
            last_copy: None,
            history: Vec::new(),
            seed: dice.next(),
        };
        world.office_comes_up();
        world
    }

    fn office_comes_up(&mut self) {
        let client = line("hub", &self.central.router, &self.net, self.fault);
        let (db, clock) = (self.office.db.clone(), self.office.clock.clone());
        self.office_sender = Some(sender("hub", db, PathBuf::new(), office::SCHEMA, clock, client));
    }

    pub(super) async fn step(&mut self, dice: &mut Dice) {
        let kiosk = usize::try_from(dice.below(KIOSKS.len() as u64)).expect("small");
        let event = dice.pick(&[
            (8, Event::Confirm(kiosk)),
            (14, Event::KioskSends(kiosk)),
            (14, Event::OfficeSends),
            (2, Event::KioskDies(kiosk)),
            (2, Event::OfficeDies),
            (1, Event::CentralDies),
            (4, Event::Copy),
            (1, Event::OfficeCopy),
            (1, Event::Restore),
            (1, Event::CopyBack),
            (1, Event::CopyFolderBack),
            (6, Event::TimePasses),
            (1, Event::ClockJumps(kiosk)),
            (2, Event::OldMail),
        ]);
        self.net.lock().expect("lock").fate = Some(dice.pick(&FATES));
        self.history.push(event);
        let chance = dice.next();
        match event {
            Event::Confirm(kiosk) => self.confirm(kiosk, chance).await,
            Event::KioskSends(kiosk) => self.kiosk_sends(kiosk).await,
            Event::OfficeSends => self.office_sends().await,
            Event::KioskDies(kiosk) => self.kiosks[kiosk].die(chance),
            Event::OfficeDies => self.office_dies(),
            Event::CentralDies => {
                self.central.go_down();
                self.central.come_up();
            }
            Event::Copy => self.copy(),
            Event::OfficeCopy => {
                back_up(&self.office, &self.folder.path().join("office-copies"));
            }
            Event::Restore => self.restore(),
            Event::CopyBack => self.copy_back(false),
            Event::CopyFolderBack => self.copy_back(true),
            Event::TimePasses => self.pass_time(chance),
            Event::ClockJumps(kiosk) => {
                let years = if chance.is_multiple_of(2) { 5 } else { -5 };
                self.kiosks[kiosk]
                    .clock
                    .advance(SignedDuration::from_hours(years * 365 * 24));
            }
            Event::OldMail => {
                let late = self.net.lock().expect("lock").late.pop();
                if let Some((server, id, body)) = late {
                    ask(&server, id, body).await;
                }
            }
        }
    }

    async fn confirm(&mut self, kiosk: usize, chance: u64) {
        let sender = &self.kiosks[kiosk];
        let mut random = [0; 16];
        random[..8].copy_from_slice(&chance.to_be_bytes());
        random[8..].copy_from_slice(&self.seed.wrapping_add(self.history.len() as u64).to_be_bytes());
        let moment = Moment {
            now: sender.clock.now(),
            random,
        };
        let id = SubmissionId::new(moment);
        let sealer = Sealer {
            device_id: sender.id.into(),
            office: "centro".into(),
            key: sender.key.clone(),
            recipients: vec![OpeningKey::generate(&[40; 32]).recipient(Role::Municipality)],
        };
        let mut seed = [7; 32];
        seed[..16].copy_from_slice(&random);
        let confirmed = sender
            .db
            .write(move |conn| sealer.confirm(conn, &case(id), &content(), moment, &seed))
            .await
            .expect("confirmed");
        self.confirmed.insert(id, (kiosk, confirmed.hash));
    }

    async fn kiosk_sends(&mut self, kiosk: usize) {
        self.kiosks[kiosk].pump.pass().await.expect("the store works");
        if self.fault == Fault::PurgeOnReceipt {
            self.kiosks[kiosk].let_go("state='RECEIVED'").await;
        }
    }

    async fn office_sends(&mut self) {
        let sender = self.office_sender.as_mut().expect("up");
        sender.pump.pass().await.expect("the store works");
        if self.fault == Fault::PurgeOnReceipt {
            sender.let_go("state='RECEIVED'").await;
        }
    }

    fn office_dies(&mut self) {
        self.office_sender = None;
        self.office.go_down();
        self.office.come_up();
        self.office_comes_up();
    }

    fn copies(&self) -> PathBuf {
        self.folder.path().join("copies")
    }

    fn copy(&mut self) {
        if self.fault == Fault::MarkWithoutCopy && self.last_copy.is_some() {
            return mark_without_copy(&self.central.db);
        }
        let made = back_up(&self.central, &self.copies());
        assert!(made.counts);
        self.last_copy = Some(made.manifest);
    }

    fn restore(&mut self) {
        self.central.go_down();
        if let Some(manifest) = &self.last_copy {
            let (source, now) = (&self.central.source, self.central.clock.now());
            let keys = [server_key().verifying()];
            apart(|| backup::restore(source, manifest, &keys, now).expect("restored"));
        }
        self.central_comes_back();
    }

    /// Somebody copies the file of the last copy over the database; with `folder`, and what lies beside it too.
    fn copy_back(&mut self, folder: bool) {
        let Some(manifest) = self.last_copy.clone() else {
            return;
        };
        let copy = manifest.to_string_lossy().replace(backup::MANIFEST_ENDING, "db");
        self.central.go_down();
        let path = self.central.source.path.clone();
        for ending in ["db-wal", "db-shm"] {
            let _ = std::fs::remove_file(path.with_extension(ending));
        }
        std::fs::copy(copy, &path).expect("copied");
        if folder {
            agree(&self.central);
        }
        self.central_comes_back();
    }

    fn central_comes_back(&mut self) {
        if self.fault == Fault::NoNewLife {
            agree(&self.central);
        }
        self.central.come_up();
    }

    fn pass_time(&mut self, chance: u64) {
        let span = [60, 900, 7200, 90_000][usize::try_from(chance % 4).expect("small")];
        self.advance(SignedDuration::from_secs(span));
    }

    fn advance(&self, by: SignedDuration) {
        let kiosks = self.kiosks.iter().map(|kiosk| &kiosk.clock);
        for clock in kiosks.chain([&self.office.clock, &self.central.clock]) {
            clock.advance(by);
        }
    }

    fn broken(&self, promise: &'static str, what: String) -> Broken {
        Broken {
            promise,
            what,
            history: self.history.iter().map(|event| format!("{event:?} ")).collect(),
        }
    }

    /// What holds at every moment.
    pub(super) fn check(&mut self) -> Result<(), Broken> {
        let central = hashes(&self.central.db, "inbox");
        let at_office = hashes(&self.office.db, "outbox");
        let copied = self
            .last_copy
            .as_ref()
            .map(|manifest| copied(manifest))
            .unwrap_or_default();
        let mut states = BTreeMap::new();
        let mut held: BTreeMap<String, Hash> = BTreeMap::new();
        for kiosk in &self.kiosks {
            held.extend(hashes(&kiosk.db, "outbox"));
            states.extend(states_of(&kiosk.db));
        }
        for (id, (_, hash)) in &self.confirmed {
            let name = id.to_string();
            let places = [&held, &at_office, &central, &copied];
            let found: Vec<_> = places.iter().filter_map(|place| place.get(&name)).collect();
            if found.is_empty() {
                return Err(self.broken("I1", format!("{id} is nowhere")));
            }
            if found.iter().any(|found| *found != hash) {
                return Err(self.broken("I5", format!("{id} has other bytes somewhere")));
            }
            let state = states.get(id).copied();
            if state == Some(State::Durable) && !central.contains_key(&name) && !copied.contains_key(&name) {
                let office = hashes(&self.office.db, "inbox").contains_key(&name);
                if !office {
                    return Err(self.broken("I3", format!("{id} was let go of and is in no copy")));
                }
            }
            if let (Some(before), Some(after)) = (self.seen.get(id), state)
                && !may_become(*before, after)
            {
                return Err(self.broken("I8", format!("{id}: {before:?} to {after:?}")));
            }
            if let Some(state) = state {
                self.seen.insert(*id, state);
            }
        }
        if central.len() > self.confirmed.len() {
            return Err(self.broken("I2", "central has more than was confirmed".into()));
        }
        Ok(())
    }

    /// The network heals, copies are made, time passes: all must come to rest.
    pub(super) async fn heal(&mut self) -> Result<(), Broken> {
        for _ in 0..12 {
            self.advance(SignedDuration::from_hours(2));
            for _ in 0..6 {
                for kiosk in 0..self.kiosks.len() {
                    self.kiosk_sends(kiosk).await;
                }
                self.office_sends().await;
                self.check()?;
            }
            self.copy();
            self.check()?;
        }
        let central = hashes(&self.central.db, "inbox");
        for id in self.confirmed.keys() {
            if !central.contains_key(&id.to_string()) {
                let kiosk = self
                    .kiosks
                    .iter()
                    .find_map(|kiosk| states_of(&kiosk.db).remove(id));
                let office = states_of(&self.office.db).remove(id);
                let what = format!("{id} never arrived; kiosk {kiosk:?}, office {office:?}");
                return Err(self.broken("I4", what));
            }
        }
        for kiosk in &self.kiosks {
            for (id, state) in states_of(&kiosk.db) {
                if state != State::Durable {
                    return Err(self.broken("I4", format!("{id} stays {state:?} for ever")));
                }
            }
        }
        Ok(())
    }

    /// A day later nothing is on the kiosks; then central's disk breaks.
    pub(super) async fn lose_everything_after_the_last_copy(&mut self) -> Result<(), Broken> {
        self.advance(SignedDuration::from_hours(49));
        for kiosk in 0..self.kiosks.len() {
            self.kiosk_sends(kiosk).await;
            let left = hashes(&self.kiosks[kiosk].db, "outbox").len();
            if left > 0 {
                return Err(self.broken("I4", format!("{left} bodies stay on a kiosk")));
            }
        }
        self.central.go_down();
        std::fs::remove_file(&self.central.source.path).expect("the disk breaks");
        self.restore();
        let central = hashes(&self.central.db, "inbox").len();
        if central != self.confirmed.len() {
            return Err(self.broken("I3", format!("{central} of {} came back", self.confirmed.len())));
        }
        Ok(())
    }
}

/// From one look to the next several steps may lie.
fn may_become(before: State, after: State) -> bool {
    match before {
        State::Queued | State::Inflight => true,
        State::Received => after != State::Quarantined,
        // Only what still has its body goes back, when the server began a new life.
        State::Durable => matches!(
            after,
            State::Durable | State::Queued | State::Inflight | State::Received
        ),
        State::Dead => after == State::Dead,
        State::Quarantined => after == State::Quarantined,
    }
}

impl Sender {
    async fn let_go(&self, which: &'static str) {
        self.db
            .write(move |conn| {
                let sql = format!("UPDATE outbox SET state='DURABLE', envelope=NULL WHERE {which}");
                Ok(conn.execute(&sql, [])?)
            })
            .await
            .expect("written");
    }
}

fn sender(id: &'static str, db: Db, path: PathBuf, schema: Schema, clock: Clock, client: Client) -> Sender {
    let upstream = Upstream {
        client: client.clone(),
        receipt_keys: vec![],
    };
    let mut sender = Sender {
        pump: Pump::new(db.clone(), upstream, clock.clone(), Delays::default()).1,
        db,
        path,
        schema,
        clock,
        client,
        key: device(id),
        id,
    };
    sender.pump = sender.pump(1);
    sender
}

fn back_up(receiver: &Receiver, folder: &Path) -> backup::Made {
    apart(|| {
        let now = receiver.clock.now();
        let made = backup::make(&receiver.source, &receiver.db, folder, &server_key(), now, true);
        let made = made.expect("a copy");
        backup::thin_out(receiver.source.role, folder, 2, &made.manifest).expect("thinned");
        made
    })
}

/// On a thread of its own: the store's blocking calls are not for one of the runtime.
fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(work).join().expect("done"))
}

/// The fault: the mark moves though nothing was copied.
fn mark_without_copy(db: &Db) {
    let pretend = |conn: &rusqlite::Connection| {
        let copied = crate::store::backup::Copied {
            epoch: crate::store::lives::epoch(conn)?,
            server_seq: crate::store::lives::last_seq(conn)?,
            submissions: 0,
        };
        crate::store::backup::record(conn, &copied, "", "", jiff::Timestamp::UNIX_EPOCH)
    };
    apart(|| db.write_blocking(pretend).expect("written"));
}

/// Makes the file outside say what the database says, as when a whole folder is copied back.
fn agree(receiver: &Receiver) {
    let db = open(&receiver.source.path, receiver.source.schema);
    crate::store::lives::note(&db, &receiver.source.outside).expect("noted");
}

/// Ids and true hashes of the bodies in a table.
fn hashes(db: &Db, table: &'static str) -> BTreeMap<String, Hash> {
    db.read(move |conn| {
        let sql = format!("SELECT submission_id, envelope FROM {table} WHERE envelope IS NOT NULL");
        let mut statement = conn.prepare(&sql)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, Hash::of(&row.get::<_, Vec<u8>>(1)?))))?;
        Ok(rows.collect::<Result<_, _>>()?)
    })
    .expect("read")
}

fn copied(manifest: &Path) -> BTreeMap<String, Hash> {
    let copy = manifest.to_string_lossy().replace(backup::MANIFEST_ENDING, "db");
    let conn = rusqlite::Connection::open_with_flags(copy, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)
        .expect("the copy");
    let mut statement = conn
        .prepare("SELECT submission_id, hash FROM inbox")
        .expect("a copy");
    let rows = statement
        .query_map([], |row| Ok((row.get(0)?, Hash(row.get(1)?))))
        .expect("rows");
    rows.collect::<Result<_, _>>().expect("rows")
}

fn states_of(db: &Db) -> BTreeMap<SubmissionId, State> {
    db.read(|conn| {
        let mut statement = conn.prepare("SELECT submission_id, state FROM outbox")?;
        let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?)
    })
    .expect("read")
    .into_iter()
    .map(|(id, state)| {
        (
            id.parse().expect("an id"),
            State::from_word(&state).expect("a state"),
        )
    })
    .collect()
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

fn content() -> Content {
    Content {
        v: 1,
        form_id: "residencia".into(),
        form_version: "3".into(),
        procedure_name: "Certificado de residencia".into(),
        language: "es".into(),
        instance_xml: Redacted::new("<data/>".into()),
        answers: vec![],
        result: None,
        attachments: Vec::new(),
        consents: vec![],
    }
}
