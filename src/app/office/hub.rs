//! The one way to change the office: decide, write events and projection in one transaction, then tell.
//!
//! Two states are kept. `working` is what the next decision sees, inside the writer; `live` is folded only from
//! events that are on the disk, and it is all that faces ever see. Nothing is shown before it is committed.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

use jiff::Timestamp;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, broadcast};
use tracing::{info, warn};

use super::audit::{self, Journal};
use super::boards::BoardWatch;
use super::form::FormOpener;
use super::kiosks::KioskWatch;
use super::second::Waiting;
use super::time::Time;
use super::views::{BoardView, CounterView, LeaseView, TicketView};
use crate::app::Stop;
use crate::app::devices::Registry;
use crate::clock::{self, Clock};
use crate::config::office::OfficeConfig;
use crate::domain::event::{OfficeEvent, What};
use crate::domain::id::{Moment, TicketId};
use crate::domain::office::settings::differences;
use crate::domain::office::{Command, Issue, Office, OfficeSetup, Order, Outcome, Refusal, Zone};
use crate::domain::printing::PaperOrder;
use crate::domain::seal::hex;
use crate::domain::ticket::{CounterNumber, KioskId};
use crate::store::office as store;
use crate::store::{Db, StoreError};

/// Events a slow listener may be behind before it has to read them from the store.
const BROADCAST_DEPTH: usize = 1024;

/// A board as JSON, with the event it knows of and when it was made.
type Pictured = (u64, Timestamp, Arc<str>);

/// A running office: its state, its store and everybody who listens.
pub struct OfficeApp {
    pub(super) config: OfficeConfig,
    /// What the machine's own configuration says; what is in force is with the state.
    given: Arc<OfficeSetup>,
    pub(super) clock: Clock,
    pub(super) time: Time,
    pub(super) stop: Stop,
    pub(super) db: Db,
    working: Mutex<Office>,
    outgoing: Mutex<VecDeque<OfficeEvent>>,
    live: RwLock<Office>,
    events: broadcast::Sender<Arc<OfficeEvent>>,
    board: Mutex<HashMap<Option<String>, Pictured>>,
    pub(super) boards: BoardWatch,
    kiosks_seen: Mutex<HashMap<KioskId, Timestamp>>,
    pub(super) kiosk_watch: KioskWatch,
    /// Kiosks that were let in by code, once the line stands.
    pub(super) devices: OnceLock<Arc<Registry>>,
    /// Two passwords are hashed at once, and no more.
    pub(super) hashing: Semaphore,
    pub(super) journal: Journal,
    pub(super) waiting: Waiting,
    forms: OnceLock<FormOpener>,
    quarantined: Option<PathBuf>,
    /// Since the machine began, when the office did.
    begun: jiff::SignedDuration,
}

/// Who asks for a change, and under which key.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// Idempotency key.
    pub key: Option<String>,
    /// Login, name of a token or of a kiosk.
    pub who: Option<String>,
    /// Key of an earlier attempt at the same wish, whose answer never arrived.
    pub replaces: Option<String>,
}

/// The answer to a change.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// The ticket it was about, if any.
    Ticket(Option<Box<TicketView>>),
    /// The counter it was about.
    Counter(Box<CounterView>),
    /// A promised block.
    Lease(LeaseView),
    /// The version of the settings from now on.
    Configured(u64),
    /// Nothing to tell.
    Done,
}

