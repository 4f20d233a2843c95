//! What goes into a session and what comes out.

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use crate::domain::desk::CaseStatus;
use crate::domain::id::{SubmissionId, TicketId};
use crate::domain::procedure::{CategoryId, LifeEventId, ProcedureId};
use crate::domain::redacted::Redacted;
use crate::domain::resume::{DraftId, ResumeCode};
use crate::domain::ticket::Lane;
use crate::i18n::Language;

use super::Setup;
use super::form::KeptForm;
use super::service::{ServiceAct, ServiceLook};
use super::view::{TextSize, Theme, Tone, Voice};

/// What happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// A second passed.
    Tick,
    /// The world around the kiosk changed.
    Surroundings(Box<Surroundings>),
    /// A newer catalogue is ready; it is taken when nobody is at the screen.
    Offered(Arc<Setup>),
    /// The commit that was asked for ended.
    Saved(Box<Saved>),
    /// The papers of this act came out, or did not.
    Printed {
        /// Whether all came out as far as we know.
        ok: bool,
    },
    /// How far the case is that was asked for.
    FarFound(Box<CaseFar>),
    /// The answer to a code.
    Found(Box<CaseLook>),
    /// The answer to a turn's number, or to the wish to come back.
    TurnFound(Box<TurnFound>),
    /// The answer to the code of a form that was stopped.
    KeptFound(Box<KeptFound>),
    /// Whether the office heard that somebody asks for a person.
    HelpHeard {
        /// It did; otherwise nobody there knows.
        ok: bool,
    },
    /// Somebody of the staff said that they go to the person here.
    HelpComes,
    /// How the kiosk is, for the technician.
    ServiceLook(Box<ServiceLook>),
    /// What the technician asked for is done, or could not be.
    ServiceDone {
        /// It is done.
        ok: bool,
    },

    /// A language was chosen on the invitation.
    Start(Language),
    /// To the start page.
    Home,
    /// One step back.
    Back,
    /// The citizen ends the session.
    Finish,
    /// A life event of the catalogue.
    LifeEvent(LifeEventId),
    /// All categories.
    Categories,
    /// One category.
    Category(CategoryId),
    /// One page on or back in a list.
    Page(i32),
    /// This page of the choices, from 0.
    ToPage(usize),
    /// One sheet on or back on a screen that does not fit in large letters.
    Sheet(i32),
    /// The search.
    OpenSearch,
    /// One procedure.
    Procedure(ProcedureId),
    /// The list of what it needs, on paper.
    PrintList,
    /// The first question.
    StartForm,
    /// A turn for a queue, or the choice of one.
    TakeTurn(Option<String>),
    /// Letters from a keyboard.
    Typed(String),
    /// A special key.
    Key(Key),
    /// The answer with this position.
    Choose(usize),
    /// "I have none."
    NoAnswer,
    /// The choice in this place of the order goes one place up.
    Up(usize),
    /// The choice in this place of the order goes one place down.
    Down(usize),
    /// This many steps from the start of a scale.
    Scale(usize),
    /// A stroke of a finger, in the units of [`crate::domain::sketch`].
    Stroke(Vec<crate::domain::sketch::Point>),
    /// What was drawn goes.
    Erase,
    /// It is signed, or brought, at the counter.
    AtCounter,
    /// One question of a page of several.
    Ask(u32),
    /// The answer with this position to a question of a page of several.
    Pick(u32, usize),
    /// One more copy of the repeat.
    AddCopy,
    /// The copy of the repeat with this number, from 1.
    OpenCopy(usize),
    /// Whether the copy with this number may go; `0` keeps it.
    RemoveCopy(usize),
    /// It goes.
    RemoveNow,
    /// On to the next step.
    Continue,
    /// The reason for the question.
    Why,
    /// Back from a notice.
    Understood,
    /// Change the answer in this position of the review.
    Change(usize),
    /// Tick or untick a consent.
    Consent(usize),
    /// The whole privacy notice.
    FullNotice,
    /// Confirm and send.
    Send,
    /// Keep the form and go on with it later.
    Keep,
    /// The queue for a turn.
    Queue(String),
    /// The lane for a turn.
    Lane(Lane),
    /// Print once more, marked as a copy.
    PrintCopy,
    /// How it went: 1 bad, 2 fair, 3 good; 0 for no answer.
    Rate(u8),
    /// See how far the case is whose code was typed.
    HowFar,
    /// The field for a code.
    EnterCode,
    /// The field for the number of a turn that was called in vain.
    Missed,
    /// Back into the line with the turn that was found.
    Rejoin,
    /// More time, please.
    MoreTime,
    /// End now, from the question about time.
    EndNow,
    /// A person, please.
    Help,
    /// No person is needed any more.
    HelpEnd,
    /// Letters, colours, time, language.
    Accessibility,
    /// Letters, colours, time or language as chosen.
    Comfort(Comfort),
    /// Read the screen aloud once more, or from now on.
    Listen,
    /// Headphones are in the socket, or not any more.
    Headphones(bool),
    /// The voice louder or softer by steps.
    Louder(i8),
    /// The voice faster or slower by steps.
    Faster(i8),
    /// A finger on a dark screen: it shows again.
    Light,
    /// Hide the screen.
    Cover,
    /// Close what lies over the screen.
    Close,
    /// A technician wants in.
    Knock,
    /// The technician wants something done.
    Service(ServiceAct),
    /// The technician wants the self-test.
    SelfTest,
}

