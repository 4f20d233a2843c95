//! Lists in files beside the form: CSV and XML as a secondary instance, and external choices.

use super::Reader;
use super::head::{Names, copy};
use crate::forms::form::ITEMSETS;
use crate::forms::limits;
use crate::forms::model::Model;
use crate::forms::xpath::tree::Tree;
use roxmltree::{Document, Node, ParsingOptions};

/// The instance that external choices of a list are kept in: no author can write this name.
pub(super) fn external_id(list: &str) -> String {
    format!("{ITEMSETS}#{list}")
}

impl<'a> Reader<'a, '_> {
    /// The list that a `src` names, when its file is there.
    pub(super) fn list_of_file(&self, source: &str, names: &mut Names) -> Result<Option<Tree>, String> {
        let name = source.rsplit('/').next().unwrap_or(source);
        let Some(bytes) = self.files.get(name) else {
            return Ok(None);
        };
        if bytes.len() > limits::XML_BYTES {
            return Err(format!(
                "The file {name} is bigger than {} MB; shorten it",
                limits::XML_BYTES >> 20
            ));
        }
        let text = String::from_utf8_lossy(bytes);
        if name.ends_with(".csv") {
            let rows = rows(&text);
            let mut tree = Tree::new();
            let root = tree.push(0, names.intern("root"), String::new());
            let Some((head, rows)) = rows.split_first() else {
                return Ok(Some(tree));
            };
            for row in rows {
                item(&mut tree, root, head, row, names);
            }
            return Ok(Some(tree));
        }
        let options = ParsingOptions {
            allow_dtd: false,
            nodes_limit: limits::XML_NODES,
            ..ParsingOptions::default()
        };
        let document = Document::parse_with_options(&text, options)
            .map_err(|e| format!("The file {name} is not well-formed XML ({e}); correct it"))?;
        if document
            .descendants()
            .any(|n| n.ancestors().nth(limits::DEPTH).is_some())
        {
            return Err(format!("The file {name} is nested too deeply; flatten it"));
        }
        let mut tree = Tree::new();
        copy(document.root_element(), 0, &mut tree, names);
        Ok(Some(tree))
    }

    /// One list for each name in the file of external choices. Says how many choices there are.
    pub(super) fn external_lists(
        &mut self,
        model: &mut Model,
        names: &mut Names,
        node: Node<'a, 'a>,
    ) -> usize {
        let Some(bytes) = self.files.get(ITEMSETS) else {
            return 0;
        };
        let rows = rows(&String::from_utf8_lossy(bytes));
        let Some((head, rows)) = rows.split_first() else {
            return 0;
        };
        let Some(list_column) = head
            .iter()
            .position(|c| matches!(c.as_str(), "list_name" | "list name"))
        else {
            self.error(
                node,
                "",
                "",
                format!("The file {ITEMSETS} has no column list_name; add it"),
            );
            return 0;
        };
        for row in rows.iter().take(limits::CHOICES + 1) {
            let Some(list) = row.get(list_column).filter(|l| !l.is_empty()) else {
                continue;
            };
            let id = external_id(list);
            let at = model
                .lists
                .iter()
                .position(|(known, _)| *known == id)
                .unwrap_or_else(|| {
                    let mut tree = Tree::new();
                    tree.push(0, names.intern("root"), String::new());
                    model.lists.push((id, tree));
                    model.lists.len() - 1
                });
            item(&mut model.lists[at].1, 1, head, row, names);
        }
        rows.len()
    }
}

fn item(tree: &mut Tree, root: u32, head: &[String], row: &[String], names: &mut Names) {
    let item = tree.push(root, names.intern("item"), String::new());
    for (name, value) in head.iter().zip(row) {
        tree.push(item, names.intern(name), value.clone());
    }
}

/// The rows of a CSV file: commas or semicolons, quotes doubled inside quotes, lines that end anyhow.
fn rows(text: &str) -> Vec<Vec<String>> {
    let text = text.trim_start_matches('\u{feff}');
    let first = text.lines().next().unwrap_or("");
    let separator = if first.matches(';').count() > first.matches(',').count() {
        ';'
    } else {
        ','
    };
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut row: Vec<String> = Vec::new();
    let mut cell = String::new();
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                cell.push('"');
                chars.next();
            }
            '"' if quoted => quoted = false,
            '"' if cell.trim().is_empty() => {
                cell.clear();
                quoted = true;
            }
            c if c == separator && !quoted => row.push(std::mem::take(&mut cell).trim().to_owned()),
            '\n' | '\r' if !quoted => {
                row.push(std::mem::take(&mut cell).trim().to_owned());
                end(&mut rows, &mut row);
            }
            c => cell.push(c),
        }
    }
    row.push(cell.trim().to_owned());
    end(&mut rows, &mut row);
    rows
}

fn end(rows: &mut Vec<Vec<String>>, row: &mut Vec<String>) {
    let row = std::mem::take(row);
    if row.iter().any(|c| !c.is_empty()) {
        rows.push(row);
    }
}

#[cfg(test)]
mod tests {
    use super::rows;

    #[test]
    fn files_of_spreadsheets_are_read() {
        let read = rows("\u{feff}name,label\r\n1,\"Uno, \"\"primero\"\"\"\n\n2,Dos\n");
        assert_eq!(read, [["name", "label"], ["1", "Uno, \"primero\""], ["2", "Dos"]]);
        assert_eq!(rows("name;label\n1;a,b"), [["name", "label"], ["1", "a,b"]]);
    }
}
