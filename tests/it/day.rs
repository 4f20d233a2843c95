//! A citizen's day, end to end, through the outside contracts only.

use std::path::Path;

use serde_json::{Value, json};

use super::support::{
    Demo, Kiosk, Running, call, code_on, files_with, get, holds, labels, papers, try_call, until, ventanilla,
};

/// Said by the citizen; must never be readable on any disk or in any log.
const CEDULA: &str = "1714307103";

/// What a widow of 76 with one house answers.
const ANSWERS: [(&str, &str); 5] = [
    ("cédula", CEDULA),
    ("nació", "05081950"),
    ("predio", "512034"),
    ("recibe", "470"),
    ("vale", "38500"),
];

/// Opens every counter and calls until this number is called; gives the counter.
#[track_caller]
fn call_number(demo: &Demo, number: &str) -> u64 {
    for counter in 1..=8 {
        demo.office("POST", &format!("/counters/{counter}/open"), &json!({}))
            .ok();
        let called = demo
            .office("POST", &format!("/counters/{counter}/next"), &json!({}))
            .ok()
            .json();
        if called["ticket"]["number"] == number {
            return counter;
        }
    }
    panic!("nobody called {number}");
}

/// Asks for the exemption of older adults, with priority.
#[track_caller]
fn ask_for_exemption(kiosk: &Kiosk) {
    kiosk.touch("Español");
    kiosk.touch("Exoneración por edad");
    kiosk.wait_for("procedure");
    kiosk.touch("Empezar");
    kiosk.fill(&ANSWERS);
    let review = kiosk.wait_for("review");
    let shown = labels(&review).join(" ");
    assert!(!shown.contains(CEDULA) && shown.contains("17••••7103"), "{shown}");
    kiosk.touch("Todo está bien");
    kiosk.wait_for("turn-lane");
    kiosk.touch("Sí, preferente");
    kiosk.wait_for("consent");
    kiosk.touch("Declaro");
    kiosk.touch("Acepto");
    kiosk.touch("Enviar");
    kiosk.wait_for("success");
}

/// A number such as `T-018` somewhere in a text.
fn number_in(text: &str) -> Option<String> {
    text.split(|c: char| c.is_whitespace() || c == ',' || c == '.')
        .find_map(|word| {
            let (series, digits) = word.split_once('-')?;
            let fits = (1..=2).contains(&series.len())
                && series.chars().all(|c| c.is_ascii_uppercase())
                && digits.len() >= 3
                && digits.chars().all(|c| c.is_ascii_digit());
            fits.then(|| word.to_owned())
        })
}

