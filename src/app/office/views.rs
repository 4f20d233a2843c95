//! What the office says of itself in JSON, to kiosks, staff and boards.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::config::office::OfficeConfig;
use crate::domain::event::{Estimate, OfficeEvent};
use crate::domain::id::{SubmissionId, TicketId};
use crate::domain::office::Zone;
use crate::domain::office::{Announced, CounterState, Intake, Office};
use crate::domain::ticket::{BusinessDate, CounterNumber, Lane, QueueId, Series, Status, Ticket, time_text};

/// A ticket.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct TicketView {
    /// Its name for programs.
    #[schema(value_type = String, format = "uuid")]
    pub id: TicketId,
    /// Its number as shown, such as `T-018`.
    pub number: String,
    /// The number alone.
    pub n: u32,
    /// Its letter.
    #[schema(value_type = String)]
    pub series: Series,
    /// Its queue.
    #[schema(value_type = String)]
    pub queue: QueueId,
    /// `general`, `priority` or `appointment`.
    #[schema(value_type = String)]
    pub lane: Lane,
    /// The day of its number.
    #[schema(value_type = String, format = Date)]
    pub business_date: BusinessDate,
    /// When it was issued.
    #[serde(with = "time_text")]
    #[schema(value_type = String, format = DateTime)]
    pub issued_at: Timestamp,
    /// `waiting`, `called`, `serving`, `parked`, `finished`, `no_show`, `cancelled` or `expired`.
    #[schema(value_type = String)]
    pub status: Status,
    /// Its place: lower goes first within a lane.
    pub arrival_seq: u64,
    /// People who will be called before it.
    pub ahead: u32,
    /// The wait; null without an open counter.
    #[schema(value_type = Option<EstimateSchema>)]
    pub estimate: Option<Estimate>,
    /// The counter that has it or had it last.
    #[schema(value_type = Option<u16>)]
    pub counter: Option<CounterNumber>,
    /// Announcements since it last waited.
    pub calls: u32,
    /// First call.
    #[serde(with = "time_text::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub called_at: Option<Timestamp>,
    /// Begin of the attention.
    #[serde(with = "time_text::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub started_at: Option<Timestamp>,
    /// When it became final.
    #[serde(with = "time_text::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
    /// Whether a kiosk gave the number from a lease.
    pub leased: bool,
    /// The form that goes with it.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub submission: Option<SubmissionId>,
    /// Why it is parked.
    pub note: Option<String>,
}

/// Shape of a wait, for the API's description.
#[derive(ToSchema)]
#[schema(as = Estimate)]
#[expect(dead_code, reason = "only describes `domain::event::Estimate`")]
pub struct EstimateSchema {
    /// Least.
    from_minutes: u32,
    /// Most.
    to_minutes: u32,
}

impl TicketView {
    /// A ticket with its place in line now.
    pub fn of(office: &Office, ticket: &Ticket, now: Timestamp) -> Self {
        let told = if ticket.status == Status::Waiting {
            let ahead = office.ahead(&ticket.queue, ticket.lane, ticket.place);
            (ahead, office.estimate_of(ticket, now))
        } else {
            (0, None)
        };
        Self::told(ticket, told)
    }

    /// A ticket with what was told about its wait.
    pub fn told(ticket: &Ticket, (ahead, estimate): (u32, Option<Estimate>)) -> Self {
        Self {
            id: ticket.id,
            number: ticket.shown(),
            n: ticket.number,
            series: ticket.series.clone(),
            queue: ticket.queue.clone(),
            lane: ticket.lane,
            business_date: ticket.business_date,
            issued_at: ticket.issued_at,
            status: ticket.status,
            arrival_seq: ticket.place.arrival_seq,
            ahead,
            estimate,
            counter: ticket.counter,
            calls: ticket.calls,
            called_at: ticket.first_called_at,
            started_at: ticket.started_at,
            ended_at: ticket.ended_at,
            leased: ticket.leased,
            submission: ticket.submission,
            note: ticket.note.clone(),
        }
    }
}

/// A ticket as anybody may see it who knows its id: no lane, no form, no remark.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct PublicTicketView {
    /// Its name for programs.
    #[schema(value_type = String, format = "uuid")]
    pub id: TicketId,
    /// Its number as shown.
    pub number: String,
    /// Its letter.
    #[schema(value_type = String)]
    pub series: Series,
    /// Its queue.
    #[schema(value_type = String)]
    pub queue: QueueId,
    /// Where it stands.
    #[schema(value_type = String)]
    pub status: Status,
    /// People who will be called before it.
    pub ahead: u32,
    /// The wait; null without an open counter.
    #[schema(value_type = Option<EstimateSchema>)]
    pub estimate: Option<Estimate>,
    /// The counter that has it or had it last.
    #[schema(value_type = Option<u16>)]
    pub counter: Option<CounterNumber>,
}

