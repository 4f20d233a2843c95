//! What the citizen's screen shows, as data.
//!
//! A [`View`] is the whole screen: words already in the citizen's language, blocks from top to bottom, and for
//! every control the number of the [`Input`](super::Input) it gives. The Slint face lays it out, the voice reads
//! it in this order, and tests read it without a window. It holds no logic and outlives no change of state.

/// Number of an input in [`View::actions`](super::Session::view); controls carry it, faces give it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Action(pub u16);

/// Which kind of screen this is; its name is `face` in `view.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Face {
    /// The invitation, with the languages.
    Attract,
    /// Life events, most used, turn and code.
    Home,
    /// A list of procedures, or of categories.
    List,
    /// The search field with its results.
    Search,
    /// Cost, time and what to bring.
    Procedure,
    /// One question of a form.
    Question,
    /// The reason for a question, or the full notice.
    Notice,
    /// All answers, each to be changed.
    Review,
    /// What is sent, and what the citizen accepts.
    Consent,
    /// Being saved; nothing to touch.
    Saving,
    /// Registered, with code and turn.
    Success,
    /// Which queue.
    TurnQueue,
    /// Priority or general.
    TurnLane,
    /// The turn was taken.
    Turn,
    /// "Are you still there?".
    Idle,
    /// A person was called.
    Help,
    /// Letters, colours, voice, time, language.
    Accessibility,
    /// The citizen types a code.
    Code,
    /// How a case stands, or what to do about a fault.
    Answer,
    /// How it went, before everything is wiped.
    Satisfaction,
    /// The kiosk cannot serve now.
    OutOfService,
    /// Keep what was written, drop it, or go on.
    Leave,
    /// The screen is covered until touched.
    Covered,
    /// A technician's.
    Service,
}

impl Face {
    /// Whether somebody is at the screen while it shows.
    pub fn is_somebodys(self) -> bool {
        !matches!(self, Self::Attract | Self::OutOfService)
    }

    /// The stable name of the face in `view.json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Attract => "attract",
            Self::Home => "home",
            Self::List => "list",
            Self::Search => "search",
            Self::Procedure => "procedure",
            Self::Question => "question",
            Self::Notice => "notice",
            Self::Review => "review",
            Self::Consent => "consent",
            Self::Saving => "saving",
            Self::Success => "success",
            Self::TurnQueue => "turn-queue",
            Self::TurnLane => "turn-lane",
            Self::Turn => "turn",
            Self::Idle => "idle",
            Self::Help => "help",
            Self::Accessibility => "accessibility",
            Self::Code => "code",
            Self::Answer => "answer",
            Self::Satisfaction => "satisfaction",
            Self::OutOfService => "out-of-service",
            Self::Leave => "leave",
            Self::Covered => "covered",
            Self::Service => "service",
        }
    }
}

/// Words, and the Spanish that stands beside them when the citizen reads Kichwa.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// In the citizen's language.
    pub text: String,
    /// The same in Spanish, small, or empty.
    pub beside: String,
}

impl From<String> for Words {
    fn from(text: String) -> Self {
        Self {
            text,
            beside: String::new(),
        }
    }
}

/// A colour theme of `tokens.json`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// Dark words on lime-white paper.
    #[default]
    Normal,
    /// High contrast on black.
    Dark,
    /// High contrast on white.
    Clear,
}

/// The size of letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum TextSize {
    /// ×1.
    #[default]
    Normal,
    /// ×1.5.
    Large,
    /// ×2.
    Huge,
}

/// How fast and how loud the screen is read aloud; both from 1 to 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Voice {
    /// How fast.
    pub speed: u8,
    /// How loud.
    pub volume: u8,
}

impl Voice {
    /// The same, louder or softer by steps.
    #[must_use]
    pub fn louder(self, by: i8) -> Self {
        Self {
            volume: nudged(self.volume, by),
            ..self
        }
    }

    /// The same, faster or slower by steps.
    #[must_use]
    pub fn faster(self, by: i8) -> Self {
        Self {
            speed: nudged(self.speed, by),
            ..self
        }
    }
}

/// So many steps up or down between 1 and 5.
fn nudged(value: u8, by: i8) -> u8 {
    value.saturating_add_signed(by).clamp(1, 5)
}

impl Default for Voice {
    fn default() -> Self {
        Self { speed: 3, volume: 3 }
    }
}

/// A button: icon with words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Button {
    /// Name of an icon of `ui/icons`, without `-bold`; empty for none.
    pub icon: &'static str,
    /// What it does.
    pub words: Words,
    /// What a touch gives; without it the button is not available and its words say why.
    pub action: Option<Action>,
}