/// A special key of the on-screen keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// The next letter is a capital.
    Shift,
    /// Erases one letter.
    Back,
    /// Erases all.
    Clear,
    /// Letters or digits in the top row.
    Digits,
    /// Confirms, as «Continuar» does.
    Enter,
}

/// How this person reads best; the next one begins anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Comfort {
    /// Language of the screen.
    pub language: Language,
    /// Size of letters.
    pub size: TextSize,
    /// Colours.
    pub theme: Theme,
    /// Reads the screen aloud.
    pub voice: Option<Voice>,
    /// Everything to touch in the lower three fifths, for whoever sits.
    pub reach: bool,
    /// No time limit, within reason.
    pub unhurried: bool,
    /// The screen shows nothing: only whoever has the headphones knows what it says.
    pub dark: bool,
}

/// What the session may know of the world.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Whether the way to the municipality is closed just now.
    pub offline: bool,
    /// Whether nothing can be saved: refuse before anybody types.
    pub storage_full: bool,
    /// Whether the kiosk must not serve at all.
    pub out_of_service: bool,
    /// Whether this kiosk has a voice.
    pub voice: bool,
    /// At most this many priority turns in a row.
    pub priority_run: u8,
    /// Days for which the office keeps a form that was stopped; 0 where it keeps none.
    pub draft_days: u32,
    /// The queues of the office.
    pub queues: Vec<QueueLook>,
}

/// A queue as the kiosk knows it.
#[derive(Clone, Debug, Default)]
pub struct QueueLook {
    /// Its id.
    pub id: String,
    /// «Tributos».
    pub name: String,
    /// People waiting, if the office says.
    pub waiting: Option<u32>,
    /// Whether a counter serves it; unknown when the office is out of reach.
    pub open: Option<bool>,
    /// Minutes, from and to.
    pub wait: Option<(u32, u32)>,
    /// Why it gives no tickets now; nothing where it does, or where nobody can tell.
    pub shut: Option<Shut>,
    /// The system behind it is down, with what staff say about it, or an empty text.
    pub down: Option<String>,
}

/// Why a queue gives no tickets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shut {
    /// Outside the hours.
    Closed {
        /// When it gives tickets again, if known.
        opens: Option<Timestamp>,
    },
    /// The day's tickets are given.
    Full,
    /// Whoever came now would still wait at closing time.
    TooLate,
    /// Staff stopped it for today.
    Stopped,
}

/// Why somebody who wished for a turn has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoTurn {
    /// No number was to be had: the office does not answer and no held one is left.
    NoNumber,
    /// The queue gives none.
    Shut(Shut),
}

/// A turn that is wanted.
#[derive(Clone, Debug)]
pub struct TurnWish {
    /// Names this wish for ever, so that asking twice gives one turn.
    pub request: Uuid,
    /// Which queue.
    pub queue: String,
    /// Which lane; never printed, never shown.
    pub lane: Lane,
    /// Language of the paper.
    pub language: Language,
}

/// A confirmed form, ready to be sealed.
#[derive(Clone, Debug)]
pub struct SubmitRequest {
    /// Made when the form was opened, so that a double tap is one submission.
    pub attempt: SubmissionId,
    /// The procedure's identifier.
    pub procedure: ProcedureId,
    /// The form's id and version.
    pub form: (String, String),
    /// Language in which it was filled.
    pub language: Language,
    /// The instance as XML.
    pub instance: Redacted<String>,
    /// The answers as shown.
    pub answers: Vec<AnswerRow>,
    /// Signatures.
    pub attachments: Vec<Attachment>,
    /// What the form computed for the citizen.
    pub result: Option<ResultBox>,
    /// Each consent that was asked.
    pub consents: Vec<ConsentGiven>,
    /// The draft that it was opened from, which is used by this.
    pub resumed: Option<DraftId>,
    /// The turn that goes with it.
    pub turn: Option<TurnWish>,
}