impl From<TicketView> for PublicTicketView {
    fn from(ticket: TicketView) -> Self {
        Self {
            id: ticket.id,
            number: ticket.number,
            series: ticket.series,
            queue: ticket.queue,
            status: ticket.status,
            ahead: ticket.ahead,
            estimate: ticket.estimate,
            counter: ticket.counter,
        }
    }
}

/// A block of numbers for one kiosk.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct LeaseView {
    /// The series.
    #[schema(value_type = String)]
    pub series: Series,
    /// First number.
    pub from: u32,
    /// Last number.
    pub to: u32,
    /// First business date it is good for.
    #[schema(value_type = String, format = Date)]
    pub business_date: BusinessDate,
    /// Last business date it is good for; each number still only once.
    #[schema(value_type = String, format = Date)]
    pub valid_through: BusinessDate,
}

/// A counter.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct CounterView {
    /// The number over it.
    #[schema(value_type = u16)]
    pub number: CounterNumber,
    /// `closed`, `open` or `paused`.
    pub state: String,
    /// Why it is paused.
    pub reason: Option<String>,
    /// Since when it is in this state.
    #[serde(with = "time_text::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
    /// Who works there.
    pub who: Option<String>,
    /// What it serves.
    pub profile: ProfileView,
    /// The ticket called to it or attended at it.
    pub ticket: Option<TicketView>,
}

/// What a counter serves.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ProfileView {
    /// Counters with the same name share one count of preferred calls in a row.
    pub name: String,
    /// Queues of each tier; a tier is called from only while the ones before it are empty.
    #[schema(value_type = Vec<Vec<String>>)]
    pub tiers: Vec<Vec<QueueId>>,
}

impl CounterView {
    /// A counter as it is now.
    pub fn of(office: &Office, number: CounterNumber, now: Timestamp) -> Option<Self> {
        let profile = office.profile(number)?;
        let counter = office.counter(number)?;
        Some(Self {
            number,
            state: counter.state.code().to_owned(),
            reason: match &counter.state {
                CounterState::Paused { reason } => reason.clone(),
                CounterState::Closed | CounterState::Open => None,
            },
            since: (counter.since != Timestamp::UNIX_EPOCH).then_some(counter.since),
            who: counter.who.clone(),
            profile: ProfileView {
                name: profile.name.clone(),
                tiers: profile.tiers.clone(),
            },
            ticket: counter
                .ticket
                .and_then(|id| office.ticket(id))
                .map(|ticket| TicketView::of(office, ticket, now)),
        })
    }
}

/// A queue as anybody may see it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct QueueView {
    /// Its name for programs.
    #[schema(value_type = String)]
    pub id: QueueId,
    /// Its name for people.
    pub name: String,
    /// Its letter.
    #[schema(value_type = String)]
    pub series: Series,
    /// How many wait.
    pub waiting: usize,
    /// How long a newcomer waits; null without an open counter.
    #[schema(value_type = Option<EstimateSchema>)]
    pub estimate: Option<Estimate>,
    /// Open counters that serve it.
    pub open_counters: usize,
    /// `open`, or why no tickets are given: `queue_closed`, `queue_full`, `queue_too_late`, `queue_stopped`.
    pub intake: String,
    /// When it gives tickets again.
    #[serde(with = "time_text::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub opens: Option<Timestamp>,
    /// Whether the system behind it is down («sin sistema»).
    pub down: bool,
    /// What staff said about that.
    pub note: Option<String>,
}

impl QueueView {
    /// All queues, in the order of the board.
    pub fn all(office: &Office, now: Timestamp) -> Vec<Self> {
        office
            .queues()
            .map(|queue| (queue, office.intake(&queue.id, Lane::General, now)))
            .map(|(queue, intake)| Self {
                intake: intake.code().to_owned(),
                opens: match intake {
                    Intake::Closed { opens } => opens,
                    Intake::Open | Intake::Full { .. } | Intake::TooLate { .. } | Intake::Stopped => None,
                },
                down: office.outage(&queue.id).is_some(),
                note: office.outage(&queue.id).flatten().map(str::to_owned),
                id: queue.id.clone(),
                name: queue.name.clone(),
                series: queue.series.clone(),
                waiting: office.line(&queue.id).map_or(0, |line| line.len()),
                estimate: office.estimate_new(&queue.id, Lane::General, now),
                open_counters: office
                    .profiles()
                    .filter(|(_, profile)| profile.serves(&queue.id))
                    .filter_map(|(number, _)| office.counter(number))
                    .filter(|counter| counter.state == CounterState::Open)
                    .count(),
            })
            .collect()
    }
}

