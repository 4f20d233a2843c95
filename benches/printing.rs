//! Printing: composing a paper, from the confirmation to the printer, what the screen's thread notices of it, and a
//! journal at the morning's start.
//!
//! Prints one line a budget, `budget NAME VALUE LIMIT ok|short`, and exits 0 when it could measure.
//! Run it on a quiet machine: `cargo bench --bench printing`.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use ventanilla::app::kiosk::{Inbox, RunningKiosk};
use ventanilla::app::provisioning::Demo;
use ventanilla::app::{self, Stop, diagnose};
use ventanilla::clock::{self, Clock};
use ventanilla::devices::printer::sim::{Build, Roll, Served, Simulator, Switches, serve};
use ventanilla::devices::printer::{Profile, compose, length_mm};
use ventanilla::domain::id::{Moment, PrintJobId, SubmissionId, uuid_v7};
use ventanilla::domain::printing::{JobState, PaperKind};
use ventanilla::domain::redacted::Redacted;
use ventanilla::domain::session::{AnswerRow, Effect, Session, SubmitRequest, TurnWish};
use ventanilla::domain::ticket::Lane;
use ventanilla::i18n::Language;
use ventanilla::kiosk::driver::SessionDriver;
use ventanilla::kiosk::run::Driver;
use ventanilla::store::kiosk::{self, print};
use ventanilla::store::{Db, kiosk::SCHEMA};

const RENDERS: usize = 300;
const CONFIRMS: usize = 60;
const JOURNAL: u32 = 500;
/// How long a paper may take before the measurement is given up.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long each trouble of the printer lasts, and how often somebody confirms meanwhile.
const TROUBLE: Duration = Duration::from_secs(4);
const CONFIRM_EVERY: Duration = Duration::from_millis(200);

fn main() {
    for name in ["80-raster", "simulator", "generic-58"] {
        let profile = Profile::named(name).expect("a profile of the house");
        budget(&format!("render_{name}_p99_ms"), render(&profile), 5.0);
    }
    budget("confirm_first_byte_p99_ms", confirm(), 300.0);
    let (worst, papers) = interface();
    assert!(papers > 20, "the printer printed: {papers}");
    budget("interface_blocked_by_printing_max_ms", worst, 16.0);
    budget("journal_500_settled_ms", settle(), 1000.0);
}

#[expect(clippy::print_stdout, reason = "the lines are the result")]
fn budget(name: &str, value: f64, limit: f64) {
    let verdict = if value <= limit { "ok" } else { "short" };
    println!("budget {name} {value:.1} {limit:.0} {verdict}");
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

/// The value that 99 of 100 stay below.
fn p99(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() * 99 / 100).min(values.len() - 1)]
}

fn moment() -> Moment {
    Moment {
        now: Clock::System.now(),
        random: clock::random(),
    }
}

/// The technician's sample has one of everything, so it is the longest paper of the house.
fn render(profile: &Profile) -> f64 {
    let occasion = diagnose::Occasion {
        place: "Quitumbe".to_owned(),
        office_kind: "Administración Zonal".to_owned(),
        device: "Kiosco 2".to_owned(),
        at: Timestamp::UNIX_EPOCH,
        zone: jiff::tz::TimeZone::UTC,
        language: Language::Spanish,
    };
    let document = diagnose::sample(&occasion, profile, None);
    // The first one reads the font.
    compose(&document, profile);
    p99((0..RENDERS)
        .map(|_| {
            let begun = Instant::now();
            let bytes = compose(&document, profile);
            assert!(length_mm(&bytes, profile) > 50, "a whole paper");
            ms(begun)
        })
        .collect())
}

/// An office, a kiosk and a printer that says when it has got something.
struct House {
    runtime: tokio::runtime::Runtime,
    stop: Stop,
    simulator: Simulator,
    kiosk: RunningKiosk,
    _served: Served,
    _folder: tempfile::TempDir,
}

impl House {
    fn open() -> (Self, Inbox) {
        let folder = tempfile::tempdir().expect("a folder");
        let profile = Profile::named("simulator").expect("the house's own");
        let simulator = Simulator::new(Build {
            buffer: 64 * 1024,
            ..Build::new(profile)
        });
        let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let served = serve(&simulator, here).expect("a free port");
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let stop = Stop::default();
        let place = format!("tcp:{}", served.address());
        let mut demo = Demo::prepare(folder.path(), Some(&place), false).expect("a set-up");
        let (kiosk, inbox) = runtime.block_on(async {
            let nobody = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
            let config = demo.office(here, nobody).expect("the office's settings");
            let office = app::office::start(config, Clock::System, stop.clone(), |_| axum::Router::new())
                .await
                .expect("an office");
            demo.staff(&office.office).await.expect("staff");
            let mut config = demo
                .kiosk(here, office.address, nobody)
                .expect("the kiosk's settings");
            config.printing.profile = "simulator".to_owned();
            app::kiosk::start(config, false, Clock::System, stop.clone())
                .await
                .expect("a kiosk")
        });
        let house = Self {
            runtime,
            stop,
            simulator,
            kiosk,
            _served: served,
            _folder: folder,
        };
        (house, inbox)
    }

