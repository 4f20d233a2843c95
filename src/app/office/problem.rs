//! Errors for programs: `application/problem+json`, with the current state where a move was illegal.

use axum::body::to_bytes;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tracing::error;
use utoipa::ToSchema;

use super::hub::OfficeError;
use super::settings::FaultView;
use super::views::{CounterView, TicketView};
use crate::domain::office::Refusal;
use crate::store::StoreError;

/// Media type of a problem.
pub(super) const PROBLEM_JSON: &str = "application/problem+json";
/// Longest text of the framework that is handed on.
const TOLD_MAX: usize = 2000;

/// An RFC 9457 problem.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`; programs look at `code`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The HTTP status in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What failed, with which thing, and the way out.
    detail: String,
    /// A stable word for programs.
    code: &'static str,
    /// What is wrong with settings, field by field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<FaultView>,
    /// The counter as it is now, for an illegal move.
    #[serde(skip_serializing_if = "Option::is_none")]
    counter: Option<Box<CounterView>>,
    /// The ticket as it is now, for an illegal move.
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<Box<TicketView>>,
}

impl Problem {
    /// A problem of this status.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            code,
            faults: Vec::new(),
            counter: None,
            ticket: None,
        }
    }

    /// Nobody we know, or not allowed to.
    pub fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "This needs a session or a token; send Authorization: Bearer with one from `ventanilla office token`",
        )
    }

    /// Known, but not for this.
    pub fn forbidden(detail: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// Not here.
    pub fn not_found(detail: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// The request cannot be read.
    pub fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// Adds the counter as it is now.
    pub fn with_counter(mut self, counter: Option<CounterView>) -> Self {
        self.counter = counter.map(Box::new);
        self
    }

    /// Adds the ticket as it is now.
    pub fn with_ticket(mut self, ticket: Option<TicketView>) -> Self {
        self.ticket = ticket.map(Box::new);
        self
    }

    /// The status code.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl From<OfficeError> for Problem {
    fn from(error: OfficeError) -> Self {
        match error {
            OfficeError::Refused(refusal) => {
                let status = match &refusal {
                    Refusal::UnknownCounter(_) | Refusal::UnknownTicket => StatusCode::NOT_FOUND,
                    Refusal::UnknownQueue(_)
                    | Refusal::LeaseCount
                    | Refusal::ReasonMissing { .. }
                    | Refusal::SettingsFaulty(_)
                    | Refusal::BadProfile => StatusCode::UNPROCESSABLE_ENTITY,
                    Refusal::CounterNotOpen(_)
                    | Refusal::CounterBusy { .. }
                    | Refusal::NoTicket(_)
                    | Refusal::WrongStatus { .. }
                    | Refusal::TooEarly { .. }
                    | Refusal::RecalledEnough { .. }
                    | Refusal::RecalledJustNow { .. }
                    | Refusal::NotServed { .. }
                    | Refusal::RejoinLate { .. }
                    | Refusal::RejoinOften { .. }
                    | Refusal::SameLane(_)
                    | Refusal::SettingsStale { .. }
                    | Refusal::SettingsInUse(_)
                    | Refusal::NotTaking { .. }
                    | Refusal::SameQueue(_)
                    | Refusal::NothingParked(_)
                    | Refusal::NumberTaken(_) => StatusCode::CONFLICT,
                };
                let mut problem = Self::new(status, refusal.code(), refusal.to_string());
                problem.faults = FaultView::all(&refusal);
                problem
            }
            OfficeError::KeyReused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                OfficeError::KeyReused.to_string(),
            ),
            OfficeError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(problem: StoreError) -> Self {
        error!(error = %problem, "the office's store did not do it");
        let status = match problem {
            StoreError::Full => StatusCode::INSUFFICIENT_STORAGE,
            StoreError::Closed | StoreError::Broken | StoreError::Away(_) => StatusCode::SERVICE_UNAVAILABLE,
            StoreError::Conflict(_) => StatusCode::CONFLICT,
            StoreError::Open { .. }
            | StoreError::TooNew { .. }
            | StoreError::Pragma { .. }
            | StoreError::Address { .. }
            | StoreError::Sqlite(_)
            | StoreError::Unreadable { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, "store", problem.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Makes a problem of what the framework refuses by itself in plain text: a body too large, a wrong method.
pub(super) async fn only_problems(response: Response) -> Response {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let told = kind.is_some_and(|kind| kind == PROBLEM_JSON);
    if told || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let text = to_bytes(body, TOLD_MAX).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let (code, detail) = match status {
        StatusCode::NOT_FOUND => (
            "not_found",
            "There is nothing at this address; see /api/v1/openapi.json",
        ),
        StatusCode::METHOD_NOT_ALLOWED => (
            "method_not_allowed",
            "This address does not take this method; the header Allow names those it does",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => ("too_large", "The body is too large; send less than 2 MB"),
        _ => ("bad_request", text.trim()),
    };
    let mut problem = Problem::new(status, code, detail).into_response();
    for (name, value) in parts.headers {
        if let Some(name) = name.filter(|name| *name == header::ALLOW || *name == header::CONNECTION) {
            problem.headers_mut().insert(name, value);
        }
    }
    problem
}
