//! How far a case is, for its citizen: by the code on the paper and the last digits of the identity number.
//!
//! The code alone says that the case is here. Ten thousand digits are few, so they are not tried many times.
//! Begin at [`CentralApp::case_of`].

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::review::proof_of;
use super::{CentralApp, VerifyError};
use crate::app::office::Problem;
use crate::domain::desk::{CaseStatus, DIGITS};
use crate::domain::receipt::Code;
use crate::store::{StoreError, desk};

/// Wrong digits for one code within an hour: a person mistypes twice, a guesser needs thousands.
const WRONG_MAX: u32 = 5;
/// Codes remembered at most.
const CODES_MAX: usize = 10_000;

/// How far a case is, for its citizen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CaseView {
    /// The code on the paper.
    pub code: String,
    /// `received`, `in_progress`, `needs_something`, `done` or `erased`.
    pub status: &'static str,
    /// What staff say beside it: `#` and a word of the list, or their own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Since when.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<String>,
}

/// Why nothing is told.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// The code leads nowhere.
    #[error(transparent)]
    Code(#[from] VerifyError),
    /// The digits are not those of this case.
    #[error("The code and the last {DIGITS} digits do not belong together; look at the paper again")]
    Digits,
    /// Too many wrong digits.
    #[error("The digits of this case were wrong too often; try again in an hour")]
    TooMany,
    /// Nobody can tell yet.
    #[error("The case is here; how far it is can be asked in some hours")]
    NotYet,
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CentralApp {
    /// How far the case with this code is, asked for from `address` with the last digits.
    ///
    /// # Errors
    /// Says why nothing is told.
    pub async fn case_of(&self, code: &str, digits: &str, address: IpAddr) -> Result<CaseView, CaseError> {
        let now = self.clock.now();
        // Looked up first, so that codes that are not here count against the address.
        self.verify(code, address).await?;
        let code: Code = code.parse().map_err(VerifyError::from)?;
        if self.is_shut(code, now) {
            return Err(CaseError::TooMany);
        }
        let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
        let mut ready = false;
        for row in self.store.by_code(code).await? {
            let id = row.id.to_string();
            let case = self.store.look(move |sql| desk::case(sql, &id)).await?;
            let view = |status, note, since: Option<Timestamp>| CaseView {
                code: code.to_string(),
                status,
                note,
                since: since.map(|at| at.to_string()),
            };
            if let Some(at) = case.erased_at {
                return Ok(view("erased", None, Some(at)));
            }
            let Some(proof) = &case.proof else { continue };
            ready = true;
            // A form that asks for no identity number has nothing more to ask for than its code.
            let fits = proof.is_empty()
                || (digits.len() == DIGITS && *proof == proof_of(&self.key, row.id, &digits));
            if fits {
                let status = case.status.unwrap_or(CaseStatus::Received);
                let since = case.status_at.or(Some(row.received_at));
                return Ok(view(status.code(), case.note, since));
            }
        }
        if !ready {
            return Err(CaseError::NotYet);
        }
        self.count_wrong(code, now);
        Err(CaseError::Digits)
    }

    fn is_shut(&self, code: Code, now: Timestamp) -> bool {
        let wrong = self
            .wrong_digits
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        wrong
            .get(&code)
            .is_some_and(|(since, number)| *number >= WRONG_MAX && is_recent(*since, now))
    }

    fn count_wrong(&self, code: Code, now: Timestamp) {
        let mut wrong = self
            .wrong_digits
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if wrong.len() >= CODES_MAX {
            wrong.retain(|_, (since, _)| is_recent(*since, now));
        }
        let entry = wrong.entry(code).or_insert((now, 0));
        if !is_recent(entry.0, now) {
            *entry = (now, 0);
        }
        entry.1 += 1;
    }
}

fn is_recent(since: Timestamp, now: Timestamp) -> bool {
    now.duration_since(since).abs() < SignedDuration::from_hours(1)
}

/// The last digits.
#[derive(Clone, Deserialize, ToSchema)]
pub(super) struct DigitsBody {
    /// The last four of the identity number that the form was filled in with.
    digits: String,
}

#[utoipa::path(post, path = "/api/v1/cases/{code}/status", tag = "verify", security(()),
    params(("code" = String, Path)), request_body = DigitsBody,
    responses((status = 200, body = CaseView), (status = 400, body = Problem),
        (status = 403, body = Problem, description = "The digits do not fit"), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "Not yet"), (status = 429, body = Problem)))]
pub(super) async fn status(
    State(app): State<Arc<CentralApp>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    Path(code): Path<String>,
    Json(body): Json<DigitsBody>,
) -> Result<Json<CaseView>, Problem> {
    app.case_of(&code, &body.digits, from.ip())
        .await
        .map(Json)
        .map_err(Problem::from)
}

impl From<CaseError> for Problem {
    fn from(error: CaseError) -> Self {
        let (status, code) = match &error {
            CaseError::Code(VerifyError::Malformed(_)) => (StatusCode::BAD_REQUEST, "malformed"),
            CaseError::Code(VerifyError::NotGenuine(_)) => (StatusCode::UNPROCESSABLE_ENTITY, "not_genuine"),
            CaseError::Code(VerifyError::Unknown { .. }) => (StatusCode::NOT_FOUND, "unknown"),
            CaseError::Code(VerifyError::TooMany) | CaseError::TooMany => {
                (StatusCode::TOO_MANY_REQUESTS, "too_many")
            }
            CaseError::Digits => (StatusCode::FORBIDDEN, "digits"),
            CaseError::NotYet => (StatusCode::CONFLICT, "not_yet"),
            CaseError::Code(VerifyError::Store(_)) | CaseError::Store(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "store")
            }
        };
        Self::new(status, code, error.to_string())
    }
}
