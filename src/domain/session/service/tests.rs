//! A technician at the door, inside, and through the self-test.

use std::sync::Arc;

use jiff::SignedDuration;

use super::*;
use crate::domain::id::Moment;
use crate::domain::session::Setup;
use crate::domain::session::tests::setup;
use crate::domain::technician::Secret;
use crate::i18n::Language;

struct Kiosk {
    session: Session,
    now: Timestamp,
    secret: Secret,
}

impl Kiosk {
    fn new() -> Self {
        let secret = Secret::new([5; 32]).of_device("k2");
        let Ok(mut setup) = Arc::try_unwrap(setup()).map(Some) else {
            panic!("nobody else holds it")
        };
        let mut setup: Setup = setup.take().expect("a set-up");
        setup.technician = Some(secret.clone());
        let now = "2026-11-24T15:00:00Z".parse().expect("a time");
        Self {
            session: Session::new(Arc::new(setup), now),
            now,
            secret,
        }
    }

    fn give(&mut self, input: Input) -> Vec<Effect> {
        let moment = Moment {
            now: self.now,
            random: [9; 16],
        };
        self.session.step(input, moment)
    }

    fn view(&self) -> View {
        self.session.show(self.now).0
    }

    fn go_to_door(&mut self) -> String {
        self.give(Input::Start(Language::Spanish));
        self.give(Input::EnterCode);
        self.give(Input::Typed(WORD.to_lowercase()));
        self.give(Input::Continue);
        let help = self.view().help;
        help.chars()
            .rev()
            .filter(char::is_ascii_digit)
            .take(6)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect()
    }

    fn inside(&mut self) -> Vec<Effect> {
        let question = self.go_to_door();
        let code = self.secret.code(&question);
        self.give(Input::Typed(code));
        self.give(Input::Continue)
    }
}

fn seen(part: Part, ok: Option<bool>) -> PartLook {
    PartLook {
        part,
        ok,
        detail: String::new(),
    }
}

#[test]
fn the_code_for_the_number_on_the_screen_opens_and_silence_shuts() {
    let mut kiosk = Kiosk::new();
    let effects = kiosk.inside();
    assert!(
        matches!(effects[..], [Effect::Service(ServiceAct::Look)]),
        "{effects:?}"
    );
    kiosk.give(Input::ServiceLook(Box::new(ServiceLook {
        parts: vec![seen(Part::Network, Some(false))],
        remote: false,
        updates: false,
    })));
    let view = kiosk.view();
    assert_eq!(view.face, Face::Service);
    let shown = format!("{:?}", view.blocks);
    assert!(
        shown.contains("Red con la oficina") && shown.contains("mal"),
        "{shown}"
    );
    assert!(!shown.contains("Acceso remoto"), "the image has none");
    let effects = kiosk.give(Input::Service(ServiceAct::TestPage));
    assert!(matches!(effects[..], [Effect::Service(ServiceAct::TestPage)]));
    kiosk.give(Input::ServiceDone { ok: true });
    assert!(format!("{:?}", kiosk.view().blocks).contains("Hecho"));
    kiosk.now += SignedDuration::from_mins(10);
    kiosk.give(Input::Tick);
    kiosk.now += SignedDuration::from_secs(30);
    kiosk.give(Input::Tick);
    assert_eq!(kiosk.view().face, Face::Attract, "nobody was there any more");
}

#[test]
fn wrong_codes_shut_the_door_for_the_next_session_too() {
    let mut kiosk = Kiosk::new();
    kiosk.go_to_door();
    for _ in 0..5 {
        kiosk.give(Input::Typed("00000000".into()));
        kiosk.give(Input::Continue);
    }
    assert!(format!("{:?}", kiosk.view().blocks).contains("10:15"));
    kiosk.give(Input::Back);
    kiosk.go_to_door();
    assert!(
        format!("{:?}", kiosk.view().blocks).contains("Cerrado"),
        "also after it was left"
    );
}

#[test]
fn without_a_secret_the_word_is_only_a_wrong_code() {
    let now = "2026-11-24T15:00:00Z".parse().expect("a time");
    let mut kiosk = Kiosk::new();
    kiosk.session = Session::new(setup(), now);
    kiosk.go_to_door();
    assert_eq!(kiosk.view().face, Face::Code);
}

#[test]
fn a_self_test_asks_looks_and_is_kept() {
    let mut kiosk = Kiosk::new();
    kiosk.session.begin_first_test();
    kiosk.give(Input::Continue);
    for square in 0..SQUARES {
        kiosk.give(Input::Choose(square));
    }
    assert_eq!(kiosk.view().title.text, "¿Se ve bien la pantalla?");
    let effects = kiosk.give(Input::Choose(0));
    assert!(
        matches!(effects[..], [Effect::ReadAloud]),
        "the voice speaks before it is asked for"
    );
    let effects = kiosk.give(Input::Choose(2));
    assert!(matches!(effects[..], [Effect::Service(ServiceAct::TestPage)]));
    kiosk.give(Input::ServiceDone { ok: true });
    kiosk.give(Input::Choose(1));
    let effects = kiosk.give(Input::Choose(0));
    assert!(
        matches!(effects[..], [Effect::Service(ServiceAct::Look)]),
        "{effects:?}"
    );
    let parts = vec![seen(Part::Network, Some(true)), seen(Part::Outbox, Some(true))];
    let effects = kiosk.give(Input::ServiceLook(Box::new(ServiceLook {
        parts,
        ..ServiceLook::default()
    })));
    let [Effect::Service(ServiceAct::Keep(found))] = &effects[..] else {
        panic!("{effects:?}")
    };
    let found: Vec<_> = found.iter().map(|one| (one.part, one.ok)).collect();
    assert_eq!(
        found,
        [
            (Part::Touch, Some(true)),
            (Part::Screen, Some(true)),
            (Part::Sound, None),
            (Part::Printer, Some(false)),
            (Part::Keypad, Some(true)),
            (Part::Network, Some(true)),
        ]
    );
    assert!(format!("{:?}", kiosk.view().blocks).contains("Algo está mal"));
    kiosk.give(Input::Continue);
    assert_eq!(kiosk.view().face, Face::Attract, "it serves");
}
