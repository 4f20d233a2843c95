//! What is pushed: the board's events, and the whole history as lines.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use futures_util::stream;
use serde::Deserialize;
use tokio::sync::broadcast::{self, error::RecvError, error::TryRecvError};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::OfficeApp;
use super::boards::{BoardWatch, Stay};
use super::problem::Problem;
use super::views::{BoardView, CallView};
use crate::domain::event::OfficeEvent;
use crate::domain::office::Zone;

/// A board takes ten seconds of silence for a lost hub, so it hears from us twice as often.
const BEAT: Duration = Duration::from_secs(4);
/// Rows read at once from the store.
const PAGE: u32 = 500;
/// How often a picture is made again because something happened meanwhile.
const PICTURE_TRIES: usize = 20;
/// Calls replayed at most to a board that was away; more is history, not news.
const REPLAY_MAX: usize = 2000;

/// Where a reader left off.
#[derive(Deserialize)]
pub(super) struct After {
    #[serde(default)]
    after: Option<u64>,
}

/// Which board asks.
#[derive(Deserialize)]
pub(super) struct Listener {
    #[serde(default)]
    after: Option<u64>,
    #[serde(default)]
    zone: Option<String>,
    /// An id that a screen of a waiting room makes for itself; whoever sends none is no screen.
    #[serde(default)]
    screen: Option<String>,
}

impl Listener {
    /// The zone it asks for, the whole office where it asks for none, or a problem that names the zones.
    fn zone(&self, app: &OfficeApp) -> Result<Option<Zone>, Problem> {
        let Some(id) = self.zone.as_deref().filter(|id| !id.is_empty()) else {
            return Ok(None);
        };
        app.zone(id).map(Some).ok_or_else(|| {
            let setup = app.setup();
            let known: Vec<&str> = setup.zones.iter().map(|zone| zone.id.as_str()).collect();
            Problem::new(
                StatusCode::NOT_FOUND,
                "unknown_zone",
                format!("There is no such zone here; ask for one of: {}", known.join(", ")),
            )
        })
    }
}

/// Everything a board shows, now: of one zone with `?zone=`, else of the whole office.
#[utoipa::path(get, path = "/api/v1/board", tag = "board",
    security((), ("bearer" = [])), params(("zone" = Option<String>, Query)),
    responses((status = 200, body = BoardView), (status = 404, body = Problem)))]
pub(super) async fn board(
    State(app): State<Arc<OfficeApp>>,
    Query(asked): Query<Listener>,
) -> Result<Json<BoardView>, Problem> {
    let zone = asked.zone(&app)?;
    Ok(Json(app.snapshot(zone.as_ref())))
}

/// The board's events: `called`, `recalled`, `resumed` (one announcement each), `board` (everything it shows)
/// and `beat`. The id is the sequence; `Last-Event-ID` or `?after=` replays the announcements since.
/// With `?zone=` only of that zone. What may still be spoken is in `announce` of the board that follows.
#[utoipa::path(get, path = "/api/v1/board/events", tag = "board",
    security((), ("bearer" = [])),
    params(("Last-Event-ID" = Option<u64>, Header), ("after" = Option<u64>, Query),
        ("zone" = Option<String>, Query), ("screen" = Option<String>, Query)),
    responses((status = 200, content_type = "text/event-stream", body = CallView), (status = 404, body = Problem)))]
pub(super) async fn board_events(
    State(app): State<Arc<OfficeApp>>,
    Query(listener): Query<Listener>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let zone = listener.zone(&app)?;
    let asked = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.trim().parse().ok())
        .or(listener.after);
    // Listening begins before reading, so that nothing falls between the two.
    let receiver = app.subscribe();
    let newest = app.seq();
    // A number from the future belongs to a file that was put aside since.
    let after = asked.filter(|after| *after <= newest).unwrap_or(newest);
    let setup = app.setup();
    let stay = match (&listener.screen, zone.as_ref().or(setup.zones.first())) {
        (Some(screen), Some(zone)) => Some(BoardWatch::enter(&app, &zone.id, screen)),
        (None, _) | (_, None) => None,
    };
    let mut feed = Feed::new(app, receiver, after, zone);
    feed._stay = stay;
    feed.catch_up()?;
    feed.push_board()?;
    let mut response = Sse::new(feed.into_stream()).into_response();
    let headers = response.headers_mut();
    // Some proxies hold a stream back until a buffer is full.
    headers.insert("x-accel-buffering", header::HeaderValue::from_static("no"));
    Ok(response)
}

struct Feed {
    app: Arc<OfficeApp>,
    receiver: broadcast::Receiver<Arc<OfficeEvent>>,
    last: u64,
    zone: Option<Zone>,
    pending: VecDeque<Event>,
    beat: Interval,
    /// Held as long as the screen listens.
    _stay: Option<Stay>,
}

