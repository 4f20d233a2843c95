//! `/metrics` of central: how its devices are, and whether its letters go out.

use axum::extract::State;
use axum::response::Response;

use super::api::App;
use super::watch::view::FleetDeviceView;
use crate::app::metrics::{self, Label, Page};
use crate::app::office::Problem;

#[utoipa::path(get, path = "/metrics", tag = "fleet",
    responses((status = 200, description = "As Prometheus reads it"), (status = 401, body = Problem),
        (status = 403, body = Problem)))]
pub(super) async fn page(State(app): App) -> Result<Response, Problem> {
    let fleet = app.fleet().await?;
    let labels = |view: &FleetDeviceView| -> Vec<Label> {
        vec![("office", view.office.clone()), ("device", view.device.clone())]
    };
    let mut page = Page::of("central");
    page.gauge(
        "letters_waiting",
        "Letters about devices that could not be sent yet.",
        [(Vec::new(), fleet.letters_waiting as f64)],
    );
    page.gauge(
        "device_silent_seconds",
        "Seconds since the device was heard.",
        fleet.devices.iter().filter_map(|view| {
            let silent = fleet.at.duration_since(view.heard_at?).as_secs_f64();
            Some((labels(view), silent.max(0.0)))
        }),
    );
    page.gauge(
        "device_alarm",
        "What is wrong with a device: 1 once somebody was told, 0 while it may pass by itself.",
        fleet.devices.iter().flat_map(|view| {
            view.alarms.iter().map(|alarm| {
                let kind = vec![("alarm", alarm.kind.code().to_owned())];
                let told = metrics::yes(alarm.raised_at.is_some());
                ([labels(view), kind].concat(), told)
            })
        }),
    );
    page.gauge(
        "device_open_orders",
        "Orders that wait for the device.",
        fleet
            .devices
            .iter()
            .map(|view| (labels(view), view.open_orders as f64)),
    );
    let reports: Vec<_> = fleet
        .devices
        .iter()
        .filter_map(|view| Some((labels(view), view.report.as_ref()?)))
        .collect();
    page.reports(&reports);
    Ok(metrics::answer(page.into_text()))
}
