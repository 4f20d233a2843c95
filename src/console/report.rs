//! The reports as a page: a day or a range, in charts and tables; the same figures as a file for a spreadsheet.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::charts::Bars;
use super::kit::{Kit, page};
use super::{App, Bar, Person};
use crate::app::office::{OfficeReport, Problem, as_csv, days_of};
use crate::domain::report::{CounterLine, Line, OutOfTurn, ProcedureUsage};
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
    kiosks: Vec<KioskRow>,
    marks: Vec<(String, u32)>,
}

/// How the forms of a procedure ended at the kiosks.
struct KioskRow {
    procedure: String,
    usage: ProcedureUsage,
    /// Share that was sent.
    sent: String,
    /// The step at which most gave up.
    hardest: String,
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
    let k = person.kit(&app);
    let (from, to) = which.days();
    let (days, wrong) = match days_of(&app, from, to) {
        Ok(days) => (days, false),
        Err(_) => {
            let today = app.setup().date_of(app.now());
            ((today, today), true)
        }
    };
    let reader = std::sync::Arc::clone(&app);
    let read = tokio::task::spawn_blocking(move || {
        Ok((
            reader.report(days.0, days.1)?,
            reader.usage(days.0, days.1)?.usage,
        ))
    });
    let (office_report, usage) = match read.await.unwrap_or(Err(StoreError::Closed)) {
        Ok(read) => read,
        Err(error) => return Problem::from(error).into_response(),
    };
    let setup = app.setup();
    let name = |id: &str| {
        let queue = setup.queue(&id.into());
        queue.map_or_else(|| id.to_owned(), |queue| queue.name.clone())
    };
    let mut charts = charts(&office_report, &k);
    let kiosks = usage.procedures();
    charts.extend(kiosk_charts(&kiosks, &k));
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
        kiosks: kiosks.into_iter().map(|usage| kiosk_row(usage, &k)).collect(),
        marks: [3, 2, 1]
            .into_iter()
            .filter_map(|mark| usage.marks.iter().find(|given| given.mark == mark))
            .map(|given| (k.say(&format!("office-report-mark-{}", given.mark)), given.count))
            .collect(),
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

/// `12 %`, or a dash.
fn share(part: usize, of: usize) -> String {
    (part * 100)
        .checked_div(of)
        .map_or_else(|| "–".to_owned(), |percent| format!("{percent} %"))
}

/// The few figures that a supervisor looks for first.
fn figures(report: &OfficeReport, k: &Kit) -> Vec<(String, String)> {
    let total = &report.report.total;
    let estimates = &report.report.estimates;
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

/// Procedures whose steps are drawn: where most forms were given up.
const KIOSK_CHARTS: usize = 4;

fn kiosk_row(usage: ProcedureUsage, k: &Kit) -> KioskRow {
    let hardest = usage.given_up.iter().max_by_key(|step| step.left + step.silent);
    KioskRow {
        procedure: procedure_words(&usage.procedure),
        sent: share(usage.sent as usize, usage.begun as usize),
        hardest: hardest.map_or_else(String::new, |step| step_words(&step.step, k)),
        usage,
    }
}

/// An identifier as words; the office holds no catalogue that it could ask for the name.
fn procedure_words(id: &str) -> String {
    let words = id.replace('-', " ");
    let mut letters = words.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

fn step_words(step: &str, k: &Kit) -> String {
    match step.strip_prefix("question-") {
        Some(n) => k.fill("office-report-step-question", "n", n),
        None if matches!(step, "review" | "lane" | "consent") => k.say(&format!("office-report-step-{step}")),
        // What a newer kiosk calls its steps.
        None => step.to_owned(),
    }
}

/// At which steps forms were given up, for the procedures where it happens most.
fn kiosk_charts(kiosks: &[ProcedureUsage], k: &Kit) -> Vec<Chart> {
    let mut hardest: Vec<&ProcedureUsage> = kiosks.iter().filter(|one| !one.given_up.is_empty()).collect();
    hardest.sort_by_key(|one| std::cmp::Reverse(one.left + one.silent));
    hardest
        .into_iter()
        .take(KIOSK_CHARTS)
        .filter_map(|one| {
            let title = k.fill(
                "office-report-chart-steps",
                "procedure",
                procedure_words(&one.procedure),
            );
            let bars = Bars {
                title: &title,
                labels: one
                    .given_up
                    .iter()
                    .map(|step| match step.step.strip_prefix("question-") {
                        Some(n) => n.to_owned(),
                        None => step_words(&step.step, k),
                    })
                    .collect(),
                first: one
                    .given_up
                    .iter()
                    .map(|step| Some(f64::from(step.left)))
                    .collect(),
                second: one
                    .given_up
                    .iter()
                    .map(|step| Some(f64::from(step.silent)))
                    .collect(),
            };
            let svg = bars.svg()?;
            Some(Chart {
                title,
                first: k.say("office-report-left"),
                second: k.say("office-report-silent"),
                svg,
            })
        })
        .collect()
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