/// A consent and its answer.
#[derive(Clone, Debug)]
pub struct ConsentGiven {
    /// Key of its words.
    pub key: &'static str,
    /// The words that were shown.
    pub text: String,
    /// Whether it was ticked.
    pub accepted: bool,
}

/// An answer as the citizen reviewed it.
#[derive(Clone, Debug)]
pub struct AnswerRow {
    /// Name of the question in the form.
    pub name: String,
    /// The question, short.
    pub label: String,
    /// The answer in words.
    pub value: Redacted<String>,
    /// Whether it is shown masked.
    pub masked: bool,
    /// Whether the paper may carry it (masked where `masked`): amounts and years do, stories do not.
    pub on_paper: bool,
    /// Whether the citizen still brings or signs it at the counter; the receipt says so.
    pub at_counter: bool,
    /// Whether it is a signature.
    pub signs: bool,
}

/// A file that goes with a submission and is sealed with it.
#[derive(Clone, Debug)]
pub struct Attachment {
    /// The name that the form's answer says.
    pub name: String,
    /// `image/svg+xml`.
    pub media_type: &'static str,
    /// What is in it.
    pub data: Redacted<String>,
}

/// What a form found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultBox {
    /// Good, info, warning or bad.
    pub tone: Tone,
    /// In a few words.
    pub title: String,
    /// With its arithmetic.
    pub text: String,
}

/// How a commit ended.
#[derive(Clone, Debug)]
pub enum Saved {
    /// A submission is on the disk.
    Submission {
        /// `QT7M-4K2P`.
        code: String,
        /// The signed receipt for the QR.
        qr: String,
        /// Wall time of the commit, `10:15`.
        time: String,
        /// The turn, if one was wanted.
        turn: Option<Result<TurnLook, NoTurn>>,
        /// How many papers are being printed.
        papers: u8,
    },
    /// A turn is on the disk.
    Turn(TurnLook),
    /// No number was to be had; nobody invents one.
    NoTurn {
        /// The queue's id.
        queue: String,
        /// Why.
        why: NoTurn,
    },
    /// A form is kept for later.
    Kept {
        /// `QT7M-4K2P`.
        code: String,
        /// Until the end of that day.
        until: Timestamp,
    },
    /// It is not kept.
    NotKept(NotKept),
    /// Nothing was saved: an analyst looks at a form.
    Preview,
    /// The disk is full; nothing was saved.
    Full,
    /// Another fault; nothing was promised.
    Failed,
    /// The list of requirements went to the printer, or did not.
    List {
        /// Whether it came out.
        ok: bool,
    },
}

/// Why a form is not kept for later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotKept {
    /// The office does not answer.
    Offline,
    /// The office keeps none, or no more of them.
    Refused,
    /// It is too large.
    TooLarge,
}

/// A form to keep for later.
#[derive(Clone, Debug)]
pub struct KeepRequest {
    /// What is sealed.
    pub form: KeptForm,
    /// What opens it, with the code.
    pub digits: Redacted<String>,
    /// The draft whose place it takes.
    pub replaces: Option<DraftId>,
    /// Language of the paper.
    pub language: Language,
}

/// What is found under the code of a form that was stopped.
#[derive(Clone, Debug)]
pub enum KeptFound {
    /// The form.
    Open {
        /// What was sealed.
        form: Box<KeptForm>,
        /// Its name at the office.
        id: DraftId,
    },
    /// The digits are wrong; so many tries are left.
    Wrong {
        /// Tries left.
        left: u32,
    },
    /// Shut after wrong digits.
    Shut {
        /// Until then.
        until: Timestamp,
    },
    /// It was used, or kept anew under another code.
    Used,
    /// Its time is over.
    Over,
    /// There is none of this code.
    Unknown,
    /// The office does not answer.
    Offline,
}

/// A turn as the citizen sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnLook {
    /// `T-018`.
    pub number: String,
    /// «Tributos».
    pub queue: String,
    /// Turns before this one, if known.
    pub ahead: Option<u32>,
    /// Minutes, from and to, if known.
    pub wait: Option<(u32, u32)>,
    /// What the QR says.
    pub qr: String,
}

