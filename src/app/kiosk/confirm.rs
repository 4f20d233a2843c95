//! What a confirmation does: one commit before anything is promised, then the number, then the paper.
//!
//! Order of events, each safe to lose power after:
//! 1. one transaction: sealed submission, its place in the outbox, receipt, receipt paper, payment order, the wish for a
//!    turn;
//! 2. the office is asked for a number, briefly, or a held number is taken;
//! 3. one transaction: the number, its paper, the receipt paper that now names it;
//! 4. only then screen and printer hear of it.

use sha2::Digest;
use tracing::warn;

use super::Shell;
use super::papers::{self, ReceiptFacts};
use super::payment;
use super::press::Job;
use super::turn::{self, Number};
use crate::app::outbox::confirm::{Case, Confirmed};
use crate::clock;
use crate::devices::printer::Profile;
use crate::domain::id::PrintJobId;
use crate::domain::printing::PaperKind;
use crate::domain::procedure::{Cost, ProcedureId};
use crate::domain::seal::hex;
use crate::domain::session::view::Tone;
use crate::domain::session::{NoTurn, Saved, SubmitRequest, TurnWish};
use crate::domain::submission::{Answer, Attachment, Consent, Content, FormResult};
use crate::i18n::{self, Language};
use crate::store::StoreError;
use crate::store::kiosk::print::{self as journal, PrintJobRow};
use crate::store::kiosk::{self as rows, ReceiptRow};

/// What the last citizen's papers said, for a copy while they stand there.
pub(super) struct Act {
    language: Language,
    receipt: Option<(SubmitRequest, Confirmed)>,
    turn: Option<Number>,
    jobs: Vec<Job>,
}

impl Act {
    pub(super) fn jobs(&self) -> Vec<Job> {
        self.jobs.clone()
    }
}

/// Confirms a form.
pub(super) async fn submit(shell: &Shell, request: SubmitRequest) -> (Saved, Option<Act>) {
    let moment = shell.moment();
    // One offer for the whole act: it cannot be exchanged in the middle of it.
    let offer = shell.offers.present();
    let Some(procedure) = offer.setup.catalogue.procedure(&request.procedure) else {
        // The session only offers what the catalogue has.
        return (Saved::Failed, None);
    };
    let label = procedure.printed_name(Language::Spanish).to_owned();
    let case = Case {
        id: request.attempt,
        form_id: request.form.0.clone(),
        form_version: request.form.1.clone(),
        catalogue: offer.setup.edition.clone(),
        procedure: request.procedure.as_str().to_owned(),
        procedure_name: label.clone(),
        queue: request.turn.as_ref().map(|wish| wish.queue.clone()),
    };
    let content = content(&request, procedure.name.get(request.language));
    let (paper_id, payment_id) = (PrintJobId::new(shell.moment()), PrintJobId::new(shell.moment()));
    let wanted = request
        .turn
        .as_ref()
        .map(|wish| turn::wanted(wish, Some(request.attempt), shell.moment()));
    if !shell.db.has_room() {
        return (refusal(shell, &StoreError::Full), None);
    }
    let confirmed = {
        let (sealer, seed, wanted) = (offer.sealer.clone(), clock::random(), wanted.clone());
        let (setup, request, procedure) = (offer.setup.clone(), request.clone(), request.procedure.clone());
        let profile = shell.profile.clone();
        shell
            .db
            .write(move |c| {
                let confirmed = sealer.confirm(c, &case, &content, moment, &seed)?;
                rows::add_receipt(
                    c,
                    &ReceiptRow {
                        submission: confirmed.id,
                        code: confirmed.code.plain(),
                        procedure: procedure.as_str().to_owned(),
                        label,
                        created_at: confirmed.at,
                    },
                )?;
                let paper = receipt(&setup, &profile, &request, &confirmed, None, None);
                let row = receipt_row(paper_id, &confirmed, &paper);
                journal::add_print_job(c, &row)?;
                let mut jobs = vec![Job::new(&row, paper)];
                if let Some(paper) = payment::paper(&setup, &request, confirmed.at, None, &profile) {
                    let about = confirmed.id.to_string();
                    let row = job_row(payment_id, PaperKind::Payment, about, 0, &paper, confirmed.at);
                    journal::add_print_job(c, &row)?;
                    jobs.push(Job::new(&row, paper));
                }
                if let Some(wanted) = &wanted {
                    rows::want_ticket(c, wanted)?;
                }
                if let Some(draft) = request.resumed {
                    rows::use_draft(c, draft, confirmed.at)?;
                }
                Ok((confirmed, jobs))
            })
            .await
    };
    let (confirmed, mut jobs) = match confirmed {
        Ok(confirmed) => confirmed,
        Err(problem) => return (refusal(shell, &problem), None),
    };
    if let Some(sender) = &shell.sender {
        sender.wake();
    }
    if request.resumed.is_some() {
        shell.news.notify_one();
    }
    let mut number = Err(NoTurn::NoNumber);
    if let Some(wanted) = &wanted {
        match turn::number(shell, wanted, request.language).await {
            Ok(Ok(given)) => {
                let shown = Some(given.look.number.as_str());
                let paper = receipt(&offer.setup, &shell.profile, &request, &confirmed, shown, None);
                let row = receipt_row(paper_id, &confirmed, &paper);
                let job = Job::new(&row, paper);
                match shell.db.write(move |c| journal::add_print_job(c, &row)).await {
                    Ok(()) => jobs[0] = job,
                    // The first version is in the journal and says everything but the number, which its own paper says.
                    Err(problem) => shell.log_failure("receipt with number", &problem),
                }
                jobs.push(given.job.clone());
                number = Ok(given);
            }
            Ok(Err(why)) => number = Err(why),
            Err(problem) => shell.log_failure("turn", &problem),
        }
    }
    let saved = Saved::Submission {
        code: confirmed.code.to_string(),
        qr: confirmed.token.clone(),
        time: confirmed
            .at
            .to_zoned_datetime(shell.zone.clone())
            .strftime("%H:%M")
            .to_string(),
        turn: wanted.map(|_| {
            number
                .as_ref()
                .map(|given| given.look.clone())
                .map_err(|why| *why)
        }),
        papers: u8::try_from(jobs.len()).unwrap_or(u8::MAX),
    };
    let act = Act {
        language: request.language,
        receipt: Some((request, confirmed)),
        turn: number.ok(),
        jobs,
    };
    (saved, Some(act))
}

