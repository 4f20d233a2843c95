//! The back office by HTTP, on both stores: who may do what, how far a case is, what is erased.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::tests::{City, city_key, recorded};
use crate::app::catalogue::Shelf;
use crate::app::central::{RunningCentral, retention, routes};
use crate::app::provisioning::Demo;
use crate::app::{Stop, kiosk};
use crate::clock::Clock;
use crate::config::central::RetentionConfig;
use crate::config::published::PublishedConfig;
use crate::domain::desk::{CaseStatus, DeskRole, may};
use crate::domain::procedure::bundle::{Bundle, Manifest};
use crate::domain::redacted::Redacted;
use crate::domain::seal::{SigningKey, locked};
use crate::domain::session::{CaseFar, CaseLook, Effect, Input};
use crate::domain::submission::peers::TokenHash;
use crate::forms::tests::workbook::workbook;
use crate::store::desk;

const ANSWERS: &str = "<data><persona><cedula>1714307103</cedula><nombre>=Quishpe</nombre></persona></data>";

/// A city whose central keeps everything in a file, and one on PostgreSQL where a server is given.
async fn on_both<F: AsyncFn(City)>(test: F) {
    test(City::new()).await;
    if let Some(url) = crate::store::postgres::test_tables().await {
        let mut city = City::new();
        city.config.store = Some(url);
        test(city).await;
    }
}

pub(super) fn token(role: DeskRole) -> String {
    format!("token of {}", role.code())
}

pub(super) async fn staff(city: &City) {
    let store = crate::app::central::open_store(&city.config, city.clock.now())
        .await
        .expect("opens");
    let now = city.clock.now();
    store
        .change(move |sql| {
            for role in DeskRole::ALL {
                desk::put_token(sql, role.code(), TokenHash::of(&token(role)), role, now)?;
            }
            Ok(())
        })
        .await
        .expect("written");
}

