//! The staff's pages over HTTP: the door, the counter, and what must not get through.

use std::sync::Arc;

use reqwest::{Client, StatusCode};

use crate::app::Stop;
use crate::app::office::{Ask, FORM_TOKEN, FormLook, FormRow, FormView, RunningOffice, form_token, start};
use crate::clock::Clock;
use crate::config::office::OfficeConfig;
use crate::domain::event::What;
use crate::domain::office::{Command, Issue};
use crate::domain::redacted::Redacted;
use crate::domain::ticket::{CounterNumber, Lane};
use crate::store::office::{Role, create_user};

struct House {
    running: RunningOffice,
    http: Client,
    base: String,
    _folder: tempfile::TempDir,
}

impl House {
    async fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().expect("folder");
        let text = format!(
            "listen = '127.0.0.1:0'\ndata = '{}'
             office = {{ id = 'q', name = 'Quitumbe', kind = 'Administración Zonal', room = 'Sala A' }}
             queues = [{{ id = 'tributos', name = 'Tributos', series = 'T' }}]
             counters = [{{ number = 4, serves = ['tributos'] }}, {{ number = 5, serves = ['tributos'] }}]",
            folder.path().display()
        );
        let config: OfficeConfig = crate::config::parse("test.toml".as_ref(), &text).expect("parses");
        let clock = Clock::manual("2026-11-24T15:00:00Z".parse().expect("time"));
        let running = start(config, clock, Stop::default(), |office| {
            super::routes(office).merge(crate::board::routes(office))
        })
        .await
        .expect("starts");
        let office = &running.office;
        office.plug_forms(Arc::new(|_| {
            FormLook::Ready(FormView {
                title: "Exoneración <b>predial</b>".into(),
                code: "QT7M-4K2P".into(),
                made_at: "Hecho en el kiosco 1".into(),
                rows: vec![FormRow {
                    drawing: Some(Redacted::new("data:image/svg+xml;base64,PHN2Zy8+".to_owned())),
                    label: "Cédula".into(),
                    value: Redacted::new("1714307103".into()),
                    masked: true,
                }],
                result: None,
            })
        }));
        let now = office.now();
        office
            .db()
            .write(move |c| {
                create_user(c, "ana", "Agente 07", Role::Agent, "clave de ana", now)?;
                create_user(c, "luz", "Agente 08", Role::Agent, "clave de luz", now)?;
                create_user(
                    c,
                    "jefa",
                    "Supervisora 01",
                    Role::Supervisor,
                    "clave de jefa",
                    now,
                )
            })
            .await
            .expect("users");
        let none = reqwest::redirect::Policy::none();
        Self {
            base: format!("http://{}", running.address),
            http: Client::builder()
                .no_proxy()
                .redirect(none)
                .build()
                .expect("client"),
            running,
            _folder: folder,
        }
    }

    async fn get(&self, cookie: &str, path: &str) -> (StatusCode, String) {
        let request = self
            .http
            .get(format!("{}{path}", self.base))
            .header("cookie", cookie);
        let answer = request.send().await.expect("sent");
        (answer.status(), answer.text().await.expect("text"))
    }

    async fn post(&self, cookie: &str, path: &str, form: &str, origin: &str) -> reqwest::Response {
        let token = match cookie.split_once('=') {
            Some((_, secret)) => format!("&{FORM_TOKEN}={}", form_token(secret)),
            None => String::new(),
        };
        let form = format!("{form}{token}");
        self.send(cookie, path, &form, origin).await
    }

    /// A form as it is written, without the token that our own pages have.
    async fn send(&self, cookie: &str, path: &str, form: &str, origin: &str) -> reqwest::Response {
        self.http
            .post(format!("{}{path}", self.base))
            .header("cookie", cookie)
            .header("origin", origin)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.to_owned())
            .send()
            .await
            .expect("sent")
    }

    async fn log_in(&self, login: &str) -> String {
        let form = format!("login={login}&password=clave+de+{login}");
        let answer = self.post("", "/console/login", &form, &self.base).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let cookie = answer.headers()["set-cookie"].to_str().expect("text");
        assert!(cookie.contains("HttpOnly; SameSite=Strict"), "{cookie}");
        cookie.split(';').next().expect("pair").to_owned()
    }

    async fn issue(&self) {
        let wish = Issue {
            id: None,
            queue: "tributos".into(),
            lane: Lane::General,
            kiosk: None,
            submission: Some("0192f0c0-0000-7000-8000-000000000001".parse().expect("id")),
            leased: None,
            replaces: None,
            slot: None,
        };
        self.running
            .office
            .issue(wish, Ask::default())
            .await
            .expect("issued");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_attends_from_the_pages() {
    let house = House::new().await;
    assert_eq!(house.get("", "/console").await.0, StatusCode::SEE_OTHER);
    let ana = house.log_in("ana").await;
    house
        .post(&ana, "/console/counters", "counter=4", &house.base)
        .await;
    house.issue().await;
    let (_, page) = house.get(&ana, "/console/agent").await;
    assert!(page.contains("T-001") && page.contains("Ventanilla 4 abierta"));
    let press = |name: &str| format!("move={name}&press=abc-{name}");
    house
        .post(&ana, "/console/agent/move", &press("next"), &house.base)
        .await;
    // A second press of the same page is the same press.
    house.issue().await;
    house
        .post(&ana, "/console/agent/move", &press("next"), &house.base)
        .await;
    let (_, page) = house.get(&ana, "/console/agent/live").await;
    assert!(page.contains("<div class=\"number\">T-001</div>"));
    // The answer is masked, escaped, and shown only on record.
    assert!(page.contains("17••••7103") && !page.contains("1714307103"));
    assert!(!page.contains("<b>predial</b>"));
    let answer = house
        .post(&ana, "/console/agent/reveal", "row=0", &house.base)
        .await;
    assert_eq!(answer.text().await.expect("text"), "1714307103");
    let events = house.running.office.events_after(0, 500).expect("events");
    let looked = events.iter().any(|event| {
        matches!(&event.what, What::Unmasked { label, .. } if label == "Cédula")
            && event.who.as_deref() == Some("ana")
    });
    assert!(looked);
    assert!(
        !serde_json::to_string(&events)
            .expect("json")
            .contains("1714307103")
    );
    // An illegal move says why, in words.
    let answer = house
        .post(&ana, "/console/agent/move", &press("finish"), &house.base)
        .await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    for name in ["start", "finish", "close"] {
        house
            .post(&ana, "/console/agent/move", &press(name), &house.base)
            .await;
    }
    assert_eq!(house.get(&ana, "/console/agent/live").await.0, StatusCode::GONE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_must_not_get_through_does_not() {
    let house = House::new().await;
    let ana = house.log_in("ana").await;
    // Another site's form, with the cookie of somebody who is logged in.
    let answer = house
        .post(&ana, "/console/counters", "counter=4", "http://evil.example")
        .await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let answer = house
        .post(&ana, "/api/v1/counters/4/open", "", "http://evil.example")
        .await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    // An agent is no supervisor.
    assert_eq!(house.get(&ana, "/console/office").await.0, StatusCode::FORBIDDEN);
    // Two people do not work at one counter.
    house
        .post(&ana, "/console/counters", "counter=4", &house.base)
        .await;
    let luz = house.log_in("luz").await;
    let answer = house
        .post(&luz, "/console/counters", "counter=4", &house.base)
        .await;
    assert!(answer.text().await.expect("text").contains("Agente 07"));
    // Guessing closes the name for a while, also for the right password.
    for _ in 0..5 {
        let answer = house
            .post("", "/console/login", "login=luz&password=x", &house.base)
            .await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    }
    let answer = house
        .post(
            "",
            "/console/login",
            "login=luz&password=clave+de+luz",
            &house.base,
        )
        .await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_supervisor_sees_why_and_releases_a_counter() {
    let house = House::new().await;
    let jefa = house.log_in("jefa").await;
    house.issue().await;
    let office = &house.running.office;
    for command in [Command::Open(CounterNumber(4)), Command::Next(CounterNumber(4))] {
        office.command(command, Ask::default()).await.expect("legal");
    }
    for (path, words) in [
        ("/console/office", "¿Por qué T-001?"),
        ("/console/office/calls", "Solo había un carril"),
        ("/console/report", "Informe"),
        ("/console/find?q=t1", "Llamado"),
        ("/board", "Turno justo."),
    ] {
        let (status, page) = house.get(&jefa, path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(page.contains(words), "{path}");
    }
    house
        .post(&jefa, "/console/office/release", "counter=4", &house.base)
        .await;
    let waiting = office.look(|office, _| office.line(&"tributos".into()).map(|line| line.len()));
    assert_eq!(waiting, Some(1));
}
