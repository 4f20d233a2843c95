//! Accounts, sessions and tokens: who works here, as what, and who is logged in now.
//!
//! A supervisor comes here to unlock somebody and sees only that; everything else is an administrator's.
//! What may be changed is decided in [`crate::app::office::accounts`], not here.

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::kit::{Kit, page};
use super::{App, Bar, Person};
use crate::app::office::accounts::{AccountError, Change, Changed};
use crate::app::office::{OfficeApp, Peer, Problem};
use crate::domain::staff::backoff::LOCK_TRIES;
use crate::domain::staff::secret::{ADMIN_MIN, AGENT_MIN, PIN_MIN, STAFF_MIN, Weak};
use crate::domain::staff::{Permission, Role, may, may_unlock};
use crate::store::StoreError;
use crate::store::office::Account;

#[derive(Template)]
#[template(path = "console/pages/accounts.html")]
struct AccountsPage {
    k: Kit,
    bar: Bar,
    trouble: Option<String>,
    /// A token that was just made, shown this once.
    token: Option<String>,
    manages: bool,
    people: Vec<Line>,
    chosen: Option<Line>,
    sessions: Vec<SessionLine>,
    tokens: Vec<TokenLine>,
    roles: Vec<(&'static str, String)>,
    /// What was typed, where it was not taken.
    typed: Typed,
}

#[derive(Clone)]
struct Line {
    id: i64,
    login: String,
    name: String,
    role: &'static str,
    role_word: String,
    state: Standing,
    state_word: String,
    since: String,
    sessions: usize,
    may_unlock: bool,
    second_step: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Active,
    Locked,
    Closed,
}

impl Line {
    fn tone(&self) -> &'static str {
        match self.state {
            Standing::Active => "good",
            Standing::Locked => "bad",
            Standing::Closed => "off",
        }
    }

    fn icon(&self) -> &'static str {
        match self.state {
            Standing::Active => "check-bold",
            Standing::Locked => "lock-key-bold",
            Standing::Closed => "x-bold",
        }
    }

    fn is_locked(&self) -> bool {
        self.state == Standing::Locked
    }

    fn is_closed(&self) -> bool {
        self.state == Standing::Closed
    }
}

struct SessionLine {
    who: String,
    counter: String,
    peer: String,
    since: String,
    used: String,
}

struct TokenLine {
    name: String,
    role_word: String,
    since: String,
}

#[derive(Default)]
struct Typed {
    login: String,
    name: String,
    role: String,
}

/// Which account is open on the right.
#[derive(Deserialize, Default)]
pub(super) struct Which {
    #[serde(default)]
    person: Option<i64>,
}

pub(super) async fn show(State(app): App, person: Person, Query(which): Query<Which>) -> Response {
    answer(&app, &person, which.person, Shown::default())
}

#[derive(Default)]
struct Shown {
    trouble: Option<String>,
    token: Option<String>,
    typed: Typed,
}

