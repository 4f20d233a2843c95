//! The pages of settings over HTTP: what an administrator types, and what comes of it for people who wait.

use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};

use super::{fault_words, id_of};
use crate::app::Stop;
use crate::app::office::{Ask, FORM_TOKEN, RunningOffice, form_token, start};
use crate::clock::Clock;
use crate::config::office::OfficeConfig;
use crate::console::kit::Kit;
use crate::domain::audit::AuditEvent;
use crate::domain::office::settings::{Difference, Problem, QueueSettings, Settings};
use crate::domain::office::{Command, Issue};
use crate::domain::staff::Role;
use crate::domain::ticket::{CounterNumber, Lane};
use crate::i18n::Language;
use crate::store::office::{self as store, AuditFilter, create_token, create_user, open_session};

struct House {
    running: RunningOffice,
    base: String,
    http: Client,
    secret: String,
    token: String,
    stop: Stop,
    folder: tempfile::TempDir,
}

impl House {
    async fn new() -> Self {
        Self::on(tempfile::tempdir().expect("folder"), 2).await
    }

    async fn on(folder: tempfile::TempDir, k: u8) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let text = format!(
            "listen = '127.0.0.1:0'\ndata = '{}'\nmax_priority_run = {k}
             office = {{ id = 'q', name = 'Quitumbe', kind = 'Administración Zonal', room = 'Sala A' }}
             queues = [{{ id = 'tributos', name = 'Tributos', series = 'T' }},
                 {{ id = 'catastro', name = 'Catastro', series = 'C' }}]
             counters = [{{ number = 4, serves = ['tributos'] }},
                 {{ number = 5, serves = ['catastro'], then_serves = ['tributos'] }}]",
            folder.path().display()
        );
        let config: OfficeConfig = crate::config::parse("test.toml".as_ref(), &text).expect("parses");
        let clock = Clock::manual("2026-11-24T15:00:00Z".parse().expect("time"));
        let stop = Stop::default();
        let running = start(config, clock, stop.clone(), |office| {
            crate::console::routes(office).merge(crate::board::routes(office))
        })
        .await
        .expect("starts");
        let now = running.office.now();
        let made = running.office.db().write(move |c| {
            create_user(c, "admin", "Administradora", Role::Admin, "x", now)?;
            create_user(c, "otra", "Otra", Role::Admin, "x", now)?;
            Ok((
                open_session(c, "admin", None, now)?,
                create_token(c, "program", Role::Admin, now)?,
            ))
        });
        let (secret, token) = made.await.expect("staff");
        let none = reqwest::redirect::Policy::none();
        Self {
            base: format!("http://{}", running.address),
            http: Client::builder()
                .no_proxy()
                .redirect(none)
                .build()
                .expect("client"),
            secret,
            token,
            running,
            stop,
            folder,
        }
    }

    /// The office again, as after a restart, with another K in its file.
    async fn again(self, k: u8) -> Self {
        self.stop.stop();
        self.running.finished().await;
        Self::on(self.folder, k).await
    }

    /// A page of the console that listens.
    async fn listen(&self) -> Response {
        let url = format!("{}/console/events", self.base);
        let cookie = format!("ventanilla={}", self.secret);
        self.http
            .get(url)
            .header("cookie", cookie)
            .send()
            .await
            .expect("sent")
    }

    async fn page(&self, path: &str) -> String {
        let url = format!("{}/console/settings/{path}", self.base);
        let cookie = format!("ventanilla={}", self.secret);
        let answer = self
            .http
            .get(url)
            .header("cookie", cookie)
            .send()
            .await
            .expect("sent");
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.text().await.expect("text")
    }

    /// Sends a form of the present version.
    async fn send(&self, path: &str, form: &[(&str, &str)]) -> Response {
        let version = self.running.office.setup().version.to_string();
        self.send_of(&version, path, form).await
    }

    async fn send_of(&self, version: &str, path: &str, form: &[(&str, &str)]) -> Response {
        let mut fields = vec![("version", version)];
        fields.extend(form);
        let body: Vec<String> = fields
            .iter()
            .map(|(name, text)| format!("{name}={}", text.replace(' ', "+").replace(':', "%3A")))
            .collect();
        self.http
            .post(format!("{}/console/settings/{path}", self.base))
            .header("cookie", format!("ventanilla={}", self.secret))
            .header("origin", &self.base)
            .header(FORM_TOKEN, form_token(&self.secret))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.join("&"))
            .send()
            .await
            .expect("sent")
    }

    #[track_caller]
    fn written(&self) -> Settings {
        self.running.office.setup().written.clone()
    }

    async fn api(&self, body: Option<Value>, key: &str) -> (StatusCode, Value) {
        let url = format!("{}/api/v1/settings", self.base);
        let request = match body {
            Some(body) => self
                .http
                .post(url)
                .header("idempotency-key", key)
                .body(body.to_string()),
            None => self.http.get(url),
        };
        let answer = request.bearer_auth(&self.token).send().await.expect("sent");
        let status = answer.status();
        (status, answer.json().await.expect("json"))
    }

    async fn give(&self, command: Command) {
        self.running
            .office
            .command(command, Ask::default())
            .await
            .expect("legal");
    }

    async fn issue(&self, queue: &str) -> String {
        let wish = Issue {
            id: None,
            queue: queue.into(),
            lane: Lane::General,
            kiosk: None,
            submission: None,
            leased: None,
            replaces: None,
            slot: None,
        };
        self.running
            .office
            .issue(wish, Ask::default())
            .await
            .expect("issued")
            .number
    }

    fn edits(&self) -> Vec<(Option<String>, u64, Vec<Difference>)> {
        let entries = self
            .running
            .office
            .audit_page(AuditFilter::default(), 100)
            .expect("read");
        let edit = |entry: crate::domain::audit::Entry| match serde_json::from_str(&entry.event) {
            Ok(AuditEvent::SettingsEdited { version, changes }) => Some((entry.who, version, changes)),
            _ => None,
        };
        entries.into_iter().filter_map(edit).collect()
    }
}

