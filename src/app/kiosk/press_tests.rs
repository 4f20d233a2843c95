//! Papers cut off in every way there is, held, handed to the other printer, and left alone in the morning.

use jiff::SignedDuration;

use super::*;
use crate::devices::printer::sim::{Build, Roll as Paper, Simulator, Switches};
use crate::devices::printer::{FakePrinter, Fault, Profile, Proof, compose, dump};
use crate::domain::document::{Block, DocumentKind, FootRow};
use crate::domain::id::Moment;
use crate::store::kiosk::{SCHEMA, settle_after_start};

struct Kiosk {
    db: Db,
    clock: Clock,
    profile: Profile,
    next: u8,
}

impl Kiosk {
    fn new(profile: &Profile) -> Self {
        Self {
            db: Db::memory(SCHEMA).expect("memory").db,
            clock: Clock::manual(Timestamp::from_second(1_800_000_000).expect("a time")),
            profile: profile.clone(),
            next: 0,
        }
    }

    fn press(&self, printer: Printer) -> Press {
        Press::new(self.db.clone(), self.clock.clone(), printer, 80_000)
    }

    /// A committed paper that says its number at the top and whether it is a copy at the end.
    fn job(&mut self, kind: PaperKind, copy_no: u32) -> Job {
        self.next = self.next.wrapping_add(1);
        let mark = if copy_no == 0 {
            "Original".to_owned()
        } else {
            format!("COPIA {copy_no}")
        };
        let document = Document {
            kind: DocumentKind::TurnTicket,
            blocks: vec![
                Block::Text("Su turno T-018".into()),
                Block::Foot(vec![FootRow {
                    left: "Kiosco 2".into(),
                    right: mark,
                    is_marked: true,
                }]),
            ],
        };
        let row = rows::PrintJobRow {
            id: PrintJobId::new(Moment {
                now: self.clock.now(),
                random: [self.next; 16],
            }),
            kind,
            about: Some("T-018".into()),
            copy_no,
            sha256: "00".into(),
            created_at: self.clock.now(),
        };
        let bytes = compose(&document, &self.profile);
        let job = Job::new(&row, super::super::papers::Paper { document, bytes });
        self.db
            .write_blocking(move |c| rows::add_print_job(c, &row))
            .expect("it is committed");
        job
    }

    fn state(&self, job: &Job) -> JobState {
        let id = job.id;
        let state = self.db.read(move |c| rows::state_of(c, id)).expect("it reads");
        state.expect("it is in the journal")
    }
}

/// Short strips, so that finishing an interrupted one is short work.
fn profile(proof: Proof, pushes_status: bool, clears: bool) -> Profile {
    Profile {
        proof,
        pushes_status,
        clears,
        strip_rows: 16,
        ..Profile::named("simulator").expect("the house's own")
    }
}

/// Whole papers that came out: originals and copies.
fn out(simulator: &Simulator) -> (usize, usize) {
    let texts: Vec<String> = simulator.sheets().iter().map(|sheet| dump(sheet)).collect();
    let whole = |mark: &str| {
        let is_whole = |text: &&String| text.contains("text   Su turno T-018") && text.contains(mark);
        texts.iter().filter(is_whole).count()
    };
    (whole("text Original"), whole("text COPIA"))
}

#[derive(Clone, Copy, Debug)]
enum CutOff {
    PaperOut,
    Reset,
    Kill,
}

