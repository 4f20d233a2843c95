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
    assert_eq!((passed, rows.len()), (661, 723), "{}", failed.join("\n"));
}

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
                if differs.is_empty() {
                    passed += 1;
                } else {
                    let name = file
                        .file_name()
                        .unwrap_or_default()
                        .to_string_lossy()
                        .into_owned();
                    failed.push(format!(
                        "{name} errors {}\n  {}",
                        got["stepErrors"],
                        differs.join("\n  ")
                    ));
                }
            }
        }
    }
    assert_eq!((passed, files.len()), (55, 57), "{}", failed.join("\n"));
}
