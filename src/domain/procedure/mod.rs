//! The catalogue: which procedures a municipality offers, what each one asks for, and where it is done.
//!
//! The data are TOML files written by analysts (`catalogue/quito/README.md` explains every key); the names of the
//! metadata are those of CPSV-AP.
//! Nothing here reads a file, and nothing here fills a gap: a fact nobody confirmed stays [`Fact::Unconfirmed`] or
//! [`Fact::Unknown`], so that a face can say «por confirmar».
//! Begin at [`Catalogue::parse`].

use std::collections::HashMap;
use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::i18n::Language;

pub mod bundle;
mod load;
mod piece;
pub mod quito;
mod raw;
#[cfg(test)]
mod tests;
mod text;

pub use piece::CatalogueFinding;
pub use text::{Fact, Text};

macro_rules! slug {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The name `text`; whether such a thing exists only the catalogue knows.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

slug!(
    /// The identifier of a procedure, such as `consulta-impuesto-predial`.
    ProcedureId
);
slug!(
    /// The identifier of a category (CPSV-AP `thematic_area`), such as `tributos`.
    CategoryId
);
slug!(
    /// The identifier of a life event, such as `abrir-negocio`.
    LifeEventId
);
slug!(
    /// The identifier of a queue of the office, as the catalogue names it.
    QueueRef
);
slug!(
    /// The file name of an XLSForm under `procedures/`, such as `denuncia.xlsx`.
    FormFile
);

/// Every procedure of a municipality, read once and never changed while the program runs.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    title: Text,
    compiled: Option<Date>,
    sources: String,
    queues: Vec<CatalogueQueue>,
    categories: Vec<Category>,
    life_events: Vec<LifeEvent>,
    procedures: Vec<Procedure>,
    by_id: HashMap<ProcedureId, usize>,
}

impl Catalogue {
    /// Reads the files of a catalogue folder, each with its name and its text.
    ///
    /// `catalogue.toml` holds the categories, queues and life events; every other `.toml` file holds the procedures of
    /// one category; files of other kinds are passed over.
    /// An entry that cannot be trusted is left out and named in a finding; the rest still loads.
    pub fn parse(files: &[(&str, &str)]) -> (Self, Vec<CatalogueFinding>) {
        load::load(files)
    }

    /// The name of the catalogue.
    pub fn title(&self) -> &Text {
        &self.title
    }

    /// The day the facts were collected.
    pub fn compiled(&self) -> Option<Date> {
        self.compiled
    }

    /// Where the facts come from, in the words of those who collected them.
    pub fn sources(&self) -> &str {
        &self.sources
    }

    /// The queues procedures go to.
    pub fn queues(&self) -> &[CatalogueQueue] {
        &self.queues
    }

    /// The categories, in the order of the file.
    pub fn categories(&self) -> &[Category] {
        &self.categories
    }

    /// The life events, in the order of the home screen.
    pub fn life_events(&self) -> &[LifeEvent] {
        &self.life_events
    }

    /// Every procedure, also the internal ones, category by category.
    pub fn procedures(&self) -> &[Procedure] {
        &self.procedures
    }

    /// The procedures a citizen may see, by the Spanish alphabet of their shown names.
    pub fn alphabetical(&self, language: Language) -> Vec<&Procedure> {
        let mut all: Vec<_> = self.procedures.iter().filter(|p| !p.internal).collect();
        all.sort_by_cached_key(|p| super::search::fold(p.list_name(language)));
        all
    }

    /// The procedure of an identifier.
    pub fn procedure(&self, id: &ProcedureId) -> Option<&Procedure> {
        self.by_id.get(id).map(|&at| &self.procedures[at])
    }

    /// The category of an identifier.
    pub fn category(&self, id: &CategoryId) -> Option<&Category> {
        self.categories.iter().find(|c| &c.identifier == id)
    }

    /// The queue of an identifier.
    pub fn queue(&self, id: &QueueRef) -> Option<&CatalogueQueue> {
        self.queues.iter().find(|q| &q.identifier == id)
    }

