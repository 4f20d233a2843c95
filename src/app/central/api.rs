//! The back office's API for cases: lists them, opens one, takes many out, says how far one is.
//!
//! Every read of a content is put on record before it happens. Begin at [`routes`].

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::export::{self, Asked};
use super::guard::{Clerk, Guarded};
use super::review::FindingView;
use super::{CentralApp, fleet, metrics, onward, watch};
use crate::app::office::Problem;
use crate::domain::desk::{CaseStatus, CentralEvent, DeskRight, is_note};
use crate::domain::id::SubmissionId;
use crate::domain::seal::open;
use crate::domain::submission::Content;
use crate::store::desk::CaseRow;
use crate::store::inbox::{InboxRow, Wanted};
use crate::store::{StoreError, chain, desk};

/// Most submissions in one answer.
const LIMIT_MAX: u32 = 500;
/// Longest wait for the next submission, in seconds; proxies cut what is silent for a minute.
const WAIT_MAX: u64 = 30;
/// How often a waiting reader looks by itself.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Longest reason that is put on record, in characters.
const REASON_MAX: usize = 500;

/// The back office's routes, each with the right it needs.
pub fn routes(central: &Arc<CentralApp>) -> Guarded {
    Guarded::new(central)
        .get("/api/v1/submissions", DeskRight::SeeCases, list)
        .get("/api/v1/submissions/{id}", DeskRight::SeeCases, one)
        .get(
            "/api/v1/submissions/{id}/content",
            DeskRight::ReadContent,
            content,
        )
        .post(
            "/api/v1/submissions/{id}/status",
            DeskRight::SetStatus,
            set_status,
        )
        .get("/api/v1/export", DeskRight::Export, take_out)
        .get("/api/v1/devices", DeskRight::SeeFleet, fleet::devices)
        .post("/api/v1/devices/codes", DeskRight::ManageDevices, fleet::invite)
        .post(
            "/api/v1/devices/{id}/revoke",
            DeskRight::ManageDevices,
            fleet::revoke,
        )
        .get("/api/v1/fleet", DeskRight::SeeFleet, watch::view::fleet)
        .get("/api/v1/fleet/orders", DeskRight::SeeFleet, watch::orders::list)
        .get(
            "/api/v1/fleet/orders/{id}/result",
            DeskRight::OrderDevices,
            watch::orders::result,
        )
        .post(
            "/api/v1/fleet/{device}/orders",
            DeskRight::OrderDevices,
            watch::orders::give,
        )
        .get("/metrics", DeskRight::SeeFleet, metrics::page)
        .get("/api/v1/lives", DeskRight::SeeFleet, fleet::lives)
        .get("/api/v1/onward", DeskRight::SeeFleet, onward::list)
        .get("/api/v1/audit", DeskRight::ReadAudit, fleet::audit)
}

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
    /// Id of the form.
    form: String,
    /// Version of the form.
    form_version: String,
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
    /// `received`, `in_progress`, `needs_something`, `done` or `erased`.
    status: &'static str,
    /// What the citizen reads beside it: `#` and a word of the list, or staff's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// `accepted` or `accepted_with_findings`, once it was held against its form.
    #[serde(skip_serializing_if = "Option::is_none")]
    review: Option<&'static str>,
    /// What was found: question and rule, never a value.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<FindingView>,
}

/// How far a case is, in one word.
pub(super) fn status_word(case: &CaseRow) -> &'static str {
    if case.erased_at.is_some() {
        return "erased";
    }
    case.status.unwrap_or(CaseStatus::Received).code()
}

impl SubmissionView {
    fn new(row: InboxRow, case: &CaseRow) -> Self {
        let findings = case.review.as_ref().map(|(_, findings)| findings.as_str());
        Self {
            seq: row.server_seq,
            id: row.id.to_string(),
            code: row.code.to_string(),
            procedure: row.procedure,
            procedure_name: row.procedure_name,
            form: row.form_id,
            form_version: row.form_version,
            office: row.office,
            device: row.device_id,
            created_at: row.created_at,
            received_at: row.received_at,
            hash: row.hash.to_hex(),
            status: status_word(case),
            note: case.note.clone(),
            review: case.review.as_ref().map(|(review, _)| review.code()),
            findings: findings
                .and_then(|text| serde_json::from_str(text).ok())
                .unwrap_or_default(),
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

pub(super) type App = State<Arc<CentralApp>>;

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
    responses((status = 200, body = SubmissionsView), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(super) async fn list(
    State(app): App,
    Query(page): Query<Page>,
) -> Result<Json<SubmissionsView>, Problem> {
    let limit = page.limit.unwrap_or(100).clamp(1, LIMIT_MAX);
    let wanted = Wanted {
        after: page.after,
        limit,
        procedure: page.procedure,
        office: page.office,
    };
    let rows = wait_for(&app, wanted, Duration::from_secs(page.wait.min(WAIT_MAX))).await?;
    let ids: Vec<String> = rows.iter().map(|row| row.id.to_string()).collect();
    let cases = app.store.look(move |sql| desk::cases(sql, &ids)).await?;
    let nothing = CaseRow::default();
    let submissions = rows
        .into_iter()
        .map(|row| {
            let case = cases.get(&row.id.to_string()).unwrap_or(&nothing);
            SubmissionView::new(row, case)
        })
        .collect();
    Ok(Json(SubmissionsView { submissions }))
}

async fn view(app: &CentralApp, id: SubmissionId) -> Result<SubmissionView, Problem> {
    let row = app.store.find(id).await?.ok_or_else(missing)?;
    let case = app
        .store
        .look(move |sql| desk::case(sql, &id.to_string()))
        .await?;
    Ok(SubmissionView::new(row, &case))
}

#[utoipa::path(get, path = "/api/v1/submissions/{id}", tag = "submissions", params(("id" = String, Path)),
    responses((status = 200, body = SubmissionView), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub(super) async fn one(State(app): App, Path(id): Path<String>) -> Result<Json<SubmissionView>, Problem> {
    view(&app, id_of(&id)?).await.map(Json)
}

fn locked() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "locked",
        "The municipality's key is not unlocked here; start central with --unlock, or use `ventanilla central export` \
         where the key is",
    )
}

fn cannot_open(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::CONFLICT, "cannot_open", detail)
}

#[utoipa::path(get, path = "/api/v1/submissions/{id}/content", tag = "submissions",
    params(("id" = String, Path), ("reason" = Option<String>, Query, description = "Why; is put on record")),
    responses((status = 200, description = "What was sealed; the read is put on record first"),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 410, body = Problem, description = "Erased")))]
