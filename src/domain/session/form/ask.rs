//! What one question looks like, for every way of answering it.

use super::super::browse::keyboard;
use super::super::draw::Draw;
use super::super::paging::pages_of;
use super::super::question::{Scale, Way};
use super::super::search_box::Typing;
use super::super::view::{
    self, Block, Button, Face, Item, KeyboardKind, Ranked, TextSize, Tone, View, Words,
};
use super::super::{Input, Session};
use super::answers::order;
use super::list::List;
use super::show::wrong_note;
use super::{FormRun, Step};
use crate::forms::{Question, QuestionId};

impl Session {
    pub(super) fn show_question(&self, run: &FormRun, id: QuestionId, draw: &mut Draw<'_>) -> View {
        let question = run.asked(id);
        let way = Way::of(&question);
        let mut view = draw.page(Face::Question, question.label.clone().into());
        if run.list.is_open() {
            self.show_search_in(run, &question, way, &mut view, draw);
            return view;
        }
        view.help.clone_from(&question.hint);
        for note in &run.over {
            view.blocks.push(Block::Text(note.clone()));
        }
        if way.keyboard().is_none()
            && let Some(wrong) = &run.typing.wrong
        {
            view.blocks.push(wrong_note(wrong));
        }
        match way {
            Way::One | Way::Several => self.show_choices(run, &question, way, &mut view, draw),
            Way::Confirm => {
                let item = draw.item("", draw.say("form-confirm"), String::new(), Input::Choose(0));
                view.blocks.push(Block::Choices {
                    several: true,
                    items: vec![Item {
                        chosen: !question.value.is_empty(),
                        ..item
                    }],
                    chosen_word: String::new(),
                });
            }
            Way::Order => show_order(&question, &mut view, draw),
            Way::Scale => show_scale(&question, &mut view, draw),
            Way::Sign => show_pad(run, &question, &mut view, draw),
            Way::Bring => show_bring(run, &question, &mut view, draw),
            Way::Read => {
                // What the form filled in.
                if question.readonly && !question.value.is_empty() {
                    view.blocks.push(Block::Heading(run.engine.answer(id).display));
                }
            }
            Way::Letters
            | Way::Code
            | Way::Email
            | Way::Digits { .. }
            | Way::Date
            | Way::Time
            | Way::Moment
            | Way::Money
            | Way::Number => self.show_field(way, &run.typing, &mut view, draw),
        }
        let mut alone = Vec::new();
        if way == Way::Sign {
            if run.drawn.contains_key(&id) {
                alone.push(draw.button("arrow-counter-clockwise", "form-sign-again", Input::Erase));
            }
            alone.push(draw.button("user", "form-sign-at-counter", Input::AtCounter));
        }
        if !question.required && !matches!(way, Way::Read | Way::Several | Way::Confirm | Way::Bring) {
            alone.push(draw.button("", "form-none", Input::NoAnswer));
        }
        if !question.guidance.is_empty() {
            alone.push(draw.button("question", "form-why", Input::Why));
        }
        if !alone.is_empty() {
            view.blocks.push(Block::Buttons(alone));
        }
        view.primary = Some(draw.button("arrow-right", "form-continue", Input::Continue));
        view
    }

    /// The field that is typed into, with its keys.
    fn show_field(&self, way: Way, typing: &Typing, view: &mut View, draw: &mut Draw<'_>) {
        let typed = typing.text();
        let counter = match way {
            Way::Digits { most, exact: true } => draw.fill(
                "form-digits",
                &[("n", &typed.len().to_string()), ("of", &most.to_string())],
            ),
            _ => String::new(),
        };
        let words = match way {
            Way::Date => Some(("form-date-help", "form-date-placeholder")),
            Way::Time => Some(("form-time-help", "form-time-placeholder")),
            Way::Moment => Some(("form-moment-help", "form-moment-placeholder")),
            _ => None,
        };
        if let (Some((help, _)), true) = (words, view.help.is_empty()) {
            view.help = draw.say(help);
        }
        view.blocks.push(Block::Field {
            label: String::new(),
            value: way.grouped(typed),
            placeholder: words
                .map(|(_, placeholder)| draw.say(placeholder))
                .unwrap_or_default(),
            counter,
            wrong: typing.wrong.is_some(),
        });
        if let Some(wrong) = &typing.wrong {
            view.blocks.push(wrong_note(wrong));
            if self.comfort.size != TextSize::Normal || self.is_low() {
                // What to do now is in the note; there is no room for both.
                view.help.clear();
            }
        }
        view.keyboard = way.keyboard().map(|kind| keyboard(kind, typing, draw));
        if let (Way::Code, Some(keys)) = (way, &mut view.keyboard) {
            // A plate has letters and digits and nothing else: both are at hand.
            keys.digits = true;
        }
    }

