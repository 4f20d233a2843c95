//! `/api/v1/kiosks/{kiosk}/usage` and `/api/v1/reports/usage`: where forms end at the kiosks, and how people say it went.
//!
//! Kiosks tell the totals of a day; nothing of a person, no answer and no time of day comes with them.

use std::fmt::Write;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::OfficeApp;
use super::api::{ask, required};
use super::api_queues::named_kiosk;
use super::auth::Caller;
use super::problem::Problem;
use crate::domain::office::Command;
use crate::domain::report::Usage;
use crate::domain::ticket::BusinessDate;
use crate::domain::usage::KioskTotals;
use crate::store::office as store;

/// Most lines in one telling: a kiosk has some hundred procedures with a dozen steps.
const LINES_MOST: usize = 1000;
/// Longest word in a line.
const WORD_MOST: usize = 80;
/// No kiosk sees more people in a day.
const COUNT_MOST: u32 = 100_000;

/// Totals of all kiosks.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize, ToSchema)]
pub struct UsageReport {
    /// First day.
    pub from: String,
    /// Last day.
    pub to: String,
    /// The totals.
    #[serde(flatten)]
    pub usage: Usage,
}

/// Takes in what a kiosk counted on a day: totals, so that telling them twice changes nothing.
#[utoipa::path(post, path = "/api/v1/kiosks/{kiosk}/usage", tag = "kiosks", request_body = KioskTotals,
    params(("kiosk" = String, Path)),
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn take_in(
    State(app): State<Arc<OfficeApp>>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<StatusCode, Problem> {
    let kiosk = named_kiosk(&app, &caller, id)?;
    let told: KioskTotals = required(&bytes)?;
    let is_word = |text: &str| {
        (1..=WORD_MOST).contains(&text.len())
            && !text.starts_with('-')
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
    };
    let sound = told.lines.len() <= LINES_MOST
        && told.marks.len() <= LINES_MOST
        && told.lines.iter().all(|line| {
            is_word(&line.procedure)
                && is_word(&line.step)
                && matches!(line.outcome.as_str(), "sent" | "left" | "silent")
                && line.count <= COUNT_MOST
        })
        && told
            .marks
            .iter()
            .all(|mark| (1..=3).contains(&mark.mark) && mark.count <= COUNT_MOST);
    if !sound {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "usage",
            "Words are small letters, digits and hyphens, outcomes sent, left or silent, marks 1 to 3",
        ));
    }
    if told != KioskTotals::nothing(told.date) {
        let command = Command::Count { kiosk, totals: told };
        app.command(command, ask(&caller, &headers)?).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Which days.
#[derive(Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    date: Option<String>,
    #[serde(default)]
    to: Option<String>,
}

/// Where forms ended and how people said it went, as JSON, or as CSV when `Accept` says `text/csv`.
#[utoipa::path(get, path = "/api/v1/reports/usage", tag = "office",
    params(("date" = Option<String>, Query, description = "2026-11-24; today if missing"),
        ("to" = Option<String>, Query, description = "Last day, for several")),
    responses((status = 200, body = UsageReport), (status = 400, body = Problem), (status = 401, body = Problem)))]
pub(super) async fn report(
    State(app): State<Arc<OfficeApp>>,
    Query(which): Query<Which>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let day = |text: Option<String>, otherwise: BusinessDate| match text {
        Some(text) => text
            .parse::<BusinessDate>()
            .map_err(|_| Problem::bad_request("date", "Write the date like 2026-11-24")),
        None => Ok(otherwise),
    };
    let from = day(which.date, app.setup().date_of(app.now()))?;
    let to = day(which.to, from)?;
    let report = app.usage(from, to)?;
    let wants_csv = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/csv"));
    if !wants_csv {
        return Ok(Json(report).into_response());
    }
    let name = format!("attachment; filename=\"ventanilla-kiosks-{from}.csv\"");
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, csv(&report)).into_response())
}

impl OfficeApp {
    /// The totals of all kiosks from one day to another, both included. Blocks while it reads.
    ///
    /// A kiosk that was alone tells its days later, hence the events up to now; its clock may be a day ahead.
    pub fn usage(
        &self,
        from: BusinessDate,
        to: BusinessDate,
    ) -> Result<UsageReport, crate::store::StoreError> {
        let events = self
            .db()
            .read(move |c| store::events_counted(c, from.yesterday()))?;
        Ok(UsageReport {
            from: from.to_string(),
            to: to.to_string(),
            usage: Usage::of(&events, from, to),
        })
    }
}

fn csv(report: &UsageReport) -> String {
    let mut text = String::from("procedure,step,outcome,count\r\n");
    for line in &report.usage.lines {
        let _ = write!(
            text,
            "{},{},{},{}\r\n",
            line.procedure, line.step, line.outcome, line.count
        );
    }
    for mark in &report.usage.marks {
        let _ = write!(text, ",mark-{},,{}\r\n", mark.mark, mark.count);
    }
    text
}