/// A turn of today by its number, as the office tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TurnFound {
    /// It is in the line.
    Waiting {
        /// The turn.
        turn: TurnLook,
        /// It has just come back.
        back: bool,
    },
    /// It is being called, or attended.
    Called {
        /// `T-018`.
        number: String,
        /// Where.
        counter: Option<u16>,
    },
    /// It was called in vain and may come back.
    Absent {
        /// Its id.
        ticket: TicketId,
        /// `T-018`.
        number: String,
        /// «Tributos».
        queue: String,
        /// How many turns go before it then.
        behind: u32,
    },
    /// It was called in vain too long ago, or too often.
    TooLate {
        /// `T-018`.
        number: String,
    },
    /// It is over.
    Over {
        /// `T-018`.
        number: String,
    },
    /// No turn of today has this number.
    Unknown {
        /// As it was typed.
        number: String,
    },
    /// The office could not be asked.
    Offline,
}

/// Where somebody was in a form when it ended; it counts, and knows nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageMark {
    /// The procedure.
    pub procedure: ProcedureId,
    /// `question-3`, `review`, `lane` or `consent`.
    pub step: String,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a form ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was sent.
    Sent,
    /// The citizen ended it.
    Left,
    /// Nobody was there any more.
    Silent,
}

impl Outcome {
    /// The word used in the store and in the API.
    pub fn code(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Left => "left",
            Self::Silent => "silent",
        }
    }
}

/// What is known of a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseLook {
    /// The municipality has it.
    Arrived {
        /// The procedure's name.
        procedure: String,
        /// When the citizen confirmed, in words.
        registered: String,
        /// When it arrived, in words.
        received: String,
    },
    /// It waits here to be sent.
    Here {
        /// The procedure's name.
        procedure: String,
        /// When the citizen confirmed, in words.
        registered: String,
    },
    /// Nobody knows it.
    Unknown,
    /// Nobody could be asked.
    Offline,
}

/// How far a case is, as its citizen may know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseFar {
    /// The digits fit.
    Known {
        /// How far; nothing where its content is over and erased.
        status: Option<CaseStatus>,
        /// `#` and a word of [`crate::domain::desk::NOTES`], or staff's own words.
        note: Option<String>,
        /// Since when, in words.
        since: String,
    },
    /// The digits are not those of this case.
    WrongDigits,
    /// They were wrong too often.
    TooOften,
    /// The municipality has it, and nobody looked at it yet.
    NotYet,
    /// Nobody could be asked.
    Offline,
}

/// What to do.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Seal, commit, print, and answer with [`Input::Saved`].
    Submit(Box<SubmitRequest>),
    /// Get a number, commit, print, and answer with [`Input::Saved`].
    IssueTurn(TurnWish),
    /// Seal, hand to the office, print the code, and answer with [`Input::Saved`].
    KeepForm(Box<KeepRequest>),
    /// Ask the office for a form that was stopped, and answer with [`Input::KeptFound`].
    OpenKept {
        /// Its code.
        code: ResumeCode,
        /// The digits.
        digits: Redacted<String>,
    },
    /// Print the list of requirements.
    PrintList {
        /// Of this procedure.
        procedure: ProcedureId,
        /// In this language.
        language: Language,
    },
    /// Print the papers of the last act again, marked as copies.
    PrintCopy,
    /// Ask about a code.
    LookUp {
        /// Eight characters, normalised.
        code: String,
    },
    /// Ask how far a case is, and answer with [`Input::FarFound`].
    AskFar {
        /// Eight characters, normalised.
        code: String,
        /// The last digits of the identity number.
        digits: Redacted<String>,
    },
    /// Ask about a turn of today.
    LookUpTurn {
        /// `T-018`.
        number: String,
    },
    /// Bring a turn back into the line, and answer with [`Input::TurnFound`].
    Rejoin {
        /// Names this wish, so that asking twice moves the turn once.
        request: Uuid,
        /// Which turn.
        ticket: TicketId,
        /// `T-018`.
        number: String,
    },
    /// Tell the office that somebody asks for a person, and answer with [`Input::HelpHeard`].
    CallHelp {
        /// Kind of screen or question; never an answer.
        step: String,
    },
    /// Nobody asks for a person any more.
    EndHelp,
    /// Read the screen aloud; the face that has the voice does.
    ReadAloud,
    /// Count where a form ended.
    Count(UsageMark),
    /// Count an anonymous mark.
    Rate(u8),
    /// Do it for the technician; [`Input::ServiceLook`] or [`Input::ServiceDone`] answers.
    Service(ServiceAct),
    /// Nothing of the last citizen is left here; the shell drops its part too.
    Wiped,
    /// The session serves with the catalogue of this name from here on; what it handed over before is of the last one.
    Adopted {
        /// [`Setup::edition`].
        edition: String,
    },
}
