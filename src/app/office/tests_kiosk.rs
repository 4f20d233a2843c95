//! What a kiosk asks of the office beside tickets, through the kiosk's own client.

use std::time::Duration;

use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use super::DraftAtCounter;
use super::tests::{House, KIOSK_TOKEN};
use crate::domain::printing::{ORDER_LIFE, OrderOutcome};
use crate::domain::resume::{Keys, ResumeCode, Work, seal};
use crate::sync::drafts::OpenedWire;
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

fn draft_keys(n: u8, digits: &str) -> Keys {
    Keys::of(ResumeCode::from_random([n; 5]), digits, "quitumbe", Work::LEAST)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_is_kept_opened_by_proof_and_used_once() {
    let house = House::new().await;
    let kiosk = client(&house);
    let right = draft_keys(1, "7103");
    let sealed = seal(&right, b"answers").expect("sealed");
    let until = kiosk.keep_draft(&right, &sealed, None).await.expect("kept");
    let days = until.duration_since(house.clock.now()).as_hours();
    assert!(
        (7 * 24..8 * 24).contains(&days),
        "to the end of the seventh day: {days} h"
    );
    // The answer was lost on its way: the same again is kept once.
    assert_eq!(
        kiosk.keep_draft(&right, &sealed, None).await.expect("kept"),
        until
    );
    let other = kiosk.keep_draft(&right, b"others", None).await;
    assert!(
        matches!(&other, Err(OfficeError::Refused { status: 409, code, .. }) if code == "draft_taken"),
        "{other:?}"
    );
    assert!(matches!(
        kiosk.open_draft(&draft_keys(1, "0000")).await,
        Ok(OpenedWire::Wrong { left: 4 })
    ));
    assert!(matches!(
        kiosk.open_draft(&draft_keys(2, "7103")).await,
        Ok(OpenedWire::Unknown)
    ));
    for _ in 0..2 {
        let opened = kiosk.open_draft(&right).await;
        assert!(matches!(opened, Ok(OpenedWire::Open { .. })), "{opened:?}");
    }
    for _ in 0..2 {
        kiosk.used_draft(right.id).await.expect("heard, also twice");
    }
    assert!(matches!(kiosk.open_draft(&right).await, Ok(OpenedWire::Used)));
    // Its time is over for who comes a week later, and the body goes by itself.
    let late = draft_keys(3, "7103");
    kiosk.keep_draft(&late, &sealed, None).await.expect("kept");
    house.clock.advance(SignedDuration::from_hours(9 * 24));
    house.office.erase_drafts().await;
    assert!(matches!(kiosk.open_draft(&late).await, Ok(OpenedWire::Over)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drafts_are_for_kiosks_and_staff_open_them_on_record() {
    let house = House::new().await;
    let kiosk = client(&house);
    let code = ResumeCode::from_random([1; 5]);
    // The office's own work, because staff open with it.
    let right = Keys::of(code, "7103", &house.office.config().office.id, Work::HOUSE);
    let form = r#"{"v":1,"procedure":"p","title":"Exoneración","form":["f","1"],"language":"es",
        "kept_at":"2026-11-24T15:00:00Z","rows":[{"label":"Cédula","value":"1714307103","masked":true}],
        "draft":{"answers":[],"drawn":[],"at_counter":[],"at":null}}"#;
    let sealed = seal(&right, form.as_bytes()).expect("sealed");
    kiosk.keep_draft(&right, &sealed, None).await.expect("kept");
    let (status, _) = house
        .post(
            &format!("/drafts/{}/open", right.id),
            json!({ "proof": right.proof.to_text() }),
        )
        .await;
    assert_eq!(status, StatusCode::FORBIDDEN, "a program of the staff opens none");

    let office = &house.office;
    let counter = crate::domain::ticket::CounterNumber(4);
    let digits = |text: &str| crate::domain::redacted::Redacted::new(text.to_owned());
    let wrong = office
        .open_draft_at(counter, "ana", code, digits("0000"))
        .await
        .expect("tried");
    assert!(matches!(wrong, DraftAtCounter::Wrong(4)), "{wrong:?}");
    let opened = office
        .open_draft_at(counter, "ana", code, digits("7103"))
        .await
        .expect("tried");
    let DraftAtCounter::Open { form, .. } = opened else {
        panic!("{opened:?}")
    };
    assert_eq!(form.rows[0].value.reveal(), "1714307103");
    assert!(
        !office
            .use_draft_at(counter, "ana", code, digits("0000"))
            .await
            .expect("tried")
    );
    assert!(
        office
            .use_draft_at(counter, "ana", code, digits("7103"))
            .await
            .expect("used")
    );
    assert!(matches!(kiosk.open_draft(&right).await, Ok(OpenedWire::Used)));
    let log = office
        .db()
        .read(|c| {
            let mut rows = c.prepare("SELECT event FROM audit")?;
            let rows = rows.query_map([], |row| row.get::<_, String>(0))?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?)
        })
        .expect("the log")
        .join("\n");
    assert_eq!(log.matches("draft_opened").count(), 2, "{log}");
    assert_eq!(log.matches("draft_used").count(), 1, "{log}");
    assert!(
        !log.contains("1714307103") && !log.contains(&code.plain()) && !log.contains("7103"),
        "{log}"
    );
}
