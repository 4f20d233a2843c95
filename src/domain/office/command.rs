//! What may be asked of an office, and when it says no.
//!
//! An illegal move is refused with a reason; it never succeeds silently and never half.

use jiff::{SignedDuration, Timestamp};

use super::intake::Intake;
use super::numbers::LEASE_MAX;
use super::settings::{Fault, Settings};
use crate::domain::event::OfficeEvent;
use crate::domain::id::{Moment, SubmissionId, TicketId};
use crate::domain::printing::{OrderOutcome, PaperOrder};
use crate::domain::ticket::{BusinessDate, CounterNumber, KioskId, Lane, QueueId, Series, Status};
use crate::domain::usage::KioskTotals;

/// Something asked of the office.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Only bring the day up to date.
    Tick,
    /// A new ticket.
    Issue(Issue),
    /// Give a ticket back before it was called.
    Cancel {
        /// Which.
        ticket: TicketId,
        /// Why.
        reason: String,
    },
    /// Promise a block of numbers to a kiosk.
    Lease {
        /// The kiosk.
        kiosk: KioskId,
        /// For which queue.
        queue: QueueId,
        /// How many.
        count: u32,
    },
    /// Go on with higher numbers, because the earlier ones of today may be lost.
    Continue {
        /// Of which series.
        series: Series,
        /// First number that may be given online.
        from: u32,
        /// First number that may be leased.
        lease_from: u32,
        /// Why, for people.
        reason: String,
    },
    /// Begin to attend, or go on after a break.
    Open(CounterNumber),
    /// Take a break.
    Pause {
        /// Where.
        counter: CounterNumber,
        /// Why.
        reason: Option<String>,
    },
    /// Stop attending.
    Close {
        /// Where.
        counter: CounterNumber,
        /// Send a ticket that is still there back to its place.
        release: bool,
    },
    /// Call whoever is next.
    Next(CounterNumber),
    /// Call a chosen ticket out of turn.
    Pick {
        /// Where.
        counter: CounterNumber,
        /// Which; it waits, or did not come when it was called.
        ticket: TicketId,
        /// Why.
        reason: String,
    },
    /// Announce again.
    Recall(CounterNumber),
    /// The person is here.
    Start(CounterNumber),
    /// Done.
    Finish {
        /// Where.
        counter: CounterNumber,
        /// How it ended.
        result: Option<String>,
    },
    /// The person did not come.
    NoShow(CounterNumber),
    /// On to another queue.
    Transfer {
        /// Where.
        counter: CounterNumber,
        /// To which queue.
        queue: QueueId,
        /// At which place there; the queue's setting if nobody says.
        place: Option<TransferPlace>,
    },
    /// Put aside.
    Park {
        /// Where.
        counter: CounterNumber,
        /// Why.
        note: Option<String>,
    },
    /// Call a ticket back that was put aside.
    Resume {
        /// Where.
        counter: CounterNumber,
        /// Which; the oldest parked at this counter if none is named.
        ticket: Option<TicketId>,
    },
    /// Send the ticket at a counter back to its place.
    Release(CounterNumber),
    /// Back into the line after an absence.
    Rejoin(TicketId),
    /// Put a ticket into another lane.
    CorrectLane {
        /// Which.
        ticket: TicketId,
        /// Into which lane.
        lane: Lane,
    },
    /// Let a counter serve other queues until the end of the day.
    Serve {
        /// Where.
        counter: CounterNumber,
        /// The queues of each tier.
        tiers: Vec<Vec<QueueId>>,
    },
    /// Say that the system behind a queue does not work, or works again.
    Outage {
        /// Which.
        queue: QueueId,
        /// Whether it is down.
        down: bool,
        /// What people should know.
        note: Option<String>,
    },
    /// Give no more tickets of a queue today, or give them again.
    Stop {
        /// Which.
        queue: QueueId,
        /// Whether to stop.
        stop: bool,
    },
    /// Somebody at a kiosk asks for a person.
    AskHelp {
        /// Where.
        kiosk: KioskId,
        /// At which step; never an answer.
        step: Option<String>,
    },
    /// Somebody goes there, or nobody needs to any more.
    EndHelp {
        /// Where.
        kiosk: KioskId,
        /// Whether somebody of the staff went.
        attended: bool,
    },
    /// Ask something of a kiosk's printers.
    OrderPaper {
        /// Where.
        kiosk: KioskId,
        /// What.
        order: PaperOrder,
    },
    /// The kiosk says what became of it.
    Obeyed {
        /// Where.
        kiosk: KioskId,
        /// The event that asked.
        asked: u64,
        /// What became of it.
        outcome: OrderOutcome,
    },
    /// A kiosk tells how many forms ended where.
    Count {
        /// Where.
        kiosk: KioskId,
        /// The totals of one of its days.
        totals: KioskTotals,
    },
    /// Put other settings in the place of those of a version.
    Configure {
        /// The version they were made from; a later one means that somebody else was faster.
        version: u64,
        /// All of them.
        settings: Box<Settings>,
    },
    /// Look at a masked answer.
    Unmask {
        /// Where.
        counter: CounterNumber,
        /// The form.
        submission: String,
        /// The label of the answer, never the answer.
        label: String,
    },
}

