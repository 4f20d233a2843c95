//! One suite for both stores. PostgreSQL is tried where `VENTANILLA_TEST_POSTGRES` gives its address.

use std::collections::HashSet;

use super::*;
use crate::domain::audit::Verifier;
use crate::domain::desk::{CaseStatus, DeskRole, Review};
use crate::domain::id::Moment;
use crate::domain::submission::peers::{Delivery, TokenHash};
use crate::domain::submission::{Acknowledgement, Header, tests::header};
use crate::store::central::SCHEMA;
use crate::store::devices::Place;
use crate::store::{chain, desk, devices, fleet};

fn key() -> SigningKey {
    SigningKey::generate(&[41; 32])
}

fn now() -> Timestamp {
    header(1).created_at
}

fn delivery(header: Header, body: &str) -> Delivery {
    Delivery {
        item: Item::sign(
            header.submission_id,
            body.as_bytes().to_vec(),
            &SigningKey::generate(&[1; 32]),
        ),
        header,
        sender: "hub".into(),
    }
}

/// The `seq`th submission of a device, after `before`.
fn next(device: &str, seq: u32, before: Option<&Delivery>) -> Delivery {
    let mut header = header(seq);
    header.device_id = device.to_owned();
    header.submission_id = SubmissionId::new(Moment {
        now: now(),
        random: random(),
    });
    header.prev_hash = before.map(|before| before.item.hash.to_hex());
    let body = format!("{device} {seq} {}", header.submission_id);
    delivery(header, &body)
}

async fn keep(store: &Municipal, deliveries: &[&Delivery]) -> Vec<Verdict> {
    keep_as(store, deliveries, None, &key()).await.0
}

async fn keep_as(
    store: &Municipal,
    deliveries: &[&Delivery],
    last_word: Option<Acknowledgement>,
    key: &SigningKey,
) -> (Vec<Verdict>, Mark) {
    let arrival = Arrival {
        deliveries: deliveries.iter().map(|one| (*one).clone()).collect(),
        last_word,
    };
    store.keep(arrival, key, now()).await.expect("kept")
}

fn word(verdict: &Verdict) -> Acknowledgement {
    match verdict {
        Verdict::Accepted(ack) | Verdict::Duplicate(ack) => ack.clone(),
        other => panic!("{other:?}"),
    }
}

async fn postgres() -> Option<Municipal> {
    let url = crate::store::postgres::test_tables().await?;
    Some(Municipal::Postgres(
        Postgres::open(&url, now()).await.expect("opens"),
    ))
}

