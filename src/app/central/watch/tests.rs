//! Devices that fall ill, letters that do not arrive, and orders that are done once.

use std::sync::Mutex;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::*;
use crate::app::central::{RunningCentral, start};
use crate::clock::Clock;
use crate::config::central::{CentralConfig, DeviceConfig, PeerConfig};
use crate::config::fleet::{FleetConfig, MailConfig, MailSecurity, WebhookConfig};
use crate::domain::fleet::order::OrderKind;
use crate::domain::fleet::{REPORT_DOMAIN, RESULT_DOMAIN, tests::report};
use crate::domain::seal::{Signed, SigningKey};
use crate::domain::submission::peers::TokenHash;
use crate::sync::credential::Credential;
use crate::sync::fleet::{FleetAnswerWire, FleetClient, FleetWire, ReportWire};

struct City {
    _folder: tempfile::TempDir,
    clock: Clock,
    stop: Stop,
    running: RunningCentral,
    kiosk: SigningKey,
    hub: FleetClient,
    post: Arc<Post>,
}

async fn city(fleet: FleetConfig) -> City {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    let kiosk = SigningKey::generate(&[7; 32]);
    std::fs::write(at("k1.pub"), kiosk.verifying().to_text()).expect("written");
    let config = CentralConfig {
        listen: "127.0.0.1:0".parse().expect("address"),
        data: at("data"),
        store: None,
        public_url: "https://ventanilla.example".into(),
        receipt_key: at("receipt.key"),
        municipality_key: None,
        municipality_public: None,
        staff_token_hash: vec![],
        behind_proxy: false,
        peers: vec![PeerConfig {
            id: "centro".into(),
            office: "centro".into(),
            token_hash: TokenHash::of("hub token").to_hex(),
        }],
        devices: vec![DeviceConfig {
            id: "k1".into(),
            office: "centro".into(),
            public_key: at("k1.pub"),
        }],
        published: None,
        onward: Vec::new(),
        backup: None,
        epoch_file: None,
        tls: None,
        retention: None,
        offices: [("centro".to_owned(), "Centro Histórico".to_owned())].into(),
        fleet,
    };
    let clock = Clock::manual("2026-11-24T14:00:00Z".parse().expect("time"));
    let stop = Stop::default();
    let post = Arc::new(Post::new(&config.fleet).expect("the settings are good"));
    let running = start(config, clock.clone(), stop.clone(), |_| Router::new())
        .await
        .expect("starts");
    let hub = FleetClient {
        http: crate::app::http_client(None).expect("a client"),
        url: format!("http://{}", running.address),
        credential: Credential::from("hub token".to_owned()),
    };
    City {
        _folder: folder,
        clock,
        stop,
        running,
        kiosk,
        hub,
        post,
    }
}

impl City {
    /// The hub carries what the kiosk says.
    async fn say(&self, change: impl FnOnce(&mut Report)) -> FleetAnswerWire {
        self.say_with(change, vec![]).await
    }

    async fn say_with(&self, change: impl FnOnce(&mut Report), results: Vec<Signed>) -> FleetAnswerWire {
        let mut report = report("k1");
        change(&mut report);
        let wire = FleetWire {
            v: 1,
            reports: vec![ReportWire {
                heard_at: Some(self.clock.now()),
                report: Signed::new(REPORT_DOMAIN, &report, &self.kiosk),
            }],
            results,
        };
        self.hub.post(&wire).await.expect("an answer")
    }

    async fn look(&self) {
        self.running.central.look_after(&self.post).await.expect("looked");
        self.post.deliver(&self.running.central).await;
    }

    fn later(&self, minutes: i64) {
        self.clock.advance(SignedDuration::from_mins(minutes));
    }

    fn clerk(&self) -> crate::app::central::guard::Clerk {
        crate::app::central::guard::Clerk {
            name: "ana".into(),
            role: crate::domain::desk::DeskRole::Admin,
            from: "127.0.0.1".into(),
        }
    }

    async fn audit(&self) -> String {
        let entries = self
            .running
            .central
            .store
            .look(|sql| chain::entries(sql, 0, 500))
            .await
            .expect("read");
        entries.into_iter().map(|entry| entry.event + "\n").collect()
    }
}

/// A program that is told, and refuses as long as it is told to.
#[derive(Clone, Default)]
struct Told {
    refuses: Arc<Mutex<bool>>,
    heard: Arc<Mutex<Vec<(String, String, serde_json::Value)>>>,
}

