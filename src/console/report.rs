//! The report of a day as a page.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::kit::{Kit, page};
use super::{App, Bar, Supervisor, kit_of};
use crate::app::office::{Problem, ReportLine};
use crate::domain::ticket::BusinessDate;

#[derive(Template)]
#[template(path = "console/pages/report.html")]
struct ReportPage {
    k: Kit,
    bar: Bar,
    date: String,
    lines: Vec<Line>,
}

struct Line {
    queue: String,
    lane: String,
    total: bool,
    figures: ReportLine,
}

#[derive(Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    date: Option<String>,
}

/// `12,5`, or a dash.
fn figure(figure: Option<f64>) -> String {
    figure.map_or_else(
        || "–".to_owned(),
        |figure| format!("{figure:.1}").replace('.', ","),
    )
}

impl Line {
    fn mean(&self) -> String {
        figure(self.figures.wait_mean_minutes)
    }
    fn p50(&self) -> String {
        figure(self.figures.wait_p50_minutes)
    }
    fn p90(&self) -> String {
        figure(self.figures.wait_p90_minutes)
    }
    fn max(&self) -> String {
        figure(self.figures.wait_max_minutes)
    }
    fn service(&self) -> String {
        figure(self.figures.service_mean_minutes)
    }
}

pub(super) async fn show(
    State(app): App,
    Supervisor(person): Supervisor,
    Query(which): Query<Which>,
) -> Response {
    let k = kit_of(&app);
    let today = app.setup().date_of(app.now());
    let date: BusinessDate = which.date.and_then(|text| text.parse().ok()).unwrap_or(today);
    let report = match app.day_report(date) {
        Ok(report) => report,
        Err(error) => return Problem::from(error).into_response(),
    };
    let name = |id: &str| {
        let queue = app.setup().queue(&id.into());
        queue.map_or_else(|| id.to_owned(), |queue| queue.name.clone())
    };
    let mut lines: Vec<Line> = report
        .lines
        .into_iter()
        .map(|figures| Line {
            queue: name(&figures.queue),
            lane: k.say(&format!("office-lane-{}", figures.lane)),
            total: false,
            figures,
        })
        .collect();
    lines.push(Line {
        queue: k.say("office-report-total"),
        lane: String::new(),
        total: true,
        figures: report.total,
    });
    page(&ReportPage {
        k,
        bar: Bar::of(&person.session, "report"),
        date: date.to_string(),
        lines,
    })
}
