//! The citizen's screen in a browser: for demos, training and tests, never in a production configuration.
//!
//! Paths and shapes are the contract of `DESIGN.md` §6. The page holds no state; it shows the newest picture and
//! sends taps and letters back.

use std::convert::Infallible;
use std::sync::mpsc;

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::future::BoxFuture;
use futures_util::{Stream, StreamExt};
use serde::Deserialize;
use tokio::sync::{oneshot, watch};
use tokio_stream::wrappers::WatchStream;

use super::pad::Pad;
use super::run::{Command, Hand, Reading};
use crate::devices::handset::{HandEvent, HandKey};

/// The page's line to the UI thread.
#[derive(Clone, Debug)]
pub struct Link {
    commands: mpsc::Sender<Command>,
    frame: watch::Receiver<u64>,
}

impl Link {
    /// Makes the line; the two other ends go to [`super::run::run_web`].
    pub fn new() -> (Self, mpsc::Receiver<Command>, watch::Sender<u64>) {
        let (commands, received) = mpsc::channel();
        let (shown, frame) = watch::channel(0);
        (Self { commands, frame }, received, shown)
    }

    /// Tells the UI thread that the driver's inbox has something.
    pub fn wake(&self) {
        let _ = self.commands.send(Command::Wake);
    }

    /// Gives what a keypad or the socket for headphones said.
    pub fn hand(&self, hand: Hand) {
        let _ = self.commands.send(Command::Hand(hand));
    }

    /// Ends the UI thread's loop.
    pub fn stop(&self) {
        let _ = self.commands.send(Command::Stop);
    }

    /// Taps the screen and waits until the result is shown.
    pub async fn tap(&self, x: f32, y: f32) -> Option<&'static str> {
        self.ask(|reply| Command::Tap { x, y, reply }).await
    }

    /// Draws on the screen and waits until the result is shown.
    pub async fn draw(&self, points: Vec<(f32, f32)>) -> Option<&'static str> {
        self.ask(|reply| Command::Draw { points, reply }).await
    }

    /// Types on the screen and waits until the result is shown.
    pub async fn type_text(&self, text: String) -> Option<&'static str> {
        self.ask(|reply| Command::Type { text, reply }).await
    }

    /// Presses a key of the keypad and waits until the result is shown.
    pub async fn press(&self, key: Pad) -> Option<&'static str> {
        self.ask(|reply| Command::Pad { key, reply }).await
    }

    /// Reads the screen.
    pub async fn reading(&self) -> Option<Reading> {
        self.ask(Command::View).await
    }

    /// A small picture of the screen while nobody is at it.
    pub fn free_picture(&self) -> BoxFuture<'static, Option<Vec<u8>>> {
        let link = self.clone();
        Box::pin(async move { link.ask(Command::Free).await.flatten() })
    }

    /// Asks and waits; `None` when the screen has stopped.
    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).ok()?;
        answer.await.ok()
    }
}

/// The routes under `/kiosk`.
pub fn router(link: Link) -> Router {
    Router::new()
        .route("/kiosk", get(page))
        .route("/kiosk/", get(page))
        .route("/kiosk/screen.png", get(picture))
        .route("/kiosk/tap", post(tap))
        .route("/kiosk/draw", post(draw))
        .route("/kiosk/type", post(type_text))
        .route("/kiosk/key", post(press))
        .route("/kiosk/view.json", get(reading))
        .route("/kiosk/frames", get(frames))
        .with_state(link)
}

async fn page() -> Html<&'static str> {
    Html(include_str!("page.html"))
}

async fn picture(State(link): State<Link>, headers: HeaderMap) -> Response {
    let Some(picture) = link.ask(Command::Png).await else {
        return stopped();
    };
    let tag = format!("\"{}\"", picture.frame);
    let known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let head = [
        (header::ETAG, tag),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
    ];
    if known {
        return (StatusCode::NOT_MODIFIED, head).into_response();
    }
    (head, [(header::CONTENT_TYPE, "image/png")], picture.png).into_response()
}

