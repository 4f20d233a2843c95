//! The staff's API: lists and reads what was handed in. Every read of a content is written down before it happens.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{OpenApi, ToSchema};

use super::{CentralApp, ReceiptView};
use crate::app::office::Problem;
use crate::domain::id::SubmissionId;
use crate::domain::seal::open;
use crate::domain::submission::Content;
use crate::domain::submission::peers::TokenHash;
use crate::store::StoreError;
use crate::store::central::Access;
use crate::store::inbox::{InboxRow, Wanted};
use crate::sync::server::bearer;

/// Most submissions in one answer.
const LIMIT_MAX: u32 = 500;
/// Longest wait for the next submission, in seconds; proxies cut what is silent for a minute.
const WAIT_MAX: u64 = 30;
/// How often a waiting reader looks by itself.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What the staff sees of a submission without opening it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SubmissionView {
    /// Place in this central's order; give the last one as `after` to go on.
    seq: i64,
    /// Its id.
    id: String,
    /// The code on the paper.
    code: String,
    /// Id of the procedure.
    procedure: String,
    /// Its name in Spanish.
    procedure_name: String,
    /// Id of the office.
    office: String,
    /// The device that sealed it.
    device: String,
    /// When the citizen confirmed.
    #[serde(with = "crate::domain::ticket::time_text")]
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it arrived here.
    #[serde(with = "crate::domain::ticket::time_text")]
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
    /// SHA-256 of the envelope, hexadecimal.
    hash: String,
    /// `received`.
    status: &'static str,
}

impl From<InboxRow> for SubmissionView {
    fn from(row: InboxRow) -> Self {
        Self {
            seq: row.server_seq,
            id: row.id.to_string(),
            code: row.code.to_string(),
            procedure: row.procedure,
            procedure_name: row.procedure_name,
            office: row.office,
            device: row.device_id,
            created_at: row.created_at,
            received_at: row.received_at,
            hash: row.hash.to_hex(),
            status: "received",
        }
    }
}

/// A page of the list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SubmissionsView {
    /// In the order of arrival.
    submissions: Vec<SubmissionView>,
}

#[derive(Deserialize)]
pub(super) struct Page {
    #[serde(default)]
    after: i64,
    limit: Option<u32>,
    procedure: Option<String>,
    office: Option<String>,
    #[serde(default)]
    wait: u64,
}

#[derive(Deserialize)]
pub(super) struct Why {
    #[serde(default)]
    reason: String,
}

type App = State<Arc<CentralApp>>;

/// The name of the staff token's owner in the record: the beginning of the token's hash.
fn staff(app: &CentralApp, headers: &HeaderMap) -> Result<String, Problem> {
    let refused = || {
        Problem::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "The token is missing or not known here; send Authorization: Bearer with a staff token",
        )
    };
    let token = bearer(headers).ok_or_else(refused)?;
    // Every entry is looked at, so the time says nothing about which one it was.
    let fits = app
        .staff
        .iter()
        .fold(false, |found, hash| found | hash.fits(token));
    fits.then(|| format!("token {}", &TokenHash::of(token).to_hex()[..12]))
        .ok_or_else(refused)
}

/// The list, as soon as there is something in it or the patience is over.
///
/// A call that was missed costs a look's delay, never a submission.
async fn wait_for(app: &CentralApp, wanted: Wanted, patience: Duration) -> Result<Vec<InboxRow>, StoreError> {
    let until = tokio::time::Instant::now() + patience;
    loop {
        let woken = app.wake.notified();
        tokio::pin!(woken);
        // From here on a call counts, also one that comes while the list is read.
        woken.as_mut().enable();
        let rows = app.store.list(wanted.clone()).await?;
        let now = tokio::time::Instant::now();
        if !rows.is_empty() || now >= until {
            return Ok(rows);
        }
        tokio::select! {
            () = woken => {}
            () = tokio::time::sleep_until(until.min(now + LOOK_EVERY)) => {}
        }
    }
}

fn id_of(text: &str) -> Result<SubmissionId, Problem> {
    text.parse()
        .map_err(|_| Problem::bad_request("id", "The id of a submission is a UUID"))
}

