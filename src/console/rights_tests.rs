//! Every role at every address: the API as its own description lists it, and the console's pages.
//!
//! An address that is not in the table below fails the test, so that a new one cannot be forgotten.

use std::collections::BTreeMap;

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;

use crate::app::Stop;
use crate::app::office::{FORM_TOKEN, RunningOffice, form_token, start};
use crate::clock::Clock;
use crate::config::office::{OfficeConfig, token_hash};
use crate::domain::staff::Role;
use crate::store::office::{create_token, create_user, open_session};

const KIOSK: &str = "kiosk-1-secret";

/// Who may use an address: a(gent), s(upervisor), m (administrator), u (auditor), t(echnician), k(iosk), n(obody known).
const TABLE: &[(&str, &str, &str)] = &[
    ("POST", "/api/v1/tickets", "as---k-"),
    ("GET", "/api/v1/tickets/{id}", "as-u-k-"),
    ("POST", "/api/v1/tickets/{id}/cancel", "as---k-"),
    ("POST", "/api/v1/tickets/{id}/rejoin", "as---k-"),
    ("POST", "/api/v1/tickets/{id}/lane", "-s-----"),
    ("GET", "/api/v1/turns/{turn}", "as-u-k-"),
    ("POST", "/api/v1/leases", "-s---k-"),
    ("GET", "/api/v1/queues", "asmutkn"),
    ("POST", "/api/v1/queues/{id}/down", "as-----"),
    ("POST", "/api/v1/queues/{id}/up", "as-----"),
    ("POST", "/api/v1/queues/{id}/stop", "-s-----"),
    ("POST", "/api/v1/queues/{id}/resume", "-s-----"),
    ("GET", "/api/v1/help", "as-----"),
    ("POST", "/api/v1/kiosks/{kiosk}/usage", "as---k-"),
    ("GET", "/api/v1/kiosks/{kiosk}/orders", "as---k-"),
    ("POST", "/api/v1/kiosks/{kiosk}/orders", "as--t--"),
    ("POST", "/api/v1/kiosks/{kiosk}/orders/{number}", "as---k-"),
    ("POST", "/api/v1/kiosks/{kiosk}/health", "as---k-"),
    ("GET", "/api/v1/kiosks", "-sm-t--"),
    ("POST", "/api/v1/drafts", "-----k-"),
    ("POST", "/api/v1/drafts/{id}/open", "-----k-"),
    ("POST", "/api/v1/drafts/{id}/used", "-----k-"),
    ("GET", "/api/v1/kiosks/{kiosk}/help", "as---k-"),
    ("POST", "/api/v1/kiosks/{kiosk}/help", "as---k-"),
    ("POST", "/api/v1/kiosks/{kiosk}/help/end", "as---k-"),
    ("GET", "/api/v1/counters", "as-u---"),
    ("POST", "/api/v1/counters/{number}/next", "as-----"),
    ("POST", "/api/v1/counters/{number}/call", "as-----"),
    ("POST", "/api/v1/counters/{number}/release", "-s-----"),
    ("POST", "/api/v1/counters/{number}/serve", "-s-----"),
    ("POST", "/api/v1/counters/{number}/recall", "as-----"),
    ("POST", "/api/v1/counters/{number}/start", "as-----"),
    ("POST", "/api/v1/counters/{number}/finish", "as-----"),
    ("POST", "/api/v1/counters/{number}/no-show", "as-----"),
    ("POST", "/api/v1/counters/{number}/transfer", "as-----"),
    ("POST", "/api/v1/counters/{number}/park", "as-----"),
    ("POST", "/api/v1/counters/{number}/resume", "as-----"),
    ("POST", "/api/v1/counters/{number}/open", "as-----"),
    ("POST", "/api/v1/counters/{number}/pause", "as-----"),
    ("POST", "/api/v1/counters/{number}/close", "as-----"),
    ("GET", "/api/v1/board", "asmutkn"),
    ("GET", "/api/v1/board/events", "asmutkn"),
    ("GET", "/api/v1/events", "-s-u---"),
    ("GET", "/api/v1/reports/day", "-s-u---"),
    ("GET", "/api/v1/reports/range", "-s-u---"),
    ("GET", "/api/v1/reports/usage", "-s-u---"),
    ("GET", "/api/v1/settings", "--m----"),
    ("POST", "/api/v1/settings", "--m----"),
    ("GET", "/api/v1/health", "-sm-t--"),
    ("GET", "/api/v1/openapi.json", "asmutkn"),
    // The console is for persons: a token, whose ever it is, opens no page.
    ("GET", "/", "asmut-n"),
    ("GET", "/console", "asmut--"),
    ("GET", "/console/login", "asmut-n"),
    ("POST", "/console/login", "asmut-n"),
    ("POST", "/console/login/code", "asmut-n"),
    ("GET", "/console/locked", "asmut-n"),
    ("POST", "/console/locked", "asmut-n"),
    ("POST", "/console/logout", "asmut-n"),
    ("GET", "/console/password", "asmut--"),
    ("POST", "/console/password", "asmut--"),
    ("GET", "/console/second", "asmut--"),
    ("POST", "/console/second", "asmut--"),
    ("GET", "/console/events", "asmut--"),
    ("GET", "/console/counters", "as-----"),
    ("POST", "/console/counters", "as-----"),
    ("GET", "/console/agent", "as-----"),
    ("GET", "/console/agent/live", "as-----"),
    ("POST", "/console/agent/move", "as-----"),
    ("POST", "/console/agent/reveal", "as-----"),
    ("GET", "/console/draft", "as-----"),
    ("POST", "/console/draft", "as-----"),
    ("GET", "/console/find", "as-u---"),
    ("POST", "/console/find/move", "as-----"),
    ("GET", "/console/steer", "-s-----"),
    ("POST", "/console/steer/move", "as-----"),
    ("POST", "/console/help", "as-----"),
    ("POST", "/console/language", "asmut--"),
    ("GET", "/console/office", "-s-----"),
    ("GET", "/console/office/live", "-s-----"),
    ("GET", "/console/office/calls", "-s-u---"),
    ("POST", "/console/office/release", "-s-----"),
    ("POST", "/console/office/clock", "-s-----"),
    ("GET", "/console/report", "-s-u---"),
    ("GET", "/console/report.csv", "-s-u---"),
    ("GET", "/console/audit", "--mu---"),
    ("POST", "/console/audit/verify", "--mu---"),
    ("GET", "/console/health", "-sm-t--"),
    ("GET", "/metrics", "-sm-t--"),
    ("GET", "/console/printers", "as--t--"),
    ("GET", "/console/printers/live", "as--t--"),
    ("POST", "/console/printers/order", "as--t--"),
    ("GET", "/console/settings", "--m----"),
    ("GET", "/console/settings/counters", "--m----"),
    ("POST", "/console/settings/counters", "--m----"),
    ("GET", "/console/settings/queues", "--m----"),
    ("POST", "/console/settings/queues", "--m----"),
    ("GET", "/console/settings/profiles", "--m----"),
    ("POST", "/console/settings/profiles", "--m----"),
    ("GET", "/console/settings/hours", "--m----"),
    ("POST", "/console/settings/hours", "--m----"),
    ("GET", "/console/settings/rules", "--m----"),
    ("POST", "/console/settings/rules", "--m----"),
    ("GET", "/console/accounts", "-sm----"),
    ("POST", "/console/accounts/unlock", "-sm----"),
    ("POST", "/console/accounts/add", "--m----"),
    ("POST", "/console/accounts/change", "--m----"),
    ("POST", "/console/accounts/disable", "--m----"),
    ("POST", "/console/accounts/enable", "--m----"),
    ("POST", "/console/accounts/second", "--m----"),
    ("POST", "/console/accounts/sessions", "--m----"),
    ("POST", "/console/accounts/tokens", "--m----"),
    ("POST", "/console/accounts/tokens/revoke", "--m----"),
];

