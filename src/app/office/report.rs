//! The report of a day: how many came and how long they waited, by queue and lane.

use std::fmt::Write;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::OfficeApp;
use super::auth::Caller;
use super::problem::Problem;
use crate::domain::ticket::{BusinessDate, Lane, Status};
use crate::store::StoreError;
use crate::store::office::{self as store, DayRow};

/// A day of the office.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct DayReport {
    /// The day.
    pub date: String,
    /// One line a queue and lane that had anybody.
    pub lines: Vec<ReportLine>,
    /// Everybody together.
    pub total: ReportLine,
}

/// Figures of one group of tickets; times in minutes.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct ReportLine {
    /// The queue they ended in; empty for the total.
    pub queue: String,
    /// The lane; empty for the total.
    pub lane: String,
    /// Tickets issued.
    pub issued: usize,
    /// Tickets called at least once.
    pub called: usize,
    /// Attended.
    pub finished: usize,
    /// Called and not come.
    pub no_show: usize,
    /// Given back.
    pub cancelled: usize,
    /// Never attended.
    pub expired: usize,
    /// Mean wait to the first call.
    pub wait_mean_minutes: Option<f64>,
    /// Half waited no longer.
    pub wait_p50_minutes: Option<f64>,
    /// Nine of ten waited no longer.
    pub wait_p90_minutes: Option<f64>,
    /// The longest wait.
    pub wait_max_minutes: Option<f64>,
    /// Mean attention.
    pub service_mean_minutes: Option<f64>,
}

/// Nine of ten of these are no longer; `None` without any.
pub fn percentile(sorted: &[SignedDuration], percent: usize) -> Option<SignedDuration> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

impl OfficeApp {
    /// The report of a day, worked out from what is stored.
    pub fn day_report(&self, date: BusinessDate) -> Result<DayReport, StoreError> {
        let rows = self.db.read(move |c| store::day_rows(c, date))?;
        let mut lines = Vec::new();
        for queue in &self.setup.queues {
            for lane in Lane::ALL {
                let group: Vec<&DayRow> = rows
                    .iter()
                    .filter(|row| row.queue == queue.id && row.lane == lane)
                    .collect();
                if !group.is_empty() {
                    lines.push(ReportLine {
                        queue: queue.id.to_string(),
                        lane: lane.code().to_owned(),
                        ..line(&group)
                    });
                }
            }
        }
        Ok(DayReport {
            date: date.to_string(),
            lines,
            total: line(&rows.iter().collect::<Vec<_>>()),
        })
    }
}

fn line(rows: &[&DayRow]) -> ReportLine {
    let count = |status| rows.iter().filter(|row| row.status == status).count();
    let mut waits: Vec<SignedDuration> = rows
        .iter()
        .filter_map(|row| {
            Some(
                row.first_called_at?
                    .duration_since(row.issued_at)
                    .max(SignedDuration::ZERO),
            )
        })
        .collect();
    waits.sort_unstable();
    let services: Vec<SignedDuration> = rows
        .iter()
        .filter(|row| row.status == Status::Finished)
        .filter_map(|row| {
            Some(
                row.ended_at?
                    .duration_since(row.started_at?)
                    .max(SignedDuration::ZERO),
            )
        })
        .collect();
    ReportLine {
        queue: String::new(),
        lane: String::new(),
        issued: rows.len(),
        called: waits.len(),
        finished: count(Status::Finished),
        no_show: count(Status::NoShow),
        cancelled: count(Status::Cancelled),
        expired: count(Status::Expired),
        wait_mean_minutes: mean(&waits).map(minutes),
        wait_p50_minutes: percentile(&waits, 50).map(minutes),
        wait_p90_minutes: percentile(&waits, 90).map(minutes),
        wait_max_minutes: waits.last().copied().map(minutes),
        service_mean_minutes: mean(&services).map(minutes),
    }
}

fn mean(times: &[SignedDuration]) -> Option<SignedDuration> {
    let count = i32::try_from(times.len()).ok().filter(|count| *count > 0)?;
    let sum = times
        .iter()
        .fold(SignedDuration::ZERO, |sum, time| sum.saturating_add(*time));
    Some(sum / count)
}

/// Minutes with one digit after the point.
fn minutes(time: SignedDuration) -> f64 {
    (time.as_secs_f64() / 6.0).round() / 10.0
}

/// Which day.
#[derive(Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    date: Option<String>,
}

/// The report of a day, as JSON, or as CSV when `Accept` says `text/csv`.
#[utoipa::path(get, path = "/api/v1/reports/day", tag = "office",
    params(("date" = Option<String>, Query, description = "2026-11-24; today if missing")),
    responses((status = 200, body = DayReport), (status = 401, body = Problem)))]
pub(super) async fn day(
    State(app): State<Arc<OfficeApp>>,
    caller: Caller,
    Query(which): Query<Which>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.staff()?;
    let date = match which.date {
        Some(text) => text
            .parse()
            .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "date", "Write the date like 2026-11-24"))?,
        None => app.setup.date_of(app.now()),
    };
    let report = app.day_report(date)?;
    let wants_csv = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/csv"));
    if !wants_csv {
        return Ok(Json(report).into_response());
    }
    let name = format!("attachment; filename=\"ventanilla-{date}.csv\"");
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, csv(&report)).into_response())
}

fn csv(report: &DayReport) -> String {
    let mut text = String::from(
        "date,queue,lane,issued,called,finished,no_show,cancelled,expired,wait_mean_minutes,wait_p50_minutes,\
         wait_p90_minutes,wait_max_minutes,service_mean_minutes\r\n",
    );
    let figure = |figure: Option<f64>| figure.map_or_else(String::new, |figure| format!("{figure:.1}"));
    for line in report.lines.iter().chain([&report.total]) {
        let (queue, lane) = if line.queue.is_empty() {
            ("total", "")
        } else {
            (line.queue.as_str(), line.lane.as_str())
        };
        // Queue ids come from the configuration; a comma in one would shift the columns.
        let queue = queue.replace([',', '"'], " ");
        let _ = write!(
            text,
            "{},{queue},{lane},{},{},{},{},{},{},{},{},{},{},{}\r\n",
            report.date,
            line.issued,
            line.called,
            line.finished,
            line.no_show,
            line.cancelled,
            line.expired,
            figure(line.wait_mean_minutes),
            figure(line.wait_p50_minutes),
            figure(line.wait_p90_minutes),
            figure(line.wait_max_minutes),
            figure(line.service_mean_minutes),
        );
    }
    text
}
