//! `/api/v1`: tickets, leases and counters.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::OfficeApp;
use super::auth::Caller;
use super::hub::{Ask, OfficeError, Reply};
use super::problem::Problem;
use super::views::{CounterView, LeaseView, PublicTicketView, TicketView};
use crate::domain::id::{SubmissionId, TicketId};
use crate::domain::office::{Command, Issue, Leased, Refusal, TransferPlace};
use crate::domain::staff::Permission;
use crate::domain::ticket::{CounterNumber, KioskId, Lane, QueueId, time_text};

type App = State<Arc<OfficeApp>>;

/// A wish for a ticket.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct IssueBody {
    /// For which queue.
    #[schema(value_type = String)]
    pub queue: QueueId,
    /// `general` (the default), `priority` or `appointment`.
    #[serde(default)]
    #[schema(value_type = String)]
    pub lane: Lane,
    /// From which kiosk; a kiosk's token says it anyway.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub kiosk: Option<KioskId>,
    /// An id the kiosk made.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub id: Option<TicketId>,
    /// The form that goes with it.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub submission: Option<SubmissionId>,
    /// A number the kiosk gave already, from its lease.
    #[serde(default)]
    pub leased: Option<LeasedBody>,
    /// Idempotency key of an earlier attempt at the same wish, whose answer never arrived.
    #[serde(default)]
    pub replaces: Option<String>,
    /// The hour of the appointment the person comes for.
    #[serde(default, with = "time_text::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub slot: Option<Timestamp>,
}

/// A number given without us.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
pub struct LeasedBody {
    /// The number.
    pub number: u32,
    /// When, by the kiosk's clock.
    #[serde(with = "time_text")]
    #[schema(value_type = String, format = DateTime)]
    pub issued_at: Timestamp,
}

/// A wish for a block of numbers.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct LeaseBody {
    /// For which kiosk.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub kiosk: Option<KioskId>,
    /// For which queue.
    #[schema(value_type = String)]
    pub queue: QueueId,
    /// How many, 1 to 200.
    pub count: u32,
}

/// Why a ticket is given back.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
pub struct CancelBody {
    /// `unprinted`, `by_person`, …
    #[serde(default)]
    pub reason: Option<String>,
}

/// What a move may need to know.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
pub struct MoveBody {
    /// `transfer`: the queue to go to.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub queue: Option<QueueId>,
    /// `transfer`: `keep` its place or go `last`; the setting of the queue decides if nothing is said.
    #[serde(default)]
    pub place: Option<String>,
    /// `call`: which ticket. `resume`: which ticket; the oldest parked at this counter if none is named.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub ticket: Option<TicketId>,
    /// `park`: why.
    #[serde(default)]
    pub note: Option<String>,
    /// `finish`: how it ended.
    #[serde(default)]
    pub result: Option<String>,
    /// `pause`: why. `call`: why out of turn, which must be said.
    #[serde(default)]
    pub reason: Option<String>,
    /// `serve`: the queues of each tier, until the end of the day; for supervisors.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Vec<String>>>)]
    pub tiers: Option<Vec<Vec<QueueId>>>,
    /// `close`: send a ticket that is still there back to its place; for supervisors.
    #[serde(default)]
    pub release: bool,
}

/// Into which lane.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
pub struct LaneBody {
    /// `general`, `priority` or `appointment`.
    #[schema(value_type = String)]
    pub lane: Lane,
}

/// The answer to a move.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Moved {
    /// The ticket it was about; null when nobody waits.
    pub ticket: Option<Box<TicketView>>,
}

/// Longest text staff may add to a ticket.
const NOTE_MAX: usize = 120;
/// Longest name of a kiosk.
const NAME_MAX: usize = 64;

/// Reads a JSON body; an empty one is the default.
pub(super) fn body<T: DeserializeOwned + Default>(bytes: &Bytes) -> Result<T, Problem> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(T::default());
    }
    required(bytes)
}

