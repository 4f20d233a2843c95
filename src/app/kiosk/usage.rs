//! Where forms end and how people say it went: counted here a day, told to the office as the day's totals.
//!
//! A count knows a procedure, a step and an outcome. No person, no answer, no time of day.

use tracing::{debug, warn};

use super::Shell;
use crate::domain::session::UsageMark;
use crate::store::usage as rows;
use crate::sync::office::{MarkWire, OfficeClient, UsageLineWire, UsageWire};

/// Counts where a form ended; what cannot be counted is no reason to stop anybody.
pub(super) async fn count(shell: &Shell, mark: UsageMark) {
    let date = shell.business_date();
    let counted = shell
        .db
        .write(move |c| rows::count(c, &date, mark.procedure.as_str(), &mark.step, mark.outcome.code()))
        .await;
    match counted {
        Ok(()) => shell.news.notify_one(),
        Err(problem) => warn!(%problem, "the end of a form was not counted"),
    }
}

/// Counts an anonymous mark; 0 is no answer.
pub(super) async fn rate(shell: &Shell, mark: u8) {
    if mark == 0 {
        return;
    }
    let date = shell.business_date();
    match shell
        .db
        .write(move |c| crate::store::kiosk::rate(c, &date, mark))
        .await
    {
        Ok(()) => shell.news.notify_one(),
        Err(problem) => warn!(%problem, "a mark was not counted"),
    }
}

/// Tells the office the totals of each day that it does not know yet.
pub(super) async fn tell(shell: &Shell, office: &OfficeClient) {
    let days = match shell.db.read(rows::to_tell) {
        Ok(days) => days,
        Err(problem) => return shell.log_failure("counts for the office", &problem),
    };
    for day in days {
        let wire = UsageWire {
            date: day.date.clone(),
            lines: day
                .lines
                .iter()
                .map(|line| UsageLineWire {
                    procedure: line.procedure.clone(),
                    step: line.step.clone(),
                    outcome: line.outcome.clone(),
                    count: line.count,
                })
                .collect(),
            marks: day
                .marks
                .iter()
                .map(|(mark, count)| MarkWire {
                    mark: *mark,
                    count: *count,
                })
                .collect(),
        };
        match office.usage(&shell.config.id, &wire).await {
            Ok(()) => debug!(date = %day.date, "counts told"),
            // An office that will never take them must not be asked every five seconds.
            Err(problem) if problem.is_permanent() => warn!(%problem, "the office takes no counts"),
            Err(_) => return,
        }
        if let Err(problem) = shell.db.write(move |c| rows::told(c, &day)).await {
            return shell.log_failure("counts for the office", &problem);
        }
    }
}