#[track_caller]
fn is_saved(answer: &Response) {
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert!(
        answer.headers()["location"]
            .to_str()
            .expect("text")
            .contains("saved=1")
    );
}

/// A page that says why not.
async fn refused(answer: Response, status: StatusCode, words: &str) {
    assert_eq!(answer.status(), status);
    let text = answer.text().await.expect("text");
    assert!(text.contains(words), "{words} is not in {text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn k_changes_at_once_for_the_wall_is_on_record_and_outlives_a_restart() {
    let house = House::new().await;
    let page = house.page("rules").await;
    assert!(page.contains("name=\"max_priority_run\" value=\"2\""), "{page}");
    let rules = [
        ("max_priority_run", "3"),
        ("no_show_calls", "2"),
        ("no_show_after_seconds", "60"),
        ("recall_max", "5"),
        ("recall_gap_seconds", "0"),
        ("rejoin_minutes", "30"),
        ("rejoin_max", "2"),
        ("rejoin_behind", "2"),
        ("appointment_grace_minutes", "15"),
        ("alarm_minutes", "45"),
        ("draft_days", "7"),
    ];
    let mut board = house.running.office.subscribe();
    let mut page = house.listen().await;
    is_saved(&house.send("rules", &rules).await);
    assert_eq!(
        board.try_recv().expect("boards hear of it").what.kind(),
        "settings_changed"
    );
    let mut heard = String::new();
    while !heard.contains("event: settings") {
        let more = page.chunk().await.expect("read").expect("it goes on");
        heard.push_str(&String::from_utf8_lossy(&more));
    }
    let seen: Value = house
        .http
        .get(format!("{}/api/v1/board", house.base))
        .send()
        .await
        .expect("sent")
        .json()
        .await
        .expect("json");
    assert_eq!(seen["max_priority_run"], 3);
    let changed = |field: &str, from: &str, to: &str| Difference {
        field: field.to_owned(),
        from: Some(from.to_owned()),
        to: Some(to.to_owned()),
    };
    let changes = vec![
        changed("rules.max_priority_run", "2", "3"),
        changed("rules.no_show_after_seconds", "0", "60"),
        changed("rules.no_show_calls", "1", "2"),
    ];
    assert_eq!(house.edits(), [(Some("admin".to_owned()), 2, changes)]);
    // The file still says 2, and is only what the office began with.
    let house = house.again(2).await;
    assert_eq!(house.running.office.setup().max_run.get(), 3);
    assert_eq!(house.running.office.setup().version, 2);
    let wrong: Vec<(&str, &str)> = rules
        .iter()
        .map(|(name, value)| (*name, if *name == "max_priority_run" { "10" } else { value }))
        .collect();
    refused(
        house.send("rules", &wrong).await,
        StatusCode::UNPROCESSABLE_ENTITY,
        "Escriba un número de 1 a 9.",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_is_made_used_refused_and_retired() {
    let house = House::new().await;
    let new = |series| {
        [
            ("open", ""),
            ("act", "save"),
            ("name", "Rentas y más"),
            ("series", series),
            ("service_minutes", "6"),
            ("id", ""),
            ("daily_cap", "40"),
            ("transfer_place", "last"),
            ("stops_by_forecast", "on"),
            ("own-hours", "on"),
            ("mon-0-from", "8:00"),
            ("mon-0-to", "12:30"),
            ("tue-0-from", "0800"),
            ("tue-0-to", "1230"),
        ]
    };
    let taken = house.send("queues", &new("t")).await;
    refused(
        taken,
        StatusCode::UNPROCESSABLE_ENTITY,
        "La letra «T» ya la usa la cola Tributos.",
    )
    .await;
    is_saved(&house.send("queues", &new("r")).await);
    let written = house.written();
    let mut wanted = QueueSettings::new("rentas-y-mas", "Rentas y más", "R");
    wanted.service_minutes = 6;
    wanted.daily_cap = Some(40);
    wanted.transfer_place = crate::domain::office::TransferPlace::Last;
    wanted.hours = [("mon-tue".to_owned(), vec!["08:00-12:30".to_owned()])].into();
    assert_eq!(written.queue("rentas-y-mas"), Some(&wanted));
    // A Tuesday at ten; kiosks see it without anybody starting anything again.
    assert_eq!(house.issue("rentas-y-mas").await, "R-001");
    let retire = [("open", "rentas-y-mas"), ("act", "retire")];
    refused(
        house.send("queues", &retire).await,
        StatusCode::CONFLICT,
        "En Rentas y más hay turnos abiertos: 1.",
    )
    .await;
    let lose = [("open", "tributos"), ("act", "retire")];
    is_saved(&house.send("queues", &lose).await);
    let queues: Value = house
        .http
        .get(format!("{}/api/v1/queues", house.base))
        .send()
        .await
        .expect("sent")
        .json()
        .await
        .expect("json");
    let ids: Vec<&str> = queues
        .as_array()
        .expect("list")
        .iter()
        .filter_map(|queue| queue["id"].as_str())
        .collect();
    assert_eq!(ids, ["catastro", "rentas-y-mas"]);
    is_saved(
        &house
            .send("queues", &[("open", "tributos"), ("act", "restore")])
            .await,
    );
    is_saved(
        &house
            .send("queues", &[("open", "tributos"), ("act", "down")])
            .await,
    );
    assert_eq!(house.written().queues[1].id, "tributos");
    // What gave no number may be deleted again.
    is_saved(
        &house
            .send(
                "queues",
                &[
                    ("open", ""),
                    ("act", "save"),
                    ("name", "Error"),
                    ("series", "E"),
                    ("service_minutes", "8"),
                ],
            )
            .await,
    );
    is_saved(
        &house
            .send("queues", &[("open", "error"), ("act", "delete")])
            .await,
    );
    assert!(house.written().queue("error").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_counter_that_serves_somebody_stays() {
    let house = House::new().await;
    let number = house.issue("tributos").await;
    let four = CounterNumber(4);
    house.give(Command::Open(four)).await;
    house.give(Command::Next(four)).await;
    let retire = [("open", "4"), ("act", "retire")];
    refused(
        house.send("counters", &retire).await,
        StatusCode::CONFLICT,
        "La ventanilla 4 está abierta.",
    )
    .await;
    // Another profile for the counter: whom it attends stays there.
    is_saved(
        &house
            .send(
                "counters",
                &[
                    ("open", "4"),
                    ("act", "save"),
                    ("number", "4"),
                    ("profile", "p2"),
                    ("zone", ""),
                ],
            )
            .await,
    );
    let (profile, ticket) = house.running.office.look(|office, _| {
        let ticket = office
            .counter(four)
            .and_then(|counter| counter.ticket)
            .map(|id| office.shown(id));
        (office.profile(four).expect("known").name.clone(), ticket)
    });
    assert_eq!(
        (profile.as_str(), ticket.as_deref()),
        ("catastro>tributos", Some(number.as_str()))
    );
    let twice = house
        .send(
            "counters",
            &[
                ("open", ""),
                ("act", "save"),
                ("number", "4"),
                ("profile", "p1"),
                ("zone", ""),
            ],
        )
        .await;
    refused(
        twice,
        StatusCode::UNPROCESSABLE_ENTITY,
        "Ya hay una ventanilla 4.",
    )
    .await;
    is_saved(
        &house
            .send(
                "counters",
                &[
                    ("open", ""),
                    ("act", "save"),
                    ("number", "9"),
                    ("profile", "p1"),
                    ("zone", ""),
                ],
            )
            .await,
    );
    is_saved(&house.send("counters", &[("open", "9"), ("act", "retire")]).await);
    assert!(house.written().counter(9).is_none());
    // The first room takes every counter; the last one gives them back.
    is_saved(
        &house
            .send(
                "counters",
                &[("open", "zone-"), ("act", "zone"), ("name", "Sala Norte")],
            )
            .await,
    );
    assert_eq!(
        house.written().counter(4).expect("there").zone.as_deref(),
        Some("sala-norte")
    );
    let board = house
        .http
        .get(format!("{}/board?zone=sala-norte", house.base))
        .send()
        .await
        .expect("sent");
    assert_eq!(board.status(), StatusCode::OK);
    is_saved(
        &house
            .send("counters", &[("open", "zone-sala-norte"), ("act", "zone-retire")])
            .await,
    );
    assert!(house.written().counter(4).expect("there").zone.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn profiles_and_hours_are_changed_and_refused_beside_their_field() {
    let house = House::new().await;
    let used = house.send("profiles", &[("open", "p2"), ("act", "delete")]).await;
    refused(
        used,
        StatusCode::UNPROCESSABLE_ENTITY,
        "La ventanilla 5 usa este perfil.",
    )
    .await;
    let idle = house
        .send(
            "profiles",
            &[
                ("open", ""),
                ("act", "save"),
                ("name", "Caja"),
                ("queue-tributos", ""),
                ("queue-catastro", "then"),
            ],
        )
        .await;
    refused(
        idle,
        StatusCode::UNPROCESSABLE_ENTITY,
        "Elija al menos una cola que se atiende primero.",
    )
    .await;
    is_saved(
        &house
            .send(
                "profiles",
                &[
                    ("open", ""),
                    ("act", "save"),
                    ("name", "Caja"),
                    ("queue-tributos", "first"),
                    ("queue-catastro", "then"),
                ],
            )
            .await,
    );
    assert_eq!(
        house.written().profile("caja").expect("there").then_serves,
        ["catastro"]
    );
    is_saved(
        &house
            .send("profiles", &[("open", "caja"), ("act", "delete")])
            .await,
    );

    let overlap = [
        ("act", "save"),
        ("mon-0-from", "08:00"),
        ("mon-0-to", "12:30"),
        ("mon-1-from", "12:00"),
        ("mon-1-to", "16:00"),
    ];
    refused(
        house.send("hours", &overlap).await,
        StatusCode::UNPROCESSABLE_ENTITY,
        "08:00-12:30 y 12:00-16:00 se cruzan",
    )
    .await;
    refused(
        house.send("hours", &[("act", "save")]).await,
        StatusCode::UNPROCESSABLE_ENTITY,
        "Escriba al menos un horario.",
    )
    .await;
    is_saved(
        &house
            .send(
                "hours",
                &[("act", "save"), ("mon-0-from", "8"), ("mon-0-to", "12")],
            )
            .await,
    );
    is_saved(
        &house
            .send("hours", &[("act", "close"), ("day", "2026-12-25")])
            .await,
    );
    let page = house.page("hours").await;
    assert!(
        page.contains("Viernes 25/12/2026") && page.contains("value=\"08:00\""),
        "{page}"
    );
    // A Tuesday without hours: no tickets, and kiosks know until when.
    let queues: Value = house
        .http
        .get(format!("{}/api/v1/queues", house.base))
        .send()
        .await
        .expect("sent")
        .json()
        .await
        .expect("json");
    assert_eq!(queues[0]["intake"], "queue_closed");
    is_saved(
        &house
            .send("hours", &[("act", "open"), ("day", "2026-12-25")])
            .await,
    );
    is_saved(&house.send("hours", &[("act", "save"), ("always", "on")]).await);
    assert!(house.written().hours.is_empty() && house.written().closures.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_administrators_do_not_overwrite_each_other() {
    let house = House::new().await;
    let add = [("act", "close"), ("day", "2026-12-25")];
    is_saved(&house.send_of("1", "hours", &add).await);
    // A double click is one change, not somebody else's.
    is_saved(&house.send_of("1", "hours", &add).await);
    assert_eq!(house.running.office.setup().version, 2);
    let late = house
        .send_of("1", "hours", &[("act", "close"), ("day", "2027-01-01")])
        .await;
    refused(late, StatusCode::CONFLICT, "admin cambió los ajustes a las 10:00").await;
    assert_eq!(house.written().closures.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_read_and_write_the_same_settings() {
    let house = House::new().await;
    let (status, mut view) = house.api(None, "").await;
    assert_eq!((status, &view["version"]), (StatusCode::OK, &json!(1)));
    view["settings"]["rules"]["max_priority_run"] = json!(1);
    let body = json!({"version": 1, "settings": view["settings"]});
    let (status, after) = house.api(Some(body.clone()), "once").await;
    assert_eq!(
        (status, &after["version"], &after["who"]),
        (StatusCode::OK, &json!(2), &json!("program"))
    );
    assert_eq!(
        house.api(Some(body.clone()), "once").await.0,
        StatusCode::OK,
        "the same key, the same answer"
    );
    let (status, problem) = house.api(Some(body.clone()), "twice").await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!("settings_stale"))
    );
    let mut other = body.clone();
    other["settings"]["rules"]["max_priority_run"] = json!(12);
    let (status, problem) = house.api(Some(other.clone()), "once").await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("idempotency_key_reused"))
    );
    other["version"] = json!(2);
    let (status, problem) = house.api(Some(other), "new").await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("settings_faulty"))
    );
    assert_eq!(problem["faults"][0]["field"], "rules.max_priority_run");
    let (status, problem) = house
        .api(Some(json!({"version": 2, "settings": {"rulez": {}}})), "odd")
        .await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::BAD_REQUEST, &json!("bad_json"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_command_line_asks_for_is_taken_under_the_same_rules() {
    let house = House::new().await;
    house.issue("tributos").await;
    let mut wished = house.written();
    wished.rules.alarm_minutes = 20;
    let mut harmful = wished.clone();
    harmful.queues[0].retired = true;
    let now = house.running.office.now();
    let wish = |settings: Settings| {
        house
            .running
            .office
            .db()
            .write(move |c| store::wish_settings(c, &settings, now))
    };
    let (first, second) = (
        wish(wished).await.expect("kept"),
        wish(harmful).await.expect("kept"),
    );
    let house = house.again(2).await;
    let outcome = |id| {
        house
            .running
            .office
            .db()
            .read(move |c| store::wish_outcome(c, id))
            .expect("read")
    };
    assert_eq!(outcome(first).as_deref(), Some("version 2"));
    assert!(
        outcome(second)
            .expect("looked at")
            .starts_with("refused These settings must wait")
    );
    assert_eq!(house.running.office.setup().alarm_minutes, 20);
    assert_eq!(house.edits()[0].0.as_deref(), Some("terminal"));
}

#[test]
fn a_name_makes_an_id_that_fits_into_an_address() {
    assert_eq!(id_of("Rentas y más", &[]), "rentas-y-mas");
    assert_eq!(id_of("Rentas", &["rentas", "rentas-2"]), "rentas-3");
    assert_eq!(id_of("¿?", &[]), "x");
}

#[test]
fn every_fault_has_words_that_name_what_it_is_about() {
    let k = Kit {
        language: Language::English,
        zone: jiff::tz::TimeZone::UTC,
        now: jiff::Timestamp::UNIX_EPOCH,
        office: String::new(),
    };
    let text = || "x".to_owned();
    for problem in [
        Problem::Range { least: 1, most: 9 },
        Problem::Name(40),
        Problem::Id,
        Problem::IdTwice(text()),
        Problem::Series,
        Problem::SeriesTaken {
            series: text(),
            queue: text(),
        },
        Problem::NoQueue,
        Problem::TooMany(200),
        Problem::CounterTwice(4),
        Problem::ProfileMissing {
            counter: 4,
            profile: text(),
        },
        Problem::ZoneMissing { counter: 4 },
        Problem::QueueMissing(text()),
        Problem::QueueTwice(text()),
        Problem::Idle,
        Problem::Day(text()),
        Problem::Span(text()),
        Problem::Overlap(text(), text()),
        Problem::NeverOpen,
        Problem::QueueHasTurns {
            queue: text(),
            open: 2,
        },
        Problem::NumbersOut(text()),
        Problem::CounterOpen { counter: 4 },
        Problem::CounterHasParked {
            counter: 4,
            parked: 2,
        },
    ] {
        let words = fault_words(&k, &problem);
        assert!(words.ends_with('.') && !words.contains(['{', '}']), "{words}");
    }
}
