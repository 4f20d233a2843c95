//! What an author is told, and where.

use super::workbook::workbook;
use crate::forms::{Engine, Form};
use std::sync::Arc;

#[track_caller]
fn refused(survey: &[&[&str]], expected: &str) {
    let choices: &[&[&str]] = &[
        &["list_name", "name", "label"],
        &["sino", "si", "Sí"],
        &["sino", "no", "No"],
    ];
    let Err(findings) = Form::from_xlsx(&workbook(&[("survey", survey), ("choices", choices)])) else {
        panic!("accepted, though {expected}");
    };
    let shown: Vec<String> = findings
        .iter()
        .filter(|f| f.is_error())
        .map(ToString::to_string)
        .collect();
    assert_eq!(shown.join("\n"), expected);
}

const HEAD: &[&str] = &["type", "name", "label", "relevant", "calculation", "constraint"];

#[test]
fn mistakes_name_their_cell_and_their_cure() {
    refused(
        &[HEAD, &["text", "nombre", "N"], &["note", "n", "Hola ${nombr}"]],
        "Error in sheet survey, row 3, column label: There is no field called `nombr`; perhaps ${nombre}",
    );
    refused(
        &[HEAD, &["select_one sinoo", "q", "Q"]],
        "Error in sheet survey, row 2, column type: The list `sinoo` is not in the choices sheet; add it there, or write sino",
    );
    refused(
        &[HEAD, &["text", "a", "A"], &["text", "a", "B"]],
        "Error in sheet survey, row 3, column name: The name `a` is already used in row 2 of the same group; rename one",
    );
    refused(
        &[HEAD, &["text", "a", "A", "", "", "cedula-valida(.)"]],
        "Error in sheet survey, row 2, column constraint: `cedula-valida(.)` cannot be understood: the function cedula-valida() does not exist; perhaps cedula-valid()",
    );
    refused(
        &[HEAD, &["begin group", "g", "G"], &["text", "a", "A"]],
        "Error in sheet survey, row 2, column type: The group is never closed; add a row `end group`",
    );
    refused(
        &[HEAD, &["texto", "a", "A"]],
        "Error in sheet survey, row 2, column type: The type `texto` is not known; perhaps text",
    );
    refused(
        &[HEAD, &["text", "mi nombre", "A"]],
        "Error in sheet survey, row 2, column name: `mi nombre` cannot be a name; use letters, digits and _ only, beginning with a letter",
    );
}

#[test]
fn circles_name_their_fields() {
    refused(
        &[
            HEAD,
            &["calculate", "a", "", "", "${b} + 1"],
            &["calculate", "b", "", "", "${a} + 1"],
        ],
        "Error in sheet survey, row 3, column calculation: These fields decide one another in a circle: /data/b → /data/a → /data/b; break it by removing one reference",
    );
    refused(
        &[
            HEAD,
            &["begin group", "g", "G", "${x} = 1"],
            &["text", "x", "X"],
            &["end group"],
        ],
        "Error in sheet survey, row 2, column relevant: These fields decide one another in a circle: /data/g/x → /data/g → /data/g/x; break it by removing one reference",
    );
}

#[test]
fn what_is_not_a_workbook_is_refused_without_panic() {
    let good = workbook(&[("survey", &[HEAD, &["text", "a", "A"]])]);
    for cut in 0..good.len() {
        let _ = Form::from_xlsx(&good[..cut]);
    }
    for at in (0..good.len()).step_by(7) {
        let mut bad = good.clone();
        bad[at] ^= 0x55;
        let _ = Form::from_xlsx(&bad);
    }
    assert!(Form::from_xlsx(b"PK").is_err());
    assert!(Form::from_xform("<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>").is_err());
    assert!(Form::from_xform(&"<a>".repeat(100_000)).is_err());
    let deep = format!(
        "<h><model><instance>{}{}</instance></model></h>",
        "<a>".repeat(3_000),
        "</a>".repeat(3_000)
    );
    assert!(Form::from_xform(&deep).is_err());
}

#[test]
fn counted_repeats_follow_their_count() {
    let survey: &[&[&str]] = &[
        &["type", "name", "label", "repeat_count", "calculation"],
        &["integer", "n", "N"],
        &["begin repeat", "r", "R", "${n}"],
        &["calculate", "i", "", "", "position(..)"],
        &["text", "t", "T"],
        &["end repeat"],
        &["calculate", "s", "", "", "sum(${i})"],
    ];
    let (form, _) = Form::from_xlsx(&workbook(&[("survey", survey)])).unwrap_or_else(|f| panic!("{}", f[0]));
    let mut e = Engine::new(Arc::new(form), super::municipal::env()).expect("the form opens");
    e.set_path("/data/n", "4").expect("stored");
    assert_eq!(e.value_path("/data/s").as_deref(), Some("10"));
    assert!(e.add_repeat("/data/r").is_err(), "the form counts");
    e.set_path("/data/n", "0").expect("stored");
    assert_eq!(e.value_path("/data/s").as_deref(), Some("0"));
    e.set_path("/data/n", "1000000000").expect("stored");
    assert_eq!(e.repeats()[0].copies, crate::forms::limits::REPEATS);
}

#[test]
fn a_form_is_shared_between_threads_and_an_engine_moves() {
    fn shared<T: Send + Sync>() {}
    fn moved<T: Send>() {}
    shared::<Form>();
    moved::<Engine>();
}