/// Prints a ticket that is cut off after `bytes`, lets a citizen do what the screen then asks for, and counts.
fn cut_off(profile: &Profile, how: CutOff, bytes: u64) {
    let mut kiosk = Kiosk::new(profile);
    let simulator = Simulator::new(Build {
        profile: profile.clone(),
        buffer: 200,
    });
    let printer = || Printer::simulated(&simulator, profile.clone());
    let job = kiosk.job(PaperKind::Turn, 0);
    simulator.set(|it| match how {
        CutOff::PaperOut => it.out_after = Some(bytes),
        CutOff::Reset | CutOff::Kill => it.reset_after = Some(bytes),
    });
    let mut press = kiosk.press(printer());
    let mut ok = false;
    match how {
        CutOff::PaperOut | CutOff::Reset => ok = press.print(std::slice::from_ref(&job)),
        CutOff::Kill => {
            // For the printer a killed program is a line that drops; for the journal it is "sending".
            press.mark(&job, JobState::Sending, Some(FIRST), None);
            printer().print(&job.id.to_string(), &job.bytes);
            let now = kiosk.clock.now();
            let settled = kiosk
                .db
                .write_blocking(move |c| settle_after_start(c, now))
                .expect("it settles");
            press = kiosk.press(printer());
            assert_eq!(settled.interrupted, 1);
            press.expect_torn_paper();
        }
    }
    simulator.set(|it| *it = Switches::default());
    let state = kiosk.state(&job);
    let case = format!("{how:?} {bytes} {state:?} {:?}", profile.proof);
    match state {
        JobState::Printed => assert_eq!((ok, out(&simulator)), (true, (1, 0)), "{case}"),
        JobState::Sent => assert!(ok, "{case}"),
        JobState::Held => {
            press.look();
            assert_eq!(press.try_held(), Some(true), "{case}");
            assert_eq!(out(&simulator), (1, 0), "{case}");
        }
        JobState::Unknown => {
            assert!(!ok, "the screen must show the number: {case}");
            press.look();
            assert_eq!(press.try_held(), None, "nobody sends it again: {case}");
            let copy = kiosk.job(PaperKind::Turn, 1);
            assert!(press.print(&[copy]), "{case}");
            let (originals, copies) = out(&simulator);
            let seen = (simulator.sheets(), simulator.hanging());
            let seen: Vec<String> = seen.0.iter().chain([&seen.1]).map(|sheet| dump(sheet)).collect();
            assert!(
                originals <= 1 && copies == 1,
                "{case}: {originals} and {copies} {}",
                seen.join("\n--- cut\n")
            );
        }
        JobState::Queued | JobState::Sending | JobState::Expired | JobState::Cancelled => {
            panic!("no end for a paper: {case}")
        }
    }
}

#[test]
fn a_ticket_cut_off_at_any_byte_is_never_lost_silently_and_never_there_twice_unmarked() {
    for profile in [
        profile(Proof::None, false, false),
        profile(Proof::PaperStatus, false, false),
        profile(Proof::ProcessId, true, true),
    ] {
        let length = Kiosk::new(&profile).job(PaperKind::Turn, 0).bytes.len() as u64;
        for bytes in 1..length + 60 {
            for how in [CutOff::PaperOut, CutOff::Reset, CutOff::Kill] {
                cut_off(&profile, how, bytes);
            }
        }
    }
}

/// A press on a fake printer.
fn fake() -> (Kiosk, FakePrinter, Press) {
    let kiosk = Kiosk::new(&Profile::wide());
    let fake = FakePrinter::new();
    let press = kiosk.press(Printer::fake(fake.clone()));
    (kiosk, fake, press)
}

#[test]
fn a_paper_that_waited_for_a_roll_comes_out_once_while_its_citizen_is_there() {
    let (mut kiosk, fake, mut press) = fake();
    fake.load_roll(0);
    let jobs = [kiosk.job(PaperKind::Receipt, 0), kiosk.job(PaperKind::Turn, 0)];
    assert!(!press.print(&jobs));
    assert_eq!(kiosk.state(&jobs[0]), JobState::Held);
    press.look();
    assert_eq!(press.try_held(), None, "nothing is tried on a printer in trouble");
    fake.load_roll(100);
    press.look();
    assert_eq!(press.try_held(), Some(true));
    assert_eq!(press.try_held(), None);
    assert_eq!(fake.papers().len(), 2);
    assert_eq!(kiosk.state(&jobs[1]), JobState::Printed);
}

#[test]
fn nothing_prints_for_a_person_who_is_gone_and_nothing_old_in_the_morning() {
    let (mut kiosk, fake, mut press) = fake();
    fake.load_roll(0);
    let jobs = [kiosk.job(PaperKind::Receipt, 0), kiosk.job(PaperKind::Turn, 0)];
    press.print(&jobs);
    press.forget();
    assert_eq!(
        kiosk.state(&jobs[0]),
        JobState::Held,
        "a receipt can be asked for"
    );
    assert_eq!(kiosk.state(&jobs[1]), JobState::Cancelled);
    let late = kiosk.job(PaperKind::Turn, 0);
    press.print(std::slice::from_ref(&late));
    kiosk.clock.advance(SignedDuration::from_hours(14));
    fake.load_roll(100);
    press.look();
    assert_eq!(press.try_held(), None);
    assert_eq!(kiosk.state(&late), JobState::Expired);
    assert_eq!(fake.papers(), []);
}

