//! The forms engine: an answer on a big form, the import of a long one, and the same walk in JavaRosa.
//!
//! Prints one line a budget, `budget NAME VALUE LIMIT ok|short`, and exits 0 when it could measure.
//! Run it on a quiet machine: `cargo bench --bench forms`. JavaRosa is measured where its helper is (`VENTANILLA_ORACLE`,
//! or beside the repository), by what more steps cost, so that the start of its machine does not count.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;
use ventanilla::forms::{Engine, Env, Form};

const PROVINCES: usize = 25;
const CHOICES: usize = 5_000;
const ROWS: usize = 100;
/// The middle of this many answers is quoted.
const ANSWERS: usize = 60;
const IMPORTS: usize = 7;

fn main() {
    let xml = big_form();
    let (form, _) = Form::from_xform(&xml).unwrap_or_else(|f| panic!("{}", f[0]));
    let mut engine = Engine::new(Arc::new(form), env()).expect("the form opens");
    for row in 1..=ROWS {
        if row > 1 {
            engine.add_repeat("/data/row").expect("a row");
        }
        engine
            .set_path(&format!("/data/row[{row}]/price"), "12.50")
            .expect("stored");
    }
    budget(
        "forms_answer_in_repeat_ms",
        answers(&mut engine, |i| {
            (format!("/data/row[{}]/amount", i % ROWS + 1), (i % 9).to_string())
        }),
        10.0,
    );
    budget("forms_answer_cascade_ms", cascade(&mut engine), 10.0);
    budget("forms_state_for_a_screen_ms", state(&mut engine), 100.0);

    let workbook = long_workbook();
    let mut times: Vec<f64> = (0..IMPORTS)
        .map(|_| {
            let begun = Instant::now();
            Form::from_xlsx(&workbook).unwrap_or_else(|f| panic!("{}", f[0]));
            begun.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    budget("forms_import_1000_questions_ms", median(&mut times), 500.0);

    match javarosa_ms(&xml) {
        Some(theirs) => {
            let ours = median(&mut (0..5).map(|_| walked_ms(&xml)).collect::<Vec<_>>());
            // How many times faster the same steps are here; slower would be a fault.
            at_least("forms_times_faster_than_javarosa", theirs / ours, 1.0);
        }
        None => say("JavaRosa is not here; its time is not compared"),
    }
}

/// One answer after another; each must have its new state.
fn answers(engine: &mut Engine, step: impl Fn(usize) -> (String, String)) -> f64 {
    let mut times: Vec<f64> = (0..ANSWERS)
        .map(|i| {
            let (path, value) = step(i);
            let begun = Instant::now();
            engine.set_path(&path, &value).expect("stored");
            begun.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    median(&mut times)
}

/// Another province, while a parish of the one before is chosen: 5,000 choices are filtered, and the parish is cleared.
fn cascade(engine: &mut Engine) -> f64 {
    let mut times: Vec<f64> = (0..ANSWERS)
        .map(|i| {
            let (province, parish) = (i % PROVINCES, (i + PROVINCES - 1) % PROVINCES);
            engine
                .set_path("/data/province", &format!("p{parish}"))
                .expect("stored");
            engine
                .set_path("/data/parish", &format!("q{parish}"))
                .expect("stored");
            let begun = Instant::now();
            engine
                .set_path("/data/province", &format!("p{province}"))
                .expect("stored");
            let took = begun.elapsed().as_secs_f64() * 1000.0;
            assert_eq!(engine.value_path("/data/parish").as_deref(), Some(""));
            took
        })
        .collect();
    median(&mut times)
}

/// An answer, and everything a screen shows of the form after it.
fn state(engine: &mut Engine) -> f64 {
    let mut times: Vec<f64> = (0..ANSWERS)
        .map(|i| {
            let begun = Instant::now();
            engine
                .set_path("/data/province", &format!("p{}", i % PROVINCES))
                .expect("stored");
            let shown = engine.snapshots();
            assert!(shown.len() > ROWS * 2);
            begun.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    median(&mut times)
}

const STEPS: usize = 400;

fn steps(count: usize) -> String {
    let step = |i: usize| match i % 2 {
        0 => format!("{{\"set\":\"/data/province\",\"value\":\"p{}\"}}", i % PROVINCES),
        _ => format!("{{\"set\":\"/data/row[1]/amount\",\"value\":\"{}\"}}", i % 9),
    };
    format!("[{}]", (0..count).map(step).collect::<Vec<_>>().join(","))
}

/// Milliseconds that [`STEPS`] steps take here, in a form of one row.
fn walked_ms(xml: &str) -> f64 {
    let time = |count: usize| {
        let begun = Instant::now();
        ventanilla::forms::walk(xml, &steps(count)).unwrap_or_else(|f| panic!("{}", f[0]));
        begun.elapsed().as_secs_f64() * 1000.0
    };
    (time(STEPS) - time(0)).max(0.001)
}

fn javarosa_ms(xml: &str) -> Option<f64> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let named = std::env::var("VENTANILLA_ORACLE").ok().map(PathBuf::from);
    let near = ["../../shared/oracle", "../shared/oracle"].map(|p| root.join(p));
    let program = named
        .into_iter()
        .chain(near)
        .map(|p| p.join("javarosa-walk"))
        .find(|p| p.is_file())?;
    let folder = tempfile::tempdir().ok()?;
    let (form, file) = (folder.path().join("form.xml"), folder.path().join("steps.json"));
    std::fs::write(&form, xml).ok()?;
    let time = |count: usize| {
        std::fs::write(&file, steps(count)).ok()?;
        let begun = Instant::now();
        let output = Command::new(&program).arg(&form).arg(&file).output().ok()?;
        let done = output.status.success() && output.stdout.starts_with(b"{\"stepErrors\":[]");
        done.then(|| begun.elapsed().as_secs_f64() * 1000.0)
    };
    let mut times = Vec::new();
    for _ in 0..3 {
        times.push((time(STEPS)? - time(0)?).max(0.001));
    }
    Some(median(&mut times))
}

/// A cascade of three lists, the last with 5,000 choices, and a repeat whose rows have calculations and a total.
fn big_form() -> String {
    let mut lists = String::from("<instance id=\"parish\"><root>");
    for i in 0..CHOICES {
        let _ = write!(
            lists,
            "<item><name>q{i}</name><label>Parroquia {i}</label><province>p{}</province><canton>c{}</canton></item>",
            i % PROVINCES,
            i % (PROVINCES * 9)
        );
    }
    lists.push_str("</root></instance><instance id=\"province\"><root>");
    for i in 0..PROVINCES {
        let _ = write!(
            lists,
            "<item><name>p{i}</name><label>Provincia {i}</label></item>"
        );
    }
    lists.push_str("</root></instance>");
    let row = "<amount/><price>10</price><subtotal/><label/>";
    format!(
        r#"<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml" xmlns:jr="http://openrosa.org/javarosa"><h:head><h:title>Big</h:title><model>
<instance><data id="big"><province/><parish/><row jr:template="">{row}</row><row>{row}</row><total/><fee/></data></instance>{lists}
<bind nodeset="/data/province" type="string"/><bind nodeset="/data/parish" type="string" relevant="/data/province != ''"/>
<bind nodeset="/data/row/amount" type="int" constraint=". &gt;= 0"/><bind nodeset="/data/row/price" type="decimal"/>
<bind nodeset="/data/row/subtotal" type="decimal" calculate="../amount * ../price"/>
<bind nodeset="/data/row/label" type="string" calculate="concat('Fila ', position(..))"/>
<bind nodeset="/data/total" type="decimal" calculate="sum(/data/row/subtotal)"/>
<bind nodeset="/data/fee" type="decimal" calculate="round(/data/total * 0.12, 2)"/>
</model></h:head><h:body>
<select1 ref="/data/province"><label>P</label><itemset nodeset="instance('province')/root/item"><value ref="name"/><label ref="label"/></itemset></select1>
<select1 ref="/data/parish"><label>Q</label><itemset nodeset="instance('parish')/root/item[province = /data/province ]"><value ref="name"/><label ref="label"/></itemset></select1>
<group ref="/data/row"><label>R</label><repeat nodeset="/data/row"><input ref="/data/row/amount"><label>A <output value="../label"/></label></input><input ref="/data/row/price"><label>B</label></input></repeat></group>
</h:body></h:html>"#
    )
}

/// A workbook of 1,000 questions with rules, conditions and calculations.
fn long_workbook() -> Vec<u8> {
    let mut survey = vec![row(&[
        "type",
        "name",
        "label::Español (es)",
        "label::English (en)",
        "relevant",
        "constraint",
        "calculation",
    ])];
    for i in 0..1_000_usize {
        let before = i.saturating_sub(1);
        survey.push(match i % 4 {
            0 => row(&[
                "text",
                &format!("f{i}"),
                "¿Cómo se llama?",
                "What is your name?",
                "",
                "string-length(.) < 80",
            ]),
            1 => row(&[
                "integer",
                &format!("f{i}"),
                "¿Cuántos?",
                "How many?",
                &format!("${{f{before}}} != ''"),
                ". > 0",
            ]),
            2 => row(&[
                "select_one yn",
                &format!("f{i}"),
                "¿Sí o no, ${f0}?",
                "Yes or no, ${f0}?",
            ]),
            _ => row(&[
                "calculate",
                &format!("f{i}"),
                "",
                "",
                "",
                "",
                &format!("concat(${{f{before}}}, '-', ${{f0}})"),
            ]),
        });
    }
    let choices = vec![
        row(&["list_name", "name", "label::Español (es)", "label::English (en)"]),
        row(&["yn", "y", "Sí", "Yes"]),
        row(&["yn", "n", "No", "No"]),
    ];
    let settings = vec![
        row(&["form_id", "default_language"]),
        row(&["long", "Español (es)"]),
    ];
    zip::workbook(&[("survey", survey), ("choices", choices), ("settings", settings)])
}

#[path = "../tests/forms/zip.rs"]
mod zip;

fn row(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|c| (*c).to_owned()).collect()
}

fn env() -> Env {
    let noon = jiff::civil::date(2026, 11, 24).at(12, 0, 0, 0);
    Env {
        now: noon.to_zoned_datetime(jiff::tz::TimeZone::UTC).expect("a moment"),
        seed: 1,
        instance_id: "00000000-0000-4000-8000-000000000000".to_owned(),
        device_id: "bench".to_owned(),
    }
}

fn budget(name: &str, value: f64, limit: f64) {
    let verdict = if value <= limit { "ok" } else { "short" };
    say(&format!("budget {name} {value:.2} {limit:.0} {verdict}"));
}

fn at_least(name: &str, value: f64, limit: f64) {
    let verdict = if value >= limit { "ok" } else { "short" };
    say(&format!("budget {name} {value:.1} {limit:.0} {verdict}"));
}

#[expect(clippy::print_stdout, reason = "the lines are the result")]
fn say(line: &str) {
    println!("{line}");
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