    /// The life event of an identifier.
    pub fn life_event(&self, id: &LifeEventId) -> Option<&LifeEvent> {
        self.life_events.iter().find(|e| &e.identifier == id)
    }

    /// The procedures of a category that a citizen may see.
    pub fn in_category<'a>(&'a self, id: &'a CategoryId) -> impl Iterator<Item = &'a Procedure> {
        self.procedures
            .iter()
            .filter(move |p| !p.internal && &p.thematic_area == id)
    }

    /// The procedures of a life event, what to do first at the top.
    pub fn in_life_event(&self, id: &LifeEventId) -> Vec<&Procedure> {
        let Some(event) = self.life_event(id) else {
            return Vec::new();
        };
        event
            .procedures
            .iter()
            .filter_map(|id| self.procedure(id))
            .collect()
    }

    /// The `count` most asked procedures, the first rank first.
    pub fn top_ranked(&self, count: usize) -> Vec<&Procedure> {
        let mut ranked: Vec<_> = self.procedures.iter().filter(|p| p.rank.is_some()).collect();
        ranked.sort_by_key(|p| p.rank);
        ranked.truncate(count);
        ranked
    }

    /// The procedures that go to a queue.
    pub fn for_queue<'a>(&'a self, id: &'a QueueRef) -> impl Iterator<Item = &'a Procedure> {
        self.procedures.iter().filter(move |p| &p.queue == id)
    }

    /// Every form file that some procedure names, each once, so that the shell can check they are there.
    pub fn forms(&self) -> Vec<&FormFile> {
        let mut forms: Vec<_> = self.procedures.iter().filter_map(|p| p.form.as_ref()).collect();
        forms.sort();
        forms.dedup();
        forms
    }
}

/// A queue as the catalogue knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueQueue {
    /// Its name for procedures.
    pub identifier: QueueRef,
    /// The letter before the number: `T` of T-018.
    pub series: char,
    /// Its name for people.
    pub name: Text,
}

/// A part of the catalogue with procedures of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    /// Its name for procedures.
    pub identifier: CategoryId,
    /// Its name for people.
    pub name: Text,
    /// A Phosphor icon, without weight and ending.
    pub icon: String,
    /// The queues its procedures go to; the first one when a procedure names none.
    pub queues: Vec<QueueRef>,
}

/// Something that happens to a person, with the procedures it brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LifeEvent {
    /// Its name for faces.
    pub identifier: LifeEventId,
    /// Its name for people.
    pub name: Text,
    /// A Phosphor icon, without weight and ending.
    pub icon: String,
    /// What to do, the first thing first.
    pub procedures: Vec<ProcedureId>,
}

/// One procedure (trámite), as the municipality publishes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Procedure {
    /// Its name for programs, the same for ever.
    pub identifier: ProcedureId,
    /// Its official name.
    pub name: Text,
    /// What people call it, short enough for a row.
    pub short_name: Text,
    /// What it does, in one sentence.
    pub description: Text,
    /// What tickets, boards and paper say instead of the name, where the name would tell something private.
    pub neutral_label: Option<Text>,
    /// Whether the official name stays off the screen too.
    pub neutral_on_screen: bool,
    /// Its category.
    pub thematic_area: CategoryId,
    /// Who decides on it.
    pub has_competent_authority: String,
    /// Who may ask for it.
    pub is_for: Fact<Text>,
    /// How «Es para usted si…» goes on.
    pub eligibility: Fact<Text>,
    /// What a kiosk can do about it.
    pub kiosk_mode: KioskMode,
    /// Whether it is a matter between offices, which no citizen should be shown.
    pub internal: bool,
    /// The queue whose counters deal with it.
    pub queue: QueueRef,
    /// Whether a person at a counter has to take part.
    pub needs_turn: bool,
    /// Its place among the most asked, from 1.
    pub rank: Option<u16>,
    /// The form that carries it out here; without one, a person does.
    pub form: Option<FormFile>,
    /// Our estimate of the minutes it takes at the kiosk.
    pub minutes_here: Option<u16>,
    /// What it costs.
    pub has_cost: Fact<Cost>,
    /// How long the answer takes.
    pub processing_time: Fact<ProcessingTime>,
    /// What it asks for; empty when it asks for nothing.
    pub has_input: Vec<InputNeeded>,
    /// Where it can be done.
    pub has_channel: Vec<Channel>,
    /// What the citizen gets.
    pub produces: Fact<Text>,
    /// The norms it rests on, as far as a source names them.
    pub has_legal_resource: Vec<String>,
    /// What is good to know before beginning.
    pub advice: Option<Fact<Text>>,
    /// Everyday words people look for it with.
    pub keywords: Vec<String>,
    /// The code of the municipality's own list.
    pub official_code: Option<String>,
    /// The page it was taken from.
    pub source: Source,
    /// A remark for analysts, never shown to citizens.
    pub note: Option<String>,
}

