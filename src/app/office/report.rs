//! The reports over the API: a day or a range, as JSON or as CSV, worked out from the events.

use std::fmt::Write;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::OfficeApp;
use super::problem::Problem;
use crate::domain::event::OfficeEvent;
use crate::domain::report::{Facts, Line, Report, counter_lines};
use crate::domain::ticket::{BusinessDate, QueueId};
use crate::store::StoreError;
use crate::store::office as store;

/// Days a report may span: a quarter, which a hub reads in a few seconds.
const DAYS_MAX: i32 = 92;

/// The report of an office over some days.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct OfficeReport {
    /// The first day.
    pub date: String,
    /// The last day.
    pub to: String,
    /// The figures.
    #[serde(flatten)]
    pub report: Report,
}

impl OfficeApp {
    /// The report of the days from `from` to `to`, worked out from the events. Blocks while it reads.
    pub fn report(&self, from: BusinessDate, to: BusinessDate) -> Result<OfficeReport, StoreError> {
        let events = self.db.read(move |c| store::events_between(c, from, to))?;
        Ok(self.report_of(&events, from, to))
    }

    fn report_of(&self, events: &[OfficeEvent], from: BusinessDate, to: BusinessDate) -> OfficeReport {
        let (tickets, out_of_turn) = Facts::of(events);
        let setup = self.setup();
        let mut queues: Vec<QueueId> = setup.queues.iter().map(|queue| queue.id.clone()).collect();
        // A queue that is not in the settings any more still had its people.
        for ticket in &tickets {
            if !queues.contains(&ticket.queue) {
                queues.push(ticket.queue.clone());
            }
        }
        let counters = counter_lines(events, self.now());
        OfficeReport {
            date: from.to_string(),
            to: to.to_string(),
            report: Report::of(&tickets, &queues, &setup.zone, out_of_turn, counters),
        }
    }
}

/// Which days.
#[derive(Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    date: Option<String>,
    #[serde(default)]
    from: Option<String>,
    #[serde(default)]
    to: Option<String>,
}

/// Reads the days of a report; today where nothing is written.
pub fn days_of(
    app: &OfficeApp,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<(BusinessDate, BusinessDate), Problem> {
    let today = app.setup().date_of(app.now());
    let date = |text: Option<&str>, missing: BusinessDate| match text.filter(|text| !text.is_empty()) {
        Some(text) => text
            .parse()
            .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "date", "Write the date like 2026-11-24")),
        None => Ok(missing),
    };
    let from = date(from, today)?;
    let to = date(to, from.max(today))?;
    let span = from.0.until(to.0).map(|span| span.get_days()).unwrap_or(i32::MAX);
    if !(0..DAYS_MAX).contains(&span) {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "span",
            format!("A report spans 1 to {DAYS_MAX} days; write an earlier first day or fewer days"),
        ));
    }
    Ok((from, to))
}

/// The report of a day, as JSON, or as CSV when `Accept` says `text/csv`.
#[utoipa::path(get, path = "/api/v1/reports/day", tag = "office",
    params(("date" = Option<String>, Query, description = "2026-11-24; today if missing")),
    responses((status = 200, content((OfficeReport = "application/json"), (String = "text/csv"))),
        (status = 400, body = Problem), (status = 401, body = Problem)))]
pub(super) async fn day(
    State(app): State<Arc<OfficeApp>>,
    Query(which): Query<Which>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (date, _) = days_of(&app, which.date.as_deref(), which.date.as_deref())?;
    answer(app, date, date, &headers).await
}

/// The report of several days, as JSON, or as CSV when `Accept` says `text/csv`.
#[utoipa::path(get, path = "/api/v1/reports/range", tag = "office",
    params(("from" = Option<String>, Query, description = "2026-11-01; today if missing"),
        ("to" = Option<String>, Query, description = "2026-11-24; today if missing")),
    responses((status = 200, content((OfficeReport = "application/json"), (String = "text/csv"))),
        (status = 400, body = Problem), (status = 401, body = Problem)))]
pub(super) async fn range(
    State(app): State<Arc<OfficeApp>>,
    Query(which): Query<Which>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (from, to) = days_of(&app, which.from.as_deref(), which.to.as_deref())?;
    answer(app, from, to, &headers).await
}

async fn answer(
    app: Arc<OfficeApp>,
    from: BusinessDate,
    to: BusinessDate,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let report = tokio::task::spawn_blocking(move || app.report(from, to))
        .await
        .map_err(|_| StoreError::Closed)??;
    let wants_csv = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/csv"));
    if wants_csv {
        Ok(as_csv(&report))
    } else {
        Ok(Json(report).into_response())
    }
}

/// A report as a file for a spreadsheet.
pub fn as_csv(report: &OfficeReport) -> Response {
    let name = if report.date == report.to {
        format!("attachment; filename=\"ventanilla-{}.csv\"", report.date)
    } else {
        format!(
            "attachment; filename=\"ventanilla-{}-{}.csv\"",
            report.date, report.to
        )
    };
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    (headers, csv(report)).into_response()
}

fn csv(report: &OfficeReport) -> String {
    let mut text = String::from(
        "date,queue,lane,issued,called,finished,no_show,cancelled,expired,wait_mean_minutes,wait_p50_minutes,\
         wait_p90_minutes,wait_max_minutes,service_mean_minutes,service_p50_minutes,service_p90_minutes,\
         way_mean_minutes,rejoined,transferred,estimates_told,estimates_within,estimate_mae_minutes\r\n",
    );
    let figure = |figure: Option<f64>| figure.map_or_else(String::new, |figure| format!("{figure:.1}"));
    // One day, or an interval as ISO 8601 writes it.
    let days = if report.date == report.to {
        report.date.clone()
    } else {
        format!("{}/{}", report.date, report.to)
    };
    let mut row = |line: &Line, queue: &str, estimates: [String; 3]| {
        let counts = [
            line.issued,
            line.called,
            line.finished,
            line.no_show,
            line.cancelled,
            line.expired,
        ];
        let times = [
            line.wait_mean_minutes,
            line.wait_p50_minutes,
            line.wait_p90_minutes,
            line.wait_max_minutes,
            line.service_mean_minutes,
            line.service_p50_minutes,
            line.service_p90_minutes,
            line.way_mean_minutes,
        ];
        let cells: Vec<String> = [days.clone(), cell(queue), line.lane.clone()]
            .into_iter()
            .chain(counts.map(|count| count.to_string()))
            .chain(times.map(figure))
            .chain([line.rejoined, line.transferred].map(|count| count.to_string()))
            .chain(estimates)
            .collect();
        let _ = write!(text, "{}\r\n", cells.join(","));
    };
    for line in &report.report.lines {
        row(line, &line.queue, [const { String::new() }; 3]);
    }
    let estimates = &report.report.estimates;
    let told = [
        estimates.told.to_string(),
        estimates.within.to_string(),
        figure(estimates.mean_absolute_error_minutes),
    ];
    row(&report.report.total, "total", told);
    text
}

/// Queue ids come from the configuration: a comma would shift the columns, and a leading sign would be a formula.
fn cell(text: &str) -> String {
    text.replace([',', '"', '\r', '\n'], " ")
        .trim_start_matches(['=', '+', '-', '@', '\t', ' '])
        .to_owned()
}