async fn program(told: Told) -> String {
    async fn hear(State(told): State<Told>, headers: HeaderMap, body: String) -> StatusCode {
        if *told.refuses.lock().expect("free") {
            return StatusCode::BAD_GATEWAY;
        }
        let text = |name: &str| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .to_owned()
        };
        let json = serde_json::from_str(&body).expect("json");
        let mut heard = told.heard.lock().expect("free");
        heard.push((text(letters::LETTER), text(letters::SIGNATURE), json));
        StatusCode::NO_CONTENT
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("address");
    let app = Router::new().route("/", post(hear)).with_state(told);
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}/")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stays_wrong_is_told_once_until_it_arrives_and_once_that_it_is_well() {
    let folder = tempfile::tempdir().expect("folder");
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "between us\n").expect("written");
    let told = Told::default();
    *told.refuses.lock().expect("free") = true;
    let city = city(FleetConfig {
        webhooks: vec![WebhookConfig {
            name: "guardia".into(),
            url: program(told.clone()).await,
            secret_file: Some(secret),
        }],
        ..FleetConfig::default()
    })
    .await;
    let broken = |report: &mut Report| report.printers[0].state = "no-paper".into();
    city.say(broken).await;
    city.look().await;
    city.later(5);
    city.say(broken).await;
    city.look().await;
    assert_eq!(told.heard.lock().expect("free").len(), 0, "it refuses");
    let fleet = city.running.central.fleet().await.expect("view");
    assert_eq!((fleet.letters_waiting, fleet.devices[0].is_alarmed()), (1, true));
    assert!(fleet.letters_problem.is_some_and(|why| why.contains("502")));
    *told.refuses.lock().expect("free") = false;
    city.look().await;
    assert_eq!(told.heard.lock().expect("free").len(), 0, "not at once again");
    for _ in 0..5 {
        city.later(3);
        city.say(broken).await;
        city.look().await;
    }
    {
        let heard = told.heard.lock().expect("free");
        assert_eq!(heard.len(), 1, "once: {heard:#?}");
        let (_, signature, json) = &heard[0];
        assert!(
            signature.starts_with("sha256=") && signature.len() == 71,
            "{signature}"
        );
        assert_eq!(json["changes"][0]["alarm"], "printer");
        assert_eq!(json["changes"][0]["state"], "raised");
        assert_eq!(json["changes"][0]["detail"], "first no-paper");
    }
    city.say(|_| {}).await;
    city.look().await;
    city.later(60);
    city.look().await;
    let heard = told.heard.lock().expect("free").clone();
    let states: Vec<_> = heard
        .iter()
        .map(|(_, _, json)| format!("{} {}", json["changes"][0]["alarm"], json["changes"][0]["state"]))
        .collect();
    assert_eq!(
        states,
        [
            "\"printer\" \"raised\"",
            "\"printer\" \"cleared\"",
            "\"silent\" \"raised\""
        ]
    );
    let fleet = city.running.central.fleet().await.expect("view");
    assert_eq!(fleet.letters_waiting, 0);
    city.stop.stop();
}

