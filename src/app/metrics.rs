//! `/metrics` of every role, as Prometheus reads it.
//!
//! Counts and states of things only: no number of a ticket, no name, nothing of a person is ever a label. An office
//! and central answer on their own address, to whoever has a token with the right to; a kiosk and a board have no
//! address and answer on one of the machine itself, or with a token. Begin at [`Page`] and [`serve`].

use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tracing::{info, warn};

use super::{StartError, Stop, listen};
use crate::config::metrics::MetricsConfig;
use crate::domain::fleet::Report;
use crate::domain::submission::peers::TokenHash;
use crate::sync::server::bearer;

/// Version of the text format.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A page under construction.
pub struct Page(String);

/// What a value belongs to.
pub type Label = (&'static str, String);

/// 1 for yes.
pub fn yes(is: bool) -> f64 {
    f64::from(u8::from(is))
}

impl Page {
    /// The page of a role, which says first which program answers.
    pub fn of(role: &str) -> Self {
        let mut page = Self(String::new());
        let labels = vec![
            ("role", role.to_owned()),
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ];
        page.gauge("build_info", "The program that answers.", [(labels, 1.0)]);
        page
    }

    /// One measure with all its values; nothing at all where there are none.
    pub fn gauge(&mut self, name: &str, help: &str, values: impl IntoIterator<Item = (Vec<Label>, f64)>) {
        let mut values = values.into_iter().peekable();
        if values.peek().is_none() {
            return;
        }
        let _ = writeln!(
            self.0,
            "# HELP ventanilla_{name} {help}\n# TYPE ventanilla_{name} gauge"
        );
        for (labels, value) in values {
            let labels: Vec<String> = labels
                .iter()
                .map(|(name, text)| format!("{name}=\"{}\"", escaped(text)))
                .collect();
            let labels = if labels.is_empty() {
                String::new()
            } else {
                format!("{{{}}}", labels.join(","))
            };
            let _ = writeln!(self.0, "ventanilla_{name}{labels} {value}");
        }
    }

    /// What devices say of themselves; each value has the labels that `labels` gives.
    pub fn reports<'a>(&mut self, reports: &[(Vec<Label>, &'a Report)]) {
        let mut of = |name: &str, help: &str, value: &dyn Fn(&'a Report) -> Option<f64>| {
            let values = reports
                .iter()
                .filter_map(|(labels, report)| Some((labels.clone(), value(report)?)));
            self.gauge(name, help, values);
        };
        of("up_seconds", "Seconds since the program began.", &|it| {
            Some(it.up_seconds as f64)
        });
        of(
            "outbox_waiting",
            "Submissions that wait to be handed on.",
            &|it| Some(f64::from(it.outbox.waiting)),
        );
        of(
            "outbox_oldest_seconds",
            "For how long the oldest of them waits.",
            &|it| Some(it.outbox.oldest_seconds as f64),
        );
        of("outbox_stuck", "Submissions that need a person.", &|it| {
            Some(f64::from(it.outbox.stuck))
        });
        of("disk_free_bytes", "Bytes that can still be written.", &|it| {
            it.disk.map(|disk| disk.free_bytes as f64)
        });
        of("disk_total_bytes", "Bytes of the whole disk.", &|it| {
            it.disk.map(|disk| disk.total_bytes as f64)
        });
        of(
            "clock_offset_seconds",
            "How far the clock is behind the one above.",
            &|it| it.clock_offset_ms.map(|offset| offset as f64 / 1000.0),
        );
        of(
            "data_put_aside",
            "Whether a damaged data file was put aside.",
            &|it| Some(yes(it.put_aside)),
        );
        of(
            "update_proved",
            "Whether the system that runs has proved itself.",
            &|it| it.update.as_ref().map(|update| yes(update.proved)),
        );
        of("doctor_wrong", "Things that the last self-test found.", &|it| {
            it.doctor.as_ref().map(|doctor| doctor.wrong.len() as f64)
        });
        let printers = || {
            reports.iter().flat_map(|(labels, report)| {
                report.printers.iter().map(move |printer| {
                    let labels = [labels.clone(), vec![("printer", printer.name.clone())]].concat();
                    (labels, printer)
                })
            })
        };
        self.gauge(
            "printer_ready",
            "Whether the printer prints.",
            printers().map(|(labels, printer)| (labels, yes(printer.prints()))),
        );
        self.gauge(
            "printer_paper_low",
            "Whether somebody should bring a roll.",
            printers().map(|(labels, printer)| (labels, yes(printer.paper_low))),
        );
        self.gauge(
            "printer_paper_left_metres",
            "Paper that should be left.",
            printers().map(|(labels, printer)| (labels, printer.left_mm as f64 / 1000.0)),
        );
    }

    /// The page.
    pub fn into_text(self) -> String {
        self.0
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

/// A page as an answer.
pub fn answer(text: String) -> Response {
    ([(header::CONTENT_TYPE, FORMAT)], text).into_response()
}

type Text = Arc<dyn Fn() -> String + Send + Sync>;

/// Answers on an address of its own until told to stop; where that is.
///
/// # Errors
/// When the address is not this machine's own and no token guards it, or it is taken.
pub async fn serve(
    config: &MetricsConfig,
    text: impl Fn() -> String + Send + Sync + 'static,
    stop: Stop,
) -> Result<SocketAddr, StartError> {
    let wrong = |problem: String| StartError::Setup {
        what: "The address of the metrics".into(),
        problem,
    };
    let token = match &config.token_file {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|problem| wrong(problem.to_string()))?;
            Some(TokenHash::of(text.trim()))
        }
        None if config.listen.ip().is_loopback() => None,
        None => {
            return Err(wrong(format!(
                "{} can be reached from outside; write 127.0.0.1, or token_file",
                config.listen
            )));
        }
    };
    let listener = listen(config.listen).await?;
    let address = listener
        .local_addr()
        .map_err(|problem| wrong(problem.to_string()))?;
    let text: Text = Arc::new(text);
    let app = Router::new()
        .route("/metrics", get(show))
        .with_state((token, text));
    info!(%address, "metrics");
    tokio::spawn(async move {
        let served = axum::serve(listener, app).with_graceful_shutdown(async move { stop.stopped().await });
        if let Err(problem) = served.await {
            warn!(%problem, "the metrics are not answered any more");
        }
    });
    Ok(address)
}

