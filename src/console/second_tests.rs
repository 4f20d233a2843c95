//! The second step of a login over HTTP: switched on, asked for, guessed at, lost.

use jiff::SignedDuration;
use reqwest::{Response, StatusCode};

use super::session_tests::{House, leads_to, minutes, secret};
use crate::domain::audit::AuditEvent;
use crate::domain::staff::totp::Secret;
use crate::store::office::second_step;

const PASSWORD: &str = "cuatro+perros";

async fn text(answer: Response) -> String {
    answer.text().await.expect("text")
}

/// What stands between two marks of a page.
fn between<'a>(page: &'a str, before: &str, after: &str) -> &'a str {
    let rest = page
        .split_once(before)
        .unwrap_or_else(|| panic!("{before} in {page}"))
        .1;
    rest.split_once(after).expect("an end").0
}

impl House {
    async fn telephone(&self) -> Secret {
        let found = self.running.office.db().write(|c| second_step(c, "admin")).await;
        found.expect("read").expect("begun").secret
    }

    /// The code that the telephone shows now.
    async fn shown(&self) -> String {
        self.telephone().await.shown(self.clock.now())
    }

    /// Switches the second step of the administrator on; returns the codes on paper.
    async fn switch_on(&self) -> Vec<String> {
        let admin = self.log_in("admin", PASSWORD).await;
        let page = text(self.post(&admin, "/console/second", "act=begin").await).await;
        let telephone = self.telephone().await;
        assert!(
            page.contains("<svg") && page.contains(&telephone.text()),
            "{page}"
        );
        let confirm = |code: String, password: &str| format!("act=confirm&code={code}&password={password}");
        let form = confirm("000000".into(), PASSWORD);
        let wrong = self.post(&admin, "/console/second", &form).await;
        assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert!(text(wrong).await.contains(&telephone.text()), "the square stays");
        let form = confirm(self.shown().await, "otra+clave");
        assert_eq!(
            self.post(&admin, "/console/second", &form).await.status(),
            StatusCode::UNPROCESSABLE_ENTITY
        );
        let form = confirm(self.shown().await, PASSWORD);
        let page = text(self.post(&admin, "/console/second", &form).await).await;
        let list = between(&page, "<ul class=\"codes\">", "</ul>");
        list.split("<li>")
            .skip(1)
            .map(|code| code.replace("</li>", ""))
            .collect()
    }

    /// Gives the right password; returns what goes with the code.
    async fn first_step(&self) -> String {
        let asked = self.try_login("admin", PASSWORD).await;
        assert_eq!(asked.status(), StatusCode::OK);
        assert!(secret(&asked).is_none(), "the password alone begins no session");
        between(&text(asked).await, "name=\"waiting\" value=\"", "\"").to_owned()
    }

    async fn second(&self, waiting: &str, code: &str) -> Response {
        let form = format!("waiting={waiting}&code={}", code.replace(' ', "+"));
        self.send("", "/console/login/code", &form).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_code_of_the_telephone_is_asked_once_it_is_switched_on() {
    let house = House::new().await;
    let paper = house.switch_on().await;
    assert_eq!(paper.len(), 8);
    let used = house.shown().await;
    let waiting = house.first_step().await;
    assert_eq!(
        house.second(&waiting, &used).await.status(),
        StatusCode::UNAUTHORIZED,
        "it switched on, and is used"
    );
    house.clock.advance(SignedDuration::from_secs(30));
    let code = house.shown().await;
    assert_eq!(
        house.second("0000", &code).await.status(),
        StatusCode::UNAUTHORIZED,
        "of nobody's password"
    );
    let admin = secret(&house.second(&waiting, &code).await).expect("let in");
    assert_eq!(
        house.get(&admin, "/console/accounts").await.status(),
        StatusCode::OK
    );
    assert_eq!(
        house.second(&waiting, &code).await.status(),
        StatusCode::UNAUTHORIZED,
        "the first step counts once too"
    );
    // On paper: once, however it is typed.
    let waiting = house.first_step().await;
    let typed = paper[3].to_lowercase().replace('-', " ");
    assert!(secret(&house.second(&waiting, &typed).await).is_some());
    let waiting = house.first_step().await;
    assert_eq!(
        house.second(&waiting, &paper[3]).await.status(),
        StatusCode::UNAUTHORIZED
    );
    // Too late.
    house.clock.advance(minutes(6));
    let code = house.shown().await;
    let late = house.second(&waiting, &code).await;
    assert!(text(late).await.contains("Pasó mucho tiempo"));
    let events = house.recorded();
    let admin = Some("admin".to_owned());
    assert!(events.contains(&(
        admin.clone(),
        AuditEvent::SecondStepAdded {
            login: "admin".into()
        }
    )));
    assert!(events.contains(&(admin, AuditEvent::RecoveryCodeUsed { left: 7 })));
    assert!(!format!("{events:?}").contains(&paper[3]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stolen_password_is_no_way_to_guess_codes() {
    let house = House::new().await;
    house.switch_on().await;
    house.clock.advance(minutes(1));
    // A right password forgives nothing, so that the guesses of both steps add up.
    let waiting = house.first_step().await;
    for _ in 0..4 {
        assert_eq!(
            house.second(&waiting, "123456").await.status(),
            StatusCode::UNAUTHORIZED
        );
    }
    let right = house.shown().await;
    assert!(
        text(house.second(&waiting, &right).await)
            .await
            .contains("segundos"),
        "even the right one waits"
    );
    house.clock.advance(SignedDuration::from_secs(20));
    let right = house.shown().await;
    assert!(secret(&house.second(&waiting, &right).await).is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_switched_off_by_its_owner_or_by_another_administrator() {
    let house = House::new().await;
    house.switch_on().await;
    house.clock.advance(minutes(1));
    let waiting = house.first_step().await;
    let admin = secret(&house.second(&waiting, &house.shown().await).await).expect("let in");
    // Not begun anew over the one that is asked for.
    let page = text(house.post(&admin, "/console/second", "act=begin").await).await;
    assert!(!page.contains("<svg width"), "{page}");
    house.clock.advance(minutes(1));
    let form = format!("act=remove&code={}&password={PASSWORD}", house.shown().await);
    assert_eq!(
        house.post(&admin, "/console/second", &form).await.status(),
        StatusCode::OK
    );
    house.log_in("admin", PASSWORD).await;
    house.clock.advance(minutes(1));

    house.switch_on().await;
    house.clock.advance(minutes(1));
    let waiting = house.first_step().await;
    let admin = secret(&house.second(&waiting, &house.shown().await).await).expect("let in");
    let id = house.id("admin").await;
    let done = house
        .post(&admin, "/console/accounts/second", &format!("person={id}"))
        .await;
    assert!(leads_to(&done, &format!("/console/accounts?person={id}")));
    house.log_in("admin", PASSWORD).await;
    let removed = AuditEvent::SecondStepRemoved {
        login: "admin".into(),
    };
    let count = house
        .recorded()
        .into_iter()
        .filter(|(_, event)| *event == removed)
        .count();
    assert_eq!(count, 2);
}