pub(super) fn required<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| {
        Problem::bad_request("bad_json", format!("The body is not what this needs: {error}"))
    })
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default().trim().trim_matches('"');
    if text.is_empty() || text.len() > 200 {
        return Err(Problem::bad_request(
            "idempotency_key",
            "Idempotency-Key needs 1 to 200 visible characters",
        ));
    }
    Ok(Some(text.to_owned()))
}

/// What somebody typed, on one line, without what a terminal or a log would obey.
pub(super) fn short(text: Option<String>) -> Option<String> {
    let line: String = text?
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !c.is_control())
        .collect();
    let line: String = line.trim().chars().take(NOTE_MAX).collect();
    (!line.is_empty()).then_some(line)
}

/// The name of a kiosk, as a technician would write it into the settings.
fn is_name(text: &str) -> bool {
    (1..=NAME_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// A kiosk speaks for itself only; staff may name one.
pub(super) fn kiosk_of(
    caller: &Caller,
    named: Option<KioskId>,
    app: &OfficeApp,
) -> Result<Option<KioskId>, Problem> {
    if named.as_ref().is_some_and(|named| !is_name(named.as_str())) {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "bad_name",
            "A kiosk's name has 1 to 64 letters, digits, hyphens, dots and underscores",
        ));
    }
    match caller {
        Caller::Kiosk(id) if named.as_ref().is_some_and(|named| named != id) => {
            Err(Problem::forbidden("This token belongs to another kiosk"))
        }
        Caller::Kiosk(id) => Ok(Some(id.clone())),
        Caller::Person(_) | Caller::Program(_) => Ok(named),
        Caller::Anybody if app.config.open_tickets => Ok(named),
        Caller::Anybody => Err(Problem::unauthorized()),
    }
}

/// Issues a ticket; the same `Idempotency-Key` gets the same ticket.
#[utoipa::path(post, path = "/api/v1/tickets", tag = "tickets", request_body = IssueBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "Required for kiosks")),
    responses((status = 201, body = TicketView), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn issue(
    State(app): App,
    caller: Caller,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let wish: IssueBody = required(&bytes)?;
    let key = key(&headers)?;
    if key.is_none() && matches!(caller, Caller::Kiosk(_)) {
        return Err(Problem::bad_request(
            "idempotency_key",
            "Send an Idempotency-Key, so that a repeated request gives the same ticket",
        ));
    }
    let kiosk = kiosk_of(&caller, wish.kiosk, &app)?;
    let issue = Issue {
        id: wish.id,
        queue: wish.queue,
        lane: wish.lane,
        kiosk,
        submission: wish.submission,
        leased: wish.leased.map(|leased| Leased {
            number: leased.number,
            issued_at: leased.issued_at,
        }),
        replaces: None,
        slot: wish.slot,
    };
    let ask = Ask {
        key,
        who: caller.name(),
        replaces: wish.replaces,
    };
    let ticket = app.issue(issue, ask).await?;
    Ok((StatusCode::CREATED, Json(ticket)).into_response())
}

/// Tells where a ticket stands; without a token only what its paper and the board say.
#[utoipa::path(get, path = "/api/v1/tickets/{id}", tag = "tickets", params(("id" = String, Path)),
    responses((status = 200, body = TicketView), (status = 404, body = Problem)))]
pub(super) async fn ticket(
    State(app): App,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    kiosk_of(&caller, None, &app)?;
    let unknown = || Problem::not_found("There is no ticket of this id");
    let id: TicketId = id.parse().map_err(|_| unknown())?;
    let ticket = app.ticket(id)?.ok_or_else(unknown)?;
    Ok(match caller {
        Caller::Anybody => Json(PublicTicketView::from(ticket)).into_response(),
        Caller::Kiosk(_) | Caller::Person(_) | Caller::Program(_) => Json(ticket).into_response(),
    })
}

