//! `/api/v1/drafts`: forms that were stopped at a kiosk and wait, sealed, for their citizen.
//!
//! The office keeps bytes that it cannot open and counts wrong tries. It opens one itself only at a counter, where the
//! citizen says code and digits to a person; that is on record, and what they said is in memory for as long as the
//! answer takes. Begin at [`OfficeApp::keep_draft`] and [`OfficeApp::open_draft_at`].

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tracing::{info, warn};
use utoipa::ToSchema;

use super::OfficeApp;
use super::api::required;
use super::auth::Caller;
use super::problem::Problem;
use crate::domain::audit::AuditEvent;
use crate::domain::redacted::Redacted;
use crate::domain::resume::{self, DraftId, Keys, Proof, ResumeCode, SEALED_MAX, Work};
use crate::domain::session::KeptForm;
use crate::domain::ticket::{CounterNumber, time_text};
use crate::store::StoreError;
use crate::store::office::{self as store, DraftRow, Keeping, Opening};

type App = State<Arc<OfficeApp>>;

/// A draft to keep.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DraftBody {
    /// Its name: 32 hexadecimal digits.
    #[schema(value_type = String)]
    id: DraftId,
    /// SHA-256 of what proves the digits, 64 hexadecimal digits.
    proof: String,
    /// The sealed form, base64.
    sealed: String,
    /// The draft whose place it takes.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    replaces: Option<DraftId>,
}

/// Until when a draft is kept.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DraftKept {
    #[serde(with = "time_text")]
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
}

/// What shows that somebody knows the digits.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProofBody {
    /// 64 hexadecimal digits.
    proof: String,
}

/// What a try at a draft brings.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(super) enum DraftOpened {
    /// The digits are right.
    Open {
        /// The sealed form, base64.
        sealed: String,
        /// Until when it is kept.
        #[serde(with = "time_text")]
        #[schema(value_type = String, format = DateTime)]
        until: Timestamp,
    },
    /// They are wrong.
    Wrong {
        /// Tries left before it is shut for an hour.
        left: u32,
    },
    /// Too many were wrong.
    Shut {
        /// Until then.
        #[serde(with = "time_text")]
        #[schema(value_type = String, format = DateTime)]
        until: Timestamp,
    },
    /// It was used, or a newer one took its place.
    Used,
    /// Its time is over.
    Over,
    /// There is none of this name.
    Unknown,
}

/// What somebody at a counter finds under a code.
#[derive(Debug)]
pub enum DraftAtCounter {
    /// The form, as it was stopped.
    Open {
        /// What it says.
        form: Box<KeptForm>,
        /// Until when it is kept.
        until: Timestamp,
    },
    /// The digits are wrong; so many tries are left.
    Wrong(u32),
    /// Shut until then.
    Shut(Timestamp),
    /// It was used.
    Used,
    /// Its time is over.
    Over,
    /// There is none of this code.
    Unknown,
}

impl OfficeApp {
    /// The end of the last day on which a draft of now is kept; nothing where none is kept here.
    fn draft_ends(&self) -> Option<Timestamp> {
        let setup = self.setup();
        if setup.draft_days == 0 {
            return None;
        }
        let last = self.now() + SignedDuration::from_hours(24 * i64::from(setup.draft_days));
        // A paper says a day, and the day counts to its end.
        let day = last.to_zoned_datetime(setup.zone.clone());
        let end = day.end_of_day().ok()?.timestamp();
        Timestamp::from_second(end.as_second()).ok()
    }

    /// Keeps a sealed draft.
    pub(super) async fn keep_draft(&self, mut row: DraftRow) -> Result<Option<Keeping>, StoreError> {
        let Some(until) = self.draft_ends() else {
            return Ok(None);
        };
        row.expires_at = until;
        self.db.write(move |c| store::keep_draft(c, &row)).await.map(Some)
    }

