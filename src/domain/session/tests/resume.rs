//! A form is stopped, kept and goes on.

use super::*;
use crate::domain::procedure::ProcedureId;
use crate::domain::resume::{DraftId, Keys, ResumeCode, Work};

fn kiosk() -> Kiosk {
    let mut kiosk = Kiosk::new();
    keeps(&mut kiosk, 7, false);
    kiosk
}

fn keeps(kiosk: &mut Kiosk, draft_days: u32, offline: bool) {
    let around = Surroundings {
        draft_days,
        offline,
        ..kiosk.session.around.clone()
    };
    kiosk.input(Input::Surroundings(Box::new(around)));
}

/// The exemption with its identity number answered, at its second question.
fn begin(kiosk: &mut Kiosk) {
    kiosk.touch("Español");
    kiosk.touch("Exoneración por edad");
    kiosk.touch("Empezar");
    kiosk.write("1714307103");
    kiosk.touch("Continuar");
}

/// Ends with the code, and gives what was to be sealed, as it comes back from the seal.
#[track_caller]
fn stop(kiosk: &mut Kiosk) -> KeepRequest {
    kiosk.touch("Terminar");
    assert_eq!(kiosk.face(), Face::Leave);
    let effects = kiosk.touch("Guardar y seguir después");
    stored(effects)
}

#[track_caller]
fn stored(effects: Vec<Effect>) -> KeepRequest {
    let Ok([Effect::KeepForm(request)]) = <[Effect; 1]>::try_from(effects) else {
        panic!("nothing to keep")
    };
    assert!(!format!("{request:?}").contains("1714307103"), "safe to log");
    *request
}

fn sealed(form: &KeptForm) -> KeptForm {
    let text = serde_json::to_string(form).expect("it is written");
    serde_json::from_str(&text).expect("and read")
}

fn id() -> DraftId {
    DraftId([9; 16])
}

fn code() -> ResumeCode {
    ResumeCode::from_random([4; 5])
}

/// Somebody comes to a kiosk with the code and types these digits.
#[track_caller]
fn come_back(kiosk: &mut Kiosk, digits: &str) {
    kiosk.touch("Español");
    kiosk.touch("Tengo un código");
    kiosk.write(&code().plain());
    kiosk.touch("Continuar");
    assert_eq!(kiosk.view().title.text, "Ahora escriba sus 4 números");
    kiosk.write(digits);
    let effects = kiosk.touch("Continuar");
    let [
        Effect::OpenKept {
            code: asked,
            digits: typed,
        },
    ] = &effects[..]
    else {
        panic!("{effects:?}")
    };
    assert_eq!((*asked, typed.reveal().as_str()), (code(), digits));
    assert_eq!(kiosk.face(), Face::Saving);
}

fn found(kiosk: &mut Kiosk, found: KeptFound) {
    kiosk.input(Input::KeptFound(Box::new(found)));
}

fn open(form: &KeptForm) -> KeptFound {
    KeptFound::Open {
        form: Box::new(sealed(form)),
        id: id(),
    }
}

#[test]
fn a_form_goes_on_at_another_kiosk_where_it_was_stopped() {
    let mut here = kiosk();
    begin(&mut here);
    let question = here.view().title.text;
    let request = stop(&mut here);
    assert_eq!(
        request.digits.reveal(),
        "7103",
        "of the identity number in the form"
    );
    assert_eq!(here.face(), Face::Saving);
    let until = "2026-12-02T04:59:59Z".parse().expect("time");
    here.input(Input::Saved(Box::new(Saved::Kept {
        code: "QT7M-4K2P".into(),
        until,
    })));
    let shown = everything_shown(&here.view());
    assert!(
        shown.contains("QT7M-4K2P") && shown.contains("01/12/2026"),
        "{shown}"
    );
    assert!(
        !shown.contains("7103"),
        "code and digits never stand together: {shown}"
    );
    let effects = here.touch("Terminar");
    assert!(
        matches!(effects[..], [Effect::Wiped]),
        "nobody gave up: {effects:?}"
    );
    assert!(!everything_shown(&here.view()).contains("QT7M"));

    let mut there = kiosk();
    come_back(&mut there, "7103");
    found(&mut there, open(&request.form));
    assert_eq!(there.view().title.text, "Siga donde se quedó");
    there.touch("Continuar");
    assert_eq!(there.view().title.text, question);
    let said = [
        ("nació", "05081950"),
        ("predio", "512034"),
        ("recibe", "470"),
        ("vale", "38500"),
    ];
    fill(&mut there, &said);
    assert!(everything_shown(&there.view()).contains("17••••7103"));
    while there.face() == Face::Review {
        there.touch("Todo está bien");
    }
    there.touch("No, general");
    there.input(Input::Consent(0));
    there.input(Input::Consent(1));
    let effects = there.touch("Enviar mi solicitud");
    let [Effect::Submit(request)] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(request.resumed, Some(id()), "so that it is erased");
    assert!(request.instance.reveal().contains("1714307103"));
}

