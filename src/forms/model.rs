//! A form as read, with its expressions already parsed: what [`super::xform`] produces and [`super::compile`] checks.

use super::finding::Place;
use super::xpath::Expr;
use super::xpath::tree::{Cast, Tree};
use std::collections::HashMap;
use std::sync::Arc;

/// Index into [`Model::defs`].
pub type DefId = usize;

pub struct Model {
    pub title: String,
    pub id: String,
    pub version: String,
    /// The primary instance as written, with its repeat templates.
    pub template: Tree,
    /// For each node of `template`: its definition and whether it is a `jr:template`.
    pub template_info: Vec<(DefId, bool)>,
    pub defs: Vec<Def>,
    pub lists: Vec<(String, Tree)>,
    pub itext: Itext,
    pub body: Vec<Item>,
    pub controls: Vec<Control>,
    pub actions: Vec<Action>,
    /// Attributes of the root element to repeat in a submission.
    pub root_attributes: Vec<(String, String)>,
}

/// One field, group or repeat, whatever the number of its instances.
pub struct Def {
    pub name: Arc<str>,
    /// Name with its prefix, for the submission.
    pub written: String,
    pub parent: Option<DefId>,
    pub children: Vec<DefId>,
    pub path: String,
    pub repeat: bool,
    /// The node of `Model::template` that a new instance copies.
    pub prototype: u32,
    pub bind: Bind,
    pub line: u32,
}

#[derive(Default)]
pub struct Bind {
    pub data_type: DataType,
    pub relevant: Option<Expr>,
    pub required: Option<Expr>,
    pub readonly: Option<Expr>,
    pub constraint: Option<Expr>,
    pub calculate: Option<Expr>,
    pub constraint_message: Text,
    pub required_message: Text,
    /// `jr:preload` and `jr:preloadParams`.
    pub preload: Option<(String, String)>,
    pub line: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DataType {
    #[default]
    Text,
    Integer,
    Decimal,
    Boolean,
    Date,
    Time,
    DateTime,
    Barcode,
    Binary,
    Geo,
}

impl DataType {
    pub fn cast(self) -> Cast {
        match self {
            DataType::Integer | DataType::Decimal => Cast::Number,
            DataType::Boolean => Cast::Bool,
            DataType::Date => Cast::Date,
            DataType::DateTime => Cast::Moment,
            DataType::Text | DataType::Time | DataType::Barcode | DataType::Binary | DataType::Geo => {
                Cast::Text
            }
        }
    }
}

/// A label, hint or message.
#[derive(Default)]
pub enum Text {
    #[default]
    None,
    Inline(Vec<Piece>),
    /// `jr:itext('id')`
    Itext(String),
    /// `jr:itext(itextId)` or a path.
    Ref(Expr),
}

pub enum Piece {
    Text(String),
    Output(Expr),
}

#[derive(Default)]
pub struct Itext {
    pub languages: Vec<Language>,
    pub default: usize,
    /// For each id, one entry a language.
    pub texts: HashMap<String, Vec<Option<Entry>>>,
}

pub struct Language {
    /// As written: `Español (es)`.
    pub name: String,
    /// `es`
    pub code: String,
}

#[derive(Default)]
pub struct Entry {
    pub plain: Option<Vec<Piece>>,
    /// `form="short"`: what a list of answers calls the question.
    pub short: Option<Vec<Piece>>,
    pub guidance: Option<Vec<Piece>>,
}

impl Entry {
    fn is_a_dash(&self) -> bool {
        matches!(self.plain.as_deref(), Some([Piece::Text(text)]) if text.trim() == "-")
    }
}

/// A part of the screen flow.
pub enum Item {
    Control(usize),
    Group {
        def: Option<DefId>,
        label: Text,
        appearance: Vec<String>,
        children: Vec<Item>,
    },
    Repeat {
        def: DefId,
        label: Text,
        count: Option<Expr>,
        appearance: Vec<String>,
        children: Vec<Item>,
    },
}

pub struct Control {
    pub def: DefId,
    pub kind: ControlKind,
    pub appearance: Vec<String>,
    pub label: Text,
    pub hint: Text,
    /// A guidance hint written in the body (`form="guidance"` lives in itext).
    pub items: Items,
    pub range: Option<(f64, f64, f64)>,
    /// Whether an upload takes pictures.
    pub picture: bool,
    pub place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlKind {
    Input,
    SelectOne,
    SelectMultiple,
    Trigger,
    Range,
    Rank,
    Upload,
    Secret,
}

pub enum Items {
    None,
    Fixed(Vec<(String, Text)>),
    List {
        nodeset: Expr,
        value: Expr,
        label: Expr,
        /// Whether the nodeset has predicates, so that a chosen value can stop being offered.
        filtered: bool,
    },
}

/// A `setvalue`.
pub struct Action {
    pub target: DefId,
    pub value: ActionValue,
    pub first_load: bool,
    pub new_repeat: bool,
    /// The field whose change sets the value.
    pub on_change: Option<DefId>,
    pub place: Place,
}

pub enum ActionValue {
    Literal(String),
    Expr(Expr),
}

impl Model {
    pub fn def_at(&self, steps: &[&str]) -> Option<DefId> {
        let (first, rest) = steps.split_first()?;
        let mut at = self
            .defs
            .iter()
            .position(|d| d.parent.is_none() && &*d.name == *first)?;
        for step in rest {
            at = self.child_def(at, step)?;
        }
        Some(at)
    }

    pub fn child_def(&self, parent: DefId, name: &str) -> Option<DefId> {
        self.defs[parent]
            .children
            .iter()
            .copied()
            .find(|c| &*self.defs[*c].name == name)
    }

    /// The definitions from the root down to one.
    pub fn lineage(&self, def: DefId) -> Vec<DefId> {
        let mut chain = vec![def];
        while let Some(parent) = self.defs[chain[chain.len() - 1]].parent {
            chain.push(parent);
        }
        chain.reverse();
        chain
    }

    pub fn names(&self, def: DefId) -> Vec<String> {
        self.lineage(def)
            .iter()
            .map(|d| self.defs[*d].name.to_string())
            .collect()
    }
}

impl Itext {
    pub fn language(&self, code: &str) -> Option<usize> {
        let by_code = self
            .languages
            .iter()
            .position(|l| l.code.eq_ignore_ascii_case(code));
        by_code.or_else(|| self.languages.iter().position(|l| l.name == code))
    }

    /// The entry of an id in a language, or in the default one. Where a language has nothing, pyxform writes a dash;
    /// `dashes`: it is shown, as Collect shows it.
    pub fn entry(&self, id: &str, language: usize, dashes: bool) -> Option<&Entry> {
        let all = self.texts.get(id)?;
        let own = all
            .get(language)
            .and_then(Option::as_ref)
            .filter(|e| e.plain.is_some() || e.guidance.is_some())
            .filter(|e| dashes || !e.is_a_dash());
        own.or_else(|| all.get(self.default).and_then(Option::as_ref))
    }
}

/// `es` of `Español (es)`; a bare name is looked up, then kept.
pub fn language_code(name: &str) -> String {
    if let Some((_, rest)) = name.rsplit_once('(') {
        let code = rest.trim_end().trim_end_matches(')').trim();
        if !code.is_empty() {
            return code.to_lowercase();
        }
    }
    match name.trim().to_lowercase().as_str() {
        "español" | "espanol" | "spanish" | "castellano" => "es".to_owned(),
        "english" | "inglés" => "en".to_owned(),
        "kichwa" | "quichua" | "quechua" => "qu".to_owned(),
        other => other.to_owned(),
    }
}
