//! A form is stopped at a kiosk and goes on, through the real program: sealed meanwhile, erased after use.

use std::path::Path;

use serde_json::Value;

use super::support::{Demo, Kiosk, code_on, files_with, labels, until};

const CEDULA: &str = "1714307103";

/// The exemption with its identity number, stopped at the second question; gives the code.
#[track_caller]
fn stop_a_form(demo: &Demo, kiosk: &Kiosk) -> String {
    kiosk.wait_for("attract");
    kiosk.touch("Español");
    kiosk.touch("Exoneración por edad");
    kiosk.touch("Empezar");
    kiosk.write(CEDULA);
    kiosk.touch("Continuar");
    // The kiosk hears from the office that it keeps forms within a look or two.
    until("the form is kept", || {
        if kiosk.face() == "question" {
            kiosk.touch("Terminar");
        }
        if kiosk.face() == "leave" {
            let view = kiosk.view();
            let words = labels(&view).join(" ");
            if words.contains("sin conexión") || words.contains("no se guarda") {
                kiosk.touch("Seguir con el trámite");
            } else {
                kiosk.touch("Guardar y seguir después");
            }
        }
        (kiosk.face() == "success").then_some(())
    });
    let code = code_on(&kiosk.view());
    let paper = until("the paper", || {
        demo.papers().into_iter().find(|paper| paper.contains(&code))
    });
    assert!(!paper.contains("7103"), "the digits are on the paper: {paper}");
    assert!(paper.contains("no es un comprobante"), "{paper}");
    kiosk.touch("Terminar");
    kiosk.wait_for("attract");
    code
}

/// Types code and digits, and waits for what comes of it.
#[track_caller]
fn come_back(kiosk: &Kiosk, code: &str, digits: &str) -> Value {
    kiosk.wait_for("attract");
    kiosk.touch("Español");
    kiosk.touch("Tengo un código");
    kiosk.write(code);
    kiosk.touch("Continuar");
    kiosk.write(digits);
    kiosk.touch("Continuar");
    until("an answer", || {
        let view = kiosk.view();
        (view["face"] != "saving").then_some(view)
    })
}

#[track_caller]
fn says(view: &Value, words: &str) {
    let said = labels(view).join(" ");
    assert!(said.contains(words), "no «{words}» in {said}");
}

fn nothing_readable(folder: &Path, code: &str) {
    let plain = code.replace('-', "");
    for secret in [CEDULA, &plain] {
        for role in ["kiosk", "office", "central"] {
            let found = files_with(&folder.join(role), secret);
            assert!(found.is_empty(), "{secret} is readable in {found:?}");
        }
    }
}

#[test]
fn a_form_outlives_the_plug_and_is_erased_once_it_was_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let demo = Demo::start(folder.path());
    let code = stop_a_form(&demo, &demo.kiosk());
    nothing_readable(folder.path(), &code);

    // The plug, for kiosk and office at once.
    let log = demo.running.kill();
    assert!(!log.contains(CEDULA) && !log.contains(&code), "{log}");
    let demo = Demo::start(folder.path());
    let kiosk = demo.kiosk();

    says(&come_back(&kiosk, &code, "0000"), "Le quedan 4 intentos");
    kiosk.touch("Terminar");
    let view = come_back(&kiosk, &code, "7103");
    says(&view, "Siga donde se quedó");

    // It dies with the form open: the code still serves.
    demo.running.kill();
    let demo = Demo::start(folder.path());
    let kiosk = demo.kiosk();
    says(&come_back(&kiosk, &code, "7103"), "Siga donde se quedó");
    kiosk.touch("Continuar");
    kiosk.fill(&[
        ("cédula", CEDULA),
        ("nació", "05081950"),
        ("predio", "512034"),
        ("recibe", "470"),
        ("vale", "38500"),
    ]);
    while kiosk.face() == "review" {
        kiosk.touch("Todo está bien");
    }
    kiosk.touch("No, general");
    kiosk.touch("Declaro que mis respuestas");
    kiosk.touch("Acepto que el Municipio");
    kiosk.touch("Enviar mi solicitud");
    kiosk.wait_for("success");
    kiosk.touch("Terminar");
    if kiosk.face() == "satisfaction" {
        kiosk.touch("Saltar");
    }

    // The office hears of it within a few seconds; until then it opens once more, which harms nobody.
    until("it is used", || {
        let view = come_back(&kiosk, &code, "7103");
        let used = labels(&view).join(" ").contains("ya se usó");
        kiosk.touch("Terminar");
        if kiosk.face() == "leave" {
            kiosk.touch("Terminar sin guardar");
        }
        used.then_some(())
    });
    nothing_readable(folder.path(), &code);
    let listed = demo.central("/api/v1/submissions").ok();
    assert_eq!(listed.text.matches("\"code\"").count(), 1, "{}", listed.text);
    let log = demo.running.stop();
    assert!(!log.contains(CEDULA) && !log.contains(&code), "{log}");
}
