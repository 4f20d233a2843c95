//! A number for a citizen: from the office while it answers, from the held block when it does not.
//!
//! And the way back into the line for a turn that was called in vain, which only the office can open.

use jiff::Timestamp;
use tracing::{debug, info, warn};

use super::Shell;
use super::confirm::job_row;
use super::papers;
use super::press::Job;
use crate::domain::id::{Moment, PrintJobId, SubmissionId, TicketId};
use crate::domain::printing::PaperKind;
use crate::domain::session::{NoTurn, Shut, TurnFound, TurnLook, TurnWish};
use crate::i18n::Language;
use crate::store::StoreError;
use crate::store::kiosk::{self as rows, NumberRow, WantedRow, print as journal};
use crate::sync::office::{IssueWire, OfficeError, TurnWire};

/// A number that is on the disk, with its paper in the journal.
pub(super) struct Number {
    pub(super) ticket: TicketId,
    pub(super) look: TurnLook,
    pub(super) at: Timestamp,
    pub(super) job: Job,
}

impl Shell {
    /// The page of a turn, for a telephone inside the office.
    pub(super) fn turn_page(&self, id: TicketId) -> Option<String> {
        let office = self.config.office.as_ref()?;
        Some(format!("{}/turno/{id}", office.url.trim_end_matches('/')))
    }
}

pub(super) fn wanted(wish: &TurnWish, submission: Option<SubmissionId>, moment: Moment) -> WantedRow {
    WantedRow {
        request: wish.request,
        id: TicketId::new(moment),
        queue: wish.queue.clone(),
        lane: wish.lane.code().to_owned(),
        submission,
        created_at: moment.now,
    }
}

/// Gives the wish a number and commits it with its paper, or tells why no number is to be had.
pub(super) async fn number(
    shell: &Shell,
    wanted: &WantedRow,
    language: Language,
) -> Result<Result<Number, NoTurn>, StoreError> {
    let queue = shell.queue_name(&wanted.queue);
    let mut known = None;
    if let Some(office) = &shell.office {
        let wire = IssueWire {
            id: wanted.id,
            queue: &wanted.queue,
            lane: &wanted.lane,
            kiosk: &shell.config.id,
            submission: wanted.submission,
            leased: None,
            replaces: None,
        };
        match office.issue(wanted.request, &wire).await {
            Ok(ticket) => known = Some(ticket),
            Err(OfficeError::Refused {
                status: 409 | 422,
                code,
                detail,
            }) => {
                info!(queue = %wanted.queue, %detail, "the office gives no number now");
                refuse(shell, wanted).await?;
                return Ok(Err(shut_of(&code, None).map_or(NoTurn::NoNumber, NoTurn::Shut)));
            }
            Err(problem) => {
                warn!(queue = %wanted.queue, %problem, "no number from the office; taking a held one")
            }
        }
    }
    let job_id = PrintJobId::new(shell.moment());
    let (request, id, queue_id) = (wanted.request, wanted.id, wanted.queue.clone());
    let (setup, now, date) = (shell.setup(), shell.clock.now(), shell.business_date());
    let (office_id, profile) = (shell.config.place.id.clone(), shell.profile.clone());
    let page = shell.turn_page(id);
    let made = shell
        .db
        .write(move |c| {
            let (row, ahead, wait) = match known {
                Some(ticket) => {
                    let row = NumberRow {
                        number: ticket.number,
                        n: ticket.n,
                        business_date: ticket.business_date,
                        issued_at: ticket.issued_at,
                    };
                    rows::number_from_office(c, request, &row)?;
                    let wait = ticket
                        .estimate
                        .map(|range| (range.from_minutes, range.to_minutes));
                    (row, ticket.ahead, wait)
                }
                None => match rows::number_from_lease(c, request, &queue_id, &date, now)? {
                    Some(row) => (row, None, None),
                    None => return Ok(None),
                },
            };
            // The page of this turn, for a telephone inside the office.
            let qr = match &page {
                Some(page) => page.clone(),
                None => format!("VTT1:{office_id}:{}:{}:{id}", row.business_date, row.number),
            };
            let look = TurnLook {
                number: row.number,
                queue,
                ahead,
                wait,
                qr,
            };
            let paper = papers::turn_paper(&setup, language, &look, row.issued_at, None, &profile);
            let printed = job_row(job_id, PaperKind::Turn, id.to_string(), 0, &paper, now);
            journal::add_print_job(c, &printed)?;
            Ok(Some((look, row.issued_at, Job::new(&printed, paper))))
        })
        .await?;
    let Some((look, at, job)) = made else {
        warn!(queue = %wanted.queue, "no held number is left; the citizen is sent to a person");
        refuse(shell, wanted).await?;
        return Ok(Err(NoTurn::NoNumber));
    };
    shell.news.notify_one();
    debug!(ticket = %wanted.id, "turn given");
    Ok(Ok(Number {
        ticket: wanted.id,
        look,
        at,
        job,
    }))
}

