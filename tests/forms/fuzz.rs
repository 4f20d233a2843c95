//! Mutated expressions, forms and workbooks: any answer is right, as long as there is one and it comes soon.
//!
//! Each runs for two seconds; `VENTANILLA_FUZZ_SECONDS=600 cargo test --release --test forms fuzz` runs them long. The
//! seed is printed: `VENTANILLA_SEED=n` brings a failure back. The corpus is `tests/fixtures/forms` and the catalogue.

use crate::random::{Random, seed_and_seconds};
use calamine::{Reader, Xlsx};
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};
use ventanilla::domain::procedure::quito;
use ventanilla::forms;

/// An input that takes longer is a hang, also on a slow machine.
const PATIENCE: Duration = Duration::from_secs(20);

#[expect(clippy::print_stderr, reason = "a long run says how far it came")]
fn run(name: &str, mut once: impl FnMut(&mut Random) -> Vec<u8>, judge: impl Fn(&[u8])) {
    let (seed, seconds) = seed_and_seconds("VENTANILLA_FUZZ_SECONDS", 2);
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut random = Random::new(seed);
    let mut inputs = 0_u64;
    while Instant::now() < end {
        let input = once(&mut random);
        let begun = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| judge(&input)));
        let slow = begun.elapsed() > PATIENCE;
        if outcome.is_err() || slow {
            let kept = std::env::temp_dir().join(format!("{name}-{seed}-{inputs}"));
            let _ = std::fs::write(&kept, &input);
            panic!(
                "{name}: seed {seed}, input {inputs}, kept in {} (slow: {slow})",
                kept.display()
            );
        }
        inputs += 1;
    }
    eprintln!("{name}: {inputs} inputs, seed {seed}");
}

fn corpus(ending: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/forms");
    let entries = std::fs::read_dir(folder).expect("the corpus");
    let mut files: Vec<_> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == ending));
    files.sort();
    files
        .iter()
        .map(|f| std::fs::read(f).expect("a file of the corpus"))
        .collect()
}

/// Cuts, doubles, swaps and replaces parts, with words that mean something put in.
fn mutate(seed: &[u8], words: &[&str], random: &mut Random) -> Vec<u8> {
    let mut out = seed.to_vec();
    for _ in 0..=random.below(6) {
        let at = random.below(out.len() + 1);
        let end = (at + random.below(40)).min(out.len());
        match random.below(6) {
            0 => drop(out.drain(at..end)),
            1 => {
                let part = out[at..end].to_vec();
                let times = 1 + random.below(8);
                out.splice(at..at, part.repeat(times));
            }
            2 => {
                let byte = u8::try_from(random.below(256)).unwrap_or(0);
                if let Some(slot) = out.get_mut(at) {
                    *slot = byte;
                }
            }
            3 => {
                let word = random.pick(words).copied().unwrap_or("");
                out.splice(at..end, word.bytes());
            }
            4 => {
                let word = random.pick(words).copied().unwrap_or("");
                out.splice(at..at, word.repeat(1 + random.below(200)).into_bytes());
            }
            _ => {
                let from = random.below(out.len() + 1);
                let part = out[from..(from + random.below(80)).min(out.len())].to_vec();
                out.splice(at..at, part);
            }
        }
    }
    out
}

const EXPRESSIONS: &[&str] = &[
    "if(${a} = 'x', sum(/data/r/n) div 2, -1.5e3)",
    "instance('cant')/root/item[prov = current()/../p and position() < 3]/label",
    "indexed-repeat(/data/r/n, /data/r, position(..) - 1)",
    "format-date(today() + 30, '%d/%m/%Y')",
    "not(selected(., 'a')) or regex(., '^[0-9]{10}$') and . != ''",
    "substr(concat('a', \"b\", 3), -2, 1) mod 7 * count(../*)",
    "randomize(instance('l')/root/item, 7)",
    "weighted-checklist(1, 2, true(), 0.5, false(), 3)",
];
const WORDS: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "/",
    "//",
    "..",
    ".",
    "*",
    "-",
    " div ",
    " mod ",
    " and ",
    "or",
    "'",
    "\"",
    ",",
    "::",
    "current()",
    "instance('l')",
    "position(",
    "regex(., '",
    "(a+)+$",
    "9999999999999999999999",
    "0.000000000001",
    "if(",
    "once(",
    "data",
    "ñ",
    "\u{0}",
    "😀",
    "parent::",
    "self::node()",
    "digest(",
    "${x}",
    "=",
    "<=",
    "!",
    "|",
];

#[test]
fn fuzz_expressions() {
    let make = |random: &mut Random| {
        let seed = random.pick(EXPRESSIONS).copied().unwrap_or("");
        mutate(seed.as_bytes(), WORDS, random)
    };
    run("expressions", make, |input| {
        let _ = forms::eval(&String::from_utf8_lossy(input));
    });
}

const TAGS: &[&str] = &[
    "<group>",
    "</group>",
    "<repeat nodeset=\"/data/r\">",
    "<bind nodeset=\"/data/a\" relevant=\"",
    "\"/>",
    "<data>",
    "jr:template=\"\"",
    "jr:count=\"100000\"",
    "<itext>",
    "<!DOCTYPE a [<!ENTITY b \"bb\">]>",
    "&b;",
    "calculate=\"/data/a + 1\"",
    "<instance id=\"l\">",
    "src=\"jr://file-csv/x.csv\"",
    "<setvalue ref=\"/data/a\" event=\"xforms-value-changed\"/>",
    "<a>",
    "xmlns:x=\"y\"",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
];

