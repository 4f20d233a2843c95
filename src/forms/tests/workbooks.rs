//! Workbooks of others: each must become the form that pyxform makes of it.

use super::conformance::cases;
use super::workbook::workbook;
use crate::forms::{Form, convert};
use roxmltree::{Document, Node};
use std::path::{Path, PathBuf};

/// An element and what is in it, as lines that do not depend on spacing, prefixes or the order of attributes.
fn lines(node: Node<'_, '_>, depth: usize, out: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    if node.is_text() {
        let words: Vec<&str> = node.text().unwrap_or("").split_whitespace().collect();
        if !words.is_empty() {
            out.push(format!("{indent}{}", words.join(" ")));
        }
        return;
    }
    let mut attributes: Vec<String> = node
        .attributes()
        .map(|a| {
            format!(
                "{}={}",
                a.name(),
                a.value().split_whitespace().collect::<Vec<_>>().join(" ")
            )
        })
        .collect();
    attributes.sort();
    out.push(format!(
        "{indent}<{} {}",
        node.tag_name().name(),
        attributes.join(" ")
    ));
    let mut inside: Vec<Vec<String>> = Vec::new();
    for child in node.children().filter(|c| c.is_element() || c.is_text()) {
        let mut block = Vec::new();
        lines(child, depth + 1, &mut block);
        inside.push(block);
    }
    // pyxform fills the gaps of a translation in the order of a set, which is another one each time.
    if node.tag_name().name() == "text" {
        inside.sort();
    }
    out.extend(inside.into_iter().flatten());
}

fn whole(xml: &str) -> Vec<String> {
    let document = Document::parse(xml).expect("a form is XML");
    let mut out = Vec::new();
    lines(document.root_element(), 0, &mut out);
    out
}

fn stem(file: &Path) -> String {
    file.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let all = std::fs::read_dir(folder)
        .expect("a folder")
        .filter_map(|e| Some(e.ok()?.path()));
    let ends = |f: &PathBuf| f.extension().is_some_and(|e| endings.iter().any(|x| e == *x));
    let mut out: Vec<PathBuf> = all.filter(ends).collect();
    out.sort();
    out
}

#[test]
fn workbooks_become_what_pyxform_makes() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/forms");
    let mut workbooks = files(&own, &["xlsx"]);
    assert_eq!(workbooks.len(), 5);
    if let Some(root) = cases() {
        workbooks.extend(files(&root.join("xlsform"), &["xlsx", "xls"]));
        assert_eq!(workbooks.len(), 17);
    }
    let mut report = Vec::new();
    for file in &workbooks {
        let name = stem(file);
        let bytes = std::fs::read(file).expect("a workbook can be read");
        let made = ["pyxform450.xml", "xml"].map(|e| file.with_file_name(format!("{name}.{e}")));
        let theirs = made.iter().find_map(|f| std::fs::read_to_string(f).ok());
        let theirs = whole(&theirs.expect("a form can be read"));
        match convert(&name, &bytes) {
            Ok(conversion) => {
                let ours = whole(&conversion.xml);
                if ours != theirs {
                    let less = theirs
                        .iter()
                        .filter(|l| !ours.contains(l))
                        .map(|l| format!("- {l}"));
                    let more = ours
                        .iter()
                        .filter(|l| !theirs.contains(l))
                        .map(|l| format!("+ {l}"));
                    let at = ours.iter().zip(&theirs).position(|(a, b)| a != b);
                    let order = at.map(|i| format!("first at {i}: {} / {}", ours[i], theirs[i]));
                    report.push(format!(
                        "{name}: {order:?}\n{}",
                        less.chain(more).take(30).collect::<Vec<_>>().join("\n")
                    ));
                }
            }
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
    assert!(report.is_empty(), "{}", report.join("\n"));
}

#[test]
fn bent_quotes_are_straight_in_every_sheet() {
    let survey: &[&[&str]] = &[
        &["type", "name", "label", "relevant"],
        &["select_one animal", "a", "The neighbour’s “animal”"],
        &["note", "n", "Meow", "${a} = ‘cat’"],
    ];
    let choices: &[&[&str]] = &[
        &["list_name", "name", "label"],
        &["animal", "cat", "Somebody’s cat"],
    ];
    let settings: &[&[&str]] = &[&["form_title", "form_id"], &["Neighbour’s animals", "animals"]];
    let sheets = [("survey", survey), ("choices", choices), ("settings", settings)];
    let xml = convert("animals", &workbook(&sheets))
        .unwrap_or_else(|findings| panic!("{}", findings[0]))
        .xml;
    for straight in [
        "The neighbour's \"animal\"",
        "= 'cat'",
        "Somebody's cat",
        "Neighbour's animals",
    ] {
        assert!(xml.contains(straight), "{straight}\n{xml}");
    }
}

/// What pyxform hands on, Collect and a kiosk would trip over: words for a calculation, a heading for a path.
const NONSENSE: &[&str] = &["bad_calc.xlsx", "xl_date_ambiguous.xlsx"];

#[test]
fn bad_workbooks_have_the_verdict_of_pyxform() {
    let Some(root) = cases() else { return };
    let folder = root.join("xlsform_bad");
    let expected = std::fs::read_to_string(folder.join("expectations.json")).expect("expectations");
    let expected: serde_json::Value = serde_json::from_str(&expected).expect("JSON");
    let mut report = Vec::new();
    for file in files(&folder, &["xlsx", "xls"]) {
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let bytes = std::fs::read(&file).expect("a workbook can be read");
        let wanted = expected[&name]["ok"].as_bool().expect("a verdict");
        let errors = match convert(&stem(&file), &bytes) {
            Ok(_) => vec![],
            Err(findings) => findings.into_iter().filter(|f| f.is_error()).collect(),
        };
        let shown: Vec<String> = errors.iter().map(ToString::to_string).collect();
        if errors.is_empty() != wanted {
            report.push(format!("{name}: {wanted} wanted, {}", shown.join("\n")));
        }
        for error in errors.iter().filter(|e| e.row.is_none() || e.column.is_none()) {
            report.push(format!("{name}: without a cell: {error}"));
        }
        let compiled = Form::from_workbook(&stem(&file), &bytes, &crate::forms::Files::new());
        if compiled.is_ok() != (wanted && !NONSENSE.contains(&name.as_str())) {
            let errors = compiled.err().unwrap_or_default();
            let shown: Vec<String> = errors
                .iter()
                .filter(|f| f.is_error())
                .map(ToString::to_string)
                .collect();
            report.push(format!("{name}: compiled to {}", shown.join("\n")));
        }
    }
    assert!(report.is_empty(), "{}", report.join("\n"));
}
