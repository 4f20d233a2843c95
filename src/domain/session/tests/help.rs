//! A person, please: who is told, what the screen promises, and the end of the call.

use super::*;

#[test]
fn help_calls_once_tells_the_step_and_ends_with_the_session() {
    let mut kiosk = Kiosk::new();
    kiosk.touch("Español");
    kiosk.touch("Exoneración por edad");
    kiosk.touch("Empezar");
    let effects = kiosk.touch("Ayuda de una persona");
    let [Effect::CallHelp { step }] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert!(step.starts_with("Pregunta 1 de "), "{step}");
    kiosk.input(Input::HelpHeard { ok: true });
    assert_eq!(kiosk.view().title.text, "El personal ya sabe. No se vaya.");
    kiosk.touch("Seguir con mi trámite");
    assert_eq!(kiosk.face(), Face::Question);
    assert!(
        kiosk.touch("Ya avisamos").is_empty(),
        "one call, however often it is pressed"
    );
    kiosk.input(Input::HelpComes);
    assert_eq!(kiosk.view().title.text, "Ya viene una persona. No se vaya.");
    kiosk.touch("Seguir con mi trámite");
    // A person who waits for a person is not asked whether they are there after a minute.
    kiosk.wait(4 * 60);
    assert_eq!(kiosk.face(), Face::Question);
    let effects = kiosk.touch("Ya viene alguien");
    assert!(
        matches!(effects[..], [Effect::CallHelp { .. }]),
        "nobody came: the call is told again"
    );
    assert!(matches!(
        kiosk.touch("Ya no necesito ayuda")[..],
        [Effect::EndHelp]
    ));
    assert_eq!(kiosk.face(), Face::Question);
    kiosk.touch("Ayuda de una persona");
    let effects = kiosk.touch("Terminar");
    assert!(
        matches!(effects[..], [Effect::EndHelp, Effect::Count(_), Effect::Wiped]),
        "{effects:?}"
    );
}

#[test]
fn where_the_office_is_out_of_reach_the_citizen_is_told_to_wave() {
    let mut kiosk = Kiosk::new();
    kiosk.touch("Español");
    kiosk.touch("Ayuda de una persona");
    kiosk.input(Input::HelpHeard { ok: false });
    let shown = everything_shown(&kiosk.view());
    assert!(
        shown.contains("Llame con la mano") && shown.contains("1800 510 510"),
        "{shown}"
    );
    kiosk.input(Input::HelpHeard { ok: true });
    assert_eq!(kiosk.view().title.text, "El personal ya sabe. No se vaya.");
    kiosk.touch("Ya no necesito ayuda");
    kiosk.input(Input::HelpHeard { ok: true });
    kiosk.input(Input::HelpComes);
    assert_eq!(kiosk.face(), Face::Home);
    kiosk.touch("Ayuda de una persona");
}