    fn show_choices(
        &self,
        run: &FormRun,
        question: &Question,
        way: Way,
        view: &mut View,
        draw: &mut Draw<'_>,
    ) {
        let several = way == Way::Several;
        if several && view.help.is_empty() {
            view.help = draw.say("form-several");
        }
        let long = List::is_long(question.choices.len());
        let found = run.list.found();
        if long {
            let query = run.list.query();
            let text = match found {
                None => draw.say("list-search"),
                Some(found) => draw.fill(
                    "list-searched",
                    &[("text", query), ("n", &found.len().to_string())],
                ),
            };
            let search = draw.item("magnifying-glass", text, String::new(), Input::OpenSearch);
            view.blocks.push(Block::SearchBox(search));
            if let Some([]) = found {
                view.blocks.push(nothing_found(query, draw));
            }
        }
        // What finds nothing hides nothing.
        let shown: Vec<usize> = match found.filter(|found| !found.is_empty()) {
            Some(found) => found.to_vec(),
            None => (0..question.choices.len()).collect(),
        };
        view.blocks.push(Block::Choices {
            several,
            items: items_of(question, &shown),
            chosen_word: draw.say("form-chosen"),
        });
    }

    /// The keyboard over a long list, with the first of what it finds.
    fn show_search_in(
        &self,
        run: &FormRun,
        question: &Question,
        way: Way,
        view: &mut View,
        draw: &mut Draw<'_>,
    ) {
        let fit = match (self.setup.landscape, self.comfort.size) {
            _ if self.is_low() => 1,
            (false, TextSize::Normal) => 3,
            (false, TextSize::Large) | (true, TextSize::Normal) => 2,
            (false, TextSize::Huge) | (true, TextSize::Large | TextSize::Huge) => 1,
        };
        let typing = run.list.typing();
        let found = run.list.found();
        view.blocks.push(Block::Field {
            label: String::new(),
            value: typing.text().to_owned(),
            placeholder: draw.say("list-placeholder"),
            counter: found
                .map(|found| draw.fill("search-found", &[("n", &found.len().to_string())]))
                .unwrap_or_default(),
            wrong: false,
        });
        match found {
            None => {}
            Some([]) => view.blocks.push(nothing_found(run.list.query(), draw)),
            Some(found) => {
                let shown: Vec<usize> = found.iter().copied().take(fit).collect();
                let mut items = items_of(question, &shown);
                for (item, at) in items.iter_mut().zip(&shown) {
                    item.action = draw.on(Input::Choose(*at));
                }
                view.blocks.push(Block::Choices {
                    several: way == Way::Several,
                    items,
                    chosen_word: String::new(),
                });
            }
        }
        view.keyboard = Some(keyboard(KeyboardKind::Text, typing, draw));
        view.primary = Some(draw.button("list", "list-show", Input::Continue));
    }

    /// Keeps as many choices as fit beside everything else, and a way to the others.
    pub(super) fn fit_question(&self, run: &FormRun, mut view: View, draw: &mut Draw<'_>) -> View {
        if view.keyboard.is_some() {
            // What is typed has its field and its keys in sight.
            return self.read_then_type(view, draw);
        }
        let choices = view
            .blocks
            .iter()
            .position(|block| matches!(block, Block::Choices { .. }));
        let (Some(at), Step::Question(id)) = (choices, &run.step) else {
            // What is read, ranked or drawn pages.
            return self.sheets(view, false, draw);
        };
        let Block::Choices {
            several,
            items,
            chosen_word,
        } = view.blocks.remove(at)
        else {
            return view;
        };
        if run.asked(*id).choices.is_empty() {
            view.blocks.insert(
                at,
                Block::Choices {
                    several,
                    items,
                    chosen_word,
                },
            );
            return self.sheets(view, false, draw);
        }
        let one = |item| Block::Choices {
            several,
            items: vec![item],
            chosen_word: String::new(),
        };
        let starts = pages_of(&view, self.setup.landscape, &items, one);
        let pages = starts.len();
        let page_with = |at: usize| starts.iter().rposition(|start| *start <= at).unwrap_or(0);
        let chosen = items.iter().position(|item| item.chosen).unwrap_or(0);
        let page = run.choice_page.unwrap_or(page_with(chosen)).min(pages - 1);
        let (from, to) = (starts[page], starts.get(page + 1).copied().unwrap_or(items.len()));
        let places: Vec<usize> = match run.list.found().filter(|found| !found.is_empty()) {
            Some(found) => found.to_vec(),
            None => (0..items.len()).collect(),
        };
        let shown = items
            .into_iter()
            .zip(places)
            .skip(from)
            .take(to - from)
            .map(|(item, place)| Item {
                action: draw.on(Input::Choose(place)),
                ..item
            })
            .collect();
        if pages > 1 {
            view.blocks.insert(at, choice_pager(page, pages, draw));
        }
        view.blocks.insert(
            at,
            Block::Choices {
                several,
                items: shown,
                chosen_word,
            },
        );
        view
    }
}

/// Choices without their touches: of thousands only those on the page get one.
fn items_of(question: &Question, shown: &[usize]) -> Vec<Item> {
    let chosen: Vec<&str> = question.value.split_whitespace().collect();
    shown
        .iter()
        .filter_map(|at| question.choices.get(*at))
        .map(|choice| Item {
            words: choice.label.clone().into(),
            chosen: chosen.contains(&choice.name.as_str()),
            ..Item::default()
        })
        .collect()
}

