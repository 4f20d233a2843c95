//! The office over HTTP: a real server on a free port, a real file, a hand-moved clock.

use std::collections::HashSet;

use jiff::SignedDuration;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::*;
use crate::config::office::{CounterConfig, Identity, KioskConfig, QueueConfig, token_hash};
use crate::domain::office::Issue;
use crate::domain::ticket::{Lane, QueueId};
use crate::store::office::Role;

pub(super) const KIOSK_TOKEN: &str = "kiosk-1-secret";

/// A running office with one staff token and one kiosk.
pub(super) struct House {
    pub(super) office: Arc<OfficeApp>,
    served: Option<RunningOffice>,
    pub(super) clock: Clock,
    stop: Stop,
    pub(super) base: String,
    token: String,
    pub(super) http: Client,
    folder: tempfile::TempDir,
}

pub(super) fn config(data: &std::path::Path) -> OfficeConfig {
    let counter = |number, serves: &str| CounterConfig {
        number,
        serves: vec![serves.into()],
        then_serves: Vec::new(),
    };
    let identity = Identity {
        id: "quitumbe".into(),
        name: "Quitumbe".into(),
        kind: "Administración Zonal".into(),
        room: "Sala A".into(),
    };
    let queues = vec![
        QueueConfig::new("tributos", "Tributos", "T"),
        QueueConfig::new("catastro", "Catastro", "C"),
    ];
    let counters = vec![
        counter(4, "tributos"),
        counter(5, "tributos"),
        counter(7, "catastro"),
    ];
    OfficeConfig {
        kiosks: vec![KioskConfig {
            id: "k1".into(),
            token_hash: token_hash(KIOSK_TOKEN),
            public_key: None,
        }],
        ..OfficeConfig::new(
            "127.0.0.1:0".parse().expect("address"),
            data.to_owned(),
            identity,
            queues,
            counters,
        )
    }
}