impl Procedure {
    /// The name for the head of a screen.
    pub fn shown_name(&self, language: Language) -> &str {
        if self.neutral_on_screen {
            self.short_name.get(language)
        } else {
            self.name.get(language)
        }
    }

    /// The short name for a row of a list.
    pub fn list_name(&self, language: Language) -> &str {
        self.short_name.get(language)
    }

    /// The name for tickets, receipts and boards, which strangers can read.
    pub fn printed_name(&self, language: Language) -> &str {
        self.neutral_label
            .as_ref()
            .unwrap_or(&self.short_name)
            .get(language)
    }

    /// Whether its name would tell a stranger something private.
    pub fn is_sensitive(&self) -> bool {
        self.neutral_label.is_some()
    }
}

/// What a kiosk can do about a procedure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KioskMode {
    /// A form can be filled here, once somebody has written it.
    Form,
    /// A look-up in a system of the municipality.
    Query,
    /// A slip to pay elsewhere.
    PayReference,
    /// What to bring, and a turn.
    InfoTurn,
    /// A turn only: nothing is asked here.
    Turn,
    /// Only what there is to know.
    Info,
}

/// What a procedure costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cost {
    /// Nothing; faces have their own word for it.
    Free,
    /// As described, because an amount depends on the case.
    Described(Text),
}

/// How long the answer takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProcessingTime {
    /// At once; faces have their own word for it.
    Immediate,
    /// As described.
    Described(Text),
}

/// Something a procedure asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputNeeded {
    /// What it is.
    pub name: Text,
    /// A line of help under it.
    pub detail: Option<Text>,
    /// Who has it.
    pub who_has_it: Holder,
    /// Whether a source says so.
    pub confirmed: bool,
}

/// Who has what a procedure asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// The person in front of the kiosk.
    Citizen,
    /// An entity of the State; the law forbids asking the citizen for it again.
    State(String),
}

/// A way to carry out a procedure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Which way.
    pub kind: ChannelKind,
    /// A number, a place or a condition.
    pub detail: Option<Text>,
    /// Whether a source says so.
    pub confirmed: bool,
}

/// The ways to carry out a procedure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    /// At a counter.
    InPerson,
    /// On the web.
    Online,
    /// At a kiosk.
    Kiosk,
    /// By telephone.
    Phone,
    /// By e-mail.
    Email,
    /// By text message.
    Sms,
    /// By WhatsApp.
    Whatsapp,
    /// In the city's application.
    App,
    /// At a bank.
    Bank,
    /// With a card.
    Card,
    /// Through the entity's social media.
    SocialMedia,
    /// Between offices only.
    Internal,
}

/// The page a procedure was taken from, and how much it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its address.
    pub url: String,
    /// How much of the entry it supports.
    pub scope: SourceScope,
}

/// How much of an entry its source supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceScope {
    /// It describes the procedure, in part or in full.
    PartialOrFull,
    /// It only names it; the rest is our guess.
    NameOnly,
    /// It is common in municipalities of Ecuador; the page is context, not proof.
    Typical,
}
