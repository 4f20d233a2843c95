//! The wall clock goes wrong while people wait: order, numbers and durations hold, and a person decides what is right.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::auth::Peer;
use super::tests::House;
use super::time::ClockError;
use crate::domain::timekeeper::Trust;
use crate::store::office::AuditFilter;

const FORWARD: SignedDuration = SignedDuration::from_hours(26);
const BACK: SignedDuration = SignedDuration::from_hours(-2);

/// From the day of the tests to 1 January 2000.
fn to_2000(house: &House) -> SignedDuration {
    let there: Timestamp = "2000-01-01T05:00:00Z".parse().expect("time");
    there.duration_since(house.clock.now())
}

fn time(event: &Value) -> Timestamp {
    event["at"].as_str().expect("a time").parse().expect("a time")
}

/// Everything that happened, in order; its times never go back and its day never changes.
#[track_caller]
fn one_steady_day(events: &[Value]) {
    for pair in events.windows(2) {
        assert!(time(&pair[0]) <= time(&pair[1]), "{pair:?}");
        assert_eq!(pair[0]["business_date"], pair[1]["business_date"], "{pair:?}");
    }
}

async fn number_called(house: &House) -> Value {
    let ticket = house.moved("/counters/4/next").await["ticket"].clone();
    ticket["number"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_jump_while_people_wait_changes_neither_order_nor_numbers_nor_durations() {
    for jump in [BACK, FORWARD, SignedDuration::ZERO] {
        let house = House::new().await;
        let jump = if jump.is_zero() { to_2000(&house) } else { jump };
        house.issue("one", "general").await;
        house.issue("two", "general").await;
        house.moved("/counters/4/open").await;
        assert_eq!(number_called(&house).await, "T-001");
        house.moved("/counters/4/start").await;
        house.clock.advance(SignedDuration::from_mins(4));
        house.clock.jump(jump);
        house.clock.advance(SignedDuration::from_mins(3));
        house.office.tick().await;
        let health = house.get("/health").await;
        assert_eq!(health["clock"], "doubted", "{jump}: {health}");

        let three = house.issue("three", "general").await;
        assert_eq!(three["number"], "T-003");
        let done = house.moved("/counters/4/finish").await["ticket"].clone();
        let of = |name: &str| -> Timestamp { done[name].as_str().expect("a time").parse().expect("a time") };
        assert_eq!(
            of("ended_at").duration_since(of("started_at")),
            SignedDuration::from_mins(7),
            "{jump}"
        );
        assert_eq!(number_called(&house).await, "T-002");
        house.moved("/counters/4/start").await;
        house.moved("/counters/4/finish").await;
        assert_eq!(number_called(&house).await, "T-003");
        one_steady_day(&house.events().await);

        // The clock is set right again, and nobody has to say anything.
        house.clock.jump(SignedDuration::ZERO.saturating_sub(jump));
        assert_eq!(house.get("/health").await["clock"], "followed");
        assert_eq!(house.office.now(), house.clock.now());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_supervisor_takes_the_new_time_and_it_is_on_record() {
    let house = House::new().await;
    house.issue("one", "general").await;
    house.clock.jump(FORWARD);
    house.office.tick().await;
    let waiting = house.get("/turns/T-001").await;
    assert_eq!(waiting["status"], "waiting", "nobody lost a turn to a clock");

    let desk = Peer("127.0.0.1".to_owned());
    house.office.confirm_clock("jefa", &desk).await.expect("taken");
    assert_eq!(house.office.clock_state().trust, Trust::Followed);
    assert_eq!(house.office.now(), house.clock.now());
    let ended: Vec<Value> = house.events().await;
    assert!(ended.iter().any(|event| event["type"] == "expired"), "{ended:?}");
    assert_eq!(
        house.issue("two", "general").await["number"],
        "T-001",
        "a new day"
    );
    let log = house
        .office
        .audit_page(AuditFilter::default(), 20)
        .expect("the log");
    let entry = log
        .iter()
        .find(|entry| entry.event.contains("clock_confirmed"))
        .expect("on record");
    assert_eq!(entry.who.as_deref(), Some("jefa"));

    house.clock.jump(to_2000(&house));
    let refused = house.office.confirm_clock("jefa", &desk).await;
    assert!(matches!(refused, Err(ClockError::Impossible(_))), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_clock_across_a_restart_holds_the_day_together() {
    for jump in [BACK, SignedDuration::ZERO] {
        let house = House::new().await;
        let jump = if jump.is_zero() { to_2000(&house) } else { jump };
        house.issue("one", "general").await;
        house.issue("two", "priority").await;
        house.moved("/counters/4/open").await;
        assert_eq!(number_called(&house).await, "T-002");
        house.clock.jump(jump);
        let house = house.again().await;
        assert_eq!(house.office.clock_state().trust, Trust::Guessed, "{jump}");
        assert_eq!(house.issue("three", "general").await["number"], "T-003");
        house.clock.advance(SignedDuration::from_mins(5));
        house.moved("/counters/4/start").await;
        house.moved("/counters/4/finish").await;
        assert_eq!(number_called(&house).await, "T-001");
        one_steady_day(&house.events().await);

        // The network sets the clock: it is ahead of all we know, so nobody is asked.
        house
            .clock
            .jump(SignedDuration::from_mins(40).saturating_sub(jump));
        assert_eq!(house.get("/health").await["clock"], "followed");
        assert_eq!(house.office.now(), house.clock.now());
        one_steady_day(&house.events().await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_that_was_off_for_a_day_begins_the_next_one() {
    let house = House::new().await;
    house.issue("one", "general").await;
    house.clock.advance(FORWARD);
    let house = house.again().await;
    assert_eq!(house.office.clock_state().trust, Trust::Followed);
    assert_eq!(house.issue("two", "general").await["number"], "T-001");
}
