//! The moves that keep an office fair on a bad day: absences, wrong lanes, appointments, closing time.

use super::*;

const SEVEN: CounterNumber = CounterNumber(7);

fn at_four(day: &mut Day, commands: &[Command]) {
    for command in commands {
        day.give(command.clone()).expect("legal");
    }
}

fn called(day: &mut Day) -> String {
    let id = ticket(day.give(Command::Next(FOUR)));
    day.shown(id)
}

fn attend(day: &mut Day) -> String {
    let number = called(day);
    at_four(
        day,
        &[
            Command::Start(FOUR),
            Command::Finish {
                counter: FOUR,
                result: None,
            },
        ],
    );
    number
}

#[test]
fn an_absent_person_comes_back_behind_the_next_two_of_the_lane() {
    let mut day = Day::new();
    let first = day.issue("tributos", Lane::General);
    for lane in [Lane::General, Lane::Priority, Lane::General, Lane::General] {
        day.issue("tributos", lane);
    }
    at_four(&mut day, &[Command::Open(FOUR)]);
    assert_eq!(called(&mut day), "T-003");
    at_four(&mut day, &[Command::NoShow(FOUR)]);
    assert_eq!(called(&mut day), "T-001");
    at_four(&mut day, &[Command::NoShow(FOUR), Command::Rejoin(first)]);
    let order: Vec<String> = (0..4).map(|_| attend(&mut day)).collect();
    assert_eq!(order, ["T-002", "T-004", "T-001", "T-005"]);
}

#[test]
fn coming_back_is_for_absent_people_in_time_and_not_for_ever() {
    let mut day = Day::new();
    let id = day.issue("tributos", Lane::General);
    at_four(&mut day, &[Command::Open(FOUR)]);
    assert!(matches!(
        day.give(Command::Rejoin(id)),
        Err(Refusal::WrongStatus { .. })
    ));
    for _ in 0..2 {
        called(&mut day);
        at_four(&mut day, &[Command::NoShow(FOUR), Command::Rejoin(id)]);
    }
    called(&mut day);
    at_four(&mut day, &[Command::NoShow(FOUR)]);
    assert!(matches!(
        day.give(Command::Rejoin(id)),
        Err(Refusal::RejoinOften { returns: 2, .. })
    ));
    let late = day.issue("tributos", Lane::General);
    called(&mut day);
    at_four(&mut day, &[Command::NoShow(FOUR)]);
    day.later(31);
    assert!(matches!(
        day.give(Command::Rejoin(late)),
        Err(Refusal::RejoinLate { .. })
    ));
    // The wait ended at the first call of its life, whatever came after.
    let waited = day.office.ticket(id).expect("there").waited(day.now);
    assert_eq!(waited, SignedDuration::ZERO);
}

#[test]
fn a_call_out_of_turn_needs_a_reason_and_leaves_the_run_alone() {
    let mut day = Day::new();
    day.issue("tributos", Lane::General);
    day.issue("tributos", Lane::Priority);
    let chosen = day.issue("tributos", Lane::General);
    let other = day.issue("catastro", Lane::General);
    at_four(&mut day, &[Command::Open(FOUR)]);
    let pick = |ticket, reason: &str| Command::Pick {
        counter: FOUR,
        ticket,
        reason: reason.to_owned(),
    };
    assert!(matches!(
        day.give(pick(chosen, " ")),
        Err(Refusal::ReasonMissing { .. })
    ));
    assert!(matches!(
        day.give(pick(other, "mareo")),
        Err(Refusal::NotServed { .. })
    ));
    assert_eq!(ticket(day.give(pick(chosen, "mareo"))), chosen);
    let call = day.office.calls().next_back().expect("a call").clone();
    assert_eq!(
        (call.decision.rule, call.reason.as_deref()),
        (Rule::OutOfTurn, Some("mareo"))
    );
    assert_eq!(call.decision.candidates.len(), 2);
    assert_eq!(day.office.runs().get("tributos", 1), 0);
}

#[test]
fn recalls_have_a_limit_and_a_gap() {
    let mut day = Day::with(|setup| {
        setup.recall_max = 3;
        setup.recall_gap = SignedDuration::from_secs(10);
    });
    day.issue("tributos", Lane::General);
    at_four(&mut day, &[Command::Open(FOUR)]);
    called(&mut day);
    let recall = Command::Recall(FOUR);
    assert!(matches!(
        day.give(recall.clone()),
        Err(Refusal::RecalledJustNow { .. })
    ));
    for _ in 0..2 {
        day.later(1);
        day.give(recall.clone()).expect("in time");
    }
    day.later(1);
    assert!(matches!(
        day.give(recall),
        Err(Refusal::RecalledEnough { calls: 3, .. })
    ));
}

