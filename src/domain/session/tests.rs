//! Stories told through touches on words, and the law that silence leads home.

use proptest::prelude::*;

use super::view::{Action, Block, Button, Face, Item, View};
use super::*;
use crate::domain::procedure::quito;

fn setup() -> Arc<Setup> {
    let (catalogue, findings) = Catalogue::parse(&quito::FILES);
    assert!(findings.is_empty(), "{findings:?}");
    let forms = quito::FORMS
        .iter()
        .map(|(name, bytes)| {
            let (form, _) = Form::from_xlsx(bytes).unwrap_or_else(|findings| panic!("{name}: {findings:?}"));
            ((*name).to_owned(), Arc::new(form))
        })
        .collect();
    Arc::new(Setup {
        index: Index::new(&catalogue),
        catalogue: Arc::new(catalogue),
        forms,
        place: "Quitumbe".into(),
        office_kind: "Administración Zonal".into(),
        kiosk: "2".into(),
        hours: "08:00 a 16:30".into(),
        phone: "1800 510 510".into(),
        landscape: false,
        zone: TimeZone::get("America/Guayaquil").expect("zone"),
        delays: Delays::default(),
    })
}

/// A kiosk in the hands of a test: time stands still until it is moved.
struct Kiosk {
    session: Session,
    now: Timestamp,
    steps: u8,
}

impl Kiosk {
    fn new() -> Self {
        Self::with(setup())
    }

    fn with(setup: Arc<Setup>) -> Self {
        let now: Timestamp = "2026-11-24T15:08:00Z".parse().expect("time");
        let mut kiosk = Self {
            session: Session::new(setup, now),
            now,
            steps: 0,
        };
        let queue = |id: &str, name: &str| QueueLook {
            id: id.into(),
            name: name.into(),
            waiting: Some(6),
            open: Some(true),
            wait: Some((20, 30)),
        };
        kiosk.input(Input::Surroundings(Box::new(Surroundings {
            priority_run: 2,
            queues: vec![
                queue("tributos", "Tributos"),
                queue("control", "Control"),
                queue("servicios", "Servicios"),
            ],
            ..Surroundings::default()
        })));
        kiosk
    }

    fn input(&mut self, input: Input) -> Vec<Effect> {
        self.steps = self.steps.wrapping_add(1);
        self.session.step(
            input,
            Moment {
                now: self.now,
                random: [self.steps; 16],
            },
        )
    }

    fn view(&self) -> View {
        self.session.show(self.now).0
    }

    fn face(&self) -> Face {
        self.view().face
    }

    /// Touches the control with these words.
    #[track_caller]
    fn touch(&mut self, words: &str) -> Vec<Effect> {
        let (view, inputs) = self.session.show(self.now);
        let controls = controls(&view);
        let Some((_, Some(action))) = controls.iter().find(|(text, _)| text == words) else {
            panic!(
                "no «{words}» on {:?}: {:?}",
                view.face,
                controls.iter().map(|c| &c.0).collect::<Vec<_>>()
            );
        };
        self.input(inputs[usize::from(action.0)].clone())
    }

    fn write(&mut self, letters: &str) {
        self.input(Input::Typed(letters.into()));
    }

    fn wait(&mut self, seconds: i64) -> Vec<Effect> {
        let mut effects = Vec::new();
        for _ in 0..seconds {
            self.now = self.now.checked_add(SignedDuration::from_secs(1)).expect("time");
            effects.extend(self.input(Input::Tick));
        }
        effects
    }
}

fn controls(view: &View) -> Vec<(String, Option<Action>)> {
    let mut found = Vec::new();
    let mut button = |b: &Button| found.push((b.words.text.clone(), b.action));
    view.bottom
        .iter()
        .chain(&view.primary)
        .chain(&view.secondary)
        .chain(&view.cover)
        .for_each(&mut button);
    for block in &view.blocks {
        let mut items = |items: &[Item]| {
            found.extend(items.iter().map(|item| (item.words.text.clone(), item.action)));
        };
        match block {
            Block::Languages(list)
            | Block::Tiles(list)
            | Block::Rows(list)
            | Block::BigChoices(list)
            | Block::Choices { items: list, .. }
            | Block::Setting { options: list, .. } => items(list),
            Block::SearchBox(item) => items(std::slice::from_ref(item)),
            Block::Pager { before, after, .. } => {
                found.extend([before, after].map(|b| (b.words.text.clone(), b.action)));
            }
            Block::Buttons(buttons) => found.extend(buttons.iter().map(|b| (b.words.text.clone(), b.action))),
            Block::Panel { button: Some(b), .. } => found.push((b.words.text.clone(), b.action)),
            Block::Review { rows, change_word } => {
                found.extend(
                    rows.iter()
                        .map(|row| (format!("{change_word} {}", row.label), row.change)),
                );
            }
            _ => {}
        }
    }
    found
}

