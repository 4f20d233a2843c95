//! What to send next and what an answer means: pure, with time and chance as arguments.
//!
//! Two kinds of trouble are kept apart. Trouble of the *line* makes everything wait, with growing pauses, for ever.
//! Trouble of an *item* makes only that item wait or die, and it travels alone so that it holds up nobody.
//! Begin at [`Line`] and [`read_answer`].

use jiff::{SignedDuration, Timestamp};

use super::wire::{AnswerWire, ITEMS_MAX, SEALED_MAX};
use crate::domain::id::SubmissionId;
use crate::domain::seal::VerifyingKey;
use crate::domain::submission::transit::Outcome;
use crate::domain::submission::{Item, Verdict};

/// How long to wait, and why that long.
#[derive(Clone, Copy, Debug)]
pub struct Delays {
    /// Longest first pause; short, for most failures are a cable that was touched.
    pub base: SignedDuration,
    /// Longest pause ever: a service that comes back is found within minutes.
    pub cap: SignedDuration,
    /// Longest wait that a server may ask for: a wrong `Retry-After` must not silence a kiosk for a day.
    pub asked_max: SignedDuration,
    /// How often an idle sender asks whether the server was restored.
    pub heartbeat: SignedDuration,
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            base: SignedDuration::from_secs(1),
            cap: SignedDuration::from_mins(5),
            asked_max: SignedDuration::from_hours(1),
            heartbeat: SignedDuration::from_mins(10),
        }
    }
}

impl Delays {
    /// Full jitter: anywhere between nothing and the doubled pause, so that kiosks do not come back in step.
    pub fn pause(&self, failures: u32, random: u64) -> SignedDuration {
        let base = u64::try_from(self.base.as_micros()).unwrap_or(0);
        let cap = u64::try_from(self.cap.as_micros()).unwrap_or(0);
        let top = base
            .saturating_mul(1_u64 << failures.saturating_sub(1).min(32))
            .min(cap);
        SignedDuration::from_micros(i64::try_from(random % (top + 1)).unwrap_or(0))
    }
}

/// What came back from one try, before anything was believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Nothing, or cut short.
    Nothing {
        /// In one word.
        why: &'static str,
    },
    /// An answer of ours.
    Answer(AnswerWire),
    /// Status 200, but not an answer of ours: a captive portal, a wrong address.
    Foreign,
    /// Any other status.
    Status {
        /// The HTTP status.
        status: u16,
        /// What `Retry-After` asked for.
        retry_after: Option<SignedDuration>,
    },
}

/// How the line is doing, for the staff page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LineState {
    /// Nothing was tried yet.
    #[default]
    Unknown,
    /// The last try got an answer.
    Up,
    /// Nobody answers; retried for ever.
    Down,
    /// Something answers that is not our server.
    Foreign,
    /// The server does not accept this device's token.
    Refused,
    /// The server asks for time or fails.
    Busy,
}

/// The memory of one line between tries.
#[derive(Clone, Debug)]
pub struct Line {
    delays: Delays,
    /// How it is doing.
    pub state: LineState,
    failures: u32,
    whole_failures: u32,
    batch_max: usize,
    /// Whether the server took something since an item was last blamed: only then is a failure the item's own.
    proven: bool,
    not_before: Option<Timestamp>,
}

/// How many whole batches may fail with an answer before the batch is halved.
const WHOLE_FAILURES_MAX: u32 = 2;
/// How often one item may be found at fault before a person has to look.
pub const ITEM_FAULTS_MAX: u32 = 8;

/// What a failed try says about its items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The line: every item waits again as it was.
    Line,
    /// Perhaps the one item of the batch: let others go first and see.
    Perhaps,
    /// The one item of the batch, for the server took others since.
    Item,
}

impl Line {
    /// A line that was not tried yet.
    pub fn new(delays: Delays) -> Self {
        Self {
            delays,
            state: LineState::Unknown,
            failures: 0,
            whole_failures: 0,
            batch_max: ITEMS_MAX,
            proven: false,
            not_before: None,
        }
    }

    /// When the next try may be; at once where nothing stands in the way.
    pub fn not_before(&self, now: Timestamp) -> Option<Timestamp> {
        // A clock that was set back must not make a pause of minutes into one of years.
        self.not_before
            .filter(|at| *at > now && at.duration_since(now) <= self.delays.asked_max)
    }

    /// How many items and sealed bytes the next batch may have: one to try a line that was down, many once it holds.
    pub fn batch_limits(&self) -> (usize, usize) {
        if matches!(
            self.state,
            LineState::Down | LineState::Foreign | LineState::Refused
        ) {
            return (1, SEALED_MAX);
        }
        (self.batch_max, SEALED_MAX)
    }

    /// Something says the line is back: one try at once.
    pub fn line_up(&mut self) {
        self.not_before = None;
    }

