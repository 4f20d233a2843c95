//! From a block of the `View` to the row of the Slint model that shows it.
//!
//! Begin at [`one`]. Columns and places of notes follow from how many letters there are at which size.

use std::rc::Rc;

use slint::{Image, ModelRc, Rgb8Pixel, SharedPixelBuffer, VecModel};
use ventanilla_ui as ui;

use crate::domain::session::pad_width;
use crate::domain::session::view::{
    Block, Button, Card, DatePart, Face, Fact, Item, Ranked, TextSize, Tone, View, Words,
};

/// `narrow` is the left column of a landscape frame.
pub(super) fn one(block: &Block, view: &View, landscape: bool, narrow: bool) -> ui::Block {
    let face = view.face;
    let lead = matches!(
        face,
        Face::Attract | Face::Success | Face::Turn | Face::Help | Face::Answer
    );
    match block {
        // Taken out by `compose`.
        Block::Drawing => ui::Block::default(),
        Block::Display(text) => kind(ui::Kind::Display, &balanced(text)),
        Block::Heading(text) => ui::Block {
            lead: face == Face::Attract,
            inline: face == Face::Home,
            ..kind(ui::Kind::Heading, text)
        },
        Block::Text(text) => ui::Block {
            lead,
            ..kind(ui::Kind::Text, text)
        },
        Block::Promises(items) => listed(ui::Kind::Promises, items),
        Block::Languages(items) => {
            let mut made: Vec<ui::Item> = items.iter().map(item).collect();
            if let Some(first) = made.first_mut() {
                first.look = ui::Look::Primary;
            }
            ui::Block {
                items: model(made),
                ..kind(ui::Kind::Languages, "")
            }
        }
        Block::SearchBox(search) => ui::Block {
            button: item(search),
            has_button: true,
            ..kind(ui::Kind::Search, "")
        },
        Block::Tiles(items) => grid(ui::Kind::Tiles, items, tile_columns(items, view.size, landscape)),
        Block::Rows(items) => {
            let two = landscape && face == Face::Home && view.size == TextSize::Normal;
            grid(
                ui::Kind::Rows,
                &roomy(items, landscape, narrow),
                if two { 2 } else { 1 },
            )
        }
        Block::Facts(facts) => ui::Block {
            items: model(facts.iter().map(fact).collect()),
            ..kind(ui::Kind::Facts, "")
        },
        Block::Checklist(items) => listed(ui::Kind::Checklist, items),
        Block::Note {
            tone,
            icon,
            title,
            text,
        } => ui::Block {
            icon: note_icon(icon, *tone).into(),
            title: title.as_str().into(),
            tone: match tone {
                Tone::Info => ui::Tone::Info,
                Tone::Good => ui::Tone::Good,
                Tone::Warn => ui::Tone::Warn,
                Tone::Bad => ui::Tone::Bad,
            },
            inline: !title.is_empty()
                && (*tone == Tone::Info || (*tone != Tone::Bad && title.ends_with('.'))),
            ..kind(ui::Kind::Note, text)
        },
        Block::Choices {
            several,
            items,
            chosen_word,
        } => ui::Block {
            several: *several,
            note: chosen_word.as_str().into(),
            ..listed(ui::Kind::Choices, items)
        },
        Block::BigChoices(items) => ui::Block {
            items: model(items.iter().map(big).collect()),
            ..kind(ui::Kind::BigChoices, "")
        },
        Block::Field {
            label,
            value,
            placeholder,
            counter,
            wrong,
        } => ui::Block {
            title: label.as_str().into(),
            note: placeholder.as_str().into(),
            icon: counter.as_str().into(),
            wrong: *wrong,
            ..kind(ui::Kind::Field, value)
        },
        Block::Date(parts) => ui::Block {
            items: model(parts.iter().map(date).collect()),
            ..kind(ui::Kind::Date, "")
        },
        Block::Ranking(ranked) => ui::Block {
            items: model(ranked.iter().map(place).collect()),
            ..kind(ui::Kind::Ranking, "")
        },
        Block::Scale(scale) => ui::Block {
            items: model(scale.stops.iter().map(item).collect()),
            rows: rows(&[button(&scale.less), button(&scale.more)], 2),
            ..kind(ui::Kind::Scale, &scale.value)
        },
        Block::Sketch {
            label,
            value,
            path,
            here,
        } => ui::Block {
            title: label.as_str().into(),
            note: value.as_str().into(),
            icon: here.as_str().into(),
            // So wide at the most.
            left: pad_width(view, landscape) as i32,
            ..kind(ui::Kind::Sketch, path)
        },
        Block::Cards(cards) => ui::Block {
            cards: model(cards.iter().map(card).collect()),
            ..kind(ui::Kind::Cards, "")
        },
        Block::Review {
            rows: answers,
            change_word,
        } => {
            let columns = if landscape && view.size == TextSize::Normal {
                2
            } else {
                1
            };
            let made: Vec<ui::Item> = answers.iter().map(fact).collect();
            ui::Block {
                note: change_word.as_str().into(),
                columns,
                rows: rows(&made, if columns == 2 { 2 } else { 1 }),
                ..kind(ui::Kind::Review, "")
            }
        }
        Block::Panel {
            title,
            lines,
            columns,
            button: more,
        } => {
            let made: Vec<ui::Item> = lines.iter().map(item).collect();
            ui::Block {
                title: title.as_str().into(),
                columns: if *columns { 2 } else { 1 },
                rows: rows(&made, 2),
                items: model(made),
                button: more.as_ref().map(button).unwrap_or_default(),
                has_button: more.is_some(),
                ..kind(ui::Kind::Panel, "")
            }
        }
        Block::Number { label, number, facts } => ui::Block {
            title: label.as_str().into(),
            items: model(facts.iter().map(fact).collect()),
            ..kind(ui::Kind::Number, number)
        },
        Block::Code {
            label,
            code,
            text,
            qr,
        } => {
            let picture = qr_picture(qr);
            ui::Block {
                title: label.as_str().into(),
                note: text.as_str().into(),
                // Words beside a QR are not spelt out like a code.
                inline: code.contains(' '),
                has_qr: picture.is_some(),
                qr: picture.unwrap_or_default(),
                ..kind(ui::Kind::Code, code)
            }
        }
        Block::Countdown { left, of, word } => ui::Block {
            left: whole(*left),
            of: whole(*of),
            ..kind(ui::Kind::Countdown, word)
        },
        Block::Setting { icon, label, options } => {
            let samples = matches!(*icon, "text-aa" | "circle-half");
            let made = options
                .iter()
                .enumerate()
                .map(|(at, option)| {
                    let mut made = item(option);
                    if samples && option.icon.is_empty() {
                        made.icon = (*icon).into();
                        made.sample = i32::try_from(at).unwrap_or(0).min(2) + 1;
                    }
                    made
                })
                .collect();
            ui::Block {
                icon: (*icon).into(),
                title: label.as_str().into(),
                items: model(made),
                ..kind(ui::Kind::Setting, "")
            }
        }
        Block::Pager { before, place, after } => ui::Block {
            items: model(vec![button(before), button(after)]),
            ..kind(ui::Kind::Pager, place)
        },
        Block::Buttons(buttons) => {
            let stacked = (face == Face::Idle && !landscape)
                || (view.size == TextSize::Huge && buttons.len() > 1 && !landscape)
                    && !(view.reach && view.keyboard.is_some());
            let made = buttons
                .iter()
                .map(|one| {
                    let mut made = button(one);
                    // On the idle screen this one erases; its colour repeats what its words say.
                    if face == Face::Idle && one.icon == "sign-out" {
                        made.look = ui::Look::Danger;
                    }
                    made
                })
                .collect();
            ui::Block {
                lead: face == Face::Idle && !landscape,
                columns: if stacked {
                    1
                } else if buttons.len() == 1 {
                    0
                } else {
                    2
                },
                items: model(made),
                ..kind(ui::Kind::Buttons, "")
            }
        }
    }
}