/// A call as the waiting room sees and hears it: a number and where to go, nothing else.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct CallView {
    /// Place in the office's history.
    pub seq: u64,
    /// When.
    #[serde(with = "time_text")]
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// `called`, `recalled` or `resumed`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The number as shown.
    pub number: String,
    /// Where to go.
    #[schema(value_type = u16)]
    pub counter: CounterNumber,
    /// The zone that hears it.
    pub zone: String,
}

impl CallView {
    /// The announcement of an event, if it is one.
    pub fn of(zones: &[Zone], event: &OfficeEvent) -> Option<Self> {
        let counter = event.counter?;
        Some(Self {
            seq: event.seq,
            at: event.at,
            kind: event.what.kind().to_owned(),
            number: event.what.announces()?.to_owned(),
            counter,
            zone: zone_of(zones, counter),
        })
    }

    fn shown(zones: &[Zone], announced: &Announced) -> Self {
        Self {
            seq: announced.seq,
            at: announced.at,
            kind: "called".to_owned(),
            number: announced.number.clone(),
            counter: announced.counter,
            zone: zone_of(zones, announced.counter),
        }
    }
}

/// The zone of a counter; a counter that the settings no longer have was in none.
fn zone_of(zones: &[Zone], counter: CounterNumber) -> String {
    let zone = zones.iter().find(|zone| zone.counters.contains(&counter));
    zone.map(|zone| zone.id.clone()).unwrap_or_default()
}

/// Calls a board shows.
const SHOWN_CALLS: usize = 4;
/// After this a call is history: it is shown, and no longer announced.
pub const STALE: SignedDuration = SignedDuration::from_secs(30);

/// Everything a board shows.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct BoardView {
    /// The newest event it knows of.
    pub seq: u64,
    /// When it was made.
    #[serde(with = "time_text")]
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Name of the office.
    pub office: String,
    /// The waiting room.
    pub room: String,
    /// The zone it is for; null for the whole office.
    pub zone: Option<String>,
    /// The newest calls, newest first, each number once.
    pub calls: Vec<CallView>,
    /// Sequence numbers of the calls that may still be announced: not older than 30 seconds, and the ticket is
    /// still at that counter.
    pub announce: Vec<u64>,
    /// The queues.
    pub queues: Vec<QueueView>,
    /// K of the rule on the wall.
    pub max_priority_run: u8,
    /// Days for which a form that was stopped at a kiosk waits; 0 where none is kept.
    pub draft_days: u32,
}

impl BoardView {
    /// The board of one zone, or of the whole office, now.
    pub fn of(config: &OfficeConfig, zone: Option<&Zone>, office: &Office, now: Timestamp) -> Self {
        let here =
            |announced: &&Announced| zone.is_none_or(|zone| zone.counters.contains(&announced.counter));
        let zones = &office.setup().zones;
        let mut queues = QueueView::all(office, now);
        if let Some(zone) = zone {
            let here = |number: &CounterNumber| zone.counters.contains(number);
            // What a counter is written for stays on its board while it helps elsewhere for a day.
            let written = office
                .setup()
                .counters
                .iter()
                .map(|counter| (counter.number, &counter.profile));
            let profiles: Vec<_> = office
                .profiles()
                .chain(written)
                .filter(|(number, _)| here(number))
                .collect();
            queues.retain(|queue| profiles.iter().any(|(_, profile)| profile.serves(&queue.id)));
        }
        Self {
            seq: office.seq(),
            at: now,
            office: config.office.name.clone(),
            room: zone.map_or_else(|| config.office.room.clone(), |zone| zone.name.clone()),
            zone: zone.map(|zone| zone.id.clone()),
            calls: office
                .announced()
                .rev()
                .filter(here)
                .take(SHOWN_CALLS)
                .map(|announced| CallView::shown(zones, announced))
                .collect(),
            announce: office
                .announced()
                .filter(here)
                .filter(|announced| now.duration_since(announced.at) <= STALE)
                .filter(|announced| office.is_still_there(announced))
                .map(|announced| announced.seq)
                .collect(),
            queues,
            max_priority_run: office.setup().max_run.get(),
            draft_days: office.setup().draft_days,
        }
    }
}
