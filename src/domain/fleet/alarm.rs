//! What is wrong with a device, and when somebody is told.
//!
//! [`wrong`] looks at what is known; [`Standing::step`] decides what is news. A thing that is wrong for a moment is no
//! news, a thing that stays wrong is told once, and that it is well again is told once too.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Report;

/// A thing that may be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmKind {
    /// Nothing is heard from it.
    Silent,
    /// A printer does not print.
    Printer,
    /// A roll is nearly finished.
    Paper,
    /// The disk is nearly full.
    Disk,
    /// The clock is wrong.
    Clock,
    /// Submissions wait for too long.
    Outbox,
    /// Submissions need a person.
    Stuck,
    /// A data file was damaged.
    Damaged,
    /// An update did not serve, or was refused.
    Update,
    /// The last self-test found something.
    Doctor,
    /// A waiting room has no screen.
    Dark,
}

impl AlarmKind {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Silent,
        Self::Printer,
        Self::Paper,
        Self::Disk,
        Self::Clock,
        Self::Outbox,
        Self::Stuck,
        Self::Damaged,
        Self::Update,
        Self::Doctor,
        Self::Dark,
    ];

    /// A stable word for programs; its words for people are `fleet-alarm-…`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Printer => "printer",
            Self::Paper => "paper",
            Self::Disk => "disk",
            Self::Clock => "clock",
            Self::Outbox => "outbox",
            Self::Stuck => "stuck",
            Self::Damaged => "damaged",
            Self::Update => "update",
            Self::Doctor => "doctor",
            Self::Dark => "dark",
        }
    }

    /// The kind of a word.
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// From when on something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Nothing heard for this long.
    pub silent: SignedDuration,
    /// Everything else has to be wrong for this long: a roll is changed in a minute.
    pub patience: SignedDuration,
    /// Hundredths of the disk that must be free.
    pub disk_percent: u64,
    /// How far a clock may be wrong.
    pub clock: SignedDuration,
    /// How long a submission may wait.
    pub outbox: SignedDuration,
}

/// What is wrong with a device that said `report`, and was heard last at `heard_at`.
pub fn wrong(
    report: &Report,
    heard_at: Timestamp,
    now: Timestamp,
    limits: &Thresholds,
) -> BTreeSet<AlarmKind> {
    if now.duration_since(heard_at) >= limits.silent {
        // What it said before it fell silent may be long mended; only that it is silent is known.
        return BTreeSet::from([AlarmKind::Silent]);
    }
    let seconds = |limit: SignedDuration| u64::try_from(limit.as_secs()).unwrap_or(0);
    let clock = i64::try_from(limits.clock.as_millis()).unwrap_or(i64::MAX);
    let found = [
        (
            AlarmKind::Printer,
            report.printers.iter().any(|one| !one.prints()),
        ),
        (AlarmKind::Paper, report.printers.iter().any(|one| one.paper_low)),
        (
            AlarmKind::Disk,
            report
                .disk
                .is_some_and(|disk| disk.free_percent() < limits.disk_percent),
        ),
        (
            AlarmKind::Clock,
            report
                .clock_offset_ms
                .is_some_and(|offset| offset.saturating_abs() > clock),
        ),
        (
            AlarmKind::Outbox,
            report.outbox.waiting > 0 && report.outbox.oldest_seconds >= seconds(limits.outbox),
        ),
        (AlarmKind::Stuck, report.outbox.stuck > 0),
        (AlarmKind::Damaged, report.put_aside),
        (
            AlarmKind::Update,
            report
                .update
                .as_ref()
                .is_some_and(|update| matches!(update.state.as_str(), "failed" | "refused")),
        ),
        (
            AlarmKind::Doctor,
            report
                .doctor
                .as_ref()
                .is_some_and(|doctor| !doctor.wrong.is_empty()),
        ),
        (AlarmKind::Dark, report.dark_zones > 0),
    ];
    found
        .into_iter()
        .filter_map(|(kind, is)| is.then_some(kind))
        .collect()
}

/// How an alarm of a device stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Which.
    pub kind: AlarmKind,
    /// Since when it is wrong.
    pub since: Timestamp,
    /// When it was told; nothing while it may still be nothing.
    pub raised_at: Option<Timestamp>,
}

/// What is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// It is wrong and stays so.
    Raised(Standing),
    /// It is well again.
    Cleared(Standing),
}

impl News {
    /// What it is about.
    pub fn standing(&self) -> Standing {
        match self {
            Self::Raised(standing) | Self::Cleared(standing) => *standing,
        }
    }
}

