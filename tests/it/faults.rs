//! Bad input and broken things: a clear word, and nothing lost.

use std::fs;
use std::net::TcpListener;

use super::support::{Demo, labels, until, ventanilla};

/// Runs to the end and gives exit code and standard error.
#[track_caller]
fn refused(arguments: &[&str]) -> (i32, String) {
    let output = ventanilla().args(arguments).output().expect("the program runs");
    (
        output.status.code().expect("an exit code"),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn an_unknown_key_is_named_with_its_file_and_line() {
    let folder = tempfile::tempdir().expect("a folder");
    Demo::start(folder.path()).running.stop();
    for role in ["kiosk", "office", "central"] {
        let path = folder.path().join(format!("{role}.toml"));
        let text = fs::read_to_string(&path).expect("settings");
        fs::write(&path, format!("colour = \"red\"\n{text}")).expect("settings");
        let (code, said) = refused(&[role, "--config", &path.to_string_lossy()]);
        assert_eq!(code, 1, "{said}");
        for word in ["colour", &format!("{role}.toml"), "line 1"] {
            assert!(said.contains(word), "{role} does not name {word}: {said}");
        }
    }
}

#[test]
fn a_taken_port_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().to_string_lossy().into_owned();
    let (code, said) = refused(&[
        "demo",
        "--display",
        "web",
        "--data",
        &data,
        "--port",
        &port.to_string(),
    ]);
    assert_eq!(code, 1);
    // The demonstration takes three ports in a row; on a busy machine another of them may be taken too.
    let named = (port..=port.saturating_add(2)).any(|port| said.contains(&port.to_string()));
    assert!(named && said.contains("port"), "{said}");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    fs::write(&file, "no folder").expect("a file");
    let data = file.join("data").to_string_lossy().into_owned();
    let (code, said) = refused(&["demo", "--display", "web", "--port", "0", "--data", &data]);
    assert_eq!(code, 1);
    assert!(said.contains(&data) && said.contains("--data"), "{said}");
}

#[test]
fn wrong_words_are_a_usage_error() {
    for arguments in [&["demo", "--lang", "fr"][..], &["kiosk"], &["nonsense"]] {
        let (code, said) = refused(arguments);
        assert_eq!(code, 2, "{arguments:?}: {said}");
    }
}

#[test]
fn a_printer_that_vanishes_leaves_the_number_on_the_screen() {
    let folder = tempfile::tempdir().expect("a folder");
    let paper = tempfile::tempdir().expect("a folder");
    let printer = paper.path().join("printer");
    let demo = Demo::start_with(folder.path(), &["--printer", &printer.to_string_lossy()]);
    // Something else lies where the papers went: the folder can neither be used nor made again.
    let _ = fs::remove_dir_all(&printer);
    fs::write(&printer, "in the way").expect("a file");
    let kiosk = demo.kiosk();
    kiosk.wish_for_turn("Tributos");
    until("the screen says that there is no paper", || {
        let said = labels(&kiosk.view()).join(" ");
        (said.contains("no hay papel") && said.contains("T-0")).then_some(())
    });
    demo.running.stop();
}

#[test]
fn a_damaged_file_is_kept_aside_and_the_day_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let demo = Demo::start(folder.path());
    for _ in 0..3 {
        demo.office(
            "POST",
            "/tickets",
            &serde_json::json!({ "queue": "tributos", "lane": "general", "kiosk": "k2" }),
        )
        .ok();
    }
    demo.running.stop();
    for name in ["kiosk", "office"] {
        let path = folder.path().join(name).join(format!("{name}.db"));
        let mut bytes = fs::read(&path).expect("a data file");
        let middle = bytes.len() / 2;
        bytes[100..middle].fill(0x5a);
        fs::write(&path, bytes).expect("damage");
    }
    let demo = Demo::start(folder.path());
    for name in ["kiosk", "office"] {
        let aside = folder.path().join(name).join("quarantine");
        assert!(
            fs::read_dir(&aside).expect("put aside").next().is_some(),
            "{name}"
        );
    }
    let ticket = demo
        .office(
            "POST",
            "/tickets",
            &serde_json::json!({ "queue": "tributos", "lane": "general", "kiosk": "k2" }),
        )
        .ok()
        .json();
    let number = ticket["n"].as_u64().expect("a number");
    assert!(number > 3, "a number of the morning was given again: {ticket}");
    demo.running.stop();
}

#[test]
fn a_broken_line_of_the_catalogue_is_named_and_the_rest_serves() {
    let folder = tempfile::tempdir().expect("a folder");
    Demo::start(folder.path()).running.stop();
    let catalogue = folder.path().join("catalogue");
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("catalogue/quito");
    fs::create_dir_all(catalogue.join("procedures")).expect("a folder");
    fs::copy(source.join("catalogue.toml"), catalogue.join("catalogue.toml")).expect("a copy");
    for entry in fs::read_dir(source.join("procedures")).expect("procedures") {
        let path = entry.expect("an entry").path();
        fs::copy(
            &path,
            catalogue
                .join("procedures")
                .join(path.file_name().expect("a name")),
        )
        .expect("a copy");
    }
    let broken = catalogue.join("procedures/animales.toml");
    let text = fs::read_to_string(&broken).expect("a catalogue file");
    fs::write(
        &broken,
        text.replacen("kiosk_mode = \"form\"", "kiosk_mode = \"telepathy\"", 1),
    )
    .expect("a broken line");
    let settings = folder.path().join("kiosk.toml");
    let text = fs::read_to_string(&settings).expect("settings");
    fs::write(&settings, format!("catalogue = \"catalogue\"\n{text}")).expect("settings");
    let mut command = ventanilla();
    command
        .args(["kiosk", "--display", "web", "--config"])
        .arg(&settings);
    let running = super::support::Running::start(&mut command);
    let kiosk = super::support::Kiosk::at(&running.said["kiosk"]);
    let view = kiosk.wait_for("attract");
    assert!(
        labels(&view).iter().any(|label| label.contains("181 ")),
        "{:?}",
        labels(&view)
    );
    let log = running.stop();
    assert!(
        log.contains("animales.toml") && log.contains("telepathy"),
        "{log}"
    );
}