fn everything_shown(view: &View) -> String {
    format!("{view:?}")
}

#[test]
fn a_turn_is_two_taps_from_home() {
    let mut kiosk = Kiosk::new();
    kiosk.touch("Español");
    assert_eq!(kiosk.face(), Face::Home);
    kiosk.touch("Tomar un turno");
    kiosk.touch("Tributos");
    assert_eq!(kiosk.face(), Face::TurnLane);
    let effects = kiosk.touch("Sí, preferente");
    let [Effect::IssueTurn(wish)] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(wish.queue, "tributos");
    kiosk.input(Input::Saved(Box::new(Saved::Turn(TurnLook {
        number: "T-018".into(),
        queue: "Tributos".into(),
        ahead: Some(6),
        wait: Some((20, 30)),
        qr: "VT".into(),
    }))));
    let view = kiosk.view();
    assert_eq!(view.face, Face::Turn);
    let shown = everything_shown(&view);
    assert!(
        shown.contains("T-018") && shown.contains("20 a 30 minutos"),
        "{shown}"
    );
    assert!(
        !shown.to_lowercase().contains("preferente"),
        "the lane is nobody's business: {shown}"
    );
}

#[test]
fn a_paperless_printer_leaves_the_number_on_the_screen() {
    let mut kiosk = Kiosk::new();
    kiosk.touch("Español");
    kiosk.touch("Tomar un turno");
    kiosk.touch("Tributos");
    kiosk.touch("No, general");
    let look = TurnLook {
        number: "T-019".into(),
        queue: "Tributos".into(),
        ahead: None,
        wait: None,
        qr: "VT".into(),
    };
    kiosk.input(Input::Saved(Box::new(Saved::Turn(look))));
    kiosk.input(Input::Printed { ok: false });
    let view = kiosk.view();
    assert_eq!(view.title.text, "Su turno está tomado, pero no hay papel");
    assert!(everything_shown(&view).contains("T-019"));
}

#[test]
fn silence_asks_and_then_wipes() {
    let mut kiosk = Kiosk::new();
    kiosk.touch("English");
    kiosk.wait(59);
    assert_eq!(kiosk.face(), Face::Home);
    kiosk.wait(1);
    assert_eq!(kiosk.face(), Face::Idle);
    kiosk.touch("I need more time");
    kiosk.wait(119);
    assert_eq!(kiosk.face(), Face::Home);
    kiosk.wait(1);
    assert_eq!(kiosk.face(), Face::Idle);
    let effects = kiosk.wait(30);
    assert!(matches!(effects[..], [Effect::Wiped]), "{effects:?}");
    assert_eq!(kiosk.face(), Face::Attract);
    assert_eq!(kiosk.view().language, "es", "the next person begins anew");
}

#[test]
fn a_clock_that_is_set_back_does_not_keep_anybody_on_the_screen() {
    let mut kiosk = Kiosk::new();
    kiosk.touch("Español");
    kiosk.now = "2000-01-01T00:00:00Z".parse().expect("time");
    kiosk.wait(60 + 30 + 1);
    assert_eq!(kiosk.face(), Face::Attract);
}

#[test]
fn search_forgives_accents_and_typos() {
    for (typed, expected) in [
        ("predail", "Consultar el impuesto predial"),
        ("luae", "LUAE"),
        ("perro", "mascota"),
        ("ruido", "ruido"),
    ] {
        let mut kiosk = Kiosk::new();
        kiosk.touch("Español");
        kiosk.touch("Buscar: predial, perro, patente…");
        kiosk.write(typed);
        let shown = everything_shown(&kiosk.view()).to_lowercase();
        assert!(shown.contains(&expected.to_lowercase()), "{typed}: {shown}");
    }
}

#[test]
fn a_full_disk_refuses_before_anybody_types() {
    let mut kiosk = Kiosk::new();
    kiosk.input(Input::Surroundings(Box::new(Surroundings {
        storage_full: true,
        ..Surroundings::default()
    })));
    kiosk.touch("Español");
    kiosk.touch("Exoneración por edad");
    kiosk.touch("Empezar");
    assert_eq!(kiosk.face(), Face::Answer);
    assert!(everything_shown(&kiosk.view()).contains("No se guardó nada"));
}

