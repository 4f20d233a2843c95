//! The reports as a page: a day or a range, in charts and tables; the same figures as a file for a spreadsheet.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::charts::Bars;
use super::kit::{Kit, page};
use super::{App, Bar, Person, kit_of};
use crate::app::office::{OfficeReport, Problem, as_csv, days_of};
use crate::domain::report::{CounterLine, Line, OutOfTurn};
use crate::store::StoreError;

#[derive(Template)]
#[template(path = "console/pages/report.html")]
struct ReportPage {
    k: Kit,
    bar: Bar,
    from: String,
    to: String,
    wrong: bool,
    lines: Vec<Row>,
    figures: Vec<(String, String)>,
    charts: Vec<Chart>,
    counters: Vec<CounterLine>,
    out_of_turn: Vec<OutOfTurn>,
}

struct Row {
    queue: String,
    lane: String,
    total: bool,
    line: Line,
}

/// A chart with what its filled and its outlined bars are.
struct Chart {
    title: String,
    first: String,
    second: String,
    svg: String,
}

#[derive(Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    from: Option<String>,
    #[serde(default)]
    to: Option<String>,
    /// One day, as older links write it.
    #[serde(default)]
    date: Option<String>,
}

impl Which {
    fn days(&self) -> (Option<&str>, Option<&str>) {
        let day = self.date.as_deref();
        (self.from.as_deref().or(day), self.to.as_deref().or(day))
    }
}

/// `12,5`, or a dash.
fn figure(figure: &Option<f64>) -> String {
    figure.map_or_else(
        || "–".to_owned(),
        |figure| format!("{figure:.1}").replace('.', ","),
    )
}

pub(super) async fn show(State(app): App, person: Person, Query(which): Query<Which>) -> Response {
    let k = kit_of(&app);
    let (from, to) = which.days();
    let (days, wrong) = match days_of(&app, from, to) {
        Ok(days) => (days, false),
        Err(_) => {
            let today = app.setup().date_of(app.now());
            ((today, today), true)
        }
    };
    let reader = std::sync::Arc::clone(&app);
    let read = tokio::task::spawn_blocking(move || reader.report(days.0, days.1)).await;
    let office_report = match read.unwrap_or(Err(StoreError::Closed)) {
        Ok(report) => report,
        Err(error) => return Problem::from(error).into_response(),
    };
    let name = |id: &str| {
        let queue = app.setup().queue(&id.into());
        queue.map_or_else(|| id.to_owned(), |queue| queue.name.clone())
    };
    let charts = charts(&office_report, &k);
    let figures = figures(&office_report, &k);
    let report = office_report.report;
    let mut lines: Vec<Row> = report
        .lines
        .into_iter()
        .map(|line| Row {
            queue: name(&line.queue),
            lane: k.say(&format!("office-lane-{}", line.lane)),
            total: false,
            line,
        })
        .collect();
    lines.push(Row {
        queue: k.say("office-report-total"),
        lane: String::new(),
        total: true,
        line: report.total,
    });
    page(&ReportPage {
        bar: Bar::of(&person.session, "report"),
        from: office_report.date,
        to: office_report.to,
        wrong,
        lines,
        figures,
        charts,
        counters: report.counters,
        out_of_turn: report.out_of_turn,
        k,
    })
}

/// The same report as a file for a spreadsheet.
pub(super) async fn csv(State(app): App, Query(which): Query<Which>) -> Response {
    let (from, to) = which.days();
    let days = match days_of(&app, from, to) {
        Ok(days) => days,
        Err(problem) => return problem.into_response(),
    };
    let read = tokio::task::spawn_blocking(move || app.report(days.0, days.1)).await;
    match read.unwrap_or(Err(StoreError::Closed)) {
        Ok(report) => as_csv(&report),
        Err(error) => Problem::from(error).into_response(),
    }
}

/// The few figures that a supervisor looks for first.
fn figures(report: &OfficeReport, k: &Kit) -> Vec<(String, String)> {
    let total = &report.report.total;
    let estimates = &report.report.estimates;
    let share = |part: usize, of: usize| {
        (part * 100)
            .checked_div(of)
            .map_or_else(|| "–".to_owned(), |percent| format!("{percent} %"))
    };
    vec![
        (k.say("office-today-issued"), total.issued.to_string()),
        (k.say("office-report-served"), total.finished.to_string()),
        (
            k.say("office-report-absent-share"),
            share(total.no_show, total.called),
        ),
        (k.say("office-report-p50"), figure(&total.wait_p50_minutes)),
        (k.say("office-report-p90"), figure(&total.wait_p90_minutes)),
        (
            k.say("office-report-service"),
            figure(&total.service_mean_minutes),
        ),
        (
            k.say("office-report-estimate-error"),
            figure(&estimates.mean_absolute_error_minutes),
        ),
        (
            k.say("office-report-estimate-within"),
            share(estimates.within, estimates.told),
        ),
    ]
}

fn charts(report: &OfficeReport, k: &Kit) -> Vec<Chart> {
    let hours = &report.report.hours;
    let days = &report.report.days;
    let count = |n: usize| Some(f64::from(u32::try_from(n).unwrap_or(u32::MAX)));
    let mut wanted = vec![
        (
            [
                "office-report-chart-hours",
                "office-today-issued",
                "office-report-served",
            ],
            hours
                .iter()
                .map(|hour| format!("{:02}", hour.hour))
                .collect::<Vec<_>>(),
            hours.iter().map(|hour| count(hour.issued)).collect::<Vec<_>>(),
            hours.iter().map(|hour| count(hour.finished)).collect::<Vec<_>>(),
        ),
        (
            [
                "office-report-chart-waits",
                "office-lane-general",
                "office-lane-priority",
            ],
            hours.iter().map(|hour| format!("{:02}", hour.hour)).collect(),
            hours.iter().map(|hour| hour.general_p90_minutes).collect(),
            hours.iter().map(|hour| hour.preferred_p90_minutes).collect(),
        ),
    ];
    if days.len() > 1 {
        // `2026-11-24` as `24/11`: the days of one report are of one quarter.
        let label = |date: &String| format!("{}/{}", &date[8..], &date[5..7]);
        wanted.push((
            [
                "office-report-chart-days",
                "office-today-issued",
                "office-report-served",
            ],
            days.iter().map(|day| label(&day.date)).collect(),
            days.iter().map(|day| count(day.issued)).collect(),
            days.iter().map(|day| count(day.finished)).collect(),
        ));
        wanted.push((
            [
                "office-report-chart-day-waits",
                "office-col-p50",
                "office-col-p90-short",
            ],
            days.iter().map(|day| label(&day.date)).collect(),
            days.iter().map(|day| day.wait_p50_minutes).collect(),
            days.iter().map(|day| day.wait_p90_minutes).collect(),
        ));
    }
    wanted
        .into_iter()
        .filter_map(|(words, labels, first, second)| {
            let [title, first_word, second_word] = words.map(|key| k.say(key));
            let bars = Bars {
                title: &title,
                labels,
                first,
                second,
            };
            let svg = bars.svg()?;
            Some(Chart {
                title,
                first: first_word,
                second: second_word,
                svg,
            })
        })
        .collect()
}