impl Feed {
    fn new(
        app: Arc<OfficeApp>,
        receiver: broadcast::Receiver<Arc<OfficeEvent>>,
        after: u64,
        zone: Option<Zone>,
    ) -> Self {
        let mut beat = interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            app,
            receiver,
            last: after,
            zone,
            pending: VecDeque::from([Event::default().retry(Duration::from_secs(1))]),
            beat,
            _stay: None,
        }
    }

    fn into_stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut feed| async move {
            loop {
                if let Some(event) = feed.pending.pop_front() {
                    return Some((Ok(event), feed));
                }
                let stop = feed.app.stop().clone();
                tokio::select! {
                    () = stop.stopped() => return None,
                    received = feed.receiver.recv() => match received {
                        // A burst is one new picture of the board, not fifty.
                        Ok(event) => {
                            feed.take(&event);
                            feed.push_board().ok()?;
                        }
                        Err(RecvError::Lagged(_)) => {
                            feed.catch_up().ok()?;
                            feed.push_board().ok()?;
                        }
                        Err(RecvError::Closed) => return None,
                    },
                    _ = feed.beat.tick() => feed.pending.push_back(Event::default().event("beat").data("{}")),
                }
            }
        })
    }

    /// Takes in one event, unless it was read from the store before.
    fn take(&mut self, event: &OfficeEvent) {
        if event.seq <= self.last {
            return;
        }
        self.last = event.seq;
        let Some(call) = CallView::of(&self.app.setup().zones, event) else {
            return;
        };
        if self.zone.as_ref().is_some_and(|zone| zone.id != call.zone) {
            return;
        }
        let data = serde_json::to_string(&call).unwrap_or_default();
        let event = Event::default()
            .id(call.seq.to_string())
            .event(call.kind)
            .data(data);
        self.pending.push_back(event);
    }

    /// Reads what was committed since the last event we sent.
    fn catch_up(&mut self) -> Result<(), Problem> {
        loop {
            let events = self.app.events_after(self.last, PAGE)?;
            let Some(newest) = events.last().map(|event| event.seq) else {
                return Ok(());
            };
            for event in &events {
                self.take(event);
            }
            self.last = newest;
            while self.pending.len() > REPLAY_MAX {
                self.pending.pop_front();
            }
        }
    }

    /// Takes in what waits for us; what was missed comes from the store.
    fn drain(&mut self) -> Result<(), Problem> {
        loop {
            match self.receiver.try_recv() {
                Ok(event) => self.take(&event),
                Err(TryRecvError::Lagged(_)) => self.catch_up()?,
                Err(TryRecvError::Empty | TryRecvError::Closed) => return Ok(()),
            }
        }
    }

    /// Adds a picture of the board that knows exactly the calls before it: a board that is ahead of its calls would
    /// make a reader take them for heard.
    fn push_board(&mut self) -> Result<(), Problem> {
        // A counter may have come into the zone, or gone to another; a zone that is gone has none any more.
        if let Some(zone) = &mut self.zone {
            match self.app.zone(&zone.id) {
                Some(now) => *zone = now,
                None => zone.counters.clear(),
            }
        }
        for _ in 0..PICTURE_TRIES {
            let (seq, text) = self.app.board_json(self.zone.as_ref());
            self.drain()?;
            if self.last <= seq {
                let event = Event::default()
                    .id(self.last.to_string())
                    .event("board")
                    .data(text);
                self.pending.push_back(event);
                break;
            }
        }
        // A hub that is busier than that sends the picture with the next event.
        Ok(())
    }
}

/// The history as lines of JSON, from after a sequence number to the newest event.
#[utoipa::path(get, path = "/api/v1/events", tag = "office", params(("after" = Option<u64>, Query)),
    responses((status = 200, content_type = "application/x-ndjson", body = String)))]
pub(super) async fn events(
    State(app): State<Arc<OfficeApp>>,
    Query(query): Query<After>,
) -> Result<Response, Problem> {
    let after = query.after.unwrap_or(0);
    let pages = stream::unfold((app, after), |(app, after)| async move {
        let events = match app.events_after(after, PAGE) {
            Ok(events) if events.is_empty() => return None,
            Ok(events) => events,
            Err(error) => return Some((Err(std::io::Error::other(error)), (app, u64::MAX))),
        };
        let mut lines = Vec::with_capacity(events.len() * 200);
        for event in &events {
            if serde_json::to_writer(&mut lines, event).is_ok() {
                lines.push(b'\n');
            }
        }
        let last = events.last().map_or(u64::MAX, |event| event.seq);
        Some((Ok(Bytes::from(lines)), (app, last)))
    });
    let body = Body::from_stream(pages);
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response())
}
