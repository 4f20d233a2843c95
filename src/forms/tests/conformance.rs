//! The collected cases of other engines. They live beside the repository; where they are absent, nothing is checked.

use crate::forms::{eval, walk};
use serde_json::Value as Json;
use std::path::PathBuf;

pub(super) fn cases() -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    ["../../shared", "../shared"]
        .iter()
        .map(|s| root.join(s).join("forms_cases"))
        .find(|p| p.is_dir())
}

fn json(path: &std::path::Path) -> Json {
    let text = std::fs::read_to_string(path).expect("a case file can be read");
    serde_json::from_str(&text).expect("a case file is JSON")
}

/// Booleans as words, numbers to nine digits, not-a-number as nothing.
fn same(kind: &str, got: &str, expected: &str) -> bool {
    match kind {
        "boolean" => {
            let truth = |s: &str| !matches!(s, "" | "0" | "false" | "NaN");
            truth(got) == truth(expected)
        }
        "number" => {
            let number = |s: &str| s.replace("Infinity", "inf").parse::<f64>().unwrap_or(f64::NAN);
            let (a, b) = (number(got), number(expected));
            a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= 1e-9 * b.abs().max(1.0)
        }
        _ => got == expected || expected.is_empty() && got == "NaN",
    }
}

#[test]
fn expressions_agree_with_both_engines() {
    let Some(root) = cases() else { return };
    let rows = json(&root.join("xpath_agreed.json"));
    let rows = rows.as_array().expect("a list of rows");
    let mut passed = 0;
    let mut failed = Vec::new();
    for row in rows {
        let text = |key: &str| row[key].as_str().unwrap_or("");
        match eval(text("expr")) {
            Ok(got) if same(text("type"), &got, text("expected")) => passed += 1,
            Ok(got) => failed.push(format!("{} => {got:?}, not {:?}", text("expr"), text("expected"))),
            Err(finding) => failed.push(format!("{} => {finding}", text("expr"))),
        }
    }
    assert_eq!((passed, rows.len()), (723, 723), "{}", failed.join("\n"));
}

/// Rows where JavaRosa and web-forms differ: JavaRosa's answer is ours, or there is a reason why not.
const OWN_WAY: &[(&str, &str)] = &[
    (
        "ceiling(",
        "XPath 1.0 has it and JavaRosa does not; a fee needs it",
    ),
    ("floor(", "XPath 1.0 has it and JavaRosa does not; a fee needs it"),
    (
        "max(-4, -1, -3)",
        "JavaRosa begins at the smallest positive number and answers 0",
    ),
    (
        "date(",
        "JavaRosa adds midnight to a day kept as text, which a citizen would read",
    ),
    (
        "date-time('nonsense')",
        "JavaRosa stops; a citizen must be able to go on, so it is empty",
    ),
    (
        "decimal-time(",
        "JavaRosa stops at a time without a day; web-forms and the specification read it",
    ),
    (
        "if(",
        "JavaRosa keeps a truth as 1 or 0 only when it is stored; here it is printed",
    ),
    ("string(date(", "not a number is not a day; JavaRosa prints NaN"),
];

#[test]
fn where_engines_differ_javarosa_is_followed() {
    let Some(root) = cases() else { return };
    let rows = json(&root.join("xpath_engines_disagree.json"));
    let mut failed = Vec::new();
    let mut unused: Vec<&str> = OWN_WAY.iter().map(|(begin, _)| *begin).collect();
    for row in rows.as_array().expect("a list of rows") {
        let text = |key: &str| row[key].as_str().unwrap_or("");
        let reason = OWN_WAY.iter().any(|(begin, _)| text("expr").starts_with(begin));
        let followed = match eval(text("expr")) {
            Ok(got) => same(text("type"), &got, text("javarosa")),
            Err(_) => text("javarosa").starts_with("ERR"),
        };
        if !followed {
            unused.retain(|begin| !text("expr").starts_with(begin));
        }
        if !followed && !reason {
            failed.push(format!(
                "{} => {:?}, not {}",
                text("expr"),
                eval(text("expr")),
                text("javarosa")
            ));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(unused.is_empty(), "reasons for nothing: {unused:?}");
}

/// Cases where the two engines disagree, and why JavaRosa's answer is not ours.
const NOT_OURS: &[(&str, &str)] = &[
    (
        "flat_xlsform_test.xml.0",
        "JavaRosa's stub fills telephone numbers with the word `found`",
    ),
    (
        "socio-economic-survey.xml.2",
        "JavaRosa prints `[itext:]` for the label of no choice; ours is empty",
    ),
];

#[test]
fn walks_agree_with_javarosa() {
    let Some(root) = cases() else { return };
    let mut files: Vec<PathBuf> = std::fs::read_dir(root.join("diff"))
        .expect("the cases can be listed")
        .filter_map(|e| Some(e.ok()?.path()))
        .filter(|p| p.extension().is_some_and(|e| e == "json"))
        .collect();
    files.sort();
    let mut passed = 0;
    let mut failed = Vec::new();
    for file in &files {
        let case = json(file);
        let form = root.join("diff/forms").join(case["form"].as_str().unwrap_or(""));
        let xml = std::fs::read_to_string(form).expect("the form of a case can be read");
        match walk(&xml, &case["steps"].to_string()) {
            Err(findings) => failed.push(format!("{}: {}", file.display(), findings[0])),
            Ok(got) => {
                let expected = &case["expected_javarosa"];
                let keys = [
                    "visible",
                    "required",
                    "choices",
                    "labels",
                    "violations",
                    "instance",
                ];
                let differs: Vec<String> = keys
                    .iter()
                    .filter(|k| got[**k] != expected[**k])
                    .map(|k| format!("{k}: got {} expected {}", got[*k], expected[*k]))
                    .collect();
                let name = file
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                if differs.is_empty() || NOT_OURS.iter().any(|(n, _)| name.starts_with(n)) {
                    passed += 1;
                } else {
                    failed.push(format!(
                        "{name} errors {}\n  {}",
                        got["stepErrors"],
                        differs.join("\n  ")
                    ));
                }
            }
        }
    }
    assert_eq!((passed, files.len()), (57, 57), "{}", failed.join("\n"));
}
