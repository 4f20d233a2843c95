//! Somebody who sees nothing and touches no glass: a procedure and a turn by the keypad alone, and by ear alone.

use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use ventanilla::app::kiosk::{Outlet, channel};
use ventanilla::clock::Clock;
use ventanilla::devices::narrator::{Reading, Speaker, Transcript};
use ventanilla::domain::session::{Effect, Input, Saved, Session, Setup, Surroundings, TurnLook};
use ventanilla::kiosk::driver::SessionDriver;
use ventanilla::kiosk::narrator::Narrator;
use ventanilla::kiosk::pad::Pad;
use ventanilla::kiosk::run::{Driver, Element, Size, VoiceKey};
use ventanilla::kiosk::screen::Screen;

use crate::tour;

/// More keys than any screen has stops.
const KEYS_MOST: usize = 90;

struct Person {
    screen: Screen,
    driver: SessionDriver,
    effects: UnboundedReceiver<Effect>,
    outlet: Outlet,
    heard: Transcript,
}

impl Person {
    fn new(voice: bool) -> Self {
        Self::at(tour::setup(false), voice)
    }

    /// Before a kiosk of this set-up.
    fn at(setup: Arc<Setup>, voice: bool) -> Self {
        Self::hearing(setup, voice, Transcript::default())
    }

    fn hearing(setup: Arc<Setup>, voice: bool, heard: Transcript) -> Self {
        let clock = Clock::manual("2026-11-24T15:08:00Z".parse().expect("time"));
        let (sender, effects) = unbounded_channel();
        let (outlet, inbox) = channel();
        let session = Session::new(setup, clock.now());
        let narrator = voice.then(|| Narrator::new(Box::new(heard.clone())));
        let mut person = Self {
            screen: Screen::new(Size::PORTRAIT).expect("a screen in memory needs nothing"),
            driver: SessionDriver::with(session, clock, sender, inbox, narrator),
            effects,
            outlet,
            heard,
        };
        let around = Surroundings {
            voice,
            ..tour::around()
        };
        person.tell(Input::Surroundings(Box::new(around)));
        person
    }

    fn tell(&mut self, input: Input) {
        self.outlet.post(input);
        self.driver.inbox();
        self.screen.show(&self.driver.view());
    }

    fn press(&mut self, key: Pad) {
        self.screen.press(key, &mut self.driver);
        self.screen.show(&self.driver.view());
    }

    fn focus(&self) -> Option<Element> {
        self.screen.focused()
    }

    fn is_on(&self, words: &str) -> bool {
        self.focus()
            .is_some_and(|at| at.role != "heading" && at.enabled && at.label.starts_with(words))
    }

    fn labels(&self) -> Vec<String> {
        self.screen.elements().into_iter().map(|one| one.label).collect()
    }

    /// Moves to the control of these words, and presses OK.
    #[track_caller]
    fn go(&mut self, words: &str) {
        for _ in 0..KEYS_MOST {
            if self.is_on(words) {
                return self.press(Pad::Ok);
            }
            self.press(Pad::Down);
            if self.is_on(words) {
                return self.press(Pad::Ok);
            }
            // Along a row of a keyboard, from its beginning.
            let row = self.focus().map(|at| at.y);
            let keys = self
                .screen
                .elements()
                .iter()
                .filter(|one| Some(one.y) == row && matches!(one.role, "button" | "choice"))
                .count();
            if keys >= 5 {
                (0..keys).for_each(|_| self.press(Pad::Left));
                for _ in 0..keys {
                    if self.is_on(words) {
                        return self.press(Pad::Ok);
                    }
                    self.press(Pad::Right);
                }
            }
        }
        panic!("«{words}» is out of the keypad's way: {:?}", self.labels());
    }

    /// Moves on until the voice says these words of a control, and presses OK. Nothing else is known.
    #[track_caller]
    fn listen_for(&mut self, words: &str) {
        self.heard.take();
        let mut said = Vec::new();
        for _ in 0..KEYS_MOST {
            self.press(Pad::Down);
            let now = self.heard.take();
            if now.iter().any(|line| line.starts_with(words)) {
                return self.press(Pad::Ok);
            }
            said.extend(now);
        }
        panic!("«{words}» was never said: {said:?}");
    }

