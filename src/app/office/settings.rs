//! `/api/v1/settings`, and how settings come into a running office.
//!
//! Whoever changes them, a page, a program or the command line, does it by one [`Command::Configure`]: the event, the
//! row and the audit entry are one transaction, and everybody who listens hears the event.
//! Begin at [`begin`].

use std::path::Path;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tracing::{info, warn};
use utoipa::ToSchema;

use super::api::{ask, required};
use super::audit::TERMINAL;
use super::auth::Caller;
use super::hub::{Ask, OfficeApp, OfficeError, Reply};
use super::problem::Problem;
use crate::app::StartError;
use crate::config::office::OfficeConfig;
use crate::domain::office::settings::Settings;
use crate::domain::office::{Command, Refusal};
use crate::domain::ticket::time_text;
use crate::store::office::{self as store, SettingsRow};
use crate::store::{Db, StoreError};

type App = State<Arc<OfficeApp>>;

/// The settings in force.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SettingsView {
    /// Their version, which a change must name.
    pub version: u64,
    /// Since when they are in force.
    #[serde(with = "time_text")]
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Who changed them; null for what came from the file.
    pub who: Option<String>,
    /// All of them.
    pub settings: Settings,
}

impl From<SettingsRow> for SettingsView {
    fn from(row: SettingsRow) -> Self {
        Self {
            version: row.version,
            at: row.at,
            who: row.who,
            settings: row.settings,
        }
    }
}

/// Other settings.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingsBody {
    /// The version they were made from.
    pub version: u64,
    /// All of them; what is left out is as it is when nothing is written.
    pub settings: Settings,
}

/// Something wrong with settings.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct FaultView {
    /// The field, such as `queues.tributos.series`.
    pub field: String,
    /// A stable word for programs.
    pub code: String,
    /// What is wrong, and the way out.
    pub detail: String,
}

impl FaultView {
    /// The faults of a refusal; none where it is about something else.
    pub(super) fn all(refusal: &Refusal) -> Vec<Self> {
        let (Refusal::SettingsFaulty(faults) | Refusal::SettingsInUse(faults)) = refusal else {
            return Vec::new();
        };
        faults
            .iter()
            .map(|fault| Self {
                field: fault.field.clone(),
                code: fault.problem.code().replace('-', "_"),
                detail: fault.problem.to_string(),
            })
            .collect()
    }
}

/// The settings in force: rules, hours, queues, profiles, zones and counters.
#[utoipa::path(get, path = "/api/v1/settings", tag = "settings",
    responses((status = 200, body = SettingsView), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(super) async fn read(State(app): App) -> Result<Json<SettingsView>, Problem> {
    Ok(Json(app.settings()?))
}

/// Puts other settings in the place of those of a version; they count from the next call on.
///
/// 409 `settings_stale` when somebody else changed them meanwhile, 409 `settings_in_use` with `faults` for what would
/// take a turn, a number or a counter from somebody, 422 `settings_faulty` with `faults` for what is wrong.
#[utoipa::path(post, path = "/api/v1/settings", tag = "settings", request_body = SettingsBody,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = SettingsView), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn change(
    State(app): App,
    caller: Caller,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Json<SettingsView>, Problem> {
    let body: SettingsBody = required(&bytes)?;
    app.configure(body.version, body.settings, ask(&caller, &headers)?)
        .await?;
    Ok(Json(app.settings()?))
}

/// Writes the first settings of a data file: what a damaged one still told, or what the configuration says.
pub(super) async fn begin(
    config: &OfficeConfig,
    db: &Db,
    aside: Option<&Path>,
    now: Timestamp,
) -> Result<(), StartError> {
    let wrong = |problem: String| StartError::Setup {
        what: "The office's configuration".to_owned(),
        problem,
    };
    let written = config.settings().map_err(wrong)?;
    let salvaged = aside.and_then(store::salvage_settings);
    if aside.is_some() && salvaged.is_none() {
        warn!("the damaged file told no settings; those of the configuration are in force");
    }
    let first = salvaged.unwrap_or_else(|| written.clone());
    let seeded = db.write(move |c| store::seed_settings(c, &first, now)).await?;
    if !seeded
        && db
            .read(store::first_settings)?
            .is_some_and(|row| row.settings != written)
    {
        warn!(
            "the configuration file names other rules, hours, queues or counters than it did at first; the console's \
             are in force, and `ventanilla office settings import` takes those of a file"
        );
    }
    Ok(())
}

impl OfficeApp {
    /// The settings in force, and who brought them.
    pub fn settings(&self) -> Result<SettingsView, StoreError> {
        let row = self.db().read(store::newest_settings)?;
        row.map(SettingsView::from)
            .ok_or(StoreError::Unreadable { what: "settings" })
    }

    /// Puts other settings in the place of those of `version`; returns the version from now on.
    ///
    /// # Errors
    /// What [`Command::Configure`] is refused for, and what the store cannot do.
    pub async fn configure(
        self: &Arc<Self>,
        version: u64,
        settings: Settings,
        ask: Ask,
    ) -> Result<u64, OfficeError> {
        let settings = Box::new(settings);
        match self
            .command(Command::Configure { version, settings }, ask)
            .await?
        {
            Reply::Configured(version) => Ok(version),
            Reply::Ticket(_) | Reply::Counter(_) | Reply::Lease(_) | Reply::Done => {
                Err(StoreError::Unreadable { what: "answer" }.into())
            }
        }
    }

    /// Takes what somebody at the command line asked for, under the same rules as everybody.
    pub(super) async fn take_wishes(self: &Arc<Self>) {
        loop {
            let wish = match self.db().read(store::next_wish) {
                Ok(Some(wish)) => wish,
                Ok(None) => return,
                Err(error) => {
                    warn!(error = %error, "settings from the command line cannot be read");
                    return;
                }
            };
            let (id, settings) = wish;
            let ask = Ask {
                who: Some(TERMINAL.to_owned()),
                ..Ask::default()
            };
            let outcome = match self.configure(self.setup().version, settings, ask).await {
                Ok(version) => format!("version {version}"),
                Err(OfficeError::Refused(refusal)) => format!("refused {refusal}"),
                Err(error) => {
                    warn!(error = %error, "settings from the command line are not taken yet");
                    return;
                }
            };
            info!(wish = id, "settings from the command line were looked at");
            let kept = self
                .db()
                .write(move |c| store::answer_wish(c, id, &outcome))
                .await;
            if let Err(error) = kept {
                warn!(error = %error, "what came of settings from the command line cannot be kept");
                return;
            }
        }
    }
}
