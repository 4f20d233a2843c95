//! A turn without a form: which queue, which lane, and what is said where a queue gives none.

use jiff::{Timestamp, Unit};

use super::browse::{Place, pager};
use super::draw::Draw;
use super::finish::Answer;
use super::search_box::{Accepts, Typing};
use super::view::{Block, Face, Item, Progress, TextSize, Tone, View};
use super::{Effect, Input, NoTurn, QueueLook, Session, Shut, State, TurnWish};
use crate::domain::id::{Moment, uuid_v7};
use crate::domain::procedure::{KioskMode, Procedure};
use crate::domain::ticket::Lane;

/// The queue of a procedure that is done at a counter.
pub(super) fn turn_queue(procedure: &Procedure) -> Option<String> {
    let counter =
        procedure.needs_turn || matches!(procedure.kiosk_mode, KioskMode::Turn | KioskMode::InfoTurn);
    counter.then(|| procedure.queue.as_str().to_owned())
}

/// Days ahead that are told by the name of the weekday alone.
const NAMED_DAYS: i64 = 6;

impl Session {
    fn queue(&self, id: &str) -> Option<&QueueLook> {
        self.around.queues.iter().find(|look| look.id == id)
    }

    /// «Tributos».
    pub(super) fn queue_name(&self, id: &str) -> String {
        self.queue(id).map_or(id, |look| &look.name).to_owned()
    }

    /// Why a queue gives no tickets; without the office nobody knows, and held numbers serve.
    pub(super) fn shut(&self, id: &str) -> Option<Shut> {
        self.queue(id)?.shut.filter(|_| !self.around.offline)
    }

    /// What staff say about the system behind a queue while it is down.
    pub(super) fn outage(&self, id: &str) -> Option<&str> {
        self.queue(id)?.down.as_deref().filter(|_| !self.around.offline)
    }

    /// Why there is no turn and what to do, in a sentence or two.
    pub(super) fn shut_words(&self, shut: Shut, draw: &Draw<'_>) -> String {
        match shut {
            Shut::Closed { opens: Some(opens) } => {
                draw.fill("queue-closed-text", &[("when", &self.when(opens, draw))])
            }
            Shut::Closed { opens: None } => draw.say("queue-closed-unknown"),
            Shut::Full => draw.say("queue-full-text"),
            Shut::TooLate => draw.say("queue-late-text"),
            Shut::Stopped => draw.say("queue-stopped-text"),
        }
    }

    /// The same in the few words that stand on a control.
    pub(super) fn shut_short(&self, shut: Shut, draw: &Draw<'_>) -> String {
        match shut {
            Shut::Closed { opens: Some(opens) } => {
                draw.fill("queue-closed-short", &[("when", &self.when(opens, draw))])
            }
            Shut::Closed { opens: None } => draw.say("queue-closed-now"),
            Shut::Full => draw.say("queue-full-short"),
            Shut::TooLate => draw.say("queue-late-short"),
            Shut::Stopped => draw.say("queue-stopped-short"),
        }
    }

    /// What staff say of an outage, then what can be done all the same.
    pub(super) fn outage_words(&self, said: &str, still: &str, draw: &Draw<'_>) -> String {
        let said = said.trim();
        match said.chars().last() {
            None => draw.say(still),
            Some('.' | '!' | '?') => format!("{said} {}", draw.say(still)),
            Some(_) => format!("{said}. {}", draw.say(still)),
        }
    }

    /// «hoy a las 13:00», «mañana a las 08:00», «el lunes a las 08:00».
    fn when(&self, at: Timestamp, draw: &Draw<'_>) -> String {
        let zone = &self.setup.zone;
        let (then, now) = (
            at.to_zoned_datetime(zone.clone()),
            draw.now().to_zoned_datetime(zone.clone()),
        );
        let time = then.strftime("%H:%M").to_string();
        let days = now
            .date()
            .until((Unit::Day, then.date()))
            .map_or(0, |span| i64::from(span.get_days()));
        match days {
            ..=0 => draw.fill("when-today", &[("time", &time)]),
            1 => draw.fill("when-tomorrow", &[("time", &time)]),
            2..=NAMED_DAYS => {
                let day =
                    draw.say(WEEKDAYS[usize::from(then.weekday().to_monday_zero_offset().unsigned_abs())]);
                draw.fill("when-weekday", &[("day", &day), ("time", &time)])
            }
            _ => {
                let date = then.strftime("%d/%m").to_string();
                draw.fill("when-date", &[("date", &date), ("time", &time)])
            }
        }
    }

