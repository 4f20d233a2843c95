//! The central by HTTP, on files, as an office, the staff and a citizen meet it.

use jiff::Timestamp;

use super::*;
use crate::app::central::{RunningCentral, journal, start};
use crate::app::outbox::confirm::{Case, Confirmed, Sealer};
use crate::app::outbox::keyfile::write_private;
use crate::app::{Stop, http_client};
use crate::clock::{Clock, random};
use crate::config::central::{CentralConfig, DeviceConfig, PeerConfig};
use crate::domain::audit::Fault;
use crate::domain::id::{Moment, SubmissionId};
use crate::domain::redacted::Redacted;
use crate::domain::seal::{OpeningKey, Role, SigningKey};
use crate::domain::submission::peers::TokenHash;
use crate::domain::submission::{Attachment, Content, Verdict};
use crate::store::{Db, Schema, chain, outbox};
use crate::sync::client::Client;
use crate::sync::plan::Reply;

const KIOSK: Schema = Schema {
    application_id: 11,
    migrations: &[outbox::TABLES, outbox::WORDS],
};
const SECRET: &str = "<data><nombre>Quishpe</nombre></data>";

pub(super) struct City {
    pub(super) folder: tempfile::TempDir,
    pub(super) config: CentralConfig,
    pub(super) clock: Clock,
    stop: Stop,
    pub(super) http: reqwest::Client,
}

pub(super) fn kiosk_key() -> SigningKey {
    SigningKey::generate(&[7; 32])
}

pub(super) fn city_key() -> OpeningKey {
    OpeningKey::generate(&[8; 32])
}

impl City {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let at = |name: &str| folder.path().join(name);
        write_private(&at("city.key"), &city_key().to_text()).expect("written");
        std::fs::write(at("kiosk.pub"), kiosk_key().verifying().to_text()).expect("written");
        let config = CentralConfig {
            listen: "127.0.0.1:0".parse().expect("address"),
            data: at("data"),
            store: None,
            public_url: "https://ventanilla.example".into(),
            receipt_key: at("receipt.key"),
            municipality_key: Some(at("city.key")),
            municipality_public: None,
            staff_token_hash: vec![TokenHash::of("staff").to_hex()],
            behind_proxy: false,
            peers: vec![PeerConfig {
                id: "hub".into(),
                office: "centro".into(),
                token_hash: TokenHash::of("hub token").to_hex(),
            }],
            devices: vec![DeviceConfig {
                id: "kiosk-1".into(),
                office: "centro".into(),
                public_key: at("kiosk.pub"),
            }],
            backup: None,
            epoch_file: None,
            published: None,
            onward: Vec::new(),
            retention: None,
            tls: None,
            fleet: Default::default(),
            offices: [("centro".to_owned(), "Centro Histórico".to_owned())].into(),
        };
        Self {
            folder,
            config,
            clock: Clock::manual("2026-11-24T14:00:00Z".parse().expect("time")),
            stop: Stop::default(),
            http: http_client(None).expect("a client"),
        }
    }

    pub(super) async fn start(&mut self) -> RunningCentral {
        self.stop = Stop::default();
        start(self.config.clone(), self.clock.clone(), self.stop.clone(), router)
            .await
            .expect("starts")
    }

    /// Confirms one form at a kiosk and hands it in as the office's hub.
    pub(super) async fn hand_in(&self, central: &RunningCentral) -> Confirmed {
        self.hand_in_of(central, "residencia", SECRET).await
    }

    /// The same, of another form and with other answers.
    pub(super) async fn hand_in_of(&self, central: &RunningCentral, form: &str, xml: &str) -> Confirmed {
        self.hand_in_with(central, form, xml, Vec::new()).await
    }

    /// The same, with files.
    pub(super) async fn hand_in_with(
        &self,
        central: &RunningCentral,
        form: &str,
        xml: &str,
        files: Vec<Attachment>,
    ) -> Confirmed {
        let (confirmed, item) = self.confirm_of(form, xml, files).await;
        let url = format!("http://{}", central.address);
        let client = Client::new(&url, Redacted::new("hub token".into()), None).expect("a client");
        let Reply::Answer(answer) = client.post(&[item], None, self.clock.now()).await else {
            panic!("an answer");
        };
        let verdict = answer.verdicts[0].clone().read();
        assert!(matches!(verdict, Verdict::Accepted(_)), "{verdict:?}");
        confirmed
    }

    async fn confirm(&self) -> (Confirmed, crate::domain::submission::Item) {
        self.confirm_of("residencia", SECRET, Vec::new()).await
    }

    async fn confirm_of(
        &self,
        form: &str,
        xml: &str,
        attachments: Vec<Attachment>,
    ) -> (Confirmed, crate::domain::submission::Item) {
        let sealer = Sealer {
            device_id: "kiosk-1".into(),
            office: "centro".into(),
            key: kiosk_key(),
            recipients: vec![city_key().recipient(Role::Municipality)],
        };
        let moment = Moment {
            now: self.clock.now(),
            random: random(),
        };
        let case = Case {
            id: SubmissionId::new(moment),
            form_id: form.into(),
            form_version: "3".into(),
            catalogue: "00".repeat(32),
            procedure: "residencia".into(),
            procedure_name: "Certificado de residencia".into(),
            queue: None,
        };
        let content = Content {
            v: 1,
            form_id: form.into(),
            form_version: "3".into(),
            procedure_name: "Certificado de residencia".into(),
            language: "es".into(),
            instance_xml: Redacted::new(xml.into()),
            answers: vec![],
            result: None,
            attachments,
            consents: vec![],
        };
        let db = Db::memory(KIOSK).expect("open").db;
        let id = case.id;
        db.write(move |conn| {
            let confirmed = sealer.confirm(conn, &case, &content, moment, &random())?;
            let item = outbox::find(conn, id)?.expect("there");
            Ok((confirmed, item))
        })
        .await
        .expect("confirmed")
    }

    pub(super) async fn get(
        &self,
        central: &RunningCentral,
        path: &str,
        token: &str,
        accept: &str,
    ) -> (u16, String) {
        let url = format!("http://{}{path}", central.address);
        let request = self.http.get(url).bearer_auth(token).header("accept", accept);
        let response = request.send().await.expect("an answer");
        (response.status().as_u16(), response.text().await.expect("a body"))
    }

    pub(super) async fn json(&self, central: &RunningCentral, path: &str) -> (u16, serde_json::Value) {
        let (status, text) = self.get(central, path, "staff", "application/json").await;
        (status, serde_json::from_str(&text).expect("json"))
    }

    pub(super) async fn stop(&self, central: RunningCentral) {
        self.stop.stop();
        central.finished().await;
    }
}

