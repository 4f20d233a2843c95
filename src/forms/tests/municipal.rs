//! A form as an analyst of the municipality would write it, from workbook to submission.

use super::workbook::workbook;
use crate::forms::{Engine, Env, Finding, Form, Kind, Violation};
use std::sync::Arc;

pub(super) fn env() -> Env {
    let zone = jiff::tz::TimeZone::get("America/Guayaquil").expect("the zone is bundled");
    Env {
        now: jiff::civil::date(2026, 11, 24)
            .at(9, 30, 0, 0)
            .to_zoned_datetime(zone)
            .expect("a moment"),
        seed: 7,
        instance_id: "0192f0aa-0000-4000-8000-000000000001".into(),
        device_id: "Q-01".into(),
    }
}

const SURVEY: &[&[&str]] = &[
    &[
        "type",
        "name",
        "label::Español (es)",
        "label::English (en)",
        "constraint",
        "constraint_message::Español (es)",
        "required",
        "relevant",
        "calculation",
        "choice_filter",
        "appearance",
    ],
    &["begin group", "persona", "Datos personales", "Personal data"],
    &[
        "text",
        "cedula",
        "Cédula",
        "ID number",
        "cedula-valid(.)",
        "Revise los diez números",
        "yes",
        "",
        "",
        "",
        "numbers",
    ],
    &[
        "date",
        "nac",
        "Fecha de nacimiento",
        "Birth date",
        ". <= today()",
        "",
        "yes",
    ],
    &["calculate", "edad", "", "", "", "", "", "", "age-years(${nac})"],
    &[
        "note",
        "mayor",
        "Tiene ${edad} años: aplica la rebaja",
        "You are ${edad}",
        "",
        "",
        "",
        "${edad} >= 65",
    ],
    &["end group"],
    &[
        "decimal",
        "ingreso",
        "Ingreso mensual",
        "Monthly income",
        ". >= 0",
        "",
        "yes",
        "",
        "",
        "",
        "money",
    ],
    &[
        "calculate",
        "parte",
        "",
        "",
        "",
        "",
        "",
        "",
        "round(${ingreso} div 2350, 4)",
    ],
    &["select_one zona", "zona", "Zona", "Zone", "", "", "yes"],
    &[
        "select_one barrio",
        "barrio",
        "Barrio",
        "Quarter",
        "",
        "",
        "",
        "",
        "",
        "zona = ${zona}",
    ],
    &["begin repeat", "hijos", "Hijos", "Children"],
    &["text", "nombre", "Nombre", "Name", "", "", "yes"],
    &["note", "saludo", "Hola ${nombre}", "Hello ${nombre}"],
    &["end repeat"],
    &[
        "calculate",
        "tasa",
        "",
        "",
        "",
        "",
        "",
        "",
        "if(${edad} >= 65, 0, 12.5 + count(${hijos}))",
    ],
    &["note", "total", "Debe pagar ${tasa}", "You owe ${tasa}"],
    &[
        "acknowledge",
        "juro",
        "Declaro que es verdad",
        "I declare it is true",
        "",
        "",
        "yes",
    ],
];
const CHOICES: &[&[&str]] = &[
    &[
        "list_name",
        "name",
        "label::Español (es)",
        "label::English (en)",
        "zona",
    ],
    &["zona", "norte", "Norte", "North"],
    &["zona", "sur", "Sur", "South"],
    &["barrio", "carcelen", "Carcelén", "Carcelén", "norte"],
    &["barrio", "quitumbe", "Quitumbe", "Quitumbe", "sur"],
];
const SETTINGS: &[&[&str]] = &[
    &[
        "form_title",
        "form_title::English (en)",
        "form_id",
        "version",
        "default_language",
    ],
    &[
        "Exoneración",
        "Exemption",
        "exoneracion",
        "2026112401",
        "Español (es)",
    ],
];

fn form() -> Form {
    let bytes = workbook(&[("survey", SURVEY), ("choices", CHOICES), ("settings", SETTINGS)]);
    match Form::from_xlsx(&bytes) {
        Ok((form, _)) => form,
        Err(findings) => panic!("{}", shown(&findings)),
    }
}

