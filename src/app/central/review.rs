//! Holds each submission against its form once the key is unlocked, and works out what its last digits are
//! compared with.
//!
//! The content is in memory only, and only as long as it takes. What is written down names question and rule.
//! Begin at [`run`].

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tracing::{error, info, warn};
use utoipa::ToSchema;

use super::{CENTRAL, CentralApp};
use crate::app::Stop;
use crate::domain::desk::{CentralEvent, Review, asks_identity, last_digits};
use crate::domain::id::SubmissionId;
use crate::domain::seal::{OpeningKey, SigningKey, hex, open};
use crate::domain::submission::Content;
use crate::forms::Env;
use crate::forms::review::{ReviewFinding, answers_of, review};
use crate::store::inbox::{InboxRow, Wanted};
use crate::store::{StoreError, chain, desk};

/// How many are opened before they are written down.
const AT_ONCE: u32 = 50;
/// How soon one that nobody called out is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// What a server's signature begins with that last digits are compared by.
const PROOF_DOMAIN: &str = "VSP1//last-digits//";

/// A rule that a submission does not keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FindingView {
    /// Path of the question; empty for the whole submission.
    pub question: String,
    /// `required`, `constraint`, `type`, `calculation`, `not_asked`, `unknown_question`, `unreadable`,
    /// `unknown_form` or `cannot_open`.
    pub rule: String,
}

impl From<ReviewFinding> for FindingView {
    fn from(finding: ReviewFinding) -> Self {
        Self {
            question: finding.question,
            rule: finding.rule.code().to_owned(),
        }
    }
}

fn whole(rule: &str) -> Vec<FindingView> {
    vec![FindingView {
        question: String::new(),
        rule: rule.to_owned(),
    }]
}

/// What the last digits are compared with: only who has the server's key can make it, so that a stolen database
/// does not give the digits away.
pub(super) fn proof_of(key: &SigningKey, id: SubmissionId, digits: &str) -> String {
    let said = format!("{id}\n{digits}");
    hex(&Sha256::digest(key.sign(PROOF_DOMAIN, said.as_bytes())))
}

/// What was found out of one submission.
struct Found {
    id: String,
    findings: Vec<FindingView>,
    proof: String,
}

/// Reviews what comes until told to stop; waits while the key is locked.
pub(super) async fn run(central: Arc<CentralApp>, stop: Stop) {
    loop {
        let more = match central.review_some().await {
            Ok(more) => more,
            Err(problem) => {
                error!(%problem, "submissions could not be held against their forms; it is tried again");
                false
            }
        };
        if more {
            if stop.is_stopped() {
                return;
            }
            continue;
        }
        tokio::select! {
            () = stop.stopped() => return,
            () = central.wake.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

impl CentralApp {
    /// Reviews the next few; whether there may be more.
    pub(super) async fn review_some(&self) -> Result<bool, StoreError> {
        let Some(key) = self.opening_key() else {
            return Ok(false);
        };
        let after = self.store.look(desk::reviewed_to).await?;
        let wanted = Wanted {
            after,
            limit: AT_ONCE,
            ..Wanted::default()
        };
        let rows = self.store.list(wanted).await?;
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            return Ok(false);
        };
        let (from, to) = (first.server_seq, last.server_seq);
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            // A damaged envelope is told of where somebody wants to read it.
            if let Some(item) = self.store.sealed(row.id).await? {
                found.push(self.examine(row, &item.envelope, &key));
            }
        }
        let now = self.clock.now();
        self.store
            .change(move |sql| {
                let event = CentralEvent::Reviewed {
                    submissions: u64::try_from(found.len()).unwrap_or(u64::MAX),
                    from,
                    to,
                };
                for one in &found {
                    let outcome = if one.findings.is_empty() {
                        Review::Accepted
                    } else {
                        Review::AcceptedWithFindings
                    };
                    let findings = serde_json::to_string(&one.findings).unwrap_or_default();
                    desk::put_review(sql, &one.id, outcome, &findings, &one.proof)?;
                }
                desk::put_reviewed_to(sql, to)?;
                chain::append(sql, now, Some(CENTRAL), None, &event)?;
                Ok(())
            })
            .await?;
        info!(from, to, "submissions held against their forms");
        Ok(true)
    }

    fn examine(&self, row: &InboxRow, envelope: &[u8], key: &OpeningKey) -> Found {
        let found = |findings, proof| Found {
            id: row.id.to_string(),
            findings,
            proof,
        };
        let content = open(envelope, key)
            .ok()
            .and_then(|opened| Content::from_bytes(&opened.plain));
        let Some(content) = content else {
            warn!(submission = %row.id, "a submission does not open with the key that is unlocked");
            return found(whole("cannot_open"), String::new());
        };
        let proof = answers_of(content.instance_xml.reveal())
            .unwrap_or_default()
            .into_iter()
            .find(|(path, _)| path.rsplit('/').next().is_some_and(asks_identity))
            .and_then(|(_, value)| last_digits(&value))
            .map(|digits| proof_of(&self.key, row.id, &digits))
            .unwrap_or_default();
        let forms = self.forms();
        let Some(form) = forms.get(&content.form_id, &content.form_version) else {
            return found(whole("unknown_form"), proof);
        };
        let findings = review(form, self.env_of(row), content.instance_xml.reveal());
        found(findings.into_iter().map(FindingView::from).collect(), proof)
    }

    /// The moment when the citizen confirmed, as the form saw it.
    fn env_of(&self, row: &InboxRow) -> Env {
        let zone = jiff::tz::TimeZone::get("America/Guayaquil").unwrap_or(jiff::tz::TimeZone::UTC);
        Env {
            now: row.created_at.to_zoned_datetime(zone),
            seed: 0,
            instance_id: row.id.to_string(),
            device_id: row.device_id.clone(),
        }
    }
}
