//! The board of a waiting room as our own image shows it.

use jiff::tz::TimeZone;
use ventanilla::board::picture::Picture;
use ventanilla::board::screen::BoardScreen;
use ventanilla::domain::board::{Board, BoardInput};
use ventanilla::i18n::Language;
use ventanilla::kiosk::run::Size;

use crate::check_pixels;

const NEWS: &str = r#"{"seq":9,"at":"2026-11-24T15:42:00Z","office":"Quitumbe","room":"Sala A","calls":[CALLS],
"announce":[9],"max_priority_run":2,"queues":[
{"id":"t","name":"Tributos","series":"T","waiting":13,"open_counters":2,"estimate":{"from_minutes":20,"to_minutes":30}},
{"id":"c","name":"Catastro","series":"C","waiting":18,"open_counters":1,"estimate":{"from_minutes":45,"to_minutes":55}},
{"id":"n","name":"Negocios","series":"N","waiting":1,"open_counters":1,"estimate":{"from_minutes":0,"to_minutes":10}},
{"id":"m","name":"Movilidad","series":"M","waiting":7,"open_counters":0,"estimate":null},
{"id":"s","name":"Servicios","series":"S","waiting":2,"open_counters":1,"down":true,"estimate":null}]}"#;

fn call(seq: u64, number: &str, counter: u16) -> String {
    format!(r#"{{"seq":{seq},"at":"2026-11-24T15:41:58Z","number":"{number}","counter":{counter}}}"#)
}

/// The board `later` milliseconds after it heard its news.
fn picture(calls: &[String], announced: bool, later: i64) -> Picture {
    let now = "2026-11-24T15:42:00Z".parse().expect("a time");
    let mut board = Board::default();
    if announced {
        board.step(
            BoardInput::Call(serde_json::from_str(&calls[0]).expect("a call")),
            now,
        );
    }
    let news = NEWS.replace("CALLS", &calls.join(","));
    board.step(BoardInput::News(serde_json::from_str(&news).expect("news")), now);
    if announced {
        board.step(BoardInput::Spoken, now);
    }
    let then = now + jiff::SignedDuration::from_millis(later);
    let zone = TimeZone::get("America/Guayaquil").expect("a zone");
    Picture::of(&board, Language::Spanish, &zone, then, false)
}

#[test]
fn the_board_looks_as_designed() {
    let calls = [
        call(9, "T-018", 4),
        call(8, "C-041", 7),
        call(7, "N-009", 2),
        call(6, "T-017", 5),
    ];
    for (name, picture) in [
        ("board", picture(&calls, false, 0)),
        ("board-none", picture(&[], false, 0)),
        ("board-lost", picture(&calls, false, 11_000)),
        ("board-flash", picture(&calls, true, 100)),
        ("board-frame", picture(&calls, true, 4_000)),
    ] {
        let mut screen = BoardScreen::new(Size::LANDSCAPE, Language::Spanish).expect("a screen in memory");
        let pixels = screen.draw(&picture).to_vec();
        check_pixels(name, Size::LANDSCAPE, &pixels);
    }
}