impl House {
    pub(super) async fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let clock = Clock::manual("2026-11-24T15:00:00Z".parse().expect("time"));
        Self::on(folder, clock).await
    }

    async fn on(folder: tempfile::TempDir, clock: Clock) -> Self {
        // A second installation of the provider is refused, and that is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let stop = Stop::default();
        let served = start(config(folder.path()), clock.clone(), stop.clone(), |_| {
            Router::new()
        })
        .await
        .expect("starts");
        let office = Arc::clone(&served.office);
        let now = clock.now();
        let token = office
            .db()
            .write(move |c| store::create_token(c, "test", Role::Supervisor, now))
            .await
            .expect("token");
        Self {
            base: format!("http://{}", served.address),
            office,
            served: Some(served),
            clock,
            stop,
            token,
            http: Client::builder().no_proxy().build().expect("client"),
            folder,
        }
    }

    pub(super) fn call(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}/api/v1{path}", self.base))
            .bearer_auth(&self.token)
    }

    pub(super) async fn get(&self, path: &str) -> Value {
        let answer = self.call(Method::GET, path).send().await.expect("sent");
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.json().await.expect("json")
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let answer = self
            .call(Method::POST, path)
            .json(&body)
            .send()
            .await
            .expect("sent");
        (answer.status(), answer.json().await.expect("json"))
    }

    /// Everything that happened, in order.
    pub(super) async fn events(&self) -> Vec<Value> {
        let answer = self.call(Method::GET, "/events").send().await.expect("sent");
        let text = answer.text().await.expect("lines");
        text.lines()
            .map(|line| serde_json::from_str(line).expect("an event a line"))
            .collect()
    }

    pub(super) async fn moved(&self, path: &str) -> Value {
        let (status, body) = self.post(path, json!({})).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    async fn issue_with(&self, key: &str, body: Value) -> (StatusCode, Value) {
        let answer = self
            .http
            .post(format!("{}/api/v1/tickets", self.base))
            .bearer_auth(KIOSK_TOKEN)
            .header("Idempotency-Key", key)
            .json(&body)
            .send()
            .await
            .expect("sent");
        (answer.status(), answer.json().await.expect("json"))
    }

    pub(super) async fn issue(&self, key: &str, lane: &str) -> Value {
        let body = json!({"queue": "tributos", "lane": lane, "kiosk": "k1"});
        let (status, body) = self.issue_with(key, body).await;
        assert_eq!(status, StatusCode::CREATED, "{body}");
        body
    }

    /// Stops the office and starts it again on the same folder.
    pub(super) async fn again(mut self) -> Self {
        self.stop.stop();
        let served = self.served.take().expect("running");
        drop(self.office);
        served.finished().await;
        Self::on(self.folder, self.clock).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_goes_through_the_api() {
    let house = House::new().await;
    let ticket = house.issue("one", "general").await;
    assert_eq!(ticket["number"], "T-001");
    assert_eq!(ticket["ahead"], 0);
    assert_eq!(ticket["estimate"], Value::Null);
    assert_eq!(ticket["business_date"], "2026-11-24");

    // A counter begins closed, and says so.
    let (status, problem) = house.post("/counters/4/next", json!({})).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(problem["code"], "counter_not_open");
    assert_eq!(problem["counter"]["state"], "closed");

    assert_eq!(house.moved("/counters/4/open").await["state"], "open");
    assert_eq!(house.moved("/counters/4/next").await["ticket"]["number"], "T-001");
    assert_eq!(house.moved("/counters/4/recall").await["ticket"]["calls"], 2);
    let (status, problem) = house.post("/counters/4/finish", json!({})).await;
    assert_eq!(
        (status, &problem["ticket"]["status"]),
        (StatusCode::CONFLICT, &json!("called"))
    );
    assert_eq!(
        house.moved("/counters/4/start").await["ticket"]["status"],
        "serving"
    );
    assert_eq!(
        house.moved("/counters/4/finish").await["ticket"]["status"],
        "finished"
    );
    assert_eq!(house.moved("/counters/4/next").await, json!({"ticket": null}));

    let id = ticket["id"].as_str().expect("id");
    assert_eq!(house.get(&format!("/tickets/{id}")).await["status"], "finished");
    assert_eq!(house.get("/queues").await[0]["open_counters"], 1);
    assert_eq!(
        house.get("/counters").await[0]["profile"]["tiers"],
        json!([["tributos"]])
    );
    let report = house.get("/reports/day?date=2026-11-24").await;
    assert_eq!(report["total"]["finished"], 1);
    let csv = house
        .call(Method::GET, "/reports/day")
        .header("accept", "text/csv")
        .send()
        .await
        .expect("sent")
        .text()
        .await
        .expect("text");
    assert!(
        csv.contains("2026-11-24,tributos,general,1,1,1,0,0,0,0.0"),
        "{csv}"
    );
    let api = house.get("/openapi.json").await;
    assert!(api["paths"]["/api/v1/counters/{number}/no-show"]["post"].is_object());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_key_gets_the_same_answer_also_after_a_restart() {
    let house = House::new().await;
    let first = house.issue("one", "general").await;
    house.issue("two", "general").await;
    assert_eq!(house.issue("one", "general").await, first);
    let (status, problem) = house
        .issue_with("one", json!({"queue": "catastro", "kiosk": "k1"}))
        .await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("idempotency_key_reused"))
    );
    house.moved("/counters/4/open").await;
    let next = |house: &House| {
        house
            .call(Method::POST, "/counters/4/next")
            .header("Idempotency-Key", "press-1")
            .send()
    };
    let called: Value = next(&house).await.expect("sent").json().await.expect("json");
    let again: Value = next(&house).await.expect("sent").json().await.expect("json");
    assert_eq!(called, again);

    let house = house.again().await;
    assert_eq!(house.issue("one", "general").await, first);
    let third = house.issue("three", "general").await;
    assert_eq!(third["number"], "T-003");
    assert_eq!(house.get("/counters").await[0]["ticket"]["number"], "T-001");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hangs_up_still_has_a_turn_and_boards_hear_of_it() {
    let house = House::new().await;
    let mut heard = house.office.subscribe();
    let wish = Issue {
        id: None,
        queue: QueueId("tributos".into()),
        lane: Lane::General,
        kiosk: None,
        submission: None,
        leased: None,
        replaces: None,
        slot: None,
    };
    tokio::select! {
        biased;
        _ = house.office.issue(wish, Ask::default()) => panic!("the disk is not as fast as one look"),
        () = std::future::ready(()) => {}
    }
    let told = async {
        loop {
            let event = heard.recv().await.expect("the office lives");
            if event.what.kind() == "issued" {
                return;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), told)
        .await
        .expect("told");
    let kept = house.events().await;
    assert!(kept.iter().any(|event| event["type"] == "issued"), "{kept:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_presses_at_once_call_two_people() {
    let house = House::new().await;
    for n in 0..3 {
        house.issue(&format!("k{n}"), "general").await;
    }
    house.moved("/counters/4/open").await;
    house.moved("/counters/5/open").await;
    let (a, b) = tokio::join!(house.moved("/counters/4/next"), house.moved("/counters/5/next"));
    let numbers: HashSet<_> = [&a, &b].map(|body| body["ticket"]["number"].to_string()).into();
    assert_eq!(numbers.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_get_numbers_without_a_gap() {
    let house = House::new().await;
    let tickets = futures_util::future::join_all((0..60).map(|n| {
        let house = &house;
        async move {
            house.issue(&format!("key-{n}"), "general").await["n"]
                .as_u64()
                .expect("n")
        }
    }))
    .await;
    let numbers: HashSet<u64> = tickets.into_iter().collect();
    assert_eq!(numbers, (1..=60).collect());
    let lines = house
        .call(Method::GET, "/events?after=0")
        .send()
        .await
        .expect("sent")
        .text()
        .await
        .expect("text");
    let events: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("json"))
        .collect();
    assert!(events.iter().zip(1..).all(|(event, n)| event["seq"] == n));
    let issued: Vec<&Value> = events.iter().filter(|event| event["type"] == "issued").collect();
    assert_eq!(issued.len(), 60);
    assert_eq!(issued[0]["number"], "T-001");
    assert_eq!(issued[0]["arrival_seq"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_board_hears_every_call_once_and_in_order() {
    let house = House::new().await;
    for n in 0..2 {
        house.issue(&format!("k{n}"), "priority").await;
    }
    let url = format!("{}/api/v1/board/events", house.base);
    let mut board = Reader::new(house.http.get(&url).send().await.expect("open"));
    assert_eq!(board.next("board").await["queues"][0]["waiting"], 2);
    house.moved("/counters/4/open").await;
    house.moved("/counters/4/next").await;
    let called = board.next("called").await;
    assert_eq!(
        (&called["number"], &called["counter"]),
        (&json!("T-001"), &json!(4))
    );
    let text = called.to_string();
    assert!(
        !text.contains("priority") && !text.contains("id\""),
        "P19: {text}"
    );
    let seen = called["seq"].as_u64().expect("seq");
    drop(board);
    house.moved("/counters/4/recall").await;
    house.moved("/counters/5/open").await;
    house.moved("/counters/5/next").await;
    let stream = house.http.get(&url).header("Last-Event-ID", seen.to_string());
    let mut board = Reader::new(stream.send().await.expect("open"));
    assert_eq!(board.next("recalled").await["number"], "T-001");
    assert_eq!(board.next("called").await["counter"], 5);
    let shown = board.next("board").await;
    let calls: Vec<_> = shown["calls"]
        .as_array()
        .expect("list")
        .iter()
        .map(|call| call["number"].clone())
        .collect();
    assert_eq!(calls, [json!("T-002"), json!("T-001")]);
    // A stop ends the stream, so that nothing hangs.
    house.stop.stop();
    assert!(board.ends().await);
}

/// Reads server-sent events of one kind.
struct Reader {
    response: reqwest::Response,
    text: String,
}

impl Reader {
    fn new(response: reqwest::Response) -> Self {
        let text = String::new();
        Self { response, text }
    }

    async fn next(&mut self, kind: &str) -> Value {
        loop {
            while let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
                if field("event: ") == Some(kind) {
                    assert!(field("id: ").is_some());
                    return serde_json::from_str(field("data: ").expect("data")).expect("json");
                }
            }
            let chunk = self
                .response
                .chunk()
                .await
                .expect("readable")
                .expect("the stream goes on");
            self.text.push_str(&String::from_utf8_lossy(&chunk));
        }
    }

    async fn ends(&mut self) -> bool {
        while let Ok(Some(_)) = self.response.chunk().await {}
        true
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leased_ticket_replaces_an_attempt_that_got_lost() {
    let house = House::new().await;
    let lease = |house: &House| {
        house
            .http
            .post(format!("{}/api/v1/leases", house.base))
            .bearer_auth(KIOSK_TOKEN)
            .json(&json!({"kiosk": "k1", "queue": "tributos", "count": 10}))
            .send()
    };
    let answer = lease(&house).await.expect("sent");
    assert_eq!(answer.status(), StatusCode::CREATED);
    let block: Value = answer.json().await.expect("json");
    assert_eq!((&block["from"], &block["to"]), (&json!(501), &json!(510)));

    // The answer to `lost` never arrived, so the kiosk gave 501 and says so later.
    let lost = house.issue("lost", "general").await;
    house.issue("other", "general").await;
    let late = json!({"queue": "tributos", "kiosk": "k1", "replaces": "lost",
        "leased": {"number": 501, "issued_at": "2026-11-24T14:59:00Z"}});
    let (status, leased) = house.issue_with("leased", late).await;
    assert_eq!(
        (status, &leased["number"]),
        (StatusCode::CREATED, &json!("T-501"))
    );
    assert_eq!(leased["ahead"], 0);
    let id = lost["id"].as_str().expect("id");
    assert_eq!(house.get(&format!("/tickets/{id}")).await["status"], "cancelled");

    // This time the attempt arrives after its replacement.
    let late = json!({"queue": "tributos", "kiosk": "k1", "replaces": "slow",
        "leased": {"number": 502, "issued_at": "2026-11-24T15:00:00Z"}});
    house.issue_with("leased-2", late).await;
    assert_eq!(house.issue("slow", "general").await["number"], "T-502");
    assert_eq!(house.issue("new", "general").await["number"], "T-003");

    // An unprinted ticket is given back, and called no more.
    let body = json!({"reason": "unprinted"});
    let (status, _) = house
        .post(
            &format!("/tickets/{}/cancel", leased["id"].as_str().expect("id")),
            body,
        )
        .await;
    assert_eq!(status, StatusCode::OK);
    house.moved("/counters/4/open").await;
    assert_eq!(house.moved("/counters/4/next").await["ticket"]["number"], "T-002");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_without_a_token_changes_anything() {
    let house = House::new().await;
    let url = |path: &str| format!("{}/api/v1{path}", house.base);
    let status = |request: RequestBuilder| async { request.send().await.expect("sent").status() };
    let wish = json!({"queue": "tributos"});
    assert_eq!(
        status(house.http.post(url("/tickets")).json(&wish)).await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        status(house.http.post(url("/counters/4/open"))).await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        status(house.http.get(url("/events"))).await,
        StatusCode::UNAUTHORIZED
    );
    let kiosk = |request: RequestBuilder| request.bearer_auth(KIOSK_TOKEN);
    assert_eq!(
        status(kiosk(house.http.post(url("/counters/4/open")))).await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        status(kiosk(house.http.post(url("/tickets")).json(&wish))).await,
        StatusCode::BAD_REQUEST
    );
    let other = json!({"queue": "tributos", "kiosk": "k2"});
    let request = kiosk(house.http.post(url("/tickets")).json(&other)).header("Idempotency-Key", "x");
    assert_eq!(status(request).await, StatusCode::FORBIDDEN);
    let answer = house.http.get(url("/board")).send().await.expect("sent");
    assert_eq!(answer.status(), StatusCode::OK);
    let policy = answer.headers()["content-security-policy"]
        .to_str()
        .expect("text");
    assert!(policy.starts_with("default-src 'none'"));
    let answer = house.http.get(url("/counters")).send().await.expect("sent");
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_day_expires_what_waits_and_starts_at_one() {
    let house = House::new().await;
    let old = house.issue("one", "general").await;
    house.moved("/counters/4/open").await;
    house.clock.advance(SignedDuration::from_hours(24));
    assert_eq!(house.get("/board").await["queues"][0]["waiting"], 0);
    let new = house.issue("two", "general").await;
    assert_eq!(
        (&new["number"], &new["business_date"]),
        (&json!("T-001"), &json!("2026-11-25"))
    );
    let id = old["id"].as_str().expect("id");
    assert_eq!(house.get(&format!("/tickets/{id}")).await["status"], "expired");
    // A kiosk that repeats a request of yesterday gets yesterday's answer, not a second turn.
    assert_eq!(house.issue("one", "general").await, old);
    let house = house.again().await;
    assert_eq!(house.issue("three", "general").await["number"], "T-002");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_do_not_start_again_after_a_damaged_file() {
    let house = House::new().await;
    for n in 0..3 {
        house.issue(&format!("k{n}"), "general").await;
    }
    house.stop.stop();
    let House {
        served,
        office,
        folder,
        clock,
        ..
    } = house;
    drop(office);
    served.expect("running").finished().await;
    std::fs::write(
        folder.path().join(FILE),
        b"this was a database once, and it is long enough to look at",
    )
    .expect("damage");
    let house = House::on(folder, clock).await;
    assert!(house.office.quarantined().is_some());
    let n = house.issue("after", "general").await["n"].as_u64().expect("n");
    assert!(n > 1000, "{n}");
    assert!(house.office.look(|office, _| office.continued().is_some()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_file_refuses_leaves_no_trace_in_memory() {
    let house = House::new().await;
    house.issue("one", "general").await;
    house.clock.advance(SignedDuration::from_hours(24));
    let late = json!({"queue": "tributos", "kiosk": "k1",
        "leased": {"number": 501, "issued_at": "2026-11-24T15:00:00Z"}});
    let (status, ticket) = house.issue_with("late", late.clone()).await;
    assert_eq!(
        (status, &ticket["status"]),
        (StatusCode::CREATED, &json!("expired"))
    );
    // The same number of a day that is no longer at hand: only the file knows.
    let (status, problem) = house.issue_with("late-again", late).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!("number_taken"))
    );
    assert_eq!(house.issue("two", "general").await["number"], "T-001");
    let newest = house.office.seq();
    let events = house.office.events_after(0, 500).expect("events");
    assert_eq!(events.last().map(|event| event.seq), Some(newest));
    assert!(events.iter().zip(1..).all(|(event, n)| event.seq == n));
}
