//! A form that is stopped here and goes on elsewhere: sealed in memory, handed to the office, opened from there.
//!
//! Nothing of it is on this kiosk's disk. The code is shown and printed once the office said that it has the form; if
//! its answer is lost, the same bytes are handed in once more, and after that the citizen is told that it is not kept.
//! What was sent from a draft is written down in the transaction of the submission, and told until the office heard it.

use tracing::{info, warn};
use zeroize::Zeroizing;

use super::Shell;
use super::confirm::{copies, job_row};
use super::papers::{self, Paper};
use super::press::Job;
use crate::clock;
use crate::domain::id::PrintJobId;
use crate::domain::printing::PaperKind;
use crate::domain::redacted::Redacted;
use crate::domain::resume::{self, DraftId, Keys, ResumeCode, Work};
use crate::domain::session::{KeepRequest, KeptFound, NotKept, Saved};
use crate::store::StoreError;
use crate::store::kiosk::{self as rows, print as journal};
use crate::sync::drafts::OpenedWire;
use crate::sync::office::{OfficeClient, OfficeError};

/// What the paper of a draft says, for a copy while its citizen stands there.
pub(super) struct KeptPaper {
    facts: papers::ResumeFacts,
    id: DraftId,
    pub(super) job: Job,
}

/// Keeps a form at the office.
pub(super) async fn keep(shell: &Shell, request: KeepRequest) -> (Saved, Option<KeptPaper>) {
    let not = |why| (Saved::NotKept(why), None);
    let Some(office) = &shell.office else {
        return not(NotKept::Offline);
    };
    let code = ResumeCode::from_random(clock::random());
    let Some(keys) = keys(shell, code, request.digits.clone()).await else {
        return not(NotKept::Refused);
    };
    let content = match serde_json::to_vec(&request.form) {
        Ok(content) => Zeroizing::new(content),
        Err(problem) => {
            warn!(%problem, "a form could not be written down to be sealed");
            return not(NotKept::Refused);
        }
    };
    let Ok(sealed) = resume::seal(&keys, &content) else {
        return not(NotKept::TooLarge);
    };
    let until = match handed_in(office, &keys, &sealed, request.replaces).await {
        Ok(until) => until,
        Err(OfficeError::Unreachable(problem)) => {
            warn!(%problem, "a form is not kept, the office does not answer");
            return not(NotKept::Offline);
        }
        Err(OfficeError::Refused { status: 413, .. }) => return not(NotKept::TooLarge),
        Err(problem @ OfficeError::Refused { .. }) => {
            warn!(%problem, "a form is not kept");
            return not(NotKept::Refused);
        }
    };
    info!(draft = %keys.id.short(), "a form is kept at the office");
    let facts = papers::ResumeFacts {
        procedure: request.form.procedure.clone(),
        language: request.language,
        code: code.to_string(),
        kept_at: request.form.kept_at,
        until,
    };
    let saved = Saved::Kept {
        code: code.to_string(),
        until,
    };
    match printed(shell, &facts, keys.id, None).await {
        Ok(job) => {
            let kept = KeptPaper {
                facts,
                id: keys.id,
                job,
            };
            (saved, Some(kept))
        }
        // The code is on the screen, to be written down.
        Err(problem) => {
            shell.log_failure("paper of a draft", &problem);
            (saved, None)
        }
    }
}

/// Hands it in, and the same bytes once more where the first answer did not come.
async fn handed_in(
    office: &OfficeClient,
    keys: &Keys,
    sealed: &[u8],
    replaces: Option<DraftId>,
) -> Result<jiff::Timestamp, OfficeError> {
    match office.keep_draft(keys, sealed, replaces).await {
        Err(OfficeError::Unreachable(_)) => office.keep_draft(keys, sealed, replaces).await,
        answered => answered,
    }
}

/// Opens a form that was stopped.
pub(super) async fn open(shell: &Shell, code: ResumeCode, digits: Redacted<String>) -> KeptFound {
    let Some(office) = &shell.office else {
        return KeptFound::Offline;
    };
    let Some(keys) = keys(shell, code, digits).await else {
        return KeptFound::Offline;
    };
    match office.open_draft(&keys).await {
        Ok(OpenedWire::Open { sealed }) => opened(&keys, &sealed),
        Ok(OpenedWire::Wrong { left }) => KeptFound::Wrong { left },
        Ok(OpenedWire::Shut { until }) => KeptFound::Shut { until },
        Ok(OpenedWire::Used) => KeptFound::Used,
        Ok(OpenedWire::Over) => KeptFound::Over,
        Ok(OpenedWire::Unknown) => KeptFound::Unknown,
        Err(problem) => {
            warn!(%problem, "a kept form could not be asked for");
            KeptFound::Offline
        }
    }
}

fn opened(keys: &Keys, sealed: &str) -> KeptFound {
    use base64::Engine;
    let plain = base64::prelude::BASE64_STANDARD
        .decode(sealed)
        .ok()
        .and_then(|sealed| resume::open(keys, &sealed).ok());
    match plain.and_then(|plain| serde_json::from_slice(&plain).ok()) {
        Some(form) => KeptFound::Open {
            form: Box::new(form),
            id: keys.id,
        },
        None => {
            // Changed on its way or at the office, or written by a newer kiosk.
            warn!(draft = %keys.id.short(), "a kept form has the right proof and does not open");
            KeptFound::Unknown
        }
    }
}

async fn keys(shell: &Shell, code: ResumeCode, digits: Redacted<String>) -> Option<Keys> {
    let office = shell.config.place.id.clone();
    tokio::task::spawn_blocking(move || Keys::of(code, digits.reveal(), &office, Work::HOUSE))
        .await
        .ok()
}

/// The paper once more, marked with the number of its copy.
pub(super) async fn copy(shell: &Shell, kept: &KeptPaper) -> Result<Job, StoreError> {
    let copy_no = copies(shell, PaperKind::Resume, &kept.id.to_string()).await? + 1;
    printed(shell, &kept.facts, kept.id, Some(copy_no)).await
}

async fn printed(
    shell: &Shell,
    facts: &papers::ResumeFacts,
    id: DraftId,
    copy: Option<u32>,
) -> Result<Job, StoreError> {
    let paper: Paper = papers::resume_paper(&shell.setup(), facts, copy, &shell.profile);
    let row = job_row(
        PrintJobId::new(shell.moment()),
        PaperKind::Resume,
        id.to_string(),
        copy.unwrap_or(0),
        &paper,
        shell.clock.now(),
    );
    let job = Job::new(&row, paper);
    shell.db.write(move |c| journal::add_print_job(c, &row)).await?;
    Ok(job)
}

/// Tells the office of drafts whose form was sent, until it heard.
pub(super) async fn tell(shell: &Shell, office: &OfficeClient) {
    let used = match shell.db.read(rows::used_drafts) {
        Ok(used) => used,
        Err(problem) => return shell.log_failure("used drafts", &problem),
    };
    for id in used {
        match office.used_draft(id).await {
            Ok(()) => info!(draft = %id.short(), "a draft is used, the office knows"),
            Err(problem) if problem.is_permanent() => warn!(%problem, "the office will not hear of a draft"),
            Err(_) => return,
        }
        if let Err(problem) = shell.db.write(move |c| rows::told_draft(c, id)).await {
            return shell.log_failure("used drafts", &problem);
        }
    }
}
