//! Checks a model and orders its recalculation: every reference must lead somewhere, and nothing may depend on itself.
//!
//! The graph has two vertices for each field: its value and its relevance. Conditions that are only asked when a
//! question is shown (required, readonly, constraint, labels, choices) are checked but need no order.

use super::finding::{Place, Problems};
use super::model::{ActionValue, DefId, Item, Items, Model, Piece, Text};
use super::xpath::Expr;
use super::xpath::ast::{Axis, Start, Step};
use super::xpath::depends::{self, Read};
use std::collections::{BTreeSet, HashMap};

/// A value or a relevance.
pub type Vertex = usize;

pub fn value_of(def: DefId) -> Vertex {
    def * 2
}

pub fn relevance_of(def: DefId) -> Vertex {
    def * 2 + 1
}

/// What the engine needs to recalculate.
#[derive(Default)]
pub struct Plan {
    /// Vertices so that each stands after everything it reads.
    pub order: Vec<Vertex>,
    /// The place of each vertex in `order`.
    pub rank: Vec<usize>,
    /// For each vertex, those that must be evaluated again when it changes.
    pub dependents: Vec<Vec<Vertex>>,
    /// For each vertex, the controls whose choices must be looked at again.
    pub filters: HashMap<Vertex, Vec<usize>>,
    /// Repeats whose number is calculated.
    pub counts: Vec<(DefId, Expr)>,
    /// The first control of each field.
    pub control_of: HashMap<DefId, usize>,
}

/// Compiles, or says why not. Problems may be warnings only.
pub(super) fn compile(model: &Model, problems: &mut Problems) -> Option<Plan> {
    let mut checker = Checker {
        model,
        problems,
        edges: vec![BTreeSet::new(); model.defs.len() * 2],
        plan: Plan::default(),
    };
    checker.binds();
    checker.controls();
    checker.items(&model.body);
    checker.itext();
    checker.actions();
    let Checker {
        edges,
        mut plan,
        problems,
        ..
    } = checker;
    if problems.any_error() {
        return None;
    }
    match order(&edges) {
        Ok(order) => {
            plan.rank = vec![0; order.len()];
            for (i, vertex) in order.iter().enumerate() {
                plan.rank[*vertex] = i;
            }
            plan.order = order;
            plan.dependents = edges.into_iter().map(|e| e.into_iter().collect()).collect();
            Some(plan)
        }
        Err(cycle) => {
            report_cycle(model, &cycle, problems);
            None
        }
    }
}

struct Checker<'a, 'p> {
    model: &'a Model,
    problems: &'p mut Problems,
    /// From what is read to what reads it.
    edges: Vec<BTreeSet<Vertex>>,
    plan: Plan,
}

impl Checker<'_, '_> {
    fn binds(&mut self) {
        let model = self.model;
        for (def, field) in model.defs.iter().enumerate() {
            if let Some(parent) = field.parent {
                self.edges[relevance_of(parent)].insert(relevance_of(def));
            }
            let bind = &field.bind;
            let place = |attribute| Place {
                path: field.path.clone(),
                attribute,
                line: bind.line,
            };
            if let Some(expr) = &bind.relevant {
                let read = self.reads(expr, def, &place("relevant"));
                self.connect(&read, relevance_of(def), def, &place("relevant"));
            }
            if let Some(expr) = &bind.calculate {
                let read = self.reads(expr, def, &place("calculate"));
                self.connect(&read, value_of(def), def, &place("calculate"));
                if !field.children.is_empty() {
                    self.problems.error(
                        place("calculate"),
                        "A group cannot have a calculation; put it in a field",
                    );
                }
            }
            let asked = [
                (&bind.required, "required"),
                (&bind.readonly, "readonly"),
                (&bind.constraint, "constraint"),
            ];
            for (expr, attribute) in asked {
                if let Some(expr) = expr {
                    self.reads(expr, def, &place(attribute));
                }
            }
            self.text(&bind.constraint_message, def, &place("constraintMsg"));
            self.text(&bind.required_message, def, &place("requiredMsg"));
            let same_name = field.children.iter().enumerate().find(|(i, a)| {
                field.children[..*i]
                    .iter()
                    .any(|b| model.defs[**a].name.eq_ignore_ascii_case(&model.defs[*b].name))
            });
            if let Some((_, twin)) = same_name {
                let place = Place {
                    path: model.defs[*twin].path.clone(),
                    attribute: "",
                    line: model.defs[*twin].line,
                };
                self.problems.warning(
                    place,
                    "Another field in the group differs only in capitals; rename one",
                );
            }
        }
    }

