//! The waiting room over HTTP: zones, what is heard after any break, and that nothing about anybody gets out.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::SignedDuration;
use reqwest::{Client, StatusCode};
use serde_json::Value;

use crate::app::Stop;
use crate::app::office::{Ask, OfficeApp, RunningOffice, start};
use crate::clock::Clock;
use crate::config::office::OfficeConfig;
use crate::devices::voice::chime;
use crate::domain::board::{Board, BoardCall, BoardInput};
use crate::domain::office::{Command, Issue};
use crate::domain::ticket::{CounterNumber, Lane, QueueId};

const A: CounterNumber = CounterNumber(4);
const B: CounterNumber = CounterNumber(7);

struct House {
    running: RunningOffice,
    clock: Clock,
    http: Client,
    base: String,
    _folder: tempfile::TempDir,
}

impl House {
    async fn new(more: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().expect("folder");
        let text = format!(
            "listen = '127.0.0.1:0'\ndata = '{}'\nno_show_calls = 1\n{more}
             office = {{ id = 'q', name = 'Quitumbe', kind = 'Administración Zonal', room = 'Sala A' }}
             queues = [{{ id = 'tributos', name = 'Tributos', series = 'T' }}, {{ id = 'catastro', name = 'Catastro', series = 'C' }}]
             counters = [{{ number = 4, serves = ['tributos'] }}, {{ number = 7, serves = ['catastro'] }}]
             zones = [{{ id = 'sala-a', name = 'Sala A', counters = [4] }}, {{ id = 'sala-b', name = 'Sala B', counters = [7] }}]",
            folder.path().display()
        );
        let config: OfficeConfig = crate::config::parse("test.toml".as_ref(), &text).expect("parses");
        let clock = Clock::manual("2026-11-24T15:00:00Z".parse().expect("time"));
        let running = start(config, clock.clone(), Stop::default(), super::routes)
            .await
            .expect("starts");
        Self {
            base: format!("http://{}", running.address),
            http: Client::builder().no_proxy().build().expect("client"),
            running,
            clock,
            _folder: folder,
        }
    }

    fn office(&self) -> &Arc<OfficeApp> {
        &self.running.office
    }

    async fn issue(&self, queue: &str, lane: Lane) -> String {
        let wish = Issue {
            id: None,
            queue: QueueId(queue.to_owned()),
            lane,
            kiosk: None,
            submission: None,
            leased: None,
            replaces: None,
            slot: None,
        };
        self.office()
            .issue(wish, Ask::default())
            .await
            .expect("issued")
            .id
            .to_string()
    }

    async fn does(&self, command: Command) {
        self.office()
            .command(command, Ask::default())
            .await
            .expect("done");
    }

    /// One person of the counter's queue is called, without anybody before being there still.
    async fn call(&self, counter: CounterNumber) {
        let queue = if counter == A { "tributos" } else { "catastro" };
        self.issue(queue, Lane::Priority).await;
        self.does(Command::Next(counter)).await;
    }

    async fn served(&self, counter: CounterNumber) {
        self.does(Command::Start(counter)).await;
        self.does(Command::Finish {
            counter,
            result: None,
        })
        .await;
    }

    async fn get(&self, path: &str) -> (StatusCode, String) {
        let answer = self
            .http
            .get(format!("{}{path}", self.base))
            .send()
            .await
            .expect("sent");
        (answer.status(), answer.text().await.expect("text"))
    }

    async fn json(&self, path: &str) -> Value {
        let (status, text) = self.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        serde_json::from_str(&text).expect("json")
    }

    async fn listen(&self, zone: &str, after: Option<u64>) -> Line {
        let after = after.map(|seq| format!("&after={seq}")).unwrap_or_default();
        let url = format!("{}/api/v1/board/events?zone={zone}&screen=tv{after}", self.base);
        let response = self.http.get(url).send().await.expect("open");
        assert_eq!(response.status(), StatusCode::OK);
        Line {
            response,
            text: String::new(),
        }
    }
}

/// A stream of events as a board reads it.
struct Line {
    response: reqwest::Response,
    text: String,
}

