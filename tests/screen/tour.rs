//! A walk through every screen that the running session really shows, in any letters, language and frame.

mod ways;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use ventanilla::domain::desk::{CaseStatus, NOTE_MAX};
use ventanilla::domain::id::{Moment, TicketId};
use ventanilla::domain::procedure::{Catalogue, ProcedureId, quito};
use ventanilla::domain::resume::ResumeCode;
use ventanilla::domain::search::SearchIndex;
use ventanilla::domain::session::view::{Block, Face, View};
use ventanilla::domain::session::{
    CaseFar, CaseLook, Comfort, Delays, Input, KeptFound, Key, NoTurn, NotKept, QueueLook, Saved, Session,
    Setup, Shut, Surroundings, TurnFound, TurnLook,
};
use ventanilla::domain::session::{Part, PartLook, ServiceLook};
use ventanilla::domain::technician::Secret;
use ventanilla::domain::ticket::Lane;
use ventanilla::forms::Form;

/// The file whose place the form that asks in every way takes.
const WAYS: &str = "denuncia.xlsx";

/// The kiosk of Quitumbe with the catalogue of Quito.
pub fn setup(landscape: bool) -> Arc<Setup> {
    Arc::new(made(landscape))
}

/// The same with a form that asks in every way in the place of another one.
pub fn setup_of_ways(landscape: bool) -> Arc<Setup> {
    static MADE: [OnceLock<Arc<Setup>>; 2] = [OnceLock::new(), OnceLock::new()];
    let make = || {
        let mut setup = made(landscape);
        let bytes = include_bytes!("../fixtures/screen/ways.xlsx");
        let (ways, _) = Form::from_xlsx(bytes).expect("the form of the tests compiles");
        setup.forms.insert(WAYS.to_owned(), Arc::new(ways));
        Arc::new(setup)
    };
    MADE[usize::from(landscape)].get_or_init(make).clone()
}

fn made(landscape: bool) -> Setup {
    let (catalogue, _) = Catalogue::parse(&quito::FILES);
    let forms: HashMap<String, Arc<Form>> = quito::FORMS
        .iter()
        .map(|(name, bytes)| {
            let (form, _) =
                Form::from_workbook(name, bytes, &quito::lists()).expect("the catalogue's forms compile");
            ((*name).to_owned(), Arc::new(form))
        })
        .collect();
    Setup {
        edition: String::new(),
        index: SearchIndex::new(&catalogue),
        catalogue: Arc::new(catalogue),
        forms,
        place: "Quitumbe".into(),
        office_kind: "Administración Zonal".into(),
        kiosk: "2".into(),
        hours: "08:00 a 16:30".into(),
        phone: "1800 510 510".into(),
        landscape,
        zone: TimeZone::get("America/Guayaquil").expect("zone"),
        delays: Delays::default(),
        device: "k2".into(),
        technician: None,
    }
}

/// The procedure whose form asks in every way.
pub fn ways_procedure(setup: &Setup) -> ProcedureId {
    let procedures = setup.catalogue.procedures().iter();
    let mut with_it = procedures.filter(|one| one.form.as_ref().is_some_and(|form| form.as_str() == WAYS));
    with_it
        .next()
        .map(|one| one.identifier.clone())
        .expect("the complaint has this form")
}

/// Queues in every state.
pub fn around() -> Surroundings {
    let queue = |id: &str, name: &str| QueueLook {
        id: id.into(),
        name: name.into(),
        waiting: Some(6),
        open: Some(true),
        wait: Some((20, 30)),
        ..QueueLook::default()
    };
    let opens: Timestamp = "2026-11-25T13:00:00Z".parse().expect("time");
    Surroundings {
        priority_run: 2,
        draft_days: 7,
        // With a voice there is one button more on every screen.
        voice: true,
        queues: vec![
            queue("tributos", "Tributos"),
            QueueLook {
                down: Some("El sistema vuelve a las 14:00".into()),
                ..queue("catastro", "Catastro y avalúos")
            },
            QueueLook {
                shut: Some(Shut::Closed { opens: Some(opens) }),
                ..queue("control", "Control")
            },
            queue("servicios", "Servicios ciudadanos"),
            QueueLook {
                shut: Some(Shut::Full),
                ..queue("agua", "Agua potable")
            },
        ],
        ..Surroundings::default()
    }
}