    fn effect(&mut self) -> Option<Effect> {
        self.effects.try_recv().ok()
    }
}

fn number() -> Input {
    Input::Saved(Box::new(Saved::Turn(TurnLook {
        number: "T-018".into(),
        queue: "Tributos".into(),
        ahead: Some(6),
        wait: Some((20, 30)),
        qr: String::new(),
    })))
}

#[test]
fn a_turn_and_the_way_back_by_the_keypad_alone() {
    let mut person = Person::new(false);
    person.go("Español");
    person.go("Tomar un turno");
    person.press(Pad::Back);
    assert_eq!(person.driver.view().face.name(), "home");
    person.press(Pad::Help);
    assert_eq!(person.driver.view().face.name(), "help");
    person.press(Pad::Back);
    person.go("Tomar un turno");
    person.go("Tributos");
    person.go("No, general");
    let effects: Vec<Effect> = std::iter::from_fn(|| person.effect()).collect();
    assert!(
        matches!(effects.last(), Some(Effect::IssueTurn(_))),
        "{effects:?}"
    );
    person.tell(number());
    person.go("Ya lo tengo");
    person.go("Saltar");
    assert_eq!(person.driver.view().face.name(), "attract");
}

#[test]
fn a_whole_procedure_by_the_keypad_alone() {
    let mut person = Person::new(false);
    person.go("Español");
    person.go("Exoneración por edad");
    person.go("Empezar");
    let said = [
        ("cédula", "1714307103"),
        ("nació", "05081950"),
        ("predio", "512034"),
        ("recibe", "470"),
        ("vale", "38500"),
    ];
    for _ in 0..40 {
        let view = person.driver.view();
        if view.face.name() != "question" {
            break;
        }
        let elements = person.screen.elements();
        if let Some(choice) = elements.iter().find(|one| one.role == "choice") {
            if !elements
                .iter()
                .any(|one| one.role == "choice" && one.value == "true")
            {
                person.go(&choice.label);
            }
        } else if elements.iter().any(|one| one.label == "No tengo / No sé") {
            person.go("No tengo / No sé");
            continue;
        } else if let Some((_, digits)) = said.iter().find(|(key, _)| view.title.text.contains(key)) {
            for digit in digits.chars() {
                person.go(&digit.to_string());
            }
        }
        person.go("Continuar");
        assert_ne!(person.driver.view().title, view.title, "stuck");
    }
    for words in [
        "Todo está bien",
        "No, general",
        "Declaro que mis respuestas",
        "Acepto que el Municipio",
        "Enviar mi solicitud",
    ] {
        person.go(words);
    }
    let effects: Vec<Effect> = std::iter::from_fn(|| person.effect()).collect();
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Submit(request)
            if request.instance.reveal().contains("1714307103"))),
        "{effects:?}"
    );
}

#[test]
fn a_turn_by_what_is_heard_alone() {
    let mut person = Person::new(true);
    assert!(
        person.heard.lines().is_empty(),
        "silent until somebody wants a voice"
    );
    // Any key of the keypad begins.
    person.press(Pad::Down);
    let begun = person.heard.take().join(" | ");
    assert!(
        begun.starts_with("Bienvenida, bienvenido.") && begun.contains("Español"),
        "{begun}"
    );
    person.listen_for("Español");
    let home = person.heard.take().join(" | ");
    assert!(
        home.contains("¿Qué necesita hacer?") && home.contains("toque Tomar un turno"),
        "{home}"
    );
    person.listen_for("Tomar un turno");
    let queues = person.heard.take().join(" | ");
    assert!(
        queues.contains("opción uno de cinco, Tributos, veinte a treinta minutos"),
        "{queues}"
    );
    assert!(
        queues.contains("Control, Abre mañana a las ocho en punto, no disponible"),
        "{queues}"
    );
    person.listen_for("Tributos");
    let lane = person.heard.take().join(" | ");
    assert!(
        lane.contains("¿Necesita atención preferente?") && lane.contains("sesenta y cinco años o más"),
        "{lane}"
    );
    person.listen_for("No, general");
    person.tell(number());
    let turn = person.heard.take().join(" | ");
    assert!(
        turn.contains("te, cero dieciocho") && turn.contains("Espera: veinte a treinta minutos"),
        "{turn}"
    );
    // Nothing of the voice is left for the next person.
    person.listen_for("Ya lo tengo");
    person.listen_for("Saltar");
    person.heard.take();
    assert_eq!(person.driver.view().face.name(), "attract");
    assert!(person.driver.view().voice.is_none());
    assert!(person.heard.lines().is_empty());
}

