//! What a face shows: questions, choices, and the answers for review.

use super::{Engine, QuestionId};
use crate::forms::ecuador;
use crate::forms::model::{Control, ControlKind, DataType, Item, Text};
use crate::forms::xpath::Expr;
use crate::forms::xpath::dates;
use crate::forms::xpath::functions::Function;
use crate::forms::xpath::value::parse_number;

/// How a question is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Letters.
    Text,
    /// A whole number.
    Integer,
    /// A number with decimals.
    Decimal,
    /// A day, stored as `2026-11-24`.
    Date,
    /// A time of day.
    Time,
    /// A day and a time.
    DateTime,
    /// One of the choices.
    SelectOne,
    /// Any of the choices, stored with a space between.
    SelectMultiple,
    /// Nothing to answer.
    Note,
    /// Stored as `OK`.
    Acknowledge,
    /// A number on a scale, see [`Question::range`].
    Range,
    /// A code read by the scanner.
    Barcode,
    /// All of the choices in an order, stored with a space between.
    Rank,
    /// A photograph: taken where there is a camera, brought to the counter where there is none.
    Picture,
    /// Drawn with a finger.
    Signature,
    /// Something a kiosk cannot ask, by its XForms name.
    Unsupported(String),
}

/// A question as it stands, owned so that a face can keep it. No `Debug`: it holds an answer.
#[derive(Clone, PartialEq)]
pub struct Question {
    /// Its node.
    pub id: QuestionId,
    /// `/data/member[2]/name`
    pub path: String,
    /// `name`
    pub name: String,
    /// How it is answered.
    pub kind: Kind,
    /// Words of the appearance column.
    pub appearance: Vec<String>,
    /// Label in the current language.
    pub label: String,
    /// Hint in the current language.
    pub hint: String,
    /// Guidance hint in the current language.
    pub guidance: String,
    /// Choices offered now.
    pub choices: Vec<Choice>,
    /// Stored answer.
    pub value: String,
    /// Whether it must be answered.
    pub required: bool,
    /// Whether the citizen cannot change it.
    pub readonly: bool,
    /// Label of the nearest group that has one.
    pub group_label: Option<String>,
    /// Path of the group with appearance `field-list` around it: its questions are shown on one page.
    pub page: Option<String>,
    /// Start, end and step of a range.
    pub range: Option<(f64, f64, f64)>,
}

/// One choice of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What is stored.
    pub name: String,
    /// What is shown.
    pub label: String,
}

/// One visible answer, for review pages and the counter. No `Debug`: it holds an answer.
#[derive(Clone, PartialEq)]
pub struct Answer {
    /// Its node.
    pub id: QuestionId,
    /// `/data/cedula`
    pub path: String,
    /// `cedula`
    pub name: String,
    /// Short label in the current language (`review::` of the sheet), else the label.
    pub label: String,
    /// Choice label, `24/11/2026`, `USD 12,50` (appearance `money`), or the answer itself.
    pub display: String,
    /// The stored text.
    pub raw: String,
    /// How it was answered.
    pub kind: Kind,
    /// Words of the appearance column.
    pub appearance: Vec<String>,
    /// Label of the nearest group that has one.
    pub group_label: Option<String>,
}

/// A visible repeat, for the buttons that add and remove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepeatView {
    /// The path that [`Engine::add_repeat`] takes.
    pub path: String,
    /// Label in the current language.
    pub label: String,
    /// How many instances there are.
    pub copies: usize,
    /// Whether the form decides the number, so that no buttons are shown.
    pub counted: bool,
}

/// A question on the way through the body, with the nearest label above it.
struct Shown<'a> {
    node: u32,
    around: Around<'a>,
}

/// What encloses a question.
#[derive(Clone, Copy, Default)]
struct Around<'a> {
    /// The nearest label above, and the node it is evaluated on.
    group: Option<(&'a Text, u32)>,
    /// The group whose questions are shown together.
    page: Option<u32>,
}

impl<'a> Around<'a> {
    fn inside(self, label: &'a Text, appearance: &[String], node: u32) -> Around<'a> {
        let own = Some((label, node)).filter(|_| !matches!(label, Text::None));
        let together = appearance.iter().any(|a| a == "field-list");
        Around {
            group: own.or(self.group),
            page: self.page.or(together.then_some(node)),
        }
    }
}

impl Engine {
    /// Visible questions in order, repeats expanded, notes included, calculations left out.
    pub fn questions(&self) -> Vec<QuestionId> {
        self.shown().into_iter().map(|s| QuestionId(s.node)).collect()
    }

    /// Everything a face needs to show one question.
    pub fn question(&self, q: QuestionId) -> Question {
        let shown = self.shown();
        let around = shown.iter().find(|s| s.node == q.0).map(|s| s.around);
        self.snapshot(q, around.unwrap_or_default())
    }

    /// Every visible question with its place in the flow, cheaper than one by one.
    pub fn snapshots(&self) -> Vec<Question> {
        let shown = self.shown();
        shown
            .into_iter()
            .map(|s| self.snapshot(QuestionId(s.node), s.around))
            .collect()
    }

