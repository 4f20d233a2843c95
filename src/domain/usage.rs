//! What kiosks count: where forms end, and how people say it went.
//!
//! A count knows a day, a procedure, a step, an outcome and a number. No person, no answer, no time of day.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ticket::BusinessDate;

/// Forms of one procedure that ended in one way at one step.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize, ToSchema)]
pub struct UsageLine {
    /// The procedure's identifier.
    pub procedure: String,
    /// `question-3`, `review`, `lane` or `consent`.
    pub step: String,
    /// `sent`; `left`: the citizen ended it; `silent`: nobody was there any more.
    pub outcome: String,
    /// How many.
    pub count: u32,
}

/// Anonymous marks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize, ToSchema)]
pub struct Mark {
    /// 1 bad, 2 fair, 3 good.
    pub mark: u8,
    /// How many.
    pub count: u32,
}

/// Totals of a day at one kiosk, of whatever changed since it last told; a total never goes down.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize, ToSchema)]
pub struct KioskTotals {
    /// The kiosk's day.
    #[schema(value_type = String, format = Date)]
    pub date: BusinessDate,
    /// Where forms ended.
    #[serde(default)]
    pub lines: Vec<UsageLine>,
    /// How people said it went.
    #[serde(default)]
    pub marks: Vec<Mark>,
}

impl KioskTotals {
    /// A day of which there is nothing to tell.
    pub fn nothing(date: BusinessDate) -> Self {
        Self {
            date,
            lines: Vec::new(),
            marks: Vec::new(),
        }
    }
}