    fn controls(&mut self) {
        let model = self.model;
        for (index, control) in model.controls.iter().enumerate() {
            self.plan.control_of.entry(control.def).or_insert(index);
            let place = |attribute| Place {
                attribute,
                ..control.place.clone()
            };
            if !model.defs[control.def].children.is_empty() {
                self.problems
                    .error(place(""), "A question cannot fill a group; name a field");
            }
            self.text(&control.label, control.def, &place("label"));
            self.text(&control.hint, control.def, &place("hint"));
            match &control.items {
                Items::None => {}
                Items::Fixed(fixed) => {
                    for (_, label) in fixed {
                        self.text(label, control.def, &place("label"));
                    }
                }
                Items::List {
                    nodeset, filtered, ..
                } => {
                    let read = self.reads(nodeset, control.def, &place("choice_filter"));
                    if *filtered {
                        let mut on: BTreeSet<Vertex> =
                            read.iter().flat_map(|d| self.vertices_of(*d)).collect();
                        on.insert(relevance_of(control.def));
                        for vertex in on {
                            self.plan.filters.entry(vertex).or_default().push(index);
                        }
                    }
                }
            }
        }
    }

    fn items(&mut self, items: &[Item]) {
        for item in items {
            match item {
                Item::Control(_) => {}
                Item::Group {
                    def, label, children, ..
                } => {
                    let def = def.unwrap_or(0);
                    let place = Place {
                        path: self.model.defs[def].path.clone(),
                        attribute: "label",
                        line: 0,
                    };
                    self.text(label, def, &place);
                    self.items(children);
                }
                Item::Repeat {
                    def,
                    label,
                    count,
                    children,
                    ..
                } => {
                    let path = self.model.defs[*def].path.clone();
                    self.text(
                        label,
                        *def,
                        &Place {
                            path: path.clone(),
                            attribute: "label",
                            line: 0,
                        },
                    );
                    if let Some(expr) = count {
                        self.reads(
                            expr,
                            *def,
                            &Place {
                                path,
                                attribute: "count",
                                line: 0,
                            },
                        );
                        self.plan.counts.push((*def, seen_from_parent(expr)));
                    }
                    self.items(children);
                }
            }
        }
    }

    /// `<output>` in translations: the id begins with the path of its field.
    fn itext(&mut self) {
        let model = self.model;
        for (id, entries) in &model.itext.texts {
            let path = id.split(':').next().unwrap_or("");
            let steps: Vec<&str> = path.split('/').filter(|s| !s.is_empty()).collect();
            let def = model.def_at(&steps).unwrap_or(0);
            let attribute = match id.rsplit(':').next() {
                Some("hint") => "hint",
                Some("jr:constraintMsg" | "constraintMsg") => "constraintMsg",
                Some("requiredMsg") => "requiredMsg",
                _ => "label",
            };
            let place = Place {
                path: path.to_owned(),
                attribute,
                line: 0,
            };
            for entry in entries.iter().flatten() {
                for pieces in [&entry.plain, &entry.guidance].into_iter().flatten() {
                    self.pieces(pieces, def, &place);
                }
            }
        }
    }