#[test]
fn a_corrected_lane_keeps_the_arrival() {
    let mut day = Day::new();
    let first = day.issue("tributos", Lane::General);
    day.issue("tributos", Lane::Priority);
    let third = day.issue("tributos", Lane::Priority);
    let correct = |ticket, lane| Command::CorrectLane { ticket, lane };
    at_four(
        &mut day,
        &[
            Command::Open(FOUR),
            correct(first, Lane::Priority),
            correct(third, Lane::General),
        ],
    );
    assert!(matches!(
        day.give(correct(first, Lane::Priority)),
        Err(Refusal::SameLane(_))
    ));
    let order: Vec<String> = (0..3).map(|_| attend(&mut day)).collect();
    assert_eq!(order, ["T-001", "T-002", "T-003"]);
}

#[test]
fn an_appointment_goes_before_walk_ins_once_it_is_due_and_the_late_wait_like_everybody() {
    let mut day = Day::new();
    let at = |day: &Day, minutes| Some(day.now + SignedDuration::from_mins(minutes));
    let wish_at = |slot| Issue {
        slot,
        ..wish("tributos", Lane::Appointment)
    };
    day.issue("tributos", Lane::Priority);
    let (later, soon, late) = (at(&day, 20), at(&day, 10), at(&day, -16));
    let second = ticket(day.give(Command::Issue(wish_at(later))));
    let first = ticket(day.give(Command::Issue(wish_at(soon))));
    let missed = ticket(day.give(Command::Issue(wish_at(late))));
    assert_eq!(day.office.ticket(missed).expect("there").lane, Lane::General);
    assert_eq!(
        day.office.early().map(|t| t.id).collect::<Vec<_>>(),
        [first, second]
    );
    // Nobody of them is called early, and they are not lost either.
    assert_eq!(day.office.line(&"tributos".into()).expect("line").len(), 2);
    day.later(18);
    at_four(&mut day, &[Command::Open(FOUR)]);
    let order: Vec<String> = (0..4).map(|_| attend(&mut day)).collect();
    assert_eq!(order, ["T-003", "T-002", "T-004", "T-001"]);
}

#[test]
fn a_kiosks_own_numbers_stand_where_they_were_given_in_any_order_of_return() {
    let order_of = |reversed: bool| {
        let mut day = Day::new();
        for kiosk in ["k1", "k2"] {
            let lease = Command::Lease {
                kiosk: kiosk.into(),
                queue: "tributos".into(),
                count: 20,
            };
            day.give(lease).expect("leased");
        }
        day.issue("tributos", Lane::General);
        let start = day.now;
        day.later(10);
        day.issue("tributos", Lane::General);
        let own = |kiosk: &str, number, minutes| Issue {
            kiosk: Some(kiosk.into()),
            leased: Some(Leased {
                number,
                issued_at: start + SignedDuration::from_mins(minutes),
            }),
            ..wish("tributos", Lane::General)
        };
        day.later(10);
        // The clock of k2 is a day slow: it cannot claim a time before its numbers were promised.
        let mut told = vec![
            own("k1", 501, 3),
            own("k2", 521, 4),
            own("k1", 502, 5),
            own("k2", 522, -1440 / 2),
        ];
        if reversed {
            told.reverse();
        }
        for wish in told {
            day.give(Command::Issue(wish)).expect("taken in");
        }
        at_four(&mut day, &[Command::Open(FOUR)]);
        (0..6).map(|_| attend(&mut day)).collect::<Vec<_>>()
    };
    assert_eq!(
        order_of(false),
        ["T-001", "T-522", "T-501", "T-521", "T-502", "T-002"]
    );
    assert_eq!(order_of(true), order_of(false));
}

#[test]
fn a_cap_gives_exactly_its_numbers_and_a_returned_one_again() {
    let mut day = Day::with(|setup| setup.queues[0].daily_cap = Some(2));
    let first = day.issue("tributos", Lane::General);
    day.issue("tributos", Lane::General);
    let third = Command::Issue(wish("tributos", Lane::General));
    assert!(matches!(
        day.give(third.clone()),
        Err(Refusal::NotTaking {
            intake: Intake::Full { cap: 2 },
            ..
        })
    ));
    let back = Command::Cancel {
        ticket: first,
        reason: "unprinted".into(),
    };
    day.give(back).expect("cancelled");
    day.give(third).expect("one is free");
    day.issue("catastro", Lane::General);
}