fn kind(kind: ui::Kind, text: &str) -> ui::Block {
    ui::Block {
        kind,
        text: text.into(),
        ..ui::Block::default()
    }
}

fn listed(of: ui::Kind, items: &[Item]) -> ui::Block {
    ui::Block {
        items: model(items.iter().map(item).collect()),
        ..kind(of, "")
    }
}

fn grid(of: ui::Kind, items: &[Item], columns: usize) -> ui::Block {
    let made: Vec<ui::Item> = items
        .iter()
        .map(|one| {
            let mut made = item(one);
            if one.chosen && of == ui::Kind::Rows {
                made.chosen = true;
            }
            // Marked by `roomy`: the note stands under the name.
            if of == ui::Kind::Rows && one.note.starts_with(UNDER) {
                made.note = one.note.trim_start_matches(UNDER).into();
                made.sample = 9;
            }
            made
        })
        .collect();
    ui::Block {
        columns: i32::try_from(columns).unwrap_or(1),
        rows: rows(&made, columns),
        ..kind(of, "")
    }
}

/// Marks notes that would squeeze their name.
const UNDER: char = '\u{1}';

fn roomy(items: &[Item], landscape: bool, narrow: bool) -> Vec<Item> {
    // Pixels beside caret and padding, and what a letter takes at ×1.
    let (room, name, small) = if landscape { (1000, 18, 14) } else { (830, 19, 14) };
    let tight = narrow
        || items
            .iter()
            .any(|one| letters(&one.words.text) * name + letters(&one.note) * small > room);
    items
        .iter()
        .map(|one| {
            let mut one = one.clone();
            if tight && !one.note.is_empty() {
                one.note.insert(0, UNDER);
            }
            one
        })
        .collect()
}

