//! Sends what was confirmed, for ever and without holding anybody up.
//!
//! One sender a process: it wakes when something was committed, posts a batch, writes down what became of each
//! item, and waits as long as [`crate::sync::plan`] says. What is on the line when the process ends waits again
//! at the next start; the server answers `duplicate` if it had it already.
//! Begin at [`Sender::start`]; [`confirm`] seals and enqueues, [`intake`] is the other end, [`keyfile`] keeps keys.

pub mod confirm;
pub mod intake;
pub mod keyfile;
pub mod peers;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tracing::{error, info, warn};

use super::Stop;
use crate::clock::{Clock, random};
use crate::domain::seal::{Signed, VerifyingKey};
use crate::domain::submission::durable::{MARK_DOMAIN, Mark};
use crate::domain::submission::{Acknowledgement, Item};
use crate::store::{Db, StoreError, outbox};
use crate::sync::client::Client;
use crate::sync::plan::{Delays, Line, LineState, Reply};
use crate::sync::wire::AnswerWire;

/// Where to send, and whose signature to believe.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// The line.
    pub client: Client,
    /// Public halves of the server's receipt key, the present and the next.
    pub receipt_keys: Vec<VerifyingKey>,
}

/// How the line is doing, for the screens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineStatus {
    /// Up, down, or something in between.
    pub state: LineState,
    /// When the server last answered.
    pub last_answer: Option<Timestamp>,
    /// The server's clock minus ours at that moment; more than two minutes deserve a banner.
    pub clock_offset: Option<SignedDuration>,
}

/// A handle to the sender; cheap to clone.
#[derive(Clone, Debug)]
pub struct Sender {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    notify: Notify,
    line_up: AtomicBool,
    status: watch::Sender<LineStatus>,
}

impl Sender {
    /// Starts the one sender of this data file; it ends when told to, or when the store is broken.
    pub fn start(
        db: Db,
        upstream: Upstream,
        clock: Clock,
        stop: Stop,
        delays: Delays,
    ) -> (Self, JoinHandle<()>) {
        let (sender, mut pump) = Pump::new(db, upstream, clock, delays);
        let task = tokio::spawn(async move {
            tokio::select! {
                () = pump.run() => {}
                () = stop.stopped() => {}
            }
        });
        (sender, task)
    }

    /// Something was committed: look at once, unless the line is pausing.
    pub fn wake(&self) {
        self.shared.notify.notify_one();
    }

    /// The network came back, or a person said so: one try at once, even in a pause.
    pub fn line_up(&self) {
        self.shared.line_up.store(true, Ordering::SeqCst);
        self.shared.notify.notify_one();
    }

    /// How the line is doing.
    pub fn status(&self) -> LineStatus {
        *self.shared.status.borrow()
    }

    /// Tells of every change of [`Sender::status`].
    pub fn subscribe(&self) -> watch::Receiver<LineStatus> {
        self.shared.status.subscribe()
    }
}

/// What one pass did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// Got an answer; look again at once.
    Answered,
    /// Got none or one that was not believed; look again, the line says when.
    Failed,
    /// Nothing to do until then.
    Wait(Timestamp),
}

/// The sender's own side; a test turns it by hand.
pub(crate) struct Pump {
    db: Db,
    upstream: Upstream,
    clock: Clock,
    line: Line,
    delays: Delays,
    shared: Arc<Shared>,
    recovered: bool,
    last_try: Option<Timestamp>,
    last_tidied: Option<Timestamp>,
    /// Life of the server as it said since this process began; nothing until it said so, for a life that ended
    /// while nobody listened must be noticed at the first answer.
    server_epoch: Option<String>,
    /// The life in which it last acknowledged something before.
    earlier_epoch: Option<String>,
    dice: Dice,
}

/// Where chance comes from; a simulation gives its own.
pub(crate) type Dice = Box<dyn FnMut() -> u64 + Send>;