/// A citizen who walks and a camera.
pub struct Tour {
    pub session: Session,
    pub now: Timestamp,
    steps: u8,
    shots: Vec<(String, View)>,
}

impl Tour {
    pub fn new(setup: Arc<Setup>) -> Self {
        let now: Timestamp = "2026-11-24T15:08:00Z".parse().expect("time");
        let mut tour = Self {
            session: Session::new(setup, now),
            now,
            steps: 0,
            shots: Vec::new(),
        };
        tour.step(Input::Surroundings(Box::new(around())));
        tour
    }

    pub fn step(&mut self, input: Input) {
        self.steps = self.steps.wrapping_add(1);
        let moment = Moment {
            now: self.now,
            random: [self.steps; 16],
        };
        self.session.step(input, moment);
    }

    pub fn view(&self) -> View {
        self.session.show(self.now).0
    }

    fn wait(&mut self, seconds: i64) {
        for _ in 0..seconds {
            self.now = self.now.checked_add(SignedDuration::from_secs(1)).expect("time");
            self.step(Input::Tick);
        }
    }

    /// Waits until the kiosk asks whether anybody is there.
    fn wait_until_asked(&mut self) {
        for _ in 0..1_000 {
            if self.view().face == Face::Idle {
                return;
            }
            self.wait(1);
        }
        panic!("silence is never asked about");
    }

    /// Every page and sheet of the present screen.
    fn shoot(&mut self, name: &str) {
        for page in 1..40 {
            let (view, inputs) = self.session.show(self.now);
            let on = view.blocks.iter().find_map(|block| match block {
                Block::Pager { after, .. } => after.action,
                _ => None,
            });
            let shot = if page == 1 {
                name.to_owned()
            } else {
                format!("{name}-{page}")
            };
            self.shots.push((shot, view));
            let Some(on) = on else { return };
            self.step(inputs[usize::from(on.0)].clone());
            if page == 12 {
                // Lists of the whole catalogue look the same further on.
                return;
            }
        }
    }

    /// Larger letters read first: on to the field with its keys.
    fn past_reading(&mut self, name: Option<&str>) {
        let (view, inputs) = self.session.show(self.now);
        let onward = view.primary.as_ref().and_then(|button| button.action);
        let pages = view
            .blocks
            .iter()
            .any(|block| matches!(block, Block::Pager { .. }));
        if let Some(on) = onward.filter(|_| !pages)
            && matches!(inputs[usize::from(on.0)], Input::Sheet(1))
        {
            self.step(Input::Sheet(1));
            if let Some(name) = name {
                self.shoot(&format!("{name}-typing"));
            }
        }
    }

    /// From the procedure page to the review.
    pub fn fill(&mut self, camera: Option<&str>) {
        for at in 1..60 {
            let view = self.view();
            if view.face != Face::Question {
                return;
            }
            if let Some(name) = camera {
                self.shoot(&format!("{name}-q{at}"));
            }
            self.past_reading(camera.map(|name| format!("{name}-q{at}")).as_deref());
            let view = self.view();
            let title = view.title.text.clone();
            if view.keyboard.is_some() {
                let said = ["1714307103", "05081950", "512034", "470", "38500", "0987654321"];
                let story = [
                    "Tienen parlantes en la vereda toda la noche",
                    "Rosa Quishpe",
                    "rosa@correo.ec",
                ];
                for answer in said.iter().chain(&story) {
                    self.step(Input::Key(Key::Clear));
                    self.step(Input::Typed((*answer).into()));
                    self.step(Input::Continue);
                    if self.view().title.text != title || self.view().face != Face::Question {
                        break;
                    }
                    if let Some(name) = camera.filter(|_| *answer == "512034") {
                        self.shoot(&format!("{name}-q{at}-wrong"));
                    }
                }
            } else {
                let chosen = view.blocks.iter().any(
                    |block| matches!(block, Block::Choices { items, .. } if items.iter().any(|item| item.chosen)),
                );
                if !chosen {
                    self.step(Input::Continue);
                    if let Some(name) = camera.filter(|_| at < 4) {
                        self.shoot(&format!("{name}-q{at}-missing"));
                    }
                    self.step(Input::Choose(0));
                }
                self.step(Input::Continue);
            }
            assert!(
                self.view().title.text != title || self.view().face != Face::Question,
                "stuck at «{title}»"
            );
        }
    }
}

