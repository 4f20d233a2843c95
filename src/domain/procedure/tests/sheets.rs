//! What every form of the shipped catalogue keeps to, checked in the sheets themselves.
//!
//! Whether its logic is right is a matter for the forms engine and for JavaRosa; this is about what the kiosk counts on.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

use calamine::{Reader, Xlsx};

use super::*;

type Line = BTreeMap<String, String>;

fn sheet(bytes: &[u8], name: &str) -> Vec<Line> {
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).unwrap();
    let range = book.worksheet_range(name).unwrap();
    let mut rows = range
        .rows()
        .map(|row| row.iter().map(ToString::to_string).collect::<Vec<_>>());
    let head = rows.next().unwrap();
    rows.map(|row| {
        head.iter()
            .cloned()
            .zip(row)
            .filter(|(_, cell)| !cell.is_empty())
            .collect()
    })
    .collect()
}

fn is_question(line: &Line) -> bool {
    !matches!(line["type"].as_str(), "hidden" | "calculate")
}

#[test]
fn every_question_has_its_words_in_both_languages_and_its_reason() {
    for (file, bytes) in quito::FORMS {
        for line in sheet(bytes, "survey").iter().filter(|line| is_question(line)) {
            let name = &line["name"];
            for language in ["Español (es)", "English (en)"] {
                for column in ["label", "review", "guidance_hint"] {
                    assert!(
                        line.contains_key(&format!("{column}::{language}")),
                        "{file}: {name} has no {column}"
                    );
                }
                for column in ["hint", "constraint_message", "required_message"] {
                    let (es, en) = (
                        format!("{column}::Español (es)"),
                        format!("{column}::English (en)"),
                    );
                    assert_eq!(
                        line.contains_key(&es),
                        line.contains_key(&en),
                        "{file}: {column} of {name}"
                    );
                }
                assert_eq!(
                    line.contains_key("constraint"),
                    line.contains_key(&format!("constraint_message::{language}")),
                    "{file}: {name}"
                );
            }
            // An answer on the review page stands beside a button.
            assert!(
                line["review::Español (es)"].chars().count() <= 22,
                "{file}: {name}"
            );
        }
    }
}

#[test]
fn every_form_knows_its_procedures_and_gives_a_result() {
    let catalogue = quito();
    for (file, bytes) in quito::FORMS {
        let survey = sheet(bytes, "survey");
        let names: BTreeSet<_> = survey.iter().map(|line| line["name"].as_str()).collect();
        for needed in [
            "tramite",
            "result_tone",
            "result_title",
            "result_title_en",
            "result_text",
            "result_text_en",
        ] {
            assert!(names.contains(needed), "{file} has no {needed}");
        }
        let fixed = survey.iter().find(|line| line["name"] == "por_tramite");
        let served = catalogue
            .procedures()
            .iter()
            .filter(|p| p.form.as_ref().is_some_and(|form| form.as_str() == file));
        if let Some(rule) = fixed.map(|line| line["calculation"].as_str()) {
            let unknown: Vec<_> = served
                .filter(|procedure| !rule.contains(&format!("'{}'", procedure.identifier)))
                .map(|procedure| &procedure.identifier)
                .collect();
            // One may be what all others are not.
            let otherwise = usize::from(!rule.contains("''"));
            assert!(unknown.len() <= otherwise, "{file} does not know {unknown:?}");
        }
        let settings = &sheet(bytes, "settings")[0];
        assert_eq!(format!("{}.xlsx", settings["form_id"]), file);
        assert_eq!(settings["default_language"], "Español (es)");
    }
}

#[test]
fn every_choice_stands_in_its_list_and_appearances_are_ours() {
    let ours = [
        "numbers",
        "multiline",
        "cedula",
        "ruc",
        "phone",
        "money",
        "predio",
        "year",
        "digits",
        "plate",
        "email",
        "masked",
    ];
    for (file, bytes) in quito::FORMS {
        let lists: BTreeSet<_> = sheet(bytes, "choices")
            .iter()
            .map(|line| line["list_name"].clone())
            .collect();
        for line in sheet(bytes, "survey") {
            if let Some((kind, list)) = line["type"].split_once(' ') {
                let there = match kind {
                    "select_one_from_file" => quito::LISTS.iter().any(|(name, _)| *name == list),
                    _ => lists.contains(list),
                };
                assert!(there, "{file}: the list {list} of {}", line["name"]);
            }
            let known = line
                .get("appearance")
                .is_none_or(|a| a.split(' ').all(|word| ours.contains(&word)));
            assert!(known, "{file}: the appearance of {}", line["name"]);
        }
    }
}

#[test]
fn what_names_a_person_is_masked() {
    for (file, bytes) in quito::FORMS {
        for line in sheet(bytes, "survey") {
            // Whom a number, a name or an address belongs to is nobody's business who looks over a shoulder.
            let personal = ["cedula", "telefono", "ruc", "pasaporte", "correo", "dueno"];
            let country = line["name"] == "pasaporte_pais";
            if is_question(&line) && !country && personal.iter().any(|word| line["name"].contains(word)) {
                assert!(
                    line["appearance"].split(' ').any(|word| word == "masked"),
                    "{file}: {}",
                    line["name"]
                );
            }
        }
    }
}
