//! Devices on their way in and out, by the real routes.

use std::net::SocketAddr;

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;

use super::*;
use crate::domain::seal::SigningKey;
use crate::store::{Db, central};
use crate::sync::enrol::{ENROL_PATH, RecipientWire};
use crate::sync::gate::TIME_HEADER;

struct House {
    registry: Arc<Registry>,
    clock: Clock,
    url: String,
    http: reqwest::Client,
}

fn key(n: u8) -> SigningKey {
    SigningKey::generate(&[n; 32])
}

async fn serve(registry: &Arc<Registry>) -> String {
    let gate = registry.gate();
    let open = move |method, uri, headers: axum::http::HeaderMap| async move {
        match gate.admit(&method, &uri, &headers, &[]) {
            Ok(peer) => peer.id.into_response(),
            Err(refused) => {
                let mut response = (refused.status(), refused.code()).into_response();
                if let Some(time) = refused.time() {
                    response.headers_mut().insert(TIME_HEADER, time);
                }
                response
            }
        }
    };
    let app: Router = routes(Arc::clone(registry)).route("/who", get(open));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await.expect("served") });
    format!("http://{address}")
}

async fn house(settled: Vec<Peer>, above: Option<Above>) -> House {
    let db = Db::memory(central::SCHEMA).expect("open").db;
    let clock = Clock::manual("2026-11-24T14:00:00Z".parse().expect("time"));
    let welcome = WelcomeWire {
        recipients: vec![RecipientWire {
            role: if above.is_some() { "office" } else { "municipality" }.into(),
            key: "k".into(),
        }],
        ..WelcomeWire::default()
    };
    let store = Municipal::Sqlite(db);
    let registry = Registry::new(store, &[], PeerBook::new(settled), welcome, above, clock.clone());
    clock.advance(SignedDuration::from_secs(1));
    House {
        url: serve(&registry).await,
        registry,
        clock,
        http: crate::app::http_client(None).expect("a client"),
    }
}

impl House {
    async fn code(&self, device: &str) -> String {
        let place = Place {
            device: device.into(),
            office: "centro".into(),
        };
        let (code, _) = self.registry.invite(place, "ana").await.expect("a code");
        code.to_string()
    }

    async fn redeem(&self, code: &str, key: &SigningKey) -> (u16, serde_json::Value) {
        let wire = EnrolWire {
            v: 1,
            code: code.to_lowercase(),
            public_key: key.verifying().to_text(),
        };
        let url = format!("{}{ENROL_PATH}", self.url);
        let response = self.http.post(url).json(&wire).send().await.expect("an answer");
        (response.status().as_u16(), response.json().await.expect("json"))
    }

    async fn who(&self, credential: &Credential) -> String {
        let request = self.http.get(format!("{}/who", self.url));
        let response = credential.send(&self.http, request).await.expect("an answer");
        response.text().await.expect("text")
    }