#[test]
fn a_request_reaches_the_municipality_once() {
    let folder = tempfile::tempdir().expect("a folder");
    // As talkative as it can be.
    let demo = Demo::start_with(folder.path(), &["--log", "trace"]);
    let kiosk = demo.kiosk();
    kiosk.wait_for("attract");
    ask_for_exemption(&kiosk);
    let view = kiosk.view();
    let code = code_on(&view);
    let number = labels(&view)
        .iter()
        .find_map(|label| number_in(label))
        .expect("a number");

    let printed = until("two papers", || {
        Some(demo.papers()).filter(|papers| papers.len() == 2)
    });
    let (receipt, turn): (Vec<&String>, Vec<&String>) =
        printed.iter().partition(|paper| paper.contains(&code));
    assert_eq!((receipt.len(), turn.len()), (1, 1), "{printed:?}");
    assert!(receipt[0].contains(&number) && turn[0].contains(&number));
    for paper in &printed {
        assert!(
            !paper.contains(CEDULA),
            "a whole identity number is on paper: {paper}"
        );
        assert!(
            !paper.to_lowercase().contains("preferente"),
            "the lane is on paper: {paper}"
        );
    }

    let counter = call_number(&demo, &number);
    let board = get(&format!("{}/api/v1/board", demo.at("office"))).ok();
    assert!(board.text.contains(&number), "{}", board.text);
    for secret in ["\"priority\"", "preferente", CEDULA, "submission", "lane"] {
        assert!(
            !board.text.contains(secret),
            "the board says {secret}: {}",
            board.text
        );
    }
    demo.office("POST", &format!("/counters/{counter}/start"), &json!({}))
        .ok();
    demo.office(
        "POST",
        &format!("/counters/{counter}/finish"),
        &json!({ "result": "resolved" }),
    )
    .ok();
    let again = demo.office("POST", &format!("/counters/{counter}/finish"), &json!({}));
    assert_eq!(again.status, 409, "{again:?}");
    assert!(again.kind.starts_with("application/problem+json"), "{again:?}");

    let verify = format!("{}/verify/{code}", demo.at("central"));
    let proved = until("the receipt is proved", || {
        try_call("GET", &verify, None, None, Some("application/json")).filter(|answer| answer.status == 200)
    });
    assert!(!proved.text.contains(CEDULA));
    let listed = demo.central("/api/v1/submissions").ok();
    assert_eq!(
        listed.text.matches("\"code\"").count(),
        1,
        "exactly once: {}",
        listed.text
    );

    // Whoever may read it reads it, and whoever asks how far it is gives the last digits: both leave nothing behind.
    let id = listed.json()["submissions"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let content = demo
        .central(&format!("/api/v1/submissions/{id}/content?reason=prueba"))
        .ok();
    assert!(content.text.contains(CEDULA), "the test reads what it looks for");
    let status = format!("{}/api/v1/cases/{code}/status", demo.at("central"));
    let far = call("POST", &status, None, Some(&json!({ "digits": "7103" })));
    assert!([200, 409].contains(&far.status), "{far:?}");

    kiosk.touch("Terminar");
    if kiosk.face() == "satisfaction" {
        kiosk.touch("Saltar");
    }
    let view = kiosk.wait_for("attract");
    assert!(
        !labels(&view).join(" ").contains(&code),
        "the next person sees the last one's code"
    );

    let log = demo.running.stop();
    assert!(
        !holds(log.as_bytes(), CEDULA),
        "a log at its most talkative holds it"
    );
    assert!(log.len() > 10_000, "it said little: {log}");
    let found = files_with(folder.path(), CEDULA);
    assert!(found.is_empty(), "readable on disk: {found:?}");
    // What was declared is on the citizen's paper, and in no data file.
    for role in ["kiosk", "office", "central"] {
        for said in ["38500", "38.500"] {
            let found = files_with(&folder.path().join(role), said);
            assert!(found.is_empty(), "{said} is readable on disk: {found:?}");
        }
    }
    // The test has teeth: what is not secret is found.
    assert!(!files_with(&folder.path().join("kiosk"), "exoneracion-predial").is_empty());
}

#[test]
fn a_turn_is_two_taps_and_survives_the_plug() {
    let folder = tempfile::tempdir().expect("a folder");
    for round in 0..3 {
        let demo = Demo::start(folder.path());
        let kiosk = demo.kiosk();
        kiosk.wish_for_turn("Tributos");
        if round > 0 {
            let view = kiosk.wait_for("turn");
            assert!(
                labels(&view).iter().any(|label| number_in(label).is_some()),
                "{:?}",
                labels(&view)
            );
        }
        // Pulled at different moments: at once, and after the number is shown.
        demo.running.kill();
    }
    let demo = Demo::start(folder.path());
    let events = demo.office("GET", "/events?after=0", &Value::Null).ok();
    let known: Vec<String> = events
        .text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("an event"))
        .filter(|event| event["type"] == "issued")
        .map(|event| event["number"].as_str().expect("a number").to_owned())
        .collect();
    let mut unique = known.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), known.len(), "no number twice: {known:?}");
    assert!(known.len() >= 2, "{known:?}");
    for paper in demo.papers() {
        let number = number_in(&paper).expect("a number on paper");
        assert!(
            known.contains(&number),
            "{number} is on paper and the office does not know it: {known:?}"
        );
    }
    demo.running.stop();
}

