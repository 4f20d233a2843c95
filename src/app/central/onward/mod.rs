//! Hands submissions on to the OpenRosa servers of the settings, while the municipality's key is unlocked.
//!
//! One task a server; several centrals on one store share the queue. Without the key everything waits and is counted.
//! Begin at [`open`] and [`courier`].

mod courier;

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::Json;
use jiff::Timestamp;
use serde::Serialize;
use tracing::error;
use utoipa::ToSchema;
use zeroize::Zeroizing;

pub use courier::{Courier, Pass};

use super::CentralApp;
use super::api::App;
use crate::app::office::Problem;
use crate::app::{StartError, Stop};
use crate::clock::Clock;
use crate::config::openrosa::OnwardConfig;
use crate::domain::redacted::Redacted;
use crate::domain::submission::is_name;
use crate::store::municipal::Municipal;
use crate::store::onward as rows;
use crate::sync::openrosa::{Access, Server};
use crate::sync::plan::LineState;

/// How long a store that does not answer is left alone.
const STORE_PAUSE: Duration = Duration::from_secs(30);

/// How a line to a server is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OnwardLine {
    /// Up, down, or something in between.
    pub state: LineState,
    /// Why it is not up, in one word.
    pub why: Option<String>,
    /// When the server last took something.
    pub last_received: Option<Timestamp>,
    /// Whether everything waits for the municipality's key.
    pub locked: bool,
}

/// The line to a server of the settings.
///
/// # Errors
/// Says what is wrong with its settings or its files; the address is not in it.
pub fn server(config: &OnwardConfig, clock: Clock) -> Result<Server, StartError> {
    let wrong = |problem: String| StartError::Setup {
        what: format!("The server {} of [[onward]]", config.name),
        problem,
    };
    if !is_name(&config.name) {
        return Err(wrong(
            "its name has other characters than a-z, 0-9, - and _".to_owned(),
        ));
    }
    let read = |path: &std::path::Path| {
        std::fs::read_to_string(path)
            .map(Zeroizing::new)
            .map(|text| Redacted::new(text.trim().to_owned()))
            .map_err(|problem| wrong(format!("{} cannot be read: {problem}", path.display())))
    };
    let url = match (&config.url, &config.url_file) {
        (Some(url), None) => Redacted::new(url.clone()),
        (None, Some(path)) => read(path)?,
        (Some(_), Some(_)) | (None, None) => return Err(wrong("write either url or url_file".to_owned())),
    };
    let user = match (&config.user, &config.password_file) {
        (Some(user), Some(path)) => Some((user.clone(), read(path)?)),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => {
            return Err(wrong("user and password_file belong together".to_owned()));
        }
    };
    let authority = match &config.authority {
        Some(path) => Some(
            std::fs::read(path)
                .map_err(|problem| wrong(format!("{} cannot be read: {problem}", path.display())))?,
        ),
        None => None,
    };
    let access = Access {
        url,
        user,
        authority,
        lookup: config.lookup.clone().map(Redacted::new),
    };
    Server::new(access, clock).map_err(|problem| wrong(problem.to_string()))
}

/// Who hands on to a server of the settings.
///
/// # Errors
/// As [`server`].
pub fn courier(config: &OnwardConfig, store: &Municipal, clock: &Clock) -> Result<Courier, StartError> {
    let server = server(config, clock.clone())?;
    Ok(Courier::new(
        &config.name,
        config.procedures.clone(),
        server,
        store.clone(),
        clock.clone(),
    ))
}

/// Everybody who hands on, ready to run.
///
/// # Errors
/// As [`server`], and when two servers have one name.
pub(super) fn couriers(
    configs: &[OnwardConfig],
    store: &Municipal,
    clock: &Clock,
) -> Result<Vec<(String, Courier)>, StartError> {
    let mut all: Vec<(String, Courier)> = Vec::with_capacity(configs.len());
    for config in configs {
        if all.iter().any(|(name, _)| *name == config.name) {
            return Err(StartError::Setup {
                what: format!("The server {} of [[onward]]", config.name),
                problem: "there are two of this name".to_owned(),
            });
        }
        all.push((config.name.clone(), courier(config, store, clock)?));
    }
    Ok(all)
}

