//! Every question of every form of the catalogue, in the letters of those who see least: nothing may be cut off.
//!
//! The answers are those of `tests/fixtures/procedures`; each question is seen empty and with the first answer that its
//! rule refuses, in words that stand for what is wrong.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use ventanilla::domain::procedure::{ProcedureId, quito};
use ventanilla::domain::session::view::{Block, Face, View};
use ventanilla::domain::session::{Comfort, Input, Key, Setup};
use ventanilla::forms::{Engine, Env, Kind, Question};

use crate::tour::Tour;

#[derive(Deserialize)]
struct Stories {
    #[serde(default)]
    refused: BTreeMap<String, Vec<String>>,
    walk: Vec<Story>,
}

#[derive(Deserialize)]
struct Story {
    procedure: String,
    answers: Vec<(String, String)>,
}

fn stories(file: &str) -> Stories {
    let name = file.trim_end_matches(".xlsx");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/procedures/{name}.toml"));
    let text = std::fs::read_to_string(path).expect("every form has its stories");
    toml::from_str(&text).expect("stories are TOML")
}

/// Every question and review that the stories meet, each question once, by name.
pub fn all(setup: &Arc<Setup>, comfort: Comfort) -> Vec<(String, View)> {
    let mut shots = BTreeMap::new();
    for (file, _) in quito::FORMS {
        let told = stories(file);
        for story in told.walk.iter().filter(|story| !story.procedure.is_empty()) {
            walk(setup, comfort, file, &told, story, &mut shots);
        }
    }
    shots.into_iter().collect()
}

fn walk(
    setup: &Arc<Setup>,
    comfort: Comfort,
    file: &str,
    told: &Stories,
    story: &Story,
    shots: &mut BTreeMap<String, View>,
) {
    let mut tour = Tour::new(setup.clone());
    tour.step(Input::Start(comfort.language));
    tour.step(Input::Comfort(comfort));
    tour.step(Input::Procedure(ProcedureId::new(&story.procedure)));
    tour.step(Input::StartForm);
    // Beside the session, to know which place an answer has in its list.
    let env = Env {
        now: tour.now.to_zoned_datetime(setup.zone.clone()),
        seed: 7,
        instance_id: "0192f0aa-0000-4000-8000-000000000001".into(),
        device_id: "2".into(),
    };
    let mut engine = Engine::new(setup.forms[file].clone(), env).expect("the form opens");
    let _ = engine.set_path("/data/tramite", &story.procedure);
    let name = file.trim_end_matches(".xlsx");
    for (field, answer) in &story.answers {
        let id = engine
            .at_path(&format!("/data/{field}"))
            .expect("a question of the form");
        let question = engine.question(id);
        let shot = format!("{name}-{field}");
        assert_eq!(tour.view().face, Face::Question, "{shot}");
        let is_new = !shots.contains_key(&shot);
        shots.entry(shot.clone()).or_insert_with(|| tour.view());
        if is_new {
            for (how, wrong) in [
                ("missing", question.required.then_some("")),
                (
                    "wrong",
                    told.refused
                        .get(field)
                        .and_then(|all| all.first())
                        .map(String::as_str),
                ),
            ] {
                let Some(wrong) = wrong.filter(|_| question.value.is_empty()) else {
                    continue;
                };
                give(&mut tour, &question, wrong);
                shots.insert(format!("{shot}-{how}"), tour.view());
                take_back(&mut tour, &question, wrong);
            }
        }
        give(&mut tour, &question, answer);
        engine.set(id, answer).expect("a good answer");
    }
    assert_eq!(tour.view().face, Face::Review, "{name}, {}", story.procedure);
    shots
        .entry(format!("{name}-{}-review", story.procedure))
        .or_insert_with(|| tour.view());
}

/// Types or touches an answer and goes on.
fn give(tour: &mut Tour, question: &Question, answer: &str) {
    if choices(question) {
        toggle(tour, question, answer);
    } else {
        tour.step(Input::Key(Key::Clear));
        let typed = match question.kind {
            Kind::Date => answer.split('-').rev().collect::<String>(),
            Kind::Decimal => answer.replace('.', ","),
            _ => answer.to_owned(),
        };
        tour.step(Input::Typed(typed));
    }
    tour.step(Input::Continue);
}

/// What was touched in vain is touched again.
fn take_back(tour: &mut Tour, question: &Question, answer: &str) {
    if question.kind == Kind::SelectMultiple {
        toggle(tour, question, answer);
    }
}

fn toggle(tour: &mut Tour, question: &Question, answer: &str) {
    for name in answer.split_whitespace() {
        let at = question.choices.iter().position(|choice| choice.name == name);
        tour.step(Input::Choose(at.expect("it is offered")));
    }
}

fn choices(question: &Question) -> bool {
    matches!(question.kind, Kind::SelectOne | Kind::SelectMultiple)
}

#[test]
fn every_question_of_the_catalogue_is_met() {
    let shots = all(&crate::tour::setup(false), Comfort::default());
    let wrong = shots
        .iter()
        .filter(|(_, view)| {
            view.blocks
                .iter()
                .any(|block| matches!(block, Block::Field { wrong: true, .. }))
        })
        .count();
    assert!(
        shots.len() > 300 && wrong > 150,
        "{} screens, {wrong} of them wrong",
        shots.len()
    );
}
