//! The kiosk's side of the office's API: numbers, queues, held blocks.
//!
//! Every call has a deadline. A citizen waits for [`Deadlines::number`] at the most; after it a held number serves.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::credential::Credential;
use crate::domain::id::{SubmissionId, TicketId};
use crate::domain::printing::{OrderOutcome, PaperOrder};

/// How long an answer may take.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    /// For a number, while a citizen waits: an office on the same network answers in 5 ms.
    pub number: Duration,
    /// For everything that nobody waits for.
    pub background: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            number: Duration::from_millis(400),
            background: Duration::from_secs(4),
        }
    }
}

/// Why the office did not give what was asked.
#[derive(Debug, thiserror::Error)]
pub enum OfficeError {
    /// It did not answer, or not in time: it may have done what was asked, or not.
    #[error("The office does not answer")]
    Unreachable(#[source] reqwest::Error),
    /// It answered that it will not.
    #[error("The office refused: {status} {detail}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Its stable word for programs, such as `queue_full`, or nothing.
        code: String,
        /// Its words, cut to a line.
        detail: String,
    },
}

impl OfficeError {
    /// Whether the office says that this device was taken out of service.
    pub fn is_revoked(&self) -> bool {
        matches!(self, Self::Refused { status: 403, code, .. } if code == "device_revoked")
    }

    /// Whether the same request will be refused for ever.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Refused { status, .. } if matches!(status, 400 | 404 | 409 | 422))
    }
}

/// A connection to one office.
#[derive(Clone, Debug)]
pub struct OfficeClient {
    http: reqwest::Client,
    base: String,
    credential: Credential,
    deadlines: Deadlines,
}

/// A ticket as the office tells it.
#[derive(Clone, Debug, Deserialize)]
pub struct TicketWire {
    /// Its id; the one we sent, where we sent one.
    pub id: TicketId,
    /// `T-018`.
    pub number: String,
    /// 18.
    pub n: u32,
    /// The office's day, `2026-11-24`.
    pub business_date: String,
    /// When.
    #[serde(with = "crate::domain::ticket::time_text")]
    pub issued_at: Timestamp,
    /// Turns before it.
    pub ahead: Option<u32>,
    /// Minutes of waiting, if the office can tell.
    pub estimate: Option<EstimateWire>,
}

/// A range of minutes.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct EstimateWire {
    /// From.
    pub from_minutes: u32,
    /// To.
    pub to_minutes: u32,
}

/// What is asked of the office.
#[derive(Clone, Debug, Serialize)]
pub struct IssueWire<'a> {
    /// Our id for it.
    pub id: TicketId,
    /// The queue.
    pub queue: &'a str,
    /// The lane.
    pub lane: &'a str,
    /// This kiosk.
    pub kiosk: &'a str,
    /// The form that goes with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submission: Option<SubmissionId>,
    /// The number, where it is from a held block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leased: Option<LeasedWire>,
    /// The key of the attempt that this one takes the place of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Uuid>,
}

/// A number from a held block.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct LeasedWire {
    /// 501.
    pub number: u32,
    /// When it was given.
    #[serde(with = "crate::domain::ticket::time_text")]
    pub issued_at: Timestamp,
}

/// A queue as the office tells it.
#[derive(Clone, Debug, Deserialize)]
pub struct QueueWire {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its letter.
    pub series: String,
    /// People waiting.
    pub waiting: Option<u32>,
    /// Counters that serve it now.
    pub open_counters: Option<u32>,
    /// Waiting time for somebody who comes now.
    pub estimate: Option<EstimateWire>,
    /// `open`, or why no tickets are given, such as `queue_full`.
    #[serde(default)]
    pub intake: String,
    /// When it gives tickets again.
    #[serde(default, with = "crate::domain::ticket::time_text::option")]
    pub opens: Option<Timestamp>,
    /// Whether the system behind it is down.
    #[serde(default)]
    pub down: bool,
    /// What staff say about that.
    #[serde(default)]
    pub note: Option<String>,
}