/// Why the office did not do it.
#[derive(Debug, thiserror::Error)]
pub enum OfficeError {
    /// A rule of the office says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The key was used for something else before.
    #[error("The idempotency key was used for another request; make a new one")]
    KeyReused,
    /// It could not be kept.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for OfficeError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

struct Carried {
    seq: u64,
    answer: Result<Reply, OfficeError>,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl OfficeApp {
    pub(super) fn new(
        config: OfficeConfig,
        setup: OfficeSetup,
        clock: Clock,
        stop: Stop,
        db: Db,
        quarantined: Option<PathBuf>,
        journal: Journal,
    ) -> Result<Self, StoreError> {
        let given = Arc::new(setup);
        let shared = Arc::clone(&given);
        let (office, newest) = db.read(move |c| Ok((store::load(c, &shared)?, store::newest_at(c)?)))?;
        Ok(Self {
            begun: clock.boot(),
            time: Time::begin(&clock, newest, office.has_open()),
            boards: BoardWatch::new(clock.now()),
            config,
            given,
            clock,
            stop,
            db,
            live: RwLock::new(office.clone()),
            working: Mutex::new(office),
            outgoing: Mutex::new(VecDeque::new()),
            events: broadcast::channel(BROADCAST_DEPTH).0,
            board: Mutex::new(HashMap::new()),
            kiosks_seen: Mutex::new(HashMap::new()),
            kiosk_watch: KioskWatch::default(),
            devices: OnceLock::new(),
            hashing: Semaphore::new(2),
            journal,
            waiting: Waiting::default(),
            forms: OnceLock::new(),
            quarantined,
        })
    }

    /// Seconds since the office began.
    pub fn up_seconds(&self) -> u64 {
        u64::try_from((self.clock.boot() - self.begun).as_secs()).unwrap_or(0)
    }

    /// Settings of this office.
    pub fn config(&self) -> &OfficeConfig {
        &self.config
    }

    /// Queues, counters and rules of this office as they are in force now.
    pub fn setup(&self) -> Arc<OfficeSetup> {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(live.setup())
    }

    /// The office's store, for its staff and its tokens.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// When this process is told to finish.
    pub fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Where a damaged data file was put aside at this start, if one was.
    pub fn quarantined(&self) -> Option<&PathBuf> {
        self.quarantined.as_ref()
    }

    /// Lets the counters open sealed forms; only the first call counts.
    pub fn plug_forms(&self, open: FormOpener) {
        if self.forms.set(open).is_err() {
            warn!("forms can be opened already; a second opener was ignored");
        }
    }

    pub(super) fn forms(&self) -> Option<&FormOpener> {
        self.forms.get()
    }

    /// Committed events as they happen; who lags reads the rest from the store.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<OfficeEvent>> {
        self.events.subscribe()
    }

    /// Looks at the committed state; a day that is over shows as an empty one.
    pub fn look<R>(&self, look: impl FnOnce(&Office, Timestamp) -> R) -> R {
        let now = self.now();
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        if live.is_over(now) {
            look(&Office::new(Arc::clone(live.setup())), now)
        } else {
            look(&live, now)
        }
    }

    /// Number of the newest committed event.
    pub fn seq(&self) -> u64 {
        self.live.read().unwrap_or_else(PoisonError::into_inner).seq()
    }

    /// What a zone's waiting room may see now; the whole office without one.
    pub fn snapshot(&self, zone: Option<&Zone>) -> BoardView {
        let seq = self.seq();
        let mut board = self.look(|office, now| BoardView::of(&self.config, zone, office, now));
        board.seq = board.seq.max(seq);
        board
    }

    /// The snapshot as JSON with its sequence, made once for all boards of a zone that ask in the same second.
    ///
    /// Every event up to that sequence is with the listeners already: they are told under the lock that the
    /// snapshot reads.
    pub(super) fn board_json(&self, zone: Option<&Zone>) -> (u64, Arc<str>) {
        let now = self.now();
        let seq = self.seq();
        let mut kept = lock(&self.board);
        let id = zone.map(|zone| zone.id.clone());
        if let Some((of, at, text)) = kept.get(&id)
            && *of == seq
            && now.duration_since(*at).abs() < jiff::SignedDuration::from_secs(1)
        {
            return (seq, Arc::clone(text));
        }
        let board = self.snapshot(zone);
        let text: Arc<str> = serde_json::to_string(&board).unwrap_or_default().into();
        kept.insert(id, (board.seq, now, Arc::clone(&text)));
        (board.seq, text)
    }

    /// Issues a ticket; the same key gets the same ticket.
    pub async fn issue(self: &Arc<Self>, wish: Issue, ask: Ask) -> Result<TicketView, OfficeError> {
        match self.command(Command::Issue(wish), ask).await? {
            Reply::Ticket(Some(ticket)) => Ok(*ticket),
            Reply::Ticket(None)
            | Reply::Counter(_)
            | Reply::Lease(_)
            | Reply::Configured(_)
            | Reply::Done => Err(Refusal::UnknownTicket.into()),
        }
    }

    /// Carries out a command and returns once it is on the disk.
    ///
    /// It is carried out to the end and told to everybody even if the caller goes away.
    pub async fn command(self: &Arc<Self>, command: Command, ask: Ask) -> Result<Reply, OfficeError> {
        let (writer, teller) = (Arc::clone(self), Arc::clone(self));
        let carried = self
            .db
            .write_then(
                move |c| writer.carry_out(c, command, &ask),
                move |carried| teller.publish(carried.seq),
            )
            .await;
        match carried {
            Ok(carried) => carried.answer,
            // SQLite itself refused a second ticket with this number, of a day we no longer have at hand.
            Err(StoreError::Conflict(_)) => Err(Refusal::NumberTaken("–".to_owned()).into()),
            Err(error) => Err(error.into()),
        }
    }

