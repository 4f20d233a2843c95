//! What happened in the office, in order, never changed afterwards.
//!
//! Every state of tickets, counters and lanes is a fold over these ([`super::office::Office::apply`]).
//! No event carries personal data.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::id::{SubmissionId, TicketId};
use super::office::settings::Settings;
use super::printing::{OrderOutcome, PaperOrder};
use super::queue::Decision;
use super::ticket::{
    BusinessDate, CounterNumber, KioskId, Lane, Place, QueueId, Series, is_default, time_text,
};
use super::usage::KioskTotals;

/// One fact of the office's day.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct OfficeEvent {
    /// Place in the office's history, from 1 without gaps.
    pub seq: u64,
    /// The office's wall clock when it was decided.
    #[serde(with = "time_text")]
    pub at: Timestamp,
    /// The open business day.
    pub business_date: BusinessDate,
    /// The ticket it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<TicketId>,
    /// The counter it happened at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counter: Option<CounterNumber>,
    /// The idempotency key of the command behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Who commanded it: the login of a person, the name of a token or of a kiosk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// The kinds of facts; in JSON, `type` names the kind.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum What {
    /// A business day began; numbers start again and counters are closed.
    DayOpened,
    /// Numbers of a series go on from `from`, because the earlier ones may be lost.
    SeriesContinued {
        /// The series.
        series: Series,
        /// First number that may be given online.
        from: u32,
        /// First number that may be leased.
        lease_from: u32,
        /// Why, for the people who read it.
        reason: String,
    },
    /// A block of numbers was promised to a kiosk.
    Leased {
        /// The kiosk.
        kiosk: KioskId,
        /// The queue asked for.
        queue: QueueId,
        /// The series of that queue.
        series: Series,
        /// First number of the block.
        from: u32,
        /// Last number of the block.
        to: u32,
    },
    /// A ticket came to be.
    Issued {
        /// Its series.
        series: Series,
        /// Its number as shown.
        number: String,
        /// Its number.
        n: u32,
        /// Its queue.
        queue: QueueId,
        /// Its lane.
        lane: Lane,
        /// Its place within the lane.
        #[serde(flatten)]
        place: Place,
        /// The appointment it is for.
        #[serde(with = "time_text::option", skip_serializing_if = "Option::is_none", default)]
        slot: Option<Timestamp>,
        /// The day of its number, which for a late arrival is not the open day.
        number_date: BusinessDate,
        /// When it was issued.
        #[serde(with = "time_text")]
        issued_at: Timestamp,
        /// Whether the number came from a lease.
        leased: bool,
        /// The kiosk.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        kiosk: Option<KioskId>,
        /// The form that goes with it.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        submission: Option<SubmissionId>,
        /// The ticket whose place it took.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        replaces: Option<TicketId>,
        /// People before it at that moment.
        ahead: u32,
        /// What we told the person about the wait.
        estimate: Option<Estimate>,
    },
    /// A counter claimed a ticket and the board announces it.
    Called {
        /// Its number as shown.
        number: String,
        /// Why this one.
        decision: Decision,
        /// Why out of turn, in the words of who did it.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        reason: Option<String>,
    },
    /// The announcement was repeated.
    Recalled {
        /// Its number as shown.
        number: String,
        /// How often it was announced by now.
        calls: u32,
    },
    /// The person is at the counter.
    Started,
    /// The attention ended.
    Finished {
        /// How it ended, if the agent said so.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        result: Option<String>,
    },
    /// The person did not come.
    NoShow,
    /// The ticket waits in another queue with the same number.
    Transferred {
        /// Where it was.
        from: QueueId,
        /// Where it waits.
        queue: QueueId,
        /// Its place there.
        #[serde(flatten)]
        place: Place,
    },
    /// The ticket was put aside.
    Parked {
        /// Why, in the agent's words.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        note: Option<String>,
    },
    /// A parked ticket was called back to a counter.
    Resumed {
        /// Its number as shown.
        number: String,
    },
    /// A ticket at a counter went back to its own place, because the counter was given up.
    Recycled,
    /// The person came back after an absence.
    Rejoined {
        /// Its new place.
        #[serde(flatten)]
        place: Place,
    },
    /// An appointment stands in its line from now on.
    Due {
        /// Its place: before the other preferred tickets, by the hour of the appointment.
        #[serde(flatten)]
        place: Place,
    },
    /// Staff put a ticket into another lane.
    LaneCorrected {
        /// Where it stood.
        from: Lane,
        /// Where it stands.
        lane: Lane,
        /// Its place there.
        #[serde(flatten)]
        place: Place,
    },
    /// A ticket of the day before goes on waiting, with its number and its place.
    CarriedOver {
        /// Its series.
        series: Series,
        /// Its number.
        n: u32,
        /// Its queue.
        queue: QueueId,
        /// Its lane.
        lane: Lane,
        /// Its place.
        #[serde(flatten)]
        place: Place,
        /// The day of its number.
        number_date: BusinessDate,
        /// When it was issued.
        #[serde(with = "time_text")]
        issued_at: Timestamp,
        /// Whether the number came from a lease.
        leased: bool,
        /// The kiosk.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        kiosk: Option<KioskId>,
        /// The form that goes with it.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        submission: Option<SubmissionId>,
        /// Whether it was put aside.
        parked: bool,
        /// Why it was put aside.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        note: Option<String>,
        /// When it was first called, so that its wait ended there.
        #[serde(with = "time_text::option", skip_serializing_if = "Option::is_none", default)]
        first_called_at: Option<Timestamp>,
        /// How often the person came back after an absence.
        #[serde(skip_serializing_if = "is_default", default)]
        returns: u32,
    },
    /// The ticket was given back.
    Cancelled {
        /// Why: `unprinted`, `replaced`, `by_person`, …
        reason: String,
    },
    /// The ticket's day ended before it did.
    Expired,
    /// A counter began to attend.
    CounterOpened,
    /// A counter takes a break.
    CounterPaused {
        /// Why.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        reason: Option<String>,
    },
    /// A counter stopped for the day.
    CounterClosed,
    /// A counter serves other queues until the end of the day.
    ProfileChanged {
        /// Name of the profile, under which contested calls are counted.
        profile: String,
        /// The queues of each tier.
        tiers: Vec<Vec<QueueId>>,
    },
    /// The system behind a queue does not work («sin sistema»).
    QueueDown {
        /// The queue.
        queue: QueueId,
        /// What people should know, in the words of staff.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        note: Option<String>,
    },
    /// It works again.
    QueueUp {
        /// The queue.
        queue: QueueId,
    },
    /// Staff give no more tickets for a queue today.
    QueueStopped {
        /// The queue.
        queue: QueueId,
    },
    /// They give tickets again.
    QueueResumed {
        /// The queue.
        queue: QueueId,
    },
    /// Somebody at a kiosk asked for a person.
    HelpAsked {
        /// The kiosk.
        kiosk: KioskId,
        /// Where they are, such as `question 3`; never what they answered.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        step: Option<String>,
    },
    /// Somebody of the staff goes there, or the person does not need it any more.
    HelpEnded {
        /// The kiosk.
        kiosk: KioskId,
        /// Whether somebody went.
        attended: bool,
    },
    /// Staff asked something of a kiosk's printers.
    PrinterOrdered {
        /// The kiosk.
        kiosk: KioskId,
        /// What.
        #[serde(flatten)]
        order: PaperOrder,
    },
    /// The kiosk said what became of it.
    PrinterObeyed {
        /// The kiosk.
        kiosk: KioskId,
        /// The event that asked.
        asked: u64,
        /// What became of it.
        outcome: OrderOutcome,
    },
    /// A kiosk told how many forms ended where on one of its days, and how people said it went.
    KioskCounted {
        /// The kiosk.
        kiosk: KioskId,
        /// The day's totals, of whatever changed.
        #[serde(flatten)]
        totals: KioskTotals,
    },
    /// An administrator changed the settings; what follows is decided under these.
    SettingsChanged {
        /// Their version.
        version: u64,
        /// All of them, so that the history explains itself.
        settings: Box<Settings>,
    },
    /// Staff looked at a masked answer; only its label is kept.
    Unmasked {
        /// The form.
        submission: String,
        /// The label of the answer.
        label: String,
    },
}

