//! An office on a free port, and programs that use its API.

use std::collections::HashMap;
use std::path::Path;

use reqwest::{Client, Method};
use rustix::process::Pid;
use serde_json::{Value, json};
use ventanilla::clock::Clock;
use ventanilla::config::office::{
    CounterConfig, Identity, KioskConfig, OfficeConfig, QueueConfig, token_hash,
};
use ventanilla::store::Db;
use ventanilla::store::office::{self as store, Role};

use super::support::{Running, ventanilla};

/// Counters of the office: one for each agent of the largest crowd.
pub const COUNTERS: u16 = 32;
/// Tickets a day of the queue `catastro`.
pub const CAP: u32 = 20;

/// A running office.
pub struct House {
    running: Running,
    folder: tempfile::TempDir,
    staff: String,
}

impl House {
    /// A fresh one, with every counter open.
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = config(folder.path());
        let text = toml::to_string(&config).expect("settings");
        std::fs::write(folder.path().join("office.toml"), text).expect("settings");
        let now = Clock::System.now();
        let staff = Db::open(&folder.path().join("data/office.db"), store::SCHEMA)
            .expect("a data file")
            .db
            .write(move |c| store::create_token(c, "staff", Role::Supervisor, now))
            .await
            .expect("a token");
        let house = Self {
            running: start(folder.path()),
            folder,
            staff,
        };
        let staff = house.staff();
        for counter in 1..=COUNTERS {
            staff
                .post(&format!("/counters/{counter}/open"), json!({}))
                .await
                .ok();
        }
        house
    }

    /// Pulls the plug and starts it again on the same folder.
    pub fn cut_and_restart(self) -> Self {
        let Self {
            running,
            folder,
            staff,
        } = self;
        running.kill();
        Self {
            running: start(folder.path()),
            folder,
            staff,
        }
    }

    /// What pulls the plug from within the crowd.
    pub fn plug(&self) -> Pid {
        self.running.pid()
    }

    /// A supervisor's program.
    pub fn staff(&self) -> Program {
        self.program(&self.staff)
    }

    /// A kiosk, `k1` or `k2`.
    pub fn kiosk(&self, id: &str) -> Program {
        self.program(&secret(id))
    }

    fn program(&self, token: &str) -> Program {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Program {
            // The office hangs up on a body it refuses: a connection is used once, as by programs that care.
            http: Client::builder()
                .no_proxy()
                .pool_max_idle_per_host(0)
                .build()
                .expect("a client"),
            base: format!("{}/api/v1", self.running.said["office"]),
            token: token.to_owned(),
        }
    }

    /// Stops it as a service manager does.
    pub fn stop(self) {
        self.running.stop();
    }
}

fn start(folder: &Path) -> Running {
    let mut command = ventanilla();
    command
        .arg("office")
        .arg("--config")
        .arg(folder.join("office.toml"));
    Running::start(&mut command)
}

fn secret(kiosk: &str) -> String {
    format!("secret-of-{kiosk}")
}

fn config(folder: &Path) -> OfficeConfig {
    let identity = Identity {
        id: "quitumbe".into(),
        name: "Quitumbe".into(),
        kind: "Administración Zonal".into(),
        room: "Sala A".into(),
    };
    let mut capped = QueueConfig::new("catastro", "Catastro", "C");
    capped.daily_cap = Some(CAP);
    let counter = |number| CounterConfig {
        number,
        serves: vec!["tributos".into()],
        then_serves: Vec::new(),
    };
    let kiosk = |id: &str| KioskConfig {
        id: id.to_owned(),
        token_hash: token_hash(&secret(id)),
        public_key: None,
    };
    OfficeConfig {
        kiosks: vec![kiosk("k1"), kiosk("k2")],
        ..OfficeConfig::new(
            "127.0.0.1:0".parse().expect("an address"),
            folder.join("data"),
            identity,
            vec![QueueConfig::new("tributos", "Tributos", "T"), capped],
            (1..=COUNTERS).map(counter).collect(),
        )
    }
}

/// A program that uses the API.
#[derive(Clone)]
pub struct Program {
    pub http: Client,
    pub base: String,
    token: String,
}

/// What it was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub kind: String,
    pub json: Value,
}

impl Answer {
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{self:?}");
        self.json
    }

    /// A problem of this status and code, told as programs need it.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status, &self.json["code"]),
            (status, &json!(code)),
            "{self:?}"
        );
        assert_eq!(self.kind, "application/problem+json", "{self:?}");
        assert_eq!(self.json["status"], json!(status), "{self:?}");
        assert!(
            self.json["detail"].as_str().is_some_and(|text| text.len() > 8),
            "nothing a person can use: {self:?}"
        );
    }
}

impl Program {
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body.to_string()), None)
            .await
            .expect("an answer")
    }

    pub async fn keyed(&self, path: &str, body: Value, key: &str) -> Answer {
        self.try_keyed(path, body, key).await.expect("an answer")
    }

    /// Nothing where the office hung up.
    pub async fn try_keyed(&self, path: &str, body: Value, key: &str) -> Option<Answer> {
        self.send(Method::POST, path, Some(body.to_string()), Some(key))
            .await
    }

    pub async fn get(&self, path: &str) -> Value {
        self.send(Method::GET, path, None, None)
            .await
            .expect("an answer")
            .ok()
    }

    /// Any request at all; nothing where the office hung up.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
        key: Option<&str>,
    ) -> Option<Answer> {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.base))
            .bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let response = request.send().await.ok()?;
        let kind = response
            .headers()
            .get("content-type")
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let status = response.status().as_u16();
        let text = response.text().await.ok()?;
        Some(Answer {
            status,
            kind,
            json: serde_json::from_str(&text).unwrap_or(Value::String(text)),
        })
    }

    /// Everything that happened, in order.
    pub async fn events(&self) -> Vec<Value> {
        let response = self
            .http
            .get(format!("{}/events?after=0", self.base))
            .bearer_auth(&self.token)
            .send()
            .await
            .expect("an answer");
        let text = response.text().await.expect("lines");
        text.lines()
            .map(|line| serde_json::from_str(line).expect("an event a line"))
            .collect()
    }

    /// Number of the newest event.
    pub async fn seq(&self) -> u64 {
        self.get("/board").await["seq"].as_u64().expect("a sequence")
    }

    pub async fn take(&self, queue: &str) -> Value {
        let body = json!({ "queue": queue, "lane": "general" });
        self.keyed("/tickets", body, &fresh()).await.ok()
    }
}

/// A key nobody used.
pub fn fresh() -> String {
    let bytes = ventanilla::clock::random();
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// How often each ticket has an event of this kind.
pub fn count(events: &[Value], kind: &str) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for event in events.iter().filter(|event| event["type"] == kind) {
        let id = event["ticket"].as_str().expect("a ticket").to_owned();
        *counts.entry(id).or_default() += 1;
    }
    counts
}