/// A wish for a ticket.
#[derive(Clone, PartialEq, Debug)]
pub struct Issue {
    /// An id the kiosk made, if it did.
    pub id: Option<TicketId>,
    /// For which queue.
    pub queue: QueueId,
    /// In which lane.
    pub lane: Lane,
    /// From which kiosk.
    pub kiosk: Option<KioskId>,
    /// With which form.
    pub submission: Option<SubmissionId>,
    /// A number the kiosk gave already, from its lease.
    pub leased: Option<Leased>,
    /// An earlier ticket of the same wish, whose answer never arrived.
    pub replaces: Option<TicketId>,
    /// The appointment the person comes for.
    pub slot: Option<Timestamp>,
}

/// A number given by a kiosk on its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Leased {
    /// The number.
    pub number: u32,
    /// When, by the kiosk's clock.
    pub issued_at: Timestamp,
}

/// Where a transferred ticket stands in its new queue.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum TransferPlace {
    /// Where its arrival puts it.
    #[default]
    Keep,
    /// Behind everybody.
    Last,
}

/// Under which circumstances a command is given.
#[derive(Clone, Debug)]
pub struct Order {
    /// Time and randomness.
    pub moment: Moment,
    /// Idempotency key.
    pub cause: Option<String>,
    /// Who asks.
    pub who: Option<String>,
}

/// What a command came to. The events stand even when it was refused: the day may have turned.
#[derive(Clone, PartialEq, Debug)]
pub struct Handled {
    /// What happened, already applied.
    pub events: Vec<OfficeEvent>,
    /// The answer.
    pub outcome: Result<Outcome, Refusal>,
}

/// The answer to a command that was carried out.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// Nothing to tell.
    Done,
    /// The ticket it was about; none if nobody waits.
    Ticket(Option<TicketId>),
    /// The counter it was about.
    Counter(CounterNumber),
    /// The version of the settings from now on.
    Configured(u64),
    /// A promised block.
    Lease {
        /// The series.
        series: Series,
        /// First number.
        from: u32,
        /// Last number.
        to: u32,
        /// First day it is good for.
        business_date: BusinessDate,
        /// Last day it is good for.
        valid_through: BusinessDate,
    },
}

