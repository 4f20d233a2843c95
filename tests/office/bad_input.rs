//! Whatever is sent: a clear problem for each, and nothing changed.

use reqwest::Method;
use serde_json::{Value, json};

use super::house::{House, fresh};

/// One thing that is wrong.
struct Wrong {
    what: &'static str,
    method: Method,
    path: String,
    body: Option<String>,
    key: Option<String>,
    status: u16,
    code: &'static str,
}

fn wrong(what: &'static str, path: &str, body: &Value, status: u16, code: &'static str) -> Wrong {
    raw(what, path, body.to_string(), status, code)
}

fn raw(what: &'static str, path: &str, body: String, status: u16, code: &'static str) -> Wrong {
    Wrong {
        what,
        method: Method::POST,
        path: path.to_owned(),
        body: Some(body),
        key: Some(fresh()),
        status,
        code,
    }
}

fn table() -> Vec<Wrong> {
    let ticket = "/tickets";
    let nobody = fresh();
    let mut table = vec![
        wrong(
            "an unknown queue",
            ticket,
            &json!({ "queue": "registro" }),
            422,
            "unknown_queue",
        ),
        wrong(
            "a queue with markup",
            ticket,
            &json!({ "queue": "<script>alert(1)</script>" }),
            422,
            "unknown_queue",
        ),
        wrong(
            "a queue with control characters",
            ticket,
            &json!({ "queue": "tributos\u{0}\n\u{1b}[2J" }),
            422,
            "unknown_queue",
        ),
        wrong(
            "an unknown lane",
            ticket,
            &json!({ "queue": "tributos", "lane": "vip" }),
            400,
            "bad_json",
        ),
        wrong(
            "a kiosk with markup",
            ticket,
            &json!({ "queue": "tributos", "kiosk": "<b>k1</b>" }),
            422,
            "bad_name",
        ),
        wrong(
            "a kiosk with control characters",
            ticket,
            &json!({ "queue": "tributos", "kiosk": "k\u{7}1" }),
            422,
            "bad_name",
        ),
        wrong(
            "a kiosk with an endless name",
            ticket,
            &json!({ "queue": "tributos", "kiosk": "k".repeat(500) }),
            422,
            "bad_name",
        ),
        wrong(
            "an id that is none",
            ticket,
            &json!({ "queue": "tributos", "id": "1" }),
            400,
            "bad_json",
        ),
        wrong(
            "a queue that is a number",
            ticket,
            &json!({ "queue": 7 }),
            400,
            "bad_json",
        ),
        raw("an empty body", ticket, String::new(), 400, "bad_json"),
        raw(
            "half a body",
            ticket,
            "{\"queue\":\"tri".to_owned(),
            400,
            "bad_json",
        ),
        raw("a list", ticket, "[]".to_owned(), 400, "bad_json"),
        raw("a deep body", ticket, "[".repeat(100_000), 400, "bad_json"),
        raw(
            "an oversized body",
            ticket,
            format!("{{\"queue\":\"{}\"}}", "x".repeat(4 << 20)),
            413,
            "too_large",
        ),
        wrong(
            "an unknown counter",
            "/counters/99/next",
            &json!({}),
            404,
            "unknown_counter",
        ),
        wrong(
            "a counter without a number",
            "/counters/abc/next",
            &json!({}),
            404,
            "not_found",
        ),
        wrong(
            "a counter that is too much",
            "/counters/70000/next",
            &json!({}),
            404,
            "not_found",
        ),
        wrong(
            "an unknown move",
            "/counters/1/dance",
            &json!({}),
            404,
            "not_found",
        ),
        wrong("a call of nobody", "/counters/1/call", &json!({}), 400, "ticket"),
        wrong(
            "a call of an unknown ticket",
            "/counters/1/call",
            &json!({ "ticket": nobody, "reason": "x" }),
            404,
            "unknown_ticket",
        ),
        wrong(
            "a transfer to nowhere",
            "/counters/2/transfer",
            &json!({ "queue": "registro" }),
            422,
            "unknown_queue",
        ),
        wrong(
            "a transfer without a queue",
            "/counters/2/transfer",
            &json!({}),
            400,
            "queue",
        ),
        wrong(
            "a transfer to a strange place",
            "/counters/2/transfer",
            &json!({ "queue": "catastro", "place": "first" }),
            400,
            "place",
        ),
        // What a tab says that was left open while somebody else went on.
        wrong(
            "a stale tab: start",
            "/counters/1/start",
            &json!({}),
            409,
            "no_ticket",
        ),
        wrong(
            "a stale tab: finish",
            "/counters/1/finish",
            &json!({}),
            409,
            "no_ticket",
        ),
        wrong(
            "a stale tab: absent",
            "/counters/1/no-show",
            &json!({}),
            409,
            "no_ticket",
        ),
        wrong(
            "a stale tab: call while busy",
            "/counters/2/next",
            &json!({}),
            409,
            "counter_busy",
        ),
        wrong(
            "a stale tab: finish unstarted",
            "/counters/2/finish",
            &json!({}),
            409,
            "wrong_status",
        ),
        wrong(
            "a stale tab: nothing parked",
            "/counters/1/resume",
            &json!({}),
            409,
            "nothing_parked",
        ),
        wrong(
            "counters that serve nothing",
            "/counters/1/serve",
            &json!({ "tiers": [] }),
            422,
            "bad_profile",
        ),
        wrong(
            "a counter that serves one queue twice",
            "/counters/1/serve",
            &json!({ "tiers": [["tributos"], ["tributos"]] }),
            422,
            "bad_profile",
        ),
        wrong(
            "no block at all",
            "/leases",
            &json!({ "kiosk": "k1", "queue": "tributos", "count": 0 }),
            422,
            "lease_count",
        ),
        wrong(
            "a block without end",
            "/leases",
            &json!({ "kiosk": "k1", "queue": "tributos", "count": 4_000_000_000_u32 }),
            422,
            "lease_count",
        ),
        wrong(
            "an unknown ticket",
            "/tickets/7/cancel",
            &json!({}),
            404,
            "not_found",
        ),
        wrong(
            "an unknown queue's system",
            "/queues/registro/down",
            &json!({}),
            404,
            "not_found",
        ),
        wrong(
            "help at an unknown kiosk",
            "/kiosks/k9/help",
            &json!({}),
            404,
            "not_found",
        ),
        wrong(
            "an address that is none",
            "/nothing/here",
            &json!({}),
            404,
            "not_found",
        ),
    ];
    table.push(Wrong {
        key: Some("k".repeat(201)),
        ..wrong(
            "an endless key",
            ticket,
            &json!({ "queue": "tributos" }),
            400,
            "idempotency_key",
        )
    });
    let read = |what, path: &str, status, code| Wrong {
        method: Method::GET,
        body: None,
        key: None,
        ..raw(what, path, String::new(), status, code)
    };
    table.extend([
        read("a report of no day", "/reports/day?date=yesterday", 400, "date"),
        read(
            "a report of a year",
            "/reports/range?from=2025-01-01&to=2026-01-01",
            400,
            "span",
        ),
        read("events after a word", "/events?after=word", 400, "bad_request"),
        read("an unknown zone", "/board?zone=%3Cb%3E", 404, "unknown_zone"),
        read("an unknown turn", "/turns/%00%1B", 404, "not_found"),
        read(
            "a change by reading",
            "/counters/1/next",
            405,
            "method_not_allowed",
        ),
    ]);
    table
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_wrong_thing_is_named_and_changes_nothing() {
    let house = House::new().await;
    let staff = house.staff();
    house.kiosk("k1").take("tributos").await;
    staff.post("/counters/2/next", json!({})).await.ok();
    let seq = staff.seq().await;
    for wrong in table() {
        let answer = staff
            .send(wrong.method, &wrong.path, wrong.body, wrong.key.as_deref())
            .await
            .unwrap_or_else(|| panic!("{}: no answer", wrong.what));
        assert_eq!(answer.status, wrong.status, "{}: {answer:?}", wrong.what);
        answer.refused(wrong.status, wrong.code);
        assert_eq!(staff.seq().await, seq, "{} changed something", wrong.what);
    }
    house.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_staff_type_is_kept_as_text_and_short() {
    let house = House::new().await;
    let staff = house.staff();
    house.kiosk("k1").take("tributos").await;
    staff.post("/counters/1/next", json!({})).await.ok();
    staff.post("/counters/1/start", json!({})).await.ok();
    let note = format!("<b>falta\u{0} el\u{1b}[2J plano</b>\r\n{}", "x".repeat(500));
    let parked = staff.post("/counters/1/park", json!({ "note": note })).await.ok();
    let kept = parked["ticket"]["note"].as_str().expect("a note");
    assert!(kept.starts_with("<b>falta el[2J plano</b>"), "{kept}");
    assert!(
        !kept.chars().any(char::is_control) && kept.chars().count() <= 120,
        "{kept}"
    );
    house.stop();
}
