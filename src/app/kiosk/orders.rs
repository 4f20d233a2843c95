//! What staff ask of this kiosk's printers: a new roll, a test page, the copy of a turn ticket.
//!
//! The kiosk asks the office; nobody reaches into a kiosk. A copy is always marked as one, so that an order which is
//! done twice after a lost answer makes no second original.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tracing::{debug, info, warn};

use super::Shell;
use super::confirm::{copies, job_row};
use super::papers::{self, Paper};
use super::press::Job;
use super::print::Papers;
use crate::app::Stop;
use crate::app::diagnose::{Occasion, sample};
use crate::devices::printer::compose;
use crate::domain::id::{PrintJobId, TicketId};
use crate::domain::printing::{JobState, OrderOutcome, PaperKind, PaperOrder};
use crate::domain::session::TurnLook;
use crate::i18n::Language;
use crate::store::StoreError;
use crate::store::kiosk::print as journal;
use crate::sync::office::{OrderWire, TurnOnPaperWire};

/// Somebody stands at the printer and waits for the test page.
const ASK_EVERY: Duration = Duration::from_secs(3);

/// Asks the office for orders until told to stop.
pub(super) async fn obey(shell: Arc<Shell>, papers: Papers, stop: Stop) {
    let Some(office) = &shell.office else { return };
    // What was done and perhaps not heard of by the office.
    let mut done: BTreeMap<u64, OrderOutcome> = BTreeMap::new();
    loop {
        tokio::select! {
            () = stop.stopped() => return,
            () = tokio::time::sleep(ASK_EVERY) => {}
        }
        let orders = match office.orders(&shell.config.id).await {
            Ok(orders) => orders,
            Err(problem) => {
                debug!(%problem, "no orders were heard");
                continue;
            }
        };
        done.retain(|asked, _| orders.iter().any(|order| order.asked == *asked));
        for order in orders.iter().filter(|order| order.open) {
            let outcome = match done.get(&order.asked) {
                Some(outcome) => *outcome,
                None => carry_out(&shell, &papers, order).await,
            };
            done.insert(order.asked, outcome);
            if let Err(problem) = office.obeyed(&shell.config.id, order.asked, outcome).await {
                warn!(%problem, "the office does not know what became of an order");
            }
        }
    }
}

async fn carry_out(shell: &Shell, papers: &Papers, order: &OrderWire) -> OrderOutcome {
    let made = match &order.order {
        PaperOrder::RollChanged { printer } => {
            let (printer, now) = (printer.clone(), shell.clock.now());
            let noted = shell
                .db
                .write(move |c| journal::change_roll(c, &printer, now))
                .await;
            return match noted {
                Ok(()) => OrderOutcome::Done,
                Err(problem) => {
                    shell.log_failure("new roll", &problem);
                    OrderOutcome::Failed
                }
            };
        }
        PaperOrder::TestPage => test_page(shell).await,
        PaperOrder::Reprint { ticket } => match &order.turn {
            Some(turn) => turn_copy(shell, *ticket, turn).await,
            None => return OrderOutcome::Failed,
        },
    };
    let job = match made {
        Ok(job) => job,
        Err(problem) => {
            shell.log_failure("order for a printer", &problem);
            return OrderOutcome::Failed;
        }
    };
    let id = job.id;
    if papers.print_one(job).await {
        info!(job = %id, "printed for staff");
        return OrderOutcome::Done;
    }
    match shell.db.read(move |c| journal::state_of(c, id)) {
        Ok(Some(JobState::Unknown)) => OrderOutcome::Unknown,
        Ok(_) | Err(_) => OrderOutcome::Failed,
    }
}

pub(super) async fn test_page(shell: &Shell) -> Result<Job, StoreError> {
    let occasion = Occasion::of(&shell.config, shell.clock.now());
    let document = sample(&occasion, &shell.profile, None);
    let paper = Paper {
        bytes: compose(&document, &shell.profile),
        document,
    };
    keep(shell, PaperKind::Readiness, "staff".to_owned(), 0, paper).await
}

/// The paper of a turn once more: same number, same QR, marked with the number of the copy.
async fn turn_copy(shell: &Shell, ticket: TicketId, turn: &TurnOnPaperWire) -> Result<Job, StoreError> {
    let about = ticket.to_string();
    let copy_no = copies(shell, PaperKind::Turn, &about).await? + 1;
    let look = TurnLook {
        number: turn.number.clone(),
        queue: turn.queue_name.clone(),
        // What was true when the turn was taken is not true any more; the QR tells how it stands.
        ahead: None,
        wait: None,
        qr: shell.turn_page(ticket).unwrap_or_default(),
    };
    let paper = papers::turn_paper(
        &shell.setup(),
        Language::Spanish,
        &look,
        turn.issued_at,
        Some(copy_no),
        &shell.profile,
    );
    keep(shell, PaperKind::Turn, about, copy_no, paper).await
}

pub(super) async fn keep(
    shell: &Shell,
    kind: PaperKind,
    about: String,
    copy_no: u32,
    paper: Paper,
) -> Result<Job, StoreError> {
    let id = PrintJobId::new(shell.moment());
    let row = job_row(id, kind, about, copy_no, &paper, shell.clock.now());
    let job = Job::new(&row, paper);
    shell.db.write(move |c| journal::add_print_job(c, &row)).await?;
    Ok(job)
}