    /// Opens a draft at a counter, on record.
    ///
    /// # Errors
    /// When the file cannot be written; nothing is told then.
    pub async fn open_draft_at(
        &self,
        counter: CounterNumber,
        who: &str,
        code: ResumeCode,
        digits: Redacted<String>,
    ) -> Result<DraftAtCounter, StoreError> {
        let keys = self.draft_keys(code, digits).await?;
        let (id, proof, who, now) = (keys.id, keys.proof.clone(), who.to_owned(), self.now());
        let opening = self
            .db
            .write(move |c| {
                let opening = store::open_draft(c, id, &proof, now)?;
                // A code that names nothing here is a slip of the finger, not an act.
                if opening != Opening::Unknown {
                    let event = AuditEvent::DraftOpened {
                        counter: counter.0,
                        draft: id.short(),
                        opened: matches!(opening, Opening::Sealed(..)),
                    };
                    store::append_audit(c, now, Some(&who), None, &event)?;
                }
                Ok(opening)
            })
            .await?;
        Ok(match opening {
            Opening::Sealed(sealed, until) => {
                let plain = resume::open(&keys, &sealed).ok();
                match plain.and_then(|plain| serde_json::from_slice(&plain).ok()) {
                    Some(form) => DraftAtCounter::Open {
                        form: Box::new(form),
                        until,
                    },
                    None => {
                        warn!(draft = %keys.id.short(), "a draft has the right proof and does not open");
                        DraftAtCounter::Unknown
                    }
                }
            }
            Opening::Wrong(left) => DraftAtCounter::Wrong(left),
            Opening::Shut(until) => DraftAtCounter::Shut(until),
            Opening::Used => DraftAtCounter::Used,
            Opening::Over => DraftAtCounter::Over,
            Opening::Unknown => DraftAtCounter::Unknown,
        })
    }

    /// Erases a draft that was finished at a counter, on record; false where the digits were wrong or it was gone.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn use_draft_at(
        &self,
        counter: CounterNumber,
        who: &str,
        code: ResumeCode,
        digits: Redacted<String>,
    ) -> Result<bool, StoreError> {
        let keys = self.draft_keys(code, digits).await?;
        let (who, now) = (who.to_owned(), self.now());
        self.db
            .write(move |c| {
                let open = matches!(
                    store::open_draft(c, keys.id, &keys.proof, now)?,
                    Opening::Sealed(..)
                );
                let used = open && store::use_draft(c, keys.id, now)?;
                if used {
                    let event = AuditEvent::DraftUsed {
                        counter: counter.0,
                        draft: keys.id.short(),
                    };
                    store::append_audit(c, now, Some(&who), None, &event)?;
                }
                Ok(used)
            })
            .await
    }

    async fn draft_keys(&self, code: ResumeCode, digits: Redacted<String>) -> Result<Keys, StoreError> {
        // As many at once as passwords, for the same reason: each takes memory and half a second.
        let _turn = self.hashing.acquire().await.map_err(|_| StoreError::Closed)?;
        let office = self.config.office.id.clone();
        tokio::task::spawn_blocking(move || Keys::of(code, digits.reveal(), &office, Work::HOUSE))
            .await
            .map_err(|_| StoreError::Closed)
    }

    /// Erases what nobody came back for in time.
    pub(super) async fn erase_drafts(&self) {
        let now = self.now();
        let erased = match self.db.read(move |c| store::has_due_drafts(c, now)) {
            Ok(false) => return,
            Ok(true) => self.db.write(move |c| store::erase_drafts(c, now)).await,
            Err(error) => Err(error),
        };
        match erased {
            Ok(drafts) => info!(drafts, "drafts erased, their time is over"),
            Err(error) => warn!(%error, "drafts could not be erased; it is tried again"),
        }
    }
}

fn for_kiosks(caller: &Caller) -> Result<(), Problem> {
    match caller {
        Caller::Kiosk(_) => Ok(()),
        // A person opens a draft in the console, where it goes on record.
        Caller::Person(_) | Caller::Program(_) => Err(Problem::forbidden(
            "Drafts are handed in and opened by kiosks; use the console",
        )),
        Caller::Anybody => Err(Problem::unauthorized()),
    }
}