#[derive(Deserialize)]
struct Tap {
    x: f32,
    y: f32,
}

async fn tap(State(link): State<Link>, body: Bytes) -> Response {
    match serde_json::from_slice::<Tap>(&body) {
        Ok(Tap { x, y }) if x.is_finite() && y.is_finite() => shown(link.tap(x, y).await),
        Ok(_) => problem("A tap needs numbers x and y in pixels of the screen"),
        Err(error) => problem(&format!(
            "A tap is {{\"x\": 540, \"y\": 960}} in pixels of the screen: {error}"
        )),
    }
}

#[derive(Deserialize)]
struct Drawn {
    points: Vec<(f32, f32)>,
}

/// More points than a page of ours sends for one stroke.
const POINTS_MOST: usize = 10_000;

async fn draw(State(link): State<Link>, body: Bytes) -> Response {
    match serde_json::from_slice::<Drawn>(&body) {
        Ok(Drawn { points })
            if (1..=POINTS_MOST).contains(&points.len())
                && points.iter().all(|(x, y)| x.is_finite() && y.is_finite()) =>
        {
            shown(link.draw(points).await)
        }
        _ => problem(
            "A stroke is {\"points\": [[300, 900], [420, 930]]} in pixels of the screen, 10000 of them at most",
        ),
    }
}

#[derive(Deserialize)]
struct Typed {
    text: String,
}

async fn type_text(State(link): State<Link>, body: Bytes) -> Response {
    match serde_json::from_slice::<Typed>(&body) {
        Ok(typed) => shown(link.type_text(typed.text).await),
        Err(error) => problem(&format!("Typing is {{\"text\": \"Ana\"}}: {error}")),
    }
}

#[derive(Deserialize)]
struct Pressed {
    key: String,
}

const KEYS: &str = "A key is {\"key\": \"down\"}: up, down, left, right, ok, back, help, repeat, pause, louder, \
                    softer, faster, slower, headphones_in or headphones_out";

async fn press(State(link): State<Link>, body: Bytes) -> Response {
    let pressed = serde_json::from_slice::<Pressed>(&body);
    let Ok(pressed) = pressed else {
        return problem(KEYS);
    };
    if let Some(key) = Pad::from_name(&pressed.key) {
        return shown(link.press(key).await);
    }
    // What has no place on the screen: the voice's keys, and headphones that are put in or taken out.
    match serde_json::from_value::<HandKey>(pressed.key.into()) {
        Ok(key) => {
            link.hand(HandEvent::Key(key).into());
            shown(link.reading().await.map(|reading| reading.face))
        }
        Err(_) => problem(KEYS),
    }
}

async fn reading(State(link): State<Link>) -> Response {
    match link.reading().await {
        Some(reading) => ([(header::CACHE_CONTROL, "no-store")], Json(reading)).into_response(),
        None => stopped(),
    }
}

/// Tells the number of each new frame, so that the page fetches a picture only when there is one.
async fn frames(State(link): State<Link>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let numbers = WatchStream::new(link.frame.clone());
    Sse::new(numbers.map(|number| Ok(Event::default().data(number.to_string()))))
        .keep_alive(KeepAlive::default())
}

fn shown(face: Option<&'static str>) -> Response {
    match face {
        Some(face) => Json(serde_json::json!({ "face": face })).into_response(),
        None => stopped(),
    }
}

fn problem(detail: &str) -> Response {
    described(
        StatusCode::BAD_REQUEST,
        "Not a request the kiosk screen knows",
        detail,
    )
}

fn stopped() -> Response {
    let detail = "Start the kiosk again; its screen is no longer running";
    described(
        StatusCode::SERVICE_UNAVAILABLE,
        "The kiosk screen has stopped",
        detail,
    )
}

fn described(status: StatusCode, title: &str, detail: &str) -> Response {
    let body = serde_json::json!({
        "type": "about:blank",
        "title": title,
        "status": status.as_u16(),
        "detail": detail,
    });
    (
        status,
        [(header::CONTENT_TYPE, "application/problem+json")],
        body.to_string(),
    )
        .into_response()
}
