//! A newer catalogue comes while somebody is at the screen.

use super::*;

/// Another edition, in which nothing is left of the procedures but one.
fn newer() -> Arc<Setup> {
    let mut setup = Arc::into_inner(setup()).expect("nobody else has it");
    let (catalogue, _) = Catalogue::parse(&quito::FILES[..2]);
    setup.edition = "second".into();
    setup.place = "Calderón".into();
    setup.index = Index::new(&catalogue);
    setup.catalogue = Arc::new(catalogue);
    setup.forms = HashMap::new();
    Arc::new(setup)
}

fn is_adoption(effects: &[Effect]) -> bool {
    matches!(effects, [.., Effect::Adopted { edition }] if edition == "second")
}

#[test]
fn nobody_at_the_screen_means_at_once() {
    let mut kiosk = Kiosk::new();
    assert!(is_adoption(&kiosk.input(Input::Offered(newer()))));
    assert_eq!(kiosk.session.setup().edition, "second");
    assert!(kiosk.wait(3).is_empty(), "once");
}

#[test]
fn a_form_that_was_withdrawn_is_finished_by_whoever_began_it() {
    let mut kiosk = Kiosk::new();
    fill_the_complaint(&mut kiosk);
    let shown = everything_shown(&kiosk.view());
    assert!(kiosk.input(Input::Offered(newer())).is_empty());
    assert_eq!(
        everything_shown(&kiosk.view()),
        shown,
        "nothing moves under anybody's hands"
    );
    while kiosk.face() == Face::Review {
        kiosk.touch("Todo está bien");
    }
    if kiosk.face() == Face::TurnLane {
        kiosk.touch("No, general");
    }
    let effects = send(&mut kiosk);
    assert!(matches!(effects[..], [Effect::Submit(_)]), "{effects:?}");
    kiosk.input(Input::Saved(Box::new(registered(None))));
    assert_eq!(
        kiosk.session.setup().edition,
        "first",
        "its papers and words are of the form it was"
    );
    kiosk.touch("Terminar");
    let effects = kiosk.wait(20);
    assert!(is_adoption(&effects), "{effects:?}");
    assert!(
        matches!(effects[..], [Effect::Wiped, Effect::Adopted { .. }]),
        "first all is gone: {effects:?}"
    );
    kiosk.touch("Español");
    kiosk.touch("Buscar: predial, perro, patente…");
    kiosk.write("ruido");
    assert!(!everything_shown(&kiosk.view()).contains("parlantes"));
}

#[test]
fn silence_brings_it_too_and_the_latest_counts() {
    let mut kiosk = Kiosk::new();
    kiosk.touch("English");
    let mut middle = Arc::into_inner(newer()).expect("nobody else has it");
    middle.edition = "between".into();
    kiosk.input(Input::Offered(Arc::new(middle)));
    kiosk.input(Input::Offered(newer()));
    kiosk.wait(59);
    assert_eq!(
        kiosk.session.setup().edition,
        "first",
        "the question whether anybody is there is not the end"
    );
    let effects = kiosk.wait(31);
    assert!(is_adoption(&effects), "{effects:?}");
}
