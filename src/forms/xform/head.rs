//! The head of an XForm: instances, translations and binds.

use super::{LocalName, Reader};
use crate::forms::finding::Place;
use crate::forms::limits;
use crate::forms::model::{Bind, DataType, Def, DefId, Entry, Itext, Language, Model, Piece, language_code};
use crate::forms::xpath::tree::Tree;
use roxmltree::Node;
use std::collections::HashMap;
use std::sync::Arc;

impl<'a> Reader<'a, '_> {
    pub(super) fn head(&mut self, root: Node<'a, 'a>, model: Node<'a, 'a>) -> Option<Model> {
        let title = self
            .find(root, "title")
            .and_then(|t| t.text())
            .unwrap_or("")
            .trim()
            .to_owned();
        let instances: Vec<Node<'a, 'a>> = model
            .children()
            .filter(|n| n.has_tag_name_local("instance"))
            .collect();
        let primary = instances
            .iter()
            .find(|i| i.local_attribute("id").is_none())
            .or(instances.first());
        let Some(primary) = primary.and_then(|i| i.first_element_child()) else {
            self.error(
                model,
                "",
                "",
                "There is no primary instance, so the form has no fields",
            );
            return None;
        };
        let mut out = Model {
            id: primary.local_attribute("id").unwrap_or("").to_owned(),
            version: primary.local_attribute("version").unwrap_or("").to_owned(),
            title,
            template: Tree::new(),
            template_info: vec![(0, false)],
            defs: Vec::new(),
            lists: Vec::new(),
            itext: self.itext(model),
            body: Vec::new(),
            controls: Vec::new(),
            actions: Vec::new(),
            root_attributes: primary
                .attributes()
                .map(|a| (a.name().to_owned(), a.value().to_owned()))
                .collect(),
        };
        if out.id.is_empty() {
            self.error(
                primary,
                "",
                "",
                "The form has no id; give its root element an `id`",
            );
        }
        let mut names = Names::default();
        self.field(primary, 0, None, &mut out, &mut names);
        if out.defs.len() > limits::FIELDS {
            self.error(
                primary,
                "",
                "",
                format!("The form has more than {} fields; split it", limits::FIELDS),
            );
            return None;
        }
        let mut items = 0;
        for instance in instances {
            let Some(id) = instance.local_attribute("id") else {
                continue;
            };
            if out.lists.iter().any(|(known, _)| known == id) {
                self.error(
                    instance,
                    "",
                    "",
                    format!("The list `{id}` is defined twice; rename one"),
                );
            }
            let tree = self.list(instance, id, &mut names);
            items += tree
                .nodes
                .first()
                .and_then(|d| d.children.first())
                .map_or(0, |r| tree.get(*r).children.len());
            out.lists.push((id.to_owned(), tree));
        }
        items += self.external_lists(&mut out, &mut names, model);
        if items > limits::CHOICES {
            self.error(
                model,
                "",
                "",
                format!("The lists have {items} choices; the limit is {}", limits::CHOICES),
            );
            return None;
        }
        Some(out)
    }

    fn field(
        &mut self,
        node: Node<'a, 'a>,
        parent: u32,
        around: Option<DefId>,
        out: &mut Model,
        names: &mut Names,
    ) {
        if out.template.nodes.len() > limits::INSTANCE_NODES || out.defs.len() > limits::FIELDS {
            return;
        }
        let name = names.intern(node.tag_name().name());
        let has_children = node.first_element_child().is_some();
        let text = if has_children {
            String::new()
        } else {
            node.text().unwrap_or("").trim().to_owned()
        };
        let is_template = node.local_attribute("template").is_some();
        let id = out.template.push(parent, name.clone(), text);
        let known = match around {
            Some(def) => out.child_def(def, &name),
            None => None,
        };
        let def = known.unwrap_or_else(|| {
            let def = out.defs.len();
            let above = around.map(|d| out.defs[d].path.clone()).unwrap_or_default();
            let prefix = node
                .tag_name()
                .namespace()
                .and_then(|uri| node.lookup_prefix(uri));
            let written = match prefix {
                Some(prefix) if !prefix.is_empty() => format!("{prefix}:{name}"),
                _ => name.to_string(),
            };
            out.defs.push(Def {
                path: format!("{above}/{name}"),
                name: name.clone(),
                written,
                parent: around,
                children: vec![],
                repeat: false,
                prototype: id,
                bind: Bind::default(),
                line: self.line(node),
            });
            if let Some(parent) = around {
                out.defs[parent].children.push(def);
            }
            def
        });
        out.template_info.push((def, is_template));
        // A template wins over an ordinary first instance.
        if is_template && !out.template_info[out.defs[def].prototype as usize].1 {
            out.defs[def].prototype = id;
        }
        for child in node.children().filter(Node::is_element) {
            self.field(child, id, Some(def), out, names);
        }
    }

    fn list(&mut self, instance: Node<'a, 'a>, id: &str, names: &mut Names) -> Tree {
        let mut tree = Tree::new();
        if let Some(source) = instance.local_attribute("src") {
            match self.list_of_file(source, names) {
                Ok(Some(tree)) => return tree,
                Ok(None) => {
                    let place = self.place(instance, "", "");
                    let name = source.rsplit('/').next().unwrap_or(source);
                    let message = format!("The list `{id}` needs the file {name}; put it beside the form");
                    self.problems.warning(place, message);
                }
                Err(message) => self.error(instance, "", "", message),
            }
        }
        if let Some(root) = instance.first_element_child() {
            copy(root, 0, &mut tree, names);
        }
        tree
    }

    fn itext(&mut self, model: Node<'a, 'a>) -> Itext {
        let mut out = Itext::default();
        let Some(itext) = model.children().find(|n| n.has_tag_name_local("itext")) else {
            return out;
        };
        let translations: Vec<Node<'a, 'a>> = itext
            .children()
            .filter(|n| n.has_tag_name_local("translation"))
            .collect();
        let count = translations.len();
        for (i, translation) in translations.into_iter().enumerate() {
            let name = translation
                .local_attribute("lang")
                .unwrap_or("default")
                .to_owned();
            if translation
                .local_attribute("default")
                .is_some_and(|d| d != "false()" && d != "false")
            {
                out.default = i;
            }
            out.languages.push(Language {
                code: language_code(&name),
                name,
            });
            for text in translation.children().filter(|n| n.has_tag_name_local("text")) {
                let Some(id) = text.local_attribute("id") else {
                    continue;
                };
                let entry = self.entry(text, id);
                let slots = out
                    .texts
                    .entry(id.to_owned())
                    .or_insert_with(|| (0..count).map(|_| None).collect());
                slots[i] = Some(entry);
            }
        }
        out
    }

    fn entry(&mut self, text: Node<'a, 'a>, id: &str) -> Entry {
        let mut entry = Entry::default();
        for value in text.children().filter(|n| n.has_tag_name_local("value")) {
            match value.local_attribute("form") {
                None | Some("long") => entry.plain = Some(self.pieces(value, id)),
                Some("short") => entry.short = Some(self.pieces(value, id)),
                Some("guidance") => entry.guidance = Some(self.pieces(value, id)),
                Some(_) => {}
            }
        }
        // A translation that has only a short form is read in full too, as Collect does.
        if entry.plain.is_none() {
            let short = text
                .children()
                .find(|n| n.has_tag_name_local("value") && n.local_attribute("form") == Some("short"));
            entry.plain = short.map(|value| self.pieces(value, id));
        }
        entry
    }

    /// Mixed text and `<output>`.
    pub(super) fn pieces(&mut self, node: Node<'a, 'a>, path: &str) -> Vec<Piece> {
        let mut out = Vec::new();
        for child in node.children() {
            if child.is_text() {
                out.push(Piece::Text(child.text().unwrap_or("").to_owned()));
            } else if child.has_tag_name_local("output") {
                let source = child
                    .local_attribute("value")
                    .or_else(|| child.local_attribute("ref"))
                    .unwrap_or(".");
                if let Some(expr) = self.expr(child, path.split(':').next().unwrap_or(path), "label", source)
                {
                    out.push(Piece::Output(expr));
                }
            }
        }
        out
    }

    pub(super) fn binds(&mut self, model_node: Node<'a, 'a>, model: &mut Model) {
        let mut seen = HashMap::new();
        for node in model_node.children().filter(|n| n.has_tag_name_local("bind")) {
            let nodeset = node
                .local_attribute("nodeset")
                .or_else(|| node.local_attribute("ref"))
                .unwrap_or("")
                .trim();
            let Some(def) = self.resolve(model, nodeset, None) else {
                self.error(node, nodeset, "", "A bind names a field that does not exist");
                continue;
            };
            if seen.insert(def, ()).is_some() {
                self.error(node, nodeset, "", "The field has two binds; join them");
                continue;
            }
            let bind = self.bind(node, nodeset);
            model.defs[def].bind = bind;
        }
    }

    fn bind(&mut self, node: Node<'a, 'a>, path: &str) -> Bind {
        let mut parse = |attribute: &'static str| {
            let source = node.local_attribute(attribute).filter(|s| !s.trim().is_empty())?;
            self.expr(node, path, attribute, source)
        };
        let (relevant, required, readonly) = (parse("relevant"), parse("required"), parse("readonly"));
        let (constraint, calculate) = (parse("constraint"), parse("calculate"));
        let constraint_message =
            self.message(node, path, "constraintMsg", node.local_attribute("constraintMsg"));
        let required_message = self.message(node, path, "requiredMsg", node.local_attribute("requiredMsg"));
        let preload = node.local_attribute("preload").map(|p| {
            (
                p.to_owned(),
                node.local_attribute("preloadParams").unwrap_or("").to_owned(),
            )
        });
        let written = node.local_attribute("type").unwrap_or("string");
        let data_type = match written.rsplit(':').next().unwrap_or(written) {
            "int" | "integer" | "long" => DataType::Integer,
            "decimal" | "double" | "float" => DataType::Decimal,
            "boolean" => DataType::Boolean,
            "date" => DataType::Date,
            "time" => DataType::Time,
            "dateTime" => DataType::DateTime,
            "barcode" => DataType::Barcode,
            "binary" => DataType::Binary,
            "geopoint" | "geotrace" | "geoshape" => DataType::Geo,
            "string" | "select1" | "select" | "selectMulti" | "rank" | "odk:rank" | "anyURI" => {
                DataType::Text
            }
            other => {
                let place: Place = self.place(node, path, "type");
                self.problems.warning(
                    place,
                    format!("The type `{other}` is not known and is treated as text"),
                );
                DataType::Text
            }
        };
        let line = self.line(node);
        Bind {
            data_type,
            relevant,
            required,
            readonly,
            constraint,
            calculate,
            constraint_message,
            required_message,
            preload,
            line,
        }
    }
}

pub(super) fn copy(node: Node<'_, '_>, parent: u32, tree: &mut Tree, names: &mut Names) {
    let has_children = node.first_element_child().is_some();
    let text = if has_children {
        String::new()
    } else {
        node.text().unwrap_or("").trim().to_owned()
    };
    let id = tree.push(parent, names.intern(node.tag_name().name()), text);
    for child in node.children().filter(Node::is_element) {
        copy(child, id, tree, names);
    }
}

/// One allocation for each distinct element name.
#[derive(Default)]
pub(super) struct Names(HashMap<String, Arc<str>>);

impl Names {
    pub(super) fn intern(&mut self, name: &str) -> Arc<str> {
        self.0
            .entry(name.to_owned())
            .or_insert_with(|| Arc::from(name))
            .clone()
    }
}