#[test]
fn nothing_changes_for_the_citizen_while_central_or_the_office_is_away() {
    let folder = tempfile::tempdir().expect("a folder");
    // The demonstration writes the settings of each role; from here on each runs alone.
    Demo::start(folder.path()).running.stop();
    let role = |name: &str| {
        let mut command = ventanilla();
        command
            .arg(name)
            .arg("--config")
            .arg(folder.path().join(format!("{name}.toml")));
        if name == "kiosk" {
            command.args(["--display", "web"]);
        }
        Running::start(&mut command)
    };
    let token = std::fs::read_to_string(folder.path().join("keys/staff.token")).expect("a token");
    let office = role("office");
    let kiosk_role = role("kiosk");
    let office_url = office.said["office"].clone();
    let kiosk = page(&kiosk_role);
    kiosk.wait_for("attract");
    ask_for_exemption(&kiosk);
    let code = code_on(&kiosk.view());
    kiosk.touch("Terminar");
    kiosk.touch("Saltar");

    // Without the office: a number from the held block, a receipt all the same.
    office.kill();
    kiosk.wait_for("attract");
    ask_for_exemption(&kiosk);
    let offline = kiosk.view();
    let second = code_on(&offline);
    let held = labels(&offline)
        .iter()
        .find_map(|label| number_in(label))
        .expect("a held number");
    assert!(
        held.split_once('-')
            .is_some_and(|(_, n)| n.parse::<u32>().is_ok_and(|n| n >= 501)),
        "{held}"
    );
    until("its papers", || {
        (papers(&folder.path().join("paper")).len() >= 4).then_some(())
    });

    let office = role("office");
    assert_eq!(office.said["office"], office_url, "it comes back where it was");
    until("the office hears of the held number", || {
        let events = call(
            "GET",
            &format!("{office_url}/api/v1/events?after=0"),
            Some(token.trim()),
            None,
        );
        events.text.contains(&held).then_some(())
    });
    let central = role("central");
    let verify = |code: &str| format!("{}/verify/{code}", central.said["central"]);
    for code in [&code, &second] {
        until("it arrives", || {
            try_call("GET", &verify(code), None, None, Some("application/json"))
                .filter(|answer| answer.status == 200)
        });
    }
    let staff = std::fs::read_to_string(folder.path().join("keys/central-staff.token")).expect("a token");
    let listed = call(
        "GET",
        &format!("{}/api/v1/submissions", central.said["central"]),
        Some(staff.trim()),
        None,
    )
    .ok();
    assert_eq!(
        listed.text.matches("\"code\"").count(),
        2,
        "each once: {}",
        listed.text
    );
    kiosk_role.stop();
    office.stop();
    central.stop();
}

fn page(role: &Running) -> Kiosk {
    Kiosk::at(&role.said["kiosk"])
}

#[test]
fn search_finds_what_people_call_things() {
    let folder = tempfile::tempdir().expect("a folder");
    let demo = Demo::start(folder.path());
    let kiosk = demo.kiosk();
    kiosk.wait_for("attract");
    kiosk.touch("Español");
    kiosk.touch("Buscar");
    for (typed, found) in [
        ("predial", "predial"),
        ("luae", "luae"),
        ("perro", "mascota"),
        ("predail", "predial"),
    ] {
        kiosk.write(typed);
        let shown = labels(&kiosk.view()).join(" ").to_lowercase();
        assert!(shown.contains(found), "{typed}: {shown}");
        kiosk.write(&"\u{8}".repeat(typed.len()));
    }
    demo.running.stop();
}

#[test]
fn the_demo_says_where_everything_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let demo = Demo::start(folder.path());
    for name in ["kiosk", "console", "board", "office", "central"] {
        let url = demo.at(name);
        assert!(url.starts_with("http://127.0.0.1:"), "{name} {url}");
        let status = get(url).status;
        assert!(status < 400, "{name}: {status}");
    }
    assert!(demo.at("login").split_once(' ').is_some());
    assert!(Path::new(demo.at("paper")).is_absolute());
    let picture = get(&format!("{}/screen.png", demo.at("kiosk")));
    assert_eq!((picture.status, picture.kind.as_str()), (200, "image/png"));
    demo.running.stop();
}