    pub(super) fn take_turn(&mut self, queue: Option<String>) {
        self.state = match queue {
            _ if self.around.storage_full => State::Answer(Box::new(Answer::storage_full())),
            Some(queue) => match self.shut(&queue) {
                Some(shut) => State::Answer(Box::new(Answer::NoTurn {
                    queue,
                    why: NoTurn::Shut(shut),
                })),
                None => State::TurnLane { queue },
            },
            None => State::TurnQueue { page: 0 },
        };
    }

    pub(super) fn step_turn(&mut self, input: Input, moment: Moment) -> Vec<Effect> {
        match (&mut self.state, input) {
            (State::TurnQueue { .. }, Input::Queue(queue)) => self.take_turn(Some(queue)),
            (State::TurnQueue { .. }, Input::Missed) => {
                self.state = State::Missed(Typing::new("", Accepts::Code, super::missed::LONGEST));
            }
            (State::TurnQueue { page }, Input::Page(by)) => {
                *page = page.saturating_add_signed(isize::try_from(by).unwrap_or(0));
            }
            (State::TurnLane { queue }, Input::Lane(lane)) => {
                let wish = TurnWish {
                    request: uuid_v7(moment),
                    queue: queue.clone(),
                    lane,
                    language: self.comfort.language,
                };
                self.state = State::Saving(None);
                return vec![Effect::IssueTurn(wish)];
            }
            (State::TurnLane { .. }, Input::Back)
                if !matches!(self.trail.last(), Some(Place::Procedure(_))) =>
            {
                self.state = State::TurnQueue { page: 0 };
            }
            (_, Input::Back | Input::Home) => self.state = State::Browsing,
            (_, _) => {}
        }
        Vec::new()
    }

    pub(super) fn show_turn_queue(&self, page: usize, draw: &mut Draw<'_>) -> View {
        let title = draw.words("turn-title");
        let mut view = draw.page(Face::TurnQueue, title);
        view.help = draw.say("turn-help");
        let queues = &self.around.queues;
        let fit = self.rows_that_fit();
        let pages = queues.len().div_ceil(fit).max(1);
        let page = page.min(pages - 1);
        let items = queues
            .iter()
            .skip(page * fit)
            .take(fit)
            .map(|queue| self.queue_row(queue, draw))
            .collect();
        view.blocks = vec![Block::Rows(items)];
        if pages > 1 {
            view.blocks.push(pager(page, pages, draw));
        }
        if queues.is_empty() {
            view.blocks = vec![Block::Note {
                tone: Tone::Warn,
                icon: "warning",
                title: draw.say("turn-refused-title"),
                text: draw.say("turn-refused-text"),
            }];
        } else if queues.iter().all(|queue| self.shut(&queue.id).is_some()) {
            view.blocks.push(Block::Note {
                tone: Tone::Info,
                icon: "info",
                title: String::new(),
                text: draw.say("queue-shut-all"),
            });
        }
        if !self.around.offline {
            view.secondary = Some(draw.button("arrow-counter-clockwise", "turn-missed", Input::Missed));
        }
        view.bottom = draw.bottom_back();
        view
    }

    fn queue_row(&self, queue: &QueueLook, draw: &mut Draw<'_>) -> Item {
        if let Some(shut) = self.shut(&queue.id) {
            return Item {
                icon: "ticket",
                words: queue.name.clone().into(),
                note: self.shut_short(shut, draw),
                ..Item::default()
            };
        }
        let note = if self.outage(&queue.id).is_some() {
            draw.say("queue-down-short")
        } else {
            draw.wait(queue.open, queue.wait)
        };
        draw.item("ticket", queue.name.clone(), note, Input::Queue(queue.id.clone()))
    }

