//! Files made to hurt: each is refused or bounded, and says so.

use super::workbook::workbook;
use crate::forms::{Engine, Files, Finding, Form, eval, limits};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[track_caller]
fn refused(result: Result<(Form, Vec<Finding>), Vec<Finding>>, words: &str) {
    let Err(findings) = result else {
        panic!("accepted, though {words}")
    };
    let shown: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(
        shown.iter().any(|f| f.contains(words)),
        "{words}: {}",
        shown.join("\n")
    );
}

#[track_caller]
fn soon<T>(work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let out = work();
    // Far more than any machine needs, far less than a hang.
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "took {:?}",
        begun.elapsed()
    );
    out
}

fn form(instance: &str, rest: &str, body: &str) -> String {
    format!(
        "<h:html xmlns=\"http://www.w3.org/2002/xforms\" xmlns:h=\"http://www.w3.org/1999/xhtml\" xmlns:jr=\"http://openrosa.org/javarosa\"><h:head><h:title>t</h:title><model><instance><data id=\"t\">{instance}</data></instance>{rest}</model></h:head><h:body>{body}</h:body></h:html>"
    )
}

#[test]
fn entities_are_not_expanded() {
    let laughs = "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\">]><h/>";
    refused(Form::from_xform(laughs), "not well-formed");
    let files = Files::from([("l.xml".to_owned(), laughs.as_bytes().to_vec())]);
    let with_list = form("<a/>", "<instance id=\"l\" src=\"jr://file/l.xml\"/>", "");
    refused(
        Form::from_xform_with(&with_list, &files),
        "l.xml is not well-formed",
    );
}

#[test]
fn a_small_zip_does_not_become_a_big_sheet() {
    let rows: Vec<String> = (0..3).map(|_| "x".repeat(1 << 20)).collect();
    let honest = workbook(&[("survey", &[&[&rows[0], &rows[1], &rows[2]]])]);
    assert!(Form::from_xlsx(&honest).is_err(), "no columns");
    // The sizes in the directory lie; what counts is what comes out.
    let packed = miniz_oxide::deflate::compress_to_vec(&vec![b'a'; 70 << 20], 6);
    assert!(packed.len() < 1 << 20);
    let mut zip = Vec::new();
    let mut head = vec![20_u8, 0, 0, 0, 8, 0, 0, 0, 0x21, 0, 0, 0, 0, 0];
    head.extend(u32::try_from(packed.len()).expect("small").to_le_bytes());
    head.extend([9, 0, 0, 0, 1, 0, 0, 0]);
    zip.extend(b"PK\x03\x04");
    zip.extend(&head);
    zip.push(b'x');
    zip.extend(&packed);
    let begin = u32::try_from(zip.len()).expect("small");
    zip.extend(b"PK\x01\x02\x14\0");
    zip.extend(&head);
    zip.extend([0; 14]);
    zip.push(b'x');
    zip.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0\x2f\0\0\0");
    zip.extend(begin.to_le_bytes());
    zip.extend([0, 0]);
    refused(soon(|| Form::from_xlsx(&zip)), "unpacks to more than 64 MB");
}

#[test]
fn a_cell_in_an_impossible_row_is_a_damaged_workbook() {
    refused(
        Form::from_xlsx(&super::workbook::with_cell_at("A99999999999")),
        "",
    );
}

#[test]
fn an_old_workbook_with_far_corners_is_refused() {
    let cell = |row: u16, column: u16| {
        let mut record = vec![0x03, 0x02, 14, 0];
        record.extend(row.to_le_bytes());
        record.extend(column.to_le_bytes());
        record.extend([0; 10]);
        record
    };
    let mut stream = vec![0x09, 0x08, 16, 0, 0, 6, 5, 0];
    stream.extend([0; 12]);
    stream.extend(cell(0, 0));
    stream.extend(cell(65_535, 255));
    let mut file = cfb::CompoundFile::create(std::io::Cursor::new(Vec::new())).expect("a file");
    let mut book = file.create_stream("/Workbook").expect("a stream");
    std::io::Write::write_all(&mut book, &stream).expect("written");
    drop(book);
    let bytes = file.into_inner().into_inner();
    refused(soon(|| Form::from_xlsx(&bytes)), "far away from the others");
    for cut in (0..bytes.len()).step_by(97) {
        let _ = Form::from_xlsx(&bytes[..cut]);
    }
}

