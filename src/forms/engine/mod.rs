//! A running form: one citizen's answers, recalculated after each change.
//!
//! Never performs IO and never reads a clock: the moment, the seed and the ids come with [`Env`]. Answers are
//! overwritten when the engine is dropped and appear in no `Debug` output. Where engines differ, JavaRosa (ODK Collect)
//! is followed: a value that is not relevant is kept but absent from every expression and from the submission.
//! Begin with [`Engine::new`] and [`Engine::set`].

mod check;
mod course;
mod instance;
mod recalc;
pub mod review;
mod submission;
mod texts;
mod view;

pub use check::Violation;
pub use course::{CopyOf, Stop};
pub use view::{Answer, Choice, Kind, Question, RepeatView};

use super::form::Form;
use super::limits;
use super::model::DefId;
use super::xpath::eval::{EvalError, Patterns, Scope};
use super::xpath::tree::{Forest, Tree};
use instance::Instance;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use zeroize::Zeroize;

/// Everything impure that a form may ask for.
#[derive(Clone)]
pub struct Env {
    /// The moment, in the zone of the office.
    pub now: jiff::ZonedDateTime,
    /// The seed of `random()`, `randomize()` and `uuid()`.
    pub seed: u64,
    /// A UUID, with or without `uuid:`.
    pub instance_id: String,
    /// What `deviceid` fields are filled with.
    pub device_id: String,
}

/// One node of one citizen's form. It stays valid while its repeat instance lives and is never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QuestionId(u32);

impl QuestionId {
    /// The number, for a face that must pass it through a text interface.
    pub fn index(self) -> u32 {
        self.0
    }

    /// The question of a number from [`QuestionId::index`].
    pub fn from_index(index: u32) -> QuestionId {
        QuestionId(index)
    }
}

/// Why the engine could not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The path names nothing in the form as it stands.
    #[error("The form has no field {path}")]
    NoSuchField {
        /// The path asked for.
        path: String,
    },
    /// Groups have no value.
    #[error("{path} is a group and takes no value")]
    NotAField {
        /// The path asked for.
        path: String,
    },
    /// The field cannot be changed by the citizen.
    #[error("{path} is calculated or read-only")]
    ReadOnly {
        /// The path asked for.
        path: String,
    },
    /// Longer than any honest answer.
    #[error("The answer is longer than {limit} characters")]
    TooLong {
        /// The most characters an answer may have.
        limit: usize,
    },
    /// The path is not a repeat, or the repeat is counted by the form or full.
    #[error("{path} cannot get another copy or lose one")]
    Repeat {
        /// The path asked for.
        path: String,
    },
    /// The recalculation used up its steps.
    #[error("The form took too many steps to recalculate; simplify its lists or calculations")]
    Budget,
    /// An expression calls what does not exist. A compiled form has no such expression.
    #[error("The form calls {name}(), which does not exist; check it again")]
    UnknownFunction {
        /// The name as written.
        name: String,
    },
    /// The calculations never settle.
    #[error("The form's choices and counts change one another without end; simplify them")]
    Unstable,
}

impl From<EvalError> for EngineError {
    fn from(error: EvalError) -> EngineError {
        match error {
            EvalError::Budget => EngineError::Budget,
            EvalError::UnknownFunction(name) => EngineError::UnknownFunction { name },
        }
    }
}

/// One citizen's form.
///
/// It has no `Debug`, because it holds answers, and overwrites them when it is dropped.
pub struct Engine {
    form: Arc<Form>,
    env: Env,
    instance: Instance,
    /// Index into the form's languages.
    language: usize,
    /// See [`Engine::show_dashes`].
    dashes: bool,
    /// Ranks of the vertices to evaluate again.
    dirty: BTreeSet<usize>,
    /// Controls whose chosen values must be checked against their lists.
    unfiltered: BTreeSet<usize>,
    budget: Cell<u64>,
    draws: Cell<u64>,
    patterns: Patterns,
}

impl Engine {
    /// Opens a form with its defaults filled in.
    ///
    /// # Errors
    /// When its first calculation takes too many steps or never settles.
    pub fn new(form: Arc<Form>, env: Env) -> Result<Engine, EngineError> {
        let instance = Instance::new(&form.model)?;
        let mut engine = Engine {
            language: form.model.itext.default,
            dashes: false,
            form,
            env,
            instance,
            dirty: BTreeSet::new(),
            unfiltered: BTreeSet::new(),
            budget: Cell::new(limits::STEPS),
            draws: Cell::new(0),
            patterns: RefCell::new(HashMap::new()),
        };
        engine.start()?;
        Ok(engine)
    }

    /// The form being filled.
    pub fn form(&self) -> &Arc<Form> {
        &self.form
    }

    /// Changes the language of labels, hints and messages; an unknown code gives the default language.
    pub fn set_language(&mut self, code: &str) {
        let itext = &self.form.model.itext;
        self.language = itext.language(code).unwrap_or(itext.default);
    }

    /// Shows the dash that pyxform writes for a missing translation, as Collect does, and not the default language.
    pub(in crate::forms) fn show_dashes(&mut self) {
        self.dashes = true;
    }

    /// Moves the clock, for a form left open over midnight. Nothing is recalculated until the next answer.
    pub fn set_now(&mut self, now: jiff::ZonedDateTime) {
        self.env.now = now;
    }