#[test]
fn digits_are_never_said_and_an_error_is() {
    let mut person = Person::new(true);
    person.press(Pad::Down);
    person.listen_for("Español");
    person.go("Exoneración por edad");
    person.go("Empezar");
    person.heard.take();
    for letter in ["1", "7", "1", "4"] {
        person.driver.typed(letter);
    }
    person.screen.show(&person.driver.view());
    let typed = person.heard.take();
    assert_eq!(typed, ["número"; 4]);
    person.go("Continuar");
    let wrong = person.heard.take().join(" | ");
    assert!(
        !wrong.contains("1714") && !wrong.contains("diecisiete"),
        "{wrong}"
    );
    assert!(wrong.contains("cuatro números escritos"), "{wrong}");
    assert_eq!(
        person.focus().map(|at| at.role),
        Some("input"),
        "after an error the focus is on the field"
    );
}

#[test]
fn the_ring_comes_with_the_first_key_and_goes_with_a_finger() {
    let mut person = Person::new(false);
    assert!(person.focus().is_none());
    person.press(Pad::Down);
    person.press(Pad::Down);
    let on = person.focus().expect("it has the focus");
    person.screen.render();
    let pixel = |screen: &Screen, x: i32, y: i32| {
        let at = (y as usize * Size::PORTRAIT.width as usize + x as usize) * 3;
        screen.rgb()[at..at + 3].to_vec()
    };
    // Two rings outside of it: maíz inside, night blue outside.
    let y = on.y + on.height / 2;
    assert_eq!(pixel(&person.screen, on.x - 8, y), [0xF0, 0xB0, 0x30]);
    assert_eq!(pixel(&person.screen, on.x - 15, y), [0x0B, 0x27, 0x47]);
    person.screen.tap((on.x + on.width / 2) as f32, y as f32);
    person.screen.hand_over(&mut person.driver);
    person.screen.show(&person.driver.view());
    assert!(person.focus().is_none(), "a finger needs no ring");
}

/// Straight into the form that asks in every way.
fn in_every_way(person: &mut Person) {
    let setup = tour::setup_of_ways(false);
    person.tell(Input::Procedure(tour::ways_procedure(&setup)));
    person.tell(Input::StartForm);
    person.screen.show(&person.driver.view());
}

#[test]
fn a_long_list_an_order_and_a_scale_by_the_keypad_alone() {
    let mut person = Person::at(tour::setup_of_ways(false), false);
    person.go("Español");
    in_every_way(&mut person);
    person.go("Continuar");
    person.go("Buscar en la lista");
    for letter in ["Q", "U", "I"] {
        person.go(letter);
    }
    person.go("Quitumbe");
    person.go("Continuar");
    person.go("Agua potable");
    person.go("Continuar");
    person.go("Bajar: Arreglar las veredas");
    person.go("Continuar");
    person.go("8");
    let shown = person.labels();
    assert!(
        shown.iter().filter(|label| *label == "8").count() == 2,
        "{shown:?}"
    );
    person.go("Continuar");
}

#[test]
fn an_order_and_a_scale_are_heard() {
    let mut person = Person::at(tour::setup_of_ways(false), true);
    person.press(Pad::Down);
    person.listen_for("Español");
    in_every_way(&mut person);
    person.go("Continuar");
    let list = person.heard.take().join(" | ");
    assert!(list.contains("Buscar en la lista"), "{list}");
    person.go("Alangasí");
    person.go("Continuar");
    person.go("Continuar");
    let order = person.heard.take().join(" | ");
    assert!(
        order.contains("Lugar uno de cuatro, Arreglar las veredas"),
        "{order}"
    );
    person.listen_for("Bajar: Arreglar las veredas");
    person.go("Continuar");
    let scale = person.heard.take().join(" | ");
    assert!(scale.contains("Ningún número elegido todavía"), "{scale}");
    assert!(scale.contains("cero, dos, cuatro, seis, ocho, diez"), "{scale}");
    person.heard.take();
    person.go("8");
    let chosen = person.heard.take().join(" | ");
    assert!(chosen.contains("Número elegido: ocho"), "{chosen}");
}