#[test]
fn a_form_without_an_identity_number_asks_for_four_digits() {
    let mut kiosk = kiosk();
    fill_the_complaint(&mut kiosk);
    kiosk.touch("Terminar");
    let effects = kiosk.touch("Guardar y seguir después");
    assert!(effects.is_empty() && kiosk.face() == Face::Code, "{effects:?}");
    kiosk.write("48");
    kiosk.touch("Continuar");
    assert!(everything_shown(&kiosk.view()).contains("Escriba 4 números."));
    kiosk.touch("Atrás");
    assert_eq!(kiosk.face(), Face::Review, "as it was");
    kiosk.touch("Terminar");
    kiosk.touch("Guardar y seguir después");
    kiosk.write("4821");
    let request = stored(kiosk.touch("Continuar"));
    assert_eq!(request.digits.reveal(), "4821");

    // And at the review it goes on.
    let mut there = self::kiosk();
    come_back(&mut there, "4821");
    found(&mut there, open(&request.form));
    there.touch("Continuar");
    assert_eq!(there.face(), Face::Review);
    assert!(everything_shown(&there.view()).contains("parlantes"));
}

#[test]
fn what_stands_in_the_field_is_kept_too() {
    let mut here = kiosk();
    begin(&mut here);
    here.touch("Atrás");
    here.input(Input::Key(Key::Clear));
    here.write("1714307103");
    let request = stop(&mut here);
    let mut there = kiosk();
    come_back(&mut there, "7103");
    found(&mut there, open(&request.form));
    there.touch("Continuar");
    assert!(
        everything_shown(&there.view()).contains("17 1430 7103")
            || everything_shown(&there.view()).contains("1714307103")
    );
}

#[test]
fn an_office_out_of_reach_is_told_and_the_form_stays_open() {
    let mut kiosk = kiosk();
    begin(&mut kiosk);
    let before = everything_shown(&kiosk.view());
    // It went away in the moment of asking.
    stop(&mut kiosk);
    kiosk.input(Input::Saved(Box::new(Saved::NotKept(NotKept::Offline))));
    let shown = everything_shown(&kiosk.view());
    assert!(shown.contains("Su trámite sigue abierto aquí"), "{shown}");
    kiosk.touch("Entendido");
    assert_eq!(everything_shown(&kiosk.view()), before, "nothing is lost");
    // From now on it is known beforehand, and said on the control.
    keeps(&mut kiosk, 7, true);
    kiosk.touch("Terminar");
    let view = kiosk.view();
    let keep = controls(&view)
        .into_iter()
        .find(|(words, _)| words == "Guardar y seguir después");
    assert!(matches!(keep, Some((_, None))), "it keeps its place");
    assert!(everything_shown(&view).contains("sin conexión con la oficina"));
    kiosk.touch("Seguir con el trámite");
    assert_eq!(kiosk.face(), Face::Question);
}

#[test]
fn leaving_drops_nothing_unasked() {
    let mut kiosk = kiosk();
    begin(&mut kiosk);
    assert!(kiosk.touch("Terminar").is_empty());
    // The second touch in the same place does nothing.
    assert!(kiosk.input(Input::Finish).is_empty());
    assert_eq!(kiosk.face(), Face::Leave);
    let effects = kiosk.touch("Terminar y borrar todo");
    assert!(
        matches!(effects[..], [Effect::Count(_), Effect::Wiped]),
        "{effects:?}"
    );
    assert_eq!(kiosk.face(), Face::Attract);
    // Where nothing was answered there is nothing to ask.
    kiosk.touch("Español");
    kiosk.touch("Exoneración por edad");
    kiosk.touch("Empezar");
    kiosk.touch("Terminar");
    assert_eq!(kiosk.face(), Face::Attract);
}

#[test]
fn silence_on_the_way_out_leads_home() {
    for way in 0..3 {
        let mut kiosk = kiosk();
        begin(&mut kiosk);
        kiosk.touch("Terminar");
        if way > 0 {
            kiosk.touch("Guardar y seguir después");
        }
        if way > 1 {
            let until = "2026-12-02T04:59:59Z".parse().expect("time");
            let code = "QT7M-4K2P".to_owned();
            kiosk.input(Input::Saved(Box::new(Saved::Kept { code, until })));
        }
        kiosk.wait(200);
        let waits = way == 1;
        assert_eq!(kiosk.face() == Face::Attract, !waits, "{way}: {:?}", kiosk.face());
    }
}

#[test]
fn the_question_about_time_offers_to_keep_it() {
    let mut kiosk = kiosk();
    begin(&mut kiosk);
    kiosk.wait(60);
    assert_eq!(kiosk.face(), Face::Idle);
    let request = stored(kiosk.touch("Guardar y seguir después"));
    assert_eq!(request.form.rows.len(), 1);
}