impl City {
    async fn ask(
        &self,
        central: &RunningCentral,
        role: DeskRole,
        method: &str,
        path: &str,
        body: &Value,
    ) -> (u16, Value) {
        let url = format!("http://{}{path}", central.address);
        let request = self
            .http
            .request(method.parse().expect("a method"), url)
            .bearer_auth(token(role));
        let request = if method == "POST" {
            request.json(body)
        } else {
            request
        };
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        let text = response.text().await.expect("a body");
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    pub(super) async fn look(&self, central: &RunningCentral, role: DeskRole, path: &str) -> (u16, Value) {
        self.ask(central, role, "GET", path, &Value::Null).await
    }

    async fn how_far(&self, central: &RunningCentral, code: &str, digits: &str) -> (u16, Value) {
        let path = format!("/api/v1/cases/{code}/status");
        let body = json!({ "digits": digits });
        self.ask(central, DeskRole::Reader, "POST", &path, &body).await
    }
}

/// Until the program has held all against their forms.
async fn reviewed(city: &City, central: &RunningCentral, id: &str) -> Value {
    let path = format!("/api/v1/submissions/{id}");
    for _ in 0..400 {
        let (_, view) = city.look(central, DeskRole::Registrar, &path).await;
        if view["review"].is_string() {
            return view;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nobody reviewed {id}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_open_to_its_roles_and_to_nobody_else() {
    let mut city = City::new();
    staff(&city).await;
    let central = city.start().await;
    let id = city.hand_in(&central).await.id.to_string();
    let guarded = routes(&central.central);
    assert!(guarded.rules().len() >= 10);
    let (_, api) = city
        .look(&central, DeskRole::Reader, "/api/v1/openapi.json")
        .await;
    for rule in guarded.rules() {
        let described = &api["paths"][rule.path][rule.method.as_str().to_lowercase()];
        assert!(described.is_object(), "{} is not described", rule.path);
        let path = rule.path.replace("{id}", &id);
        let path = if path.ends_with("export") {
            format!("{path}?procedure=x")
        } else {
            path
        };
        let body = json!({ "status": "received", "device": "k9", "office": "centro" });
        for role in DeskRole::ALL {
            let (status, _) = city.ask(&central, role, rule.method.as_str(), &path, &body).await;
            assert_eq!(status != 403, may(role, rule.right), "{role:?} {path}: {status}");
            assert_ne!(status, 401, "{role:?} {path}");
        }
        let url = format!("http://{}{path}", central.address);
        let stranger = city.http.request(rule.method.clone(), url).bearer_auth("no");
        assert_eq!(stranger.send().await.expect("an answer").status(), 401, "{path}");
    }
    city.stop(central).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_the_devices_are_for_whoever_looks_after_them() {
    let mut city = City::new();
    staff(&city).await;
    let central = city.start().await;
    let ask = async |role: DeskRole, method: reqwest::Method, path: &str, site: &str| {
        let url = format!("http://{}{path}", central.address);
        let request = city
            .http
            .request(method, url)
            .basic_auth("ana", Some(token(role)));
        let request = request
            .header("sec-fetch-site", site)
            .header("content-type", "application/x-www-form-urlencoded")
            .body("kind=restart");
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("text"))
    };
    for rule in super::fleet::pages(&central.central).rules() {
        let path = rule.path.replace("{device}", "kiosk-1").replace("{id}", "x");
        for role in DeskRole::ALL {
            let (status, _) = ask(role, rule.method.clone(), &path, "same-origin").await;
            assert_eq!(status != 403, may(role, rule.right), "{role:?} {path}: {status}");
        }
        if rule.method == reqwest::Method::POST {
            let (status, _) = ask(DeskRole::Admin, rule.method.clone(), &path, "cross-site").await;
            assert_eq!(status, 403, "another site's form");
        }
        let stranger = city.http.get(format!("http://{}/fleet", central.address));
        let stranger = stranger.send().await.expect("an answer");
        assert_eq!(stranger.status(), 401);
        assert!(
            stranger.headers().contains_key("www-authenticate"),
            "the browser asks"
        );
    }
    let (_, page) = ask(DeskRole::Admin, reqwest::Method::GET, "/fleet", "none").await;
    assert!(
        page.contains("kiosk-1") && page.contains("Reiniciar el programa"),
        "{page}"
    );
    city.stop(central).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_citizen_learns_how_far_a_case_is_with_the_last_digits_only() {
    on_both(async |mut city: City| {
        staff(&city).await;
        let central = city.start().await;
        let confirmed = city.hand_in_of(&central, "residencia", ANSWERS).await;
        let (id, code) = (confirmed.id.to_string(), confirmed.code.to_string());
        let view = reviewed(&city, &central, &id).await;
        assert_eq!(view["review"], "accepted_with_findings", "a form nobody has here");
        assert_eq!(
            view["findings"],
            json!([{ "question": "", "rule": "unknown_form" }])
        );
        let (status, case) = city.how_far(&central, &code, "7103").await;
        assert_eq!(
            (status, case["status"].as_str()),
            (200, Some("received")),
            "{case}"
        );
        let path = format!("/api/v1/submissions/{id}/status");
        let body = json!({ "status": "needs_something", "note": "#pay-first" });
        let (status, set) = city
            .ask(&central, DeskRole::Registrar, "POST", &path, &body)
            .await;
        assert_eq!(
            (status, set["status"].as_str()),
            (200, Some("needs_something")),
            "{set}"
        );
        let bad = json!({ "status": "done", "note": "#nothing" });
        let (status, _) = city.ask(&central, DeskRole::Registrar, "POST", &path, &bad).await;
        assert_eq!(status, 422);
        let (status, case) = city.how_far(&central, &code.to_lowercase(), " 71-03 ").await;
        assert_eq!(status, 200);
        assert_eq!(
            (case["status"].as_str(), case["note"].as_str()),
            (Some("needs_something"), Some("#pay-first"))
        );
        let url = format!("http://{}/verify/{code}", central.address);
        let page = city
            .http
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body("digits=7103");
        let page = page.send().await.expect("an answer").text().await.expect("text");
        assert!(
            page.contains("Necesitamos algo de usted") && page.contains("Falta el pago"),
            "{page}"
        );
        for _ in 0..5 {
            assert_eq!(city.how_far(&central, &code, "0000").await.0, 403);
        }
        assert_eq!(
            city.how_far(&central, &code, "7103").await.0,
            429,
            "guessing ends"
        );
        city.clock.advance(SignedDuration::from_mins(61));
        assert_eq!(city.how_far(&central, &code, "7103").await.0, 200);
        assert_eq!(city.how_far(&central, "0000-0000", "7103").await.0, 404);
        let (_, public) = city.json(&central, &format!("/verify/{code}")).await;
        assert_eq!(public["status"], "received", "the code alone says no more");
        city.stop(central).await;
        let kinds = recorded(&city.config).await;
        assert!(
            kinds.contains(&"reviewed".to_owned()) && kinds.contains(&"status_set".to_owned()),
            "{kinds:?}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_out_is_on_record_and_harmless_in_a_spreadsheet() {
    on_both(async |mut city: City| {
        staff(&city).await;
        let central = city.start().await;
        let first = city.hand_in_of(&central, "residencia", ANSWERS).await;
        city.hand_in_of(&central, "residencia", "<data><otra>b</otra></data>")
            .await;
        let base = "/api/v1/export?procedure=residencia&reason=auditor%C3%ADa";
        let (status, all) = city.look(&central, DeskRole::Exporter, base).await;
        assert_eq!(status, 200, "{all}");
        assert_eq!(all["submissions"][0]["content"]["instance_xml"], ANSWERS);
        let (status, table) = city
            .look(&central, DeskRole::Exporter, &format!("{base}&format=csv"))
            .await;
        let table = table.as_str().expect("a table").to_owned();
        assert_eq!(status, 200);
        let mut lines = table.lines();
        let head = lines.next().expect("a head");
        assert!(
            head.ends_with("\"otra\",\"persona/cedula\",\"persona/nombre\""),
            "{head}"
        );
        let row = lines.next().expect("a row");
        assert!(
            row.contains(&first.id.to_string()) && row.ends_with("\"\",\"1714307103\",\"'=Quishpe\""),
            "{row}"
        );
        let (_, page) = city
            .look(&central, DeskRole::Exporter, &format!("{base}&limit=1"))
            .await;
        assert_eq!(
            (
                page["submissions"].as_array().map(Vec::len),
                page["next"].as_i64()
            ),
            (Some(1), Some(1))
        );
        city.stop(central).await;
        let kinds = recorded(&city.config).await;
        assert_eq!(kinds.iter().filter(|kind| *kind == "exported").count(), 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_key_opens_nothing_until_somebody_unlocks_it() {
    let mut city = City::new();
    let path = city.folder.path().join("city.locked");
    let text = locked::lock(&city_key(), "cuatro palabras largas", [1; 16], [2; 12]).expect("locked");
    std::fs::write(&path, text).expect("written");
    city.config.municipality_key = Some(path.clone());
    staff(&city).await;
    let central = city.start().await;
    let id = city.hand_in_of(&central, "residencia", ANSWERS).await.id;
    let content = format!("/api/v1/submissions/{id}/content");
    let (status, problem) = city.look(&central, DeskRole::Reader, &content).await;
    assert_eq!((status, problem["code"].as_str()), (409, Some("locked")));
    let text = std::fs::read_to_string(&path).expect("there");
    let key = locked::unlock(&text, "cuatro palabras largas").expect("opens");
    central.central.unlock(key).await.expect("on record");
    assert_eq!(city.look(&central, DeskRole::Reader, &content).await.0, 200);
    reviewed(&city, &central, &id.to_string()).await;
    city.stop(central).await;
    assert!(recorded(&city.config).await.contains(&"key_unlocked".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_content_is_gone_and_its_tombstone_stays() {
    on_both(async |mut city: City| {
        staff(&city).await;
        let central = city.start().await;
        let done = city.hand_in_of(&central, "residencia", ANSWERS).await;
        let open = city.hand_in_of(&central, "residencia", ANSWERS).await;
        let id = done.id.to_string();
        reviewed(&city, &central, &open.id.to_string()).await;
        let body = json!({ "status": "done", "note": "Retire su certificado" });
        let path = format!("/api/v1/submissions/{id}/status");
        city.ask(&central, DeskRole::Registrar, "POST", &path, &body)
            .await;
        let store = crate::app::central::open_store(&city.config, city.clock.now())
            .await
            .expect("opens");
        let rule = RetentionConfig {
            days: Some(30),
            open_days: None,
            procedures: [("otra".to_owned(), 1)].into(),
        };
        let erase = async || {
            retention::erase_due(&store, &rule, "central", city.clock.now())
                .await
                .expect("erased")
        };
        city.clock.advance(SignedDuration::from_hours(29 * 24));
        assert_eq!(erase().await, 0, "not yet");
        city.clock.advance(SignedDuration::from_hours(2 * 24));
        assert_eq!(erase().await, 1, "the open one stays");
        assert_eq!(erase().await, 0, "once");
        let content = |id: &str| format!("/api/v1/submissions/{id}/content");
        let (status, problem) = city.look(&central, DeskRole::Reader, &content(&id)).await;
        assert_eq!((status, problem["code"].as_str()), (410, Some("erased")));
        let (_, view) = city
            .look(&central, DeskRole::Reader, &format!("/api/v1/submissions/{id}"))
            .await;
        assert_eq!(
            (view["status"].as_str(), view["note"].as_str()),
            (Some("erased"), None)
        );
        assert_eq!(view["hash"], done.hash.to_hex());
        let (status, case) = city.how_far(&central, &done.code.to_string(), "").await;
        assert_eq!((status, case["status"].as_str()), (200, Some("erased")));
        let kept = city
            .look(&central, DeskRole::Reader, &content(&open.id.to_string()))
            .await;
        assert_eq!(kept.0, 200);
        let why = "Solicitud del titular";
        let now = city.clock.now();
        let open = open.id.to_string();
        assert!(
            retention::erase_one(&store, &open, "terminal", why, now)
                .await
                .expect("done")
        );
        assert!(
            !retention::erase_one(&store, &open, "terminal", why, now)
                .await
                .expect("done")
        );
        city.stop(central).await;
        let kinds = recorded(&city.config).await;
        assert_eq!(kinds.iter().filter(|kind| *kind == "erased").count(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_an_erased_content_is_in_the_file() {
    let mut city = City::new();
    let central = city.start().await;
    let confirmed = city.hand_in_of(&central, "residencia", ANSWERS).await;
    let store = crate::app::central::open_store(&city.config, city.clock.now())
        .await
        .expect("opens");
    let item = store.sealed(confirmed.id).await.expect("read").expect("there");
    let (id, now) = (confirmed.id.to_string(), city.clock.now());
    retention::erase_one(&store, &id, "terminal", "x", now)
        .await
        .expect("erased");
    drop(store);
    city.stop(central).await;
    // Forty bytes of ciphertext from the middle of the body appear nowhere else.
    let middle = &item.envelope[item.envelope.len() - 100..item.envelope.len() - 60];
    for entry in std::fs::read_dir(&city.config.data).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            let bytes = std::fs::read(&path).expect("read");
            let found = bytes.windows(middle.len()).any(|window| window == middle);
            assert!(!found, "{}", path.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_administrator_sees_devices_gaps_and_lives_and_lets_in() {
    on_both(async |mut city: City| {
        staff(&city).await;
        let central = city.start().await;
        city.hand_in(&central).await;
        let (_, fleet) = city.look(&central, DeskRole::Admin, "/api/v1/devices").await;
        let kiosk = fleet["devices"]
            .as_array()
            .expect("devices")
            .iter()
            .find(|device| device["id"] == "kiosk-1")
            .cloned()
            .expect("the kiosk");
        assert_eq!(
            (kiosk["let_in_by"].as_str(), kiosk["revoked"].as_bool()),
            (Some("settings"), Some(false))
        );
        assert_eq!(kiosk["lives"][0]["last_seq"], 1);
        assert!(kiosk["last_received"].is_string());
        let (_, lives) = city.look(&central, DeskRole::Admin, "/api/v1/lives").await;
        assert_eq!(lives, json!({ "lives": [] }));
        let body = json!({ "device": "hub-sur", "office": "sur" });
        let (status, code) = city
            .ask(&central, DeskRole::Admin, "POST", "/api/v1/devices/codes", &body)
            .await;
        assert_eq!(
            (status, code["code"].as_str().map(str::len)),
            (200, Some(9)),
            "{code}"
        );
        let taken = json!({ "device": "kiosk-1", "office": "centro" });
        let (status, _) = city
            .ask(&central, DeskRole::Admin, "POST", "/api/v1/devices/codes", &taken)
            .await;
        assert_eq!(status, 409);
        let (_, log) = city
            .look(&central, DeskRole::Admin, "/api/v1/audit?after=1")
            .await;
        let last = log["entries"]
            .as_array()
            .and_then(|entries| entries.last())
            .cloned();
        let last = last.expect("an entry");
        assert_eq!(
            (last["event"]["type"].as_str(), last["who"].as_str()),
            (Some("device_invited"), Some("admin"))
        );
        city.stop(central).await;
    })
    .await;
}

/// A body as Collect sends it.
fn parts(name: &str, xml: &str) -> String {
    format!(
        "--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"i.xml\"\r\n\
         Content-Type: text/xml\r\n\r\n{xml}\r\n--b--\r\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn odk_collect_fetches_the_forms_and_hands_in_once() {
    on_both(async |mut city: City| {
        staff(&city).await;
        let central = city.start().await;
        let url = |path: &str| format!("http://{}/openrosa/{path}", central.address);
        let ask = async |request: reqwest::RequestBuilder, role| {
            let request = request.basic_auth("ana", Some(token(role)));
            let response = request.send().await.expect("an answer");
            let receipt = response.headers().get("x-ventanilla-receipt").cloned();
            (response.status().as_u16(), receipt, response.text().await.expect("text"))
        };
        let stranger = city.http.get(url("formList")).send().await.expect("an answer");
        assert_eq!(stranger.status(), 401);
        assert!(stranger.headers().contains_key("www-authenticate"));
        assert_eq!(ask(city.http.get(url("formList")), DeskRole::Admin).await.0, 403);
        let (status, _, list) = ask(city.http.get(url("formList")), DeskRole::Collector).await;
        assert_eq!(status, 200);
        let list = roxmltree::Document::parse(&list).expect("xml");
        let text = |name: &str| {
            let node = list.descendants().find(|node| node.has_tag_name(("http://openrosa.org/xforms/xformsList", name)));
            node.and_then(|node| node.text()).unwrap_or_default().to_owned()
        };
        let (form, version) = (text("formID"), text("version"));
        let path = text("downloadUrl").split("/openrosa/").nth(1).expect("an address").to_owned();
        let (status, _, xform) = ask(city.http.get(url(&path)), DeskRole::Collector).await;
        assert!(status == 200 && crate::forms::Form::from_xform(&xform).is_ok());
        let head = city.http.head(url("submission"));
        assert_eq!(ask(head, DeskRole::Collector).await.0, 204);

        let instance = |id: &str, answer: &str| {
            format!("<data id=\"{form}\" version=\"{version}\"><x>{answer}</x><meta><instanceID>{id}</instanceID></meta></data>")
        };
        let post = async |name: &str, xml: &str| {
            let request = city.http.post(url("submission"));
            let request = request.header("content-type", "multipart/form-data; boundary=b");
            ask(request.body(parts(name, xml)), DeskRole::Collector).await
        };
        let id = "uuid:0192f0aa-0000-4000-8000-000000000001";
        let file = "xml_submission_file";
        let first = post(file, &instance(id, "uno")).await;
        assert_eq!(first.0, 201, "{}", first.2);
        let receipt = first.1.clone().expect("a receipt");
        assert!(receipt.to_str().expect("text").ends_with(";seq=1"), "{receipt:?}");
        assert_eq!(post(file, &instance(id, "uno")).await, first, "the same again, the same answer");
        let other = post(file, &instance(id, "dos")).await;
        assert_eq!((other.0, other.1.as_ref().map(|it| it.as_bytes())), (409, Some(&b"conflict"[..])));
        for (name, xml, status) in [
            (file, instance("", "uno"), 400),
            (file, instance("uuid:1", "uno"), 400),
            (file, "<data id=".to_owned(), 400),
            (file, instance(id, "uno").replace(&version, "0"), 404),
            ("photo.jpg", instance(id, "uno"), 400),
            ("*isIncomplete*", instance(id, "uno"), 413),
        ] {
            assert_eq!(post(name, &xml).await.0, status, "{xml}");
        }
        let (_, list) = city.json(&central, "/api/v1/submissions").await;
        assert_eq!(list["submissions"].as_array().map(Vec::len), Some(1));
        let id = list["submissions"][0]["id"].as_str().expect("an id").to_owned();
        let view = reviewed(&city, &central, &id).await;
        assert_eq!(view["review"], "accepted_with_findings", "x is no question");
        let content = format!("/api/v1/submissions/{id}/content");
        let (_, content) = city.look(&central, DeskRole::Reader, &content).await;
        assert!(content["instance_xml"].as_str().is_some_and(|xml| xml.contains("<x>uno</x>")));
        city.stop(central).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kiosk_opens_the_case_with_code_and_digits() {
    let mut city = City::new();
    staff(&city).await;
    let central = city.start().await;
    let confirmed = city.hand_in_of(&central, "residencia", ANSWERS).await;
    let id = confirmed.id.to_string();
    reviewed(&city, &central, &id).await;

    let folder = tempfile::tempdir().expect("a folder");
    let demo = Demo::prepare(folder.path(), None, false).expect("a set-up");
    let nobody = "127.0.0.1:9".parse().expect("an address");
    let mut config = demo.kiosk(nobody, nobody, nobody).expect("settings");
    config.verify_url = format!("http://{}/verify/", central.address);
    let stop = Stop::default();
    let (kiosk, inbox) = kiosk::start(config, false, Clock::System, stop.clone())
        .await
        .expect("a kiosk");
    let ask = async |digits: &str| {
        let effect = Effect::AskFar {
            code: confirmed.code.to_string(),
            digits: Redacted::new(digits.to_owned()),
        };
        kiosk.effects.send(effect).expect("it works");
        for _ in 0..1000 {
            if let Some(Input::FarFound(far)) = inbox.take() {
                return *far;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no answer");
    };
    let effect = Effect::LookUp {
        code: confirmed.code.to_string(),
    };
    kiosk.effects.send(effect).expect("it works");
    let look = loop {
        match inbox.take() {
            Some(Input::Found(look)) => break *look,
            Some(_) => {}
            None => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    };
    let CaseLook::Arrived { procedure, .. } = look else {
        panic!("central has it: {look:?}");
    };
    assert_eq!(procedure, "Certificado de residencia");
    let CaseFar::Known { status, note, since } = ask("7103").await else {
        panic!("the digits fit");
    };
    assert_eq!((status, note), (Some(CaseStatus::Received), None));
    assert!(since.contains("24/11/2026"), "{since}");
    let body = json!({ "status": "needs_something", "note": "#pay-first" });
    let path = format!("/api/v1/submissions/{id}/status");
    city.ask(&central, DeskRole::Registrar, "POST", &path, &body)
        .await;
    let CaseFar::Known { status, note, .. } = ask("7103").await else {
        panic!("the digits fit");
    };
    assert_eq!(
        (status, note.as_deref()),
        (Some(CaseStatus::NeedsSomething), Some("#pay-first"))
    );
    for _ in 0..5 {
        assert_eq!(ask("0000").await, CaseFar::WrongDigits);
    }
    assert_eq!(
        ask("7103").await,
        CaseFar::TooOften,
        "shut for an hour, for everybody"
    );
    city.stop(central).await;
    assert_eq!(ask("7103").await, CaseFar::Offline);
    stop.stop();
    kiosk.finished().await;
}

fn publisher() -> SigningKey {
    SigningKey::generate(&[21; 32])
}

/// Publishes a catalogue with these workbooks.
fn publish(city: &City, version: u64, forms: &[(&str, &[u8])]) {
    let publisher = publisher();
    let published = city.config.published.as_ref().expect("it publishes");
    let texts = crate::domain::procedure::quito::FILES.iter();
    let files = texts
        .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
        .chain(
            forms
                .iter()
                .map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())),
        )
        .collect();
    let manifest = Manifest {
        v: 1,
        tenant: "quito".into(),
        version,
        made_at: city.clock.now(),
        expires_at: city.clock.now() + SignedDuration::from_hours(24),
        publishers: vec![publisher.verifying().to_text()],
        recipients: vec![],
        files: Default::default(),
    };
    let bundle = Bundle::seal(manifest, &files, &publisher).expect("sealed");
    let shelf = Shelf::new(&city.config.data, published).expect("a shelf");
    shelf.publish(&bundle, city.clock.now()).expect("published");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_queued_is_held_against_the_form_it_was_filled_in_with() {
    let sheet = |version: &str, question: &str| {
        workbook(&[
            (
                "survey",
                &[&["type", "name", "label"], &["text", question, "Nombre"]],
            ),
            ("settings", &[&["form_id", "version"], &["permiso", version]]),
        ])
    };
    let (form, other) = (sheet("3", "nombre"), sheet("4", "otro"));
    let mut city = City::new();
    city.config.published = Some(PublishedConfig {
        tenant: "quito".into(),
        keys: vec![city.folder.path().join("publisher.pub")],
    });
    std::fs::write(
        city.folder.path().join("publisher.pub"),
        publisher().verifying().to_text(),
    )
    .expect("written");
    publish(&city, 1, &[("forms/permiso.xlsx", &form)]);
    staff(&city).await;
    let central = city.start().await;
    // It waited at a kiosk while the form was withdrawn, and while another took its name.
    publish(&city, 2, &[]);
    publish(&city, 3, &[("forms/permiso.xlsx", &other)]);
    let xml = "<data id=\"permiso\" version=\"3\"><nombre>Ana</nombre></data>";
    let confirmed = city.hand_in_of(&central, "permiso", xml).await;
    let view = reviewed(&city, &central, &confirmed.id.to_string()).await;
    assert_eq!(view["review"], "accepted", "{view}");
    let never = city.hand_in_of(&central, "never-published", xml).await;
    let view = reviewed(&city, &central, &never.id.to_string()).await;
    assert_eq!(view["findings"][0]["rule"], "unknown_form");
    city.stop(central).await;
}