fn turn() -> TurnLook {
    TurnLook {
        number: "T-018".into(),
        queue: "Tributos".into(),
        ahead: Some(6),
        wait: Some((20, 30)),
        qr: "http://10.0.0.2:8080/turno/019342d0-1111-7000-8000-000000000000".into(),
    }
}

fn registered(turn: Option<Result<TurnLook, NoTurn>>) -> Input {
    Input::Saved(Box::new(Saved::Submission {
        code: "QT7M-4K2P".into(),
        qr: "VT1.eyJhIjoiYiJ9.c2lnbmF0dXJlLXNpZ25hdHVyZS1zaWduYXR1cmUtc2lnbmF0dXJl".into(),
        time: "10:15".into(),
        papers: if turn.is_some() { 2 } else { 1 },
        turn,
    }))
}

/// Every screen, by name.
pub fn all(setup: &Arc<Setup>, comfort: Comfort) -> Vec<(String, View)> {
    let mut tour = Tour::new(setup.clone());
    let t = &mut tour;
    t.step(Input::Comfort(comfort));
    t.shoot("attract");
    let start = |t: &mut Tour| {
        t.step(Input::Finish);
        t.step(Input::EndNow);
        t.step(Input::Rate(0));
        t.step(Input::Start(comfort.language));
        t.step(Input::Comfort(comfort));
    };
    start(t);
    t.shoot("home");
    t.step(Input::OpenSearch);
    t.shoot("search-empty");
    t.step(Input::Typed("predial".into()));
    t.shoot("search");
    t.step(Input::Key(Key::Clear));
    t.step(Input::Typed("xyzzy".into()));
    t.shoot("search-none");
    t.step(Input::Back);
    t.step(Input::Categories);
    t.shoot("categories");
    let category = setup.catalogue.categories()[0].identifier.clone();
    t.step(Input::Category(category));
    t.shoot("list");
    start(t);
    for procedure in [
        "exoneracion-predial-adulto-mayor",
        "luae",
        "informe-predial-iprus",
        "violencia-genero",
        "registro-mascotas",
    ] {
        let known = setup
            .catalogue
            .procedures()
            .iter()
            .find(|one| one.identifier.as_str() == procedure);
        if let Some(known) = known {
            t.step(Input::Procedure(known.identifier.clone()));
            t.shoot(&format!("procedure-{procedure}"));
            t.step(Input::Back);
        }
    }
    t.step(Input::TakeTurn(None));
    t.shoot("turn-queue");
    t.step(Input::Queue("catastro".into()));
    t.shoot("lane-down");
    t.step(Input::Back);
    t.step(Input::Queue("tributos".into()));
    t.shoot("lane");
    t.step(Input::Lane(Lane::General));
    t.shoot("saving-turn");
    t.step(Input::Saved(Box::new(Saved::Turn(turn()))));
    t.shoot("turn");
    t.step(Input::Printed { ok: false });
    t.shoot("no-paper");
    t.step(Input::Finish);
    t.shoot("rating");
    start(t);
    t.step(Input::TakeTurn(Some("control".into())));
    t.shoot("no-turn");
    t.step(Input::Back);
    t.step(Input::TakeTurn(None));
    t.step(Input::Missed);
    t.shoot("missed-empty");
    t.step(Input::Typed("Q".into()));
    t.step(Input::Continue);
    t.shoot("missed-wrong");
    t.step(Input::Key(Key::Clear));
    t.step(Input::Typed("T18".into()));
    t.step(Input::Continue);
    t.shoot("looking");
    let number = || "T-018".to_owned();
    let ticket = TicketId::new(Moment {
        now: t.now,
        random: [9; 16],
    });
    for (name, found) in [
        (
            "waiting",
            TurnFound::Waiting {
                turn: turn(),
                back: false,
            },
        ),
        (
            "back",
            TurnFound::Waiting {
                turn: turn(),
                back: true,
            },
        ),
        (
            "called",
            TurnFound::Called {
                number: number(),
                counter: Some(4),
            },
        ),
        (
            "absent",
            TurnFound::Absent {
                ticket,
                number: number(),
                queue: "Tributos".into(),
                behind: 2,
            },
        ),
        ("late", TurnFound::TooLate { number: number() }),
        ("over", TurnFound::Over { number: number() }),
        ("unknown", TurnFound::Unknown { number: number() }),
        ("offline", TurnFound::Offline),
    ] {
        t.step(Input::TurnFound(Box::new(found)));
        t.shoot(&format!("found-{name}"));
        start(t);
        t.step(Input::Missed);
        t.step(Input::Typed("T18".into()));
        t.step(Input::Continue);
    }
    t.step(Input::TurnFound(Box::new(TurnFound::Offline)));
    start(t);
    t.step(Input::EnterCode);
    t.step(Input::Typed("QT7M4K2".into()));
    t.step(Input::Continue);
    t.shoot("code-wrong");
    start(t);
    for (name, look) in [
        (
            "arrived",
            CaseLook::Arrived {
                procedure: "Exoneración del impuesto predial para adultos mayores".into(),
                registered: "24/11/2026 10:15".into(),
                received: "24/11/2026 10:16".into(),
            },
        ),
        (
            "here",
            CaseLook::Here {
                procedure: "Exoneración del impuesto predial para adultos mayores".into(),
                registered: "24/11/2026 10:15".into(),
            },
        ),
        ("unknown", CaseLook::Unknown),
        ("offline", CaseLook::Offline),
    ] {
        t.step(Input::EnterCode);
        t.step(Input::Typed("0M2GA18N".into()));
        t.step(Input::Continue);
        t.step(Input::Found(Box::new(look)));
        assert_eq!(t.view().face, Face::Answer);
        t.shoot(&format!("case-{name}"));
        start(t);
    }
    how_far(t, &start);
    resumed(t, start);
    let exemption = ProcedureId::new("exoneracion-predial-adulto-mayor");
    form(t, &exemption, "exemption");
    t.step(Input::Help);
    t.shoot("help-asked");
    t.step(Input::HelpHeard { ok: true });
    t.shoot("help-heard");
    t.step(Input::HelpComes);
    t.shoot("help-coming");
    t.step(Input::HelpHeard { ok: false });
    t.shoot("help-wave");
    t.step(Input::Close);
    t.step(Input::Accessibility);
    t.shoot("accessibility");
    t.step(Input::Close);
    t.step(Input::Cover);
    t.shoot("covered");
    t.step(Input::Close);
    stop_and_go_on(t);
    t.step(Input::Continue);
    t.shoot("form-lane");
    t.step(Input::Lane(Lane::Priority));
    t.shoot("consent");
    t.step(Input::Send);
    t.shoot("consent-missing");
    t.step(Input::FullNotice);
    t.shoot("privacy");
    t.step(Input::Understood);
    t.step(Input::Consent(0));
    t.step(Input::Consent(1));
    t.step(Input::Send);
    t.shoot("saving");
    t.step(registered(Some(Ok(turn()))));
    t.shoot("success-printing");
    t.step(Input::Printed { ok: true });
    t.shoot("success");
    t.step(Input::Printed { ok: false });
    t.shoot("success-no-paper");
    start(t);
    form(t, &exemption, "again");
    t.step(Input::Continue);
    t.step(Input::Lane(Lane::General));
    t.step(Input::Consent(0));
    t.step(Input::Consent(1));
    t.step(Input::Send);
    t.step(registered(Some(Err(NoTurn::Shut(Shut::TooLate)))));
    t.shoot("success-no-turn");
    t.shots.extend(all_ways(setup.landscape, comfort));
    t.step(Input::Home);
    let mut offline = around();
    offline.offline = true;
    t.step(Input::Surroundings(Box::new(offline)));
    t.shoot("home-offline");
    t.step(Input::Procedure(exemption.clone()));
    t.shoot("procedure-offline");
    t.step(Input::Surroundings(Box::new(around())));
    t.wait_until_asked();
    t.shoot("idle");
    t.wait(31);
    let mut out = around();
    out.out_of_service = true;
    t.step(Input::Surroundings(Box::new(out)));
    t.step(Input::Comfort(comfort));
    t.shoot("out-of-service");
    t.shots.retain(|(name, _)| !name.starts_with("again"));
    std::mem::take(&mut t.shots)
}

