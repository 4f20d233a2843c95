//! Holds a finished submission against its form again: the same engine, from the bytes that were handed in.
//!
//! What it finds names the question and the rule, never a value. Nothing is refused by it: whoever has the
//! submission decides what a finding means. Begin at [`review`].

use std::collections::BTreeMap;
use std::sync::Arc;

use roxmltree::{Document, Node};

use super::{Engine, Env, Violation};
use crate::forms::form::Form;
use crate::forms::xpath::Expr;
use crate::forms::xpath::functions::Function;

/// Answers may allow others: a list depends on a choice, a question on an answer. Three times settle what people write.
const PASSES: usize = 3;
/// More findings than this say nothing more.
const FINDINGS_MAX: usize = 100;

/// A rule of the form that an answer does not keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// The submission is not readable, or of another form.
    Unreadable,
    /// The form has no such question.
    UnknownQuestion,
    /// The question is not asked with these answers.
    NotAsked,
    /// The form works out another value.
    Calculation,
    /// It must be answered.
    Required,
    /// The author's rule says no.
    Constraint,
    /// Not a number, a date, or a choice of the list.
    Type,
}

impl Rule {
    /// A stable word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::UnknownQuestion => "unknown_question",
            Self::NotAsked => "not_asked",
            Self::Calculation => "calculation",
            Self::Required => "required",
            Self::Constraint => "constraint",
            Self::Type => "type",
        }
    }
}

/// What was found: which question breaks which rule. Never the answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReviewFinding {
    /// Path of the question, `/data/member[2]/name`; empty for the whole submission.
    pub question: String,
    /// The rule.
    pub rule: Rule,
}

/// The answers of a submission by path, in the order of the document; of repeats each instance.
///
/// Nothing where the text is no XML. The values are what a citizen said.
pub fn answers_of(xml: &str) -> Option<Vec<(String, String)>> {
    let document = Document::parse(xml).ok()?;
    let mut out = Vec::new();
    leaves(document.root_element(), "", &mut out);
    Some(out)
}

fn leaves(node: Node<'_, '_>, above: &str, out: &mut Vec<(String, String)>) {
    let path = format!("{above}/{}", step(node));
    let mut children = node.children().filter(Node::is_element).peekable();
    if children.peek().is_none() {
        out.push((path, node.text().unwrap_or_default().to_owned()));
        return;
    }
    for child in children {
        leaves(child, &path, out);
    }
}

/// The name, with its number from the second of its kind on.
fn step(node: Node<'_, '_>) -> String {
    let name = node.tag_name().name();
    let before = node
        .prev_siblings()
        .skip(1)
        .filter(|other| other.is_element() && other.tag_name().name() == name)
        .count();
    if before == 0 {
        name.to_owned()
    } else {
        format!("{name}[{}]", before + 1)
    }
}

/// Holds the submission `xml` against the form; `env` is that of the moment when the citizen confirmed.
pub fn review(form: &Arc<Form>, env: Env, xml: &str) -> Vec<ReviewFinding> {
    let whole = |rule| {
        vec![ReviewFinding {
            question: String::new(),
            rule,
        }]
    };
    let Some(answers) = answers_of(xml) else {
        return whole(Rule::Unreadable);
    };
    let Ok(mut engine) = Engine::new(Arc::clone(form), env) else {
        return whole(Rule::Unreadable);
    };
    let root = engine.form.model.defs.first().map(|def| format!("/{}", def.name));
    let same = root.is_some_and(|root| answers.iter().all(|(path, _)| path.starts_with(&root)));
    if !same {
        return whole(Rule::Unreadable);
    }
    let mut found = Vec::new();
    for pass in 0..PASSES {
        let mut changed = false;
        for (path, value) in &answers {
            changed |= engine.put_back(path, value);
        }
        if pass > 0 && !changed {
            break;
        }
    }
    for (path, value) in &answers {
        if let Some(rule) = engine.differs(path, value) {
            found.push(ReviewFinding {
                question: path.clone(),
                rule,
            });
        }
    }
    for (question, violation) in engine.violations() {
        let rule = match violation {
            Violation::Required { .. } => Rule::Required,
            Violation::Constraint { .. } => Rule::Constraint,
            Violation::Type => Rule::Type,
        };
        found.push(ReviewFinding {
            question: engine.path_of(question),
            rule,
        });
    }
    found.sort();
    found.dedup();
    found.truncate(FINDINGS_MAX);
    found
}