#[test]
fn nothing_is_ticked_before_the_citizen_ticks_it() {
    let mut kiosk = Kiosk::new();
    fill_the_complaint(&mut kiosk);
    while kiosk.face() == Face::Review {
        kiosk.touch("Todo está bien");
    }
    if kiosk.face() == Face::TurnLane {
        kiosk.touch("No, general");
    }
    assert_eq!(kiosk.face(), Face::Consent);
    let ticked =
        kiosk.view().blocks.iter().any(
            |block| matches!(block, Block::Choices { items, .. } if items.iter().any(|item| item.chosen)),
        );
    assert!(!ticked);
    assert!(kiosk.touch("Enviar mi solicitud").is_empty());
    assert!(everything_shown(&kiosk.view()).contains("Falta marcar"));
    kiosk.touch("Declaro que mis respuestas son verdaderas");
    kiosk.touch("Acepto que el Municipio use estos datos para este trámite");
    let effects = kiosk.touch("Enviar mi solicitud");
    let [Effect::Submit(request)] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert!(request.instance.reveal().contains("<relato>") || request.instance.reveal().contains("relato"));
    assert!(
        !format!("{request:?}").contains("parlantes"),
        "a request must be safe to log"
    );
}

#[test]
fn after_the_end_nothing_of_the_last_person_is_shown() {
    let mut kiosk = Kiosk::new();
    fill_the_complaint(&mut kiosk);
    assert!(everything_shown(&kiosk.view()).contains("parlantes"));
    let effects = kiosk.touch("Terminar");
    assert!(matches!(effects[..], [Effect::Wiped]));
    for words in ["Español", "Buscar: predial, perro, patente…"] {
        assert!(!everything_shown(&kiosk.view()).contains("parlantes"));
        kiosk.touch(words);
    }
}

/// Answers every question with what fits it, in the way a hurried but honest citizen would.
fn fill_the_complaint(kiosk: &mut Kiosk) {
    kiosk.touch("Español");
    kiosk.touch("Buscar: predial, perro, patente…");
    kiosk.write("ruido");
    kiosk.input(Input::Key(Key::Enter));
    kiosk.touch("Empezar");
    for _ in 0..40 {
        let view = kiosk.view();
        if view.face != Face::Question {
            break;
        }
        let choice = view.blocks.iter().find_map(|block| match block {
            Block::Choices { items, .. } => items.first().map(|item| item.words.text.clone()),
            _ => None,
        });
        let several = view
            .blocks
            .iter()
            .any(|block| matches!(block, Block::Choices { several: true, .. }));
        match (choice, view.keyboard.as_ref().map(|keys| keys.kind)) {
            (Some(first), _) => {
                let chosen = view.blocks.iter().any(
                    |block| matches!(block, Block::Choices { items, .. } if items.iter().any(|item| item.chosen)),
                );
                if !(several && chosen) {
                    kiosk.touch(&first);
                }
            }
            (None, Some(view::KeyboardKind::Text)) => {
                kiosk.input(Input::Key(Key::Clear));
                kiosk.write("Tienen parlantes en la vereda toda la noche");
            }
            (None, Some(_)) => {
                kiosk.input(Input::Key(Key::Clear));
                let optional = controls(&view)
                    .iter()
                    .any(|(words, _)| words == "No tengo / No sé");
                if optional {
                    kiosk.touch("No tengo / No sé");
                    continue;
                }
                kiosk.write("0987654321");
            }
            (None, None) => {}
        }
        let before = everything_shown(&kiosk.view());
        kiosk.touch("Continuar");
        assert_ne!(before, everything_shown(&kiosk.view()), "stuck");
    }
    assert_eq!(kiosk.face(), Face::Review, "{:?}", kiosk.view());
}

fn any_input() -> impl Strategy<Value = u16> {
    any::<u16>()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever was touched, in whatever order: silence leads home, and home knows nobody.
    #[test]
    fn from_any_state_silence_leads_home(touches in proptest::collection::vec(any_input(), 0..40)) {
        thread_local!(static SETUP: Arc<Setup> = setup());
        let mut kiosk = Kiosk::with(SETUP.with(Arc::clone));
        for touch in touches {
            let (_, inputs) = kiosk.session.show(kiosk.now);
            if inputs.is_empty() {
                // Something is being saved: the shell always answers.
                kiosk.input(Input::Saved(Box::new(Saved::Failed)));
                kiosk.input(Input::Found(Box::new(CaseLook::Unknown)));
                continue;
            }
            let input = inputs[usize::from(touch) % inputs.len()].clone();
            kiosk.input(input);
            if touch % 5 == 0 {
                kiosk.write("17143abc");
            }
            if touch % 11 == 0 {
                kiosk.wait(i64::from(touch % 70));
            }
        }
        kiosk.input(Input::Saved(Box::new(Saved::Failed)));
        kiosk.input(Input::Found(Box::new(CaseLook::Offline)));
        kiosk.wait(10 * 60 + 31);
        prop_assert!(matches!(kiosk.face(), Face::Attract | Face::OutOfService), "{:?}", kiosk.face());
        prop_assert!(kiosk.session.is_at_rest());
        let anew = Session::new(SETUP.with(Arc::clone), kiosk.now);
        prop_assert_eq!(&kiosk.session.comfort, &anew.comfort);
        prop_assert!(kiosk.session.trail.is_empty());
    }
}