#[test]
fn fuzz_forms() {
    let corpus = corpus("xml");
    let make = |random: &mut Random| {
        let seed = random.pick(&corpus).expect("a corpus");
        mutate(seed, TAGS, random)
    };
    run("forms", make, |input| {
        let xml = String::from_utf8_lossy(input);
        let steps = r#"[{"set":"/data/a","value":"x"},{"add":"/data/r"},{"set":"/data/r/n","value":"7"}]"#;
        let _ = forms::walk(&xml, steps);
    });
}

const CELLS: &[&str] = &[
    "begin group",
    "end group",
    "begin repeat",
    "end repeat",
    "begin loop over l",
    "select_one l",
    "select_multiple l or_other",
    "select_one_from_file x.csv",
    "rank l",
    "range",
    "start=0 end=5 step=0",
    "${a}",
    "${",
    "${nobody}",
    "calculate",
    "note",
    "position(..)",
    "sum(${n})",
    "label::English (en)",
    "bind::x",
    "table-list",
    "yes",
    "true()",
    "audit",
    "trigger",
    "-",
    "instance('l')/root/item[name=${a}]",
    "%(label)s",
    "''",
    "today() - 1",
    "1 div 0",
    "meta",
    "data",
    "name",
];

/// A workbook of cells from the list above, in the order of a sheet.
fn workbook(random: &mut Random) -> Vec<u8> {
    let heads = [
        "type",
        "name",
        "label",
        "label::Español (es)",
        "relevant",
        "calculation",
        "constraint",
        "default",
        "choice_filter",
        "parameters",
        "repeat_count",
        "trigger",
        "appearance",
        "required",
        "hint",
        "media::image",
    ];
    let mut survey: Vec<Vec<String>> = vec![heads.iter().map(|h| (*h).to_owned()).collect()];
    for row in 0..random.below(14) {
        let mut cells = vec![String::new(); heads.len()];
        cells[0] = (*random.pick(CELLS).expect("cells")).to_owned();
        cells[1] = if random.chance(9) {
            String::new()
        } else {
            format!("f{}", random.below(row + 2))
        };
        cells[2] = String::from(if random.chance(3) {
            ""
        } else {
            "Una pregunta ${f0}"
        });
        for cell in cells.iter_mut().skip(3) {
            if random.chance(5) {
                *cell = (*random.pick(CELLS).expect("cells")).to_owned();
            }
        }
        survey.push(cells);
    }
    let row = |cells: &[&str]| cells.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>();
    let choices = vec![
        row(&["list_name", "name", "label"]),
        row(&["l", "a", "A ${f0}"]),
        row(&["l", "b", ""]),
    ];
    crate::zip::workbook(&[("survey", survey), ("choices", choices)])
}

/// A sheet's name and its cells.
type Sheet = (String, Vec<Vec<String>>);

/// The cells of a workbook that somebody wrote.
fn sheets(bytes: &[u8]) -> Vec<Sheet> {
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).expect("a workbook");
    let text = |range: &calamine::Range<calamine::Data>| {
        let rows = range
            .rows()
            .map(|row| row.iter().map(ToString::to_string).collect());
        rows.collect::<Vec<Vec<String>>>()
    };
    book.worksheets()
        .iter()
        .map(|(name, range)| (name.clone(), text(range)))
        .collect()
}

/// What an author at a bad hour makes of a good workbook: cells replaced, cut and moved, rows lost and doubled.
fn spoilt(book: &[Sheet], random: &mut Random) -> Vec<u8> {
    let mut book = book.to_vec();
    for _ in 0..=random.below(5) {
        let sheet = random.below(book.len());
        let rows = &mut book[sheet].1;
        if rows.is_empty() {
            continue;
        }
        let (row, other) = (random.below(rows.len()), random.below(rows.len()));
        match random.below(6) {
            0 => drop(rows.remove(row)),
            1 => rows.insert(row, rows[other].clone()),
            2 => rows.swap(row, other),
            kind => {
                let column = random.below(rows[row].len());
                let word = random.pick(CELLS).copied().unwrap_or("");
                let moved = rows[other].get(column).cloned().unwrap_or_default();
                let cell = rows[row].get_mut(column);
                match (cell, kind) {
                    (None, _) => {}
                    (Some(cell), 3) => *cell = word.to_owned(),
                    (Some(cell), 4) => *cell = moved,
                    (Some(cell), _) => {
                        let bytes = mutate(cell.as_bytes(), WORDS, random);
                        *cell = String::from_utf8_lossy(&bytes).into_owned();
                    }
                }
            }
        }
    }
    let named: Vec<(&str, Vec<Vec<String>>)> = book
        .iter()
        .map(|(name, rows)| (name.as_str(), rows.clone()))
        .collect();
    crate::zip::workbook(&named)
}

#[test]
fn fuzz_workbooks() {
    let mut corpus = corpus("xlsx");
    corpus.extend(quito::FORMS.iter().map(|(_, bytes)| bytes.to_vec()));
    let books: Vec<Vec<Sheet>> = corpus.iter().map(|bytes| sheets(bytes)).collect();
    let make = |random: &mut Random| {
        if random.chance(3) {
            let seed = random.pick(&corpus).expect("a corpus");
            mutate(
                seed,
                &[
                    "PK\u{1}\u{2}",
                    "PK\u{5}\u{6}",
                    "xl/workbook.xml",
                    "\u{0}\u{0}\u{0}",
                ],
                random,
            )
        } else if random.chance(2) {
            spoilt(random.pick(&books).expect("a corpus"), random)
        } else {
            workbook(random)
        }
    };
    run("workbooks", make, |input| {
        if let Ok((form, _)) = forms::Form::from_workbook("fuzz", input, &quito::lists()) {
            let _ = forms::walk_form(std::sync::Arc::new(form), r#"[{"set":"/data/f0","value":"a"}]"#);
        }
    });
}