    /// Priority or general; inside a form it carries the form's progress.
    pub(super) fn show_lane(&self, queue: &str, progress: Option<Progress>, draw: &mut Draw<'_>) -> View {
        let look = self.queue(queue);
        let name = self.queue_name(queue);
        let title = draw.words("lane-title");
        let mut view = draw.page(Face::TurnLane, title);
        view.progress = Some(progress.unwrap_or_else(|| Progress {
            name: draw.fill("turn-for", &[("queue", &name)]),
            place: draw.fill("form-place", &[("n", "2"), ("of", "2")]),
            done: 1,
            of: 2,
        }));
        view.help = draw.say("lane-help");
        let group = |icon, key: &str| Item {
            icon,
            words: draw.words(key),
            ..Item::default()
        };
        let groups = vec![
            group("hand-heart", "lane-elder"),
            group("heartbeat", "lane-illness"),
            group("person-simple", "lane-pregnant"),
            group("baby", "lane-children"),
            group("wheelchair", "lane-disability"),
            group("shield-check", "lane-violence"),
        ];
        view.blocks = vec![Block::Panel {
            title: draw.say("lane-for"),
            lines: groups,
            columns: true,
            button: None,
        }];
        let note = match look.and_then(|look| look.open) {
            Some(false) => draw.say("turn-no-counter"),
            _ => match look.and_then(|look| look.waiting) {
                Some(0) => draw.say("turn-waiting-none"),
                Some(1) => draw.say("turn-waiting-one"),
                Some(n) => draw.fill("turn-waiting", &[("n", &n.to_string())]),
                None => draw.say("turn-wait-unknown"),
            },
        };
        view.blocks.push(Block::BigChoices(vec![
            draw.item(
                "users-three",
                draw.say("lane-yes"),
                note.clone(),
                Input::Lane(Lane::Priority),
            ),
            draw.item("user", draw.say("lane-no"), note, Input::Lane(Lane::General)),
        ]));
        if let Some(said) = self.outage(queue) {
            // It takes the place of the rule: the citizen decides now whether to wait at all.
            // Wide and low it stands before everything, so that both answers stay together.
            let at = if self.setup.landscape {
                0
            } else {
                view.blocks.len()
            };
            let note = Block::Note {
                tone: Tone::Warn,
                icon: "warning",
                title: draw.say("queue-down-title"),
                text: self.outage_words(said, "queue-down-turn", draw),
            };
            view.blocks.insert(at, note);
        } else if self.comfort.size != TextSize::Huge && !self.setup.landscape {
            // A wide screen has no room for it beside both answers; the wall and the board say it too.
            let k = self.around.priority_run.max(1);
            view.blocks.push(Block::Note {
                tone: Tone::Info,
                icon: "scales",
                title: draw.say("lane-rule"),
                text: if k == 1 {
                    draw.say("lane-rule-text-one")
                } else {
                    draw.fill("lane-rule-text", &[("k", &k.to_string())])
                },
            });
        }
        view.bottom = draw.bottom_back();
        view
    }

    /// There is no turn: why, and what to do.
    pub(super) fn show_no_turn(&self, queue: &str, why: NoTurn, draw: &mut Draw<'_>) -> View {
        let (title, text) = match why {
            NoTurn::NoNumber => (draw.say("turn-refused-title"), draw.say("turn-refused-text")),
            NoTurn::Shut(shut) => {
                // The office's last word on its hours is newer than its refusal is precise.
                let known = self.shut(queue).unwrap_or(shut);
                (
                    draw.fill("queue-shut-title", &[("queue", &self.queue_name(queue))]),
                    self.shut_words(known, draw),
                )
            }
        };
        let mut view = draw.page(Face::Answer, title.into());
        view.blocks = vec![Block::Note {
            tone: Tone::Warn,
            icon: "ticket",
            title: String::new(),
            text,
        }];
        view
    }
}

const WEEKDAYS: [&str; 7] = [
    "weekday-1",
    "weekday-2",
    "weekday-3",
    "weekday-4",
    "weekday-5",
    "weekday-6",
    "weekday-7",
];