fn shown(findings: &[Finding]) -> String {
    findings
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

fn engine() -> Engine {
    Engine::new(Arc::new(form()), env()).expect("the form opens")
}

fn names(engine: &Engine) -> Vec<String> {
    engine.snapshots().into_iter().map(|q| q.name).collect()
}

#[test]
fn identity_comes_from_the_settings() {
    let form = form();
    assert_eq!((form.id(), form.version()), ("exoneracion", "2026112401"));
    assert_eq!(
        (form.title("es"), form.title("en")),
        ("Exoneración".into(), "Exemption".into())
    );
    assert_eq!(form.languages(), ["es", "en"]);
    // The stored artefact is a form again.
    assert!(Form::from_xform(&form.to_xform_xml()).is_ok());
}

#[test]
fn a_citizen_fills_it_and_it_is_submitted() {
    let mut e = engine();
    e.set_path("/data/persona/cedula", "1714307104").expect("stored");
    let cedula = e.at_path("/data/persona/cedula").expect("there");
    assert_eq!(
        e.check(cedula),
        Err(Violation::Constraint {
            message: Some("Revise los diez números".into())
        })
    );
    e.set(cedula, "1714307103").expect("stored");
    assert_eq!(e.check(cedula), Ok(()));
    e.set_path("/data/persona/nac", "24/11/1990").expect("stored");
    e.set_path("/data/ingreso", "1175,5").expect("stored");
    assert_eq!(e.value_path("/data/persona/nac").as_deref(), Some("1990-11-24"));
    assert_eq!(e.value_path("/data/persona/edad").as_deref(), Some("36"));
    assert_eq!(e.value_path("/data/parte").as_deref(), Some("0.5002"));
    e.set_path("/data/zona", "norte").expect("stored");
    e.set_path("/data/barrio", "carcelen").expect("stored");
    e.set_path("/data/hijos/nombre", "Ana <María>").expect("stored");
    e.set_path("/data/juro", "OK").expect("stored");
    assert!(e.violations().is_empty());
    assert_eq!(e.value_path("/data/tasa").as_deref(), Some("13.5"));
    let xml = e.instance_xml();
    assert!(
        xml.contains("<data id=\"exoneracion\" version=\"2026112401\""),
        "{xml}"
    );
    assert!(xml.contains("<nombre>Ana &lt;María&gt;</nombre>"));
    assert!(xml.contains("<instanceID>uuid:0192f0aa-0000-4000-8000-000000000001</instanceID>"));
    // The note for the elderly is not relevant and not there.
    assert!(!xml.contains("<mayor"));
    let answers: Vec<(String, String)> = e.answers().into_iter().map(|a| (a.label, a.display)).collect();
    let find = |label: &str| answers.iter().find(|a| a.0 == label).map(|a| a.1.clone());
    assert_eq!(find("Fecha de nacimiento").as_deref(), Some("24/11/1990"));
    assert_eq!(find("Barrio").as_deref(), Some("Carcelén"));
    assert_eq!(find("Ingreso mensual").as_deref(), Some("USD 1.175,50"));
}

#[test]
fn language_changes_labels_and_nothing_else() {
    let mut e = engine();
    e.set_path("/data/persona/nac", "1950-01-01").expect("stored");
    let note = e.at_path("/data/persona/mayor").expect("there");
    assert_eq!(e.question(note).label, "Tiene 76 años: aplica la rebaja");
    assert_eq!(e.question(note).kind, Kind::Note);
    assert_eq!(e.question(note).group_label.as_deref(), Some("Datos personales"));
    e.set_language("en");
    assert_eq!(e.question(note).label, "You are 76");
    // A message without a translation is shown in the default language.
    e.set_path("/data/persona/cedula", "1").expect("stored");
    let cedula = e.at_path("/data/persona/cedula").expect("there");
    assert_eq!(
        e.check(cedula),
        Err(Violation::Constraint {
            message: Some("Revise los diez números".into())
        })
    );
    e.set_language("fr");
    assert_eq!(e.question(cedula).label, "Cédula");
}

#[test]
fn what_is_not_relevant_is_kept_but_counts_for_nothing() {
    let mut e = engine();
    e.set_path("/data/persona/nac", "1950-01-01").expect("stored");
    assert!(names(&e).contains(&"mayor".into()));
    e.set_path("/data/persona/nac", "").expect("stored");
    assert!(!names(&e).contains(&"mayor".into()));
    assert_eq!(e.value_path("/data/persona/edad").as_deref(), Some(""));
}

#[test]
fn a_choice_that_is_no_longer_offered_is_cleared() {
    let mut e = engine();
    e.set_path("/data/zona", "norte").expect("stored");
    e.set_path("/data/barrio", "carcelen").expect("stored");
    let barrio = e.at_path("/data/barrio").expect("there");
    assert_eq!(e.question(barrio).choices.len(), 1);
    e.set_path("/data/zona", "sur").expect("stored");
    assert_eq!(e.value(barrio), "");
    e.set(barrio, "carcelen").expect("stored even when wrong");
    assert_eq!(e.check(barrio), Err(Violation::Type));
}

#[test]
fn repeats_grow_shrink_and_keep_to_themselves() {
    let mut e = engine();
    assert_eq!(e.repeats()[0].path, "/data/hijos");
    e.set_path("/data/hijos/nombre", "Ana").expect("stored");
    e.add_repeat("/data/hijos").expect("another");
    e.set_path("/data/hijos[2]/nombre", "Luis").expect("stored");
    let greetings: Vec<String> = e
        .snapshots()
        .into_iter()
        .filter(|q| q.name == "saludo")
        .map(|q| q.label)
        .collect();
    assert_eq!(greetings, ["Hola Ana", "Hola Luis"]);
    assert_eq!(e.value_path("/data/tasa").as_deref(), Some("14.5"));
    let gone = e.at_path("/data/hijos[1]/nombre").expect("there");
    e.remove_repeat("/data/hijos[1]").expect("removed");
    assert_eq!(e.value(gone), "", "what was removed is overwritten");
    assert_eq!(e.value_path("/data/hijos/nombre").as_deref(), Some("Luis"));
    assert!(e.set(gone, "x").is_err());
}

#[test]
fn calculated_fields_cannot_be_written() {
    let mut e = engine();
    assert!(e.set_path("/data/tasa", "0").is_err());
    assert!(e.set_path("/data/persona", "0").is_err());
    assert!(e.set_path("/data/nada", "0").is_err());
}

#[test]
fn the_end_is_written_when_the_form_is_finished() {
    let survey: &[&[&str]] = &[
        &["type", "name", "label"],
        &["start", "inicio"],
        &["end", "fin"],
        &["text", "a", "A"],
    ];
    let (form, _) = Form::from_xlsx(&workbook(&[("survey", survey)])).unwrap_or_else(|f| panic!("{}", f[0]));
    let engine = Engine::new(Arc::new(form), env()).expect("the form opens");
    let later = env().now.timestamp() + jiff::SignedDuration::from_mins(5);
    let xml = engine.instance_xml_at(later);
    assert!(
        xml.contains(
            "<inicio>2026-11-24T09:30:00.000-05:00</inicio><fin>2026-11-24T09:35:00.000-05:00</fin>"
        ),
        "{xml}"
    );
    assert!(engine.instance_xml().contains("<fin/>"));
}

mod reviewed {
    use super::*;
    use crate::forms::review::{Rule, answers_of, by_column, columns_of, review};

    fn submitted() -> String {
        let mut e = engine();
        for (path, value) in [
            ("/data/persona/cedula", "1714307103"),
            ("/data/persona/nac", "1990-11-24"),
            ("/data/ingreso", "1175.5"),
            ("/data/zona", "norte"),
            ("/data/barrio", "carcelen"),
            ("/data/hijos/nombre", "Ana <María>"),
        ] {
            e.set_path(path, value).expect("stored");
        }
        e.add_repeat("/data/hijos").expect("another");
        e.set_path("/data/hijos[2]/nombre", "Luis").expect("stored");
        e.set_path("/data/juro", "OK").expect("stored");
        assert!(e.violations().is_empty());
        e.instance_xml()
    }

    fn found(xml: &str) -> Vec<(String, Rule)> {
        review(&Arc::new(form()), env(), xml)
            .into_iter()
            .map(|finding| (finding.question, finding.rule))
            .collect()
    }

    #[test]
    fn what_the_engine_let_through_is_accepted() {
        assert_eq!(found(&submitted()), []);
    }

    #[test]
    fn what_was_changed_on_the_way_is_found_by_question_and_rule() {
        let xml = submitted();
        let changed = |from: &str, to: &str| {
            assert!(xml.contains(from), "{from} in {xml}");
            found(&xml.replace(from, to))
        };
        let one = |question: &str, rule| vec![(question.to_owned(), rule)];
        assert_eq!(
            changed("1714307103", "1714307104"),
            one("/data/persona/cedula", Rule::Constraint)
        );
        assert_eq!(
            changed("<tasa>14.5</tasa>", "<tasa>0</tasa>"),
            one("/data/tasa", Rule::Calculation)
        );
        assert_eq!(
            changed("<nombre>Luis</nombre>", "<nombre/>"),
            one("/data/hijos[2]/nombre", Rule::Required)
        );
        assert_eq!(
            changed("<zona>norte</zona>", "<zona>este</zona>")[0].1,
            Rule::Type
        );
        assert_eq!(
            changed("<juro>OK</juro>", "<juro>OK</juro><extra>1</extra>"),
            one("/data/extra", Rule::UnknownQuestion)
        );
        assert_eq!(found("<data><"), one("", Rule::Unreadable));
        assert_eq!(found("<other/>"), one("", Rule::Unreadable));
    }

    #[test]
    fn a_table_has_the_columns_of_the_form_and_all_instances_of_a_repeat() {
        let columns = columns_of(&form());
        let place = |path: &str| {
            columns
                .iter()
                .position(|column| column == path)
                .expect("a column")
        };
        assert!(place("/data/persona/cedula") < place("/data/hijos/nombre"));
        let answers = by_column(answers_of(&submitted()).expect("xml"));
        assert_eq!(answers["/data/hijos/nombre"], ["Ana <María>", "Luis"]);
    }
}