/// A turn of today by its number.
#[derive(Clone, Debug, Deserialize)]
pub struct TurnWire {
    /// Its id.
    pub id: TicketId,
    /// `T-018`.
    pub number: String,
    /// Public name of its queue.
    pub queue_name: String,
    /// `waiting`, `called`, `serving`, `parked`, `finished`, `no_show`, `cancelled` or `expired`.
    pub status: String,
    /// Turns before it, while it waits.
    pub ahead: u32,
    /// Minutes of waiting, if the office can tell.
    pub estimate: Option<EstimateWire>,
    /// The counter that calls it.
    pub counter: Option<u16>,
    /// Whether it may come back into the line.
    pub may_return: bool,
    /// Turns that go before it then.
    pub behind: u32,
}

/// How a printer is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PrinterWire {
    /// `first` or `second`.
    pub name: String,
    /// `ready`, `low`, `unknown`, or the word of what is wrong.
    pub state: String,
    /// Millimetres of paper that should be left.
    pub left_mm: u64,
    /// Papers of the usual length that should be left.
    pub papers_left: Option<u64>,
    /// Whether somebody should bring a roll.
    pub paper_low: bool,
}

/// What a kiosk counted on a day; each count is the day's total, so that telling it twice changes nothing.
#[derive(Clone, Debug, Serialize)]
pub struct UsageWire {
    /// The day.
    pub date: String,
    /// Where forms ended.
    pub lines: Vec<UsageLineWire>,
    /// How people said it went.
    pub marks: Vec<MarkWire>,
}

/// Forms of one procedure that ended in one way at one step.
#[derive(Clone, Debug, Serialize)]
pub struct UsageLineWire {
    /// The procedure.
    pub procedure: String,
    /// `question-3`, `review`, `lane` or `consent`.
    pub step: String,
    /// `sent`, `left` or `silent`.
    pub outcome: String,
    /// How many.
    pub count: u32,
}

/// Anonymous marks.
#[derive(Clone, Debug, Serialize)]
pub struct MarkWire {
    /// 1 bad, 2 fair, 3 good.
    pub mark: u8,
    /// How many.
    pub count: u32,
}

/// What staff ask of this kiosk's printers.
#[derive(Clone, Debug, Deserialize)]
pub struct OrderWire {
    /// Its number.
    pub asked: u64,
    /// What.
    #[serde(flatten)]
    pub order: PaperOrder,
    /// The turn of a copy.
    pub turn: Option<TurnOnPaperWire>,
    /// Whether it should still be done.
    pub open: bool,
}

/// What a turn ticket says.
#[derive(Clone, Debug, Deserialize)]
pub struct TurnOnPaperWire {
    /// `T-018`.
    pub number: String,
    /// Public name of its queue.
    pub queue_name: String,
    /// When it was issued.
    #[serde(with = "crate::domain::ticket::time_text")]
    pub issued_at: Timestamp,
}

/// A block of numbers.
#[derive(Clone, Debug, Deserialize)]
pub struct LeaseWire {
    /// The letter.
    pub series: String,
    /// First day it is good for.
    pub business_date: String,
    /// Last day it is good for.
    pub valid_through: String,
    /// First number.
    pub from: u32,
    /// Last number.
    pub to: u32,
}

impl OfficeClient {
    /// A client for the office at `base`, as the device that this proves.
    pub fn new(
        http: reqwest::Client,
        base: &str,
        credential: impl Into<Credential>,
        deadlines: Deadlines,
    ) -> Self {
        Self {
            http,
            base: base.trim_end_matches('/').to_owned(),
            credential: credential.into(),
            deadlines,
        }
    }