/// From the review: stop, keep it, fail to keep it, and back to the review.
fn stop_and_go_on(t: &mut Tour) {
    t.wait_until_asked();
    t.shoot("idle-form");
    t.step(Input::MoreTime);
    t.step(Input::Finish);
    t.shoot("leave");
    t.step(Input::Keep);
    t.shoot("keeping");
    t.step(Input::Saved(Box::new(Saved::NotKept(NotKept::Offline))));
    t.shoot("not-kept");
    t.step(Input::Understood);
    let mut offline = around();
    offline.offline = true;
    t.step(Input::Surroundings(Box::new(offline)));
    t.step(Input::Finish);
    t.shoot("leave-offline");
    t.step(Input::Close);
    t.step(Input::Surroundings(Box::new(around())));
}

/// A form that is kept, and every answer to its code.
fn resumed(t: &mut Tour, start: impl Fn(&mut Tour)) {
    let until: Timestamp = "2026-12-02T04:59:59Z".parse().expect("time");
    t.step(Input::Procedure(ProcedureId::new("denuncia-ruido")));
    t.step(Input::StartForm);
    t.step(Input::Choose(0));
    t.step(Input::Finish);
    t.step(Input::Keep);
    t.shoot("keep-digits");
    t.past_reading(Some("keep-digits"));
    t.step(Input::Typed("71".into()));
    t.step(Input::Continue);
    t.shoot("keep-digits-wrong");
    t.step(Input::Typed("03".into()));
    t.step(Input::Continue);
    t.step(Input::Saved(Box::new(Saved::Kept {
        code: "QT7M-4K2P".into(),
        until,
    })));
    t.shoot("kept-printing");
    t.step(Input::Printed { ok: false });
    t.shoot("kept-no-paper");
    start(t);
    for (name, found) in [
        ("wrong", KeptFound::Wrong { left: 4 }),
        ("shut", KeptFound::Shut { until }),
        ("used", KeptFound::Used),
        ("over", KeptFound::Over),
        ("unknown", KeptFound::Unknown),
        ("offline", KeptFound::Offline),
    ] {
        t.step(Input::EnterCode);
        t.step(Input::Typed(ResumeCode::from_random([4; 5]).plain()));
        t.step(Input::Continue);
        if name == "wrong" {
            t.shoot("resume-digits");
            t.past_reading(Some("resume-digits"));
        }
        t.step(Input::Typed("7103".into()));
        t.step(Input::Continue);
        t.step(Input::KeptFound(Box::new(found)));
        t.shoot(&format!("resume-{name}"));
        start(t);
    }
}

