//! What the board of our own image shows, in words: the same as the web board says.

use jiff::{Timestamp, tz::TimeZone};

use crate::domain::board::{Board, BoardQueue, Emphasis};
use crate::i18n::{self, Language};

/// Nobody plans by the minute beyond two hours.
const LONG_MINUTES: u32 = 120;

/// The whole board.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Picture {
    /// Name of the office.
    pub office: String,
    /// The waiting room.
    pub room: String,
    /// `Martes 24`.
    pub day: String,
    /// `10:42`.
    pub time: String,
    /// Number and counter of the newest calls, newest first, at most four.
    pub calls: Vec<(String, String)>,
    /// The queues.
    pub queues: Vec<QueueLine>,
    /// The fairness rule with the office's K.
    pub rule: String,
    /// Whether the office is silent.
    pub lost: bool,
    /// How the newest call stands out.
    pub emphasis: Emphasis,
}

/// One queue.
#[derive(Clone, PartialEq, Debug)]
pub struct QueueLine {
    /// Its letter.
    pub series: String,
    /// Its name.
    pub name: String,
    /// Who waits, or why nobody is called.
    pub people: String,
    /// How long a newcomer waits.
    pub minutes: String,
}

impl Picture {
    /// The board at `now`, by the clock of this machine; `still` leaves the flashing out.
    pub fn of(board: &Board, language: Language, zone: &TimeZone, now: Timestamp, still: bool) -> Self {
        let there = zone.to_datetime(board.time(now));
        let day = i18n::say(
            language,
            &format!("board-day-{}", there.weekday().to_monday_one_offset()),
        );
        let mut picture = Self {
            day: format!("{day} {}", there.day()),
            time: there.strftime("%H:%M").to_string(),
            lost: board.is_lost(now),
            emphasis: board.emphasis(now, still),
            calls: board
                .calls()
                .iter()
                .map(|call| (call.number.clone(), call.counter.0.to_string()))
                .collect(),
            ..Self::default()
        };
        if let Some(news) = board.news() {
            picture.office.clone_from(&news.office);
            picture.room.clone_from(&news.room);
            picture.rule = i18n::fill(
                language,
                "office-rule-wall",
                &[("k", &news.max_priority_run.to_string())],
            );
            picture.queues = news.queues.iter().map(|queue| line(queue, language)).collect();
        }
        picture
    }
}

fn line(queue: &BoardQueue, language: Language) -> QueueLine {
    let say = |key| i18n::say(language, key);
    let fill = |key, name, value: u32| i18n::fill(language, key, &[(name, &value.to_string())]);
    let minutes = match queue.estimate {
        Some(range) if !queue.down => match (range.from_minutes, range.to_minutes) {
            (LONG_MINUTES.., _) => fill("office-board-over", "from", LONG_MINUTES),
            (0, to) => fill("office-board-upto", "to", to),
            (from, to) => fill("office-board-range", "from", from).replace("{to}", &to.to_string()),
        },
        Some(_) | None => say("office-board-later"),
    };
    let people = if queue.down {
        say("board-down")
    } else if queue.open_counters == 0 {
        say("office-board-closed")
    } else if queue.waiting == 1 {
        say("office-board-person")
    } else {
        say("office-board-people").replace("{n}", &queue.waiting.to_string())
    };
    QueueLine {
        series: queue.series.to_string(),
        name: queue.name.clone(),
        people,
        minutes,
    }
}