fn choice_pager(page: usize, pages: usize, draw: &mut Draw<'_>) -> Block {
    let before = Button {
        icon: "caret-up",
        words: draw.words("pager-before"),
        action: page.checked_sub(1).and_then(|page| draw.on(Input::ToPage(page))),
    };
    let after = Button {
        icon: "caret-down",
        words: draw.words("pager-after"),
        action: Some(page + 1)
            .filter(|page| *page < pages)
            .and_then(|page| draw.on(Input::ToPage(page))),
    };
    let place = draw.fill(
        "pager-place",
        &[("n", &(page + 1).to_string()), ("of", &pages.to_string())],
    );
    Block::Pager { before, place, after }
}

fn nothing_found(query: &str, draw: &Draw<'_>) -> Block {
    Block::Note {
        tone: Tone::Info,
        icon: "info",
        title: draw.fill("search-none-title", &[("text", query)]),
        text: draw.say("list-none-text"),
    }
}

fn show_order(question: &Question, view: &mut View, draw: &mut Draw<'_>) {
    if view.help.is_empty() {
        // Larger letters need the room for the list.
        view.help = draw.say(if view.size == TextSize::Normal {
            "form-order"
        } else {
            "form-order-short"
        });
    }
    let order = order(question);
    let last = order.len().saturating_sub(1);
    let ranked = order
        .iter()
        .enumerate()
        .map(|(at, name)| Ranked {
            place: (at + 1).to_string(),
            words: question
                .choices
                .iter()
                .find(|choice| choice.name == *name)
                .map(|choice| choice.label.clone())
                .unwrap_or_default(),
            up: (at > 0).then(|| draw.on(Input::Up(at))).flatten(),
            down: (at < last).then(|| draw.on(Input::Down(at))).flatten(),
            up_word: draw.say("form-up"),
            down_word: draw.say("form-down"),
        })
        .collect();
    view.blocks.push(Block::Ranking(ranked));
}

fn show_scale(question: &Question, view: &mut View, draw: &mut Draw<'_>) {
    let scale = Scale::of(question);
    let at = scale.place(&question.value);
    if view.help.is_empty() {
        view.help = draw.fill(
            "form-scale",
            &[("from", &scale.shown(0)), ("to", &scale.shown(scale.last()))],
        );
    }
    // Whoever has chosen nothing yet begins at the start.
    let less = at.and_then(|at| at.checked_sub(1));
    let more = match at {
        None => Some(0),
        Some(at) => Some(at + 1).filter(|more| *more <= scale.last()),
    };
    let mut step = |icon, key: &str, to: Option<usize>| Button {
        icon,
        words: draw.words(key),
        action: to.and_then(|to| draw.on(Input::Scale(to))),
    };
    let less = step("minus", "form-less", less);
    let more = step("plus", "form-more", more);
    let stops = scale
        .stops()
        .into_iter()
        .map(|stop| Item {
            words: Words::from(scale.shown(stop)),
            chosen: at.is_some_and(|at| at >= stop),
            action: draw.on(Input::Scale(stop)),
            ..Item::default()
        })
        .collect();
    view.blocks.push(Block::Scale(view::Scale {
        value: at.map_or_else(|| "–".to_owned(), |at| scale.shown(at)),
        less,
        more,
        stops,
    }));
}

fn show_pad(run: &FormRun, question: &Question, view: &mut View, draw: &mut Draw<'_>) {
    if view.help.is_empty() {
        view.help = draw.say("form-sign");
    }
    let sketch = run.drawn.get(&question.id);
    if run.at_counter.contains(&question.id) {
        view.blocks.push(Block::Note {
            tone: Tone::Good,
            icon: "check-circle",
            title: draw.say("form-sign-later"),
            text: draw.say("form-bring-noted"),
        });
    }
    view.blocks.push(Block::Sketch {
        label: draw.say("form-pad"),
        value: draw.say(if sketch.is_some() {
            "form-signed"
        } else {
            "form-unsigned"
        }),
        path: sketch.map(|sketch| sketch.path()).unwrap_or_default(),
        here: draw.say("form-pad-here"),
    });
}

fn show_bring(run: &FormRun, question: &Question, view: &mut View, draw: &mut Draw<'_>) {
    if view.help.is_empty() {
        view.help = draw.say("form-bring");
    }
    let bring = draw.item(
        "user",
        draw.say("form-bring-yes"),
        draw.say("form-bring-noted"),
        Input::AtCounter,
    );
    let mut items = vec![Item {
        chosen: run.at_counter.contains(&question.id),
        ..bring
    }];
    if !question.required {
        items.push(draw.item("", draw.say("form-bring-no"), String::new(), Input::NoAnswer));
    }
    view.blocks.push(Block::Choices {
        several: false,
        items,
        chosen_word: draw.say("form-chosen"),
    });
}