struct House {
    running: RunningOffice,
    base: String,
    http: Client,
    tokens: Vec<String>,
    _folder: tempfile::TempDir,
}

impl House {
    async fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().expect("folder");
        let text = format!(
            "listen = '127.0.0.1:0'\ndata = '{}'
             office = {{ id = 'q', name = 'Quitumbe', kind = 'Administración Zonal', room = 'Sala A' }}
             queues = [{{ id = 'tributos', name = 'Tributos', series = 'T' }}]
             counters = [{{ number = 4, serves = ['tributos'] }}]
             kiosks = [{{ id = 'k1', token_hash = '{}' }}]",
            folder.path().display(),
            token_hash(KIOSK)
        );
        let config: OfficeConfig = crate::config::parse("test.toml".as_ref(), &text).expect("parses");
        let clock = Clock::manual("2026-11-24T15:00:00Z".parse().expect("time"));
        let running = start(config, clock, Stop::default(), super::routes)
            .await
            .expect("starts");
        let now = running.office.now();
        let tokens = running
            .office
            .db()
            .write(move |c| {
                Role::ALL
                    .into_iter()
                    .map(|role| {
                        create_user(c, role.code(), role.code(), role, "x", now)?;
                        create_token(c, &format!("program-{}", role.code()), role, now)
                    })
                    .collect()
            })
            .await
            .expect("staff");
        let none = reqwest::redirect::Policy::none();
        Self {
            base: format!("http://{}", running.address),
            http: Client::builder()
                .no_proxy()
                .redirect(none)
                .build()
                .expect("client"),
            tokens,
            running,
            _folder: folder,
        }
    }

    fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let path = path
            .replace("/queues/{id}", "/queues/tributos")
            .replace("{id}", "0192f0c0-0000-7000-8000-000000000001")
            .replace("{kiosk}", "k1")
            .replace("{number}", "9");
        let method = Method::from_bytes(method.as_bytes()).expect("method");
        let request = self.http.request(method.clone(), format!("{}{path}", self.base));
        match (method, path.starts_with("/api")) {
            (Method::GET, _) => request,
            // Next to nothing that could be carried out: it is about being let in.
            (_, true) => request.body("{}"),
            (_, false) => request
                .header("content-type", "application/x-www-form-urlencoded")
                .header("origin", &self.base)
                .body("x=1"),
        }
    }

    /// A session of its own for each request, because one of the requests logs out.
    async fn person(&self, role: Role, request: RequestBuilder) -> Response {
        let now = self.running.office.now();
        let secret = self
            .running
            .office
            .db()
            .write(move |c| open_session(c, role.code(), None, now))
            .await
            .expect("session");
        request
            .header(FORM_TOKEN, form_token(&secret))
            .header("cookie", format!("ventanilla={secret}"))
            .send()
            .await
            .expect("sent")
    }
}

