//! The body of an XForm: questions, groups, repeats, and the actions that set values.

use super::{LocalName, Reader};
use crate::forms::model::{Action, ActionValue, Control, ControlKind, DefId, Item, Items, Model, Text};
use crate::forms::xpath::Expr;
use crate::forms::xpath::ast::{Path, Start};
use roxmltree::Node;

impl<'a> Reader<'a, '_> {
    pub(super) fn body(&mut self, body: Node<'a, 'a>, model: &mut Model) {
        let root = model.defs.iter().position(|d| d.parent.is_none());
        model.body = self.items(body, root, model);
    }

    fn items(&mut self, parent: Node<'a, 'a>, around: Option<DefId>, model: &mut Model) -> Vec<Item> {
        let mut out = Vec::new();
        for node in parent.children().filter(Node::is_element) {
            let kind = match node.tag_name().name() {
                "input" if node.local_attribute("query").is_some() => ControlKind::SelectOne,
                "input" => ControlKind::Input,
                "secret" => ControlKind::Secret,
                "select1" => ControlKind::SelectOne,
                "select" => ControlKind::SelectMultiple,
                "trigger" => ControlKind::Trigger,
                "range" => ControlKind::Range,
                "rank" => ControlKind::Rank,
                "upload" => ControlKind::Upload,
                "group" => {
                    out.extend(self.group(node, around, model));
                    continue;
                }
                "repeat" => {
                    out.extend(self.repeat(node, around, model));
                    continue;
                }
                _ => continue,
            };
            if let Some(control) = self.control(node, kind, around, model) {
                out.push(Item::Control(model.controls.len()));
                model.controls.push(control);
            }
        }
        out
    }

    fn reference(
        &mut self,
        node: Node<'a, 'a>,
        around: Option<DefId>,
        model: &Model,
    ) -> Result<Option<DefId>, ()> {
        let Some(source) = node
            .local_attribute("ref")
            .or_else(|| node.local_attribute("nodeset"))
        else {
            return Ok(None);
        };
        match self.resolve(model, source, around) {
            Some(def) => Ok(Some(def)),
            None => {
                self.error(
                    node,
                    source,
                    "",
                    "The body shows a field that does not exist in the form",
                );
                Err(())
            }
        }
    }

    fn group(&mut self, node: Node<'a, 'a>, around: Option<DefId>, model: &mut Model) -> Option<Item> {
        let def = self.reference(node, around, model).ok()?;
        let label = self.child_text(
            node,
            "label",
            def.map(|d| model.defs[d].path.clone())
                .unwrap_or_default()
                .as_str(),
        );
        let children = self.items(node, def.or(around), model);
        // `<group ref="/data/r"><label/><repeat nodeset="/data/r">`: the group only carries the repeat's label.
        let wraps = children
            .iter()
            .any(|c| matches!(c, Item::Repeat { def: inner, .. } if Some(*inner) == def));
        let def = if wraps { None } else { def };
        Some(Item::Group {
            def,
            label,
            appearance: appearance(node),
            children,
        })
    }

    fn repeat(&mut self, node: Node<'a, 'a>, around: Option<DefId>, model: &mut Model) -> Option<Item> {
        let Some(def) = self.reference(node, around, model).ok()? else {
            self.error(node, "", "", "A repeat does not say which group it repeats");
            return None;
        };
        model.defs[def].repeat = true;
        let path = model.defs[def].path.clone();
        let source = node.local_attribute("count").filter(|s| !s.trim().is_empty());
        let count = source.and_then(|s| self.expr(node, &path, "count", s));
        let label = self.child_text(node, "label", &path);
        let children = self.items(node, Some(def), model);
        Some(Item::Repeat {
            def,
            label,
            count,
            appearance: appearance(node),
            children,
        })
    }

    fn control(
        &mut self,
        node: Node<'a, 'a>,
        kind: ControlKind,
        around: Option<DefId>,
        model: &Model,
    ) -> Option<Control> {
        let Some(def) = self.reference(node, around, model).ok()? else {
            self.error(node, "", "", "A question does not say which field it fills");
            return None;
        };
        let path = model.defs[def].path.clone();
        let mut kind = kind;
        // ODK ranks are `<odk:rank>`; some writers use a select with an appearance.
        if kind == ControlKind::SelectMultiple && node.tag_name().name() == "rank" {
            kind = ControlKind::Rank;
        }
        let range = (kind == ControlKind::Range).then(|| {
            let number = |name: &str| {
                node.local_attribute(name)
                    .and_then(|v| v.trim().parse::<f64>().ok())
            };
            (
                number("start").unwrap_or(0.0),
                number("end").unwrap_or(10.0),
                number("step").unwrap_or(1.0),
            )
        });
        Some(Control {
            label: self.child_text(node, "label", &path),
            hint: self.child_text(node, "hint", &path),
            items: self.choices(node, &path),
            appearance: appearance(node),
            picture: node
                .local_attribute("mediatype")
                .is_some_and(|m| m.starts_with("image/")),
            place: self.place(node, &path, ""),
            def,
            kind,
            range,
        })
    }

    fn child_text(&mut self, node: Node<'a, 'a>, name: &'static str, path: &str) -> Text {
        let Some(child) = node.children().find(|n| n.has_tag_name_local(name)) else {
            return Text::None;
        };
        match child.local_attribute("ref") {
            Some(source) => self.text_ref(child, path, name, source),
            None => Text::Inline(self.pieces(child, path)),
        }
    }

    fn choices(&mut self, node: Node<'a, 'a>, path: &str) -> Items {
        if let Some(query) = node.local_attribute("query") {
            return self.external_choices(node, path, query).unwrap_or(Items::None);
        }
        if let Some(itemset) = node.children().find(|n| n.has_tag_name_local("itemset")) {
            return self.itemset(itemset, path).unwrap_or(Items::None);
        }
        let mut fixed = Vec::new();
        for item in node.children().filter(|n| n.has_tag_name_local("item")) {
            let value = item
                .children()
                .find(|n| n.has_tag_name_local("value"))
                .and_then(|v| v.text())
                .unwrap_or("");
            let label = self.child_text(item, "label", path);
            fixed.push((value.trim().to_owned(), label));
        }
        if fixed.is_empty() {
            Items::None
        } else {
            Items::Fixed(fixed)
        }
    }

    /// `query` of a select_one_external: its list is in the file of external choices.
    fn external_choices(&mut self, node: Node<'a, 'a>, path: &str, query: &str) -> Option<Items> {
        let mut nodeset = self.expr(node, path, "choice_filter", query)?;
        if let Expr::Path(Path {
            start: Start::Instance(id),
            ..
        }) = &mut nodeset
        {
            *id = super::files::external_id(id);
        }
        let (value, label) = (
            self.expr(node, path, "", "name")?,
            self.expr(node, path, "", "label")?,
        );
        let filtered = has_predicate(&nodeset);
        Some(Items::List {
            nodeset,
            value,
            label,
            filtered,
        })
    }

    fn itemset(&mut self, itemset: Node<'a, 'a>, path: &str) -> Option<Items> {
        let source = itemset.local_attribute("nodeset")?;
        let nodeset = self.expr(itemset, path, "choice_filter", source)?;
        let mut part = |name: &str, default: &str| {
            let child = itemset.children().find(|n| n.has_tag_name_local(name));
            let source = child
                .and_then(|c| c.local_attribute("ref"))
                .unwrap_or(default)
                .to_owned();
            self.expr(itemset, path, "label", &source)
        };
        let (value, label) = (part("value", "name")?, part("label", "label")?);
        let filtered = has_predicate(&nodeset);
        Some(Items::List {
            nodeset,
            value,
            label,
            filtered,
        })
    }

    pub(super) fn actions(&mut self, root: Node<'a, 'a>, model: &mut Model) {
        for node in root.descendants().filter(|n| n.has_tag_name_local("setvalue")) {
            let parent = node.parent_element();
            let control =
                parent.filter(|p| !matches!(p.tag_name().name(), "model" | "repeat" | "group" | "body"));
            let on_control = control
                .and_then(|c| c.local_attribute("ref"))
                .and_then(|r| self.resolve(model, r, None));
            let source = node.local_attribute("ref").unwrap_or("");
            let around = on_control.or_else(|| model.defs.iter().position(|d| d.parent.is_none()));
            let Some(target) = self.resolve(model, source, around) else {
                self.error(node, source, "", "A setvalue names a field that does not exist");
                continue;
            };
            let path = model.defs[target].path.clone();
            let value = match node.local_attribute("value") {
                Some(expr) => match self.expr(node, &path, "default", expr) {
                    Some(expr) => ActionValue::Expr(expr),
                    None => continue,
                },
                None => ActionValue::Literal(node.text().unwrap_or("").trim().to_owned()),
            };
            let events: Vec<&str> = node
                .local_attribute("event")
                .unwrap_or("")
                .split_whitespace()
                .collect();
            let has = |name: &str| events.contains(&name);
            model.actions.push(Action {
                target,
                value,
                first_load: has("odk-instance-first-load") || has("odk-instance-load") || has("xforms-ready"),
                new_repeat: has("odk-new-repeat"),
                on_change: on_control.filter(|_| has("xforms-value-changed")),
                place: self.place(node, &path, "default"),
            });
        }
    }
}

fn appearance<'a>(node: Node<'a, 'a>) -> Vec<String> {
    node.local_attribute("appearance")
        .unwrap_or("")
        .split_whitespace()
        .map(str::to_owned)
        .collect()
}

fn has_predicate(expr: &Expr) -> bool {
    match expr {
        Expr::Path(path) => path.steps.iter().any(|s| !s.predicates.is_empty()),
        Expr::Call(_, arguments) => arguments.iter().any(has_predicate),
        _ => false,
    }
}