/// One thing to touch in a list or grid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// Icon name, or empty.
    pub icon: &'static str,
    /// Main words.
    pub words: Words,
    /// Smaller words: cost and time, or why it is needed.
    pub note: String,
    /// What a touch gives.
    pub action: Option<Action>,
    /// Whether it is chosen, checked or already at hand.
    pub chosen: bool,
}

/// A label with its value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fact {
    /// Icon name, or empty.
    pub icon: &'static str,
    /// What the value is.
    pub label: String,
    /// The value.
    pub value: String,
    /// Gives the place to change it, on the review page.
    pub change: Option<Action>,
}

/// The tone of a note: never told by colour alone, each has its icon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Worth knowing.
    #[default]
    Info,
    /// Done.
    Good,
    /// Attention.
    Warn,
    /// Something is wrong.
    Bad,
}

/// One part of the screen, from top to bottom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// The seven portals under the mountain.
    Drawing,
    /// The invitation in the largest letters.
    Display(String),
    /// A heading inside the screen.
    Heading(String),
    /// Running text.
    Text(String),
    /// Three short promises in a row, each with an icon.
    Promises(Vec<Item>),
    /// The languages; `words` is the language's name, `note` its "start".
    Languages(Vec<Item>),
    /// A field that opens the search.
    SearchBox(Item),
    /// Big tiles, two or three in a row.
    Tiles(Vec<Item>),
    /// Rows with a note and a caret.
    Rows(Vec<Item>),
    /// Cost, time, answer in a framed row.
    Facts(Vec<Fact>),
    /// What is needed: `chosen` means the city has it already.
    Checklist(Vec<Item>),
    /// A coloured note; the title may be empty.
    Note {
        /// Its tone.
        tone: Tone,
        /// Icon name.
        icon: &'static str,
        /// In bold.
        title: String,
        /// What to do, or what follows.
        text: String,
    },
    /// Answers of which one or several are chosen.
    Choices {
        /// Squares instead of rings.
        several: bool,
        /// The answers.
        items: Vec<Item>,
        /// The word that stands in a chosen answer.
        chosen_word: String,
    },
    /// Two or three very large answers, each with a note: priority or general, how it went.
    BigChoices(Vec<Item>),
    /// The field that the keyboard fills.
    Field {
        /// What is asked, short.
        label: String,
        /// What is typed, grouped for reading.
        value: String,
        /// Shown while nothing is typed.
        placeholder: String,
        /// "5 letras de 40", or empty.
        counter: String,
        /// Whether something is wrong with it.
        wrong: bool,
    },
    /// Day, month and year with more and less.
    Date(Vec<DatePart>),
    /// All choices in an order that the citizen makes with buttons.
    Ranking(Vec<Ranked>),
    /// A scale with its value, buttons for one step, and places to jump to.
    Scale(Scale),
    /// A pad to draw on with a finger.
    Sketch {
        /// What it is for.
        label: String,
        /// «Vacío» or «Firmado», for whoever listens.
        value: String,
        /// What is drawn: commands of a path on a pad of 1000 by 420 units.
        path: String,
        /// Stands on the pad while nothing is drawn.
        here: String,
    },
    /// The copies of a repeat.
    Cards(Vec<Card>),
    /// All answers.
    Review {
        /// Each with its way back.
        rows: Vec<Fact>,
        /// The word on each button.
        change_word: String,
    },
    /// A framed list of icon and text, with an optional button under it.
    Panel {
        /// Bold words over the lines, or empty.
        title: String,
        /// `words` in bold, `note` after it.
        lines: Vec<Item>,
        /// Two columns instead of one.
        columns: bool,
        /// Opens more.
        button: Option<Button>,
    },
    /// The turn's number in its panel.
    Number {
        /// "Su turno, Tributos".
        label: String,
        /// `T-018`.
        number: String,
        /// People before and waiting time.
        facts: Vec<Fact>,
    },
    /// The receipt's code with its QR.
    Code {
        /// What it is.
        label: String,
        /// `QT7M-4K2P`, or the words beside a photo's QR.
        code: String,
        /// What it is for.
        text: String,
        /// What the QR says; empty for no QR.
        qr: String,
    },
    /// The ring that empties.
    Countdown {
        /// Seconds left.
        left: u32,
        /// Seconds of the whole ring.
        of: u32,
        /// The word under the number.
        word: String,
    },
    /// One setting with its options.
    Setting {
        /// Icon name.
        icon: &'static str,
        /// What is set.
        label: String,
        /// The options, one chosen.
        options: Vec<Item>,
    },
    /// Less, place, more.
    Pager {
        /// Towards the beginning.
        before: Button,
        /// "1 de 4".
        place: String,
        /// Towards the end.
        after: Button,
    },
    /// Buttons that stand alone, side by side.
    Buttons(Vec<Button>),
}

