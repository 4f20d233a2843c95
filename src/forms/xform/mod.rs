//! Reads an XForm (the XML that ODK and pyxform speak) into a [`Model`].
//!
//! Everything wrong is collected, so that an author sees all of it at once. Unknown elements are ignored, unknown
//! functions and dangling references are errors. Begin with [`read`].

mod body;
mod files;
mod head;

use super::finding::{Place, Problems};
use super::form::Files;
use super::limits;
use super::model::{DefId, Model, Text};
use super::xpath::{self, Expr};
use roxmltree::{Document, Node, ParsingOptions};

/// Reads a form with the files beside it; `None` when nothing can be compiled from it.
pub(super) fn read(xml: &str, files: &Files, problems: &mut Problems) -> Option<Model> {
    if xml.len() > limits::XML_BYTES {
        problems.error(
            Place::default(),
            format!("The form is bigger than {} MB", limits::XML_BYTES >> 20),
        );
        return None;
    }
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: limits::XML_NODES,
        ..ParsingOptions::default()
    };
    let document = match Document::parse_with_options(xml, options) {
        Ok(document) => document,
        Err(error) => {
            let line = error.pos().row;
            problems.error(
                Place {
                    line,
                    ..Place::default()
                },
                format!("The file is not well-formed XML ({error})"),
            );
            return None;
        }
    };
    let mut reader = Reader {
        document: &document,
        files,
        problems,
    };
    if !reader.depth_is_sane() {
        return None;
    }
    let root = document.root_element();
    let Some(model_node) = reader.find(root, "model") else {
        reader.error(root, "", "", "There is no <model>; this is not an XForm");
        return None;
    };
    let mut model = reader.head(root, model_node)?;
    reader.binds(model_node, &mut model);
    if let Some(body) = root.children().find(|n| n.has_tag_name_local("body")) {
        reader.body(body, &mut model);
    }
    reader.actions(root, &mut model);
    Some(model)
}

struct Reader<'a, 'p> {
    document: &'a Document<'a>,
    files: &'p Files,
    problems: &'p mut Problems,
}

/// Forms are written with many prefixes; only local names count.
trait LocalName<'a> {
    fn has_tag_name_local(&self, name: &str) -> bool;
    fn local_attribute(&self, name: &str) -> Option<&'a str>;
}

impl<'a> LocalName<'a> for Node<'a, 'a> {
    fn has_tag_name_local(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }

    fn local_attribute(&self, name: &str) -> Option<&'a str> {
        self.attributes().find(|a| a.name() == name).map(|a| a.value())
    }
}

impl<'a> Reader<'a, '_> {
    /// Elements inside one another; what follows recurses over them.
    fn depth_is_sane(&mut self) -> bool {
        let deep = self
            .document
            .descendants()
            .find(|n| n.is_element() && n.ancestors().nth(limits::DEPTH + 16).is_some());
        if let Some(node) = deep {
            self.error(node, "", "", "Elements are nested too deeply; flatten the groups");
        }
        deep.is_none()
    }

    fn find(&self, from: Node<'a, 'a>, name: &str) -> Option<Node<'a, 'a>> {
        from.descendants().find(|n| n.has_tag_name_local(name))
    }

    fn line(&self, node: Node<'_, '_>) -> u32 {
        self.document.text_pos_at(node.range().start).row
    }

    fn place(&self, node: Node<'_, '_>, path: &str, attribute: &'static str) -> Place {
        Place {
            path: path.to_owned(),
            attribute,
            line: self.line(node),
        }
    }

    fn error(&mut self, node: Node<'_, '_>, path: &str, attribute: &'static str, message: impl Into<String>) {
        let place = self.place(node, path, attribute);
        self.problems.error(place, message);
    }

    fn expr(
        &mut self,
        node: Node<'_, '_>,
        path: &str,
        attribute: &'static str,
        source: &str,
    ) -> Option<Expr> {
        match xpath::parse(source) {
            Ok(expr) => Some(expr),
            Err(error) => {
                let shown: String = source.chars().take(120).collect();
                self.error(
                    node,
                    path,
                    attribute,
                    format!("`{shown}` cannot be understood: {error}"),
                );
                None
            }
        }
    }

    /// A message or label that may be `jr:itext('id')` or plain text.
    fn message(
        &mut self,
        node: Node<'_, '_>,
        path: &str,
        attribute: &'static str,
        source: Option<&str>,
    ) -> Text {
        match source {
            None => Text::None,
            Some(source) if source.trim_start().starts_with("jr:itext(") => {
                self.text_ref(node, path, attribute, source)
            }
            Some(source) => Text::Inline(vec![super::model::Piece::Text(source.to_owned())]),
        }
    }

    fn text_ref(&mut self, node: Node<'_, '_>, path: &str, attribute: &'static str, source: &str) -> Text {
        match self.expr(node, path, attribute, source) {
            Some(Expr::Call(xpath::functions::Function::Itext, arguments)) => {
                match arguments.into_iter().next() {
                    Some(Expr::Literal(id)) => Text::Itext(id),
                    Some(other) => Text::Ref(Expr::Call(xpath::functions::Function::Itext, vec![other])),
                    None => Text::None,
                }
            }
            Some(expr) => Text::Ref(expr),
            None => Text::None,
        }
    }

    /// The definition a `ref` names, seen from the definition of the group around it.
    fn resolve(&self, model: &Model, source: &str, around: Option<DefId>) -> Option<DefId> {
        let source = source.trim();
        let mut names: Vec<String> = match (source.starts_with('/'), around) {
            (true, _) => vec![],
            (false, Some(def)) => model.names(def),
            (false, None) => vec![],
        };
        for step in source.split('/').map(str::trim).filter(|s| !s.is_empty()) {
            match step {
                "." | "current()" => {}
                ".." => {
                    names.pop();
                }
                name => names.push(name.rsplit(':').next().unwrap_or(name).to_owned()),
            }
        }
        let steps: Vec<&str> = names.iter().map(String::as_str).collect();
        model.def_at(&steps)
    }
}