/// Gives a turn without a form.
pub(super) async fn turn_only(shell: &Shell, wish: TurnWish) -> (Saved, Option<Act>) {
    let wanted = turn::wanted(&wish, None, shell.moment());
    let row = wanted.clone();
    if let Err(problem) = shell.db.write(move |c| rows::want_ticket(c, &row)).await {
        return (refusal(shell, &problem), None);
    }
    let language = wish.language;
    match turn::number(shell, &wanted, language).await {
        Ok(Ok(given)) => {
            let saved = Saved::Turn(given.look.clone());
            let jobs = vec![given.job.clone()];
            (
                saved,
                Some(Act {
                    language,
                    receipt: None,
                    turn: Some(given),
                    jobs,
                }),
            )
        }
        Ok(Err(why)) => {
            let queue = wish.queue;
            (Saved::NoTurn { queue, why }, None)
        }
        Err(problem) => (refusal(shell, &problem), None),
    }
}

/// The papers of an act once more, each marked with the number of its copy.
pub(super) async fn copy(shell: &Shell, act: &Act) -> Result<Vec<Job>, StoreError> {
    let (now, setup) = (shell.clock.now(), shell.setup());
    let mut papers = Vec::new();
    if let Some((request, confirmed)) = &act.receipt {
        let about = confirmed.id.to_string();
        let copy_no = copies(shell, PaperKind::Receipt, &about).await? + 1;
        let number = act.turn.as_ref().map(|given| given.look.number.as_str());
        let paper = receipt(&setup, &shell.profile, request, confirmed, number, Some(copy_no));
        papers.push((PaperKind::Receipt, about.clone(), copy_no, paper));
        let copy_no = copies(shell, PaperKind::Payment, &about).await? + 1;
        if let Some(paper) = payment::paper(&setup, request, confirmed.at, Some(copy_no), &shell.profile) {
            papers.push((PaperKind::Payment, about, copy_no, paper));
        }
    }
    if let Some(given) = &act.turn {
        let about = given.ticket.to_string();
        let copy_no = copies(shell, PaperKind::Turn, &about).await? + 1;
        let paper = papers::turn_paper(
            &setup,
            act.language,
            &given.look,
            given.at,
            Some(copy_no),
            &shell.profile,
        );
        papers.push((PaperKind::Turn, about, copy_no, paper));
    }
    let (rows, jobs): (Vec<PrintJobRow>, Vec<Job>) = papers
        .into_iter()
        .map(|(kind, about, copy_no, paper)| {
            let id = PrintJobId::new(shell.moment());
            let row = job_row(id, kind, about, copy_no, &paper, now);
            let job = Job::new(&row, paper);
            (row, job)
        })
        .unzip();
    shell
        .db
        .write(move |c| rows.iter().try_for_each(|row| journal::add_print_job(c, row)))
        .await?;
    Ok(jobs)
}