    /// The writer's part: runs inside the transaction.
    fn carry_out(&self, c: &Connection, mut command: Command, ask: &Ask) -> Result<Carried, StoreError> {
        let mut working = lock(&self.working);
        let stored = store::last_seq(c)?;
        if working.seq() != stored {
            // The last commit did not happen: what we decided since is not true.
            warn!(believed = working.seq(), stored, "state rebuilt from the events");
            *working = store::load(c, &self.given)?;
            lock(&self.outgoing).retain(|event| event.seq <= stored);
        }
        let done = |seq, answer| Ok(Carried { seq, answer });
        let request = request(&command);
        if let Some(key) = &ask.key
            && let Some(earlier) = store::find_answer(c, key)?
        {
            let answer = if earlier.request == request {
                serde_json::from_str(&earlier.body)
                    .map_err(|_| StoreError::Unreadable { what: "answer" })
                    .map_err(OfficeError::from)
            } else {
                Err(OfficeError::KeyReused)
            };
            return done(stored, answer);
        }
        if let Command::Issue(wish) = &mut command {
            let known = match wish.id {
                Some(id) => working
                    .ticket(id)
                    .cloned()
                    .map_or_else(|| store::ticket(c, id), |t| Ok(Some(t)))?,
                None => None,
            };
            if let Some(known) = known {
                let reply = Reply::Ticket(Some(Box::new(TicketView::of(&working, &known, self.now()))));
                return done(stored, Ok(reply));
            }
            if let Some(key) = &ask.replaces {
                wish.replaces = store::find_answer(c, key)?.and_then(|earlier| earlier.ticket);
            }
        }
        let now = self.now();
        let order = Order {
            moment: Moment {
                now,
                random: clock::random(),
            },
            cause: ask.key.clone(),
            who: ask.who.clone(),
        };
        // Compared before it is handled: afterwards the office knows only the new ones.
        let differences = match &command {
            Command::Configure { settings, .. } => differences(&working.setup().written, settings),
            _ => Vec::new(),
        };
        let handled = working.handle(&command, &order);
        store::append(c, &handled.events)?;
        for event in &handled.events {
            store::keep_settings(c, event)?;
        }
        project(c, &working, &handled.events)?;
        let answer = match handled.outcome {
            Ok(outcome) => Ok(self.reply(&working, &outcome, &handled.events, now)),
            Err(refusal) => Err(OfficeError::Refused(refusal)),
        };
        if self.is_by_staff(ask) {
            let event = audit::commanded(
                &command,
                &request,
                &handled.events,
                differences,
                answer.as_ref().err(),
            );
            store::append_audit(c, now, ask.who.as_deref(), None, &event)?;
        }
        if let Ok(reply) = &answer {
            let body = serde_json::to_string(reply).map_err(|_| StoreError::Unreadable { what: "answer" })?;
            let ticket = match reply {
                Reply::Ticket(ticket) => ticket.as_ref().map(|ticket| ticket.id),
                Reply::Counter(_) | Reply::Lease(_) | Reply::Configured(_) | Reply::Done => None,
            };
            let answer = store::Answer {
                request,
                ticket,
                body,
            };
            // An attempt that arrives after its replacement gets the replacement's answer.
            for key in [&ask.key, &ask.replaces].into_iter().flatten() {
                store::keep_answer(c, key, &answer, now)?;
            }
        }
        let seq = working.seq();
        lock(&self.outgoing).extend(handled.events);
        done(seq, answer)
    }