    fn close(self) {
        self.stop.stop();
        drop(self.kiosk);
        self.runtime.shutdown_timeout(Duration::from_secs(1));
    }
}

/// A citizen confirms; the office gives the number; the receipt's first byte reaches the paper.
fn confirm() -> f64 {
    let (house, _inbox) = House::open();
    let mut times = Vec::new();
    for done in 0..CONFIRMS {
        let request = request(&house.kiosk.setup);
        let begun = Instant::now();
        house
            .kiosk
            .effects
            .send(Effect::Submit(Box::new(request)))
            .expect("the kiosk works");
        // Two papers each: the receipt and the turn.
        let sheets = done * 2;
        let is_on_paper = |it: &Simulator| it.sheets().len() > sheets || !it.hanging().is_empty();
        assert!(house.simulator.wait_until(PATIENCE, is_on_paper));
        times.push(ms(begun));
        assert!(
            house
                .simulator
                .wait_until(PATIENCE, |it| it.sheets().len() >= sheets + 2)
        );
    }
    house.close();
    p99(times)
}

/// What the screen's thread does besides drawing, while the printer works and while it does not.
///
/// The longest time between two moments at which it could have drawn, in milliseconds: news taken in, the clock's
/// tick, a citizen's confirmation handed to the shell, the next view.
fn interface() -> (f64, usize) {
    let troubles: [fn(&mut Switches); 6] = [
        |_| {},
        |it| it.slow = Some(2_000),
        |it| it.roll = Roll::Empty,
        |it| it.cover_open = true,
        |it| it.mute = true,
        |it| it.reset_after = Some(700),
    ];
    let (house, inbox) = House::open();
    let kiosk = &house.kiosk;
    let session = Session::new(kiosk.setup.clone(), kiosk.clock.now());
    let (clock, effects) = (kiosk.clock.clone(), kiosk.effects.clone());
    let mut driver = SessionDriver::with(session, clock, effects, inbox, None);
    let mut worst: f64 = 0.0;
    for trouble in troubles {
        house.simulator.set(|switches| {
            *switches = Switches::default();
            trouble(switches);
        });
        let began = Instant::now();
        let mut confirmed = 0;
        while began.elapsed() < TROUBLE {
            let begun = Instant::now();
            driver.inbox();
            driver.tick();
            if began.elapsed() > CONFIRM_EVERY * confirmed {
                confirmed += 1;
                let request = request(&kiosk.setup);
                kiosk
                    .effects
                    .send(Effect::Submit(Box::new(request)))
                    .expect("the kiosk works");
            }
            driver.view();
            worst = worst.max(ms(begun));
            // As the window's loop sleeps until the next touch.
            std::thread::sleep(Duration::from_millis(4));
        }
    }
    let papers = house.simulator.sheets().len();
    drop(driver);
    house.close();
    (worst, papers)
}

fn request(setup: &ventanilla::domain::session::Setup) -> SubmitRequest {
    let procedure = &setup.catalogue.procedures()[0];
    let queue = &setup.catalogue.queues()[0];
    let answers = (0..8)
        .map(|n| AnswerRow {
            name: format!("q{n}"),
            label: format!("Pregunta {n}"),
            value: Redacted::new(format!("Respuesta {n}")),
            masked: false,
            at_counter: false,
            signs: false,
            on_paper: n < 4,
        })
        .collect();
    SubmitRequest {
        resumed: None,
        attempt: SubmissionId::new(moment()),
        procedure: procedure.identifier.clone(),
        form: ("medida".to_owned(), "1".to_owned()),
        language: Language::Spanish,
        instance: Redacted::new("<data/>".to_owned()),
        answers,
        result: None,
        attachments: Vec::new(),
        consents: Vec::new(),
        turn: Some(TurnWish {
            request: uuid_v7(moment()),
            queue: queue.identifier.as_str().to_owned(),
            lane: Lane::General,
            language: Language::Spanish,
        }),
    }
}

/// A kiosk whose plug was pulled with a journal full of open papers.
fn settle() -> f64 {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("kiosk.db");
    {
        let db = Db::open(&path, SCHEMA).expect("a file").db;
        db.write_blocking(|c| {
            for n in 0..JOURNAL {
                let now = Clock::System.now();
                let row = print::PrintJobRow {
                    id: PrintJobId::new(moment()),
                    kind: PaperKind::ALL[n as usize % PaperKind::ALL.len()],
                    about: Some(n.to_string()),
                    copy_no: 0,
                    sha256: "00".repeat(32),
                    created_at: now,
                };
                print::add_print_job(c, &row)?;
                if n % 2 == 0 {
                    print::mark_print_job(c, row.id, JobState::Sending, Some("first"), None, now)?;
                }
            }
            Ok(())
        })
        .expect("a journal");
    }
    let begun = Instant::now();
    let db = Db::open(&path, SCHEMA).expect("the same file").db;
    let settled = db
        .write_blocking(|c| kiosk::settle_after_start(c, Clock::System.now()))
        .expect("it settles");
    assert_eq!(settled.interrupted as u32, JOURNAL / 2);
    ms(begun)
}
