//! The audit log of a real office, and what somebody could do to its file.

use std::path::Path;

use reqwest::{Client, StatusCode};
use rusqlite::Connection;

use super::audit::verify;
use super::tests::config;
use super::*;
use crate::config::office::OfficeConfig;
use crate::domain::audit::{AuditEvent, Done, Fault, Findings, Note};
use crate::store::office::{AuditFilter, Role};

/// An office that ran for a while and stopped: its settings, and the last text it signed.
async fn a_day() -> (tempfile::TempDir, OfficeConfig, String) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("folder");
    let clock = Clock::manual("2026-11-24T15:00:00Z".parse().expect("time"));
    let stop = Stop::default();
    let settings = config(folder.path());
    let served = start(settings.clone(), clock.clone(), stop.clone(), |_| Router::new())
        .await
        .expect("starts");
    let office = Arc::clone(&served.office);
    let now = clock.now();
    let token = office
        .db()
        .write(move |c| store::create_token(c, "reports", Role::Supervisor, now))
        .await
        .expect("token");
    let http = Client::builder().no_proxy().build().expect("client");
    let base = format!("http://{}/api/v1", served.address);
    for path in ["open", "next", "next", "recall", "close"] {
        let url = format!("{base}/counters/4/{path}");
        http.post(url).bearer_auth(&token).send().await.expect("sent");
    }
    for _ in 0..3 {
        let report = http.get(format!("{base}/reports/day?date=2026-11-24"));
        let answer = report.bearer_auth(&token).send().await.expect("sent");
        assert_eq!(answer.status(), StatusCode::OK);
    }
    let entries = office.audit_page(AuditFilter::default(), 100).expect("read");
    let events: Vec<AuditEvent> = entries
        .iter()
        .rev()
        .map(|entry| serde_json::from_str(&entry.event).expect("event"))
        .collect();
    let commands: Vec<(&str, Option<u16>, &Done)> = events
        .iter()
        .filter_map(|event| match event {
            AuditEvent::Commanded {
                command,
                counter,
                done,
                ..
            } => Some((command.as_str(), *counter, done)),
            _ => None,
        })
        .collect();
    assert_eq!(commands.len(), 5);
    assert_eq!(
        commands[3],
        ("recall", Some(4), &Done::Refused("no_ticket".into()))
    );
    assert!(matches!(commands[0], ("open", Some(4), Done::Events { .. })));
    let readings = events.iter().filter(|event| event.kind() == "read").count();
    assert_eq!(readings, 1, "the same reading again is not a new entry");
    stop.stop();
    served.finished().await;
    let signed = office
        .newest_checkpoint()
        .expect("read")
        .expect("signed at the stop");
    (folder, settings, signed)
}

/// Somebody with the file and with SQLite, who takes the triggers away first.
fn tamper(data: &Path, sql: &str) {
    let c = Connection::open(data.join(FILE)).expect("open");
    c.execute_batch(
        "DROP TRIGGER audit_stays; DROP TRIGGER audit_is_kept; DROP TRIGGER audit_follows;
         DROP TRIGGER audit_checkpoint_stays; DROP TRIGGER audit_checkpoint_is_kept;",
    )
    .expect("triggers");
    c.execute_batch(sql).expect(sql);
}

