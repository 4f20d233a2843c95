//! Kiosk and office together: what staff say is what citizens see, and the other way round.

use serde_json::{Value, json};

use super::support::{Demo, Kiosk, labels, until};

/// Waits until the screen says it.
#[track_caller]
fn says(kiosk: &Kiosk, words: &str) {
    until(words, || {
        labels(&kiosk.view()).join(" ").contains(words).then_some(())
    });
}

fn calls(demo: &Demo) -> Vec<Value> {
    let calls = demo.office("GET", "/help", &Value::Null).ok().json();
    calls.as_array().cloned().unwrap_or_default()
}

#[test]
fn a_call_for_a_person_reaches_staff_with_its_step_and_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let demo = Demo::start(folder.path());
    let kiosk = demo.kiosk();
    kiosk.wait_for("attract");
    kiosk.touch("Español");
    kiosk.touch("Exoneración por edad");
    kiosk.touch("Empezar");
    kiosk.touch("Ayuda de una persona");
    says(&kiosk, "El personal ya sabe");
    let call = until("the call", || calls(&demo).pop());
    let step = call["step"].as_str().expect("a step").to_owned();
    assert!(step.starts_with("Pregunta 1 de "), "{step}");
    kiosk.touch("Ya no necesito ayuda");
    until("no call", || calls(&demo).is_empty().then_some(()));
    kiosk.touch("Ayuda de una persona");
    until("the call", || calls(&demo).pop());
    kiosk.touch("Terminar");
    until("no call after the end", || calls(&demo).is_empty().then_some(()));

    // The end of the form is in the office's report, without a word about who it was.
    let report = until("the report", || {
        let report = demo.office("GET", "/reports/usage", &Value::Null).ok().json();
        report["lines"].get(0).cloned()
    });
    assert_eq!(
        (&report["step"], &report["outcome"], &report["count"]),
        (&json!("question-1"), &json!("left"), &json!(1))
    );
    demo.running.stop();
}

#[test]
fn what_staff_say_of_a_queue_is_told_before_anybody_asks() {
    let folder = tempfile::tempdir().expect("a folder");
    let demo = Demo::start(folder.path());
    let kiosk = demo.kiosk();
    kiosk.wait_for("attract");
    kiosk.touch("Español");
    kiosk.touch("Tomar un turno");
    demo.office(
        "POST",
        "/queues/tributos/down",
        &json!({ "note": "Vuelve a las 14:00" }),
    )
    .ok();
    says(&kiosk, "Sin sistema ahora");
    kiosk.touch("Tributos");
    says(&kiosk, "Vuelve a las 14:00. Puede tomar su turno igual");
    demo.office("POST", "/queues/tributos/stop", &json!({})).ok();
    // The touch comes before the screen has heard of it, or after: both times it is told and no number is given.
    kiosk.touch("No, general");
    says(&kiosk, "Ahora no hay turnos para Tributos");
    demo.running.stop();
}