/// The technician's screens: the door, inside, and the self-test.
pub fn service(setup: &Arc<Setup>, comfort: Comfort) -> Vec<(String, View)> {
    let secret = Secret::new([4; 32]);
    let mut setup = made(setup.landscape);
    setup.technician = Some(secret.clone());
    let mut tour = Tour::new(Arc::new(setup));
    let t = &mut tour;
    let knock = |t: &mut Tour| {
        t.step(Input::Start(comfort.language));
        t.step(Input::Comfort(comfort));
        t.step(Input::EnterCode);
        t.step(Input::Typed("SERVICIO".into()));
        t.step(Input::Continue);
    };
    let mut out = around();
    out.out_of_service = true;
    t.step(Input::Surroundings(Box::new(out)));
    t.step(Input::Comfort(comfort));
    t.shoot("service-out");
    t.step(Input::Surroundings(Box::new(around())));
    knock(t);
    t.shoot("service-door");
    t.step(Input::Typed("12345678".into()));
    t.step(Input::Continue);
    t.shoot("service-door-wrong");
    // The number that is asked is made of what the step was given.
    t.step(Input::Back);
    knock(t);
    let digits: String = t.view().help.chars().filter(char::is_ascii_digit).collect();
    let question = &digits[digits.len() - 6..];
    t.step(Input::Typed(secret.code(question)));
    t.step(Input::Continue);
    t.shoot("service-looking");
    let part = |part, ok, detail: &str| PartLook {
        part,
        ok,
        detail: detail.to_owned(),
    };
    let look = ServiceLook {
        parts: vec![
            part(Part::Network, Some(false), "192.168.100.201"),
            part(Part::Printer, Some(true), "lista · 64 m"),
            part(Part::Storage, Some(true), "47 GB · 83 %"),
            part(Part::Clock, None, "24/11/2026 10:08"),
            part(Part::Outbox, Some(true), "0"),
            part(Part::Version, Some(true), "0.1.0 · 2026.11.24"),
            part(Part::Doctor, Some(true), "23/11/2026 17:40"),
        ],
        remote: true,
        updates: true,
    };
    t.step(Input::ServiceLook(Box::new(look.clone())));
    t.shoot("service-menu");
    t.step(Input::ServiceDone { ok: false });
    t.shoot("service-failed");
    t.step(Input::SelfTest);
    t.shoot("service-test");
    t.step(Input::Continue);
    t.step(Input::Choose(4));
    t.shoot("service-touch");
    for square in 0..9 {
        t.step(Input::Choose(square));
    }
    for name in ["screen", "sound", "printer", "keypad"] {
        t.shoot(&format!("service-{name}"));
        t.step(Input::Choose(0));
    }
    t.step(Input::ServiceLook(Box::new(look)));
    t.shoot("service-end");
    std::mem::take(&mut t.shots)
}