#[test]
fn tickets_stop_when_somebody_new_would_still_wait_at_closing_time() {
    let mut day = Day::with(|setup| {
        let mut hours = Hours::default();
        hours.add("mon-fri", "08:00-08:30").expect("reads");
        setup.hours = Some(hours);
    });
    // 08:00 in Quito; eight minutes each, one counter.
    day.give(Command::Open(FOUR)).expect("open");
    let mut given = 0;
    let refusal = loop {
        match day.give(Command::Issue(wish("tributos", Lane::General))) {
            Ok(_) => given += 1,
            Err(refusal) => break refusal,
        }
        assert!(given < 20, "nobody was turned away");
    };
    assert!(
        matches!(
            refusal,
            Refusal::NotTaking {
                intake: Intake::TooLate { .. },
                ..
            }
        ),
        "{refusal}"
    );
    assert!((1..=3).contains(&given), "{given}");
    // Whoever waits is attended, also after hours.
    day.later(45);
    assert!(matches!(
        day.give(Command::Issue(wish("tributos", Lane::General))),
        Err(Refusal::NotTaking {
            intake: Intake::Closed { opens: Some(_) },
            ..
        })
    ));
    for _ in 0..given {
        attend(&mut day);
    }
}

#[test]
fn a_queue_that_carries_over_keeps_its_people_and_their_numbers() {
    let mut day = Day::with(|setup| setup.queues[0].carries_over = true);
    let (first, second) = (
        day.issue("tributos", Lane::General),
        day.issue("tributos", Lane::Priority),
    );
    day.issue("catastro", Lane::General);
    day.later(24 * 60);
    let new = day.issue("tributos", Lane::General);
    // The numbers on yesterday's papers are not given again while those people wait.
    assert_eq!(day.shown(new), "T-003");
    at_four(&mut day, &[Command::Open(FOUR)]);
    let order: Vec<String> = (0..3).map(|_| attend(&mut day)).collect();
    assert_eq!(order, ["T-002", "T-001", "T-003"]);
    let of = |id| day.office.ticket(id).expect("there");
    assert_eq!(of(first).business_date, of(second).business_date);
    assert!(of(first).waited(day.now) >= SignedDuration::from_hours(23));
    assert!(
        day.office
            .tickets()
            .all(|ticket| ticket.queue.as_str() == "tributos")
    );
}

#[test]
fn a_supervisor_moves_a_counter_and_an_orphaned_queue_is_seen() {
    let mut day = Day::new();
    let id = day.issue("catastro", Lane::General);
    at_four(&mut day, &[Command::Open(FOUR)]);
    assert_eq!(day.office.orphaned(), [&QueueId::from("catastro")]);
    let serve = |tiers: &[&[&str]]| Command::Serve {
        counter: FOUR,
        tiers: tiers
            .iter()
            .map(|tier| tier.iter().map(|id| QueueId::from(*id)).collect())
            .collect(),
    };
    assert_eq!(day.give(serve(&[&[]])), Err(Refusal::BadProfile));
    assert_eq!(
        day.give(serve(&[&["catastro"], &["catastro"]])),
        Err(Refusal::BadProfile)
    );
    assert!(matches!(
        day.give(serve(&[&["agua"]])),
        Err(Refusal::UnknownQueue(_))
    ));
    at_four(&mut day, &[serve(&[&["tributos"], &["catastro"]])]);
    assert!(day.office.orphaned().is_empty());
    assert_eq!(ticket(day.give(Command::Next(FOUR))), id);
    at_four(&mut day, &[Command::Release(FOUR)]);
    assert_eq!(day.office.ticket(id).expect("there").status, Status::Waiting);
    // The next morning it serves what the settings say.
    day.later(24 * 60);
    day.give(Command::Tick).expect("a new day");
    assert_eq!(day.office.profile(FOUR).expect("known").tiers.len(), 1);
}

#[test]
fn what_staff_say_of_a_queue_lasts_until_they_take_it_back() {
    let mut day = Day::new();
    let queue = QueueId::from("tributos");
    let outage = |down, note: Option<&str>| Command::Outage {
        queue: "tributos".into(),
        down,
        note: note.map(str::to_owned),
    };
    let stop = |stop| Command::Stop {
        queue: "tributos".into(),
        stop,
    };
    at_four(
        &mut day,
        &[
            outage(true, Some("hasta las 11")),
            outage(true, Some("hasta las 11")),
            stop(true),
        ],
    );
    assert_eq!(day.office.outage(&queue), Some(Some("hasta las 11")));
    assert!(matches!(
        day.give(Command::Issue(wish("tributos", Lane::General))),
        Err(Refusal::NotTaking {
            intake: Intake::Stopped,
            ..
        })
    ));
    at_four(&mut day, &[outage(false, None), stop(false)]);
    assert_eq!(day.office.outage(&queue), None);
    day.issue("tributos", Lane::General);
    assert_eq!(
        day.history
            .iter()
            .filter(|e| e.what.kind() == "queue_down")
            .count(),
        1,
        "said once"
    );
    day.give(Command::Open(SEVEN)).expect("open");
}