    /// Visible answered questions.
    pub fn answers(&self) -> Vec<Answer> {
        let all = self.snapshots().into_iter();
        all.filter(|q| !q.value.is_empty() && q.kind != Kind::Note)
            .map(|q| self.as_answer(q))
            .collect()
    }

    pub(super) fn as_answer(&self, q: Question) -> Answer {
        Answer {
            display: display(&q),
            id: q.id,
            path: q.path,
            name: q.name,
            label: self.short_label(q.id).unwrap_or(q.label),
            raw: q.value,
            kind: q.kind,
            appearance: q.appearance,
            group_label: q.group_label,
        }
    }

    fn short_label(&self, q: QuestionId) -> Option<String> {
        let def = self.instance.def_of(q.0)?;
        let control = self
            .form
            .plan
            .control_of
            .get(&def)
            .map(|i| &self.form.model.controls[*i])?;
        self.short_of(&control.label, q.0).filter(|text| !text.is_empty())
    }

    /// Visible repeats in order.
    pub fn repeats(&self) -> Vec<RepeatView> {
        let mut out = Vec::new();
        self.walk_repeats(&self.form.model.body, 0, &Text::None, &mut out);
        out
    }

    fn snapshot(&self, q: QuestionId, around: Around<'_>) -> Question {
        let node = q.0;
        let def = self.instance.def_of(node).unwrap_or(0);
        let model = &self.form.model;
        let field = &model.defs[def];
        let control = self.form.plan.control_of.get(&def).map(|i| &model.controls[*i]);
        let bind = &field.bind;
        let asked = |e: &Option<Expr>| e.as_ref().is_some_and(|e| self.holds(e, node).unwrap_or(false));
        self.budget.set(crate::forms::limits::STEPS);
        let choices = control
            .and_then(|c| self.choices_of(c, node).ok())
            .unwrap_or_default();
        Question {
            id: q,
            path: self.instance.path(node, model),
            name: field.name.to_string(),
            kind: control.map_or(Kind::Text, |c| {
                kind(c, bind.data_type, &bind.readonly, bind.calculate.is_some())
            }),
            appearance: control.map(|c| c.appearance.clone()).unwrap_or_default(),
            label: control.map(|c| self.text_of(&c.label, node)).unwrap_or_default(),
            hint: control.map(|c| self.text_of(&c.hint, node)).unwrap_or_default(),
            guidance: control
                .map(|c| self.guidance_of(&c.hint, node))
                .unwrap_or_default(),
            choices: choices
                .into_iter()
                // A choice without a label is shown by its name.
                .map(|(name, label)| Choice {
                    label: if label.is_empty() { name.clone() } else { label },
                    name,
                })
                .collect(),
            value: self.instance.text(node).to_owned(),
            required: asked(&bind.required),
            readonly: bind.calculate.is_some() || self.is_readonly(node),
            range: control.and_then(|c| c.range),
            group_label: self.label_of_group(around.group),
            page: around.page.map(|n| self.instance.path(n, model)),
        }
    }

    /// Read-only by its own condition or by that of a group around it.
    fn is_readonly(&self, node: u32) -> bool {
        let mut at = Some(node);
        while let Some(n) = at {
            let bind = self.instance.def_of(n).map(|d| &self.form.model.defs[d].bind);
            if bind
                .and_then(|b| b.readonly.as_ref())
                .is_some_and(|e| self.holds(e, n).unwrap_or(false))
            {
                return true;
            }
            at = self.tree().get(n).parent;
        }
        false
    }

    fn label_of_group(&self, group: Option<(&Text, u32)>) -> Option<String> {
        let (label, node) = group?;
        Some(self.text_of(label, node)).filter(|l| !l.is_empty())
    }

    fn shown(&self) -> Vec<Shown<'_>> {
        let mut out = Vec::new();
        let root = self.tree().get(0).children.first().copied().unwrap_or(0);
        if self.tree().get(root).relevant {
            self.walk(&self.form.model.body, root, Around::default(), &mut out);
        }
        out
    }