#[test]
fn a_million_parentheses_are_too_many() {
    let open = "(".repeat(1_000_000);
    soon(|| assert!(eval(&open).is_err_and(|f| f.message.contains("too "))));
    let closed = format!("{open}1{}", ")".repeat(1_000_000));
    soon(|| assert!(eval(&closed).is_err()));
    for chain in ["-", "not(", "a[", "if(1,", "concat("] {
        soon(|| assert!(eval(&chain.repeat(200_000)).is_err(), "{chain}"));
    }
    soon(|| assert!(eval(&vec!["1"; 100_000].join("+")).is_err_and(|f| f.message.contains("too"))));
    soon(|| assert!(eval(&format!("/{}", "a/".repeat(100_000))).is_err()));
    let in_form = form(
        "<a/>",
        &format!("<bind nodeset=\"/data/a\" relevant=\"{closed}\"/>"),
        "",
    );
    refused(soon(|| Form::from_xform(&in_form)), "too long");
}

fn listed(choices: usize) -> String {
    let mut list = String::from("<instance id=\"l\"><root>");
    for i in 0..choices {
        let _ = write!(list, "<item><name>n{i}</name><label>L</label></item>");
    }
    form(
        "<a/>",
        &(list + "</root></instance>"),
        "<select1 ref=\"/data/a\"><label>A</label><itemset nodeset=\"instance('l')/root/item[name != /data/a]\"><value ref=\"name\"/><label ref=\"label\"/></itemset></select1>",
    )
}

#[test]
fn twenty_thousand_choices_are_the_most() {
    refused(
        soon(|| Form::from_xform(&listed(limits::CHOICES + 1))),
        "the limit is 20000",
    );
    let (most, _) =
        soon(|| Form::from_xform(&listed(limits::CHOICES))).unwrap_or_else(|f| panic!("{}", f[0]));
    let mut engine = Engine::new(Arc::new(most), super::municipal::env()).expect("the form opens");
    soon(|| engine.set_path("/data/a", "n7")).expect("stored");
    let lines = (0..=limits::CHOICES)
        .map(|i| format!("n{i},L"))
        .collect::<Vec<_>>()
        .join("\n");
    let files = Files::from([("l.csv".to_owned(), format!("name,label\n{lines}").into_bytes())]);
    let with_file = form("<a/>", "<instance id=\"l\" src=\"jr://file-csv/l.csv\"/>", "");
    refused(
        soon(|| Form::from_xform_with(&with_file, &files)),
        "the limit is 20000",
    );
}

#[test]
fn regular_expressions_take_linear_time_and_bounded_room() {
    let text = format!("{}!", "a".repeat(10_000));
    soon(|| {
        assert_eq!(
            eval(&format!("regex('{text}', '(a+)+$')")).ok().as_deref(),
            Some("false")
        )
    });
    soon(|| {
        assert_eq!(
            eval(&format!("regex('{text}', '(a|a)*b')")).ok().as_deref(),
            Some("false")
        )
    });
    let huge = form(
        "<a/>",
        "<bind nodeset=\"/data/a\" constraint=\"regex(., '((a{1000}){1000}){1000}')\"/>",
        "",
    );
    refused(soon(|| Form::from_xform(&huge)), "too big");
}

#[test]
fn a_form_that_counts_without_end_stops() {
    let rows = "<bind nodeset=\"/data/n\" type=\"int\"/><bind nodeset=\"/data/r/x\" calculate=\"count(/data/r) + sum(/data/r/y)\"/>";
    let body = "<input ref=\"/data/n\"><label>N</label></input><group ref=\"/data/r\"><label/><repeat nodeset=\"/data/r\" jr:count=\"/data/n\"><input ref=\"/data/r/y\"><label>Y</label></input></repeat></group>";
    let xml = form("<n/><r jr:template=\"\"><x/><y/></r>", rows, body);
    let (form, _) = Form::from_xform(&xml).unwrap_or_else(|f| panic!("{}", f[0]));
    let mut engine = Engine::new(Arc::new(form), super::municipal::env()).expect("the form opens");
    soon(|| engine.set_path("/data/n", "1000000000")).expect("stored");
    assert_eq!(engine.repeats()[0].copies, limits::REPEATS);
}

#[test]
fn a_form_has_a_most_of_fields_and_of_depth() {
    let many: String = (0..=limits::FIELDS).map(|i| format!("<f{i}/>")).collect();
    refused(
        soon(|| Form::from_xform(&form(&many, "", ""))),
        "more than 5000 fields",
    );
    let deep = format!("{}{}", "<g>".repeat(200), "</g>".repeat(200));
    refused(Form::from_xform(&form(&deep, "", "")), "nested too deeply");
    refused(
        Form::from_xform(&" ".repeat(limits::XML_BYTES + 1)),
        "bigger than 8 MB",
    );
}