/// Why a command was not carried out.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum Refusal {
    /// No such queue here.
    #[error("There is no queue {0} in this office")]
    UnknownQueue(QueueId),
    /// No such counter here.
    #[error("There is no counter {0} in this office")]
    UnknownCounter(CounterNumber),
    /// No such ticket today.
    #[error("There is no such ticket today")]
    UnknownTicket,
    /// The counter does not attend.
    #[error("Counter {0} is not open; open it first")]
    CounterNotOpen(CounterNumber),
    /// The counter has a ticket already.
    #[error("Counter {counter} still has {number}; finish it first")]
    CounterBusy {
        /// The counter.
        counter: CounterNumber,
        /// Its ticket.
        number: String,
    },
    /// The counter has no ticket to do this with.
    #[error("Counter {0} has no ticket")]
    NoTicket(CounterNumber),
    /// The ticket does not stand where this move starts.
    #[error("Ticket {number} is {}; this move is not possible now", status.code())]
    WrongStatus {
        /// The ticket.
        number: String,
        /// Where it stands.
        status: Status,
    },
    /// Too early to call somebody absent.
    #[error("{number} was called {calls} times; an absence needs {calls_needed} calls and {} s", after.as_secs())]
    TooEarly {
        /// The ticket.
        number: String,
        /// Calls so far.
        calls: u32,
        /// Calls needed.
        calls_needed: u32,
        /// Time needed after the last call.
        after: SignedDuration,
    },
    /// Called often enough.
    #[error("{number} was called {calls} times, which is the most; mark it absent or start")]
    RecalledEnough {
        /// The ticket.
        number: String,
        /// Calls so far.
        calls: u32,
    },
    /// Called a moment ago.
    #[error("{number} was called a moment ago; wait {} s between two calls", gap.as_secs())]
    RecalledJustNow {
        /// The ticket.
        number: String,
        /// Time needed between two calls.
        gap: SignedDuration,
    },
    /// A call out of turn without a reason.
    #[error("Say why {number} is called out of turn")]
    ReasonMissing {
        /// The ticket.
        number: String,
    },
    /// A ticket of a queue the counter does not serve.
    #[error(
        "Counter {counter} does not serve queue {queue}; transfer the ticket or change what the counter serves"
    )]
    NotServed {
        /// The counter.
        counter: CounterNumber,
        /// The ticket's queue.
        queue: QueueId,
    },
    /// The person comes back too late.
    #[error("{number} was called absent more than {} min ago; take a new ticket", within.as_mins())]
    RejoinLate {
        /// The ticket.
        number: String,
        /// How soon it would have been in time.
        within: SignedDuration,
    },
    /// The person came back too often.
    #[error("{number} came back {returns} times already; take a new ticket")]
    RejoinOften {
        /// The ticket.
        number: String,
        /// How often.
        returns: u32,
    },
    /// It stands there already.
    #[error("Ticket {0} stands in that lane already")]
    SameLane(String),
    /// A profile without a queue, or with one twice.
    #[error("A counter serves at least one queue, and each in one tier only")]
    BadProfile,
    /// No ticket is given for the queue now.
    #[error("Queue {queue} gives no tickets now: {}", intake.reason())]
    NotTaking {
        /// The queue.
        queue: QueueId,
        /// Why.
        intake: Intake,
    },
    /// It waits there already.
    #[error("The ticket is in queue {0} already")]
    SameQueue(QueueId),
    /// Nothing was put aside here.
    #[error("Nothing is parked at counter {0}")]
    NothingParked(CounterNumber),
    /// The number belongs to another ticket or another kiosk.
    #[error("Number {0} is not free; the ticket was not taken in")]
    NumberTaken(String),
    /// Somebody else changed the settings meanwhile.
    #[error("The settings are of version {present} by now, somebody else changed them; read them again")]
    SettingsStale {
        /// Their version now.
        present: u64,
    },
    /// The settings themselves are wrong.
    #[error("These settings have faults: {}", told(.0))]
    SettingsFaulty(Vec<Fault>),
    /// The settings would take something from somebody.
    #[error("These settings must wait: {}", told(.0))]
    SettingsInUse(Vec<Fault>),
    /// A block of that size makes no sense.
    #[error("A block has 1 to {LEASE_MAX} numbers")]
    LeaseCount,
}

fn told(faults: &[Fault]) -> String {
    faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("; ")
}

impl Refusal {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownQueue(_) => "unknown_queue",
            Self::UnknownCounter(_) => "unknown_counter",
            Self::UnknownTicket => "unknown_ticket",
            Self::CounterNotOpen(_) => "counter_not_open",
            Self::CounterBusy { .. } => "counter_busy",
            Self::NoTicket(_) => "no_ticket",
            Self::WrongStatus { .. } => "wrong_status",
            Self::TooEarly { .. } => "too_early",
            Self::RecalledEnough { .. } => "recalled_enough",
            Self::RecalledJustNow { .. } => "recalled_just_now",
            Self::ReasonMissing { .. } => "reason_missing",
            Self::NotServed { .. } => "not_served",
            Self::RejoinLate { .. } => "rejoin_late",
            Self::RejoinOften { .. } => "rejoin_often",
            Self::SameLane(_) => "same_lane",
            Self::BadProfile => "bad_profile",
            Self::NotTaking { intake, .. } => intake.code(),
            Self::SameQueue(_) => "same_queue",
            Self::NothingParked(_) => "nothing_parked",
            Self::NumberTaken(_) => "number_taken",
            Self::SettingsStale { .. } => "settings_stale",
            Self::SettingsFaulty(_) => "settings_faulty",
            Self::SettingsInUse(_) => "settings_in_use",
            Self::LeaseCount => "lease_count",
        }
    }
}