    fn walk<'a>(&'a self, items: &'a [Item], near: u32, around: Around<'a>, out: &mut Vec<Shown<'a>>) {
        let model = &self.form.model;
        for item in items {
            match item {
                Item::Control(index) => {
                    let node = self.instance.beside(model, model.controls[*index].def, near);
                    if let Some(node) = node.filter(|n| self.tree().get(*n).relevant) {
                        out.push(Shown { node, around });
                    }
                }
                Item::Group {
                    def,
                    label,
                    appearance,
                    children,
                } => {
                    let node = match def {
                        Some(def) => self.instance.beside(model, *def, near),
                        None => Some(near),
                    };
                    if let Some(node) = node.filter(|n| self.tree().get(*n).relevant) {
                        self.walk(children, node, around.inside(label, appearance, node), out);
                    }
                }
                Item::Repeat {
                    def,
                    label,
                    appearance,
                    children,
                    ..
                } => {
                    for node in self.copies_near(*def, near) {
                        // A label of the group around speaks of each instance.
                        let here = Around {
                            group: around.group.map(|g| (g.0, node)),
                            ..around
                        };
                        if self.tree().get(node).relevant {
                            self.walk(children, node, here.inside(label, appearance, node), out);
                        }
                    }
                }
            }
        }
    }

    fn copies_near(&self, def: usize, near: u32) -> Vec<u32> {
        let model = &self.form.model;
        let parent = model.defs[def]
            .parent
            .and_then(|p| self.instance.beside(model, p, near));
        parent.map(|p| self.instance.copies(p, def)).unwrap_or_default()
    }

    fn walk_repeats(&self, items: &[Item], near: u32, above: &Text, out: &mut Vec<RepeatView>) {
        let model = &self.form.model;
        for item in items {
            match item {
                Item::Control(_) => {}
                Item::Group {
                    def, label, children, ..
                } => {
                    let node = def.map_or(Some(near), |d| self.instance.beside(model, d, near));
                    if let Some(node) = node.filter(|n| self.tree().get(*n).relevant) {
                        self.walk_repeats(children, node, label, out);
                    }
                }
                Item::Repeat {
                    def, label, children, ..
                } => {
                    let copies = self.copies_near(*def, near);
                    let parent = model.defs[*def]
                        .parent
                        .and_then(|p| self.instance.beside(model, p, near));
                    let Some(parent) = parent.filter(|p| self.tree().get(*p).relevant) else {
                        continue;
                    };
                    if copies.iter().any(|c| !self.tree().get(*c).relevant) {
                        continue;
                    }
                    let label = if matches!(label, Text::None) { above } else { label };
                    out.push(RepeatView {
                        path: format!("{}/{}", self.instance.path(parent, model), model.defs[*def].name),
                        label: self.text_of(label, copies.first().copied().unwrap_or(parent)),
                        copies: copies.len(),
                        counted: self.is_counted(*def),
                    });
                    for copy in copies {
                        self.walk_repeats(children, copy, &Text::None, out);
                    }
                }
            }
        }
    }
}

pub(super) fn kind(
    control: &Control,
    data_type: DataType,
    readonly: &Option<Expr>,
    calculated: bool,
) -> Kind {
    let always_readonly = matches!(readonly, Some(Expr::Call(Function::True, _)));
    let looks = |names: &[&str]| control.appearance.iter().any(|a| names.contains(&a.as_str()));
    match control.kind {
        ControlKind::SelectOne => Kind::SelectOne,
        ControlKind::SelectMultiple => Kind::SelectMultiple,
        ControlKind::Trigger => Kind::Acknowledge,
        ControlKind::Range => Kind::Range,
        ControlKind::Rank => Kind::Rank,
        ControlKind::Upload if !control.picture => Kind::Unsupported("upload".to_owned()),
        ControlKind::Upload if looks(&["signature", "draw"]) => Kind::Signature,
        ControlKind::Upload => Kind::Picture,
        ControlKind::Input | ControlKind::Secret => match data_type {
            DataType::Text | DataType::Boolean if always_readonly && !calculated => Kind::Note,
            DataType::Text | DataType::Boolean => Kind::Text,
            DataType::Integer => Kind::Integer,
            DataType::Decimal => Kind::Decimal,
            DataType::Date => Kind::Date,
            DataType::Time => Kind::Time,
            DataType::DateTime => Kind::DateTime,
            DataType::Barcode => Kind::Barcode,
            DataType::Binary => Kind::Unsupported("binary".to_owned()),
            DataType::Geo => Kind::Unsupported("geopoint".to_owned()),
        },
    }
}

fn display(question: &Question) -> String {
    let label = |name: &str| {
        let found = question
            .choices
            .iter()
            .find(|c| c.name == name)
            .map(|c| c.label.as_str());
        found.filter(|l| !l.is_empty()).unwrap_or(name).to_owned()
    };
    match question.kind {
        Kind::SelectOne => label(&question.value),
        Kind::SelectMultiple | Kind::Rank => question
            .value
            .split_whitespace()
            .map(label)
            .collect::<Vec<_>>()
            .join(", "),
        Kind::Date => match ecuador::date(&question.value) {
            Some(date) => date.strftime("%d/%m/%Y").to_string(),
            None => question.value.clone(),
        },
        Kind::Time => dates::parse_time(&question.value).map_or_else(
            || question.value.clone(),
            |time| time.strftime("%H:%M").to_string(),
        ),
        Kind::DateTime => match (
            ecuador::date(question.value.get(..10).unwrap_or("")),
            question.value.get(11..16),
        ) {
            (Some(date), Some(time)) => format!("{} {time}", date.strftime("%d/%m/%Y")),
            (_, _) => question.value.clone(),
        },
        Kind::Acknowledge => "✓".to_owned(),
        _ if question.appearance.iter().any(|a| a == "money") => {
            ecuador::money_text_of(&question.value).unwrap_or_else(|| question.value.clone())
        }
        Kind::Decimal | Kind::Range if !parse_number(&question.value).is_nan() => {
            question.value.replace('.', ",")
        }
        _ => question.value.clone(),
    }
}
