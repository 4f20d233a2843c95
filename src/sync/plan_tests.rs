use super::*;
use crate::domain::seal::SigningKey;
use crate::domain::submission::tests::header;
use crate::domain::submission::{AckBody, Acknowledgement, Hash, Reason};

const NOTHING: Reply = Reply::Nothing { why: "timeout" };

fn now() -> Timestamp {
    header(1).created_at
}

fn status(status: u16) -> Reply {
    Reply::Status {
        status,
        retry_after: None,
    }
}

fn item() -> Item {
    Item {
        id: header(1).submission_id,
        hash: Hash([3; 32]),
        signature: [0; 64],
        envelope: vec![1],
    }
}

#[test]
fn pauses_grow_to_five_minutes_and_never_beyond() {
    let delays = Delays::default();
    let longest: Vec<i64> = (1..12)
        .map(|failures| {
            (0..400)
                .map(|n| delays.pause(failures, n * 997_123).as_secs())
                .max()
                .expect("some")
        })
        .collect();
    assert!(longest[0] <= 1 && longest[8] > 200, "{longest:?}");
    assert!(longest.iter().all(|secs| *secs <= 300), "{longest:?}");
    assert_eq!(delays.pause(u32::MAX, 0), SignedDuration::ZERO);
}

#[test]
fn a_huge_retry_after_is_cut_to_an_hour() {
    let mut line = Line::new(Delays::default());
    let asked = read_retry_after("86400", now());
    let reply = Reply::Status {
        status: 503,
        retry_after: asked,
    };
    assert_eq!(line.failed(&reply, 5, now(), 7), Blame::Line);
    assert_eq!(
        line.not_before(now()),
        now().checked_add(SignedDuration::from_hours(1)).ok()
    );
    let date = read_retry_after(
        "Tue, 24 Nov 2026 12:00:10 GMT",
        "2026-11-24T12:00:00Z".parse().expect("time"),
    );
    assert_eq!(date, Some(SignedDuration::from_secs(10)));
    assert_eq!(read_retry_after("soon", now()), None);
}

#[test]
fn a_line_that_was_down_is_tried_with_one_item() {
    let mut line = Line::new(Delays::default());
    assert_eq!(line.batch_limits().0, ITEMS_MAX);
    assert_eq!(line.failed(&NOTHING, 50, now(), 500_000), Blame::Line);
    assert_eq!(line.batch_limits().0, 1);
    assert!(line.not_before(now()).is_some());
    line.line_up();
    assert!(line.not_before(now()).is_none());
    line.answered();
    assert_eq!((line.state, line.batch_limits().0), (LineState::Up, ITEMS_MAX));
}

#[test]
fn a_clock_set_back_by_years_ends_the_pause() {
    let mut line = Line::new(Delays::default());
    line.failed(&NOTHING, 1, now(), 900_000);
    let years_ago = now() - SignedDuration::from_hours(5 * 365 * 24);
    assert_eq!(line.not_before(years_ago), None);
}

#[test]
fn a_poisoned_batch_is_halved_until_the_one_at_fault_stands_alone() {
    let mut line = Line::new(Delays::default());
    let mut tries = 0;
    // The poison always is in the first half: the worst case.
    loop {
        tries += 1;
        let items = line.batch_limits().0;
        if line.failed(&status(400), items, now(), 0) == Blame::Perhaps {
            break;
        }
        assert!(tries < 20, "never found");
    }
    assert_eq!(tries, 13);
    // The whole server may be at fault, as long as it takes nothing else.
    assert_eq!(line.failed(&status(500), 1, now(), 0), Blame::Perhaps);
    line.answered();
    assert_eq!(line.failed(&status(500), 1, now(), 0), Blame::Item);
    assert_eq!(line.failed(&status(500), 1, now(), 0), Blame::Perhaps);
    let after = |faults| line.after_failure(Blame::Item, faults, "400", now(), 0);
    assert!(matches!(after(0), Outcome::Again { suspect: true, .. }));
    assert!(matches!(after(ITEM_FAULTS_MAX - 1), Outcome::Dead { .. }));
}

#[test]
fn trouble_of_the_line_is_never_blamed_on_an_item() {
    for reply in [
        NOTHING,
        Reply::Foreign,
        status(401),
        status(403),
        status(404),
        status(429),
        status(502),
        status(503),
    ] {
        let mut line = Line::new(Delays::default());
        for _ in 0..100 {
            assert_eq!(line.failed(&reply, 1, now(), 1), Blame::Line, "{reply:?}");
        }
    }
}

#[test]
fn a_verdict_is_believed_only_with_the_servers_signature() {
    let (line, item, key) = (
        Line::new(Delays::default()),
        item(),
        SigningKey::generate(&[4; 32]),
    );
    let body = AckBody {
        submission_id: item.id,
        hash: item.hash.to_hex(),
        server_seq: 1,
        server_epoch: "s".into(),
        received_at: now(),
        kid: key.kid().into(),
    };
    let ack = Acknowledgement::sign(&body, &key);
    let judge = |verdict, keys: &[VerifyingKey]| line.judge(&item, verdict, keys, now(), 0);
    let ours = [key.verifying()];
    assert!(matches!(
        judge(Verdict::Duplicate(ack.clone()), &ours),
        Outcome::Received { .. }
    ));
    assert!(matches!(
        judge(Verdict::Accepted(ack), &[]),
        Outcome::Again { suspect: false, .. }
    ));
    assert!(matches!(judge(Verdict::Conflict, &ours), Outcome::Dead { .. }));
    assert!(matches!(
        judge(Verdict::Rejected(Reason::UnknownDevice), &ours),
        Outcome::Dead { .. }
    ));
}

#[test]
fn an_answer_about_other_items_is_no_answer() {
    let sent = [header(1).submission_id, header(2).submission_id];
    let answer = |ids: &[SubmissionId]| {
        serde_json::to_vec(&AnswerWire {
            v: 1,
            server_epoch: "s".into(),
            server_time: now(),
            durable: None,
            verdicts: ids
                .iter()
                .map(|id| super::super::wire::VerdictWire::new(*id, Verdict::Conflict))
                .collect(),
        })
        .expect("json")
    };
    assert!(matches!(read_answer(&answer(&sent), &sent), Reply::Answer(_)));
    assert_eq!(read_answer(&answer(&sent[..1]), &sent), Reply::Foreign);
    assert_eq!(read_answer(&answer(&[sent[1], sent[0]]), &sent), Reply::Foreign);
    assert_eq!(
        read_answer(b"<html>Bienvenido a la red</html>", &sent),
        Reply::Foreign
    );
    let whole = answer(&sent);
    assert_eq!(read_answer(&whole[..whole.len() - 1], &sent), Reply::Foreign);
}
