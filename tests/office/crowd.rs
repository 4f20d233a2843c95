//! Many at once, and the plug pulled: nobody is called twice, nobody is lost, nobody is told what is not kept.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::house::{CAP, COUNTERS, House, Program, count, fresh};

/// A call whose answer never arrived.
struct Open {
    counter: u16,
    key: String,
}

fn ticket_of(answer: &Value) -> Option<String> {
    answer["ticket"]["id"].as_str().map(str::to_owned)
}

/// The call after which the plug is pulled, by whoever hears its answer: the others are in the middle of theirs.
const CUT_AFTER: usize = 40;

/// Calls until nobody waits or nobody answers: who was called, and the call that was never answered.
async fn agent(
    staff: Program,
    counter: u16,
    heard: Arc<AtomicUsize>,
    plug: Option<Pid>,
) -> (Vec<String>, Option<Open>) {
    let mut called = Vec::new();
    loop {
        let key = fresh();
        let Some(answer) = staff
            .try_keyed(&format!("/counters/{counter}/next"), json!({}), &key)
            .await
        else {
            return (called, Some(Open { counter, key }));
        };
        let Some(ticket) = ticket_of(&answer.ok()) else {
            return (called, None);
        };
        called.push(ticket);
        if let (CUT_AFTER, Some(plug)) = (heard.fetch_add(1, Ordering::SeqCst) + 1, plug) {
            kill_process(plug, Signal::KILL).expect("kill -9");
        }
        for step in ["start", "finish"] {
            let path = format!("/counters/{counter}/{step}");
            if staff.try_keyed(&path, json!({}), &fresh()).await.is_none() {
                return (called, None);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn thirty_two_counters_share_a_hundred_turns_through_a_power_cut() {
    let house = House::new().await;
    let kiosk = house.kiosk("k1");
    let mut waiting = HashSet::new();
    for _ in 0..100 {
        waiting.insert(
            kiosk.take("tributos").await["id"]
                .as_str()
                .expect("an id")
                .to_owned(),
        );
    }
    let heard = Arc::new(AtomicUsize::new(0));
    let mut agents = JoinSet::new();
    for counter in 1..=COUNTERS {
        agents.spawn(agent(
            house.staff(),
            counter,
            Arc::clone(&heard),
            Some(house.plug()),
        ));
    }
    let mut called: Vec<String> = Vec::new();
    let mut unanswered = Vec::new();
    while let Some(ended) = agents.join_next().await {
        let (tickets, open) = ended.expect("an agent");
        called.extend(tickets);
        unanswered.extend(open);
    }
    let house = house.cut_and_restart();
    assert!(
        called.len() < 100,
        "the plug was pulled too late to prove anything"
    );

    let staff = house.staff();
    let kept = count(&staff.events().await, "called");
    for ticket in &called {
        assert!(
            kept.contains_key(ticket),
            "an answered call is not on the disk: {ticket}"
        );
    }
    // Whoever heard nothing asks again under the same key, as the console does.
    for Open { counter, key } in unanswered {
        let answer = staff
            .keyed(&format!("/counters/{counter}/next"), json!({}), &key)
            .await;
        called.extend(ticket_of(&answer.ok()));
    }
    // The turns that were at a counter are at the same one, and the rest is called as ever.
    let counters = staff.get("/counters").await;
    for counter in counters.as_array().expect("counters") {
        assert_eq!(counter["state"], "open", "{counter}");
        let number = counter["number"].as_u64().expect("a number");
        match counter["ticket"]["status"].as_str() {
            Some("called") => {
                staff
                    .post(&format!("/counters/{number}/start"), json!({}))
                    .await
                    .ok();
                staff
                    .post(&format!("/counters/{number}/finish"), json!({}))
                    .await
                    .ok();
            }
            Some("serving") => {
                staff
                    .post(&format!("/counters/{number}/finish"), json!({}))
                    .await
                    .ok();
            }
            other => assert_eq!(other, None, "{counter}"),
        }
    }
    let heard = Arc::new(AtomicUsize::new(0));
    let mut agents = JoinSet::new();
    for counter in 1..=COUNTERS {
        agents.spawn(agent(house.staff(), counter, Arc::clone(&heard), None));
    }
    while let Some(ended) = agents.join_next().await {
        called.extend(ended.expect("an agent").0);
    }
    let distinct: HashSet<String> = called.iter().cloned().collect();
    assert_eq!(distinct, waiting, "each of the hundred was called");
    assert_eq!(called.len(), 100, "and heard of once");
    let events = staff.events().await;
    for kind in ["called", "finished"] {
        let counts = count(&events, kind);
        assert_eq!(counts.len(), 100, "{kind}");
        assert!(counts.values().all(|times| *times == 1), "{kind}: {counts:?}");
    }
    house.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_last_five_places_of_a_day_go_to_exactly_five() {
    let house = House::new().await;
    let kiosk = house.kiosk("k1");
    for _ in 0..CAP - 5 {
        kiosk.take("catastro").await;
    }
    let mut asking = JoinSet::new();
    for _ in 0..64 {
        let kiosk = kiosk.clone();
        asking.spawn(async move {
            let body = json!({ "queue": "catastro", "lane": "general" });
            kiosk.keyed("/tickets", body, &fresh()).await
        });
    }
    let mut numbers = HashSet::new();
    let mut refused = 0;
    while let Some(answer) = asking.join_next().await {
        let answer = answer.expect("an answer");
        if answer.status == 201 {
            assert!(numbers.insert(answer.json["n"].as_u64()), "{answer:?}");
        } else {
            answer.refused(409, "queue_full");
            refused += 1;
        }
    }
    assert_eq!((numbers.len(), refused), (5, 59));
    house.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_key_does_it_once_however_often_it_arrives() {
    let house = House::new().await;
    let (kiosk, staff) = (house.kiosk("k1"), house.staff());
    let same = |program: &Program, path: &'static str, body: Value| {
        let (program, key) = (program.clone(), fresh());
        async move {
            let mut asking = JoinSet::new();
            for _ in 0..12 {
                let (program, body, key) = (program.clone(), body.clone(), key.clone());
                asking.spawn(async move { program.keyed(path, body, &key).await.ok() });
            }
            let mut answers: Vec<Value> = Vec::new();
            while let Some(answer) = asking.join_next().await {
                answers.push(answer.expect("an answer"));
            }
            assert!(answers.iter().all(|one| *one == answers[0]), "{answers:?}");
            (answers[0].clone(), key)
        }
    };
    let body = json!({ "queue": "tributos", "lane": "general" });
    let (ticket, key) = same(&kiosk, "/tickets", body).await;
    kiosk.take("tributos").await;
    let (called, call_key) = same(&staff, "/counters/3/next", json!({})).await;
    assert_eq!(called["ticket"]["id"], ticket["id"]);
    let events = staff.events().await;
    assert_eq!(count(&events, "issued").len(), 2);
    assert_eq!(count(&events, "called").values().collect::<Vec<_>>(), [&1]);

    let seq = staff.seq().await;
    let other = json!({ "queue": "tributos", "lane": "priority" });
    kiosk
        .keyed("/tickets", other, &key)
        .await
        .refused(422, "idempotency_key_reused");
    staff
        .keyed("/counters/4/next", json!({}), &call_key)
        .await
        .refused(422, "idempotency_key_reused");
    assert_eq!(staff.seq().await, seq);
    house.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn either_the_call_or_the_cancelling_wins() {
    let house = House::new().await;
    let (kiosk, staff) = (house.kiosk("k1"), house.staff());
    let mut outcomes: HashMap<&str, usize> = HashMap::new();
    for round in 0..24 {
        let id = kiosk.take("tributos").await["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        let cancel_path = format!("/tickets/{id}/cancel");
        // Turned round each time, so that either may be first.
        let (cancelled, called) = if round % 2 == 0 {
            tokio::join!(
                kiosk.post(&cancel_path, json!({})),
                staff.post("/counters/1/next", json!({}))
            )
        } else {
            let (called, cancelled) = tokio::join!(
                staff.post("/counters/1/next", json!({})),
                kiosk.post(&cancel_path, json!({}))
            );
            (cancelled, called)
        };
        let won = match ticket_of(&called.ok()) {
            Some(ticket) => {
                assert_eq!(ticket, id);
                cancelled.refused(409, "wrong_status");
                assert_eq!(cancelled.json["ticket"]["status"], "called");
                staff.post("/counters/1/start", json!({})).await.ok();
                staff.post("/counters/1/finish", json!({})).await.ok();
                "called"
            }
            None => {
                assert_eq!(cancelled.ok()["ticket"]["status"], "cancelled");
                "cancelled"
            }
        };
        *outcomes.entry(won).or_default() += 1;
        let events = staff.events().await;
        let both = [count(&events, "called"), count(&events, "cancelled")];
        let times: usize = both.iter().filter_map(|counts| counts.get(&id)).sum();
        assert_eq!(times, 1, "{id} was both called and cancelled, or neither");
    }
    assert_eq!(outcomes.values().sum::<usize>(), 24);
    house.stop();
}