#[test]
fn headphones_bring_the_voice_and_a_screen_that_only_speaks() {
    let mut person = Person::new(true);
    person.driver.headphones(true);
    person.screen.show(&person.driver.view());
    let begun = person.heard.take().join(" | ");
    assert!(
        begun.contains("Con audífonos nadie más oye") && begun.contains("Español"),
        "{begun}"
    );
    person.press(Pad::Down);
    person.listen_for("Español");
    person.go("Ver y oír mejor");
    person.heard.take();
    person.listen_for("Solo voz");
    let dark = person.heard.take();
    assert!(
        dark.first()
            .is_some_and(|line| line.starts_with("La pantalla está apagada")),
        "first of all how it comes back: {dark:?}"
    );
    person.screen.render();
    assert!(
        person.screen.rgb().iter().all(|part| *part == 0),
        "nothing is shown"
    );
    // The keypad goes on under the dark glass.
    person.listen_for("Listo");
    assert_eq!(person.driver.view().face.name(), "home");
    assert!(person.driver.view().dark);
    // A finger brings the picture back and touches nothing else.
    person.screen.tap(540.0, 900.0);
    person.screen.hand_over(&mut person.driver);
    person.screen.show(&person.driver.view());
    assert!(!person.driver.view().dark);
    assert_eq!(person.driver.view().face.name(), "home");
    person.screen.render();
    assert!(person.screen.rgb().iter().any(|part| *part > 200));
    // Taken out, the voice falls silent before the hall listens.
    person.driver.headphones(false);
    assert!(person.driver.view().voice.is_none());
    person.heard.take();
    person.press(Pad::Down);
    assert!(person.heard.lines().is_empty());
}

#[test]
fn the_dark_screen_is_for_one_person_only() {
    let mut person = Person::new(true);
    person.driver.headphones(true);
    person.press(Pad::Down);
    person.listen_for("Español");
    person.go("Ver y oír mejor");
    person.listen_for("Solo voz");
    person.listen_for("Listo");
    person.go("Terminar");
    assert_eq!(person.driver.view().face.name(), "attract");
    assert!(!person.driver.view().dark && person.driver.view().voice.is_none());
    // Without headphones nobody is offered a screen that shows nothing.
    person.driver.headphones(false);
    person.go("Español");
    person.go("Ver y oír mejor");
    assert!(!person.labels().iter().any(|label| label == "Solo voz"));
}

#[test]
fn digits_are_said_where_nobody_else_hears_them() {
    let mut person = Person::new(true);
    person.driver.headphones(true);
    person.go("Español");
    person.go("Exoneración por edad");
    person.go("Empezar");
    person.heard.take();
    person.driver.typed("7");
    assert_eq!(person.heard.take(), ["siete"]);
}

#[test]
fn the_voice_is_held_repeated_and_set_by_keys() {
    let heard = Transcript::slow();
    let mut person = Person::hearing(tour::setup(false), true, heard.clone());
    person.press(Pad::Down);
    person.press(Pad::Ok);
    person.screen.show(&person.driver.view());
    person.listen_for("Español");
    let view = person.driver.view();
    let listen = |person: &Person| person.driver.view().listen.expect("a button").words.text;
    assert_eq!((view.face.name(), listen(&person).as_str()), ("home", "Pausa"));
    person.driver.voice(VoiceKey::Pause);
    assert_eq!(heard.state(), Reading::Paused);
    assert_eq!(listen(&person), "Seguir");
    person.driver.voice(VoiceKey::Pause);
    assert_eq!(heard.state(), Reading::Speaking);
    heard.take();
    person.driver.voice(VoiceKey::Repeat);
    assert!(heard.take().join(" ").contains("¿Qué necesita hacer?"));
    person.driver.voice(VoiceKey::Louder(1));
    person.driver.voice(VoiceKey::Faster(-1));
    assert_eq!(heard.take(), ["Volumen 4", "Rapidez 2"]);
    assert_eq!(
        heard.manner().map(|manner| (manner.volume, manner.speed)),
        Some((4, 2))
    );
    // The same by the button on the screen: it holds on while it speaks.
    person.go("Pausa");
    assert_eq!(heard.state(), Reading::Paused);
}
