//! Orders as a device meets them: once, for itself, in time.

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::store::Schema;
use crate::sync::fleet::OrderWire;

const DEVICE: Schema = Schema {
    application_id: 12,
    migrations: &[store::TABLES],
};

struct Bench {
    db: Db,
    clock: Clock,
    central: SigningKey,
    acts: Arc<AtomicU32>,
}

impl Bench {
    fn new() -> Self {
        Self {
            db: Db::memory(DEVICE).expect("opens").db,
            clock: Clock::manual("2026-11-24T14:00:00Z".parse().expect("time")),
            central: SigningKey::generate(&[1; 32]),
            acts: Arc::default(),
        }
    }

    fn device(&self) -> Obedience {
        let acts = Arc::clone(&self.acts);
        let act: Act = Arc::new(move |kind| {
            acts.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move {
                match kind {
                    OrderKind::Restart => Acted {
                        restart: true,
                        ..Acted::done("")
                    },
                    OrderKind::FetchLogs => Acted::with("text/plain", b"a line".to_vec()),
                    OrderKind::UpdateNow | OrderKind::ScreenPicture => {
                        Acted::not(OrderEnd::Refused, "session open")
                    }
                }
            })
        });
        let keys = vec![self.central.verifying()];
        let key = SigningKey::generate(&[2; 32]);
        Obedience::new(self.db.clone(), "k1", key, keys, self.clock.clone(), act)
    }

    fn order(&self, n: u128, kind: &str, at: Timestamp) -> OrderWire {
        let order = Order {
            v: 1,
            id: Uuid::from_u128(n),
            device: "k1".into(),
            kid: None,
            kind: kind.into(),
            issued_at: at,
            expires_at: at + SignedDuration::from_hours(1),
        };
        OrderWire {
            device: "k1".into(),
            order: order.seal(&self.central),
        }
    }

    fn answer(&self, orders: Vec<OrderWire>, taken: Vec<Uuid>, server_time: Timestamp) -> FleetAnswerWire {
        FleetAnswerWire {
            v: 1,
            server_time,
            orders,
            taken,
        }
    }

    fn ends(&self) -> Vec<(OrderEnd, String)> {
        let told = self.device().results();
        told.iter()
            .map(|signed| serde_json::from_str::<OrderResult>(&signed.body).expect("a result"))
            .map(|result| (result.end, result.detail))
            .collect()
    }
}

#[tokio::test]
async fn an_order_is_done_once_also_after_a_restart_and_told_until_it_is_known() {
    let bench = Bench::new();
    let now = bench.clock.now();
    let order = || vec![bench.order(1, "restart", now)];
    assert!(
        bench
            .device()
            .obey(bench.answer(order(), vec![], now))
            .await
            .expect("kept")
    );
    let after = bench.device();
    after.begin().await.expect("settled");
    assert!(
        !after
            .obey(bench.answer(order(), vec![], now))
            .await
            .expect("kept"),
        "no second time"
    );
    assert_eq!(bench.acts.load(Ordering::SeqCst), 1);
    assert_eq!(bench.ends(), [(OrderEnd::Done, String::new())]);
    let taken = vec![Uuid::from_u128(1)];
    after.obey(bench.answer(vec![], taken, now)).await.expect("kept");
    assert_eq!(bench.ends(), []);
    assert!(
        !after
            .obey(bench.answer(order(), vec![], now))
            .await
            .expect("kept"),
        "nor a third"
    );
    assert_eq!(bench.acts.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_was_begun_before_a_cut_is_not_done_again_and_nobody_pretends() {
    let bench = Bench::new();
    let now = bench.clock.now();
    let begun = bench
        .db
        .write(move |c| store::begin(c, Uuid::from_u128(1), "restart", now))
        .await;
    assert!(begun.expect("written"));
    let device = bench.device();
    device.begin().await.expect("settled");
    let order = vec![bench.order(1, "restart", now)];
    device.obey(bench.answer(order, vec![], now)).await.expect("kept");
    assert_eq!(bench.acts.load(Ordering::SeqCst), 0);
    assert_eq!(bench.ends(), [(OrderEnd::Interrupted, String::new())]);
}

#[tokio::test]
async fn too_late_unknown_or_not_from_central_is_refused() {
    let bench = Bench::new();
    let now = bench.clock.now();
    // The device's own clock lost its battery; whoever is above knows better.
    bench.clock.jump(-SignedDuration::from_hours(24 * 300));
    let late = now + SignedDuration::from_hours(2);
    let mut forged = bench.order(3, "restart", now);
    forged.order.body = forged.order.body.replace("restart", "fetch_logs");
    let orders = vec![
        bench.order(1, "restart", now),
        bench.order(2, "run_shell", late),
        forged,
    ];
    bench
        .device()
        .obey(bench.answer(orders, vec![], late))
        .await
        .expect("kept");
    assert_eq!(bench.acts.load(Ordering::SeqCst), 0);
    assert_eq!(
        bench.ends(),
        [
            (OrderEnd::Refused, "expired".into()),
            (OrderEnd::Refused, "unknown".into())
        ]
    );
    let orders = vec![bench.order(4, "screen_picture", late)];
    bench
        .device()
        .obey(bench.answer(orders, vec![], late))
        .await
        .expect("kept");
    assert_eq!(bench.ends().last().expect("told").1, "session open");
}