    /// Asks for a number while a citizen waits.
    pub async fn issue(&self, key: Uuid, wire: &IssueWire<'_>) -> Result<TicketWire, OfficeError> {
        self.post("/api/v1/tickets", Some(key), wire, self.deadlines.number)
            .await
    }

    /// Tells the office of a number that was given from a held block.
    pub async fn tell(&self, key: Uuid, wire: &IssueWire<'_>) -> Result<TicketWire, OfficeError> {
        self.post("/api/v1/tickets", Some(key), wire, self.deadlines.background)
            .await
    }

    /// Takes back a turn that is on no paper.
    pub async fn cancel(&self, key: Uuid, id: TicketId) -> Result<(), OfficeError> {
        let path = format!("/api/v1/tickets/{id}/cancel");
        let cancelled: Result<serde_json::Value, _> = self
            .post(
                &path,
                Some(key),
                &serde_json::json!({}),
                self.deadlines.background,
            )
            .await;
        match cancelled {
            // The office never had it, or it is over already: nobody will be called for it.
            Ok(_)
            | Err(OfficeError::Refused {
                status: 404 | 409, ..
            }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Asks for a block of numbers to hold.
    pub async fn lease(&self, kiosk: &str, queue: &str, count: u32) -> Result<LeaseWire, OfficeError> {
        let body = serde_json::json!({ "kiosk": kiosk, "queue": queue, "count": count });
        self.post("/api/v1/leases", None, &body, self.deadlines.background)
            .await
    }

    /// The queues as they stand.
    pub async fn queues(&self) -> Result<Vec<QueueWire>, OfficeError> {
        let request = self.http.get(format!("{}/api/v1/queues", self.base));
        self.answer(request.timeout(self.deadlines.background)).await
    }

    /// A turn of today by its number.
    pub async fn turn(&self, number: &str) -> Result<TurnWire, OfficeError> {
        let request = self.http.get(format!("{}/api/v1/turns/{number}", self.base));
        self.answer(request.timeout(self.deadlines.background)).await
    }

    /// Brings an absent person's turn back into the line.
    pub async fn rejoin(&self, key: Uuid, id: TicketId) -> Result<(), OfficeError> {
        let request = self
            .http
            .post(format!("{}/api/v1/tickets/{id}/rejoin", self.base))
            .header("Idempotency-Key", key.to_string());
        self.heard(request.timeout(self.deadlines.background)).await
    }

    /// Tells staff that somebody at this kiosk asks for a person.
    pub async fn call_help(&self, kiosk: &str, step: &str) -> Result<(), OfficeError> {
        let request = self
            .http
            .post(format!("{}/api/v1/kiosks/{kiosk}/help", self.base))
            .json(&serde_json::json!({ "step": step }));
        self.heard(request.timeout(self.deadlines.background)).await
    }

    /// Whether somebody of the staff is on the way to this kiosk.
    pub async fn help_comes(&self, kiosk: &str) -> Result<bool, OfficeError> {
        #[derive(Deserialize)]
        struct Wire {
            state: String,
        }
        let request = self.http.get(format!("{}/api/v1/kiosks/{kiosk}/help", self.base));
        let wire: Wire = self.answer(request.timeout(self.deadlines.background)).await?;
        Ok(wire.state == "coming")
    }

    /// Takes the call for a person back.
    pub async fn end_help(&self, kiosk: &str) -> Result<(), OfficeError> {
        let request = self
            .http
            .post(format!("{}/api/v1/kiosks/{kiosk}/help/end", self.base));
        self.heard(request.timeout(self.deadlines.background)).await
    }

    /// What staff ask of this kiosk's printers.
    pub async fn orders(&self, kiosk: &str) -> Result<Vec<OrderWire>, OfficeError> {
        let request = self
            .http
            .get(format!("{}/api/v1/kiosks/{kiosk}/orders", self.base));
        self.answer(request.timeout(self.deadlines.background)).await
    }

    /// Tells what became of an order.
    pub async fn obeyed(&self, kiosk: &str, asked: u64, outcome: OrderOutcome) -> Result<(), OfficeError> {
        let request = self
            .http
            .post(format!("{}/api/v1/kiosks/{kiosk}/orders/{asked}", self.base))
            .json(&serde_json::json!({ "outcome": outcome }));
        self.heard(request.timeout(self.deadlines.background)).await
    }

    /// Tells what was counted on a day.
    pub async fn usage(&self, kiosk: &str, wire: &UsageWire) -> Result<(), OfficeError> {
        let request = self
            .http
            .post(format!("{}/api/v1/kiosks/{kiosk}/usage", self.base))
            .json(wire);
        self.heard(request.timeout(self.deadlines.background)).await
    }

    /// Tells how this kiosk's printers are.
    pub async fn health(&self, kiosk: &str, printers: &[PrinterWire]) -> Result<(), OfficeError> {
        let request = self
            .http
            .post(format!("{}/api/v1/kiosks/{kiosk}/health", self.base))
            .json(&serde_json::json!({ "printers": printers }));
        self.heard(request.timeout(self.deadlines.background)).await
    }

    /// The office's rule and names, as the board shows them.
    pub async fn board(&self) -> Result<serde_json::Value, OfficeError> {
        let request = self.http.get(format!("{}/api/v1/board", self.base));
        self.answer(request.timeout(self.deadlines.background)).await
    }

    /// Sends what nobody waits for with bated breath, and reads the answer.
    pub(super) async fn send_in<B: Serialize, T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> Result<T, OfficeError> {
        self.post(path, None, body, self.deadlines.background).await
    }

    /// Tells something that has no body and no answer.
    pub(super) async fn tell_plain(&self, path: &str) -> Result<(), OfficeError> {
        let request = self.http.post(format!("{}{path}", self.base));
        self.heard(request.timeout(self.deadlines.background)).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<reqwest::Response, OfficeError> {
        let sent = self.credential.send(&self.http, request).await;
        sent.map_err(OfficeError::Unreachable)
    }

    async fn answer<T: serde::de::DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<T, OfficeError> {
        read(self.send(request).await?).await
    }

    async fn heard(&self, request: reqwest::RequestBuilder) -> Result<(), OfficeError> {
        heard(self.send(request).await?).await
    }

    async fn post<B: Serialize, T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        key: Option<Uuid>,
        body: &B,
        deadline: Duration,
    ) -> Result<T, OfficeError> {
        let mut request = self.http.post(format!("{}{path}", self.base)).json(body);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key.to_string());
        }
        self.answer(request.timeout(deadline)).await
    }
}

async fn read<T: serde::de::DeserializeOwned>(response: reqwest::Response) -> Result<T, OfficeError> {
    let status = response.status();
    if !status.is_success() {
        let text = response.text().await.unwrap_or_default();
        let problem: ProblemWire = serde_json::from_str(&text).unwrap_or_default();
        let detail = if problem.detail.is_empty() {
            text
        } else {
            problem.detail
        };
        return Err(OfficeError::Refused {
            status: status.as_u16(),
            code: problem.code,
            detail: detail.chars().take(200).collect(),
        });
    }
    response.json().await.map_err(OfficeError::Unreachable)
}

/// What is answered with a word or with nothing at all.
async fn heard(response: reqwest::Response) -> Result<(), OfficeError> {
    if response.status().is_success() {
        return Ok(());
    }
    let status = response.status().as_u16();
    let text = response.text().await.unwrap_or_default();
    let problem: ProblemWire = serde_json::from_str(&text).unwrap_or_default();
    Err(OfficeError::Refused {
        status,
        code: problem.code,
        detail: problem.detail.chars().take(200).collect(),
    })
}

/// A problem, as far as we read it.
#[derive(Default, Deserialize)]
struct ProblemWire {
    #[serde(default)]
    code: String,
    #[serde(default)]
    detail: String,
}
