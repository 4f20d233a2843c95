//! The pure halves of the command-line tools: fill a form from a list of steps and print its state, or evaluate one
//! expression. The state has the shape of the conformance cases, so that any other engine can be compared.

use super::engine::{Engine, Env, Violation};
use super::finding::Finding;
use super::form::Form;
use super::xpath::eval::{Here, Host, Scope};
use super::xpath::tree::{Forest, NodeRef, Tree};
use super::xpath::value::Value;
use super::{limits, xpath};
use serde_json::{Map, Value as Json, json};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

/// Fills a form step by step and describes the outcome. The moment is 2026-11-24 12:00 UTC; see [`walk_in`].
///
/// Steps are `{"set": path, "value": text}`, `{"select": path, "values": [..]}`, `{"add": repeat}`,
/// `{"remove": repeat instance}` and `{"lang": code}`. A step that cannot be taken is named in the outcome.
///
/// # Errors
/// When the form is in error or the steps are not a JSON list.
pub fn walk(form_xml: &str, steps_json: &str) -> Result<Json, Vec<Finding>> {
    walk_in(form_xml, steps_json, standing_env())
}

/// Like [`walk`], at a moment and with ids of the caller's choice.
///
/// # Errors
/// As [`walk`].
pub fn walk_in(form_xml: &str, steps_json: &str, env: Env) -> Result<Json, Vec<Finding>> {
    let (form, _) = Form::from_xform(form_xml)?;
    follow(Arc::new(form), steps_json, env)
}

/// Like [`walk`], with a form that is already compiled.
///
/// # Errors
/// As [`walk`].
pub fn walk_form(form: Arc<Form>, steps_json: &str) -> Result<Json, Vec<Finding>> {
    follow(form, steps_json, standing_env())
}

fn follow(form: Arc<Form>, steps_json: &str, env: Env) -> Result<Json, Vec<Finding>> {
    let failed = |e: &dyn std::fmt::Display| vec![Finding::error(e.to_string())];
    let steps: Vec<Json> = match steps_json.trim() {
        "" => vec![],
        text => {
            serde_json::from_str(text).map_err(|e| failed(&format!("The steps are not a JSON list: {e}")))?
        }
    };
    let mut engine = Engine::new(form, env).map_err(|e| failed(&e))?;
    engine.show_dashes();
    let mut errors = Vec::new();
    for step in &steps {
        if let Err(message) = take(&mut engine, step) {
            errors.push(json!({ "step": step, "error": message }));
        }
    }
    Ok(describe(&engine, errors))
}

fn take(engine: &mut Engine, step: &Json) -> Result<(), String> {
    let text = |key: &str| step.get(key).and_then(Json::as_str);
    let done = if let Some(path) = text("set") {
        let value = match step.get("value") {
            None | Some(Json::Null | Json::Bool(false)) => String::new(),
            Some(Json::Bool(true)) => "OK".to_owned(),
            Some(Json::String(s)) => s.clone(),
            Some(other) => other.to_string(),
        };
        engine.set_path(path, &value)
    } else if let Some(path) = text("select") {
        let values = step
            .get("values")
            .and_then(Json::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let values: Vec<&str> = values.iter().filter_map(Json::as_str).collect();
        engine.set_path(path, &values.join(" "))
    } else if let Some(path) = text("add") {
        engine.add_repeat(path).map(|_| ())
    } else if let Some(path) = text("remove") {
        engine.remove_repeat(path)
    } else if let Some(code) = text("lang") {
        engine.set_language(code);
        Ok(())
    } else {
        return Err("The step is none of set, select, add, remove, lang".to_owned());
    };
    done.map_err(|e| e.to_string())
}

fn describe(engine: &Engine, errors: Vec<Json>) -> Json {
    let questions = engine.snapshots();
    let paths = |keep: &dyn Fn(&super::Question) -> bool| {
        let mut out: Vec<&str> = questions
            .iter()
            .filter(|q| keep(q))
            .map(|q| q.path.as_str())
            .collect();
        out.sort_unstable();
        out
    };
    let mut choices = Map::new();
    let mut labels = Map::new();
    for question in &questions {
        labels.insert(question.path.clone(), json!(question.label));
        if matches!(
            question.kind,
            super::Kind::SelectOne | super::Kind::SelectMultiple
        ) {
            let names: Vec<&str> = question.choices.iter().map(|c| c.name.as_str()).collect();
            choices.insert(question.path.clone(), json!(names));
        }
    }
    let mut violations: Vec<(String, &str)> = Vec::new();
    for (q, violation) in engine.violations() {
        let condition = match violation {
            Violation::Required { .. } => "required",
            Violation::Constraint { .. } => "constraint",
            Violation::Type => "type",
        };
        violations.push((engine.path_of(q), condition));
    }
    violations.sort_unstable();
    let instance: Vec<(String, String)> = engine
        .submitted()
        .into_iter()
        .filter(|(path, _)| !path.contains("/meta/"))
        .collect();
    let visible: Vec<&str> = questions.iter().map(|q| q.path.as_str()).collect();
    json!({
        "visible": visible,
        "required": paths(&|q| q.required),
        "readonly": paths(&|q| q.readonly),
        "choices": choices,
        "labels": labels,
        "violations": violations,
        "instance": instance,
        "stepErrors": errors,
    })
}

/// Evaluates one expression without a form. Paths lead nowhere in it, and `today()` is 2026-11-24; see [`eval_in`].
///
/// # Errors
/// When it cannot be understood, calls what does not exist, or takes too many steps.
pub fn eval(expr: &str) -> Result<String, Finding> {
    eval_in(expr, &standing_env())
}

/// Like [`eval`], at a moment of the caller's choice.
///
/// # Errors
/// As [`eval`].
pub fn eval_in(expr: &str, env: &Env) -> Result<String, Finding> {
    let expr = xpath::parse_leniently(expr)
        .map_err(|e| Finding::error(format!("At character {}: {e}", e.at + 1)))?;
    let tree = Tree::new();
    let scope = Scope {
        forest: Forest {
            primary: &tree,
            lists: &[],
        },
        env,
        host: &NoForm,
        language: "en",
        budget: &Cell::new(limits::STEPS),
        draws: &Cell::new(0),
        patterns: &RefCell::new(HashMap::new()),
    };
    let here = Here::at(NodeRef { tree: 0, node: 0 });
    let value = scope
        .scalar(&expr, here)
        .map_err(|e| Finding::error(e.to_string()))?;
    Ok(match value {
        Value::Bool(truth) => truth.to_string(),
        Value::Moment(moment) => xpath::dates::moment_text(&moment),
        other => other.text(),
    })
}

/// The moment of every conformance run.
fn standing_env() -> Env {
    let noon = jiff::civil::date(2026, 11, 24).at(12, 0, 0, 0);
    Env {
        now: noon
            .to_zoned_datetime(jiff::tz::TimeZone::UTC)
            .unwrap_or_default(),
        seed: 0,
        instance_id: "00000000-0000-4000-8000-000000000000".to_owned(),
        device_id: "found".to_owned(),
    }
}

struct NoForm;

impl Host for NoForm {
    fn itext(&self, _: &Scope<'_>, _: &str, _: NodeRef) -> Option<String> {
        None
    }

    fn choice_label(&self, _: &Scope<'_>, _: &str, _: &str, _: NodeRef) -> Option<String> {
        None
    }
}
