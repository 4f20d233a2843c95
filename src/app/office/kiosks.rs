//! `/api/v1/kiosks` and `/api/v1/kiosks/{kiosk}/health`: how the kiosks say their printers are.
//!
//! Kept in memory only: a state of yesterday helps nobody, and a kiosk tells its own every half minute. Nothing of a
//! person and no paper is told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::OfficeApp;
use super::api::required;
use super::api_queues::named_kiosk;
use super::auth::Caller;
use super::problem::Problem;
use crate::domain::ticket::{KioskId, time_text};

/// A kiosk has one printer, and perhaps one that helps out.
const PRINTERS_MOST: usize = 4;
/// Longest word of a state.
const WORD_MOST: usize = 24;

/// How a printer is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct PrinterBody {
    /// `first` or `second`.
    pub name: String,
    /// `ready`, `low`, `unknown`, or what is wrong: `no-paper`, `cover-open`, `cutter`, `offline`, `silent`,
    /// `unproven`, `vanished`, `refused`.
    pub state: String,
    /// Millimetres of paper that should be left.
    pub left_mm: u64,
    /// Papers of the usual length that should be left.
    #[serde(default)]
    pub papers_left: Option<u64>,
    /// Whether somebody should bring a roll.
    pub paper_low: bool,
}

/// How a kiosk is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct HealthBody {
    /// Its printers, the usual one first.
    pub printers: Vec<PrinterBody>,
}

/// How a kiosk said it was, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct KioskView {
    /// The kiosk.
    #[schema(value_type = String)]
    pub kiosk: KioskId,
    /// When it last spoke to the office at all.
    #[serde(with = "time_text::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub seen_at: Option<Timestamp>,
    /// When it told of its printers.
    #[serde(with = "time_text::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub told_at: Option<Timestamp>,
    /// Its printers; empty until it told.
    pub printers: Vec<PrinterBody>,
}

/// What the kiosks told.
#[derive(Debug, Default)]
pub(super) struct KioskWatch(Mutex<HashMap<KioskId, (Timestamp, HealthBody)>>);

impl OfficeApp {
    /// How every kiosk of the configuration said it was.
    pub fn kiosks(&self) -> Vec<KioskView> {
        let told = self.kiosk_watch.0.lock().unwrap_or_else(PoisonError::into_inner);
        self.kiosks_seen()
            .into_iter()
            .map(|(kiosk, seen_at)| {
                let told = told.get(&kiosk);
                KioskView {
                    kiosk,
                    seen_at,
                    told_at: told.map(|(at, _)| *at),
                    printers: told
                        .map(|(_, health)| health.printers.clone())
                        .unwrap_or_default(),
                }
            })
            .collect()
    }
}

/// How the kiosks and their printers are.
#[utoipa::path(get, path = "/api/v1/kiosks", tag = "kiosks",
    responses((status = 200, body = Vec<KioskView>), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(super) async fn list(State(app): State<Arc<OfficeApp>>) -> Json<Vec<KioskView>> {
    Json(app.kiosks())
}

/// Takes in how a kiosk is; the last word counts.
#[utoipa::path(post, path = "/api/v1/kiosks/{kiosk}/health", tag = "kiosks", request_body = HealthBody,
    params(("kiosk" = String, Path)),
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn take_in(
    State(app): State<Arc<OfficeApp>>,
    caller: Caller,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Result<StatusCode, Problem> {
    let kiosk = named_kiosk(&app, &caller, id)?;
    let told: HealthBody = required(&bytes)?;
    let is_word = |text: &str| {
        (1..=WORD_MOST).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
    };
    let sound = told.printers.len() <= PRINTERS_MOST
        && told
            .printers
            .iter()
            .all(|printer| is_word(&printer.name) && is_word(&printer.state));
    if !sound {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "health",
            "At most four printers, whose names and states are small letters and hyphens",
        ));
    }
    let mut watch = app.kiosk_watch.0.lock().unwrap_or_else(PoisonError::into_inner);
    watch.insert(kiosk, (app.now(), told));
    Ok(StatusCode::NO_CONTENT)
}