#[test]
fn wrong_digits_are_asked_again_and_tried_a_few_times_only() {
    let mut kiosk = kiosk();
    come_back(&mut kiosk, "0000");
    for left in (1..=4).rev() {
        found(&mut kiosk, KeptFound::Wrong { left });
        let shown = everything_shown(&kiosk.view());
        assert!(shown.contains("No son esos números."), "{shown}");
        kiosk.write("0000");
        assert_eq!(kiosk.touch("Continuar").len(), 1);
    }
    let until = "2026-11-24T16:08:00Z".parse().expect("time");
    found(&mut kiosk, KeptFound::Shut { until });
    assert!(everything_shown(&kiosk.view()).contains("pruebe desde las 11:08"));
    // Another code in the same session is guessing.
    kiosk.touch("Entendido");
    kiosk.touch("Tengo un código");
    kiosk.write(&code().plain());
    kiosk.touch("Continuar");
    kiosk.write("0000");
    assert!(kiosk.touch("Continuar").is_empty());
    assert!(everything_shown(&kiosk.view()).contains("Se probaron varios códigos."));
}

#[test]
fn every_answer_to_a_code_says_what_to_do() {
    for (answer, words) in [
        (KeptFound::Used, "Ese código ya se usó"),
        (KeptFound::Over, "El tiempo de ese código terminó"),
        (KeptFound::Unknown, "Ese código no está"),
        (KeptFound::Offline, "Ahora no se puede abrir"),
    ] {
        let mut kiosk = kiosk();
        come_back(&mut kiosk, "7103");
        found(&mut kiosk, answer);
        assert_eq!(kiosk.view().title.text, words);
        kiosk.touch("Entendido");
        assert_eq!(kiosk.face(), Face::Home);
    }
}

#[test]
fn another_version_of_the_form_keeps_what_fits_and_says_so() {
    let mut here = kiosk();
    begin(&mut here);
    let mut request = stop(&mut here);
    request.form.form.1 = "of last year".into();
    let mut there = kiosk();
    come_back(&mut there, "7103");
    found(&mut there, open(&request.form));
    assert!(everything_shown(&there.view()).contains("El formulario cambió"));
    there.touch("Continuar");
    assert_eq!(there.face(), Face::Question);
    there.touch("Atrás");
    assert!(
        everything_shown(&there.view()).contains("7103"),
        "the answer is there"
    );

    // A procedure that is gone leaves the draft to a person.
    request.form.procedure = ProcedureId::new("gone");
    let mut elsewhere = kiosk();
    come_back(&mut elsewhere, "7103");
    found(&mut elsewhere, open(&request.form));
    assert!(everything_shown(&elsewhere.view()).contains("Dé su código en una ventanilla"));
}

#[test]
fn a_form_that_goes_on_is_kept_again_in_the_place_of_the_first() {
    let mut here = kiosk();
    begin(&mut here);
    let request = stop(&mut here);
    let mut there = kiosk();
    come_back(&mut there, "7103");
    found(&mut there, open(&request.form));
    there.touch("Continuar");
    let again = stop(&mut there);
    assert_eq!(again.replaces, Some(id()));
    there.input(Input::Saved(Box::new(Saved::NotKept(NotKept::Refused))));
    there.touch("Entendido");
    there.touch("Terminar");
    assert!(everything_shown(&there.view()).contains("Lo que guardó antes sigue con su código."));
}

#[test]
fn late_answers_move_nobody() {
    let mut kiosk = kiosk();
    come_back(&mut kiosk, "7103");
    // What the office takes its time for is nobody's silence.
    kiosk.wait(100);
    assert_eq!(kiosk.face(), Face::Saving);
    found(&mut kiosk, KeptFound::Used);
    kiosk.touch("Terminar");
    found(&mut kiosk, KeptFound::Used);
    let code = "QT7M-4K2P".to_owned();
    let until = kiosk.now;
    kiosk.input(Input::Saved(Box::new(Saved::Kept { code, until })));
    assert_eq!(kiosk.face(), Face::Attract);
}

#[test]
fn a_receipts_code_still_asks_about_the_case() {
    let mut kiosk = kiosk();
    kiosk.touch("Español");
    kiosk.touch("Tengo un código");
    let receipt = crate::domain::receipt::Code::from_random([4; 5]);
    kiosk.write(&receipt.plain());
    let effects = kiosk.touch("Continuar");
    assert!(matches!(effects[..], [Effect::LookUp { .. }]), "{effects:?}");
}

#[test]
fn what_is_kept_fits_into_a_seal() {
    let mut here = kiosk();
    fill_the_exemption(&mut here);
    let request = stop(&mut here);
    let content = serde_json::to_vec(&request.form).expect("it is written");
    let keys = Keys::of(code(), "7103", "quitumbe", Work::LEAST);
    let sealed = crate::domain::resume::seal(&keys, &content).expect("it fits");
    assert!(sealed.len() < 8 * 1024, "{} bytes", sealed.len());
}
