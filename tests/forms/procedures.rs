//! The forms of the catalogue, walked to their end as a citizen walks them, and held against all they must refuse.
//!
//! The stories are `tests/fixtures/procedures/*.toml`, one file a form. In each of them today is 24 November 2026.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use calamine::{Reader, Xlsx};
use serde::Deserialize;
use ventanilla::domain::procedure::{Catalogue, FormFile, ProcedureId, quito};
use ventanilla::forms::{Engine, Env, Form, QuestionId, Violation};

/// What is told of one form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stories {
    /// By question, what its rule refuses.
    #[serde(default)]
    refused: BTreeMap<String, Vec<String>>,
    walk: Vec<Story>,
}

/// A citizen's way through a form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Story {
    procedure: String,
    /// Every question in the order it is asked, with its answer.
    answers: Vec<(String, String)>,
    /// The box on the review page: its colour, its title, and words its text has to say.
    tone: String,
    title: String,
    #[serde(default)]
    says: Vec<String>,
    /// The number of the payment order.
    pays: Option<String>,
    /// What stands in the form although nobody typed it.
    #[serde(default)]
    begins_with: BTreeMap<String, String>,
}

/// A row of the sheet, by heading.
type Row = BTreeMap<String, String>;

struct Book {
    form: Arc<Form>,
    survey: BTreeMap<String, Row>,
    stories: Stories,
}

fn books() -> Vec<(&'static str, Book)> {
    // From the folder: an analyst who changes a sheet tries it without building the program again.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalogue/quito/procedures");
    let read = |file| std::fs::read(folder.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
    quito::FORMS
        .iter()
        .map(|(file, _)| (*file, book(file, &read(file))))
        .collect()
}

fn book(file: &str, bytes: &[u8]) -> Book {
    let name = file.trim_end_matches(".xlsx");
    let (form, findings) = Form::from_workbook(name, bytes, &quito::lists())
        .unwrap_or_else(|findings| panic!("{file}: {}", findings[0]));
    assert!(findings.is_empty(), "{file}: {}", findings[0]);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/procedures/{name}.toml"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    Book {
        form: Arc::new(form),
        survey: survey(bytes),
        stories: toml::from_str(&text).unwrap_or_else(|e| panic!("{name}.toml: {e}")),
    }
}

/// The questions of the sheet, by name.
fn survey(bytes: &[u8]) -> BTreeMap<String, Row> {
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).expect("a workbook");
    let range = book.worksheet_range("survey").expect("a sheet");
    let mut rows = range
        .rows()
        .map(|row| row.iter().map(ToString::to_string).collect::<Vec<_>>());
    let head = rows.next().expect("headings");
    rows.map(|row| {
        head.iter()
            .cloned()
            .zip(row)
            .filter(|(_, cell)| !cell.is_empty())
            .collect::<Row>()
    })
    .filter(|row| !matches!(row["type"].as_str(), "hidden" | "calculate"))
    .map(|row| (row["name"].clone(), row))
    .collect()
}

fn env() -> Env {
    let zone = jiff::tz::TimeZone::get("America/Guayaquil").expect("the zone is bundled");
    let now = jiff::civil::date(2026, 11, 24).at(9, 30, 0, 0);
    Env {
        now: now.to_zoned_datetime(zone).expect("a moment"),
        seed: 7,
        instance_id: "0192f0aa-0000-4000-8000-000000000001".into(),
        device_id: "Q-01".into(),
    }
}

/// A form in the hands of a citizen.
struct Citizen<'a> {
    engine: Engine,
    book: &'a Book,
    /// Where this is, for whoever reads a failure.
    place: String,
}

impl<'a> Citizen<'a> {
    fn sit_down(file: &str, book: &'a Book, story: &Story) -> Self {
        let mut engine = Engine::new(book.form.clone(), env()).expect("the form opens");
        engine.set_language("es");
        let mut citizen = Self {
            engine,
            book,
            place: format!("{file}, {}", story.title),
        };
        citizen.write("tramite", &story.procedure);
        citizen
    }

    fn path(&self, name: &str) -> String {
        let first = self.engine.questions()[0];
        let root = self.engine.path_of(first);
        format!("/{}/{name}", root.split('/').nth(1).expect("a root"))
    }

    fn write(&mut self, name: &str, value: &str) {
        let path = self.path(name);
        self.engine.set_path(&path, value).expect("it can be written");
    }

    fn value(&self, name: &str) -> String {
        self.engine.value_path(&self.path(name)).unwrap_or_default()
    }

    /// The question after another one, or the first.
    fn after(&self, before: Option<QuestionId>) -> Option<QuestionId> {
        let all = self.engine.questions();
        match before {
            None => all.first().copied(),
            Some(before) => {
                let at = all
                    .iter()
                    .position(|one| *one == before)
                    .expect("it is still asked");
                all.get(at + 1).copied()
            }
        }
    }