fn tile_columns(items: &[Item], size: TextSize, landscape: bool) -> usize {
    let longest = items
        .iter()
        .flat_map(|one| {
            one.words
                .text
                .split_whitespace()
                .chain(one.words.beside.split_whitespace())
        })
        .map(letters)
        .max()
        .unwrap_or(0);
    match (size, landscape) {
        (TextSize::Normal, true) => 3,
        (TextSize::Normal, false) => 2,
        // What fits beside the icon at these letters.
        (TextSize::Large, true) => 2,
        (TextSize::Large, false) if longest <= 10 => 2,
        (TextSize::Huge, true) if longest <= 9 => 2,
        (TextSize::Large | TextSize::Huge, _) => 1,
    }
}

fn letters(text: &str) -> usize {
    text.chars().count()
}

fn item(from: &Item) -> ui::Item {
    ui::Item {
        icon: from.icon.into(),
        text: from.words.text.as_str().into(),
        beside: from.words.beside.as_str().into(),
        note: from.note.as_str().into(),
        action: from.action.map_or(-1, |action| i32::from(action.0)),
        chosen: from.chosen,
        ..none()
    }
}

/// «Espera ahora: 5 a 10 minutos» is cut after its colon; the second part is set in bold.
fn big(from: &Item) -> ui::Item {
    let mut made = item(from);
    if let Some((label, value)) = from.note.split_once(": ") {
        made.less_word = format!("{label}:").into();
        made.more_word = value.into();
    }
    made
}

pub(super) fn button(from: &Button) -> ui::Item {
    ui::Item {
        icon: from.icon.into(),
        text: from.words.text.as_str().into(),
        beside: from.words.beside.as_str().into(),
        action: from.action.map_or(-1, |action| i32::from(action.0)),
        ..none()
    }
}

/// A button of the bottom bar, with its words broken in two even lines.
pub(super) fn nav(from: &Button) -> ui::Item {
    let Words { text, beside } = &from.words;
    if !beside.is_empty() {
        // Kichwa never stands without its Spanish.
        return ui::Item {
            text: format!("{text}, {beside}").into(),
            note: format!("{text}\n{beside}").into(),
            beside: "".into(),
            ..button(from)
        };
    }
    ui::Item {
        note: balanced(&from.words.text).into(),
        ..button(from)
    }
}

fn fact(from: &Fact) -> ui::Item {
    ui::Item {
        icon: from.icon.into(),
        text: from.label.as_str().into(),
        note: from.value.as_str().into(),
        action: from.change.map_or(-1, |action| i32::from(action.0)),
        ..none()
    }
}