fn found(config: &OfficeConfig) -> Findings {
    verify(config, Vec::new(), &[]).expect("readable")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_nobody_touched_is_sound_also_over_restarts() {
    let (_folder, config, _) = a_day().await;
    let first = found(&config);
    assert!(first.is_sound() && first.notes.is_empty(), "{first:?}");
    assert_eq!(first.checkpoints, 2, "at the start and at the stop");
    let stop = Stop::default();
    let clock = Clock::manual("2026-11-25T15:00:00Z".parse().expect("time"));
    let served = start(config.clone(), clock.clone(), stop.clone(), |_| Router::new())
        .await
        .expect("starts again");
    // While it runs, the file may be looked at too.
    assert!(found(&config).is_sound());
    clock.advance(jiff::SignedDuration::from_mins(61));
    let now = clock.now();
    served
        .office
        .db()
        .write(move |c| store::append_audit(c, now, Some("ana"), None, &AuditEvent::LoggedOut))
        .await
        .expect("written");
    assert_eq!(found(&config).notes, [Note::Unsigned(1)]);
    served.office.checkpoint_if_due().await;
    assert!(found(&config).notes.is_empty(), "signed after an hour");
    let many = served.office.db().write(move |c| {
        for _ in 0..100 {
            store::append_audit(c, now, Some("ana"), None, &AuditEvent::LoggedOut)?;
        }
        Ok(())
    });
    many.await.expect("written");
    served.office.checkpoint_if_due().await;
    assert!(found(&config).notes.is_empty(), "or after a hundred entries");
    stop.stop();
    served.finished().await;
    let second = found(&config);
    assert!(second.is_sound() && second.entries > first.entries);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edited_row_is_named() {
    let (folder, config, _) = a_day().await;
    tamper(folder.path(), "UPDATE audit SET who = 'luz' WHERE seq = 5");
    assert_eq!(found(&config).faults, [Fault::Changed(5)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_middle_row_is_named() {
    let (folder, config, _) = a_day().await;
    tamper(folder.path(), "DELETE FROM audit WHERE seq = 5");
    assert_eq!(found(&config).faults, [Fault::Missing(5, 5)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_row_is_found_even_when_the_numbers_are_closed_up() {
    let (folder, config, _) = a_day().await;
    tamper(
        folder.path(),
        "DELETE FROM audit WHERE seq = 5; UPDATE audit SET seq = seq - 1 WHERE seq > 5",
    );
    let faults = found(&config).faults;
    assert_eq!(faults[0], Fault::Changed(5), "{faults:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_rows_that_were_swapped_are_named() {
    let (folder, config, _) = a_day().await;
    tamper(
        folder.path(),
        "UPDATE audit SET seq = -1 WHERE seq = 5; UPDATE audit SET seq = 5 WHERE seq = 6;
         UPDATE audit SET seq = 6 WHERE seq = -1",
    );
    let faults = found(&config).faults;
    assert!(
        faults.contains(&Fault::Changed(5)) && faults.contains(&Fault::Changed(6)),
        "{faults:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_end_is_found_wherever_one_signature_is_left() {
    let (folder, config, signed) = a_day().await;
    let last = found(&config).last;
    let cut = format!("DELETE FROM audit WHERE seq > {}", last - 3);
    tamper(folder.path(), &cut);
    let wanted = [Fault::CutOff {
        last: last - 3,
        signed: last,
    }];
    assert_eq!(found(&config).faults, wanted);
    // With the signatures cut off in the data file too, those beside it tell.
    let c = Connection::open(folder.path().join(FILE)).expect("open");
    let more = format!("DELETE FROM audit_checkpoint WHERE seq > {}", last - 3);
    c.execute_batch(&more).expect("cut");
    drop(c);
    assert_eq!(found(&config).faults, wanted);
    // And with those gone, the text that somebody kept on paper.
    std::fs::remove_file(folder.path().join("audit.checkpoints")).expect("removed");
    assert!(found(&config).is_sound(), "nothing here can tell any more");
    let kept = verify(&config, Vec::new(), &[signed]).expect("readable");
    assert_eq!(kept.faults, wanted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_and_its_record_are_one_transaction() {
    let (folder, config, _) = a_day().await;
    let c = Connection::open(folder.path().join(FILE)).expect("open");
    c.execute_batch(
        "CREATE TRIGGER full BEFORE INSERT ON audit WHEN NEW.event LIKE '%commanded%'
        BEGIN SELECT RAISE(ABORT, 'no'); END;",
    )
    .expect("trigger");
    drop(c);
    let stop = Stop::default();
    let clock = Clock::manual("2026-11-24T16:00:00Z".parse().expect("time"));
    let served = start(config, clock, stop.clone(), |_| Router::new())
        .await
        .expect("starts");
    let before = served.office.seq();
    let ask = Ask {
        who: Some("ana".into()),
        ..Ask::default()
    };
    let open = crate::domain::office::Command::Open(crate::domain::ticket::CounterNumber(4));
    assert!(served.office.command(open.clone(), ask).await.is_err());
    assert_eq!(served.office.seq(), before, "what cannot be recorded is not done");
    served
        .office
        .command(open, Ask::default())
        .await
        .expect("the office itself is no staff");
    assert!(served.office.seq() > before);
    stop.stop();
    served.finished().await;
}
