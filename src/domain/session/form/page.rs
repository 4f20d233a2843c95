//! Pages of several questions, and the copies of a repeat as cards.

use super::super::draw::Draw;
use super::super::question::Way;
use super::super::view::{Block, Button, Card, Face, Fact, Item, TextSize, View};
use super::super::{Input, Session};
use super::FormRun;
use super::course::Part;
use crate::domain::redacted::mask_id;
use crate::forms::{CopyOf, Question, QuestionId, Stop};

/// A question with as few choices is answered on the page itself.
const FEW: usize = 4;
/// A card says as many answers of its copy in usual letters.
const LINES: usize = 3;

impl Session {
    /// Several questions on one page: what is read, what is chosen in place, and rows that open a question.
    pub(super) fn show_several(&self, run: &FormRun, path: &str, draw: &mut Draw<'_>) -> View {
        let parts = run.on_page(path);
        let questions: Vec<(Part, Question)> = parts
            .into_iter()
            .map(|part| {
                let (Part::Asks(id) | Part::Says(id)) = part;
                (part, run.engine.question(id))
            })
            .collect();
        let title = questions
            .iter()
            .find_map(|(_, question)| question.group_label.clone());
        let mut view = draw.page(
            Face::Question,
            title.map_or_else(|| draw.words("form-several-questions"), Into::into),
        );
        for (part, question) in &questions {
            match part {
                Part::Says(_) => view.blocks.push(Block::Text(question.label.clone())),
                Part::Asks(id) => self.show_part(run, *id, question, &mut view, draw),
            }
        }
        view.primary = Some(draw.button("arrow-right", "form-continue", Input::Continue));
        view
    }

    fn show_part(
        &self,
        run: &FormRun,
        id: QuestionId,
        question: &Question,
        view: &mut View,
        draw: &mut Draw<'_>,
    ) {
        let way = Way::of(question);
        let in_place = match way {
            Way::Confirm => true,
            Way::One | Way::Several => question.choices.len() <= FEW,
            _ => false,
        };
        if way == Way::Read {
            view.blocks.push(Block::Heading(question.label.clone()));
            view.blocks.push(Block::Text(run.engine.answer(id).display));
            return;
        }
        if !in_place {
            let row = Fact {
                icon: "pencil-simple",
                label: question.label.clone(),
                value: self.shown_answer(run, id, draw),
                change: draw.on(Input::Ask(id.index())),
            };
            match view.blocks.last_mut() {
                Some(Block::Review { rows, .. }) => rows.push(row),
                _ => view.blocks.push(Block::Review {
                    rows: vec![row],
                    change_word: draw.say("form-answer"),
                }),
            }
            return;
        }
        view.blocks.push(Block::Heading(question.label.clone()));
        let chosen: Vec<&str> = question.value.split_whitespace().collect();
        let items = match way {
            Way::Confirm => vec![Item {
                chosen: !question.value.is_empty(),
                ..draw.item(
                    "",
                    draw.say("form-confirm"),
                    String::new(),
                    Input::Pick(id.index(), 0),
                )
            }],
            _ => question
                .choices
                .iter()
                .enumerate()
                .map(|(at, choice)| Item {
                    words: choice.label.clone().into(),
                    chosen: chosen.contains(&choice.name.as_str()),
                    action: draw.on(Input::Pick(id.index(), at)),
                    ..Item::default()
                })
                .collect(),
        };
        view.blocks.push(Block::Choices {
            several: way != Way::One,
            items,
            chosen_word: draw.say("form-chosen"),
        });
    }

    /// An answer as the review shows it, or that there is none yet.
    fn shown_answer(&self, run: &FormRun, id: QuestionId, draw: &Draw<'_>) -> String {
        run.rows(self.language())
            .into_iter()
            .find(|(other, _)| *other == id)
            .map(|(_, row)| {
                let value = row.value.reveal();
                if row.masked { mask_id(value) } else { value.clone() }
            })
            .filter(|value| !value.is_empty())
            .unwrap_or_else(|| draw.say("form-unanswered"))
    }

    /// The copies of a repeat, one card each.
    pub(super) fn show_cards(&self, run: &FormRun, path: &str, draw: &mut Draw<'_>) -> View {
        let course = run.engine.course();
        let repeat = course.iter().find_map(|stop| match stop {
            Stop::Repeat { repeat, .. } if repeat.path == path => Some(repeat.clone()),
            Stop::Repeat { .. } | Stop::Question { .. } => None,
        });
        let (label, copies) = repeat.map_or_else(|| (String::new(), 0), |one| (one.label, one.copies));
        let title = if label.is_empty() {
            draw.words("cards-title")
        } else {
            label.into()
        };
        let mut view = draw.page(Face::Question, title);
        view.help = match copies {
            0 => draw.say("cards-none"),
            1 => draw.say("cards-one"),
            n => draw.fill("cards-count", &[("n", &n.to_string())]),
        };
        let rows = run.rows(self.language());
        // Larger letters and reach leave room for the one that tells most.
        let most = match (self.comfort.size, self.is_low()) {
            (TextSize::Normal, false) => LINES,
            (TextSize::Normal, true) | (TextSize::Large, _) => 1,
            (TextSize::Huge, _) => usize::from(!self.is_low() && !self.setup.landscape),
        };
        let cards = (1..=copies)
            .map(|number| {
                let wanted = CopyOf {
                    repeat: path.to_owned(),
                    number,
                };
                let lines: Vec<Fact> = rows
                    .iter()
                    .filter(|(id, _)| {
                        course.iter().any(|stop| {
                            matches!(stop, Stop::Question { id: other, copy: Some(copy), .. }
                                if other == id && *copy == wanted)
                        })
                    })
                    .take(most)
                    .map(|(_, row)| {
                        let value = row.value.reveal();
                        Fact {
                            icon: "",
                            label: row.label.clone(),
                            value: if row.masked { mask_id(value) } else { value.clone() },
                            change: None,
                        }
                    })
                    .collect();
                card(
                    number,
                    lines,
                    run.removing == Some(number),
                    self.comfort.size,
                    draw,
                )
            })
            .collect();
        view.blocks.push(Block::Cards(cards));
        let add = draw.button(
            "plus",
            if copies == 0 { "cards-first" } else { "cards-add" },
            Input::AddCopy,
        );
        view.blocks.push(Block::Buttons(vec![add]));
        view.primary = Some(draw.button("arrow-right", "form-continue", Input::Continue));
        view
    }
}

fn card(number: usize, lines: Vec<Fact>, removing: bool, size: TextSize, draw: &mut Draw<'_>) -> Card {
    let n = number.to_string();
    let place = draw.fill("cards-place", &[("n", &n)]);
    let words = |button: Button, place: &str| Button {
        // The number tells the buttons of one card from those of another, for whoever only listens.
        words: format!("{} {place}", button.words.text).into(),
        ..button
    };
    if removing {
        return Card {
            title: draw.fill(
                if size == TextSize::Normal {
                    "cards-remove-ask"
                } else {
                    "cards-remove-short"
                },
                &[("n", &n)],
            ),
            lines,
            change: draw.button("arrow-left", "cards-keep", Input::RemoveCopy(0)),
            remove: draw.button("x", "cards-remove-yes", Input::RemoveNow),
        };
    }
    let change = draw.button("pencil-simple", "review-change", Input::OpenCopy(number));
    let remove = draw.button("x", "cards-remove", Input::RemoveCopy(number));
    Card {
        title: place.clone(),
        lines,
        change: words(change, &n),
        remove: words(remove, &n),
    }
}
