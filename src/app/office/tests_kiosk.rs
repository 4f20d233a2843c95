//! What a kiosk asks of the office beside tickets, through the kiosk's own client.

use std::time::Duration;

use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use super::tests::{House, KIOSK_TOKEN};
use crate::domain::printing::{ORDER_LIFE, OrderOutcome};
use crate::sync::office::{
    Deadlines, MarkWire, OfficeClient, OfficeError, PrinterWire, UsageLineWire, UsageWire,
};

fn client(house: &House) -> OfficeClient {
    // A busy machine is not what is tested here.
    let patient = Deadlines {
        number: Duration::from_secs(60),
        background: Duration::from_secs(60),
    };
    OfficeClient::new(house.http.clone(), &house.base, KIOSK_TOKEN.to_owned(), patient)
}

/// Calls the next one at counter 4 and marks the person absent.
async fn absent(house: &House) {
    house.moved("/counters/4/next").await;
    for _ in 0..3 {
        house.clock.advance(SignedDuration::from_secs(90));
        let (status, _) = house.post("/counters/4/no-show", json!({})).await;
        if status == StatusCode::OK {
            return;
        }
        house.moved("/counters/4/recall").await;
    }
    panic!("never absent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_called_in_vain_comes_back_by_its_number_and_no_other_does() {
    let house = House::new().await;
    let kiosk = client(&house);
    let first = house.issue("one", "general").await;
    for key in ["two", "three", "four"] {
        house.issue(key, "general").await;
    }
    house.moved("/counters/4/open").await;
    let waiting = kiosk.turn("t-001").await.expect("found");
    assert_eq!((waiting.status.as_str(), waiting.may_return), ("waiting", false));
    let refused = kiosk.rejoin(Uuid::from_u128(1), waiting.id).await;
    assert!(
        matches!(&refused, Err(OfficeError::Refused { status: 409, code, .. }) if code == "wrong_status"),
        "{refused:?}"
    );
    absent(&house).await;
    let missed = kiosk.turn("T-001").await.expect("found");
    assert_eq!((missed.status.as_str(), missed.may_return), ("no_show", true));
    assert_eq!(missed.id.to_string(), first["id"].as_str().expect("id"));
    for _ in 0..2 {
        // Asked twice with one key: moved once.
        kiosk.rejoin(Uuid::from_u128(2), missed.id).await.expect("back");
    }
    let back = kiosk.turn("T-001").await.expect("found");
    assert_eq!((back.status.as_str(), back.ahead), ("waiting", missed.behind));
    assert!(matches!(
        kiosk.turn("T-999").await,
        Err(OfficeError::Refused { status: 404, .. })
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_back_too_late_is_told_before_trying() {
    let house = House::new().await;
    let kiosk = client(&house);
    house.issue("one", "general").await;
    house.moved("/counters/4/open").await;
    absent(&house).await;
    house.clock.advance(SignedDuration::from_hours(2));
    let late = kiosk.turn("T-001").await.expect("found");
    assert!(!late.may_return);
    let refused = kiosk.rejoin(Uuid::from_u128(3), late.id).await;
    assert!(matches!(&refused, Err(OfficeError::Refused { code, .. }) if code == "rejoin_late"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn turns_are_told_to_kiosks_and_staff_only() {
    let house = House::new().await;
    house.issue("one", "general").await;
    let nobody = house
        .http
        .get(format!("{}/api/v1/turns/T-001", house.base))
        .send()
        .await
        .expect("sent");
    assert_eq!(nobody.status(), StatusCode::UNAUTHORIZED);
    let told = house.get("/turns/T-001").await;
    assert!(
        told.get("lane").is_none() && told.get("submission").is_none(),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn help_is_one_call_and_ends() {
    let house = House::new().await;
    let kiosk = client(&house);
    for step in ["Pregunta 1 de 8", "Pregunta 2 de 8", "Pregunta 2 de 8"] {
        kiosk.call_help("k1", step).await.expect("heard");
    }
    let calls = house.get("/help").await;
    assert_eq!(calls.as_array().map(Vec::len), Some(1), "{calls}");
    assert_eq!(calls[0]["step"], "Pregunta 2 de 8");
    let told = house.events().await;
    let asked = told.iter().filter(|event| event["type"] == "help_asked");
    assert_eq!(asked.count(), 2, "what the office knows already is no event");
    assert!(!kiosk.help_comes("k1").await.expect("told"));
    let gone = house.call(Method::POST, "/kiosks/k1/help/end").send().await;
    assert_eq!(gone.expect("sent").status(), StatusCode::NO_CONTENT);
    assert_eq!(house.get("/help").await, json!([]), "staff went there");
    assert!(kiosk.help_comes("k1").await.expect("told"));
    kiosk.call_help("k1", "Pregunta 3 de 8").await.expect("heard");
    assert!(!kiosk.help_comes("k1").await.expect("told"), "a new call");
    kiosk.end_help("k1").await.expect("heard");
    kiosk.end_help("k1").await.expect("ending twice is no error");
    assert_eq!(house.get("/help").await, json!([]));
    assert!(matches!(
        kiosk.call_help("k9", "x").await,
        Err(OfficeError::Refused { .. })
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn staff_hear_how_a_kiosks_printers_are() {
    let house = House::new().await;
    let kiosk = client(&house);
    assert_eq!(house.get("/kiosks").await[0]["printers"], json!([]));
    let printer = |state: &str| PrinterWire {
        name: "first".into(),
        state: state.into(),
        left_mm: 12_000,
        papers_left: Some(40),
        paper_low: true,
    };
    for state in ["ready", "no-paper"] {
        kiosk.health("k1", &[printer(state)]).await.expect("taken in");
    }
    let told = house.get("/kiosks").await;
    assert_eq!(told[0]["kiosk"], "k1");
    assert_eq!(told[0]["printers"][0]["state"], "no-paper");
    assert_eq!(told[0]["printers"][0]["papers_left"], 40);
    assert!(
        told[0]["told_at"].is_string() && told[0]["seen_at"].is_string(),
        "{told}"
    );
    assert!(matches!(
        kiosk.health("k1", &[printer("<b>Ana</b>")]).await,
        Err(OfficeError::Refused { status: 422, .. })
    ));
    assert!(matches!(
        kiosk.health("k9", &[printer("ready")]).await,
        Err(OfficeError::Refused { .. })
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_totals_of_a_day_are_reported_once() {
    let house = House::new().await;
    let kiosk = client(&house);
    let wire = |count| UsageWire {
        date: "2026-11-24".into(),
        lines: vec![UsageLineWire {
            procedure: "exoneracion-predial".into(),
            step: "question-3".into(),
            outcome: "left".into(),
            count,
        }],
        marks: vec![MarkWire { mark: 3, count }],
    };
    for count in [1, 2, 2, 1] {
        kiosk.usage("k1", &wire(count)).await.expect("taken in");
    }
    let report = house.get("/reports/usage?date=2026-11-24").await;
    assert_eq!(report["lines"][0]["count"], 2);
    assert_eq!(report["marks"], json!([{"mark": 3, "count": 2}]));
    let csv = house
        .call(Method::GET, "/reports/usage?date=2026-11-24")
        .header("Accept", "text/csv")
        .send()
        .await
        .expect("sent");
    let csv = csv.text().await.expect("text");
    assert!(csv.contains("exoneracion-predial,question-3,left,2"), "{csv}");
    let mut odd = wire(1);
    odd.lines[0].step = "=cmd()".into();
    assert!(matches!(
        kiosk.usage("k1", &odd).await,
        Err(OfficeError::Refused { status: 422, .. })
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_staff_ask_of_a_printer_reaches_the_kiosk_once_and_is_on_record() {
    let house = House::new().await;
    let kiosk = client(&house);
    let ticket = house.issue("one", "general").await;
    let reprint = json!({"order": "reprint", "ticket": ticket["id"]});
    for body in [
        &reprint,
        &reprint,
        &json!({"order": "roll_changed", "printer": "first"}),
    ] {
        let asked = house
            .call(Method::POST, "/kiosks/k1/orders")
            .json(body)
            .send()
            .await
            .expect("sent");
        assert_eq!(asked.status(), StatusCode::NO_CONTENT);
    }
    let orders = kiosk.orders("k1").await.expect("told");
    assert_eq!(orders.len(), 2, "a button pressed twice is one wish");
    let turn = orders[0].turn.as_ref().expect("the turn of the copy");
    assert_eq!(
        (turn.number.as_str(), turn.queue_name.as_str()),
        ("T-001", "Tributos")
    );
    for _ in 0..2 {
        kiosk
            .obeyed("k1", orders[0].asked, OrderOutcome::Unknown)
            .await
            .expect("heard");
    }
    // Nobody did the other one in time: nothing prints by itself long afterwards.
    house.clock.advance(ORDER_LIFE);
    let orders = kiosk.orders("k1").await.expect("told");
    assert!(orders.iter().all(|order| !order.open), "{orders:?}");
    let events = house.events().await;
    let of = |kind: &str| events.iter().filter(|event| event["type"] == kind).count();
    assert_eq!((of("printer_ordered"), of("printer_obeyed")), (2, 1));
    let asked = events.iter().find(|event| event["type"] == "printer_ordered");
    assert_eq!(asked.expect("asked")["who"], "test", "on record with who asked");

    for (body, status) in [
        (json!({"order": "roll_changed", "printer": "third"}), 400),
        (json!({"order": "shred"}), 400),
        (json!({"order": "reprint", "ticket": Uuid::nil()}), 404),
    ] {
        let refused = house
            .call(Method::POST, "/kiosks/k1/orders")
            .json(&body)
            .send()
            .await
            .expect("sent");
        assert_eq!(refused.status().as_u16(), status, "{body}");
    }
    let before = house.events().await.len();
    kiosk
        .obeyed("k1", 999, OrderOutcome::Done)
        .await
        .expect("an order that nobody gave changes nothing");
    assert_eq!(house.events().await.len(), before);
}