    fn actions(&mut self) {
        for action in &self.model.actions {
            if let ActionValue::Expr(expr) = &action.value {
                self.reads(expr, action.target, &action.place);
            }
        }
    }

    fn text(&mut self, text: &Text, def: DefId, place: &Place) {
        match text {
            Text::None => {}
            Text::Inline(pieces) => self.pieces(pieces, def, place),
            Text::Itext(id) if self.model.itext.texts.contains_key(id) => {}
            Text::Itext(id) => {
                self.problems.error(
                    place.clone(),
                    format!("The translation `{id}` does not exist; add it to <itext>"),
                );
            }
            Text::Ref(expr) => {
                self.reads(expr, def, place);
            }
        }
    }

    fn pieces(&mut self, pieces: &[Piece], def: DefId, place: &Place) {
        for piece in pieces {
            if let Piece::Output(expr) = piece {
                self.reads(expr, def, place);
            }
        }
    }

    /// The fields an expression reads by value; reports those that do not exist.
    fn reads(&mut self, expr: &Expr, def: DefId, place: &Place) -> BTreeSet<DefId> {
        let reads = depends::reads(expr, &self.model.names(def));
        for list in &reads.lists {
            if !self.model.lists.iter().any(|(id, _)| id == list) {
                self.problems.error(
                    place.clone(),
                    format!("The list `{list}` does not exist; add it or correct its name"),
                );
            }
        }
        let mut out = BTreeSet::new();
        for read in &reads.paths {
            let found = self.find(read);
            if found.is_empty() {
                let written = written(read);
                let near = self
                    .nearest(read)
                    .map(|n| format!("; perhaps `{n}`"))
                    .unwrap_or_default();
                self.problems.error(
                    place.clone(),
                    format!("`{written}` does not exist in the form{near}"),
                );
            }
            if !read.place_only {
                out.extend(found);
            }
        }
        out
    }

    fn find(&self, read: &Read) -> Vec<DefId> {
        if read.escapes {
            return vec![];
        }
        let Some((first, rest)) = read.steps.split_first() else {
            return vec![0];
        };
        let matches = |def: &DefId, name: &Option<String>| {
            name.as_ref().is_none_or(|n| **n == *self.model.defs[*def].name)
        };
        let mut at: Vec<DefId> = (0..self.model.defs.len())
            .filter(|d| self.model.defs[*d].parent.is_none() && matches(d, first))
            .collect();
        for name in rest {
            at = at
                .iter()
                .flat_map(|d| self.model.defs[*d].children.iter().copied())
                .filter(|d| matches(d, name))
                .collect();
        }
        at
    }

    fn nearest(&self, read: &Read) -> Option<String> {
        let last = read.steps.last()?.as_deref()?;
        let score = |d: &super::model::Def| strsim::jaro_winkler(last, &d.name);
        let best = self
            .model
            .defs
            .iter()
            .max_by(|a, b| score(a).total_cmp(&score(b)))?;
        (score(best) > 0.8).then(|| best.path.clone())
    }

    fn vertices_of(&self, def: DefId) -> Vec<Vertex> {
        if self.model.defs[def].children.is_empty() {
            vec![value_of(def), relevance_of(def)]
        } else {
            vec![relevance_of(def)]
        }
    }

    fn connect(&mut self, read: &BTreeSet<DefId>, reader: Vertex, def: DefId, place: &Place) {
        if read.contains(&def) && self.model.defs[def].children.is_empty() {
            let path = &self.model.defs[def].path;
            self.problems.error(
                place.clone(),
                format!("{path} refers to itself; a field cannot decide its own value"),
            );
            return;
        }
        for source in read {
            for vertex in self.vertices_of(*source) {
                self.edges[vertex].insert(reader);
            }
        }
    }
}

