//! Sessions, locks and rights over HTTP: what a browser gets when something changes behind its back.

use jiff::SignedDuration;
use reqwest::{Client, Response, StatusCode};

use crate::app::Stop;
use crate::app::office::{FORM_TOKEN, RunningOffice, form_token, start};
use crate::clock::Clock;
use crate::config::office::OfficeConfig;
use crate::domain::audit::AuditEvent;
use crate::domain::staff::Role;
use crate::store::office::{AuditFilter, account, create_user};

pub(super) struct House {
    pub(super) running: RunningOffice,
    base: String,
    http: Client,
    pub(super) clock: Clock,
    stop: Stop,
    folder: tempfile::TempDir,
}

pub(super) fn minutes(n: i64) -> SignedDuration {
    SignedDuration::from_mins(n)
}

impl House {
    pub(super) async fn new() -> Self {
        let clock = Clock::manual("2026-11-24T15:00:00Z".parse().expect("time"));
        let house = Self::on(tempfile::tempdir().expect("folder"), clock).await;
        let now = house.running.office.now();
        let made = house.running.office.db().write(move |c| {
            create_user(c, "ana", "Agente 07", Role::Agent, "739164", now)?;
            create_user(c, "luz", "Agente 08", Role::Agent, "739165", now)?;
            create_user(c, "jefa", "Supervisora", Role::Supervisor, "tres gatos", now)?;
            create_user(c, "admin", "Administradora", Role::Admin, "cuatro perros", now)
        });
        made.await.expect("users");
        house
    }

    async fn on(folder: tempfile::TempDir, clock: Clock) -> Self {
        Self::with(folder, clock, "").await
    }

    async fn with(folder: tempfile::TempDir, clock: Clock, more: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let text = format!(
            "listen = '127.0.0.1:0'\ndata = '{}'
             office = {{ id = 'q', name = 'Quitumbe', kind = 'Administración Zonal', room = 'Sala A' }}
             queues = [{{ id = 'tributos', name = 'Tributos', series = 'T' }}]
             counters = [{{ number = 4, serves = ['tributos'] }}]\n{more}",
            folder.path().display()
        );
        let config: OfficeConfig = crate::config::parse("test.toml".as_ref(), &text).expect("parses");
        let stop = Stop::default();
        let running = start(config, clock.clone(), stop.clone(), super::routes)
            .await
            .expect("starts");
        let none = reqwest::redirect::Policy::none();
        Self {
            base: format!("http://{}", running.address),
            http: Client::builder()
                .no_proxy()
                .redirect(none)
                .build()
                .expect("client"),
            running,
            clock,
            stop,
            folder,
        }
    }

    async fn again(self) -> Self {
        self.stop.stop();
        self.running.finished().await;
        Self::on(self.folder, self.clock).await
    }

    pub(super) async fn get(&self, secret: &str, path: &str) -> Response {
        self.http
            .get(format!("{}{path}", self.base))
            .header("cookie", format!("ventanilla={secret}"))
            .send()
            .await
            .expect("sent")
    }

    pub(super) async fn post(&self, secret: &str, path: &str, form: &str) -> Response {
        self.send(
            secret,
            path,
            &format!("{form}&{FORM_TOKEN}={}", form_token(secret)),
        )
        .await
    }

    pub(super) async fn send(&self, secret: &str, path: &str, form: &str) -> Response {
        self.http
            .post(format!("{}{path}", self.base))
            .header("cookie", format!("ventanilla={secret}"))
            .header("origin", &self.base)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.to_owned())
            .send()
            .await
            .expect("sent")
    }

    pub(super) async fn try_login(&self, login: &str, password: &str) -> Response {
        let form = format!("login={login}&password={password}");
        self.send("", "/console/login", &form).await
    }

    pub(super) async fn log_in(&self, login: &str, password: &str) -> String {
        secret(&self.try_login(login, password).await).expect("let in")
    }

    pub(super) fn recorded(&self) -> Vec<(Option<String>, AuditEvent)> {
        let mut entries = self
            .running
            .office
            .audit_page(AuditFilter::default(), 1000)
            .expect("read");
        entries.reverse();
        entries
            .into_iter()
            .map(|entry| (entry.who, serde_json::from_str(&entry.event).expect("event")))
            .collect()
    }

    pub(super) async fn id(&self, login: &'static str) -> i64 {
        let found = self.running.office.db().write(move |c| account(c, login)).await;
        found.expect("read").expect("there").id
    }
}