fn missing() -> Problem {
    Problem::not_found("This submission is not here; check the id, or it has not arrived yet")
}

#[utoipa::path(get, path = "/api/v1/submissions", tag = "submissions",
    params(("after" = Option<i64>, Query), ("limit" = Option<u32>, Query, description = "1 to 500, 100 if not given"),
        ("procedure" = Option<String>, Query), ("office" = Option<String>, Query),
        ("wait" = Option<u64>, Query, description = "Seconds to wait for the next one, where there is none yet; 30 at the most")),
    responses((status = 200, body = SubmissionsView), (status = 401, body = Problem)))]
pub(super) async fn list(
    State(app): App,
    headers: HeaderMap,
    Query(page): Query<Page>,
) -> Result<Json<SubmissionsView>, Problem> {
    staff(&app, &headers)?;
    let limit = page.limit.unwrap_or(100).clamp(1, LIMIT_MAX);
    let wanted = Wanted {
        after: page.after,
        limit,
        procedure: page.procedure,
        office: page.office,
    };
    let rows = wait_for(&app, wanted, Duration::from_secs(page.wait.min(WAIT_MAX))).await?;
    let submissions = rows.into_iter().map(SubmissionView::from).collect();
    Ok(Json(SubmissionsView { submissions }))
}

#[utoipa::path(get, path = "/api/v1/submissions/{id}", tag = "submissions", params(("id" = String, Path)),
    responses((status = 200, body = SubmissionView), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn one(
    State(app): App,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<SubmissionView>, Problem> {
    staff(&app, &headers)?;
    let id = id_of(&id)?;
    let row = app.store.find(id).await?.ok_or_else(missing)?;
    Ok(Json(row.into()))
}

#[utoipa::path(get, path = "/api/v1/submissions/{id}/content", tag = "submissions",
    params(("id" = String, Path), ("reason" = Option<String>, Query, description = "Why; is written down")),
    responses((status = 200, description = "What was sealed; the read is written down first"),
        (status = 401, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn content(
    State(app): App,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(why): Query<Why>,
) -> Result<Response, Problem> {
    let who = staff(&app, &headers)?;
    let id = id_of(&id)?;
    let Some(key) = &app.municipality else {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "no_municipality_key",
            "This central has no municipality_key, so nothing can be opened here; open it where the key is",
        ));
    };
    let access = Access {
        at: app.clock.now(),
        who,
        act: "read-content",
        about: id.to_string(),
        reason: why.reason.chars().take(500).collect(),
    };
    let item = app.store.read(id, access).await?.ok_or_else(missing)?;
    let opened = open(&item.envelope, key)
        .map_err(|problem| Problem::new(StatusCode::CONFLICT, "cannot_open", problem.to_string()))?;
    let content = Content::from_bytes(&opened.plain).ok_or_else(|| {
        Problem::new(
            StatusCode::CONFLICT,
            "cannot_open",
            "The content was written by a later version; update this central",
        )
    })?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(content)).into_response())
}

#[utoipa::path(get, path = "/verify/{code}", tag = "verify", security(()),
    params(("code" = String, Path, description = "The code, or the whole signed receipt")),
    responses((status = 200, body = ReceiptView), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem, description = "Not genuine"), (status = 429, body = Problem)))]
#[expect(dead_code, reason = "the face answers; only the description is here")]
fn verify() {}

#[utoipa::path(post, path = "/v1/sync/batches", tag = "sync",
    responses((status = 200, description = "One verdict for each item, in order"), (status = 401, description = "Token refused")))]
#[expect(dead_code, reason = "`sync::server` answers; only the description is here")]
fn batches() {}

#[derive(OpenApi)]
#[openapi(
    info(title = "Ventanilla central", description = "What offices handed in, and whether a receipt is genuine"),
    paths(list, one, content, verify, batches),
    components(schemas(Problem)),
    security(("bearer" = [])),
    modifiers(&Bearer)
)]
struct Api;

struct Bearer;

impl utoipa::Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        openapi
            .components
            .get_or_insert_default()
            .add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

pub(super) async fn description() -> Json<utoipa::openapi::OpenApi> {
    Json(Api::openapi())
}