/// The office's word for why a queue gives no tickets.
pub(super) fn shut_of(code: &str, opens: Option<Timestamp>) -> Option<Shut> {
    match code {
        "queue_closed" => Some(Shut::Closed { opens }),
        "queue_full" => Some(Shut::Full),
        "queue_too_late" => Some(Shut::TooLate),
        "queue_stopped" => Some(Shut::Stopped),
        _ => None,
    }
}

/// What the office knows of a turn of today.
pub(super) async fn find(shell: &Shell, number: &str) -> TurnFound {
    let Some(office) = &shell.office else {
        return TurnFound::Offline;
    };
    match office.turn(number).await {
        Ok(turn) => found(shell, turn, false),
        Err(OfficeError::Refused { status: 404, .. }) => TurnFound::Unknown {
            number: number.to_owned(),
        },
        Err(problem) => {
            warn!(%problem, "a turn was not found");
            TurnFound::Offline
        }
    }
}

/// Brings a turn back into the line and tells where it stands now.
pub(super) async fn rejoin(shell: &Shell, request: uuid::Uuid, id: TicketId, number: &str) -> TurnFound {
    let Some(office) = &shell.office else {
        return TurnFound::Offline;
    };
    match office.rejoin(request, id).await {
        Ok(()) => info!(ticket = %id, "back in the line"),
        // It moved in the meantime: what it is now is the answer.
        Err(OfficeError::Refused {
            status: 409, code, ..
        }) if code == "wrong_status" => {}
        Err(OfficeError::Refused { status: 409, .. }) => {
            return TurnFound::TooLate {
                number: number.to_owned(),
            };
        }
        Err(problem) => {
            warn!(ticket = %id, %problem, "not back in the line");
            return TurnFound::Offline;
        }
    }
    match office.turn(number).await {
        Ok(turn) => found(shell, turn, true),
        Err(problem) => {
            warn!(ticket = %id, %problem, "its place is not known");
            TurnFound::Offline
        }
    }
}

fn found(shell: &Shell, turn: TurnWire, back: bool) -> TurnFound {
    let number = turn.number;
    match turn.status.as_str() {
        "waiting" | "parked" => {
            let waits = turn.status == "waiting";
            TurnFound::Waiting {
                turn: TurnLook {
                    qr: shell.turn_page(turn.id).unwrap_or_default(),
                    number,
                    queue: turn.queue_name,
                    ahead: Some(turn.ahead).filter(|_| waits),
                    wait: turn.estimate.map(|range| (range.from_minutes, range.to_minutes)),
                },
                back,
            }
        }
        "called" | "serving" => TurnFound::Called {
            number,
            counter: turn.counter,
        },
        "no_show" if turn.may_return => TurnFound::Absent {
            ticket: turn.id,
            number,
            queue: turn.queue_name,
            behind: turn.behind,
        },
        "no_show" => TurnFound::TooLate { number },
        _ => TurnFound::Over { number },
    }
}

async fn refuse(shell: &Shell, wanted: &WantedRow) -> Result<(), StoreError> {
    let request = wanted.request;
    shell.db.write(move |c| rows::refuse_ticket(c, request)).await?;
    shell.news.notify_one();
    Ok(())
}