    /// An answer of ours came.
    pub fn answered(&mut self) {
        self.state = LineState::Up;
        self.failures = 0;
        self.whole_failures = 0;
        self.not_before = None;
        self.proven = true;
        self.batch_max = (self.batch_max * 2).min(ITEMS_MAX);
    }

    /// A try of `items` items failed; says whose fault it may be.
    pub fn failed(&mut self, reply: &Reply, items: usize, now: Timestamp, random: u64) -> Blame {
        self.failures = self.failures.saturating_add(1);
        let mut wait = self.delays.pause(self.failures, random);
        let (state, answered) = match reply {
            Reply::Answer(_) | Reply::Foreign => (LineState::Foreign, false),
            Reply::Nothing { .. } => (LineState::Down, false),
            Reply::Status { status, retry_after } => {
                if let Some(asked) = retry_after {
                    wait = wait.max((*asked).min(self.delays.asked_max));
                }
                match status {
                    401 | 403 => (LineState::Refused, false),
                    // What a proxy in front says when the server behind it is away.
                    408 | 429 | 502..=599 => (LineState::Busy, false),
                    400 | 413 | 415 | 422 | 500 | 501 => (LineState::Busy, true),
                    _ => (LineState::Foreign, false),
                }
            }
        };
        self.state = state;
        self.not_before = now.checked_add(wait).ok();
        if !answered {
            return Blame::Line;
        }
        self.whole_failures += 1;
        if items == 1 {
            self.whole_failures = 0;
            return if std::mem::take(&mut self.proven) {
                Blame::Item
            } else {
                Blame::Perhaps
            };
        }
        if self.whole_failures >= WHOLE_FAILURES_MAX {
            self.whole_failures = 0;
            self.batch_max = (items / 2).max(1);
        }
        Blame::Line
    }

    /// What becomes of the items of a failed try, of which the first was at fault `faults` times before.
    pub fn after_failure(
        &self,
        blame: Blame,
        faults: u32,
        why: &str,
        now: Timestamp,
        random: u64,
    ) -> Outcome {
        let why = why.to_owned();
        let next_at = now
            .checked_add(self.delays.pause(faults.max(self.failures).max(1), random))
            .ok();
        match blame {
            Blame::Line => Outcome::Again {
                next_at: None,
                suspect: false,
                why,
            },
            Blame::Perhaps => Outcome::Again {
                next_at,
                suspect: false,
                why,
            },
            Blame::Item if faults + 1 >= ITEM_FAULTS_MAX => Outcome::Dead { why },
            Blame::Item => Outcome::Again {
                next_at,
                suspect: true,
                why,
            },
        }
    }

    /// What a verdict means for its item, with the server's signature checked by `keys`.
    pub fn judge(
        &self,
        item: &Item,
        verdict: Verdict,
        keys: &[VerifyingKey],
        now: Timestamp,
        random: u64,
    ) -> Outcome {
        let later = |why: &str, suspect, pause: SignedDuration| Outcome::Again {
            next_at: now.checked_add(pause).ok(),
            suspect,
            why: why.to_owned(),
        };
        match verdict {
            Verdict::Accepted(ack) | Verdict::Duplicate(ack) => match ack.check(keys, item.id, item.hash) {
                Some(body) => Outcome::Received {
                    ack,
                    server_epoch: body.server_epoch,
                    server_seq: body.server_seq,
                },
                // Somebody in between, or a key we were not given yet: never a reason to let an item die.
                None => later("bad_receipt", false, self.delays.cap),
            },
            Verdict::Conflict => Outcome::Dead {
                why: "conflict".into(),
            },
            Verdict::Rejected(reason) => Outcome::Dead {
                why: reason.word().into(),
            },
            Verdict::RetryLater => later("retry_later", false, self.delays.pause(6, random)),
        }
    }
}

/// Believes an answer only when it speaks of exactly what was sent, in that order.
pub fn read_answer(body: &[u8], sent: &[SubmissionId]) -> Reply {
    let Ok(answer) = serde_json::from_slice::<AnswerWire>(body) else {
        return Reply::Foreign;
    };
    let same = answer.v == 1
        && answer.verdicts.len() == sent.len()
        && answer
            .verdicts
            .iter()
            .zip(sent)
            .all(|(verdict, id)| verdict.id == *id);
    if same {
        Reply::Answer(answer)
    } else {
        Reply::Foreign
    }
}

/// Reads `Retry-After`: seconds, or an HTTP date seen from `now`.
pub fn read_retry_after(value: &str, now: Timestamp) -> Option<SignedDuration> {
    if let Ok(seconds) = value.trim().parse::<i64>() {
        return (seconds >= 0).then(|| SignedDuration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(value.trim()).ok()?.timestamp();
    Some(at.duration_since(now).max(SignedDuration::ZERO))
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