/// A mail server that takes one letter after the other and gives them away.
async fn mail_server() -> (u16, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("address").port();
    let (sender, letters) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let sender = sender.clone();
            tokio::spawn(async move {
                let (read, mut write) = stream.into_split();
                let mut lines = BufReader::new(read).lines();
                let _ = write.write_all(b"220 fake\r\n").await;
                let mut letter: Option<String> = None;
                while let Ok(Some(line)) = lines.next_line().await {
                    let answer: &[u8] = match (&mut letter, line.as_str()) {
                        (Some(_), ".") => {
                            let _ = sender.send(letter.take().unwrap_or_default());
                            b"250 taken\r\n"
                        }
                        (Some(text), line) => {
                            text.push_str(line);
                            text.push('\n');
                            continue;
                        }
                        (None, "DATA") => {
                            letter = Some(String::new());
                            b"354 go on\r\n"
                        }
                        (None, "QUIT") => b"221 bye\r\n",
                        (None, _) => b"250 fine\r\n",
                    };
                    if write.write_all(answer).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (port, letters)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_says_what_is_wrong_where_since_when_and_what_to_do() {
    let (port, mut letters) = mail_server().await;
    let city = city(FleetConfig {
        mail: Some(MailConfig {
            server: "127.0.0.1".into(),
            port: Some(port),
            security: MailSecurity::None,
            authority: None,
            user: None,
            password_file: None,
            from: "Ventanilla <ventanilla@quito.example>".into(),
            to: vec!["guardia@quito.example".into()],
        }),
        ..FleetConfig::default()
    })
    .await;
    city.say(|_| {}).await;
    city.later(20);
    city.look().await;
    let letter = letters.recv().await.expect("a letter");
    assert!(letter.contains("To: guardia@quito.example"), "{letter}");
    assert!(letter.contains("Message-ID: <"), "{letter}");
    let text = letter.replace("=\n", "");
    for part in ["k1", "desde 24/11/2026 09:20", "Revise que tenga corriente y red"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    city.stop.stop();
}

#[test]
fn a_password_is_never_sent_in_the_clear() {
    let config = FleetConfig {
        mail: Some(MailConfig {
            server: "mail.example".into(),
            port: None,
            security: MailSecurity::None,
            authority: None,
            user: Some("ventanilla".into()),
            password_file: Some("/nowhere".into()),
            from: "a@b.example".into(),
            to: vec!["c@d.example".into()],
        }),
        ..FleetConfig::default()
    };
    let problem = Post::new(&config).err().expect("refused").to_string();
    assert!(problem.contains("never sent in the clear"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_goes_down_with_an_answer_and_its_result_comes_back_on_record() {
    let city = city(FleetConfig::default()).await;
    let central = &city.running.central;
    city.say(|_| {}).await;
    let order = central
        .give_order(&city.clerk(), "k1", OrderKind::FetchLogs)
        .await
        .expect("given");
    let answer = city.say(|_| {}).await;
    assert_eq!((answer.orders.len(), answer.orders[0].device.as_str()), (1, "k1"));
    let result = OrderResult {
        id: order.id,
        device: "k1".into(),
        end: OrderEnd::Done,
        detail: String::new(),
        at: city.clock.now(),
        media: Some("text/plain".into()),
        attachment: Some(BASE64_STANDARD.encode("a line")),
    };
    let stranger = Signed::new(RESULT_DOMAIN, &result, &SigningKey::generate(&[9; 32]));
    let answer = city.say_with(|_| {}, vec![stranger]).await;
    assert_eq!(
        (answer.taken.len(), answer.orders.len()),
        (0, 1),
        "the hub makes up no results"
    );
    let signed = Signed::new(RESULT_DOMAIN, &result, &city.kiosk);
    let answer = city.say_with(|_| {}, vec![signed.clone()]).await;
    assert_eq!((answer.taken, answer.orders.len()), (vec![order.id], 0));
    let again = city.say_with(|_| {}, vec![signed]).await;
    assert_eq!(again.taken, [order.id], "heard already");
    let back = central.order_result(&city.clerk(), order.id).await.expect("read");
    assert_eq!(back, Some(("text/plain".into(), b"a line".to_vec())));
    let audit = city.audit().await;
    assert_eq!(audit.matches("order_given").count(), 1, "{audit}");
    assert_eq!(audit.matches("order_ended").count(), 1, "{audit}");
    assert_eq!(audit.matches("order_result_read").count(), 1, "{audit}");
    // What it brought back goes after a week, and an order that nobody fetched is void.
    let late = central
        .give_order(&city.clerk(), "k1", OrderKind::Restart)
        .await
        .expect("given");
    city.later(25 * 60);
    assert!(city.say(|_| {}).await.orders.is_empty(), "its time is over");
    city.later(8 * 24 * 60);
    city.look().await;
    assert_eq!(
        central.order_result(&city.clerk(), order.id).await.expect("read"),
        None
    );
    let fleet = central.fleet().await.expect("view");
    let ended = fleet.orders.iter().find(|one| one.id == late.id.to_string());
    assert_eq!(ended.and_then(|one| one.end), Some("expired"));
    for _ in 0..5 {
        let given = central.give_order(&city.clerk(), "k1", OrderKind::Restart).await;
        given.expect("given");
    }
    let refused = central.give_order(&city.clerk(), "k1", OrderKind::Restart).await;
    assert!(refused.is_err_and(|error| error.to_string().contains("Five orders")));
    city.stop.stop();
}