/// A count stands on its repeat, of which there may be no instance; this is the same expression seen from the parent.
fn seen_from_parent(expr: &Expr) -> Expr {
    let all = |arguments: &[Expr]| arguments.iter().map(seen_from_parent).collect();
    match expr {
        Expr::Number(_) | Expr::Literal(_) => expr.clone(),
        Expr::Negate(inner) => Expr::Negate(Box::new(seen_from_parent(inner))),
        Expr::Binary(operator, left, right) => Expr::Binary(
            *operator,
            Box::new(seen_from_parent(left)),
            Box::new(seen_from_parent(right)),
        ),
        Expr::Call(function, arguments) => Expr::Call(*function, all(arguments)),
        Expr::Unknown(name, arguments) => Expr::Unknown(name.clone(), all(arguments)),
        Expr::Path(path) => {
            let mut path = path.clone();
            let relative = matches!(path.start, Start::Here | Start::Current);
            if relative && path.steps.first().is_some_and(|s| s.axis == Axis::Parent) {
                path.steps.remove(0);
                if path.steps.is_empty() {
                    path.steps.push(Step {
                        axis: Axis::Itself,
                        name: None,
                        predicates: vec![],
                    });
                }
            }
            Expr::Path(path)
        }
    }
}

fn written(read: &Read) -> String {
    let steps: Vec<&str> = read.steps.iter().map(|s| s.as_deref().unwrap_or("*")).collect();
    format!("/{}", steps.join("/"))
}

/// Kahn's algorithm; on failure, one cycle.
fn order(edges: &[BTreeSet<Vertex>]) -> Result<Vec<Vertex>, Vec<Vertex>> {
    let mut incoming = vec![0_usize; edges.len()];
    for target in edges.iter().flatten() {
        incoming[*target] += 1;
    }
    let mut ready: BTreeSet<Vertex> = (0..edges.len()).filter(|v| incoming[*v] == 0).collect();
    let mut out = Vec::with_capacity(edges.len());
    while let Some(vertex) = ready.pop_first() {
        out.push(vertex);
        for target in &edges[vertex] {
            incoming[*target] -= 1;
            if incoming[*target] == 0 {
                ready.insert(*target);
            }
        }
    }
    if out.len() == edges.len() {
        Ok(out)
    } else {
        Err(cycle(edges, &incoming))
    }
}

/// Every vertex left over has a predecessor left over: walking back must meet itself.
fn cycle(edges: &[BTreeSet<Vertex>], incoming: &[usize]) -> Vec<Vertex> {
    let before = |v: Vertex| (0..edges.len()).find(|u| incoming[*u] > 0 && edges[*u].contains(&v));
    let mut path: Vec<Vertex> = Vec::new();
    let mut at = (0..edges.len()).find(|v| incoming[*v] > 0);
    while let Some(vertex) = at {
        if let Some(begin) = path.iter().position(|v| *v == vertex) {
            let mut found = path.split_off(begin);
            found.reverse();
            return found;
        }
        path.push(vertex);
        at = before(vertex);
    }
    path
}

fn report_cycle(model: &Model, cycle: &[Vertex], problems: &mut Problems) {
    let mut fields: Vec<DefId> = Vec::new();
    for vertex in cycle {
        if !fields.contains(&(vertex / 2)) {
            fields.push(vertex / 2);
        }
    }
    let mut names: Vec<&str> = fields.iter().map(|d| model.defs[*d].path.as_str()).collect();
    names.extend(names.first().copied());
    // The cell to change is one that holds an expression of the circle.
    let culprit = cycle.iter().find_map(|v| {
        let bind = &model.defs[v / 2].bind;
        let attribute = if v % 2 == 0 {
            bind.calculate.as_ref().map(|_| "calculate")
        } else {
            bind.relevant.as_ref().map(|_| "relevant")
        };
        Some(Place {
            path: model.defs[v / 2].path.clone(),
            attribute: attribute?,
            line: bind.line,
        })
    });
    problems.error(
        culprit.unwrap_or_default(),
        format!(
            "These fields decide one another in a circle: {}; break it by removing one reference",
            names.join(" → ")
        ),
    );
}
