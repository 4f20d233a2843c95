//! Stories told through touches on words, and the law that silence leads home.

mod far;
mod help;
mod offer;
mod resume;
mod ways;

use proptest::prelude::*;

use super::view::{Action, Block, Button, Face, Item, View};
use super::*;
use crate::domain::procedure::quito;

pub(super) fn setup() -> Arc<Setup> {
    let (catalogue, findings) = Catalogue::parse(&quito::FILES);
    assert!(findings.is_empty(), "{findings:?}");
    let forms = quito::FORMS
        .iter()
        .map(|(name, bytes)| {
            let (form, _) = Form::from_workbook(name, bytes, &quito::lists())
                .unwrap_or_else(|findings| panic!("{name}: {findings:?}"));
            ((*name).to_owned(), Arc::new(form))
        })
        .collect();
    Arc::new(Setup {
        edition: "first".into(),
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
        device: "k2".into(),
        technician: None,
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
            ..QueueLook::default()
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

    /// The office says something else of the queue of taxes.
    fn tributos(&mut self, change: impl FnOnce(&mut QueueLook)) {
        let mut around = self.session.around.clone();
        change(
            around
                .queues
                .iter_mut()
                .find(|queue| queue.id == "tributos")
                .expect("it is there"),
        );
        self.input(Input::Surroundings(Box::new(around)));
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
            Block::Ranking(ranked) => found.extend(
                ranked
                    .iter()
                    .flat_map(|one| [(one.up_word.clone(), one.up), (one.down_word.clone(), one.down)]),
            ),
            Block::Scale(scale) => {
                items(&scale.stops);
                found.extend([&scale.less, &scale.more].map(|b| (b.words.text.clone(), b.action)));
            }
            Block::Cards(cards) => found.extend(
                cards
                    .iter()
                    .flat_map(|card| [&card.change, &card.remove])
                    .map(|b| (b.words.text.clone(), b.action)),
            ),
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
fn a_missing_tick_is_pointed_out_where_it_is_missing() {
    let mut kiosk = Kiosk::new();
    fill_the_complaint(&mut kiosk);
    let huge = Comfort {
        size: view::TextSize::Huge,
        ..kiosk.session.comfort
    };
    kiosk.touch("Todo está bien");
    kiosk.input(Input::Comfort(huge));
    if kiosk.face() == Face::TurnLane {
        kiosk.input(Input::Lane(crate::domain::ticket::Lane::General));
    }
    assert_eq!(kiosk.face(), Face::Consent);
    kiosk.input(Input::Consent(0));
    kiosk.input(Input::Send);
    let shown = kiosk.view();
    let said = everything_shown(&shown);
    assert!(
        said.contains("Falta marcar") && said.contains("Acepto que el Municipio use"),
        "{said}"
    );
    assert!(
        !controls(&shown)
            .iter()
            .any(|(words, _)| words.starts_with("Declaro")),
        "{said}"
    );
    // And the pages beside it are still to be had.
    kiosk.input(Input::Sheet(-1));
    assert_ne!(everything_shown(&kiosk.view()), said);
}

#[test]
fn after_the_end_nothing_of_the_last_person_is_shown() {
    let mut kiosk = Kiosk::new();
    fill_the_complaint(&mut kiosk);
    assert!(everything_shown(&kiosk.view()).contains("parlantes"));
    assert!(kiosk.touch("Terminar").is_empty());
    assert!(!everything_shown(&kiosk.view()).contains("parlantes"));
    let effects = kiosk.touch("Terminar y borrar todo");
    assert!(
        matches!(effects[..], [Effect::Count(_), Effect::Wiped]),
        "{effects:?}"
    );
    for words in ["Español", "Buscar: predial, perro, patente…"] {
        assert!(!everything_shown(&kiosk.view()).contains("parlantes"));
        kiosk.touch(words);
    }
}

/// A complaint about noise up to its review.
fn fill_the_complaint(kiosk: &mut Kiosk) {
    kiosk.touch("Español");
    kiosk.touch("Buscar: predial, perro, patente…");
    kiosk.write("ruido");
    kiosk.input(Input::Key(Key::Enter));
    kiosk.touch("Empezar");
    fill(
        kiosk,
        &[
            ("", "Tienen parlantes en la vereda toda la noche"),
            ("teléfono", "0987654321"),
        ],
    );
}

/// The exemption of older adults, which goes with a turn, up to its review.
fn fill_the_exemption(kiosk: &mut Kiosk) {
    kiosk.touch("Español");
    kiosk.touch("Exoneración por edad");
    kiosk.touch("Empezar");
    let said = [
        ("cédula", "1714307103"),
        ("nació", "05081950"),
        ("predio", "512034"),
        ("recibe", "470"),
        ("vale", "38500"),
    ];
    fill(kiosk, &said);
}

/// Answers every question: the first choice, nothing where nothing is needed, else what is said for a question
/// whose words hold a key.
fn fill(kiosk: &mut Kiosk, said: &[(&str, &str)]) {
    for _ in 0..40 {
        let view = kiosk.view();
        if view.face != Face::Question {
            break;
        }
        let items = view.blocks.iter().find_map(|block| match block {
            Block::Choices { items, .. } => Some(items.clone()),
            _ => None,
        });
        let optional = controls(&view)
            .iter()
            .any(|(words, _)| words == "No tengo / No sé");
        match items {
            Some(items) if items.iter().any(|item| item.chosen) => {}
            Some(items) => {
                kiosk.touch(&items[0].words.text);
            }
            None if view.keyboard.is_some() && optional => {
                kiosk.touch("No tengo / No sé");
                continue;
            }
            None if view.keyboard.is_some() => {
                kiosk.input(Input::Key(Key::Clear));
                let (_, answer) = said
                    .iter()
                    .find(|(key, _)| view.title.text.contains(key))
                    .unwrap_or_else(|| panic!("nothing to say to «{}»", view.title.text));
                kiosk.write(answer);
            }
            None => {}
        }
        let before = everything_shown(&kiosk.view());
        kiosk.touch("Continuar");
        assert_ne!(before, everything_shown(&kiosk.view()), "stuck");
    }
    assert_eq!(kiosk.face(), Face::Review, "{:?}", kiosk.view());
}

#[test]
fn a_queue_that_gives_no_turns_says_why_before_anybody_asks() {
    let monday: Timestamp = "2026-11-30T13:00:00Z".parse().expect("time");
    for (shut, said) in [
        (Shut::Closed { opens: Some(monday) }, "Abre el lunes a las 08:00"),
        (Shut::Closed { opens: None }, "Cerrado ahora"),
        (Shut::Full, "Hoy ya no quedan turnos"),
        (Shut::TooLate, "Hoy ya no alcanza"),
        (Shut::Stopped, "Por hoy no hay más turnos"),
    ] {
        let mut kiosk = Kiosk::new();
        kiosk.touch("Español");
        kiosk.tributos(|queue| queue.shut = Some(shut));
        kiosk.touch("Tomar un turno");
        let controls = controls(&kiosk.view());
        assert!(
            controls
                .iter()
                .any(|(words, action)| words == "Tributos" && action.is_none())
        );
        assert!(everything_shown(&kiosk.view()).contains(said), "{said}");
        // A touch on the screen of a moment ago.
        kiosk.input(Input::Queue("tributos".into()));
        assert_eq!(kiosk.view().title.text, "Ahora no hay turnos para Tributos");
        kiosk.touch("Entendido");
        kiosk.touch("Exoneración por edad");
        let shown = everything_shown(&kiosk.view());
        assert!(shown.contains("Ahora no hay turnos para Tributos") && shown.contains("sí puede enviarla"));
    }
}

#[test]
fn without_the_office_held_numbers_serve_whatever_it_said_last() {
    let mut kiosk = Kiosk::new();
    kiosk.touch("Español");
    kiosk.tributos(|queue| queue.shut = Some(Shut::Full));
    let mut around = kiosk.session.around.clone();
    around.offline = true;
    kiosk.input(Input::Surroundings(Box::new(around)));
    kiosk.touch("Tomar un turno");
    kiosk.touch("Tributos");
    assert_eq!(kiosk.face(), Face::TurnLane);
}

#[test]
fn a_form_of_a_shut_queue_goes_without_a_turn_and_says_so() {
    let mut kiosk = Kiosk::new();
    fill_the_exemption(&mut kiosk);
    let mut around = kiosk.session.around.clone();
    for queue in &mut around.queues {
        queue.shut = Some(Shut::Full);
    }
    kiosk.input(Input::Surroundings(Box::new(around)));
    kiosk.touch("Todo está bien");
    assert_eq!(
        kiosk.face(),
        Face::Consent,
        "no lane is asked for a turn that is not given"
    );
    assert!(everything_shown(&kiosk.view()).contains("va sin turno"));
    let effects = send(&mut kiosk);
    let [Effect::Submit(request)] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert!(request.turn.is_none());
    let effects = kiosk.input(Input::Saved(Box::new(registered(None))));
    assert!(matches!(&effects[..], [Effect::Count(mark)] if mark.outcome == Outcome::Sent));
    let shown = everything_shown(&kiosk.view());
    assert!(
        shown.contains("QT7M-4K2P") && shown.contains("Hoy ya dimos todos los turnos"),
        "{shown}"
    );
}

#[test]
fn a_refusal_at_the_last_moment_leaves_the_registration_and_says_why() {
    let mut kiosk = Kiosk::new();
    fill_the_exemption(&mut kiosk);
    kiosk.touch("Todo está bien");
    kiosk.touch("No, general");
    let effects = send(&mut kiosk);
    assert!(matches!(&effects[..], [Effect::Submit(request)] if request.turn.is_some()));
    kiosk.input(Input::Saved(Box::new(registered(Some(Err(NoTurn::Shut(
        Shut::TooLate,
    )))))));
    let view = kiosk.view();
    assert_eq!(view.face, Face::Success);
    let shown = everything_shown(&view);
    assert!(
        shown.contains("Su solicitud sí está registrada. Hoy ya no alcanza"),
        "{shown}"
    );
}

#[test]
fn a_refused_turn_names_its_queue_and_what_to_do() {
    let mut kiosk = Kiosk::new();
    kiosk.touch("Español");
    kiosk.touch("Tomar un turno");
    kiosk.touch("Tributos");
    kiosk.touch("No, general");
    kiosk.input(Input::Saved(Box::new(Saved::NoTurn {
        queue: "tributos".into(),
        why: NoTurn::Shut(Shut::Stopped),
    })));
    let shown = everything_shown(&kiosk.view());
    assert!(shown.contains("Ahora no hay turnos para Tributos") && shown.contains("pregunte en información"));
    kiosk.touch("Entendido");
    assert_eq!(kiosk.face(), Face::Home);
}

#[test]
fn a_system_that_is_down_is_told_with_the_words_of_staff_and_the_turn_can_be_taken() {
    let mut kiosk = Kiosk::new();
    kiosk.touch("Español");
    kiosk.tributos(|queue| queue.down = Some("Vuelve a las 14:00".into()));
    assert!(
        everything_shown(&kiosk.view()).contains("Sin sistema ahora"),
        "the start page tells it"
    );
    kiosk.touch("Exoneración por edad");
    let shown = everything_shown(&kiosk.view());
    assert!(
        shown.contains("Vuelve a las 14:00. Puede llenar y enviar su solicitud igual."),
        "{shown}"
    );
    kiosk.touch("Atrás");
    kiosk.touch("Tomar un turno");
    kiosk.touch("Tributos");
    assert!(everything_shown(&kiosk.view()).contains("Vuelve a las 14:00. Puede tomar su turno igual"));
    let effects = kiosk.touch("No, general");
    assert!(matches!(effects[..], [Effect::IssueTurn(_)]));
}

#[test]
fn who_was_called_and_absent_comes_back_with_the_number_of_the_paper() {
    let mut kiosk = Kiosk::new();
    kiosk.touch("Español");
    kiosk.touch("Tomar un turno");
    kiosk.touch("Me llamaron y no estuve");
    kiosk.write("t18");
    let effects = kiosk.touch("Buscar mi turno");
    assert!(
        matches!(&effects[..], [Effect::LookUpTurn { number }] if number == "T-018"),
        "{effects:?}"
    );
    let ticket = crate::domain::id::TicketId::new(Moment {
        now: kiosk.now,
        random: [7; 16],
    });
    kiosk.input(Input::TurnFound(Box::new(TurnFound::Absent {
        ticket,
        number: "T-018".into(),
        queue: "Tributos".into(),
        behind: 2,
    })));
    assert!(everything_shown(&kiosk.view()).contains("pasará después de 2 turnos"));
    let effects = kiosk.touch("Volver a la fila");
    assert!(matches!(&effects[..], [Effect::Rejoin { ticket: moved, .. }] if *moved == ticket));
    kiosk.input(Input::TurnFound(Box::new(TurnFound::Waiting {
        turn: TurnLook {
            number: "T-018".into(),
            queue: "Tributos".into(),
            ahead: Some(2),
            wait: Some((5, 10)),
            qr: String::new(),
        },
        back: true,
    })));
    assert!(everything_shown(&kiosk.view()).contains("T-018 está otra vez en la fila"));
}

#[test]
fn numbers_are_not_guessed_for_long() {
    let mut kiosk = Kiosk::new();
    kiosk.touch("Español");
    for asked in 0..6 {
        kiosk.touch("Tomar un turno");
        kiosk.touch("Me llamaron y no estuve");
        kiosk.write(&format!("T{}", asked + 1));
        let effects = kiosk.touch("Buscar mi turno");
        assert_eq!(effects.len(), usize::from(asked < 5), "{asked}: {effects:?}");
        kiosk.input(Input::TurnFound(Box::new(TurnFound::Unknown {
            number: "T-001".into(),
        })));
        kiosk.touch("Entendido");
    }
}

#[test]
fn where_a_form_was_left_is_counted_and_nothing_else() {
    let mut kiosk = Kiosk::new();
    fill_the_complaint(&mut kiosk);
    let effects = kiosk.wait(60 + 30);
    let [Effect::Count(mark), Effect::Wiped] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!((mark.step.as_str(), mark.outcome), ("review", Outcome::Silent));
    assert!(!format!("{mark:?}").contains("parlantes"));
    kiosk.touch("Español");
    kiosk.touch("Exoneración por edad");
    kiosk.touch("Empezar");
    let effects = kiosk.touch("Atrás");
    assert!(
        matches!(&effects[..], [Effect::Count(mark)] if mark.step == "question-1" && mark.outcome == Outcome::Left)
    );
}

/// Ticks what must be ticked and sends.
fn send(kiosk: &mut Kiosk) -> Vec<Effect> {
    kiosk.touch("Declaro que mis respuestas son verdaderas");
    kiosk.touch("Acepto que el Municipio use estos datos para este trámite");
    kiosk.touch("Enviar mi solicitud")
}

fn registered(turn: Option<Result<TurnLook, NoTurn>>) -> Saved {
    Saved::Submission {
        code: "QT7M-4K2P".into(),
        qr: "VT".into(),
        time: "10:15".into(),
        turn,
        papers: 1,
    }
}

/// Resident memory in kB, where the system tells it.
fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4)
}

/// Set `RANDOM_SESSIONS=10000` for the long run.
#[test]
fn random_sessions_never_come_to_a_dead_end_and_leave_nothing_behind() {
    let sessions: u64 = std::env::var("RANDOM_SESSIONS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(200);
    let mut kiosk = Kiosk::new();
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % below.max(1) as u64).unwrap_or(0)
    };
    let mut settled = None;
    for session in 0..sessions {
        for _ in 0..next(60) {
            let (view, inputs) = kiosk.session.show(kiosk.now);
            if inputs.is_empty() {
                assert_eq!(view.face, Face::Saving, "nothing to touch on {:?}", view.face);
                kiosk.input(Input::Saved(Box::new(registered(None))));
                kiosk.input(Input::Found(Box::new(CaseLook::Unknown)));
                kiosk.input(Input::TurnFound(Box::new(TurnFound::Offline)));
                continue;
            }
            assert_ne!(view.face, Face::OutOfService);
            let at = next(inputs.len());
            kiosk.input(inputs[at].clone());
            match next(9) {
                0 => kiosk.write("1714307103"),
                1 => kiosk.write("ñ T-018 ¿qué?"),
                2 => drop(kiosk.wait(i64::try_from(next(70)).unwrap_or(0))),
                3 => drop(kiosk.input(Input::Sheet(1))),
                _ => {}
            }
        }
        kiosk.input(Input::Saved(Box::new(Saved::Failed)));
        kiosk.input(Input::Found(Box::new(CaseLook::Offline)));
        kiosk.wait(10 * 60 + 31);
        assert!(
            kiosk.session.is_at_rest(),
            "session {session}: {:?}",
            kiosk.face()
        );
        // What a failed commit left is the shell's to clear.
        let mut around = kiosk.session.around.clone();
        around.storage_full = false;
        kiosk.input(Input::Surroundings(Box::new(around)));
        if session == sessions / 4 {
            settled = resident();
        }
    }
    if let (Some(before), Some(after)) = (settled, resident()) {
        // Other tests run in this process too; a leak of one form a session would be far beyond this.
        assert!(after < before + 64 * 1024, "{before} kB became {after} kB");
    }
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
                kiosk.input(Input::HelpHeard { ok: touch % 2 == 0 });
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