/// Sent away: 401, 403, or a page that leads to the door.
fn is_refused(answer: &Response) -> bool {
    let to_the_door = answer.status() == StatusCode::SEE_OTHER
        && answer.headers()["location"] == "/console/login"
        // Whoever logs out is at the door because they asked for it.
        && !answer.headers().contains_key("set-cookie");
    to_the_door || [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&answer.status())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_role_at_every_address() {
    let house = House::new().await;
    let description: Value = house
        .request("GET", "/api/v1/openapi.json")
        .send()
        .await
        .expect("sent")
        .json()
        .await
        .expect("json");
    let mut addresses: Vec<(String, String)> = vec![("GET".into(), "/api/v1/openapi.json".into())];
    for (path, methods) in description["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            if ["get", "post", "put", "patch", "delete"].contains(&method.as_str()) {
                addresses.push((method.to_uppercase(), path.clone()));
            }
        }
    }
    for rule in crate::app::office::routes(&house.running.office).rules() {
        let address = (rule.method.to_string(), rule.path.to_owned());
        // One route in the server, an address a move in the description; figures for machines are not of the API.
        let described = rule.path.ends_with("/{move}") || addresses.contains(&address);
        if rule.path == "/metrics" {
            addresses.push(address);
            continue;
        }
        assert!(described, "{address:?} is not in the API's description");
    }
    for rule in super::guarded(&house.running.office).rules() {
        addresses.push((rule.method.to_string(), rule.path.to_owned()));
    }
    let table: BTreeMap<(String, String), &str> = TABLE
        .iter()
        .map(|(method, path, who)| (((*method).to_owned(), (*path).to_owned()), *who))
        .collect();
    assert_eq!(table.len(), TABLE.len(), "an address stands in the table twice");
    for address in table.keys() {
        assert!(addresses.contains(address), "{address:?} is not there any more");
    }
    let mut wrong = Vec::new();
    for address in addresses {
        let Some(allowed) = table.get(&address) else {
            wrong.push(format!("{address:?}: nobody said who may use it"));
            continue;
        };
        let (method, path) = (address.0.as_str(), address.1.as_str());
        let is_api = path.starts_with("/api") || path == "/metrics";
        let mut hold = |who: &str, letter: char, answer: Response| {
            let allowed = allowed.contains(letter);
            if is_refused(&answer) == allowed {
                wrong.push(format!("{method} {path}: {who} gets {}", answer.status()));
            }
        };
        for ((role, letter), token) in Role::ALL.into_iter().zip("asmut".chars()).zip(&house.tokens) {
            hold(
                role.code(),
                letter,
                house.person(role, house.request(method, path)).await,
            );
            let program = house.request(method, path).bearer_auth(token).send();
            // No address of the console has this letter, so a program is let in nowhere.
            let letter = if is_api { letter } else { 'k' };
            hold("a program", letter, program.await.expect("sent"));
        }
        let kiosk = house.request(method, path).bearer_auth(KIOSK).send();
        hold("the kiosk", 'k', kiosk.await.expect("sent"));
        let nobody = house.request(method, path).send();
        hold("nobody", 'n', nobody.await.expect("sent"));
        let stranger = house.request(method, path).bearer_auth("vt_unknown").send();
        let letter = if is_api { 'n' } else { 'k' };
        hold("a stranger", letter, stranger.await.expect("sent"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_closes_no_counter_over_somebodys_head() {
    let house = House::new().await;
    let close = |n: usize| {
        house
            .request("POST", "/api/v1/counters/4/close")
            .bearer_auth(&house.tokens[n])
            .body(r#"{"release":true}"#)
            .send()
    };
    assert_eq!(close(0).await.expect("sent").status(), StatusCode::FORBIDDEN);
    assert_eq!(close(1).await.expect("sent").status(), StatusCode::OK);
}