/// The secret of the cookie an answer sets.
pub(super) fn secret(answer: &Response) -> Option<String> {
    let cookie = answer.headers().get("set-cookie")?.to_str().ok()?;
    let (_, rest) = cookie.split_once('=')?;
    Some(rest.split(';').next()?.to_owned())
}

pub(super) fn leads_to(answer: &Response, path: &str) -> bool {
    answer.status() == StatusCode::SEE_OTHER && answer.headers()["location"] == path
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_console_locks_and_goes_on_at_the_same_counter() {
    let house = House::new().await;
    let ana = house.log_in("ana", "739164").await;
    house.post(&ana, "/console/counters", "counter=4").await;
    let live = |used: bool| {
        let request = house
            .http
            .get(format!("{}/console/agent/live", house.base))
            .header("cookie", format!("ventanilla={ana}"))
            .header("x-live", "1");
        let request = if used {
            request.header("x-used", "1")
        } else {
            request
        };
        async move { request.send().await.expect("sent").status() }
    };
    // Somebody types; then the page renews itself for a while with nobody before it.
    house.clock.advance(minutes(10));
    assert_eq!(live(true).await, StatusCode::OK);
    house.clock.advance(minutes(14));
    assert_eq!(live(false).await, StatusCode::OK);
    house.clock.advance(minutes(2));
    assert_eq!(live(false).await, StatusCode::UNAUTHORIZED);
    assert!(leads_to(
        &house.get(&ana, "/console/agent").await,
        "/console/locked"
    ));
    let pressed = house.post(&ana, "/console/agent/move", "move=next&press=a").await;
    assert!(
        leads_to(&pressed, "/console/locked"),
        "nothing is done behind the lock"
    );
    let page = house
        .get(&ana, "/console/locked")
        .await
        .text()
        .await
        .expect("text");
    assert!(page.contains("Agente 07") && page.contains("La ventanilla 4"));

    let wrong = house.send(&ana, "/console/locked", "password=000000").await;
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    let back = house.send(&ana, "/console/locked", "password=739164").await;
    let fresh = secret(&back).expect("let in");
    assert_ne!(fresh, ana, "the cookie is a new one");
    assert!(leads_to(
        &house.get(&ana, "/console/agent").await,
        "/console/login"
    ));
    let page = house.get(&fresh, "/console/agent").await;
    assert!(page.text().await.expect("text").contains("Ventanilla 4 abierta"));
    let events = house.recorded();
    assert!(events.contains(&(Some("ana".into()), AuditEvent::SessionResumed)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_ends_the_session_before_it_and_a_form_needs_its_token() {
    let house = House::new().await;
    let ana = house.log_in("ana", "739164").await;
    let again = house
        .send(&ana, "/console/login", "login=ana&password=739164")
        .await;
    let fresh = secret(&again).expect("let in");
    assert!(leads_to(
        &house.get(&ana, "/console/counters").await,
        "/console/login"
    ));
    for form in ["counter=4", "counter=4&form-token=", "counter=4&form-token=x"] {
        let refused = house.send(&fresh, "/console/counters", form).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{form}");
    }
    let of_another = format!("counter=4&{FORM_TOKEN}={}", form_token(&ana));
    let refused = house.send(&fresh, "/console/counters", &of_another).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    // The page itself carries it.
    let page = house
        .get(&fresh, "/console/counters")
        .await
        .text()
        .await
        .expect("text");
    let token = form_token(&fresh);
    assert_eq!(
        page.matches("method=\"post\"").count(),
        page.matches(&token).count()
    );
    let done = house.post(&fresh, "/console/counters", "counter=4").await;
    assert!(leads_to(&done, "/console/agent"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_https_the_cookie_is_bound_to_the_host_and_the_address_is_the_proxys_word() {
    let clock = Clock::manual("2026-11-24T15:00:00Z".parse().expect("time"));
    let folder = tempfile::tempdir().expect("folder");
    let house = House::with(folder, clock, "behind_https = true").await;
    let now = house.running.office.now();
    let made = house.running.office.db();
    let made = made.write(move |c| create_user(c, "ana", "Agente 07", Role::Agent, "739164", now));
    made.await.expect("user");
    let answer = house
        .http
        .post(format!("{}/console/login", house.base))
        .header("sec-fetch-site", "same-origin")
        // What a client writes there itself stands before what our proxy adds.
        .header("x-forwarded-for", "203.0.113.9, 10.0.0.4")
        .header("content-type", "application/x-www-form-urlencoded")
        .body("login=ana&password=739164")
        .send()
        .await
        .expect("sent");
    let cookie = answer.headers()["set-cookie"].to_str().expect("text");
    assert!(cookie.starts_with("__Host-ventanilla="), "{cookie}");
    assert!(
        cookie.contains("; Path=/; HttpOnly; SameSite=Strict") && cookie.ends_with("; Secure"),
        "{cookie}"
    );
    let entries = house
        .running
        .office
        .audit_page(AuditFilter::default(), 1)
        .expect("read");
    assert_eq!(entries[0].peer.as_deref(), Some("10.0.0.4"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_makes_a_given_password_their_own() {
    let house = House::new().await;
    let (elsewhere, ana) = (
        house.log_in("ana", "739164").await,
        house.log_in("ana", "739164").await,
    );
    house.post(&ana, "/console/counters", "counter=4").await;
    for form in [
        "present=000000&new=605183&again=605183",
        "present=739164&new=123456&again=123456",
        "present=739164&new=605183&again=605184",
    ] {
        let refused = house.post(&ana, "/console/password", form).await;
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY, "{form}");
    }
    let form = "present=739164&new=605183&again=605183";
    let done = house.post(&ana, "/console/password", form).await;
    let fresh = secret(&done).expect("goes on");
    assert_eq!(house.get(&fresh, "/console/agent").await.status(), StatusCode::OK);
    assert!(leads_to(
        &house.get(&elsewhere, "/console/counters").await,
        "/console/login"
    ));
    assert_eq!(
        house.try_login("ana", "739164").await.status(),
        StatusCode::UNAUTHORIZED
    );
    house.log_in("ana", "605183").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rights_taken_away_are_gone_with_the_next_request() {
    let house = House::new().await;
    let admin = house.log_in("admin", "cuatro+perros").await;
    let jefa = house.log_in("jefa", "tres+gatos").await;
    let ana = house.log_in("ana", "739164").await;
    assert_eq!(house.get(&jefa, "/console/office").await.status(), StatusCode::OK);
    let (id_jefa, id_ana) = (house.id("jefa").await, house.id("ana").await);
    // Another role: the same session, other rights.
    let form = format!("person={id_jefa}&role=technician&password=");
    let done = house.post(&admin, "/console/accounts/change", &form).await;
    assert!(leads_to(&done, &format!("/console/accounts?person={id_jefa}")));
    assert_eq!(
        house.get(&jefa, "/console/office").await.status(),
        StatusCode::FORBIDDEN
    );
    assert_eq!(house.get(&jefa, "/console/health").await.status(), StatusCode::OK);
    // More rights need a longer password, so a PIN does not become an administrator's.
    let form = format!("person={id_ana}&role=admin&password=");
    let refused = house.post(&admin, "/console/accounts/change", &form).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    // A closed account is out at once and cannot come back.
    house
        .post(&admin, "/console/accounts/disable", &format!("person={id_ana}"))
        .await;
    assert!(leads_to(
        &house.get(&ana, "/console/counters").await,
        "/console/login"
    ));
    assert_eq!(
        house.try_login("ana", "739164").await.status(),
        StatusCode::UNAUTHORIZED
    );
    house
        .post(&admin, "/console/accounts/enable", &format!("person={id_ana}"))
        .await;
    let ana = house.log_in("ana", "739164").await;
    house
        .post(&admin, "/console/accounts/sessions", &format!("person={id_ana}"))
        .await;
    assert!(leads_to(
        &house.get(&ana, "/console/counters").await,
        "/console/login"
    ));
    // A token works until it is taken back.
    let page = house
        .post(&admin, "/console/accounts/tokens", "name=informes&role=auditor")
        .await
        .text()
        .await
        .expect("text");
    let at = page.find("vt_").expect("shown once");
    let token = page[at..].split('<').next().expect("end").to_owned();
    let report = || {
        let request = house.http.get(format!("{}/api/v1/reports/day", house.base));
        request.bearer_auth(&token).send()
    };
    assert_eq!(report().await.expect("sent").status(), StatusCode::OK);
    house
        .post(&admin, "/console/accounts/tokens/revoke", "name=informes")
        .await;
    assert_eq!(report().await.expect("sent").status(), StatusCode::UNAUTHORIZED);
    // The last administrator cannot shut everybody out.
    let id = house.id("admin").await;
    let refused = house
        .post(&admin, "/console/accounts/disable", &format!("person={id}"))
        .await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let kinds: Vec<&str> = house
        .recorded()
        .iter()
        .filter(|(who, _)| who.as_deref() == Some("admin"))
        .map(|(_, event)| event.kind())
        .collect();
    assert_eq!(
        kinds,
        [
            "logged_in",
            "role_changed",
            "account_disabled",
            "account_enabled",
            "sessions_revoked",
            "token_made",
            "token_revoked"
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guessing_waits_locks_and_outlives_a_restart_until_a_supervisor_unlocks() {
    let house = House::new().await;
    for _ in 0..5 {
        assert_eq!(
            house.try_login("ana", "0").await.status(),
            StatusCode::UNAUTHORIZED
        );
    }
    let right = house.try_login("ana", "739164").await;
    assert!(right.text().await.expect("text").contains("15 segundos"));
    // The terminal waits too, whoever is tried from it, and a restart forgives nothing.
    let house = house.again().await;
    assert_eq!(
        house.try_login("luz", "739165").await.status(),
        StatusCode::UNAUTHORIZED
    );
    house.clock.advance(SignedDuration::from_secs(15));
    for _ in 6..=15 {
        house.try_login("ana", "0").await;
        house.clock.advance(minutes(130));
    }
    let locked = house.try_login("ana", "739164").await;
    assert!(
        locked
            .text()
            .await
            .expect("text")
            .contains("cerrada por demasiados intentos")
    );
    // A name nobody has behaves the same, and is not written down.
    let events = house.recorded();
    let ana = Some("ana".to_owned());
    assert!(events.contains(&(ana.clone(), AuditEvent::LoginFailed { failures: 14 })));
    assert!(events.contains(&(ana, AuditEvent::LoginLocked)));
    house.try_login("mi-clave-secreta", "x").await;
    let events = house.recorded();
    assert!(events.contains(&(None, AuditEvent::LoginFailed { failures: 1 })));
    assert!(!format!("{events:?}").contains("mi-clave"));

    // The terminal itself is free again soon, for the others and for whoever is unlocked.
    house.clock.advance(minutes(4));
    let jefa = house.log_in("jefa", "tres+gatos").await;
    let page = house
        .get(&jefa, "/console/accounts")
        .await
        .text()
        .await
        .expect("text");
    assert!(page.contains("Bloqueada"));
    let id = house.id("ana").await;
    house
        .post(&jefa, "/console/accounts/unlock", &format!("person={id}"))
        .await;
    house.log_in("ana", "739164").await;
    // An administrator's account is not hers to unlock.
    let id = house.id("admin").await;
    let refused = house
        .post(&jefa, "/console/accounts/unlock", &format!("person={id}"))
        .await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_guesses_at_once_are_no_more_than_five() {
    let house = House::new().await;
    let tries = (0..100).map(|n| {
        let house = &house;
        async move { house.try_login("ana", &n.to_string()).await.status() }
    });
    futures_util::future::join_all(tries).await;
    let looked_at = house
        .recorded()
        .iter()
        .filter(|(_, event)| matches!(event, AuditEvent::LoginFailed { .. }))
        .count();
    assert_eq!(looked_at, 5);
}