    /// Stores an answer, valid or not, and recalculates. An empty text clears the answer. Whether it may stand says
    /// [`Engine::check`].
    ///
    /// # Errors
    /// When there is no such field, when it is calculated or a group, when the answer is too long, or when the
    /// recalculation takes too many steps; the answer is stored only in the last case.
    pub fn set(&mut self, q: QuestionId, value: &str) -> Result<(), EngineError> {
        let node = q.0;
        let Some(def) = self.instance.def_of(node) else {
            return Err(EngineError::NoSuchField {
                path: format!("#{node}"),
            });
        };
        let field = &self.form.model.defs[def];
        if !field.children.is_empty() {
            return Err(EngineError::NotAField {
                path: field.path.clone(),
            });
        }
        if field.bind.calculate.is_some() {
            return Err(EngineError::ReadOnly {
                path: field.path.clone(),
            });
        }
        if value.chars().count() > limits::ANSWER_CHARS {
            return Err(EngineError::TooLong {
                limit: limits::ANSWER_CHARS,
            });
        }
        let mut stored = check::conform(value, field.bind.data_type);
        let changed = self.instance.write(node, &stored);
        stored.zeroize();
        if changed {
            self.touch_value(def);
            self.changed(def, node)?;
        }
        self.settle()
    }

    /// Stores an answer by its path: `/data/cedula`, `/data/member[2]/name`.
    ///
    /// # Errors
    /// As [`Engine::set`].
    pub fn set_path(&mut self, path: &str, value: &str) -> Result<(), EngineError> {
        let q = self.at_path(path).ok_or_else(|| EngineError::NoSuchField {
            path: path.to_owned(),
        })?;
        self.set(q, value)
    }

    /// The stored text of a question, relevant or not.
    pub fn value(&self, q: QuestionId) -> &str {
        self.instance.text(q.0)
    }

    /// The stored text at a path.
    pub fn value_path(&self, path: &str) -> Option<String> {
        Some(self.value(self.at_path(path)?).to_owned())
    }

    /// The field at a path; a repeat without a number is its first instance.
    pub fn at_path(&self, path: &str) -> Option<QuestionId> {
        self.instance.at_path(path).map(QuestionId)
    }

    /// The path of a question: `/data/member[2]/name`.
    pub fn path_of(&self, q: QuestionId) -> String {
        self.instance.path(q.0, &self.form.model)
    }

    /// Adds an instance to the end of a repeat: `/data/member`, `/data/house[2]/room`.
    ///
    /// # Errors
    /// When the path is no repeat, or one that is counted by the form, not relevant or full.
    pub fn add_repeat(&mut self, path: &str) -> Result<QuestionId, EngineError> {
        let refused = || EngineError::Repeat {
            path: path.to_owned(),
        };
        let (parent, def) = self
            .instance
            .repeat_at(path, &self.form.model)
            .ok_or_else(refused)?;
        if self.is_counted(def) || self.instance.copies(parent, def).len() >= limits::REPEATS {
            return Err(refused());
        }
        let copies = self.instance.copies(parent, def);
        let hidden = |n: &u32| !self.tree().get(*n).relevant;
        if hidden(&parent) || !copies.is_empty() && copies.iter().all(hidden) {
            return Err(refused());
        }
        let node = self.grow(parent, def)?;
        self.touch_all();
        self.settle()?;
        Ok(QuestionId(node))
    }

    /// Removes an instance of a repeat by its path: `/data/member[2]`. Its answers are overwritten.
    ///
    /// # Errors
    /// When the path is no instance of a repeat, or the form counts it.
    pub fn remove_repeat(&mut self, path: &str) -> Result<(), EngineError> {
        let refused = || EngineError::Repeat {
            path: path.to_owned(),
        };
        let node = self.instance.at_path(path).ok_or_else(refused)?;
        let def = self.instance.def_of(node).ok_or_else(refused)?;
        if !self.form.model.defs[def].repeat || self.is_counted(def) {
            return Err(refused());
        }
        self.instance.remove(node);
        self.touch_all();
        self.settle()
    }

    /// Whether the form itself says how many instances the repeat has.
    fn is_counted(&self, def: DefId) -> bool {
        self.form.plan.counts.iter().any(|(d, _)| *d == def)
    }

    /// What an evaluation reads.
    fn scope<'a>(&'a self, host: &'a texts::FormHost<'a>) -> Scope<'a> {
        Scope {
            forest: Forest {
                primary: self.tree(),
                lists: &self.form.model.lists,
            },
            env: &self.env,
            host,
            language: self.language_code(),
            budget: &self.budget,
            draws: &self.draws,
            patterns: &self.patterns,
        }
    }

    fn host(&self) -> texts::FormHost<'_> {
        texts::FormHost {
            form: &self.form,
            language: self.language,
            dashes: self.dashes,
        }
    }

    fn tree(&self) -> &Tree {
        &self.instance.tree
    }

    fn language_code(&self) -> &str {
        match self.form.model.itext.languages.get(self.language) {
            Some(language) if language.code != "default" => &language.code,
            _ => "es",
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.instance.tree.wipe();
        self.env.instance_id.zeroize();
    }
}