/// What was put on record, by kind.
pub(super) async fn recorded(config: &CentralConfig) -> Vec<String> {
    let store = crate::app::central::open_store(config, Timestamp::UNIX_EPOCH)
        .await
        .expect("opens");
    let entries = store.look(|sql| chain::entries(sql, 0, 500)).await.expect("read");
    let found = journal::verify(&store, config, vec![], &[]).await.expect("read");
    let own = |fault: &Fault| !matches!(fault, Fault::Forged(_));
    assert!(!found.faults.iter().any(own), "{:?}", found.faults);
    entries
        .iter()
        .map(|entry| {
            let event: serde_json::Value = serde_json::from_str(&entry.event).expect("json");
            event["type"].as_str().expect("a kind").to_owned()
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_is_found_by_code_and_by_token_and_nothing_personal_shows() {
    let mut city = City::new();
    let central = city.start().await;
    let confirmed = city.confirm().await.0;
    let (status, early) = city.json(&central, &format!("/verify/{}", confirmed.token)).await;
    assert_eq!((status, early["code"].as_str()), (404, Some("not_arrived")));

    let confirmed = city.hand_in(&central).await;
    let typed = confirmed.code.to_string().to_lowercase();
    let (status, found) = city.json(&central, &format!("/verify/{typed}")).await;
    assert_eq!(status, 200);
    assert_eq!(
        found,
        serde_json::json!({
            "code": confirmed.code.to_string(), "procedure": "residencia",
            "procedure_name": "Certificado de residencia", "office": "Centro Histórico",
            "registered_at": "2026-11-24T14:00:00Z", "received_at": "2026-11-24T14:00:00Z",
            "fingerprint": confirmed.fingerprint, "status": "received",
        })
    );
    let (status, again) = city.json(&central, &format!("/verify/{}", confirmed.token)).await;
    assert_eq!((status, again), (200, found));
    let (status, page) = city
        .get(&central, &format!("/verify/{typed}"), "", "text/html")
        .await;
    assert_eq!(status, 200);
    assert!(
        page.contains("Centro Histórico") && page.contains("24/11/2026, 09:00") && !page.contains("Quishpe")
    );
    let (status, _) = city
        .get(&central, &format!("/verify?code={typed}"), "", "text/html")
        .await;
    assert_eq!(status, 303);
    for path in ["/", "/verify", "/assets/central.css"] {
        assert_eq!(city.get(&central, path, "", "text/html").await.0, 200, "{path}");
    }
    city.stop(central).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_ours_is_said_kindly_and_guessing_ends() {
    let mut city = City::new();
    let central = city.start().await;
    let confirmed = city.hand_in(&central).await;
    for place in [5, 20, 40, confirmed.token.len() - 20] {
        let mut changed = confirmed.token.clone().into_bytes();
        changed[place] = if changed[place] == b'0' { b'1' } else { b'0' };
        let changed = String::from_utf8(changed).expect("ascii");
        let (status, problem) = city.json(&central, &format!("/verify/{changed}")).await;
        assert_eq!(
            (status, problem["code"].as_str()),
            (422, Some("not_genuine")),
            "{changed}"
        );
    }
    let (status, problem) = city.json(&central, "/verify/QT7M").await;
    assert_eq!((status, problem["code"].as_str()), (400, Some("malformed")));
    let (status, page) = city.get(&central, "/verify/0000-0000", "", "text/html").await;
    assert!(
        status == 404 && page.contains("Ese código no está aquí"),
        "{page}"
    );
    let mut last = 0;
    for _ in 0..40 {
        last = city.json(&central, "/verify/0000-0000").await.0;
    }
    assert_eq!(last, 429);
    city.clock.advance(jiff::SignedDuration::from_secs(61));
    let path = format!("/verify/{}", confirmed.code);
    assert_eq!(city.json(&central, &path).await.0, 200);
    city.stop(central).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_list_and_read_and_every_read_is_written_down() {
    let mut city = City::new();
    let central = city.start().await;
    let first = city.hand_in(&central).await;
    let second = city.hand_in(&central).await;
    city.stop(central).await;

    let central = city.start().await;
    let (status, list) = city.json(&central, "/api/v1/submissions?after=1&limit=5").await;
    assert_eq!(
        (status, list["submissions"].as_array().map(Vec::len)),
        (200, Some(1))
    );
    assert_eq!(list["submissions"][0]["id"], second.id.to_string());
    let one = format!("/api/v1/submissions/{}", first.id);
    let (status, found) = city.json(&central, &one).await;
    assert_eq!(
        (status, found["hash"].as_str()),
        (200, Some(first.hash.to_hex().as_str()))
    );
    let (status, content) = city
        .json(&central, &format!("{one}/content?reason=Revisi%C3%B3n"))
        .await;
    assert_eq!((status, content["instance_xml"].as_str()), (200, Some(SECRET)));
    for path in [
        "/api/v1/submissions".to_owned(),
        one.clone(),
        format!("{one}/content"),
    ] {
        assert_eq!(
            city.get(&central, &path, "hub token", "*/*").await.0,
            401,
            "{path}"
        );
    }
    let nobody = SubmissionId::new(Moment {
        now: city.clock.now(),
        random: random(),
    });
    assert_eq!(
        city.json(&central, &format!("/api/v1/submissions/{nobody}/content"))
            .await
            .0,
        404
    );
    let (_, api) = city.json(&central, "/api/v1/openapi.json").await;
    assert!(api["paths"]["/verify/{code}"]["get"].is_object());
    city.stop(central).await;
    let kinds = recorded(&city.config).await;
    let read = kinds.iter().filter(|kind| *kind == "content_read").count();
    assert_eq!(read, 1, "{kinds:?}");
    city.config.municipality_key = None;
    let central = city.start().await;
    assert_eq!(city.json(&central, &format!("{one}/content")).await.0, 409);
    city.stop(central).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_waits_hears_of_the_next_one_at_once() {
    let mut city = City::new();
    let central = city.start().await;
    let waiting = {
        let (http, url) = (
            city.http.clone(),
            format!("http://{}/api/v1/submissions?after=0&wait=30", central.address),
        );
        tokio::spawn(async move {
            let answer = http
                .get(url)
                .bearer_auth("staff")
                .send()
                .await
                .expect("an answer");
            answer.json::<serde_json::Value>().await.expect("json")
        })
    };
    let confirmed = city.hand_in(&central).await;
    let heard = waiting.await.expect("heard");
    assert_eq!(heard["submissions"][0]["id"], confirmed.id.to_string());
    let (_, none) = city.json(&central, "/api/v1/submissions?office=sur").await;
    assert_eq!(none["submissions"], serde_json::json!([]));
    city.stop(central).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_on_postgresql_are_one_central() {
    let Some(url) = crate::store::postgres::test_tables().await else {
        return;
    };
    let mut city = City::new();
    city.config.store = Some(url.clone());
    let first = city.start().await;
    let stop_first = city.stop.clone();
    let second = city.start().await;
    let confirmed = city.hand_in(&first).await;
    let (status, found) = city.json(&second, &format!("/verify/{}", confirmed.token)).await;
    assert_eq!((status, found["status"].as_str()), (200, Some("received")));
    let (status, text) = city
        .get(
            &second,
            &format!("/api/v1/submissions/{}/content?reason=caso", confirmed.id),
            "staff",
            "application/json",
        )
        .await;
    assert!(status == 200 && text.contains("Quishpe"), "{status} {text}");
    let kinds = recorded(&city.config).await;
    let read = kinds.iter().filter(|kind| *kind == "content_read").count();
    assert_eq!(read, 1, "on record before it was given: {kinds:?}");
    stop_first.stop();
    first.finished().await;
    let (_, list) = city.json(&second, "/api/v1/submissions").await;
    assert_eq!(list["submissions"].as_array().map(Vec::len), Some(1));
    city.stop(second).await;
}