/// Hands on until told to stop.
pub(super) async fn run(central: Arc<CentralApp>, name: String, mut courier: Courier, stop: Stop) {
    loop {
        let woken = central.wake.notified();
        tokio::pin!(woken);
        // From here on a call counts, also one that comes during the pass.
        woken.as_mut().enable();
        let key = central.opening_key();
        let passed = tokio::select! {
            () = stop.stopped() => return,
            passed = courier.pass(key.as_ref()) => passed,
        };
        central
            .lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.clone(), courier.line.clone());
        let wait = match passed {
            Ok(Pass::More) => continue,
            Ok(Pass::Wait(until)) => {
                Duration::try_from(until.duration_since(central.clock.now())).unwrap_or(Duration::ZERO)
            }
            Err(problem) => {
                error!(destination = name, %problem, "nothing can be handed on; it is tried again");
                STORE_PAUSE
            }
        };
        tokio::select! {
            () = stop.stopped() => return,
            () = woken => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// A server that submissions are handed on to.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OnwardView {
    /// Its name in the settings.
    name: String,
    /// `up`, `down`, `foreign` (something else answers), `refused`, `busy`, `unknown`, or `locked`.
    line: &'static str,
    /// Why it is not up, in one word.
    why: Option<String>,
    /// When it last took something, from this node.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_received: Option<String>,
    /// Waiting or on the line.
    queued: i64,
    /// Since when the oldest of these waits.
    #[schema(value_type = Option<String>, format = DateTime)]
    oldest: Option<String>,
    /// Kept by the server.
    received: i64,
    /// Waiting for the server to take their form again.
    held: i64,
    /// How many need a person.
    stuck: i64,
    /// The first fifty of both.
    rows: Vec<StuckView>,
}

/// A submission that is not handed on at the moment.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StuckView {
    /// The submission.
    id: String,
    /// Its form.
    form: String,
    /// In one word.
    why: String,
    /// Since when.
    #[serde(with = "crate::domain::ticket::time_text")]
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
}

/// Every server.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OnwardsView {
    servers: Vec<OnwardView>,
}

/// A state in one word.
fn line_word(line: &OnwardLine) -> &'static str {
    if line.locked {
        return "locked";
    }
    match line.state {
        LineState::Unknown => "unknown",
        LineState::Up => "up",
        LineState::Down => "down",
        LineState::Foreign => "foreign",
        LineState::Refused => "refused",
        LineState::Busy => "busy",
    }
}

#[utoipa::path(get, path = "/api/v1/onward", tag = "fleet",
    responses((status = 200, body = OnwardsView), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(super) async fn list(axum::extract::State(app): App) -> Result<Json<OnwardsView>, Problem> {
    let mut servers = Vec::with_capacity(app.config.onward.len());
    for config in &app.config.onward {
        let name = config.name.clone();
        let counts = app.store.look(move |sql| rows::counts(sql, &name)).await?;
        let line = app
            .lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&config.name)
            .cloned()
            .unwrap_or_default();
        servers.push(OnwardView {
            name: config.name.clone(),
            line: line_word(&line),
            why: line.why,
            last_received: line.last_received.map(|at| at.to_string()),
            queued: counts.queued,
            oldest: counts.oldest.map(|at| at.to_string()),
            received: counts.received,
            held: counts.held,
            stuck: counts.stuck,
            rows: counts
                .rows
                .into_iter()
                .map(|row| StuckView {
                    id: row.id,
                    form: row.form_id,
                    why: row.why,
                    since: row.since,
                })
                .collect(),
        });
    }
    Ok(Json(OnwardsView { servers }))
}

#[cfg(test)]
mod tests;
