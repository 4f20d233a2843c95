//! The way through a form: every question in order, and where a repeat may get another copy.
//!
//! It tells nothing that needs a list of choices, so that a face can ask for it after each touch. Begin at
//! [`Engine::course`].

use super::view::{Answer, Kind, RepeatView, kind};
use super::{Engine, QuestionId};
use crate::forms::model::{Item, Text};

/// One thing that a citizen comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Stop {
    /// A visible question.
    Question {
        /// Which one.
        id: QuestionId,
        /// How it is answered.
        kind: Kind,
        /// Path of the group with appearance `field-list` around it.
        page: Option<String>,
        /// The copy of a repeat that it belongs to, where the citizen decides how many there are.
        copy: Option<CopyOf>,
    },
    /// The end of a repeat that the citizen may lengthen or shorten.
    Repeat {
        /// The repeat; never a counted one.
        repeat: RepeatView,
        /// The copy of an outer repeat that it belongs to.
        copy: Option<CopyOf>,
    },
}

/// A copy of a repeat.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CopyOf {
    /// The path that [`Engine::add_repeat`] takes.
    pub repeat: String,
    /// From 1.
    pub number: usize,
}

/// What stands around an item of the body.
#[derive(Clone, Copy)]
struct Around<'a> {
    page: Option<u32>,
    copy: Option<&'a CopyOf>,
    /// The label of the group around, which names a repeat without a label of its own.
    label: &'a Text,
}

impl Engine {
    /// Every visible question in order, with the end of each repeat that may grow.
    pub fn course(&self) -> Vec<Stop> {
        let mut stops = Vec::new();
        let root = self.tree().get(0).children.first().copied().unwrap_or(0);
        if self.tree().get(root).relevant {
            let around = Around {
                page: None,
                copy: None,
                label: &Text::None,
            };
            self.follow(&self.form.model.body, root, around, &mut stops);
        }
        stops
    }

    /// One answer as a review shows it, empty or not.
    pub fn answer(&self, q: QuestionId) -> Answer {
        self.as_answer(self.question(q))
    }

    fn follow(&self, items: &[Item], near: u32, around: Around<'_>, stops: &mut Vec<Stop>) {
        let model = &self.form.model;
        let together = |appearance: &[String], node: u32| {
            let page = appearance.iter().any(|word| word == "field-list").then_some(node);
            around.page.or(page)
        };
        for item in items {
            match item {
                Item::Control(index) => {
                    let control = &model.controls[*index];
                    let node = self.instance.beside(model, control.def, near);
                    let Some(node) = node.filter(|node| self.tree().get(*node).relevant) else {
                        continue;
                    };
                    let bind = &model.defs[control.def].bind;
                    stops.push(Stop::Question {
                        id: QuestionId(node),
                        kind: kind(control, bind.data_type, &bind.readonly, bind.calculate.is_some()),
                        page: around.page.map(|page| self.instance.path(page, model)),
                        copy: around.copy.cloned(),
                    });
                }
                Item::Group {
                    def,
                    label,
                    appearance,
                    children,
                } => {
                    let node = def.map_or(Some(near), |def| self.instance.beside(model, def, near));
                    if let Some(node) = node.filter(|node| self.tree().get(*node).relevant) {
                        let page = together(appearance, node);
                        self.follow(
                            children,
                            node,
                            Around {
                                page,
                                label,
                                ..around
                            },
                            stops,
                        );
                    }
                }
                Item::Repeat {
                    def,
                    label,
                    appearance,
                    children,
                    ..
                } => {
                    let Some(parent) = model.defs[*def]
                        .parent
                        .and_then(|parent| self.instance.beside(model, parent, near))
                        .filter(|parent| self.tree().get(*parent).relevant)
                    else {
                        continue;
                    };
                    let path = format!("{}/{}", self.instance.path(parent, model), model.defs[*def].name);
                    let copies = self.instance.copies(parent, *def);
                    let counted = self.is_counted(*def);
                    let mut hidden = false;
                    for (at, node) in copies.iter().enumerate() {
                        if !self.tree().get(*node).relevant {
                            hidden = true;
                            continue;
                        }
                        let own = CopyOf {
                            repeat: path.clone(),
                            number: at + 1,
                        };
                        let inside = Around {
                            page: together(appearance, *node),
                            copy: if counted { around.copy } else { Some(&own) },
                            label: &Text::None,
                        };
                        self.follow(children, *node, inside, stops);
                    }
                    if counted || hidden {
                        continue;
                    }
                    let label = if matches!(label, Text::None) {
                        around.label
                    } else {
                        label
                    };
                    stops.push(Stop::Repeat {
                        repeat: RepeatView {
                            label: self.text_of(label, copies.first().copied().unwrap_or(parent)),
                            copies: copies.len(),
                            counted,
                            path,
                        },
                        copy: around.copy.cloned(),
                    });
                }
            }
        }
    }
}