impl Engine {
    /// Puts one answer back; whether that changed something.
    fn put_back(&mut self, path: &str, value: &str) -> bool {
        self.grow_to(path);
        let Some(question) = self.at_path(path) else {
            return false;
        };
        if self.value(question) == value || self.is_the_forms_own(path) {
            return false;
        }
        self.set(question, value).is_ok()
    }

    /// Adds the instances of repeats that a path names.
    fn grow_to(&mut self, path: &str) {
        let mut so_far = String::new();
        for step in path.split('/').skip(1) {
            let above = so_far.clone();
            so_far.push('/');
            so_far.push_str(step);
            if self.at_path(&so_far).is_some() {
                continue;
            }
            let name = step.split('[').next().unwrap_or(step);
            // One at a time, in the order of the document; a repeat that the form counts has them already.
            if self.add_repeat(&format!("{above}/{name}")).is_err() {
                return;
            }
        }
    }

    /// Whether the form fills this field by itself: a calculation, or what is loaded before the first question.
    fn is_the_forms_own(&self, path: &str) -> bool {
        self.def_at(path)
            .is_some_and(|bind| bind.calculate.is_some() || bind.preload.is_some())
    }

    fn def_at(&self, path: &str) -> Option<&crate::forms::model::Bind> {
        let def = self.instance.def_of(self.at_path(path)?.0)?;
        Some(&self.form.model.defs[def].bind)
    }

    fn differs(&self, path: &str, value: &str) -> Option<Rule> {
        let Some(question) = self.at_path(path) else {
            // A repeat without instances leaves its answers without a place as well.
            let name = path.rsplit('/').next().unwrap_or(path);
            let name = name.split('[').next().unwrap_or(name);
            let known = self.form.model.defs.iter().any(|def| *def.name == *name);
            return Some(if known {
                Rule::NotAsked
            } else {
                Rule::UnknownQuestion
            });
        };
        if !self.tree().get(question.0).relevant {
            return (!value.is_empty()).then_some(Rule::NotAsked);
        }
        let bind = self.def_at(path)?;
        let fixed = bind
            .calculate
            .as_ref()
            .is_some_and(|expr| !is_of_the_moment(expr));
        (fixed && self.value(question) != value).then_some(Rule::Calculation)
    }
}

/// Whether the value depends on more than the answers and the day.
fn is_of_the_moment(expr: &Expr) -> bool {
    match expr {
        Expr::Number(_) | Expr::Literal(_) | Expr::Path(_) => false,
        Expr::Negate(inner) => is_of_the_moment(inner),
        Expr::Binary(_, left, right) => is_of_the_moment(left) || is_of_the_moment(right),
        Expr::Call(function, arguments) => {
            matches!(
                function,
                Function::Random | Function::Randomize | Function::Uuid | Function::Now | Function::Once
            ) || arguments.iter().any(is_of_the_moment)
        }
        Expr::Unknown(..) => true,
    }
}

/// The columns of a table of submissions: every field of the form that holds a value, in the form's order.
pub fn columns_of(form: &Form) -> Vec<String> {
    let defs = &form.model.defs;
    defs.iter()
        .filter(|def| def.children.is_empty() && def.parent.is_some())
        .map(|def| def.path.clone())
        .collect()
}

/// A path without the numbers of its repeats: the column it stands in.
pub fn column_of(path: &str) -> String {
    path.split('/')
        .map(|step| step.split('[').next().unwrap_or(step))
        .collect::<Vec<_>>()
        .join("/")
}

/// The answers by column; of a repeat all instances, one after the other.
pub fn by_column(answers: Vec<(String, String)>) -> BTreeMap<String, Vec<String>> {
    let mut columns: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, value) in answers {
        columns.entry(column_of(&path)).or_default().push(value);
    }
    columns
}