    /// Whether an answer is refused with the words of the sheet, in each language.
    fn is_refused(&mut self, question: QuestionId, name: &str, answer: &str, column: &str) {
        self.engine.set(question, answer).expect("stored even when wrong");
        for (code, language) in [("en", "English (en)"), ("es", "Español (es)")] {
            self.engine.set_language(code);
            // A workbook's curly quotes become straight ones, as pyxform makes them.
            let words = self.book.survey[name]
                .get(&format!("{column}::{language}"))
                .map(|words| words.replace(['‘', '’'], "'").replace(['“', '”'], "\""));
            let wanted = match column {
                "required_message" => Violation::Required { message: words },
                _ => Violation::Constraint { message: words },
            };
            assert_eq!(
                self.engine.check(question),
                Err(wanted),
                "{}: {name} = «{answer}»",
                self.place
            );
        }
    }

    /// Answers one question, after everything that it must refuse.
    fn answer(&mut self, question: QuestionId, name: &str, answer: &str) {
        let place = self.place.clone();
        let shown = self.engine.question(question);
        assert_eq!(shown.name, name, "{place}: another question comes");
        assert!(!shown.label.contains("${"), "{place}: {}", shown.label);
        if shown.required {
            self.is_refused(question, name, "", "required_message");
        } else {
            self.engine.set(question, "").expect("stored");
            assert_eq!(
                self.engine.check(question),
                Ok(()),
                "{place}: {name} may stay empty"
            );
        }
        if !shown.choices.is_empty() {
            self.engine
                .set(question, "nada_de_eso")
                .expect("stored even when wrong");
            assert_eq!(
                self.engine.check(question),
                Err(Violation::Type),
                "{place}: {name}"
            );
        }
        let book = self.book;
        for wrong in book.stories.refused.get(name).into_iter().flatten() {
            self.is_refused(question, name, wrong, "constraint_message");
        }
        self.engine.set(question, answer).expect("stored");
        assert_eq!(
            self.engine.check(question),
            Ok(()),
            "{}: {name} = «{answer}»",
            self.place
        );
    }

    /// Walks to the end; gives the names of the questions that were met.
    fn walk(&mut self, story: &Story) -> Vec<String> {
        let mut last = None;
        for (name, answer) in &story.answers {
            let question = self
                .after(last)
                .unwrap_or_else(|| panic!("{}: the form ends before {name}", self.place));
            if let Some(begun) = story.begins_with.get(name) {
                assert_eq!(&self.engine.value(question), begun, "{}: {name}", self.place);
            }
            self.answer(question, name, answer);
            last = Some(question);
        }
        let more = self.after(last).map(|id| self.engine.question(id).name);
        assert_eq!(more, None, "{}: it goes on", self.place);
        assert_eq!(self.engine.violations(), [], "{}", self.place);
        story.answers.iter().map(|(name, _)| name.clone()).collect()
    }
}

#[test]
fn every_form_is_walked_to_its_end_and_refuses_what_it_must() {
    for (file, book) in books() {
        let mut met = BTreeSet::new();
        for story in &book.stories.walk {
            let mut citizen = Citizen::sit_down(file, &book, story);
            met.extend(citizen.walk(story));
            let place = &citizen.place;
            assert_eq!(citizen.value("result_tone"), story.tone, "{place}");
            assert_eq!(citizen.value("result_title"), story.title, "{place}");
            let text = citizen.value("result_text");
            for words in &story.says {
                assert!(
                    text.contains(words.as_str()),
                    "{place}: «{words}» is not in «{text}»"
                );
            }
            assert!(!text.contains("  ") && text == text.trim(), "{place}: «{text}»");
            for english in ["result_title_en", "result_text_en"] {
                let there = !citizen.value(english).is_empty();
                assert_eq!(there, !story.title.is_empty(), "{place}: {english}");
            }
            assert_eq!(
                citizen.value("pay_number"),
                story.pays.clone().unwrap_or_default(),
                "{place}"
            );
            let sent = citizen.engine.instance_xml();
            for (name, answer) in story.answers.iter().filter(|(_, answer)| !answer.is_empty()) {
                assert!(
                    sent.contains(&format!("<{name}>{answer}</{name}>")),
                    "{place}: {name}\n{sent}"
                );
            }
        }
        for (name, row) in &book.survey {
            assert!(met.contains(name), "{file}: no story meets {name}");
            assert_eq!(
                row.contains_key("constraint"),
                book.stories.refused.contains_key(name),
                "{file}: what the rule of {name} refuses is not told"
            );
        }
    }
}

#[test]
fn every_procedure_with_a_form_has_its_story() {
    let (catalogue, _) = Catalogue::parse(&quito::FILES);
    let told: BTreeSet<(String, String)> = books()
        .into_iter()
        .flat_map(|(file, book)| {
            book.stories
                .walk
                .into_iter()
                .map(move |story| (story.procedure, file.to_owned()))
        })
        .collect();
    for procedure in catalogue.procedures() {
        if let Some(form) = &procedure.form {
            let pair = (procedure.identifier.to_string(), form.to_string());
            assert!(told.contains(&pair), "{} in {}", pair.0, pair.1);
            assert!(
                procedure.minutes_here.is_some(),
                "{}: how long does it take?",
                pair.0
            );
        }
    }
    for (procedure, file) in told.iter().filter(|(procedure, _)| !procedure.is_empty()) {
        let known = catalogue.procedure(&ProcedureId::new(procedure));
        let form = known.and_then(|known| known.form.as_ref()).map(FormFile::as_str);
        assert_eq!(form, Some(file.as_str()), "{procedure}");
    }
}