/// The form that asks in every way, each way in its states.
fn all_ways(landscape: bool, comfort: Comfort) -> Vec<(String, View)> {
    let setup = setup_of_ways(landscape);
    let mut tour = Tour::new(setup.clone());
    tour.step(Input::Start(comfort.language));
    tour.step(Input::Comfort(comfort));
    tour.step(Input::Procedure(ways_procedure(&setup)));
    tour.step(Input::StartForm);
    tour.walk_all_ways();
    tour.shoot("ways-review");
    tour.shots
}

/// How far a case is, with the last digits.
fn how_far(t: &mut Tour, start: &dyn Fn(&mut Tour)) {
    t.step(Input::EnterCode);
    t.step(Input::Typed("0M2GA18N".into()));
    t.step(Input::Continue);
    let look = CaseLook::Arrived {
        procedure: "Exoneración del impuesto predial para adultos mayores".into(),
        registered: "24/11/2026 10:15".into(),
        received: "24/11/2026 10:16".into(),
    };
    t.step(Input::Found(Box::new(look)));
    t.step(Input::HowFar);
    t.shoot("digits-empty");
    t.step(Input::Typed("71".into()));
    t.step(Input::Continue);
    t.shoot("digits-short");
    let known = |status, note: Option<&str>| CaseFar::Known {
        status,
        note: note.map(ToOwned::to_owned),
        since: "25/11/2026 09:00".into(),
    };
    // As long as staff may write, in words as long as they come.
    let long = "documentación complementaria ".repeat(8);
    let long: String = long.chars().take(NOTE_MAX).collect();
    for (n, (name, far)) in [
        ("received", known(Some(CaseStatus::Received), None)),
        ("progress", known(Some(CaseStatus::InProgress), Some(&long))),
        (
            "needs",
            known(Some(CaseStatus::NeedsSomething), Some("#bring-documents")),
        ),
        ("done", known(Some(CaseStatus::Done), Some("#ready-to-collect"))),
        ("erased", known(None, None)),
        ("wrong", CaseFar::WrongDigits),
        ("often", CaseFar::TooOften),
        ("not-yet", CaseFar::NotYet),
        ("offline", CaseFar::Offline),
    ]
    .into_iter()
    .enumerate()
    {
        if n == 0 {
            t.step(Input::Typed("03".into()));
        } else {
            // Three tries are one citizen's; the next one comes.
            start(t);
            t.step(Input::EnterCode);
            t.step(Input::Typed("0M2GA18N".into()));
            t.step(Input::Continue);
            t.step(Input::Found(Box::new(CaseLook::Arrived {
                procedure: "Certificado".into(),
                registered: String::new(),
                received: String::new(),
            })));
            t.step(Input::HowFar);
            t.step(Input::Typed("7103".into()));
        }
        t.step(Input::Continue);
        t.step(Input::FarFound(Box::new(far)));
        assert_eq!(t.view().face, Face::Answer);
        t.shoot(&format!("far-{name}"));
    }
    start(t);
}

fn form(t: &mut Tour, procedure: &ProcedureId, name: &str) {
    t.step(Input::Procedure(procedure.clone()));
    t.step(Input::StartForm);
    t.fill(Some(name));
    t.shoot(&format!("{name}-review"));
}