/// Gives a ticket back before it was called, for example because it could not be printed.
#[utoipa::path(post, path = "/api/v1/tickets/{id}/cancel", tag = "tickets", params(("id" = String, Path)),
    request_body = Option<CancelBody>,
    responses((status = 200, body = Moved), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn cancel(
    State(app): App,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Json<Moved>, Problem> {
    kiosk_of(&caller, None, &app)?;
    let wish: CancelBody = body(&bytes)?;
    let command = Command::Cancel {
        ticket: ticket_id(&id)?,
        reason: short(wish.reason).unwrap_or_else(|| "by_person".to_owned()),
    };
    about_ticket(&app, &caller, &headers, command).await
}

/// Takes somebody back into the line who was called absent: behind the next few of the lane, within the grace.
#[utoipa::path(post, path = "/api/v1/tickets/{id}/rejoin", tag = "tickets", params(("id" = String, Path)),
    responses((status = 200, body = Moved), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn rejoin(
    State(app): App,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Moved>, Problem> {
    kiosk_of(&caller, None, &app)?;
    let command = Command::Rejoin(ticket_id(&id)?);
    about_ticket(&app, &caller, &headers, command).await
}

/// Puts a ticket into another lane; its arrival stays. For supervisors.
#[utoipa::path(post, path = "/api/v1/tickets/{id}/lane", tag = "tickets", params(("id" = String, Path)),
    request_body = LaneBody,
    responses((status = 200, body = Moved), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn lane(
    State(app): App,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Json<Moved>, Problem> {
    let wish: LaneBody = required(&bytes)?;
    let command = Command::CorrectLane {
        ticket: ticket_id(&id)?,
        lane: wish.lane,
    };
    about_ticket(&app, &caller, &headers, command).await
}

fn ticket_id(text: &str) -> Result<TicketId, Problem> {
    text.parse()
        .map_err(|_| Problem::not_found("There is no ticket of this id"))
}

/// Carries out a command about one ticket; a refusal comes with the ticket as it is.
async fn about_ticket(
    app: &Arc<OfficeApp>,
    caller: &Caller,
    headers: &HeaderMap,
    command: Command,
) -> Result<Json<Moved>, Problem> {
    let id = match &command {
        Command::Cancel { ticket, .. } | Command::Rejoin(ticket) | Command::CorrectLane { ticket, .. } => {
            Some(*ticket)
        }
        _ => None,
    };
    match app.command(command, ask(caller, headers)?).await {
        Ok(reply) => Ok(Json(moved(reply))),
        Err(error) => {
            let now = id.map(|id| app.ticket(id)).transpose()?.flatten();
            Err(Problem::from(error).with_ticket(now))
        }
    }
}

pub(super) fn ask(caller: &Caller, headers: &HeaderMap) -> Result<Ask, Problem> {
    Ok(Ask {
        key: key(headers)?,
        who: caller.name(),
        replaces: None,
    })
}

/// Promises a block of numbers to a kiosk; it is on the disk before it is answered.
#[utoipa::path(post, path = "/api/v1/leases", tag = "tickets", request_body = LeaseBody,
    responses((status = 201, body = LeaseView), (status = 422, body = Problem)))]
pub(super) async fn lease(
    State(app): App,
    caller: Caller,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let wish: LeaseBody = required(&bytes)?;
    let kiosk = match &caller {
        Caller::Anybody => return Err(Problem::unauthorized()),
        Caller::Person(_) | Caller::Program(_) | Caller::Kiosk(_) => kiosk_of(&caller, wish.kiosk, &app)?,
    }
    .ok_or_else(|| Problem::bad_request("kiosk", "Name the kiosk the block is for"))?;
    let command = Command::Lease {
        kiosk,
        queue: wish.queue,
        count: wish.count,
    };
    match app.command(command, ask(&caller, &headers)?).await? {
        Reply::Lease(lease) => Ok((StatusCode::CREATED, Json(lease)).into_response()),
        Reply::Ticket(_) | Reply::Counter(_) | Reply::Configured(_) | Reply::Done => {
            Err(refused(Refusal::LeaseCount))
        }
    }
}

/// The counters.
#[utoipa::path(get, path = "/api/v1/counters", tag = "counters",
    responses((status = 200, body = Vec<CounterView>), (status = 401, body = Problem)))]
pub(super) async fn counters(State(app): App) -> Json<Vec<CounterView>> {
    Json(app.look(|office, now| {
        office
            .counters()
            .filter_map(|(number, _)| CounterView::of(office, number, now))
            .collect()
    }))
}

/// Moves a turn at a counter, or opens, pauses or closes it.
///
/// `next`, `call`, `recall`, `start`, `finish`, `no-show`, `transfer`, `park`, `resume` and `release` answer with
/// the ticket; `open`, `pause`, `close` and `serve` with the counter.
#[utoipa::path(post, path = "/api/v1/counters/{number}/{move}", tag = "counters", request_body = Option<MoveBody>,
    params(("number" = u16, Path), ("move" = String, Path,
        description = "next, call, recall, start, finish, no-show, transfer, park, resume, release, open, pause, close or serve"),
        ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = Moved), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem),
        (status = 409, body = Problem, description = "Illegal now; with the current state")))]
