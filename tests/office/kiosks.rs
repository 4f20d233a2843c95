//! Kiosks that were cut off gave numbers alone; however the line heals, nobody shares a number and nobody is lost.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::house::{House, Program, count, fresh};

/// A ticket given alone.
struct Held {
    kiosk: usize,
    id: String,
    key: String,
    number: u64,
}

async fn lease(kiosk: &Program, size: u32) -> (u64, u64) {
    let lease = kiosk
        .keyed("/leases", json!({ "queue": "tributos", "count": size }), &fresh())
        .await
        .ok();
    (
        lease["from"].as_u64().expect("a first"),
        lease["to"].as_u64().expect("a last"),
    )
}

async fn hand_in(kiosk: &Program, held: &Held, at: &str) -> super::house::Answer {
    let body = json!({
        "queue": "tributos",
        "lane": "general",
        "id": held.id,
        "leased": { "number": held.number, "issued_at": at },
    });
    kiosk.keyed("/tickets", body, &held.key).await
}

/// A shuffle that is the same at every run.
fn shuffled(mut items: Vec<usize>, seed: u64) -> Vec<usize> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    for end in (1..items.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let pick = usize::try_from(state % (end as u64 + 1)).unwrap_or(0);
        items.swap(end, pick);
    }
    items
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_kiosks_heal_in_any_order_without_a_number_twice() {
    let house = House::new().await;
    let kiosks = [house.kiosk("k1"), house.kiosk("k2")];
    let staff = house.staff();
    let mut numbers: HashSet<Value> = HashSet::new();
    let mut ids: HashSet<String> = HashSet::new();
    for round in 0..6_u64 {
        let mut held = Vec::new();
        let mut blocks = Vec::new();
        for (kiosk, program) in kiosks.iter().enumerate() {
            let (from, to) = lease(program, 6).await;
            blocks.push((from, to));
            for number in from..=to {
                held.push(Held {
                    kiosk,
                    id: fresh(),
                    key: fresh(),
                    number,
                });
            }
        }
        let (first, second) = (blocks[0], blocks[1]);
        assert!(first.1 < second.0 || second.1 < first.0, "{blocks:?} overlap");
        // Meanwhile the office gives numbers of its own.
        for kiosk in &kiosks {
            assert!(numbers.insert(kiosk.take("tributos").await["n"].clone()));
        }
        let at = jiff_now();
        // Each arrives up to three times: the line broke after the office had it.
        let arrivals = shuffled((0..held.len()).flat_map(|n| [n, n, n]).collect(), round + 1);
        for n in arrivals {
            let one = &held[n];
            let ticket = hand_in(&kiosks[one.kiosk], one, &at).await.ok();
            assert_eq!(ticket["n"], json!(one.number));
            assert_eq!(ticket["id"], json!(one.id));
            if ids.insert(one.id.clone()) {
                assert!(
                    numbers.insert(ticket["n"].clone()),
                    "{ticket} has a number of another"
                );
            }
        }
        // A number of the other kiosk's block is nobody's to give.
        let stolen = Held {
            kiosk: 1,
            id: fresh(),
            key: fresh(),
            number: first.0,
        };
        let seq = staff.seq().await;
        hand_in(&kiosks[1], &stolen, &at)
            .await
            .refused(409, "number_taken");
        assert_eq!(staff.seq().await, seq);
    }
    let events = staff.events().await;
    let issued = count(&events, "issued");
    assert_eq!(issued.len(), numbers.len());
    assert!(issued.values().all(|times| *times == 1), "{issued:?}");
    house.stop();
}

fn jiff_now() -> String {
    ventanilla::clock::Clock::System.now().to_string()
}
