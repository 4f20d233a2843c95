use std::fmt::Write;

use super::*;
use crate::domain::event::OfficeEvent;

/// A morning as lines of the export: two people, one called out of turn, one absent and back, a break.
const EXPORT: &str = r#"
{"seq":1,"at":"2026-11-24T13:00:00Z","business_date":"2026-11-24","type":"day_opened"}
{"seq":2,"at":"2026-11-24T13:00:00Z","business_date":"2026-11-24","counter":4,"type":"counter_opened"}
{"seq":3,"at":"2026-11-24T13:05:00Z","business_date":"2026-11-24","ticket":"00000000-0000-0000-0000-000000000001","type":"issued","series":"T","number":"T-001","n":1,"queue":"tributos","lane":"general","arrival_seq":1,"number_date":"2026-11-24","issued_at":"2026-11-24T13:05:00Z","leased":false,"ahead":0,"estimate":{"from_minutes":0,"to_minutes":5}}
{"seq":4,"at":"2026-11-24T13:06:00Z","business_date":"2026-11-24","ticket":"00000000-0000-0000-0000-000000000002","type":"issued","series":"T","number":"T-002","n":2,"queue":"tributos","lane":"priority","arrival_seq":2,"number_date":"2026-11-24","issued_at":"2026-11-24T13:06:00Z","leased":false,"ahead":0,"estimate":{"from_minutes":0,"to_minutes":5}}
{"seq":5,"at":"2026-11-24T13:10:00Z","business_date":"2026-11-24","ticket":"00000000-0000-0000-0000-000000000001","counter":4,"who":"rosa","type":"called","number":"T-001","decision":{"profile":"tributos","tier":0,"candidates":[],"run":0,"max_run":2,"rule":"out_of_turn"},"reason":"mareo"}
{"seq":6,"at":"2026-11-24T13:11:00Z","business_date":"2026-11-24","ticket":"00000000-0000-0000-0000-000000000001","counter":4,"type":"started"}
{"seq":7,"at":"2026-11-24T13:15:00Z","business_date":"2026-11-24","ticket":"00000000-0000-0000-0000-000000000001","counter":4,"type":"parked"}
{"seq":8,"at":"2026-11-24T13:20:00Z","business_date":"2026-11-24","ticket":"00000000-0000-0000-0000-000000000002","counter":4,"type":"called","number":"T-002","decision":{"profile":"tributos","tier":1,"candidates":[],"run":0,"max_run":2,"rule":"only_lane"}}
{"seq":9,"at":"2026-11-24T13:22:00Z","business_date":"2026-11-24","ticket":"00000000-0000-0000-0000-000000000002","counter":4,"type":"no_show"}
{"seq":10,"at":"2026-11-24T13:23:00Z","business_date":"2026-11-24","ticket":"00000000-0000-0000-0000-000000000002","type":"rejoined","arrival_seq":2,"back":1}
{"seq":11,"at":"2026-11-24T13:25:00Z","business_date":"2026-11-24","ticket":"00000000-0000-0000-0000-000000000001","counter":4,"type":"resumed","number":"T-001"}
{"seq":12,"at":"2026-11-24T13:26:00Z","business_date":"2026-11-24","ticket":"00000000-0000-0000-0000-000000000001","counter":4,"type":"started"}
{"seq":13,"at":"2026-11-24T13:30:00Z","business_date":"2026-11-24","ticket":"00000000-0000-0000-0000-000000000001","counter":4,"type":"finished"}
{"seq":14,"at":"2026-11-24T13:30:00Z","business_date":"2026-11-24","counter":4,"type":"counter_paused","reason":"almuerzo"}
{"seq":15,"at":"2026-11-24T13:40:00Z","business_date":"2026-11-24","counter":4,"type":"counter_closed"}
"#;

#[test]
fn a_morning_is_recomputed_from_the_lines_of_the_export() {
    let events: Vec<OfficeEvent> = EXPORT
        .trim()
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of the export"))
        .collect();
    let (tickets, out_of_turn) = Facts::of(&events);
    let zone = TimeZone::get("America/Guayaquil").expect("zone");
    let now = "2026-11-24T14:00:00Z".parse().expect("time");
    let report = Report::of(
        &tickets,
        &["tributos".into()],
        &zone,
        out_of_turn,
        counter_lines(&events, now),
    );
    let mut said = String::new();
    for line in report.lines.iter().chain([&report.total]) {
        let _ = writeln!(
            said,
            "{:9} {:8} issued {} called {} finished {} rejoined {} p50 {:?} max {:?} way {:?} service {:?}",
            line.queue,
            line.lane,
            line.issued,
            line.called,
            line.finished,
            line.rejoined,
            line.wait_p50_minutes,
            line.wait_max_minutes,
            line.way_mean_minutes,
            line.service_mean_minutes
        );
    }
    insta::assert_snapshot!(said, @r"
    tributos  general  issued 1 called 1 finished 1 rejoined 0 p50 Some(5.0) max Some(5.0) way Some(1.0) service Some(8.0)
    tributos  priority issued 1 called 1 finished 0 rejoined 1 p50 Some(14.0) max Some(14.0) way None service None
                       issued 2 called 2 finished 1 rejoined 1 p50 Some(5.0) max Some(14.0) way Some(1.0) service Some(8.0)
    ");
    assert_eq!(
        report.estimates,
        EstimateError {
            told: 2,
            within: 1,
            mean_absolute_error_minutes: Some(7.0),
            bias_minutes: Some(7.0),
        }
    );
    assert_eq!(report.out_of_turn[0].reason, "mareo");
    let counter = &report.counters[0];
    assert_eq!((counter.called, counter.finished), (2, 1));
    assert_eq!(
        (
            counter.open_minutes,
            counter.paused_minutes,
            counter.serving_minutes
        ),
        (30.0, 10.0, 8.0)
    );
    assert_eq!(
        report
            .hours
            .iter()
            .map(|h| (h.hour, h.issued, h.finished))
            .collect::<Vec<_>>(),
        [(8, 2, 1)]
    );
    assert_eq!(report.days[0].date, "2026-11-24");
}

#[test]
fn nothing_happened_is_a_report_too() {
    let report = Report::of(&[], &[], &TimeZone::UTC, Vec::new(), Vec::new());
    assert_eq!(report.total, Line::default());
    assert_eq!(report.estimates, EstimateError::default());
}
