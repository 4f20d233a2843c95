//! `/metrics`: how the office and its kiosks are, as Prometheus reads it.
//!
//! Counts and states of things only. No number of a ticket, no name, nothing of a person is ever a label.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;

use super::OfficeApp;
use super::kiosks::KioskView;
use super::time::HealthView;
use super::views::QueueView;
use crate::app::metrics::{self, Page, yes};

/// The page; asked for with a token that may see how things are.
pub(super) async fn page(State(app): State<Arc<OfficeApp>>) -> Response {
    let text = text(
        &HealthView::of(&app),
        &app.look(QueueView::all),
        &app.kiosks(),
        app.now(),
    );
    metrics::answer(text)
}

fn text(health: &HealthView, queues: &[QueueView], kiosks: &[KioskView], now: Timestamp) -> String {
    let mut page = Page::of("office");
    page.gauge(
        "clock_trusted",
        "Whether the office believes the machine's clock.",
        [(Vec::new(), yes(health.clock == "followed"))],
    );
    page.gauge(
        "file_put_aside",
        "Whether a damaged data file was put aside.",
        [(Vec::new(), yes(health.put_aside))],
    );
    page.gauge(
        "disk_has_room",
        "Whether the disk has room for new rows.",
        [(Vec::new(), yes(health.has_room))],
    );
    let queue = |view: &QueueView| vec![("queue", view.id.0.clone())];
    page.gauge(
        "queue_waiting",
        "Tickets that wait.",
        queues.iter().map(|view| (queue(view), view.waiting as f64)),
    );
    page.gauge(
        "queue_open_counters",
        "Open counters that serve the queue.",
        queues.iter().map(|view| (queue(view), view.open_counters as f64)),
    );
    page.gauge(
        "queue_down",
        "Whether the system behind the queue is down.",
        queues.iter().map(|view| (queue(view), yes(view.down))),
    );
    let kiosk = |view: &KioskView| vec![("kiosk", view.kiosk.to_string())];
    page.gauge(
        "kiosk_silent_seconds",
        "Seconds since the kiosk spoke to the office.",
        kiosks.iter().filter_map(|view| {
            let seen = view.seen_at?;
            Some((kiosk(view), now.duration_since(seen).as_secs_f64().max(0.0)))
        }),
    );
    let printers = || {
        kiosks.iter().flat_map(|view| {
            view.printers.iter().map(move |printer| {
                let labels = [kiosk(view), vec![("printer", printer.name.clone())]].concat();
                (labels, printer)
            })
        })
    };
    page.gauge(
        "kiosk_printer_ready",
        "Whether the printer prints.",
        printers().map(|(labels, printer)| (labels, yes(matches!(printer.state.as_str(), "ready" | "low")))),
    );
    page.gauge(
        "kiosk_printer_paper_low",
        "Whether somebody should bring a roll.",
        printers().map(|(labels, printer)| (labels, yes(printer.paper_low))),
    );
    page.gauge(
        "kiosk_printer_paper_left_metres",
        "Paper that should be left.",
        printers().map(|(labels, printer)| (labels, printer.left_mm as f64 / 1000.0)),
    );
    page.into_text()
}

#[cfg(test)]
mod tests {
    use super::super::kiosks::PrinterBody;
    use super::*;
    use crate::domain::ticket::KioskId;

    #[test]
    fn a_page_says_how_things_are_in_the_words_of_the_format() {
        let now = Timestamp::from_second(1_795_531_200).expect("a time");
        let health = HealthView {
            time: now,
            wall_clock: now,
            clock: "doubted".into(),
            seq: 7,
            put_aside: false,
            has_room: true,
        };
        let kiosk = KioskView {
            kiosk: KioskId("k\"2".into()),
            seen_at: Some(now - jiff::SignedDuration::from_secs(90)),
            told_at: Some(now),
            printers: vec![PrinterBody {
                name: "first".into(),
                state: "no-paper".into(),
                left_mm: 1500,
                papers_left: None,
                paper_low: true,
            }],
        };
        let page = text(&health, &[], &[kiosk], now);
        for line in [
            "ventanilla_clock_trusted 0",
            "ventanilla_disk_has_room 1",
            "ventanilla_kiosk_silent_seconds{kiosk=\"k\\\"2\"} 90",
            "ventanilla_kiosk_printer_ready{kiosk=\"k\\\"2\",printer=\"first\"} 0",
            "ventanilla_kiosk_printer_paper_left_metres{kiosk=\"k\\\"2\",printer=\"first\"} 1.5",
        ] {
            assert!(page.lines().any(|is| is == line), "{line} in\n{page}");
        }
        assert!(!page.contains("queue_waiting"), "an empty measure is left out");
        let described = page.lines().filter(|line| line.starts_with("# TYPE")).count();
        assert_eq!(described, 8);
    }
}
