//! Workbooks of others: each must become the form that pyxform makes of it.

use super::conformance::cases;
use crate::forms::{Finding, Form};
use roxmltree::{Document, Node};
use std::collections::BTreeSet;
use std::path::Path;

/// A form as lines that do not depend on order, spacing or the way an expression is written.
fn canon(xml: &str) -> BTreeSet<String> {
    let document = Document::parse(xml).expect("a form is XML");
    let mut out = BTreeSet::new();
    for node in document.descendants().filter(Node::is_element) {
        let attributes = |skip: &[&str]| {
            let mut all: Vec<String> = node
                .attributes()
                .filter(|a| !skip.contains(&a.name()))
                .map(|a| format!("{}={}", a.name(), expression(a.value())))
                .collect();
            all.sort();
            all.join(" ")
        };
        match node.tag_name().name() {
            "bind" | "setvalue" => {
                // Media settings and third-party attributes are not ours.
                let kept = attributes(&[
                    "max-pixels",
                    "quality",
                    "saveIncomplete",
                    "noAppErrorString",
                    "preloadParams",
                ]);
                out.insert(format!("{} {kept}", node.tag_name().name()));
            }
            "input" | "select" | "select1" | "trigger" | "range" | "repeat" | "upload" | "rank"
            | "itemset" => {
                let label = node
                    .children()
                    .find(|n| n.tag_name().name() == "label")
                    .map(text)
                    .unwrap_or_default();
                let kept = attributes(&["rows", "autoplay", "mediatype", "query", "class"]);
                out.insert(format!("{} {kept} [{label}]", node.tag_name().name()));
            }
            "item" => {
                let parts: Vec<String> = node.children().filter(Node::is_element).map(text).collect();
                out.insert(format!("item {}", parts.join("|")));
            }
            _ => {}
        }
    }
    out
}

fn text(node: Node<'_, '_>) -> String {
    let words: Vec<&str> = node
        .descendants()
        .filter_map(|n| n.text())
        .flat_map(str::split_whitespace)
        .collect();
    let outputs: Vec<String> = node
        .descendants()
        .filter_map(|n| n.attribute("value"))
        .map(expression)
        .collect();
    format!(
        "{}{}{}",
        node.attribute("ref").unwrap_or(""),
        words.join(" "),
        outputs.join(",")
    )
}

fn expression(source: &str) -> String {
    crate::forms::xpath::parse(source).map_or_else(|_| source.trim().to_owned(), |e| e.to_string())
}

fn differences(xlsx: &Path, xml: &Path) -> Result<Vec<String>, Vec<Finding>> {
    let (form, _) = Form::from_xlsx(&std::fs::read(xlsx).expect("a workbook can be read"))?;
    let ours = canon(&form.to_xform_xml());
    let theirs = canon(&std::fs::read_to_string(xml).expect("a form can be read"));
    let less = theirs.difference(&ours).map(|l| format!("- {l}"));
    let more = ours.difference(&theirs).map(|l| format!("+ {l}"));
    Ok(less.chain(more).collect())
}

/// What is different on purpose: lists in other files, `flat`, media, `table-list`, loops, attributes of third parties,
/// the built-in constraint of `phone number`, and "Specify other" in the language of the form.
const ELSEWHERE: &[&str] = &[
    "UCL_Biomass_Plot_Form",
    "attribute_columns_test",
    "flat_xlsform_test",
    "group",
    "loop",
    "specify_other",
    "xlsform_spec_test",
];

#[test]
fn workbooks_become_what_pyxform_makes() {
    let Some(root) = cases() else { return };
    let mut report = Vec::new();
    let files = std::fs::read_dir(root.join("xlsform")).expect("a folder");
    let mut files: Vec<_> = files.filter_map(|e| Some(e.ok()?.path())).collect();
    files.sort();
    let mut equal = 0;
    for file in files
        .iter()
        .filter(|f| f.extension().is_some_and(|e| e == "xlsx"))
    {
        let name = file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let expected = file.with_file_name(format!("{name}.pyxform450.xml"));
        match differences(file, &expected) {
            Ok(lines) if lines.is_empty() => equal += 1,
            _ if ELSEWHERE.contains(&name.as_str()) => {}
            Ok(lines) => report.push(format!("{name}: {}\n{}", lines.len(), lines.join("\n"))),
            Err(findings) => {
                let all: Vec<String> = findings
                    .iter()
                    .filter(|f| f.is_error())
                    .map(ToString::to_string)
                    .collect();
                report.push(format!("{name}: refused\n{}", all.join("\n")));
            }
        }
    }
    assert_eq!(equal, 5, "{}", report.join("\n"));
}