    fn reply(&self, office: &Office, outcome: &Outcome, events: &[OfficeEvent], now: Timestamp) -> Reply {
        match outcome {
            Outcome::Done => Reply::Done,
            Outcome::Configured(version) => Reply::Configured(*version),
            Outcome::Ticket(None) => Reply::Ticket(None),
            Outcome::Ticket(Some(id)) => Reply::Ticket(office.ticket(*id).map(|ticket| {
                // What was told at issue is in the event already; it is not worked out twice.
                let told = events.iter().rev().find_map(|event| match &event.what {
                    What::Issued { ahead, estimate, .. } => Some((*ahead, *estimate)),
                    _ => None,
                });
                Box::new(match told {
                    Some(told) => TicketView::told(ticket, told),
                    None => TicketView::of(office, ticket, now),
                })
            })),
            Outcome::Counter(number) => match CounterView::of(office, *number, now) {
                Some(view) => Reply::Counter(Box::new(view)),
                None => Reply::Done,
            },
            Outcome::Lease {
                series,
                from,
                to,
                business_date,
                valid_through,
            } => Reply::Lease(LeaseView {
                series: series.clone(),
                from: *from,
                to: *to,
                business_date: *business_date,
                valid_through: *valid_through,
            }),
        }
    }

    /// Tells everybody about committed events, in order and each once.
    fn publish(&self, up_to: u64) {
        // Held to the end, so that two publishers cannot change the order.
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        loop {
            let event = {
                let mut outgoing = lock(&self.outgoing);
                match outgoing.front() {
                    Some(first) if first.seq <= up_to => outgoing.pop_front(),
                    _ => None,
                }
            };
            let Some(event) = event else { break };
            live.apply(&event);
            // Nobody listening is fine.
            let _ = self.events.send(Arc::new(event));
        }
        self.time.note_waiting(live.has_open());
    }

    /// Reads committed events after `seq`.
    pub fn events_after(&self, seq: u64, limit: u32) -> Result<Vec<OfficeEvent>, StoreError> {
        self.db.read(move |c| store::events_after(c, seq, limit))
    }

    /// The life of a ticket, in order.
    pub fn events_of(&self, ticket: TicketId) -> Result<Vec<OfficeEvent>, StoreError> {
        self.db.read(move |c| store::events_of_ticket(c, ticket))
    }

    /// The calls of the open day with their reasons, newest first.
    pub fn calls(&self, limit: u32) -> Result<Vec<OfficeEvent>, StoreError> {
        let Some(date) = self.look(|office, _| office.date()) else {
            return Ok(Vec::new());
        };
        self.db.read(move |c| store::calls_of(c, date, limit))
    }

    /// Somebody else whose session works at a counter.
    pub fn other_at_counter(
        &self,
        counter: CounterNumber,
        login: &str,
    ) -> Result<Option<String>, StoreError> {
        let (login, now) = (login.to_owned(), self.now());
        self.db
            .read(move |c| store::other_at_counter(c, counter, &login, now))
    }

    /// Notes that a kiosk spoke to us.
    pub(super) fn saw_kiosk(&self, kiosk: &KioskId) {
        lock(&self.kiosks_seen).insert(kiosk.clone(), self.now());
    }

    /// When each kiosk of the configuration last spoke to us.
    pub fn kiosks_seen(&self) -> Vec<(KioskId, Option<Timestamp>)> {
        let seen = lock(&self.kiosks_seen);
        let look = |id: String| {
            let id = KioskId(id);
            let at = seen.get(&id).copied();
            (id, at)
        };
        self.kiosk_ids().into_iter().map(look).collect()
    }

    /// The kiosks of the settings and those that were let in by code.
    pub fn kiosk_ids(&self) -> Vec<String> {
        let settled = self.config.kiosks.iter().map(|kiosk| kiosk.id.clone());
        let enrolled = self.devices.get().map(|devices| devices.enrolled());
        settled.chain(enrolled.unwrap_or_default()).collect()
    }

    /// Gives the office its book of devices; only the first one counts.
    pub fn plug_devices(&self, devices: Arc<Registry>) {
        let _ = self.devices.set(devices);
    }

    /// A ticket of any day.
    pub fn ticket(&self, id: TicketId) -> Result<Option<TicketView>, StoreError> {
        let live = self.look(|office, now| {
            office
                .ticket(id)
                .map(|ticket| TicketView::of(office, ticket, now))
        });
        if live.is_some() {
            return Ok(live);
        }
        let stored = self.db.read(move |c| store::ticket(c, id))?;
        Ok(stored.map(|ticket| TicketView::told(&ticket, (0, None))))
    }

