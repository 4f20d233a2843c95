//! Labels, hints and messages in the current language, with their `<output>` filled in.

use super::Engine;
use crate::forms::form::Form;
use crate::forms::model::{Control, Items, Piece, Text};
use crate::forms::xpath::Expr;
use crate::forms::xpath::eval::{EvalError, Here, Host, Scope};
use crate::forms::xpath::functions::Function;
use crate::forms::xpath::tree::NodeRef;
use crate::forms::xpath::value::Value;

/// What expressions may ask of the form.
pub(super) struct FormHost<'a> {
    pub form: &'a Form,
    pub language: usize,
    /// Whether a missing translation is shown as the dash that stands for it.
    pub dashes: bool,
}

impl Host for FormHost<'_> {
    fn itext(&self, scope: &Scope<'_>, id: &str, at: NodeRef) -> Option<String> {
        let entry = self.form.model.itext.entry(id, self.language, self.dashes)?;
        Some(render(scope, entry.plain.as_deref()?, at))
    }

    fn choice_label(&self, scope: &Scope<'_>, value: &str, path: &str, at: NodeRef) -> Option<String> {
        let model = &self.form.model;
        let steps: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let def = model.def_at(&steps)?;
        let control = &model.controls[*self.form.plan.control_of.get(&def)?];
        // The list as the question itself sees it, from where the expression stands.
        let node = beside(scope, model.names(def), at)?;
        let choices = choices(scope, self, control, node).ok()?;
        let found = choices.into_iter().find(|(v, _)| v == value)?;
        Some(found.1)
    }
}

/// The node at a path of names, in the same repeat instances as `near`.
fn beside(scope: &Scope<'_>, names: Vec<String>, near: NodeRef) -> Option<NodeRef> {
    use crate::forms::xpath::ast::{Axis, Path, Start, Step};
    let step = |name| Step {
        axis: Axis::Child,
        name: Some(name),
        predicates: vec![],
    };
    let path = Path {
        start: Start::Root,
        steps: names.into_iter().map(step).collect(),
    };
    scope.nodes(&path, Here::at(near), true).ok()?.first().copied()
}

pub(super) fn render(scope: &Scope<'_>, pieces: &[Piece], at: NodeRef) -> String {
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Output(expr) => {
                // A label that cannot be calculated is shown without the value.
                out.push_str(&scope.text(expr, Here::at(at)).unwrap_or_default());
            }
        }
    }
    out.trim().to_owned()
}

pub(super) fn text(scope: &Scope<'_>, host: &FormHost<'_>, text: &Text, at: NodeRef) -> String {
    match text {
        Text::None => String::new(),
        Text::Inline(pieces) => render(scope, pieces, at),
        Text::Itext(id) => host.itext(scope, id, at).unwrap_or_default(),
        Text::Ref(expr) => scope.text(expr, Here::at(at)).unwrap_or_default(),
    }
}

/// The guidance of a hint, which lives in the same translation.
pub(super) fn guidance(scope: &Scope<'_>, host: &FormHost<'_>, hint: &Text, at: NodeRef) -> String {
    let Text::Itext(id) = hint else {
        return String::new();
    };
    let entry = host.form.model.itext.entry(id, host.language, host.dashes);
    entry
        .and_then(|e| e.guidance.as_deref())
        .map(|p| render(scope, p, at))
        .unwrap_or_default()
}

/// The short form of a label, for a list of answers; nothing where the author wrote none.
pub(super) fn short(scope: &Scope<'_>, host: &FormHost<'_>, label: &Text, at: NodeRef) -> Option<String> {
    let Text::Itext(id) = label else {
        return None;
    };
    let entry = host.form.model.itext.entry(id, host.language, host.dashes)?;
    entry.short.as_deref().map(|p| render(scope, p, at))
}

/// The choices a question offers now, with their labels.
pub(super) fn choices(
    scope: &Scope<'_>,
    host: &FormHost<'_>,
    control: &Control,
    at: NodeRef,
) -> Result<Vec<(String, String)>, EvalError> {
    match &control.items {
        Items::None => Ok(vec![]),
        Items::Fixed(fixed) => Ok(fixed
            .iter()
            .map(|(v, l)| (v.clone(), text(scope, host, l, at)))
            .collect()),
        Items::List {
            nodeset,
            value,
            label,
            ..
        } => {
            let Value::Nodes(nodes) = scope.eval(nodeset, Here::at(at))? else {
                return Ok(vec![]);
            };
            let mut out = Vec::with_capacity(nodes.len());
            for node in nodes {
                let here = Here {
                    node,
                    current: at,
                    position: 1,
                    size: 1,
                };
                out.push((scope.text(value, here)?, list_label(scope, host, label, here)?));
            }
            Ok(out)
        }
    }
}

fn list_label(scope: &Scope<'_>, host: &FormHost<'_>, label: &Expr, here: Here) -> Result<String, EvalError> {
    match label {
        Expr::Call(Function::Itext, arguments) => {
            let id = scope.text(&arguments[0], here)?;
            Ok(host.itext(scope, &id, here.current).unwrap_or_default())
        }
        other => scope.text(other, here),
    }
}

impl Engine {
    pub(super) fn text_of(&self, label: &Text, node: u32) -> String {
        let host = self.host();
        self.budget.set(crate::forms::limits::STEPS);
        text(&self.scope(&host), &host, label, NodeRef { tree: 0, node })
    }

    pub(super) fn short_of(&self, label: &Text, node: u32) -> Option<String> {
        let host = self.host();
        self.budget.set(crate::forms::limits::STEPS);
        short(&self.scope(&host), &host, label, NodeRef { tree: 0, node })
    }

    pub(super) fn guidance_of(&self, hint: &Text, node: u32) -> String {
        let host = self.host();
        self.budget.set(crate::forms::limits::STEPS);
        guidance(&self.scope(&host), &host, hint, NodeRef { tree: 0, node })
    }

    pub(super) fn choices_of(
        &self,
        control: &Control,
        node: u32,
    ) -> Result<Vec<(String, String)>, EvalError> {
        let host = self.host();
        self.budget.set(crate::forms::limits::STEPS);
        choices(&self.scope(&host), &host, control, NodeRef { tree: 0, node })
    }

    /// The values offered, without the labour of their labels.
    pub(super) fn choice_values(&self, control: &Control, node: u32) -> Result<Vec<String>, EvalError> {
        let host = self.host();
        let scope = self.scope(&host);
        let at = NodeRef { tree: 0, node };
        match &control.items {
            Items::None => Ok(vec![]),
            Items::Fixed(fixed) => Ok(fixed.iter().map(|(v, _)| v.clone()).collect()),
            Items::List { nodeset, value, .. } => {
                let Value::Nodes(nodes) = scope.eval(nodeset, Here::at(at))? else {
                    return Ok(vec![]);
                };
                nodes
                    .into_iter()
                    .map(|node| {
                        scope.text(
                            value,
                            Here {
                                node,
                                current: at,
                                position: 1,
                                size: 1,
                            },
                        )
                    })
                    .collect()
            }
        }
    }
}
