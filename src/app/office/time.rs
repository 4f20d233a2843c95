//! The office's own time, read from both clocks of the machine, and how a person ends a doubt about it.
//!
//! [`Timekeeper`] decides; here it is fed. Everything in the office asks [`OfficeApp::now`], never the clock itself.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tracing::{info, warn};
use utoipa::ToSchema;

use super::OfficeApp;
use super::auth::Peer;
use super::hub::lock;
use super::problem::Problem;
use crate::clock::Clock;
use crate::domain::audit::AuditEvent;
use crate::domain::ticket::time_text;
use crate::domain::timekeeper::{EARLIEST, Impossible, Reading, Timekeeper, Trust};
use crate::store::StoreError;
use crate::store::office as store;

/// Whether the time is the wall clock's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClockState {
    /// The office's time.
    pub now: Timestamp,
    /// What the machine takes for the time of day.
    pub wall: Timestamp,
    /// Why the office has the time it has.
    pub trust: Trust,
}

/// Whether the office works, for whoever watches over it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct HealthView {
    /// The office's time.
    #[serde(with = "time_text")]
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// The wall clock of the machine.
    #[serde(with = "time_text")]
    #[schema(value_type = String, format = DateTime)]
    pub wall_clock: Timestamp,
    /// `followed`; `doubted`: it jumped while people waited and is not believed; `guessed`: it was wrong at the start.
    pub clock: String,
    /// Number of the newest event.
    pub seq: u64,
    /// Whether a damaged data file was put aside at this start.
    pub put_aside: bool,
    /// Whether the disk has room for something new.
    pub has_room: bool,
}

/// Why the wall clock's time was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ClockError {
    /// It cannot be right.
    #[error(transparent)]
    Impossible(#[from] Impossible),
    /// It could not be put on record.
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub(super) struct Time {
    keeper: Mutex<Timekeeper>,
    /// Whether any ticket is open.
    waiting: AtomicBool,
}

impl Time {
    pub(super) fn begin(clock: &Clock, newest: Option<Timestamp>, waiting: bool) -> Self {
        let keeper = Timekeeper::begin(reading(clock), newest);
        if keeper.trust() != Trust::Followed {
            warn!(wall = %clock.now(), "the wall clock is behind the office's own events and is not believed");
        }
        Self {
            keeper: Mutex::new(keeper),
            waiting: AtomicBool::new(waiting),
        }
    }

    pub(super) fn note_waiting(&self, waiting: bool) {
        self.waiting.store(waiting, Ordering::Release);
    }

    pub(super) fn now(&self, clock: &Clock) -> ClockState {
        let reading = reading(clock);
        let mut keeper = lock(&self.keeper);
        let before = keeper.trust();
        let now = keeper.read(reading, self.waiting.load(Ordering::Acquire));
        let trust = keeper.trust();
        if trust != before {
            warn!(office = %now, wall = %reading.wall, clock = trust.code(), "the wall clock jumped");
        }
        ClockState {
            now,
            wall: reading.wall,
            trust,
        }
    }
}

fn reading(clock: &Clock) -> Reading {
    Reading {
        wall: clock.now(),
        boot: clock.boot(),
    }
}

impl OfficeApp {
    /// The present moment, as far as the office believes its clock.
    pub fn now(&self) -> Timestamp {
        self.time.now(&self.clock).now
    }

    /// Whether the time is the wall clock's.
    pub fn clock_state(&self) -> ClockState {
        self.time.now(&self.clock)
    }

    /// Takes the wall clock's time because somebody looked at it and says that it is right.
    pub async fn confirm_clock(self: &Arc<Self>, who: &str, peer: &Peer) -> Result<(), ClockError> {
        let state = self.clock_state();
        if state.wall < EARLIEST {
            return Err(Impossible(state.wall).into());
        }
        let (who, peer) = (who.to_owned(), peer.0.clone());
        let event = AuditEvent::ClockConfirmed {
            office: state.now.to_string(),
            wall: state.wall.to_string(),
        };
        self.db()
            .write(move |c| store::append_audit(c, state.now, Some(&who), Some(&peer), &event))
            .await?;
        lock(&self.time.keeper).confirm(reading(&self.clock))?;
        info!(office = %state.now, wall = %state.wall, "the wall clock is believed again");
        self.tick().await;
        Ok(())
    }
}

/// Whether the office works: its clock, its file, its disk.
#[utoipa::path(get, path = "/api/v1/health", tag = "office",
    responses((status = 200, body = HealthView), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(super) async fn health(State(app): State<Arc<OfficeApp>>) -> Json<HealthView> {
    Json(HealthView::of(&app))
}

impl HealthView {
    pub(super) fn of(app: &OfficeApp) -> Self {
        let clock = app.clock_state();
        Self {
            time: clock.now,
            wall_clock: clock.wall,
            clock: clock.trust.code().to_owned(),
            seq: app.seq(),
            put_aside: app.quarantined().is_some(),
            has_room: app.db().has_room(),
        }
    }
}