fn place(from: &Ranked) -> ui::Item {
    ui::Item {
        text: from.words.as_str().into(),
        note: from.place.as_str().into(),
        action: from.up.map_or(-1, |action| i32::from(action.0)),
        less: from.down.map_or(-1, |action| i32::from(action.0)),
        more_word: from.up_word.as_str().into(),
        less_word: from.down_word.as_str().into(),
        ..none()
    }
}

fn card(from: &Card) -> ui::Card {
    ui::Card {
        title: from.title.as_str().into(),
        lines: model(from.lines.iter().map(fact).collect()),
        change: button(&from.change),
        remove: button(&from.remove),
    }
}

fn date(from: &DatePart) -> ui::Item {
    ui::Item {
        text: from.label.as_str().into(),
        note: from.value.as_str().into(),
        action: from.more.map_or(-1, |action| i32::from(action.0)),
        less: from.less.map_or(-1, |action| i32::from(action.0)),
        more_word: from.more_word.as_str().into(),
        less_word: from.less_word.as_str().into(),
        ..none()
    }
}

fn none() -> ui::Item {
    ui::Item {
        action: -1,
        less: -1,
        ..ui::Item::default()
    }
}

fn note_icon(icon: &'static str, tone: Tone) -> &'static str {
    match (icon, tone) {
        ("", Tone::Info) => "info",
        ("", Tone::Good) => "check-circle",
        ("", Tone::Warn) => "warning",
        ("", Tone::Bad) => "warning-circle",
        (named, _) => named,
    }
}

/// Breaks words longer than a short line into two lines of about the same length.
fn balanced(text: &str) -> String {
    if letters(text) <= 10 {
        return text.to_owned();
    }
    let breaks = text.match_indices(' ').map(|(at, _)| at);
    // Of two even breaks the later one: «Ver y oír / mejor».
    match breaks
        .rev()
        .min_by_key(|&at| letters(&text[..at]).max(letters(&text[at..]) - 1))
    {
        Some(at) => format!("{}\n{}", &text[..at], &text[at + 1..]),
        None => text.to_owned(),
    }
}

pub(super) fn whole(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

pub(super) fn model<T: Clone + 'static>(items: Vec<T>) -> ModelRc<T> {
    ModelRc::from(Rc::new(VecModel::from(items)))
}

fn rows(items: &[ui::Item], columns: usize) -> ModelRc<ModelRc<ui::Item>> {
    model(
        items
            .chunks(columns.max(1))
            .map(|row| model(row.to_vec()))
            .collect(),
    )
}

/// One pixel a module with the quiet zone; the screen enlarges it without smoothing.
fn qr_picture(text: &str) -> Option<Image> {
    if text.is_empty() {
        return None;
    }
    let code = qrcode::QrCode::with_error_correction_level(text, qrcode::EcLevel::M).ok()?;
    let quiet = 4;
    let side = code.width() + 2 * quiet;
    let mut pixels =
        SharedPixelBuffer::<Rgb8Pixel>::new(u32::try_from(side).ok()?, u32::try_from(side).ok()?);
    let white = Rgb8Pixel {
        r: 255,
        g: 255,
        b: 255,
    };
    let black = Rgb8Pixel { r: 0, g: 0, b: 0 };
    for (at, pixel) in pixels.make_mut_slice().iter_mut().enumerate() {
        let (x, y) = (at % side, at / side);
        let inside = (quiet..side - quiet).contains(&x) && (quiet..side - quiet).contains(&y);
        let dark = inside && code[(x - quiet, y - quiet)] == qrcode::Color::Dark;
        *pixel = if dark { black } else { white };
    }
    Some(Image::from_rgb8(pixels))
}

#[cfg(test)]
mod tests {
    use super::balanced;

    #[test]
    fn words_of_a_narrow_button_break_evenly() {
        assert_eq!(balanced("Ayuda de una persona"), "Ayuda de\nuna persona");
        assert_eq!(balanced("Ver y oír mejor"), "Ver y oír\nmejor");
        assert_eq!(balanced("Terminar"), "Terminar");
    }
}