fn named(id: &str) -> Result<DraftId, Problem> {
    id.parse()
        .map_err(|_| Problem::not_found("There is no such draft"))
}

/// Keeps a sealed draft of a form.
#[utoipa::path(post, path = "/api/v1/drafts", tag = "kiosks", request_body = DraftBody,
    responses((status = 201, body = DraftKept), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 409, body = Problem), (status = 413, body = Problem),
        (status = 422, body = Problem)))]
pub(super) async fn keep(
    State(app): App,
    caller: Caller,
    bytes: Bytes,
) -> Result<(StatusCode, Json<DraftKept>), Problem> {
    for_kiosks(&caller)?;
    let body: DraftBody = required(&bytes)?;
    let proof = resume::bytes(&body.proof)
        .ok_or_else(|| Problem::bad_request("proof", "The proof is 64 hexadecimal digits"))?;
    let sealed = BASE64_STANDARD
        .decode(&body.sealed)
        .map_err(|_| Problem::bad_request("sealed", "The sealed form is base64"))?;
    if sealed.is_empty() || sealed.len() > SEALED_MAX {
        return Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "draft_too_large",
            format!("A draft has 1 to {SEALED_MAX} bytes"),
        ));
    }
    let now = app.now();
    let row = DraftRow {
        id: body.id,
        proof,
        sealed,
        replaces: body.replaces,
        kept_at: now,
        expires_at: now,
    };
    let conflict = |code, detail| Err(Problem::new(StatusCode::CONFLICT, code, detail));
    match app.keep_draft(row).await? {
        Some(Keeping::Until(until)) => Ok((StatusCode::CREATED, Json(DraftKept { until }))),
        Some(Keeping::Taken) => conflict("draft_taken", "Another draft has this name; make a new code"),
        Some(Keeping::Full) => conflict("drafts_full", "This office keeps no more drafts now"),
        None => conflict("drafts_off", "This office keeps no drafts; its rules say 0 days"),
    }
}

/// Gives the sealed draft to whoever knows the digits; wrong tries are counted.
#[utoipa::path(post, path = "/api/v1/drafts/{id}/open", tag = "kiosks", request_body = ProofBody,
    params(("id" = String, Path)),
    responses((status = 200, body = DraftOpened), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn open(
    State(app): App,
    caller: Caller,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Result<Json<DraftOpened>, Problem> {
    for_kiosks(&caller)?;
    let id = named(&id)?;
    let body: ProofBody = required(&bytes)?;
    let proof = Proof::parse(&body.proof)
        .ok_or_else(|| Problem::bad_request("proof", "The proof is 64 hexadecimal digits"))?;
    let now = app.now();
    let opening = app
        .db
        .write(move |c| store::open_draft(c, id, &proof, now))
        .await?;
    Ok(Json(match opening {
        Opening::Sealed(sealed, until) => DraftOpened::Open {
            sealed: BASE64_STANDARD.encode(sealed),
            until,
        },
        Opening::Wrong(left) => {
            info!(draft = %id.short(), left, "wrong digits for a draft");
            DraftOpened::Wrong { left }
        }
        Opening::Shut(until) => {
            info!(draft = %id.short(), "a draft is shut after wrong digits");
            DraftOpened::Shut { until }
        }
        Opening::Used => DraftOpened::Used,
        Opening::Over => DraftOpened::Over,
        Opening::Unknown => DraftOpened::Unknown,
    }))
}

/// Erases a draft whose form was sent.
#[utoipa::path(post, path = "/api/v1/drafts/{id}/used", tag = "kiosks", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub(super) async fn used(
    State(app): App,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    for_kiosks(&caller)?;
    let (id, now) = (named(&id)?, app.now());
    app.db.write(move |c| store::use_draft(c, id, now)).await?;
    Ok(StatusCode::NO_CONTENT)
}