async fn on_both<F: AsyncFn(Municipal)>(test: F) {
    test(Municipal::Sqlite(Db::memory(SCHEMA).expect("open").db)).await;
    if let Some(store) = postgres().await {
        test(store).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_of_an_id_stays_and_the_same_again_gets_the_same_word() {
    on_both(async |store| {
        let one = next("kiosk-1", 1, None);
        let two = next("kiosk-1", 2, Some(&one));
        let first = keep(&store, &[&one, &two]).await;
        assert!(
            first
                .iter()
                .all(|verdict| matches!(verdict, Verdict::Accepted(_)))
        );
        let again = keep(&store, &[&two, &one]).await;
        assert_eq!(again[0], Verdict::Duplicate(word(&first[1])), "byte for byte");
        assert_eq!(again[1], Verdict::Duplicate(word(&first[0])));
        let other = delivery(one.header.clone(), "other");
        assert_eq!(keep(&store, &[&other]).await, [Verdict::Conflict]);
        assert_eq!(store.alarms().await.expect("alarms"), 1);
        let kept = store.sealed(one.item.id).await.expect("read");
        assert_eq!(kept, Some(one.item.clone()));
        let keys = [key().verifying()];
        let places: Vec<i64> = first
            .iter()
            .filter_map(|verdict| Some(word(verdict).read(&keys)?.server_seq))
            .collect();
        assert_eq!(places, [1, 2]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_id_twice_in_one_batch_is_one() {
    on_both(async |store| {
        let one = next("kiosk-1", 1, None);
        let other = delivery(one.header.clone(), "other");
        let verdicts = keep(&store, &[&one, &one, &other]).await;
        assert_eq!(verdicts[1], Verdict::Duplicate(word(&verdicts[0])));
        assert_eq!(verdicts[2], Verdict::Conflict);
        assert_eq!(listed(&store, 0).await.len(), 1);
    })
    .await;
}

async fn listed(store: &Municipal, after: i64) -> Vec<InboxRow> {
    let wanted = Wanted {
        after,
        limit: 500,
        ..Wanted::default()
    };
    store.list(wanted).await.expect("listed")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_comes_back_as_it_was_said_and_is_found_in_every_way() {
    on_both(async |store| {
        let mut one = next("kiosk-1", 1, None);
        one.header.queue = Some("tributos".into());
        let mut two = next("kiosk-2", 1, None);
        two.header.procedure = "mascotas".into();
        two.header.office = "sur".into();
        keep(&store, &[&one, &two]).await;
        let rows = listed(&store, 0).await;
        assert_eq!((rows.len(), rows[0].server_seq, rows[1].server_seq), (2, 1, 2));
        let row = store.find(one.item.id).await.expect("read").expect("there");
        assert_eq!(row, rows[0]);
        assert_eq!(
            (row.hash, row.queue.as_deref()),
            (one.item.hash, Some("tributos"))
        );
        assert_eq!((row.created_at, row.received_at), (one.header.created_at, now()));
        assert_eq!(
            store.by_code(one.header.code).await.expect("read").len(),
            2,
            "both have it here"
        );
        let wanted = |procedure: Option<&str>, office: Option<&str>| Wanted {
            limit: 10,
            procedure: procedure.map(Into::into),
            office: office.map(Into::into),
            ..Wanted::default()
        };
        for wanted in [wanted(Some("mascotas"), None), wanted(None, Some("sur"))] {
            let rows = store.list(wanted).await.expect("listed");
            assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [two.item.id]);
        }
        assert_eq!(listed(&store, 1).await.len(), 1);
        assert_eq!(store.find(next("x", 1, None).item.id).await.expect("read"), None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gaps_forks_and_broken_chains_are_shown_and_all_is_kept() {
    on_both(async |store| {
        let one = next("kiosk-1", 1, None);
        let ours = next("kiosk-1", 2, Some(&one));
        let theirs = next("kiosk-1", 2, Some(&one));
        let stray = next("kiosk-1", 3, Some(&one));
        let late = next("kiosk-1", 6, None);
        // In one batch or in several makes no difference.
        keep(&store, &[&one, &ours]).await;
        keep(&store, &[&theirs, &stray, &late]).await;
        let devices = store.devices().await.expect("devices");
        assert_eq!(devices.len(), 1);
        assert_eq!((devices[0].last_seq, devices[0].doubts), (6, 2));
        assert_eq!(devices[0].missing, [4, 5]);
        assert_eq!(listed(&store, 0).await.len(), 5);
        assert_eq!(store.alarms().await.expect("alarms"), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_that_knows_more_begins_a_new_life_and_one_that_lies_does_not() {
    on_both(async |store| {
        let one = next("kiosk-1", 1, None);
        let (verdicts, before) = keep_as(&store, &[&one], None, &key()).await;
        let ours = word(&verdicts[0]);
        let epoch = |last_word| {
            let store = store.clone();
            async move { keep_as(&store, &[], last_word, &key()).await.1.server_epoch }
        };
        assert_eq!(epoch(Some(ours.clone())).await, before.server_epoch);
        let mut body = ours.read(&[key().verifying()]).expect("ours");
        body.server_seq = 9;
        let forged = Acknowledgement::sign(&body, &SigningKey::generate(&[3; 32]));
        assert_eq!(epoch(Some(forged)).await, before.server_epoch);
        let lost = Acknowledgement::sign(&body, &key());
        let after = epoch(Some(lost.clone())).await;
        assert_ne!(after, before.server_epoch);
        assert_eq!(
            epoch(Some(lost)).await,
            after,
            "of an earlier life, so it says nothing any more"
        );
        let lives = store.lives().await.expect("lives");
        assert_eq!((lives.len(), lives[0].why.as_str()), (1, "sender-knows-more"));
        // The same item gets a word of the new life at its old place.
        let again = keep(&store, &[&one]).await;
        let body = word(&again[0]).read(&[key().verifying()]).expect("ours");
        assert_eq!((body.server_seq, body.server_epoch), (1, after));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_receipt_key_signs_again_and_nothing_else_changes() {
    on_both(async |store| {
        let one = next("kiosk-1", 1, None);
        let first = word(&keep(&store, &[&one]).await[0]);
        let new = SigningKey::generate(&[43; 32]);
        let (verdicts, _) = keep_as(&store, &[&one], None, &new).await;
        let second = word(&verdicts[0])
            .read(&[new.verifying()])
            .expect("the new key's");
        let first = first.read(&[key().verifying()]).expect("the old key's");
        assert_eq!(
            (first.server_seq, first.received_at),
            (second.server_seq, second.received_at)
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn senders_at_the_same_time_leave_no_hole_and_nothing_twice() {
    on_both(async |store| {
        let shared: Vec<_> = (1..=10).map(|n| next("shared", n, None)).collect();
        let tasks: Vec<_> = (0..8)
            .map(|sender| {
                let (store, shared) = (store.clone(), shared.clone());
                tokio::spawn(async move {
                    for n in 1..=10_u32 {
                        let own = next(&format!("kiosk-{sender}"), n, None);
                        let twice = &shared[usize::try_from(n).expect("small") - 1];
                        keep(&store, &[&own, twice]).await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("ended well");
        }
        let rows = listed(&store, 0).await;
        let places: Vec<_> = rows.iter().map(|row| row.server_seq).collect();
        assert_eq!(places, (1..=90).collect::<Vec<_>>());
        assert_eq!(rows.iter().map(|row| row.id).collect::<HashSet<_>>().len(), 90);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_on_one_server_see_the_same_and_wake_each_other() {
    let Some(Municipal::Postgres(first)) = postgres().await else {
        return;
    };
    let second = first.again().await.expect("a second node");
    let wake = std::sync::Arc::new(tokio::sync::Notify::new());
    let listening = second.listen(std::sync::Arc::clone(&wake));
    // The first call says that the line is up.
    wake.notified().await;
    let woken = wake.notified();
    let one = next("kiosk-1", 1, None);
    let verdicts = keep(&Municipal::Postgres(first), &[&one]).await;
    woken.await;
    let again = keep(&Municipal::Postgres(second), &[&one]).await;
    assert_eq!(again, [Verdict::Duplicate(word(&verdicts[0]))]);
    listening.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_restored_begins_a_new_life_at_the_next_start() {
    let Some(Municipal::Postgres(first)) = postgres().await else {
        return;
    };
    let plain = first.again().await.expect("a plain restart");
    assert!(plain.lives().await.expect("lives").is_empty());
    // What a restore to a moment, or a standby that takes over, leaves behind.
    first.pretend_other_timeline().await;
    let restored = first.again().await.expect("starts");
    let lives = restored.lives().await.expect("lives");
    assert_eq!((lives.len(), lives[0].why.as_str()), (1, "file-copy"));
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_cases_and_erased_contents_are_the_same_in_both() {
    on_both(async |store| {
        let one = next("kiosk-1", 1, None);
        let id = one.item.id.to_string();
        let verdicts = keep(&store, &[&one]).await;
        let hash = TokenHash::of("secret");
        let seen = id.clone();
        store
            .change(move |sql| {
                desk::put_token(sql, "ana", TokenHash::of("old"), DeskRole::Admin, now())?;
                desk::put_token(sql, "ana", hash, DeskRole::Reader, now())?;
                assert!(desk::token_of(sql, TokenHash::of("old"))?.is_none(), "replaced");
                assert_eq!(
                    desk::token_of(sql, hash)?.map(|one| one.role),
                    Some(DeskRole::Reader)
                );
                assert_eq!(desk::case(sql, &seen)?, desk::CaseRow::default());
                desk::put_review(sql, &seen, Review::Accepted, "[]", "proof")?;
                desk::put_status(sql, &seen, CaseStatus::Done, Some("#letter-sent"), now())?;
                let case = desk::case(sql, &seen)?;
                assert_eq!(
                    (case.status, case.proof.as_deref()),
                    (Some(CaseStatus::Done), Some("proof"))
                );
                assert_eq!(desk::cases(sql, std::slice::from_ref(&seen))?[&seen], case);
                assert_eq!(desk::procedures(sql)?, ["residencia"]);
                let before = |at| desk::Until {
                    done_before: at,
                    open_before: None,
                };
                assert!(
                    desk::due(sql, "residencia", before(now()), 5)?.is_empty(),
                    "not before the moment"
                );
                let later = now() + jiff::SignedDuration::from_secs(1);
                assert_eq!(desk::due(sql, "residencia", before(later), 5)?.len(), 1);
                let row = desk::erasable(sql, &seen)?.expect("here");
                desk::erase(sql, &row.id, later)?;
                assert!(desk::erasable(sql, &seen)?.is_none());
                assert!(desk::due(sql, "residencia", before(later), 5)?.is_empty());
                desk::put_review(sql, &seen, Review::Accepted, "[]", "proof")?;
                let case = desk::case(sql, &seen)?;
                assert_eq!(
                    (case.review, case.proof, case.note),
                    (None, None, None),
                    "stays erased"
                );
                assert!(desk::revoke_token(sql, "ana")? && !desk::revoke_token(sql, "ana")?);
                Ok(())
            })
            .await
            .expect("written");
        store.sweep().await.expect("swept");
        assert_eq!(store.sealed(one.item.id).await.expect("read"), None);
        assert_eq!(listed(&store, 0).await.len(), 1, "name and hash stay");
        // Handed in again it is known, and does not come back.
        assert_eq!(
            keep(&store, &[&one]).await,
            [Verdict::Duplicate(word(&verdicts[0]))]
        );
        assert_eq!(store.sealed(one.item.id).await.expect("read"), None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_and_their_codes_are_the_same_in_both() {
    on_both(async |store| {
        let place = Place {
            device: "k3".into(),
            office: "centro".into(),
        };
        let (one, two) = (SigningKey::generate(&[1; 32]).verifying(), key().verifying());
        let code = TokenHash::of("code");
        store
            .change(move |sql| {
                let until = now() + jiff::SignedDuration::from_mins(15);
                devices::keep_code(sql, code, &place, "ana", until)?;
                let late = until + jiff::SignedDuration::from_secs(1);
                assert_eq!(devices::redeem(sql, code, &one, late)?, None);
                assert_eq!(devices::redeem(sql, code, &one, now())?, Some(place.clone()));
                assert_eq!(
                    devices::redeem(sql, code, &one, now())?,
                    Some(place.clone()),
                    "lost answer"
                );
                assert_eq!(devices::redeem(sql, code, &two, now())?, None);
                devices::put(sql, &place, &two, Some("hub"), now())?;
                let kids: Vec<_> = devices::all(sql)?.iter().map(|row| row.key.clone()).collect();
                assert_eq!(kids, [one.clone(), two.clone()], "the newest last");
                devices::put(sql, &place, &one, None, now())?;
                assert_eq!(devices::all(sql)?[1].key, one, "back again");
                assert!(devices::revoke(sql, "k3", now())? && !devices::revoke(sql, "k3", now())?);
                assert!(devices::all(sql)?.iter().all(|row| row.revoked_at.is_some()));
                Ok(())
            })
            .await
            .expect("written");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_only_grows_and_writers_do_not_tread_on_each_other() {
    on_both(async |store| {
        store
            .change(|sql| chain::begin(sql, [7; 16]))
            .await
            .expect("begun");
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let store = store.clone();
                tokio::spawn(async move {
                    for n in 0..10 {
                        let event = serde_json::json!({ "type": "x", "n": n });
                        let who = format!("w{writer}");
                        store
                            .change(move |sql| chain::append(sql, now(), Some(&who), None, &event))
                            .await
                            .expect("written");
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.await.expect("ended well");
        }
        let (name, entries) = store
            .look(|sql| Ok((chain::name(sql)?, chain::entries(sql, 0, 100)?)))
            .await
            .expect("read");
        let mut verifier = Verifier::new(&name, vec![], []);
        for entry in &entries {
            verifier.entry(entry);
        }
        let found = verifier.finish();
        assert!(found.is_sound(), "{:?}", found.faults);
        assert_eq!(found.entries, 40);
        for refused in ["UPDATE audit SET who='x'", "DELETE FROM audit WHERE seq=40"] {
            assert!(
                store.change(move |sql| sql.run(refused, &[])).await.is_err(),
                "{refused}"
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_alarms_orders_and_letters_are_the_same_in_both() {
    use crate::domain::fleet::alarm::{AlarmKind, Standing};
    use crate::domain::fleet::order::OrderEnd;
    use crate::domain::seal::Signed;

    on_both(async |store| {
        let at = |minute: i64| now() + jiff::SignedDuration::from_mins(minute);
        let id = |n: u128| uuid::Uuid::from_u128(n);
        let row = |minute| fleet::FleetRow {
            id: "k1".into(),
            office: "centro".into(),
            carried_by: "hub".into(),
            kid: None,
            heard_at: at(minute),
            report: crate::domain::fleet::tests::report("k1"),
        };
        let (first, older) = (row(5), row(1));
        let standing = [Standing {
            kind: AlarmKind::Printer,
            since: at(0),
            raised_at: None,
        }];
        let order = fleet::OrderRow {
            id: id(1),
            device: "k1".into(),
            kind: "fetch_logs".into(),
            issued_by: "ana".into(),
            issued_at: at(0),
            expires_at: at(60),
            end: None,
            detail: String::new(),
            done_at: None,
            media: None,
        };
        let letter = fleet::LetterRow {
            id: id(2),
            channel: "mail".into(),
            subject: "s".into(),
            body: "b".into(),
            made_at: at(0),
            attempts: 0,
        };
        let given = order.clone();
        let (kept, alarms, open) = store
            .change(move |sql| {
                sql.alone(fleet::LOCK)?;
                fleet::put_report(sql, &first)?;
                fleet::put_report(sql, &older)?;
                fleet::change_alarms(sql, "k1", &standing)?;
                fleet::add_order(sql, &given, &Signed::new("X//", &1, &key()))?;
                fleet::add_letter(sql, &letter)?;
                Ok((
                    fleet::devices(sql)?,
                    fleet::alarms(sql)?,
                    fleet::open_orders(sql, "k1", at(1))?.len(),
                ))
            })
            .await
            .expect("kept");
        assert_eq!(
            (kept.len(), kept[0].heard_at),
            (1, at(5)),
            "an older word changes nothing"
        );
        assert_eq!((alarms.len(), alarms[0].1.kind, open), (1, AlarmKind::Printer, 1));
        let taken = store
            .change(move |sql| {
                let taken = fleet::take_letters(sql, at(1), at(6))?;
                assert!(
                    fleet::take_letters(sql, at(2), at(7))?.is_empty(),
                    "taken already"
                );
                fleet::letter_failed(sql, id(2), "no line", at(3))?;
                assert_eq!(fleet::letters_waiting(sql)?, (1, Some("no line".to_owned())));
                assert_eq!(fleet::take_letters(sql, at(3), at(9))?[0].attempts, 2);
                fleet::letter_sent(sql, id(2), at(4))?;
                assert_eq!(fleet::letters_waiting(sql)?.0, 0);
                fleet::drop_letters(sql, at(5), at(0))?;
                Ok(taken)
            })
            .await
            .expect("taken");
        assert_eq!((taken.len(), taken[0].attempts), (1, 1));
        let back = Some(("text/plain", b"a line".to_vec()));
        let (ended, again, found, gone) = store
            .change(move |sql| {
                let ended = fleet::end_order(sql, id(1), OrderEnd::Done, "", back, at(2))?;
                let again = fleet::end_order(sql, id(1), OrderEnd::Failed, "", None, at(3))?;
                let found = fleet::attachment(sql, id(1))?;
                fleet::drop_attachments(sql, at(3))?;
                fleet::forget(sql, "k1")?;
                assert!(fleet::devices(sql)?.is_empty() && fleet::overdue(sql, at(99))?.is_empty());
                Ok((ended, again, found, fleet::attachment(sql, id(1))?))
            })
            .await
            .expect("ended");
        assert!(ended && !again);
        assert_eq!(found.map(|(media, _)| media).as_deref(), Some("text/plain"));
        assert_eq!(gone, None);
    })
    .await;
}