async fn show(State((token, text)): State<(Option<TokenHash>, Text)>, headers: HeaderMap) -> Response {
    let admitted = token.is_none_or(|hash| bearer(&headers).is_some_and(|token| hash.fits(token)));
    if admitted {
        answer(text())
    } else {
        StatusCode::UNAUTHORIZED.into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fleet::tests::report;

    #[test]
    fn a_device_says_in_the_words_of_the_format_how_it_is() {
        let mut page = Page::of("kiosk");
        page.reports(&[(vec![("kiosk", "k\"2".to_owned())], &report("k2"))]);
        let page = page.into_text();
        for line in [
            concat!(
                "ventanilla_build_info{role=\"kiosk\",version=\"",
                env!("CARGO_PKG_VERSION"),
                "\"} 1"
            ),
            "ventanilla_printer_ready{kiosk=\"k\\\"2\",printer=\"first\"} 1",
            "ventanilla_printer_paper_left_metres{kiosk=\"k\\\"2\",printer=\"first\"} 40",
            "ventanilla_clock_offset_seconds{kiosk=\"k\\\"2\"} 0.02",
        ] {
            assert!(page.lines().any(|is| is == line), "{line} in\n{page}");
        }
        assert!(!page.contains("update_proved"), "what is not known is left out");
    }

    #[tokio::test]
    async fn an_address_of_the_machine_is_open_and_another_one_needs_a_token() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("token");
        std::fs::write(&file, "secret\n").expect("written");
        let at = |listen: &str, token: bool| MetricsConfig {
            listen: listen.parse().expect("an address"),
            token_file: token.then(|| file.clone()),
        };
        let stop = Stop::default();
        let open = serve(&at("0.0.0.0:0", false), String::new, stop.clone()).await;
        assert!(open.expect_err("refused").to_string().contains("from outside"));
        let http = super::super::http_client(None).expect("a client");
        let own = serve(&at("127.0.0.1:0", false), || "a 1\n".into(), stop.clone()).await;
        let own = http
            .get(format!("http://{}/metrics", own.expect("listens")))
            .send()
            .await;
        assert_eq!(own.expect("an answer").text().await.expect("text"), "a 1\n");
        let guarded = serve(&at("127.0.0.1:0", true), || "a 1\n".into(), stop.clone()).await;
        let url = format!("http://{}/metrics", guarded.expect("listens"));
        let status = async |token: &str| {
            let answer = http.get(&url).bearer_auth(token).send().await;
            answer.expect("an answer").status().as_u16()
        };
        assert_eq!((status("guess").await, status("secret").await), (401, 200));
        stop.stop();
    }
}
