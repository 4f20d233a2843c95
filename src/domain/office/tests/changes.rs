//! Settings that change while people wait: what is refused, what stays, and that history replays.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::*;
use crate::domain::office::settings::{
    Base, CounterSettings, Fault, ProfileSettings, QueueSettings, Settings, ZoneSettings, differences,
};

fn base() -> Base {
    Base {
        zone: TimeZone::get("America/Guayaquil").expect("zone"),
        day_cut: SignedDuration::from_hours(3),
        lease_from: 501,
        room: "Sala A".into(),
    }
}

fn profile(id: &str, serves: &[&str], then: &[&str]) -> ProfileSettings {
    let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    ProfileSettings {
        id: id.into(),
        name: id.into(),
        serves: ids(serves),
        then_serves: ids(then),
    }
}

fn written() -> Settings {
    let counter = |number, profile: &str| CounterSettings {
        number,
        profile: profile.into(),
        zone: None,
    };
    Settings {
        queues: vec![
            QueueSettings::new("tributos", "Tributos", "T"),
            QueueSettings::new("catastro", "Catastro", "C"),
        ],
        profiles: vec![
            profile("caja", &["tributos"], &[]),
            profile("mixto", &["catastro"], &["tributos"]),
        ],
        counters: vec![counter(4, "caja"), counter(5, "caja"), counter(7, "mixto")],
        ..Settings::default()
    }
}

fn day() -> Day {
    let setup = written().setup(&base(), 1).expect("fits");
    Day {
        office: Office::new(Arc::new(setup)),
        ..Day::new()
    }
}

impl Day {
    /// Changes the settings of the moment.
    fn set(&mut self, change: impl FnOnce(&mut Settings)) -> Result<Outcome, Refusal> {
        let mut settings = self.office.setup().written.clone();
        change(&mut settings);
        self.give(Command::Configure {
            version: self.office.setup().version,
            settings: Box::new(settings),
        })
    }
}

#[track_caller]
fn faults(outcome: Result<Outcome, Refusal>) -> Vec<String> {
    match outcome {
        Err(Refusal::SettingsFaulty(faults) | Refusal::SettingsInUse(faults)) => {
            faults.iter().map(Fault::to_string).collect()
        }
        other => panic!("faults were expected, not {other:?}"),
    }
}

#[test]
fn a_change_counts_from_the_next_call_on_and_stands_in_the_decision() {
    let mut day = day();
    let k_of = |day: &Day| match &day.history.last().expect("an event").what {
        What::Called { decision, .. } => decision.max_run,
        other => panic!("a call was expected, not {other:?}"),
    };
    for _ in 0..4 {
        day.issue("tributos", Lane::General);
        day.issue("tributos", Lane::Priority);
    }
    day.give(Command::Open(FOUR)).expect("open");
    day.give(Command::Next(FOUR)).expect("next");
    assert_eq!(k_of(&day), 2);
    let changed = day.set(|settings| settings.rules.max_priority_run = 1);
    assert_eq!(changed, Ok(Outcome::Configured(2)));
    day.give(Command::Open(CounterNumber(5))).expect("open");
    let general = ticket(day.give(Command::Next(CounterNumber(5))));
    assert_eq!(k_of(&day), 1);
    assert_eq!(
        day.office.ticket(general).expect("there").lane,
        Lane::General,
        "one preferred in a row went"
    );
    // The same again is no new version and no event.
    let events = day.history.len();
    assert_eq!(day.set(|_| {}), Ok(Outcome::Configured(2)));
    assert_eq!(day.history.len(), events);
}

#[test]
fn whoever_comes_second_is_told_so() {
    let mut day = day();
    let mine = day.office.setup().written.clone();
    day.set(|settings| settings.rules.recall_max = 9).expect("first");
    let second = day.give(Command::Configure {
        version: 1,
        settings: Box::new(mine),
    });
    assert_eq!(second, Err(Refusal::SettingsStale { present: 2 }));
}