impl What {
    /// The kind, as in `type`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::DayOpened => "day_opened",
            Self::SeriesContinued { .. } => "series_continued",
            Self::Leased { .. } => "leased",
            Self::Issued { .. } => "issued",
            Self::Called { .. } => "called",
            Self::Recalled { .. } => "recalled",
            Self::Started => "started",
            Self::Finished { .. } => "finished",
            Self::NoShow => "no_show",
            Self::Transferred { .. } => "transferred",
            Self::Parked { .. } => "parked",
            Self::Resumed { .. } => "resumed",
            Self::Recycled => "recycled",
            Self::Rejoined { .. } => "rejoined",
            Self::Due { .. } => "due",
            Self::LaneCorrected { .. } => "lane_corrected",
            Self::CarriedOver { .. } => "carried_over",
            Self::Cancelled { .. } => "cancelled",
            Self::Expired => "expired",
            Self::CounterOpened => "counter_opened",
            Self::CounterPaused { .. } => "counter_paused",
            Self::CounterClosed => "counter_closed",
            Self::ProfileChanged { .. } => "profile_changed",
            Self::QueueDown { .. } => "queue_down",
            Self::QueueUp { .. } => "queue_up",
            Self::QueueStopped { .. } => "queue_stopped",
            Self::QueueResumed { .. } => "queue_resumed",
            Self::HelpAsked { .. } => "help_asked",
            Self::HelpEnded { .. } => "help_ended",
            Self::PrinterOrdered { .. } => "printer_ordered",
            Self::PrinterObeyed { .. } => "printer_obeyed",
            Self::KioskCounted { .. } => "kiosk_counted",
            Self::SettingsChanged { .. } => "settings_changed",
            Self::Unmasked { .. } => "unmasked",
        }
    }

    /// The number to announce, for events the waiting room must see and hear.
    pub fn announces(&self) -> Option<&str> {
        match self {
            Self::Called { number, .. } | Self::Recalled { number, .. } | Self::Resumed { number } => {
                Some(number)
            }
            Self::DayOpened
            | Self::SeriesContinued { .. }
            | Self::Leased { .. }
            | Self::Issued { .. }
            | Self::Started
            | Self::Finished { .. }
            | Self::NoShow
            | Self::Transferred { .. }
            | Self::Parked { .. }
            | Self::Recycled
            | Self::Rejoined { .. }
            | Self::Due { .. }
            | Self::LaneCorrected { .. }
            | Self::CarriedOver { .. }
            | Self::Cancelled { .. }
            | Self::Expired
            | Self::CounterOpened
            | Self::CounterPaused { .. }
            | Self::CounterClosed
            | Self::ProfileChanged { .. }
            | Self::QueueDown { .. }
            | Self::QueueUp { .. }
            | Self::QueueStopped { .. }
            | Self::QueueResumed { .. }
            | Self::HelpAsked { .. }
            | Self::HelpEnded { .. }
            | Self::PrinterOrdered { .. }
            | Self::PrinterObeyed { .. }
            | Self::KioskCounted { .. }
            | Self::SettingsChanged { .. }
            | Self::Unmasked { .. } => None,
        }
    }
}

/// A wait as a range in minutes, rounded to five.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Estimate {
    /// Least.
    pub from_minutes: u32,
    /// Most.
    pub to_minutes: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_survives_its_json_and_names_its_kind() {
        let event = OfficeEvent {
            seq: 7,
            at: Timestamp::UNIX_EPOCH,
            business_date: "2026-11-24".parse().expect("date"),
            ticket: None,
            counter: Some(CounterNumber(4)),
            cause: None,
            who: Some("agente".into()),
            what: What::CounterPaused {
                reason: Some("almuerzo".into()),
            },
        };
        let text = serde_json::to_string(&event).expect("json");
        insta::assert_snapshot!(text, @r#"{"seq":7,"at":"1970-01-01T00:00:00Z","business_date":"2026-11-24","counter":4,"who":"agente","type":"counter_paused","reason":"almuerzo"}"#);
        assert_eq!(serde_json::from_str::<OfficeEvent>(&text).expect("back"), event);
    }
}
