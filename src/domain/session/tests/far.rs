//! How far a case is, asked at the kiosk with the code and the last digits.

use super::*;
use crate::domain::desk::CaseStatus;
use crate::domain::session::CaseFar;

fn arrived() -> CaseLook {
    CaseLook::Arrived {
        procedure: "Exoneración por edad".into(),
        registered: "24/11/2026 10:15".into(),
        received: "24/11/2026 10:16".into(),
    }
}

fn known(status: Option<CaseStatus>, note: Option<&str>) -> CaseFar {
    CaseFar::Known {
        status,
        note: note.map(ToOwned::to_owned),
        since: "25/11/2026 09:00".into(),
    }
}

/// Up to the field for the digits.
fn at_the_digits() -> Kiosk {
    let mut kiosk = Kiosk::new();
    kiosk.touch("Español");
    kiosk.input(Input::EnterCode);
    kiosk.write("0M2GA18N");
    let effects = kiosk.touch("Continuar");
    assert!(matches!(effects[..], [Effect::LookUp { .. }]), "{effects:?}");
    kiosk.input(Input::Found(Box::new(arrived())));
    kiosk.touch("Ver en qué paso está");
    assert_eq!(kiosk.view().title.text, "Los 4 últimos números de su cédula");
    kiosk
}

fn answered(far: CaseFar) -> Kiosk {
    let mut kiosk = at_the_digits();
    kiosk.write("7103");
    kiosk.touch("Continuar");
    kiosk.input(Input::FarFound(Box::new(far)));
    kiosk
}

#[test]
fn the_code_and_four_digits_tell_how_far_a_case_is() {
    let mut kiosk = at_the_digits();
    kiosk.write("71a");
    assert!(kiosk.touch("Continuar").is_empty());
    assert!(everything_shown(&kiosk.view()).contains("Faltan números."));
    kiosk.write("03 99");
    let effects = kiosk.touch("Continuar");
    let [Effect::AskFar { code, digits }] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!((code.as_str(), digits.reveal().as_str()), ("0M2G-A18N", "7103"));
    assert!(
        !format!("{effects:?}").contains("7103"),
        "an effect must be safe to log"
    );
    kiosk.input(Input::FarFound(Box::new(known(
        Some(CaseStatus::NeedsSomething),
        Some("#pay-first"),
    ))));
    let shown = everything_shown(&kiosk.view());
    for words in [
        "Necesitamos algo de usted",
        "Falta el pago.",
        "Exoneración por edad",
        "25/11/2026",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert!(!shown.contains("7103"));
}

#[test]
fn every_answer_has_words_and_a_way_on() {
    for (far, words) in [
        (known(Some(CaseStatus::Received), None), "nadie lo ha empezado"),
        (
            known(Some(CaseStatus::InProgress), Some("Llame a Ana")),
            "Llame a Ana",
        ),
        (
            known(Some(CaseStatus::Done), Some("#of-a-later-version")),
            "Terminado",
        ),
        (known(None, None), "Terminado y borrado"),
        (CaseFar::TooOften, "Pida ayuda"),
        (CaseFar::NotYet, "ya lo tiene"),
        (CaseFar::Offline, "1800 510 510"),
    ] {
        let mut kiosk = answered(far.clone());
        let shown = everything_shown(&kiosk.view());
        assert!(
            shown.contains(words) && !shown.contains("of-a-later"),
            "{far:?}: {shown}"
        );
        kiosk.touch("Entendido");
        assert_eq!(kiosk.face(), Face::Home);
    }
}

#[test]
fn digits_are_not_guessed_for_long_and_another_code_is_no_new_guess() {
    let mut kiosk = at_the_digits();
    for _ in 0..2 {
        kiosk.write("0000");
        kiosk.touch("Continuar");
        kiosk.input(Input::FarFound(Box::new(CaseFar::WrongDigits)));
        kiosk.touch("Escribirlos otra vez");
    }
    kiosk.write("0000");
    kiosk.touch("Continuar");
    kiosk.input(Input::FarFound(Box::new(CaseFar::WrongDigits)));
    kiosk.touch("Entendido");
    kiosk.input(Input::EnterCode);
    kiosk.write("0M2GA18N");
    kiosk.touch("Continuar");
    kiosk.input(Input::Found(Box::new(arrived())));
    kiosk.touch("Ver en qué paso está");
    assert!(everything_shown(&kiosk.view()).contains("Pida ayuda en información"));
}

#[test]
fn the_next_citizen_finds_neither_code_nor_tries() {
    let mut kiosk = answered(CaseFar::WrongDigits);
    kiosk.touch("Terminar");
    kiosk.touch("Español");
    assert!(kiosk.input(Input::HowFar).is_empty());
    assert_eq!(kiosk.face(), Face::Home);
    let shown = everything_shown(&at_the_digits().view());
    assert!(!shown.contains("7103"));
}