fn answer(app: &OfficeApp, person: &Person, chosen: Option<i64>, shown: Shown) -> Response {
    let status = if shown.trouble.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    match build(app, person, chosen, shown) {
        Ok(template) => (status, page(&template)).into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}

fn build(
    app: &OfficeApp,
    person: &Person,
    chosen: Option<i64>,
    shown: Shown,
) -> Result<AccountsPage, StoreError> {
    let k = person.kit(app);
    let all = app.accounts()?;
    let me = person.session.staff.role;
    let manages = may(me, Permission::ManageAccounts);
    let people: Vec<Line> = all
        .people
        .iter()
        .map(|account| {
            let sessions = all
                .sessions
                .iter()
                .filter(|session| session.login == account.staff.login)
                .count();
            line(&k, account, sessions, me)
        })
        .collect();
    let name_of = |login: &str| {
        let known = people.iter().find(|line| line.login == login);
        known.map_or_else(|| login.to_owned(), |line| line.name.clone())
    };
    let sessions = all
        .sessions
        .iter()
        .map(|session| SessionLine {
            who: name_of(&session.login),
            counter: session.counter.map(|n| n.to_string()).unwrap_or_default(),
            peer: session.peer.clone().unwrap_or_default(),
            since: k.clock(&session.created_at),
            used: k.clock(&session.used_at),
        })
        .collect();
    let tokens = all
        .tokens
        .iter()
        .map(|token| TokenLine {
            name: token.name.clone(),
            role_word: role_word(&k, token.role),
            since: k.day(&token.created_at),
        })
        .collect();
    Ok(AccountsPage {
        bar: Bar::of(&person.session, "accounts"),
        trouble: shown.trouble,
        token: shown.token,
        typed: shown.typed,
        chosen: people
            .iter()
            .find(|line| Some(line.id) == chosen && manages)
            .cloned(),
        sessions: if manages { sessions } else { Vec::new() },
        tokens,
        roles: Role::ALL
            .into_iter()
            .map(|role| (role.code(), role_word(&k, role)))
            .collect(),
        manages,
        people,
        k,
    })
}

fn line(k: &Kit, account: &Account, sessions: usize, me: Role) -> Line {
    let state = match (account.disabled_at, account.failures >= LOCK_TRIES) {
        (Some(_), _) => Standing::Closed,
        (None, true) => Standing::Locked,
        (None, false) => Standing::Active,
    };
    Line {
        id: account.id,
        login: account.staff.login.clone(),
        name: account.staff.name.clone(),
        role: account.staff.role.code(),
        role_word: role_word(k, account.staff.role),
        state,
        state_word: k.say(match state {
            Standing::Active => "office-account-active",
            Standing::Locked => "office-account-locked",
            Standing::Closed => "office-account-closed",
        }),
        since: k.day(&account.password_at),
        sessions,
        second_step: account.second_step,
        may_unlock: may_unlock(me, account.staff.role),
    }
}

/// The word of a role.
pub(super) fn role_word(k: &Kit, role: Role) -> String {
    k.say(match role {
        Role::Agent => "office-role-agent",
        Role::Supervisor => "office-role-supervisor",
        Role::Admin => "office-role-admin",
        Role::Auditor => "office-role-auditor",
        Role::Technician => "office-role-technician",
    })
}

fn words(k: &Kit, error: &AccountError) -> String {
    match error {
        AccountError::NotAllowed => k.say("office-refused-role"),
        AccountError::Unknown(_) | AccountError::UnknownToken(_) => k.say("office-account-unknown"),
        AccountError::Taken(name) => k.fill("office-account-taken", "name", name),
        AccountError::BadLogin(_) => k.say("office-account-bad-login"),
        AccountError::BadName => k.say("office-account-bad-name"),
        AccountError::Weak(weak) => weak_words(k, *weak),
        AccountError::PasswordFirst => k.say("office-account-password-first"),
        AccountError::LastAdmin(_) => k.say("office-account-last-admin"),
    }
}

/// Why a PIN or a password is not taken, and what to do.
pub(super) fn weak_words(k: &Kit, weak: Weak) -> String {
    match weak {
        Weak::Short(least) => k.fill("office-weak-short", "n", least),
        Weak::Long => k.say("office-weak-long"),
        Weak::ShortPin => k.fill("office-weak-short-pin", "n", PIN_MIN),
        Weak::EasyPin => k.say("office-weak-easy-pin"),
        Weak::Easy => k.say("office-weak-easy"),
        Weak::HoldsLogin => k.say("office-weak-login"),
    }
}

/// The form of a new account.
#[derive(Deserialize)]
pub(super) struct New {
    login: String,
    name: String,
    role: String,
    password: String,
}

pub(super) async fn add(State(app): App, peer: Peer, person: Person, Form(form): Form<New>) -> Response {
    let k = person.kit(&app);
    let (login, name) = (form.login.trim().to_owned(), form.name.trim().to_owned());
    let typed = |trouble: String| Shown {
        trouble: Some(trouble),
        typed: Typed {
            login: login.clone(),
            name: name.clone(),
            role: form.role.clone(),
        },
        token: None,
    };
    let Some(role) = Role::from_code(&form.role) else {
        return answer(&app, &person, None, typed(k.say("office-account-unknown")));
    };
    let password = match app.new_password(role, &login, form.password).await {
        Ok(Ok(hashed)) => hashed,
        Ok(Err(weak)) => return answer(&app, &person, None, typed(weak_words(&k, weak))),
        Err(error) => return Problem::from(error).into_response(),
    };
    let change = Change::Add {
        login: login.clone(),
        name: name.clone(),
        role,
        password,
    };
    match app.change_accounts(&person.session.staff, &peer, change).await {
        Ok(Ok(_)) => Redirect::to("/console/accounts").into_response(),
        Ok(Err(error)) => answer(&app, &person, None, typed(words(&k, &error))),
        Err(error) => Problem::from(error).into_response(),
    }
}

/// A button of somebody's account.
#[derive(Deserialize)]
pub(super) struct Whom {
    person: i64,
    #[serde(default)]
    role: String,
    #[serde(default)]
    password: String,
}

/// Another role, a new PIN or password, or both.
pub(super) async fn change(State(app): App, peer: Peer, person: Person, Form(form): Form<Whom>) -> Response {
    let (Some(staff), Some(role)) = (account(&app, form.person), Role::from_code(&form.role)) else {
        return unknown(&app, &person);
    };
    let login = staff.login;
    let password = if form.password.is_empty() {
        None
    } else {
        match app.new_password(role, &login, form.password).await {
            Ok(Ok(hashed)) => Some(hashed),
            Ok(Err(weak)) => {
                let trouble = Shown {
                    trouble: Some(weak_words(&person.kit(&app), weak)),
                    ..Shown::default()
                };
                return answer(&app, &person, Some(form.person), trouble);
            }
            Err(error) => return Problem::from(error).into_response(),
        }
    };
    let change = match password {
        Some(password) if role == staff.role => Change::Password { login, password },
        None if role == staff.role => return Redirect::to("/console/accounts").into_response(),
        password => Change::Role {
            login,
            role,
            password,
        },
    };
    carry_out(&app, &person, &peer, Some(form.person), change).await
}

/// Makes the handler of a button that only needs to know whose account it is.
macro_rules! button {
    ($name:ident, $change:ident) => {
        pub(super) async fn $name(
            State(app): App,
            peer: Peer,
            person: Person,
            Form(form): Form<Whom>,
        ) -> Response {
            match account(&app, form.person) {
                Some(staff) => {
                    let login = staff.login;
                    carry_out(
                        &app,
                        &person,
                        &peer,
                        Some(form.person),
                        Change::$change { login },
                    )
                    .await
                }
                None => unknown(&app, &person),
            }
        }
    };
}

button!(disable, Disable);
button!(enable, Enable);
button!(unlock, Unlock);
button!(end_sessions, EndSessions);
button!(drop_second_step, DropSecondStep);

/// A token to make or to take back.
#[derive(Deserialize)]
pub(super) struct TokenForm {
    name: String,
    #[serde(default)]
    role: String,
}

pub(super) async fn make_token(
    State(app): App,
    peer: Peer,
    person: Person,
    Form(form): Form<TokenForm>,
) -> Response {
    let Some(role) = Role::from_code(&form.role) else {
        return unknown(&app, &person);
    };
    let name = form.name.trim().to_owned();
    carry_out(&app, &person, &peer, None, Change::MakeToken { name, role }).await
}

pub(super) async fn revoke_token(
    State(app): App,
    peer: Peer,
    person: Person,
    Form(form): Form<TokenForm>,
) -> Response {
    let change = Change::RevokeToken { name: form.name };
    carry_out(&app, &person, &peer, None, change).await
}

fn account(app: &OfficeApp, id: i64) -> Option<crate::store::office::Staff> {
    let all = app.accounts().ok()?;
    all.people
        .into_iter()
        .find(|account| account.id == id)
        .map(|account| account.staff)
}

fn unknown(app: &OfficeApp, person: &Person) -> Response {
    let trouble = Shown {
        trouble: Some(person.kit(app).say("office-account-unknown")),
        ..Shown::default()
    };
    answer(app, person, None, trouble)
}

async fn carry_out(
    app: &OfficeApp,
    person: &Person,
    peer: &Peer,
    chosen: Option<i64>,
    change: Change,
) -> Response {
    match app.change_accounts(&person.session.staff, peer, change).await {
        Ok(Ok(Changed::Done)) => {
            let to = chosen.filter(|_| may(person.session.staff.role, Permission::ManageAccounts));
            let to = to.map_or_else(
                || "/console/accounts".to_owned(),
                |id| format!("/console/accounts?person={id}"),
            );
            Redirect::to(&to).into_response()
        }
        Ok(Ok(Changed::Token(token))) => {
            let shown = Shown {
                token: Some(token),
                ..Shown::default()
            };
            answer(app, person, None, shown)
        }
        Ok(Err(error)) => {
            let trouble = Shown {
                trouble: Some(words(&person.kit(app), &error)),
                ..Shown::default()
            };
            answer(app, person, chosen, trouble)
        }
        Err(error) => Problem::from(error).into_response(),
    }
}

/// How long a secret of each role is, for the help under the field.
pub(super) fn lengths(k: &Kit) -> String {
    let values = [
        ("pin", PIN_MIN.to_string()),
        ("agent", AGENT_MIN.to_string()),
        ("staff", STAFF_MIN.to_string()),
        ("admin", ADMIN_MIN.to_string()),
    ];
    let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
    crate::i18n::fill(k.language, "office-account-lengths", &values)
}