    fn device(&self, id: &str, n: u8) -> Credential {
        Credential::device(id, key(n), self.clock.clone())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_lets_one_device_in_once_and_its_signature_opens() {
    let house = house(vec![], None).await;
    let code = house.code("k3").await;
    assert_eq!(house.who(&house.device("k3", 3)).await, "token_refused");
    let (status, answer) = house.redeem(&code, &key(3)).await;
    assert_eq!((status, answer["device"].as_str()), (200, Some("k3")), "{answer}");
    assert_eq!(answer["recipients"][0]["role"], "municipality");
    assert_eq!(house.who(&house.device("k3", 3)).await, "k3");
    assert_eq!(house.registry.enrolled(), ["k3"]);
    // The answer may have been lost: the same key is told again, another one is not.
    assert_eq!(house.redeem(&code, &key(3)).await.0, 200);
    assert_eq!(house.redeem(&code, &key(4)).await.0, 403);
    assert_eq!(house.who(&house.device("k3", 4)).await, "token_refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_code_a_wrong_one_and_too_many_are_refused() {
    let house = house(vec![], None).await;
    let first = house.code("k3").await;
    let code = house.code("k3").await;
    assert_eq!(house.redeem(&first, &key(3)).await.0, 403, "a newer one was made");
    house.clock.advance(CODE_LASTS + SignedDuration::from_secs(1));
    assert_eq!(house.redeem(&code, &key(3)).await.0, 403, "over");
    let good = house.code("k4").await;
    for _ in 0..TRIES_MAX {
        house.redeem("0000-0000", &key(3)).await;
    }
    assert_eq!(house.redeem(&good, &key(3)).await.0, 429);
    house.clock.advance(SignedDuration::from_mins(14));
    let taken = Place {
        device: "K 4".into(),
        office: "centro".into(),
    };
    assert!(matches!(
        house.registry.invite(taken, "ana").await,
        Err(EnrolError::Name(_))
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_with_a_wrong_clock_learns_the_right_one() {
    let house = house(vec![], None).await;
    let code = house.code("k3").await;
    house.redeem(&code, &key(3)).await;
    for wrong in ["2021-01-01T00:00:00Z", "2031-01-01T00:00:00Z"] {
        let clock = Clock::manual(wrong.parse().expect("time"));
        let device = Credential::device("k3", key(3), clock);
        assert_eq!(house.who(&device).await, "k3", "{wrong}");
        assert_eq!(house.who(&device).await, "k3", "and keeps it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_out_of_service_is_told_so_and_can_come_back_with_a_new_key() {
    let house = house(vec![], None).await;
    let code = house.code("k3").await;
    house.redeem(&code, &key(3)).await;
    assert!(house.registry.revoke("k3", "ana").await.expect("done"));
    assert!(!house.registry.revoke("k3", "ana").await.expect("done"));
    assert_eq!(house.who(&house.device("k3", 3)).await, "device_revoked");
    assert!(house.registry.enrolled().is_empty());
    let book = house.registry.gate().book();
    assert_eq!(book.keys(), [key(3).verifying()], "its receipts stay genuine");
    let code = house.code("k3").await;
    assert_eq!(house.redeem(&code, &key(5)).await.0, 200);
    assert_eq!(house.who(&house.device("k3", 5)).await, "k3");
    assert_eq!(
        house.who(&house.device("k3", 3)).await,
        "device_revoked",
        "the old machine"
    );
    assert_eq!(house.registry.gate().book().keys().len(), 2);
    let log = house
        .registry
        .store
        .look(|sql| chain::entries(sql, 0, 100))
        .await
        .expect("read");
    let kinds: Vec<String> = log
        .iter()
        .filter_map(|entry| serde_json::from_str::<AuditEvent>(&entry.event).ok())
        .map(|event| event.kind().to_owned())
        .collect();
    assert_eq!(
        kinds,
        [
            "device_invited",
            "device_enrolled",
            "device_revoked",
            "device_invited",
            "device_enrolled"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_vouches_before_it_lets_a_kiosk_in_and_only_for_its_own_office() {
    let hub = Peer::with_token("hub", "centro", TokenHash::of("hub token"));
    let other = Peer::with_key("hub-sur", "sur", key(9).verifying());
    let central = house(vec![hub, other], None).await;
    let above = Above {
        http: central.http.clone(),
        url: central.url.clone(),
        credential: "hub token".to_owned().into(),
    };
    let office = house(vec![], Some(above)).await;
    let code = office.code("k3").await;
    let (status, answer) = office.redeem(&code, &key(3)).await;
    assert_eq!(status, 200, "{answer}");
    let roles: Vec<_> = answer["recipients"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|recipient| recipient["role"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(roles, ["office", "municipality"]);
    assert_eq!(central.registry.enrolled(), ["k3"]);

    let theirs = |device: &str, office: &str| VouchWire {
        v: 1,
        device: device.into(),
        office: office.into(),
        public_key: key(7).verifying().to_text(),
    };
    let sur = central
        .registry
        .gate()
        .book()
        .by_id("hub-sur")
        .cloned()
        .expect("known");
    let vouched = central.registry.vouched(&sur, theirs("k9", "centro")).await;
    assert!(matches!(vouched, Err(EnrolError::OtherOffice)));
    let vouched = central.registry.vouched(&sur, theirs("k3", "sur")).await;
    assert!(matches!(vouched, Err(EnrolError::Name(_))), "somebody else's");

    // Taken out at the office, it is out at the municipality too; nobody else's word takes it out.
    let said = central.registry.unvouched(&sur, theirs("k3", "centro")).await;
    assert!(matches!(said, Err(EnrolError::OtherOffice)));
    let hub = central
        .registry
        .gate()
        .book()
        .by_id("hub")
        .cloned()
        .expect("known");
    central
        .registry
        .unvouched(&hub, theirs("k3", "centro"))
        .await
        .expect("heard");
    assert_eq!(central.registry.enrolled(), ["k3"], "another machine's key");
    assert!(office.registry.revoke("k3", "ana").await.expect("done"));
    office.registry.tell_above().await;
    assert!(central.registry.enrolled().is_empty());
    office.registry.tell_above().await;
    let revoked = central
        .registry
        .store
        .look(|sql| chain::entries(sql, 0, 100))
        .await
        .expect("read");
    let revoked = revoked
        .iter()
        .filter(|entry| entry.event.contains("device_revoked"));
    assert_eq!(revoked.count(), 1, "told once");

    // Without the municipality nobody is let in, and the code is good a minute later.
    let away = Above {
        http: central.http.clone(),
        url: "http://127.0.0.1:9".into(),
        credential: "hub token".to_owned().into(),
    };
    let alone = house(vec![], Some(away)).await;
    let code = alone.code("k3").await;
    assert_eq!(alone.redeem(&code, &key(3)).await.0, 503);
    assert!(alone.registry.enrolled().is_empty());
}