#[test]
fn faults_are_named_where_they_are() {
    let mut day = day();
    let told = faults(day.set(|settings| {
        settings.rules.max_priority_run = 10;
        settings.queues[1].series = "T".into();
        settings.queues[0].name = " ".into();
        settings.profiles[0].serves = vec!["nada".into()];
        settings.profiles[1].then_serves = vec!["catastro".into()];
        settings.counters[0].profile = "otro".into();
        settings.counters[1].number = 4;
        settings.zones = vec![ZoneSettings {
            id: "Sala".into(),
            name: "Sala A".into(),
        }];
        settings.hours = [
            ("mon", vec!["08:00-12:30", "12:00-16:00"]),
            ("tue", vec!["16:00-08:00"]),
        ]
        .map(|(day, spans)| (day.to_owned(), spans.into_iter().map(str::to_owned).collect()))
        .into();
    }));
    insta::assert_snapshot!(told.join("\n"), @r"
    rules.max_priority_run: Write a number from 1 to 9
    hours: 16:00-08:00 is no span of time; write it like 08:00-16:30, the end after the beginning
    hours: The spans 08:00-12:30 and 12:00-16:00 overlap; write them one after the other
    queues.tributos.name: Write a name of 1 to 40 characters
    queues.catastro.series: Series T is already used by queue  ; choose another letter
    profiles.caja.serves: There is no queue nada
    profiles.mixto.then_serves: Queue Catastro stands there twice; choose where it is served first
    zones.Sala.id: Write small letters, digits and hyphens, 32 at the most
    counters.4.profile: Counter 4 serves the profile otro, which is not there; give it another one first
    counters.4.zone: Counter 4 stands in no zone of the office; choose one
    counters.4.number: Counter 4 is there already; give each its own number
    counters.4.zone: Counter 4 stands in no zone of the office; choose one
    counters.7.zone: Counter 7 stands in no zone of the office; choose one
    ");
}

#[test]
fn faults_of_an_older_file_are_in_nobodys_way() {
    let mut settings = written();
    settings.queues[0].name = "Una cola con un nombre larguísimo, como alguien lo escribió a mano".into();
    settings.profiles.push(profile("solo", &["nada"], &[]));
    let setup = settings.setup(&base(), 1).expect("an office works with it");
    let mut day = Day {
        office: Office::new(Arc::new(setup)),
        ..Day::new()
    };
    assert!(day.set(|settings| settings.rules.max_priority_run = 3).is_ok());
    assert!(!faults(day.set(|settings| settings.queues[1].name = String::new())).is_empty());
    // Nobody served it; now somebody would, and no office works with that.
    let told = faults(day.set(|settings| settings.counters[0].profile = "solo".into()));
    assert!(
        told.contains(&"profiles.solo.serves: There is no queue nada".to_owned()),
        "{told:?}"
    );
}

#[test]
fn nobody_loses_a_turn_by_a_setting() {
    let mut day = day();
    day.issue("tributos", Lane::General);
    day.give(Command::Open(FOUR)).expect("open");
    let retire = |settings: &mut Settings| settings.queues[0].retired = true;
    let told = faults(day.set(retire));
    assert_eq!(told.len(), 1);
    assert!(
        told[0].starts_with("queues.tributos.retired: 1 people"),
        "{told:?}"
    );
    // Neither taken out nor given another letter, for its numbers are on paper.
    let told = faults(day.set(|settings| settings.queues[0].series = "R".into()));
    assert!(
        told[0].starts_with("queues.tributos.series: Numbers T"),
        "{told:?}"
    );
    let told = faults(day.set(|settings| settings.counters.retain(|counter| counter.number != 4)));
    assert!(
        told[0].starts_with("counters.4.number: Counter 4 is open"),
        "{told:?}"
    );
    for command in [
        Command::Next(FOUR),
        Command::Start(FOUR),
        Command::Park {
            counter: FOUR,
            note: None,
        },
    ] {
        day.give(command).expect("legal");
    }
    let close = Command::Close {
        counter: FOUR,
        release: false,
    };
    day.give(close).expect("closed");
    let told = faults(day.set(|settings| settings.counters.retain(|counter| counter.number != 4)));
    assert!(told[0].contains("1 turns put aside"), "{told:?}");
    // A profile in use is not taken away, one that nobody uses is.
    let told = faults(day.set(|settings| settings.profiles.retain(|profile| profile.id != "mixto")));
    assert_eq!(
        told,
        [
            "counters.7.profile: Counter 7 serves the profile mixto, which is not there; give it another one first"
        ]
    );
    day.set(|settings| {
        settings.counters.retain(|counter| counter.number != 7);
        settings.profiles.retain(|profile| profile.id != "mixto");
    })
    .expect("closed counter, free profile");
    assert!(day.office.counter(CounterNumber(7)).is_none());
}

#[test]
fn a_retired_queue_gives_no_tickets_but_takes_in_what_kiosks_gave() {
    let mut day = day();
    let kiosk = KioskId::from("k1");
    let lease = Command::Lease {
        kiosk: kiosk.clone(),
        queue: "tributos".into(),
        count: 10,
    };
    day.give(lease.clone()).expect("leased");
    day.set(|settings| settings.queues[0].retired = true)
        .expect("nobody waits");
    assert!(matches!(day.give(lease), Err(Refusal::NotTaking { .. })));
    let refused = day.give(Command::Issue(wish("tributos", Lane::General)));
    assert!(matches!(refused, Err(Refusal::NotTaking { .. })));
    assert_eq!(day.office.queues().count(), 1);
    day.later(5);
    let late = Issue {
        kiosk: Some(kiosk),
        leased: Some(Leased {
            number: 501,
            issued_at: day.now,
        }),
        ..wish("tributos", Lane::General)
    };
    let late = ticket(day.give(Command::Issue(late)));
    assert_eq!(
        day.office.queues().count(),
        2,
        "it shows again while somebody waits"
    );
    day.give(Command::Open(FOUR)).expect("open");
    assert_eq!(ticket(day.give(Command::Next(FOUR))), late);
}

#[test]
fn a_new_queue_counter_and_zone_work_at_once() {
    let mut day = day();
    day.set(|settings| {
        settings.queues.push(QueueSettings::new("rentas", "Rentas", "R"));
        settings.profiles.push(profile("rentas", &["rentas"], &[]));
        settings.zones = vec![ZoneSettings {
            id: "sala-a".into(),
            name: "Sala A".into(),
        }];
        for counter in &mut settings.counters {
            counter.zone = Some("sala-a".into());
        }
        settings.counters.push(CounterSettings {
            number: 9,
            profile: "rentas".into(),
            zone: Some("sala-a".into()),
        });
    })
    .expect("taken");
    let id = day.issue("rentas", Lane::General);
    assert_eq!(day.shown(id), "R-001");
    day.give(Command::Open(CounterNumber(9))).expect("open");
    assert_eq!(ticket(day.give(Command::Next(CounterNumber(9)))), id);
    assert_eq!(day.office.setup().zones[0].counters.len(), 4);
}

#[test]
fn differences_name_field_before_and_after() {
    let before = written();
    let mut after = before.clone();
    after.rules.max_priority_run = 3;
    after.queues[0].daily_cap = Some(120);
    after.profiles[1].then_serves.clear();
    after.counters.remove(1);
    let told: Vec<String> = differences(&before, &after)
        .into_iter()
        .map(|one| {
            format!(
                "{}: {} > {}",
                one.field,
                one.from.unwrap_or_default(),
                one.to.unwrap_or_default()
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "counters.5.number: 5 > ",
            "counters.5.profile: caja > ",
            "profiles.mixto.then_serves: tributos > ",
            "queues.tributos.daily_cap:  > 120",
            "rules.max_priority_run: 2 > 3",
        ]
    );
}

/// A change of a random day; most are legal, some must be refused.
fn any_change() -> impl Strategy<Value = (usize, u8)> {
    (0_usize..8, 1_u8..12)
}

fn change((kind, n): (usize, u8), settings: &mut Settings) {
    let queue = usize::from(n) % settings.queues.len();
    match kind {
        0 => settings.rules.max_priority_run = n,
        1 => settings.queues[queue].daily_cap = Some(u32::from(n) * 3),
        2 => settings.queues[queue].retired = !settings.queues[queue].retired,
        3 => {
            let id = format!("q{n}");
            let letter = char::from(b'A' + n);
            settings
                .queues
                .push(QueueSettings::new(&id, &id, &letter.to_string()));
            settings.profiles[0].then_serves.push(id);
        }
        4 => {
            let number = u16::from(n);
            match settings
                .counters
                .iter()
                .position(|counter| counter.number == number)
            {
                Some(at) => drop(settings.counters.remove(at)),
                None => settings.counters.push(CounterSettings {
                    number,
                    profile: "caja".into(),
                    zone: None,
                }),
            }
        }
        5 => settings.profiles[1].then_serves.clear(),
        6 => drop(settings.queues.remove(queue)),
        _ => settings.queues[queue].series = char::from(b'A' + n).to_string(),
    }
}

proptest! {
    /// However settings change through a day: nobody is lost, the history replays to the same state, and what a
    /// call says of K is what was in force.
    #[test]
    fn a_day_of_changes_loses_nobody_and_replays(
        steps in prop::collection::vec((super::laws::any_step(), prop::option::weighted(0.25, any_change())), 1..120)
    ) {
        let mut day = day();
        let begin = Arc::clone(day.office.setup());
        let mut k = begin.max_run;
        for (step, changed) in steps {
            if let Some(changed) = changed {
                let before: HashMap<TicketId, Ticket> =
                    day.office.tickets().map(|ticket| (ticket.id, ticket.clone())).collect();
                let outcome = day.set(|settings| change(changed, settings));
                for ticket in day.office.tickets() {
                    prop_assert_eq!(before.get(&ticket.id), Some(ticket), "a setting moved a turn");
                }
                if outcome.is_ok() {
                    k = day.office.setup().max_run;
                }
            }
            let seen = day.history.len();
            if let Some(command) = step.on(&day) {
                let _ = day.give(command);
            }
            for event in &day.history[seen..] {
                if let What::Called { decision, .. } = &event.what {
                    prop_assert_eq!(decision.max_run, k.get());
                }
            }
            // Everybody who is not done is in a line, put aside, or at a counter that is there.
            let waiting: usize = day.office.lines().values().map(Line::len).sum();
            let at_counters = day.office.counters().filter(|(_, counter)| counter.ticket.is_some()).count();
            let parked = day.office.parked().count();
            let open = day.office.tickets().filter(|ticket| !ticket.status.is_final()).count();
            prop_assert_eq!(waiting + at_counters + parked, open);
            // Every line somebody stands in belongs to a queue that the office knows.
            for (queue, line) in day.office.lines() {
                prop_assert!(line.is_empty() || day.office.setup().queue(queue).is_some());
            }
            let mut shown = HashSet::new();
            for ticket in day.office.tickets() {
                prop_assert!(shown.insert(ticket.shown()), "two turns with one number");
            }
        }
        // What is on the disk is what is replayed.
        let stored: Vec<OfficeEvent> = day.history.iter()
            .map(|event| serde_json::from_str(&serde_json::to_string(event).expect("json")).expect("back"))
            .collect();
        prop_assert_eq!(&stored, &day.history);
        prop_assert_eq!(&Office::restore(begin, 0, &stored), &day.office);
    }
}