/// A choice with its place in an order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranked {
    /// `1`, `2`…
    pub place: String,
    /// The choice.
    pub words: String,
    /// One place up; nothing for the first.
    pub up: Option<Action>,
    /// One place down; nothing for the last.
    pub down: Option<Action>,
    /// Words of the two buttons.
    pub up_word: String,
    /// Words of the two buttons.
    pub down_word: String,
}

/// A number on a scale.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scale {
    /// The chosen number, or a dash.
    pub value: String,
    /// One step towards the start.
    pub less: Button,
    /// One step towards the end.
    pub more: Button,
    /// Numbers to jump to; `chosen` up to the value, so that they fill like a slider.
    pub stops: Vec<Item>,
}

/// One copy of a repeat with what was answered in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Card {
    /// «1. Casa», or the question whether it goes.
    pub title: String,
    /// Its first answers.
    pub lines: Vec<Fact>,
    /// Opens it, or keeps it.
    pub change: Button,
    /// Takes it away, after asking once.
    pub remove: Button,
}

/// A column of the date.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatePart {
    /// Day, month, year.
    pub label: String,
    /// `24`, `noviembre`, `2026`, or a dash while nothing is chosen.
    pub value: String,
    /// One more.
    pub more: Option<Action>,
    /// One less.
    pub less: Option<Action>,
    /// Words of the two buttons.
    pub more_word: String,
    /// Words of the two buttons.
    pub less_word: String,
}

/// Which keys stand on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyboardKind {
    /// Letters with accents and ñ.
    Text,
    /// Letters with `@ . - _ .com`.
    Email,
    /// Digits only.
    Digits,
    /// Digits and the decimal comma.
    Money,
}

/// The keyboard under the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyboard {
    /// Which keys.
    pub kind: KeyboardKind,
    /// The next letter is a capital.
    pub shift: bool,
    /// The top row shows digits and signs instead of accents.
    pub digits: bool,
    /// Words of the special keys.
    pub words: KeyWords,
}

/// Words on the special keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyWords {
    /// «Mayús.».
    pub shift: String,
    /// «Borrar».
    pub back: String,
    /// «Borrar todo».
    pub clear: String,
    /// «Espacio».
    pub space: String,
}

/// Where the citizen is in a form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Short name of the procedure.
    pub name: String,
    /// «Pregunta 3 de 8», «Revisión».
    pub place: String,
    /// Steps behind; equal to `of` when all are done.
    pub done: u32,
    /// All steps.
    pub of: u32,
}

/// The whole screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Kind of screen.
    pub face: Face,
    /// `es`, `qu` or `en`.
    pub language: &'static str,
    /// Colours.
    pub theme: Theme,
    /// Letters.
    pub size: TextSize,
    /// Reads everything aloud, in this manner.
    pub voice: Option<Voice>,
    /// Headphones are in: nobody else hears the voice.
    pub headphones: bool,
    /// The screen shows nothing, and a finger brings it back.
    pub dark: bool,
    /// Everything that can be touched stands in the lower three fifths of the screen.
    pub reach: bool,
    /// Office name in the bar.
    pub place: String,
    /// Kind of office, kiosk, or opening hours.
    pub place_note: String,
    /// `10:08`.
    pub clock: String,
    /// «Sin conexión: se guarda aquí», or empty.
    pub offline: String,
    /// Covers the screen where personal data shows.
    pub cover: Option<Button>,
    /// Only in forms.
    pub progress: Option<Progress>,
    /// Small words over the title: area and entity.
    pub over_title: String,
    /// The question, or the name of the screen; a done mark stands before it on [`Face::Success`].
    pub title: Words,
    /// Help under the title.
    pub help: String,
    /// Reads the screen aloud.
    pub listen: Option<Button>,
    /// The content.
    pub blocks: Vec<Block>,
    /// The keyboard, when there is a field.
    pub keyboard: Option<Keyboard>,
    /// The way on.
    pub primary: Option<Button>,
    /// Stands beside the primary button.
    pub secondary: Option<Button>,
    /// Four buttons that never move; empty on a covered or saving screen.
    pub bottom: Vec<Button>,
}