impl Standing {
    /// What stands from now on, and what of it is news.
    pub fn step(
        before: &[Self],
        wrong: &BTreeSet<AlarmKind>,
        now: Timestamp,
        limits: &Thresholds,
    ) -> (Vec<Self>, Vec<News>) {
        let (mut after, mut news) = (Vec::new(), Vec::new());
        // A silent device says nothing of its printer: what stood before it fell silent is neither old nor over.
        let silent = wrong.contains(&AlarmKind::Silent);
        for standing in before {
            if wrong.contains(&standing.kind) {
                continue;
            }
            if silent && standing.raised_at.is_some() {
                after.push(*standing);
            } else if standing.raised_at.is_some() {
                news.push(News::Cleared(*standing));
            }
        }
        for kind in wrong {
            let known = before.iter().find(|standing| standing.kind == *kind);
            let mut standing = known.copied().unwrap_or(Self {
                kind: *kind,
                since: now,
                raised_at: None,
            });
            let patience = match kind {
                // It waited already.
                AlarmKind::Silent => SignedDuration::ZERO,
                _ => limits.patience,
            };
            if standing.raised_at.is_none() && now.duration_since(standing.since) >= patience {
                standing.raised_at = Some(now);
                news.push(News::Raised(standing));
            }
            after.push(standing);
        }
        (after, news)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::report;
    use super::*;

    const LIMITS: Thresholds = Thresholds {
        silent: SignedDuration::from_mins(15),
        patience: SignedDuration::from_mins(5),
        disk_percent: 10,
        clock: SignedDuration::from_secs(120),
        outbox: SignedDuration::from_hours(1),
    };

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_795_500_000 + minute * 60).expect("a time")
    }

    fn kinds(report: &Report) -> Vec<AlarmKind> {
        wrong(report, at(0), at(1), &LIMITS).into_iter().collect()
    }

    #[test]
    fn each_thing_that_may_be_wrong_is_seen_and_a_well_device_is_left_alone() {
        assert_eq!(kinds(&report("K2")), []);
        let mut ill = report("K2");
        ill.printers[0].state = "no-paper".into();
        ill.printers[0].paper_low = true;
        ill.disk = Some(super::super::DiskState {
            free_bytes: 9,
            total_bytes: 100,
        });
        ill.clock_offset_ms = Some(-120_001);
        ill.outbox.waiting = 1;
        ill.outbox.oldest_seconds = 3600;
        ill.outbox.stuck = 1;
        ill.put_aside = true;
        ill.dark_zones = 1;
        ill.update = Some(super::super::UpdateState {
            state: "failed".into(),
            ..Default::default()
        });
        ill.doctor = Some(super::super::DoctorState {
            at: at(0),
            wrong: vec!["printer".into()],
        });
        let mut all = AlarmKind::ALL.to_vec();
        all.remove(0);
        assert_eq!(kinds(&ill), all);
        let silent = wrong(&ill, at(0), at(15), &LIMITS);
        assert_eq!(silent, BTreeSet::from([AlarmKind::Silent]));
    }

    #[test]
    fn what_stays_wrong_is_told_once_and_once_that_it_is_well() {
        let wrong = BTreeSet::from([AlarmKind::Printer]);
        let (standing, news) = Standing::step(&[], &wrong, at(0), &LIMITS);
        assert_eq!(news, [], "a roll may be changed this very moment");
        let (standing, news) = Standing::step(&standing, &wrong, at(5), &LIMITS);
        assert!(matches!(news[..], [News::Raised(one)] if one.since == at(0)));
        let (standing, news) = Standing::step(&standing, &wrong, at(90), &LIMITS);
        assert_eq!(news, [], "not repeated");
        let silent = BTreeSet::from([AlarmKind::Silent]);
        let (standing, news) = Standing::step(&standing, &silent, at(100), &LIMITS);
        assert!(matches!(news[..], [News::Raised(one)] if one.kind == AlarmKind::Silent));
        assert_eq!(standing.len(), 2, "silence mends no printer");
        let (standing, news) = Standing::step(&standing, &BTreeSet::new(), at(120), &LIMITS);
        assert_eq!((standing.len(), news.len()), (0, 2));
        assert!(news.iter().all(|one| matches!(one, News::Cleared(_))));
        let (standing, _) = Standing::step(&[], &wrong, at(200), &LIMITS);
        let (standing, news) = Standing::step(&standing, &BTreeSet::new(), at(201), &LIMITS);
        assert_eq!(
            (standing.len(), news),
            (0, vec![]),
            "for a moment: nobody is told"
        );
    }
}