/// A store that has no room is asked again after this long; somebody has to free some.
const FULL_PAUSE: Duration = Duration::from_secs(30);
/// How often bodies are let go of; nobody waits for it.
const TIDY_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// How long a body stays after the server's copy was verified: time to notice that the copy is not to be had.
const BODY_STAYS: SignedDuration = SignedDuration::from_hours(24);
/// How long name, hash and acknowledgement stay after that: a year and a month, as long as anybody asks.
const NAME_STAYS: SignedDuration = SignedDuration::from_hours(400 * 24);

impl Pump {
    pub(crate) fn new(db: Db, upstream: Upstream, clock: Clock, delays: Delays) -> (Sender, Self) {
        let shared = Arc::new(Shared::default());
        let pump = Self {
            db,
            upstream,
            clock,
            line: Line::new(delays),
            delays,
            shared: Arc::clone(&shared),
            recovered: false,
            last_try: None,
            last_tidied: None,
            server_epoch: None,
            earlier_epoch: None,
            dice: Box::new(|| u64::from_le_bytes(random())),
        };
        (Sender { shared }, pump)
    }

    async fn run(&mut self) {
        loop {
            let wait = match self.pass().await {
                Ok(Pass::Answered | Pass::Failed) => continue,
                Ok(Pass::Wait(until)) => until.duration_since(self.clock.now()),
                Err(StoreError::Full) => SignedDuration::try_from(FULL_PAUSE).unwrap_or_default(),
                Err(problem) => {
                    error!(error = %problem, "the sender stops: the store cannot be used");
                    return;
                }
            };
            let wait = Duration::try_from(wait).unwrap_or(Duration::ZERO);
            tokio::select! {
                () = self.shared.notify.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// One look at the outbox and at most one post.
    pub(crate) async fn pass(&mut self) -> Result<Pass, StoreError> {
        let now = self.clock.now();
        if !self.recovered {
            self.earlier_epoch = self
                .db
                .write(move |conn| {
                    outbox::recover(conn, now)?;
                    outbox::last_epoch(conn)
                })
                .await?;
            self.recovered = true;
        }
        self.tidy(now).await?;
        if self.shared.line_up.swap(false, Ordering::SeqCst) {
            self.line.line_up();
        }
        if let Some(until) = self.line.not_before(now) {
            return Ok(Pass::Wait(until));
        }
        let (items_max, bytes_max) = self.line.batch_limits();
        let known = self.server_epoch.clone().or_else(|| self.earlier_epoch.clone());
        let (items, due, last_word) = self
            .db
            .write(move |conn| {
                let items = outbox::take(conn, now, items_max, bytes_max)?;
                let due = outbox::next_due(conn)?;
                let last_word: Option<Acknowledgement> = match &known {
                    Some(epoch) => outbox::last_word(conn, epoch)?,
                    None => None,
                };
                Ok((items, due, last_word))
            })
            .await?;
        if items.is_empty() {
            let heartbeat = self
                .last_try
                .filter(|at| *at <= now)
                .and_then(|at| at.checked_add(self.delays.heartbeat).ok());
            if let Some(heartbeat) = heartbeat.filter(|at| *at > now) {
                let due = due.filter(|at| *at > now).unwrap_or(heartbeat);
                return Ok(Pass::Wait(due.min(heartbeat)));
            }
        }
        let reply = self.upstream.client.post(&items, last_word, now).await;
        let now = self.clock.now();
        self.last_try = Some(now);
        let chance = (self.dice)();
        match reply {
            Reply::Answer(answer) => self.answered(items, answer, now, chance).await,
            reply => self.failed(items, &reply, now, chance).await,
        }
    }

    async fn answered(
        &mut self,
        items: Vec<Item>,
        answer: AnswerWire,
        now: Timestamp,
        chance: u64,
    ) -> Result<Pass, StoreError> {
        self.line.answered();
        let outcomes: Vec<_> = items
            .iter()
            .zip(answer.verdicts)
            .map(|(item, verdict)| {
                let verdict = verdict.read();
                let outcome = self
                    .line
                    .judge(item, verdict, &self.upstream.receipt_keys, now, chance);
                (item.id, outcome)
            })
            .collect();
        let epoch = answer.server_epoch;
        let new_epoch = (self.server_epoch.as_ref() != Some(&epoch)).then(|| epoch.clone());
        let mark = self.mark(answer.durable.as_ref(), &epoch);
        let again = self
            .db
            .write(move |conn| {
                outbox::settle(conn, &outcomes, now)?;
                let again = match new_epoch {
                    Some(epoch) => outbox::server_epoch(conn, &epoch, now)?,
                    None => 0,
                };
                if let Some(mark) = mark {
                    outbox::durable(conn, &mark, now)?;
                }
                Ok(again)
            })
            .await?;
        if again > 0 {
            warn!(
                items = again,
                "the server was restored; what only it had is sent again"
            );
        }
        self.server_epoch = Some(epoch);
        self.tell(LineStatus {
            state: LineState::Up,
            last_answer: Some(now),
            clock_offset: Some(answer.server_time.duration_since(now)),
        });
        Ok(Pass::Answered)
    }

    /// How far the server's copies reach, if it signed that itself and speaks of its present life.
    fn mark(&self, signed: Option<&Signed>, epoch: &str) -> Option<Mark> {
        let mark: Option<Mark> = signed?.read(MARK_DOMAIN, &self.upstream.receipt_keys);
        mark.filter(|mark| mark.server_epoch == epoch)
    }

    /// Lets go of what is safe elsewhere, now and then.
    async fn tidy(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let recent = self
            .last_tidied
            .is_some_and(|at| now.duration_since(at).abs() < TIDY_EVERY);
        if recent {
            return Ok(());
        }
        self.last_tidied = Some(now);
        self.db
            .write(move |conn| {
                outbox::purge(conn, BODY_STAYS, now)?;
                outbox::forget(conn, NAME_STAYS, now)?;
                Ok(())
            })
            .await
    }

    async fn failed(
        &mut self,
        items: Vec<Item>,
        reply: &Reply,
        now: Timestamp,
        chance: u64,
    ) -> Result<Pass, StoreError> {
        let why = why(reply);
        let first = items.first().map(|item| item.id);
        let blame = self.line.failed(reply, items.len(), now, chance);
        let line = self.line.clone();
        self.db
            .write({
                let why = why.clone();
                move |conn| {
                    let faults = match first {
                        Some(id) => outbox::attempts(conn, id)?,
                        None => 0,
                    };
                    let outcome = line.after_failure(blame, faults, &why, now, chance);
                    let outcomes: Vec<_> = items.iter().map(|item| (item.id, outcome.clone())).collect();
                    outbox::settle(conn, &outcomes, now)
                }
            })
            .await?;
        // Copied out first: a borrow still held while `tell` sends would wait for itself.
        let before = *self.shared.status.borrow();
        self.tell(LineStatus {
            state: self.line.state,
            ..before
        });
        tracing::debug!(why, "a batch did not get through");
        Ok(Pass::Failed)
    }

    fn tell(&self, status: LineStatus) {
        let changed = self.shared.status.borrow().state != status.state;
        self.shared.status.send_replace(status);
        if changed {
            info!(line = ?status.state, "the line changed");
        }
    }
}

fn why(reply: &Reply) -> String {
    match reply {
        Reply::Nothing { why } => (*why).to_owned(),
        Reply::Answer(_) | Reply::Foreign => "foreign_answer".to_owned(),
        Reply::Status { status, .. } => format!("status_{status}"),
    }
}

#[cfg(test)]
mod chaos;
#[cfg(test)]
mod sim;
#[cfg(test)]
mod tests;