/// The list of what a procedure needs.
pub(super) async fn list(
    shell: &Shell,
    procedure: &ProcedureId,
    language: Language,
) -> Result<Job, StoreError> {
    let (now, setup) = (shell.clock.now(), shell.setup());
    let procedure = setup
        .catalogue
        .procedure(procedure)
        .ok_or(StoreError::Unreadable { what: "procedure" })?;
    let paper = papers::list_paper(&setup, procedure, language, now, &shell.profile);
    let about = procedure.identifier.as_str().to_owned();
    let row = job_row(
        PrintJobId::new(shell.moment()),
        PaperKind::List,
        about,
        0,
        &paper,
        now,
    );
    let job = Job::new(&row, paper);
    shell.db.write(move |c| journal::add_print_job(c, &row)).await?;
    Ok(job)
}

pub(super) async fn copies(shell: &Shell, kind: PaperKind, about: &str) -> Result<u32, StoreError> {
    let about = about.to_owned();
    shell.db.write(move |c| journal::copies_of(c, kind, &about)).await
}

fn refusal(shell: &Shell, problem: &StoreError) -> Saved {
    shell.log_failure("confirmation", problem);
    match problem {
        StoreError::Full => Saved::Full,
        _ => Saved::Failed,
    }
}

fn receipt(
    setup: &crate::domain::session::Setup,
    profile: &Profile,
    request: &SubmitRequest,
    confirmed: &Confirmed,
    turn: Option<&str>,
    copy: Option<u32>,
) -> papers::Paper {
    let procedure = setup.catalogue.procedure(&request.procedure);
    let language = request.language;
    let cost = procedure.and_then(|procedure| match procedure.has_cost.confirmed()? {
        Cost::Free => Some(i18n::say(language, "cost-free")),
        Cost::Described(text) => Some(text.get(language).to_owned()),
    });
    let facts = ReceiptFacts {
        label: procedure
            .map(|procedure| procedure.printed_name(language))
            .unwrap_or_default(),
        cost,
        code: confirmed.code.to_string(),
        token: confirmed.token.clone(),
        fingerprint: confirmed.fingerprint.clone(),
        at: confirmed.at,
        turn,
        copy,
    };
    papers::receipt_paper(setup, request, &facts, profile)
}

fn receipt_row(id: PrintJobId, confirmed: &Confirmed, paper: &papers::Paper) -> PrintJobRow {
    job_row(
        id,
        PaperKind::Receipt,
        confirmed.id.to_string(),
        0,
        paper,
        confirmed.at,
    )
}

pub(super) fn job_row(
    id: PrintJobId,
    kind: PaperKind,
    about: String,
    copy_no: u32,
    paper: &papers::Paper,
    created_at: jiff::Timestamp,
) -> PrintJobRow {
    PrintJobRow {
        id,
        kind,
        about: Some(about),
        copy_no,
        sha256: hex(&sha2::Sha256::digest(&paper.bytes)),
        created_at,
    }
}

/// What is sealed.
fn content(request: &SubmitRequest, procedure_name: &str) -> Content {
    let tone = |tone: Tone| match tone {
        Tone::Good => "good",
        Tone::Info => "info",
        Tone::Warn => "warn",
        Tone::Bad => "bad",
    };
    if request.answers.is_empty() {
        warn!("a form without answers is being confirmed");
    }
    Content {
        v: 1,
        form_id: request.form.0.clone(),
        form_version: request.form.1.clone(),
        procedure_name: procedure_name.to_owned(),
        language: request.language.code().to_owned(),
        instance_xml: request.instance.clone(),
        answers: request
            .answers
            .iter()
            .map(|answer| Answer {
                name: answer.name.clone(),
                label: answer.label.clone(),
                value: answer.value.clone(),
                masked: answer.masked,
            })
            .collect(),
        result: request.result.as_ref().map(|result| FormResult {
            tone: tone(result.tone).to_owned(),
            title: result.title.clone(),
            text: crate::domain::redacted::Redacted::new(result.text.clone()),
        }),
        consents: request
            .consents
            .iter()
            .map(|consent| Consent {
                key: consent.key.to_owned(),
                text: consent.text.clone(),
                accepted: consent.accepted,
            })
            .collect(),
        attachments: request
            .attachments
            .iter()
            .map(|file| Attachment {
                name: file.name.clone(),
                media_type: file.media_type.to_owned(),
                text: file.data.clone(),
                base64: false,
            })
            .collect(),
    }
}