pub(super) async fn content(
    State(app): App,
    clerk: Clerk,
    Path(id): Path<String>,
    Query(why): Query<Why>,
) -> Result<Response, Problem> {
    let id = id_of(&id)?;
    let Some(key) = app.opening_key() else {
        return Err(locked());
    };
    let Some(item) = app.store.sealed(id).await? else {
        app.store.find(id).await?.ok_or_else(missing)?;
        return Err(Problem::new(
            StatusCode::GONE,
            "erased",
            "The content was erased when its time was over; id, hash and moments are all that stays",
        ));
    };
    let event = CentralEvent::ContentRead {
        submission: id.to_string(),
        reason: why.reason.chars().take(REASON_MAX).collect(),
    };
    app.record(&clerk, event).await?;
    let opened = open(&item.envelope, &key).map_err(|problem| cannot_open(problem.to_string()))?;
    let content = Content::from_bytes(&opened.plain)
        .ok_or_else(|| cannot_open("The content was written by a later version; update this central"))?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(content)).into_response())
}

/// How far a case is.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(super) struct StatusBody {
    /// `received`, `in_progress`, `needs_something` or `done`.
    #[schema(value_type = String)]
    status: CaseStatus,
    /// What the citizen reads beside it: `#` and a word of the list (`bring-documents`, `come-to-counter`,
    /// `pay-first`, `inspection-planned`, `ready-to-collect`, `letter-sent`), or up to 200 characters.
    note: Option<String>,
}

#[utoipa::path(post, path = "/api/v1/submissions/{id}/status", tag = "submissions", params(("id" = String, Path)),
    request_body = StatusBody,
    responses((status = 200, body = SubmissionView), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn set_status(
    State(app): App,
    clerk: Clerk,
    Path(id): Path<String>,
    Json(body): Json<StatusBody>,
) -> Result<Json<SubmissionView>, Problem> {
    let id = id_of(&id)?;
    app.store.find(id).await?.ok_or_else(missing)?;
    let note = body
        .note
        .map(|note| note.trim().to_owned())
        .filter(|note| !note.is_empty());
    if note.as_deref().is_some_and(|note| !is_note(note)) {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "note",
            "The note is neither # and a word of the list nor a line of at most 200 characters",
        ));
    }
    let (now, status) = (app.clock.now(), body.status);
    app.store
        .change(move |sql| {
            desk::put_status(sql, &id.to_string(), status, note.as_deref(), now)?;
            let event = CentralEvent::StatusSet {
                submission: id.to_string(),
                status,
            };
            chain::append(sql, now, Some(&clerk.name), Some(&clerk.from), &event)
        })
        .await?;
    view(&app, id).await.map(Json)
}

#[derive(Deserialize)]
pub(super) struct TakeOut {
    procedure: String,
    #[serde(default)]
    format: Format,
    #[serde(default)]
    after: i64,
    limit: Option<u32>,
    #[serde(default)]
    reason: String,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Json,
    Csv,
}

/// Where the next page of a table begins; JSON says it itself.
const NEXT: header::HeaderName = header::HeaderName::from_static("ventanilla-next");

#[utoipa::path(get, path = "/api/v1/export", tag = "submissions",
    params(("procedure" = String, Query), ("format" = Option<String>, Query, description = "`json` or `csv`"),
        ("after" = Option<i64>, Query), ("limit" = Option<u32>, Query, description = "1 to 1000, 1000 if not given"),
        ("reason" = Option<String>, Query, description = "Why; is put on record")),
    responses((status = 200, description = "The contents; the header `ventanilla-next` says where to go on after"),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn take_out(
    State(app): App,
    clerk: Clerk,
    Query(wanted): Query<TakeOut>,
) -> Result<Response, Problem> {
    let asked = Asked {
        procedure: wanted.procedure,
        after: wanted.after,
        limit: wanted.limit.unwrap_or(export::LIMIT_MAX),
        format: match wanted.format {
            Format::Json => "json",
            Format::Csv => "csv",
        },
        reason: wanted.reason,
        who: clerk.name,
        from: Some(clerk.from),
    };
    let export = app.gather(&asked).await.ok_or_else(locked)??;
    let (kind, text) = match wanted.format {
        Format::Json => ("application/json", export::json(&export)),
        Format::Csv => ("text/csv; charset=utf-8", export::csv(&export, &app.forms())),
    };
    let mut response = ([(header::CONTENT_TYPE, kind)], text.to_string()).into_response();
    if let Some(next) = export.next {
        response
            .headers_mut()
            .insert(NEXT, header::HeaderValue::from(next));
    }
    Ok(response)
}
