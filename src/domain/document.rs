//! What a paper says, before any printer is thought of.
//!
//! A [`Document`] is a list of blocks in reading order, each a role and not a size; the printer module
//! gives the roles their dots. The papers of the house are laid out in [`papers`] and [`service`] from
//! words the caller already translated. Nothing here knows a language, a printer or a clock, and no block can
//! carry a lane, a name or a whole identity number.

mod clean;
pub mod papers;
pub mod resume;
pub mod service;
mod text;

pub use clean::clean;
pub use papers::{
    ChecklistPaper, ChecklistWords, ReceiptPaper, ReceiptWords, TurnPaper, TurnWords, checklist, receipt,
    turn_ticket,
};
pub use resume::{ResumePaper, ResumeWords, resume};
pub use service::{PaymentPaper, PaymentWords, ReadinessPaper, payment, readiness};

/// Which of the house's papers a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentKind {
    /// The turn of a queue.
    TurnTicket,
    /// The proof that a form was handed in.
    Receipt,
    /// What to bring, printed from the page of a procedure.
    Checklist,
    /// What to pay and with which number.
    Payment,
    /// The code of a form that goes on later.
    Resume,
    /// A technician's sample.
    Readiness,
}

/// One paper: blocks in reading order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Which paper this is.
    pub kind: DocumentKind,
    /// Its parts, from the top.
    pub blocks: Vec<Block>,
}

/// One part of a paper, by its role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// The arch, the place and the kind of office.
    Header {
        /// Name of the office, large.
        place: String,
        /// Kind of office, below it.
        office_kind: String,
    },
    /// A line across the paper.
    Rule(Rule),
    /// What this paper is, in a few strong words.
    Title(String),
    /// The thing the title is about, such as the name of the procedure.
    Subject(String),
    /// The words over a big number.
    Lead(String),
    /// The small words over a code.
    Label(String),
    /// The heading of a group of pairs or steps.
    Section(String),
    /// A paragraph, left aligned and wrapped.
    Text(String),
    /// The number of a turn, as large as the paper allows.
    Number(String),
    /// A code to be read aloud or typed.
    Code(String),
    /// Labels on the left, values on the right.
    Pairs {
        /// The rows, from the top.
        rows: Vec<Pair>,
        /// How much air they get.
        air: Air,
    },
    /// Things to do, numbered from 1.
    Steps(Vec<String>),
    /// Things to have, each with an empty square to tick.
    Checks(Vec<String>),
    /// A QR code with paragraphs beside it.
    Qr {
        /// What the code says; ASCII, because some printers spoil the rest.
        payload: String,
        /// The paragraphs that explain it.
        beside: Vec<String>,
    },
    /// The small print: where it came from and whether it is the original.
    Foot(Vec<FootRow>),
}

/// How a rule is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Between the parts of a paper.
    Solid,
    /// Above the small print.
    Dashed,
}

/// How large a group of pairs is and how far its rows stand apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Air {
    /// Few rows that everybody reads.
    Roomy,
    /// A list of facts.
    Normal,
    /// A list inside a section.
    Close,
}

/// A label and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// What it is.
    pub label: String,
    /// How much, when or which.
    pub value: String,
}

impl Pair {
    /// Pairs `label` with `value`.
    pub fn new(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            value: value.into(),
        }
    }
}

/// One line of the small print.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FootRow {
    /// The left words.
    pub left: String,
    /// The right words; may be empty.
    pub right: String,
    /// Whether the right words are a mark that must be seen, such as that of a copy.
    pub is_marked: bool,
}

impl Document {
    /// The words of the paper as lines of plain text, for the `.txt` beside a picture and for a screen
    /// reader at the counter.
    pub fn to_text(&self) -> String {
        text::to_text(self)
    }
}
