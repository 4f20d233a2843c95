//! Random walks through forms, here and in JavaRosa, the engine inside ODK Collect: the state must be the same.
//!
//! The reference engine stands beside the repository or where `VENTANILLA_ORACLE` says (it needs a JDK and
//! `pip install pyxform==4.5.0`); without it there is nothing to compare with and the test says so. A failure prints its
//! seed: `VENTANILLA_SEED=n` brings it back, `VENTANILLA_WALK_SECONDS=n` walks longer.

use crate::random::{Random, seed_and_seconds};
use regex::Regex;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use ventanilla::domain::procedure::quito;
use ventanilla::forms::{self, Engine, Env, Form, Kind, Question};

#[test]
#[expect(
    clippy::print_stderr,
    reason = "whoever reads the log must know what was compared"
)]
fn random_walks_end_as_in_javarosa() {
    let (seed, seconds) = seed_and_seconds("VENTANILLA_WALK_SECONDS", 20);
    let Some(oracle) = oracle() else {
        eprintln!("No reference engine (JDK 17 and pyxform 4.5.0): random walks are not compared");
        return;
    };
    eprintln!("seed {seed}, {seconds} seconds");
    let forms = collected();
    let folder = tempfile::tempdir().expect("a folder");
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut random = Random::new(seed);
    let mut walked = 0;
    let mut failed: Vec<String> = Vec::new();
    while Instant::now() < end {
        let (name, xml) = random.pick(&forms).expect("there are forms");
        let steps = steps(xml, &mut random);
        let steps_file = folder.path().join("steps.json");
        let form_file = folder.path().join("form.xml");
        std::fs::write(&steps_file, steps.to_string()).expect("written");
        std::fs::write(&form_file, xml).expect("written");
        let theirs = ask(&oracle, &form_file, &steps_file).expect("JavaRosa answers");
        let Some(theirs) = theirs else { continue };
        let ours = forms::walk(xml, &steps.to_string()).unwrap_or_else(|f| panic!("{name}: {}", f[0]));
        let mut differences = compare(&ours, &theirs);
        if !differences.is_empty()
            && let Some(theirs) = looked_at(&oracle, &form_file, &steps, &steps_file)
        {
            differences = compare(&ours, &theirs);
        }
        if !differences.is_empty() {
            failed.push(format!(
                "seed {seed}, walk {walked}, form {name}\nsteps {steps}\n{}",
                differences.join("\n")
            ));
        }
        walked += 1;
    }
    assert!(
        failed.is_empty(),
        "{} of {walked} walks end otherwise\n{}",
        failed.len(),
        failed.join("\n\n")
    );
    eprintln!("{walked} walks ended alike");
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The reference engine, if it answers.
fn oracle() -> Option<PathBuf> {
    let named = std::env::var("VENTANILLA_ORACLE").ok().map(PathBuf::from);
    let near = ["../../shared/oracle", "../shared/oracle"].map(|p| root().join(p));
    let folder = named
        .into_iter()
        .chain(near)
        .find(|p| p.join("javarosa-walk").is_file())?;
    let program = folder.join("javarosa-walk");
    let form = root().join("tests/fixtures/forms/flat.xml");
    let answer = Command::new(&program).arg(form).arg("/dev/null").output().ok()?;
    answer.status.success().then_some(program)
}

/// Forms of the repository, and of the collection where it is present.
fn collected() -> Vec<(String, String)> {
    let collection = [
        "../../shared/forms_cases/diff/forms",
        "../shared/forms_cases/diff/forms",
    ];
    let mut folders: Vec<PathBuf> = collection.iter().map(|p| root().join(p)).collect();
    folders.push(root().join("tests/fixtures/forms"));
    let mut files: Vec<PathBuf> = folders
        .iter()
        .filter_map(|f| std::fs::read_dir(f).ok())
        .flat_map(|entries| entries.filter_map(|e| Some(e.ok()?.path())))
        .filter(|p| p.extension().is_some_and(|e| e == "xml"))
        .collect();
    files.sort();
    let named = |p: &Path| p.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let read = |p: PathBuf| Some((named(&p), std::fs::read_to_string(&p).ok()?));
    // A form must compile here to be walked; what does not compile is judged elsewhere.
    files
        .into_iter()
        .filter_map(read)
        .chain(catalogue())
        .filter(|(_, xml)| forms::walk(xml, "").is_ok())
        .collect()
}

/// The forms of the catalogue, without what JavaRosa does not have: the functions of Ventanilla, lists in other files,
/// and a today that stands still.
fn catalogue() -> Vec<(String, String)> {
    let truth = Regex::new(r"[a-z]+-(valid|sure)\([^()]*\)").expect("a pattern");
    let normal = Regex::new(r"[a-z]+-normal\(([^()]*)\)").expect("a pattern");
    let month = Regex::new(r"plate-month\([^()]*\)").expect("a pattern");
    let plain = |file: &str, bytes: &[u8]| {
        let xml = forms::convert(file.trim_end_matches(".xlsx"), bytes).ok()?.xml;
        let xml = truth.replace_all(&xml, "true()");
        let xml = normal.replace_all(&xml, "$1");
        let xml = month.replace_all(&xml, "5");
        let xml = xml.replace("today()", "date('2026-11-24')");
        (!xml.contains("jr://file")).then(|| (file.to_owned(), xml))
    };
    let forms = quito::FORMS.iter();
    forms.filter_map(|(file, bytes)| plain(file, bytes)).collect()
}

/// Steps that a citizen could take: only what is visible and may be changed at that moment.
fn steps(xml: &str, random: &mut Random) -> Value {
    let (form, _) = Form::from_xform(xml).unwrap_or_else(|f| panic!("{}", f[0]));
    let mut engine = Engine::new(Arc::new(form), env()).expect("the form opens");
    let mut steps: Vec<Value> = Vec::new();
    for _ in 0..=random.below(14) {
        let repeats: Vec<String> = engine
            .repeats()
            .into_iter()
            .filter(|r| !r.counted)
            .map(|r| r.path)
            .collect();
        if random.chance(4)
            && let Some(repeat) = random.pick(&repeats)
        {
            // JavaRosa's helper adds to the first of outer copies only.
            if !repeat.contains('[') && engine.add_repeat(repeat).is_ok() {
                steps.push(json!({ "add": repeat }));
            }
            continue;
        }
        let asked: Vec<Question> = engine.snapshots().into_iter().filter(|q| !q.readonly).collect();
        let Some(question) = random.pick(&asked) else {
            break;
        };
        let names: Vec<&str> = question.choices.iter().map(|c| c.name.as_str()).collect();
        let value = match question.kind {
            Kind::SelectOne | Kind::SelectMultiple => match random.pick(&names) {
                Some(name) => (*name).to_owned(),
                None => continue,
            },
            // Nobody asks these of a citizen, here or there.
            Kind::Note | Kind::Rank | Kind::Unsupported(_) | Kind::Picture | Kind::Signature => continue,
            _ => value(&question.kind, random),
        };
        if engine.set_path(&question.path, &value).is_err() {
            continue;
        }
        steps.push(match question.kind {
            Kind::SelectOne | Kind::SelectMultiple => json!({ "select": question.path, "values": [value] }),
            _ => json!({ "set": question.path, "value": value }),
        });
    }
    json!(steps)
}

fn env() -> Env {
    let noon = jiff::civil::date(2026, 11, 24).at(12, 0, 0, 0);
    Env {
        now: noon.to_zoned_datetime(jiff::tz::TimeZone::UTC).expect("a moment"),
        seed: 0,
        instance_id: "00000000-0000-4000-8000-000000000000".to_owned(),
        device_id: "found".to_owned(),
    }
}

fn value(kind: &Kind, random: &mut Random) -> String {
    let from: &[&str] = match kind {
        Kind::Integer | Kind::Range => &["0", "1", "3", "-5", "120", "17"],
        Kind::Decimal => &["0", "1.5", "-2.25", "1000", "0.1"],
        Kind::Date => &["2020-02-29", "1990-12-31", "2026-11-24"],
        Kind::Time => &["10:30:00.000Z", "23:59:00.000Z"],
        Kind::DateTime => &["2020-02-29T10:30:00.000Z", "2026-11-24T00:00:00.000Z"],
        Kind::Acknowledge => &["OK"],
        _ => &[
            "a",
            "Ana María",
            "ñandú",
            "yes",
            "no",
            "1",
            "45671234",
            "x y  z",
            "O'Neill",
        ],
    };
    if random.chance(8) {
        String::new()
    } else {
        (*random.pick(from).unwrap_or(&"")).to_owned()
    }
}

/// What JavaRosa says, in the shape of our own state; nothing where its helper does not know a step or a type.
fn ask(oracle: &Path, form: &Path, steps: &Path) -> Result<Option<Value>, String> {
    let output = Command::new(oracle)
        .arg(form)
        .arg(steps)
        .output()
        .map_err(|e| e.to_string())?;
    let Ok(said) = serde_json::from_slice::<Value>(&output.stdout) else {
        return Ok(None);
    };
    if said["stepErrors"].as_array().is_none_or(|e| !e.is_empty()) {
        return Ok(None);
    }
    let bare = |reference: &Value| reference.as_str().unwrap_or("").replace("[1]", "");
    let mut state = json!({ "visible": [], "required": [], "choices": {}, "labels": {}, "violations": [] });
    let push = |state: &mut Value, key: &str, value: Value| {
        if let Some(list) = state[key].as_array_mut() {
            list.push(value);
        }
    };
    for question in said["questions"].as_array().into_iter().flatten() {
        let path = bare(&question["ref"]);
        push(&mut state, "visible", json!(path));
        if question["required"] == json!(true) {
            push(&mut state, "required", json!(path));
        }
        if let Some(choices) = question["choices"].as_array() {
            let names: Vec<&Value> = choices.iter().map(|c| &c[0]).collect();
            state["choices"][&path] = json!(names);
        }
        state["labels"][&path] = question["label"].clone();
    }
    for violation in said["violations"].as_array().into_iter().flatten() {
        push(
            &mut state,
            "violations",
            json!([bare(&violation["ref"]), violation["condition"]]),
        );
    }
    state["instance"] = instance(said["instance"].as_str().unwrap_or(""));
    Ok(Some(state))
}

/// What JavaRosa ends with where somebody looks at every screen after every step, as Ventanilla does.
///
/// Its helper looks once, at the end, and only looking empties a choice that is no longer on offer: one that was off
/// offer for a while and is on again still stands there. So JavaRosa is asked for each beginning of the walk by itself,
/// and what it empties by then is emptied by a step.
fn looked_at(oracle: &Path, form: &Path, steps: &Value, file: &Path) -> Option<Value> {
    let mut chosen: BTreeMap<&str, String> = BTreeMap::new();
    let mut walked: Vec<Value> = Vec::new();
    let mut state = None;
    for step in steps.as_array()? {
        walked.push(step.clone());
        if let (Some(path), Some(value)) = (step["select"].as_str(), step["values"][0].as_str()) {
            chosen.insert(path, value.to_owned());
        }
        std::fs::write(file, json!(walked).to_string()).expect("written");
        let seen = ask(oracle, form, file).expect("JavaRosa answers")?;
        for (path, value) in &mut chosen {
            let mut rows = seen["instance"].as_array()?.iter().filter(|row| row[0] == **path);
            // What is not relevant has no row, and of copies nobody knows which one a row is.
            if let (Some(row), None) = (rows.next(), rows.next())
                && row[1] != **value
            {
                *value = row[1].as_str()?.to_owned();
                walked.push(json!({ "set": path, "value": value }));
            }
        }
        state = Some(seen);
    }
    state
}

/// Paths and values of a submitted instance, without the form's own fields.
fn instance(xml: &str) -> Value {
    let Ok(document) = roxmltree::Document::parse(xml) else {
        return Value::Null;
    };
    let mut out = Vec::new();
    for node in document
        .descendants()
        .filter(|n| n.is_element() && n.first_element_child().is_none())
    {
        let mut names: Vec<&str> = node
            .ancestors()
            .filter(|n| n.is_element())
            .map(|n| n.tag_name().name())
            .collect();
        names.reverse();
        let path = format!("/{}", names.join("/"));
        if !path.contains("/meta/") {
            out.push(json!([path, node.text().unwrap_or("")]));
        }
    }
    json!(out)
}

/// What differs, apart from moments, devices and the ways of writing one number.
fn compare(ours: &Value, theirs: &Value) -> Vec<String> {
    let mut out = Vec::new();
    for key in ["visible", "choices", "violations"] {
        if sorted(&ours[key]) != sorted(&theirs[key]) {
            out.push(format!("{key}: ours {} theirs {}", ours[key], theirs[key]));
        }
    }
    if sorted(&ours["required"]) != sorted(&theirs["required"]) {
        out.push(format!(
            "required: ours {} theirs {}",
            ours["required"], theirs["required"]
        ));
    }
    let texts = |v: &Value| -> BTreeMap<String, String> {
        let all = v["labels"].as_object().into_iter().flatten();
        all.map(|(k, l)| (k.clone(), plain(l.as_str().unwrap_or(""))))
            .collect()
    };
    let (a, b) = (texts(ours), texts(theirs));
    for (path, label) in &a {
        let other = b.get(path).map_or("", String::as_str);
        if label != other && !momentary(label) && !momentary(other) {
            out.push(format!("label of {path}: ours {label:?} theirs {other:?}"));
        }
    }
    let rows = |v: &Value| -> Vec<(String, String)> {
        let all = v["instance"].as_array().into_iter().flatten();
        let row = |r: &Value| Some((r[0].as_str()?.to_owned(), plain(r[1].as_str()?)));
        all.filter_map(row).collect()
    };
    let (a, b) = (rows(ours), rows(theirs));
    let paths = |rows: &[(String, String)]| rows.iter().map(|r| r.0.clone()).collect::<Vec<_>>();
    if paths(&a) != paths(&b) {
        out.push(format!("instance: ours {a:?} theirs {b:?}"));
    } else {
        for ((path, mine), (_, other)) in a.iter().zip(&b) {
            if mine != other && !momentary(mine) && !momentary(other) {
                out.push(format!("value of {path}: ours {mine:?} theirs {other:?}"));
            }
        }
    }
    out
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(all) => {
            let mut all = all.clone();
            all.sort_by_key(ToString::to_string);
            Value::Array(all)
        }
        other => other.clone(),
    }
}

/// Without outer and doubled spaces; a number as it is in figures.
fn plain(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let exponent =
        text.contains(['E', 'e']) && text.chars().all(|c| c.is_ascii_digit() || "+-.Ee".contains(c));
    match text.parse::<f64>() {
        Ok(number) if exponent || text.ends_with(".0") => format!("{number}"),
        _ => text,
    }
}

/// What depends on when and where the walk is taken, and a text JavaRosa puts where there is none.
fn momentary(text: &str) -> bool {
    let today = |part: &str| text.contains(part);
    today("2026-11-24") || text.contains("T00:00:00.000") || text == "found" || text == "[itext:]" || {
        let bytes = text.as_bytes();
        bytes.len() > 10 && bytes[4] == b'-' && bytes[7] == b'-' && bytes[10] == b'T'
    }
}