    /// Begins today, and goes on with higher numbers where a damaged file may have held some.
    pub(super) async fn begin(
        self: &Arc<Self>,
        salvaged: Option<Option<Vec<store::Salvaged>>>,
    ) -> Result<(), OfficeError> {
        self.command(Command::Tick, Ask::default()).await?;
        self.take_wishes().await;
        let Some(salvaged) = salvaged else {
            return Ok(());
        };
        let setup = self.setup();
        for queue in &setup.queues {
            let known = salvaged
                .as_ref()
                .and_then(|all| all.iter().find(|one| one.series == queue.series));
            let command = super::salvaging::go_on(queue, known, salvaged.is_some(), setup.lease_from);
            info!(series = %queue.series, "numbers go on after a damaged file");
            self.command(command, Ask::default()).await?;
        }
        Ok(())
    }

    /// Turns the day when it is time; the rule itself needs no timer, screens do.
    pub(super) async fn tick(self: &Arc<Self>) {
        let over = {
            let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
            live.is_over(self.now())
        };
        if over && let Err(error) = self.command(Command::Tick, Ask::default()).await {
            warn!(error = %error, "the day could not be turned yet");
        }
        self.take_wishes().await;
    }
}

fn project(c: &Connection, office: &Office, events: &[OfficeEvent]) -> Result<(), StoreError> {
    let mut done: Vec<TicketId> = Vec::with_capacity(2);
    for event in events {
        let Some(id) = event.ticket else { continue };
        match office.ticket(id) {
            Some(ticket) if !done.contains(&id) => {
                store::project(c, ticket)?;
                done.push(id);
            }
            Some(_) => {}
            // The day turned and the state has let go of it.
            None => store::expire(c, id, event.at)?,
        }
    }
    Ok(())
}

/// What a key was used for, in one line.
fn request(command: &Command) -> String {
    match command {
        Command::Tick => "tick".to_owned(),
        Command::Issue(wish) => format!(
            "issue {} {} {}",
            wish.queue,
            wish.lane.code(),
            wish.kiosk.as_ref().map_or("-", KioskId::as_str)
        ),
        Command::Cancel { ticket, .. } => format!("cancel {ticket}"),
        Command::Lease { kiosk, queue, count } => format!("lease {kiosk} {queue} {count}"),
        Command::Continue { series, .. } => format!("continue {series}"),
        Command::Open(counter) => format!("open {counter}"),
        Command::Pause { counter, .. } => format!("pause {counter}"),
        Command::Close { counter, .. } => format!("close {counter}"),
        Command::Next(counter) => format!("next {counter}"),
        Command::Pick { counter, ticket, .. } => format!("call {counter} {ticket}"),
        Command::Recall(counter) => format!("recall {counter}"),
        Command::Start(counter) => format!("start {counter}"),
        Command::Finish { counter, .. } => format!("finish {counter}"),
        Command::NoShow(counter) => format!("no-show {counter}"),
        Command::Transfer { counter, queue, .. } => format!("transfer {counter} {queue}"),
        Command::Park { counter, .. } => format!("park {counter}"),
        Command::Resume { counter, ticket } => {
            let ticket = ticket.map_or_else(|| "-".to_owned(), |id| id.to_string());
            format!("resume {counter} {ticket}")
        }
        Command::Release(counter) => format!("release {counter}"),
        Command::Rejoin(ticket) => format!("rejoin {ticket}"),
        Command::CorrectLane { ticket, lane } => format!("lane {ticket} {}", lane.code()),
        Command::Serve { counter, tiers } => {
            format!("serve {counter} {}", crate::domain::office::profile_name(tiers))
        }
        Command::Outage { queue, down, .. } => format!("outage {queue} {down}"),
        Command::Stop { queue, stop } => format!("stop {queue} {stop}"),
        Command::AskHelp { kiosk, .. } => format!("help {kiosk}"),
        Command::EndHelp { kiosk, .. } => format!("help-end {kiosk}"),
        Command::OrderPaper { kiosk, order } => match order {
            PaperOrder::TestPage => format!("test-page {kiosk}"),
            PaperOrder::RollChanged { printer } => format!("roll-changed {kiosk} {printer}"),
            PaperOrder::Reprint { ticket } => format!("reprint {kiosk} {ticket}"),
        },
        Command::Obeyed { kiosk, asked, .. } => format!("obeyed {kiosk} {asked}"),
        Command::Count { kiosk, totals } => format!("count {kiosk} {}", totals.date),
        Command::Configure { version, settings } => {
            let body = serde_json::to_vec(settings).unwrap_or_default();
            format!("configure v{version} {}", hex(&Sha256::digest(body)))
        }
        Command::Unmask {
            counter, submission, ..
        } => format!("unmask {counter} {submission}"),
    }
}