impl Line {
    /// The next event that says anything: its kind and its data.
    async fn next(&mut self) -> (String, Value) {
        loop {
            while let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
                if let (Some(kind), Some(data)) = (field("event: "), field("data: "))
                    && kind != "beat"
                {
                    return (kind.to_owned(), serde_json::from_str(data).expect("json"));
                }
            }
            let chunk = self
                .response
                .chunk()
                .await
                .expect("readable")
                .expect("it goes on");
            self.text.push_str(&String::from_utf8_lossy(&chunk));
        }
    }

    /// Reads up to the board that knows `seq`, gives it to `board`, and returns calls heard and announced.
    async fn read(&mut self, board: &mut Board, seq: u64, clock: &Clock) -> (Vec<u64>, Vec<BoardCall>) {
        let (mut heard, mut announced) = (Vec::new(), Vec::new());
        loop {
            let (kind, data) = self.next().await;
            let now = clock.now();
            if kind != "board" {
                heard.push(data["seq"].as_u64().expect("seq"));
                board.step(
                    BoardInput::Call(serde_json::from_value(data).expect("a call")),
                    now,
                );
                continue;
            }
            let reached = data["seq"].as_u64() >= Some(seq);
            let mut next = board.step(BoardInput::News(serde_json::from_value(data).expect("news")), now);
            while let Some(call) = next {
                announced.push(call);
                next = board.step(BoardInput::Spoken, now);
            }
            if reached {
                return (heard, announced);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_zones_never_hear_each_other() {
    let house = House::new("").await;
    let (mut a, mut b) = (
        house.listen("sala-a", None).await,
        house.listen("sala-b", None).await,
    );
    let (mut board_a, mut board_b) = (Board::default(), Board::default());
    house.does(Command::Open(A)).await;
    house.does(Command::Open(B)).await;
    house.call(A).await;
    house.call(B).await;
    house.does(Command::Recall(A)).await;
    let seq = house.office().seq();
    let (_, heard_a) = a.read(&mut board_a, seq, &house.clock).await;
    let (_, heard_b) = b.read(&mut board_b, seq, &house.clock).await;
    assert!(
        !heard_a.is_empty() && heard_a.iter().all(|call| call.counter == A),
        "{heard_a:?}"
    );
    assert_eq!(heard_b.iter().map(|call| call.counter).collect::<Vec<_>>(), [B]);
    let shown = house.json("/api/v1/board?zone=sala-b").await;
    assert_eq!(
        (&shown["room"], &shown["zone"]),
        (&"Sala B".into(), &"sala-b".into())
    );
    assert_eq!(shown["calls"].as_array().map(Vec::len), Some(1));
    assert_eq!(shown["queues"].as_array().map(Vec::len), Some(1));
    assert_eq!(shown["queues"][0]["id"], "catastro");
    assert_eq!(
        house.json("/api/v1/board").await["calls"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_zone_is_answered_with_the_zones_there_are() {
    let house = House::new("").await;
    for path in ["/api/v1/board?zone=sala-z", "/api/v1/board/events?zone=sala-z"] {
        let (status, text) = house.get(path).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(
            text.contains("unknown_zone") && text.contains("sala-a, sala-b"),
            "{text}"
        );
    }
    let (status, text) = house.get("/board?zone=%3Cb%3E").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(
        text.contains("/board?zone=sala-b") && !text.contains("<b>\""),
        "{text}"
    );
    let (status, text) = house.get("/board").await;
    assert_eq!(status, StatusCode::OK);
    assert!(text.contains("/board?zone=sala-a"));
    let (status, text) = house.get("/board?zone=sala-b").await;
    assert_eq!(status, StatusCode::OK);
    assert!(text.contains("data-board=\"sala-b\"") && text.contains("Sala B"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_zone_without_a_screen_raises_an_alarm() {
    let house = House::new("").await;
    let line = house.listen("sala-a", None).await;
    let state = |at: usize| {
        let zone = house.office().boards().swap_remove(at);
        (zone.screens.len(), zone.dark_since.is_some(), zone.alarm)
    };
    assert_eq!((state(0), state(1)), ((1, false, false), (0, true, false)));
    house.clock.advance(SignedDuration::from_secs(61));
    assert_eq!((state(0), state(1)), ((1, false, false), (0, true, true)));
    assert_eq!(house.office().boards()[0].screens[0].id, "tv");
    drop(line);
    // The hub notices with its next heartbeat that nobody reads.
    while state(0).0 > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(state(0), (0, true, false));
}

/// P15: for any pattern of breaks a board sees each call once, in order, and announces none that is older than
/// thirty seconds or whose ticket is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_any_break_calls_are_seen_once_and_only_news_is_announced() {
    for pattern in 0u32..24 {
        let house = House::new("").await;
        house.does(Command::Open(A)).await;
        house.does(Command::Open(B)).await;
        let mut board = Board::default();
        let mut line = Some(house.listen("sala-a", None).await);
        let (mut seen, mut spoken, mut made) = (Vec::new(), Vec::new(), Vec::new());
        if let Some(line) = &mut line {
            line.read(&mut board, house.office().seq(), &house.clock).await;
        }
        for step in 0u32..5 {
            house.call(A).await;
            made.push(
                house
                    .office()
                    .look(|office, _| office.announced().last().map(|call| call.seq)),
            );
            house.call(B).await;
            let away = pattern >> step & 1 == 1;
            if away {
                line = None;
                house
                    .clock
                    .advance(SignedDuration::from_secs(if step % 2 == 0 { 40 } else { 5 }));
            }
            // Sometimes the ticket is gone before the board is back.
            let gone = away && step % 3 == 1;
            if gone {
                house.served(A).await;
            }
            let last = board.last();
            let reader = match &mut line {
                Some(reader) => reader,
                none => none.insert(house.listen("sala-a", last).await),
            };
            let (heard, announced) = reader.read(&mut board, house.office().seq(), &house.clock).await;
            seen.extend(heard);
            let expected = usize::from(!(gone || away && step % 2 == 0));
            assert_eq!(announced.len(), expected, "pattern {pattern:05b}, step {step}");
            spoken.extend(announced.iter().map(|call| call.seq));
            assert_eq!(board.calls().len(), made.len().min(4));
            if !gone {
                house.served(A).await;
            }
            house.served(B).await;
        }
        assert_eq!(
            seen,
            made.into_iter().flatten().collect::<Vec<_>>(),
            "pattern {pattern:05b}"
        );
        assert!(spoken.windows(2).all(|two| two[0] < two[1]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_real_calls_have_a_voice() {
    let recordings = tempfile::tempdir().expect("folder");
    let spanish = recordings.path().join("es");
    std::fs::create_dir_all(&spanish).expect("folder");
    for piece in ["turno", "t", "0", "1", "ventanilla", "4"] {
        std::fs::write(spanish.join(piece).with_extension("wav"), chime()).expect("recording");
    }
    let house = House::new(&format!("recordings = '{}'", recordings.path().display())).await;
    house.does(Command::Open(A)).await;
    house.call(A).await;
    let seq = house.json("/api/v1/board").await["calls"][0]["seq"]
        .as_u64()
        .expect("seq");
    let answer = house
        .http
        .get(format!("{}/board/voice/{seq}", house.base))
        .send()
        .await
        .expect("sent");
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["content-type"], "audio/wav");
    let sound = answer.bytes().await.expect("bytes");
    assert!(sound.starts_with(b"RIFF") && sound.len() > 5 * chime().len());
    for other in [
        (seq - 1).to_string(),
        "999999".into(),
        "-1".into(),
        "Turno%20T-018".into(),
    ] {
        assert_eq!(
            house.get(&format!("/board/voice/{other}")).await.0,
            StatusCode::NOT_FOUND,
            "{other}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_is_followed_on_a_telephone_to_its_end() {
    let house = House::new("rejoin_minutes = 10\nrejoin_max = 1").await;
    let id = house.issue("tributos", Lane::Priority).await;
    let page = |query: &'static str| {
        let url = format!("{}/turno/{id}?{query}", house.base);
        let request = house.http.get(url).header("accept-language", "en-GB,en;q=0.8");
        async move { request.send().await.expect("sent").text().await.expect("text") }
    };
    assert!(page("lang=es").await.contains("no hay ventanilla abierta"));
    house.does(Command::Open(A)).await;
    assert!(page("lang=es").await.contains("Usted es la siguiente"));
    assert!(page("").await.contains("You are next"));
    house.does(Command::Next(A)).await;
    let called = page("part=live&lang=es").await;
    assert!(called.contains("Pase a la ventanilla</span><strong>4</strong>") && !called.contains("<html"));
    house.does(Command::NoShow(A)).await;
    // 10:00 in Quito, and ten minutes to come back.
    assert!(page("lang=es").await.contains("hasta las 10:10"));
    house.clock.advance(SignedDuration::from_mins(11));
    assert!(page("lang=es").await.contains("Pasó el tiempo"));
    let (status, text) = house.get("/turno/nobody").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(text.contains("No encontramos ese turno"));
    let waits = house.issue("tributos", Lane::General).await;
    house.clock.advance(SignedDuration::from_hours(24));
    house.issue("tributos", Lane::General).await;
    assert!(
        house
            .get(&format!("/turno/{waits}"))
            .await
            .1
            .contains("La oficina cerró")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_that_did_not_change_is_not_sent_again() {
    let house = House::new("").await;
    let id = house.issue("tributos", Lane::General).await;
    let url = format!("{}/turno/{id}?part=live", house.base);
    let first = house.http.get(&url).send().await.expect("sent");
    let tag = first.headers()["etag"].clone();
    let ask = || house.http.get(&url).header("if-none-match", tag.clone()).send();
    let again = ask().await.expect("sent");
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert!(again.bytes().await.expect("bytes").is_empty());
    house.does(Command::Open(A)).await;
    assert_eq!(ask().await.expect("sent").status(), StatusCode::OK);
}

fn keys(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                into.insert(key.clone());
                keys(value, into);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| keys(value, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// P19: whatever anybody may ask says numbers, counters, zones and queues, and nothing about a person.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_public_tells_a_lane_a_cause_or_a_name() {
    const CALL: [&str; 6] = ["seq", "at", "type", "number", "counter", "zone"];
    const BOARD: [&str; 10] = [
        "seq",
        "at",
        "office",
        "room",
        "zone",
        "calls",
        "announce",
        "queues",
        "max_priority_run",
        "draft_days",
    ];
    const QUEUE: [&str; 12] = [
        "id",
        "name",
        "series",
        "waiting",
        "estimate",
        "open_counters",
        "intake",
        "opens",
        "down",
        "note",
        "from_minutes",
        "to_minutes",
    ];
    const TICKET: [&str; 10] = [
        "id",
        "number",
        "series",
        "queue",
        "status",
        "ahead",
        "estimate",
        "counter",
        "from_minutes",
        "to_minutes",
    ];
    let check = |what: &str, value: &Value, allowed: &[&str]| {
        let mut found = BTreeSet::new();
        keys(value, &mut found);
        let more: Vec<_> = found
            .iter()
            .filter(|key| !allowed.contains(&key.as_str()))
            .collect();
        assert!(more.is_empty(), "{what} tells {more:?}");
        let text = value.to_string();
        for word in ["priority", "general", "appointment", "secreta", "ana"] {
            assert!(!text.contains(&format!("\"{word}")), "{what} says {word}: {text}");
        }
    };
    let house = House::new("open_tickets = true").await;
    let mut line = house.listen("sala-a", None).await;
    let everything: Vec<&str> = CALL.iter().chain(&BOARD).chain(&QUEUE).copied().collect();
    house.does(Command::Open(A)).await;
    let first = house.issue("tributos", Lane::Priority).await;
    let waits = house.issue("tributos", Lane::Priority).await;
    house.does(Command::Next(A)).await;
    house.does(Command::Recall(A)).await;
    house.does(Command::Start(A)).await;
    let note = Some("secreta: le falta un papel".to_owned());
    house.does(Command::Park { counter: A, note }).await;
    house
        .does(Command::Resume {
            counter: A,
            ticket: None,
        })
        .await;
    let newest = house.office().seq();
    loop {
        let (kind, data) = line.next().await;
        check(&kind, &data, if kind == "board" { &everything } else { &CALL });
        if kind == "board" && data["seq"].as_u64() >= Some(newest) {
            break;
        }
    }
    check("board", &house.json("/api/v1/board").await, &everything);
    check("queues", &house.json("/api/v1/queues").await, &QUEUE);
    for id in [&first, &waits] {
        check(
            "ticket",
            &house.json(&format!("/api/v1/tickets/{id}")).await,
            &TICKET,
        );
        let (status, page) = house.get(&format!("/turno/{id}")).await;
        assert_eq!(status, StatusCode::OK);
        for word in [
            "priority",
            "preferente",
            "Preferente",
            "carril",
            "secreta",
            "general",
        ] {
            assert!(!page.contains(word), "the page of a turn says {word}");
        }
    }
}