#[test]
fn a_turn_that_waited_too_long_for_the_printer_is_not_printed() {
    let (mut kiosk, fake, mut press) = fake();
    let job = kiosk.job(PaperKind::Turn, 0);
    kiosk.clock.advance(SignedDuration::from_secs(121));
    assert!(!press.print(std::slice::from_ref(&job)));
    assert_eq!((kiosk.state(&job), fake.papers().len()), (JobState::Expired, 0));
}

#[test]
fn a_copy_of_what_was_never_sent_is_the_original() {
    let (mut kiosk, fake, mut press) = fake();
    fake.load_roll(0);
    let original = kiosk.job(PaperKind::Turn, 0);
    press.print(std::slice::from_ref(&original));
    fake.load_roll(100);
    let copy = kiosk.job(PaperKind::Turn, 1);
    assert!(press.print(std::slice::from_ref(&copy)));
    assert_eq!(
        (kiosk.state(&original), kiosk.state(&copy)),
        (JobState::Printed, JobState::Cancelled)
    );
    assert_eq!(fake.papers().len(), 1);
}

#[test]
fn the_second_printer_helps_out_only_with_what_the_first_never_touched() {
    let (mut kiosk, first, press) = fake();
    let second = FakePrinter::new();
    let mut press = press.with_second(Printer::fake(second.clone()), 80_000);
    first.load_roll(0);
    let job = kiosk.job(PaperKind::Turn, 0);
    assert!(press.print(std::slice::from_ref(&job)));
    assert_eq!((first.papers().len(), second.papers().len()), (0, 1));
    first.set_fault(Some(Fault::Breaks(Trouble::Cutter)));
    let torn = kiosk.job(PaperKind::Turn, 0);
    assert!(!press.print(std::slice::from_ref(&torn)));
    assert_eq!(kiosk.state(&torn), JobState::Unknown);
    assert_eq!(second.papers().len(), 1, "it may be on the first");
    first.set_fault(Some(Fault::NotReady(Trouble::Cutter)));
    let copy = kiosk.job(PaperKind::Turn, 1);
    assert!(press.print(&[copy]));
    assert_eq!(second.papers().len(), 2);
}

#[test]
fn a_new_roll_is_noticed_and_the_old_one_counted() {
    let profile = profile(Proof::ProcessId, true, true);
    let mut kiosk = Kiosk::new(&profile);
    let simulator = Simulator::new(Build::new(profile.clone()));
    let mut press = kiosk.press(Printer::simulated(&simulator, profile));
    for _ in 0..5 {
        let job = kiosk.job(PaperKind::Turn, 0);
        assert!(press.print(&[job]));
    }
    let health = press.look();
    let left = health[0].forecast.left_mm;
    assert!(left < 80_000 && health[0].forecast.papers_left.is_some_and(|n| n > 500));
    assert_eq!(health[0].status, Status::Ready);
    simulator.set(|it| it.roll = Paper::Empty);
    assert_eq!(press.look()[0].status, Status::Trouble(Trouble::NoPaper));
    simulator.set(|it| it.roll = Paper::Full);
    assert_eq!(press.look()[0].forecast.left_mm, 80_000);
    simulator.set(|it| it.roll = Paper::Low);
    assert!(press.look()[0].forecast.is_low, "the sensor knows better");
}

#[test]
fn five_hundred_papers_of_yesterday_are_settled_in_a_blink() {
    let mut kiosk = Kiosk::new(&Profile::wide_text());
    for n in 0..500_u32 {
        kiosk.clock.advance(SignedDuration::from_millis(5));
        let job = kiosk.job(PaperKind::Turn, n % 3);
        kiosk.press(Printer::fake(FakePrinter::new())).mark(
            &job,
            if n % 2 == 0 {
                JobState::Queued
            } else {
                JobState::Sending
            },
            None,
            None,
        );
    }
    let now = kiosk.clock.now();
    let settled = kiosk
        .db
        .write_blocking(move |c| settle_after_start(c, now))
        .expect("it settles");
    assert_eq!((settled.interrupted, settled.expired), (250, 250));
}