pub(super) async fn counter_move(
    State(app): App,
    caller: Caller,
    Path((number, name)): Path<(String, String)>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let wish: MoveBody = body(&bytes)?;
    let number = number
        .parse()
        .map(CounterNumber)
        .map_err(|_| Problem::not_found("A counter has a number"))?;
    if wish.release || name == "release" {
        caller.may(Permission::ReleaseCounter)?;
    }
    if name == "serve" {
        caller.may(Permission::SteerQueues)?;
    }
    let command = command(&name, number, wish)?;
    match app.command(command, ask(&caller, &headers)?).await {
        Ok(Reply::Counter(counter)) => Ok(Json(counter).into_response()),
        Ok(reply) => Ok(Json(moved(reply)).into_response()),
        Err(error) => {
            let now = app.look(|office, now| CounterView::of(office, number, now));
            let ticket = now.as_ref().and_then(|counter| counter.ticket.clone());
            Err(Problem::from(error).with_counter(now).with_ticket(ticket))
        }
    }
}

/// The command behind the last part of a move's address.
pub(crate) fn command(name: &str, counter: CounterNumber, wish: MoveBody) -> Result<Command, Problem> {
    Ok(match name {
        "next" => Command::Next(counter),
        "call" => Command::Pick {
            counter,
            ticket: wish
                .ticket
                .ok_or_else(|| Problem::bad_request("ticket", "Name the ticket to call"))?,
            reason: short(wish.reason).unwrap_or_default(),
        },
        "release" => Command::Release(counter),
        "serve" => Command::Serve {
            counter,
            tiers: wish
                .tiers
                .ok_or_else(|| Problem::bad_request("tiers", "Name the queues of each tier"))?,
        },
        "recall" => Command::Recall(counter),
        "start" => Command::Start(counter),
        "finish" => Command::Finish {
            counter,
            result: short(wish.result),
        },
        "no-show" => Command::NoShow(counter),
        "transfer" => Command::Transfer {
            counter,
            queue: wish
                .queue
                .ok_or_else(|| Problem::bad_request("queue", "Name the queue to transfer to"))?,
            place: match wish.place.as_deref() {
                None => None,
                Some("keep") => Some(TransferPlace::Keep),
                Some("last") => Some(TransferPlace::Last),
                Some(_) => return Err(Problem::bad_request("place", "The place is `keep` or `last`")),
            },
        },
        "park" => Command::Park {
            counter,
            note: short(wish.note),
        },
        "resume" => Command::Resume {
            counter,
            ticket: wish.ticket,
        },
        "open" => Command::Open(counter),
        "pause" => Command::Pause {
            counter,
            reason: short(wish.reason),
        },
        "close" => Command::Close {
            counter,
            release: wish.release,
        },
        _ => return Err(Problem::not_found("There is no such move")),
    })
}

fn moved(reply: Reply) -> Moved {
    match reply {
        Reply::Ticket(ticket) => Moved { ticket },
        Reply::Counter(_) | Reply::Lease(_) | Reply::Configured(_) | Reply::Done => Moved { ticket: None },
    }
}

fn refused(refusal: Refusal) -> Problem {
    OfficeError::Refused(refusal).into()
}
