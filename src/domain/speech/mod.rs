//! What a screen says aloud, as data: the words that are shown, in the order in which they are read.
//!
//! Nothing here speaks; [`screen`], [`element`] and [`key`] give sentences, and [`spoken`] puts numbers, dates,
//! money, turns and codes into words. What is typed as digits is never said: the hall listens too.

mod numbers;

use crate::domain::session::view::{Block, Button, Fact, Item, KeyboardKind, View, Words};
use crate::i18n::{self, Language};

pub use numbers::spoken;

/// Sentences of a whole screen: place, question, help, content, and the way on.
pub fn screen(view: &View) -> Vec<String> {
    let language = Language::from_code(view.language).unwrap_or_default();
    let say = |key: &str, values: &[(&str, &str)]| i18n::fill(language, key, values);
    let mut said: Vec<String> = Vec::new();
    if let Some(progress) = &view.progress {
        said.push(progress.place.clone());
    }
    // What is wrong is said first: it is why the screen speaks again.
    let wrong = view.blocks.iter().filter(|block| is_wrong(block));
    wrong.for_each(|block| said.extend(sentences(block, view, language)));
    if !view.offline.is_empty() {
        said.push(view.offline.clone());
    }
    said.push(heard(&view.title));
    said.push(view.help.clone());
    for block in view.blocks.iter().filter(|block| !is_wrong(block)) {
        said.extend(sentences(block, view, language));
    }
    if let Some(Button {
        words,
        action: Some(_),
        ..
    }) = &view.primary
    {
        said.push(say("voice-go-on", &[("button", &heard(words))]));
    }
    if let Some(Button {
        words, action: None, ..
    }) = &view.primary
    {
        said.push(say("voice-unavailable", &[("what", &heard(words))]));
    }
    if let Some(Button {
        words,
        action: Some(_),
        ..
    }) = &view.secondary
    {
        said.push(say("voice-also", &[("button", &heard(words))]));
    }
    said.iter()
        .map(|text| spoken(text, language))
        .filter(|text| !text.is_empty())
        .collect()
}

/// What is answered on a screen, to be said when it changes in place; nothing where nothing is to be answered.
pub fn answer(view: &View) -> Option<String> {
    let language = Language::from_code(view.language).unwrap_or_default();
    let said: Vec<String> = view
        .blocks
        .iter()
        .filter_map(|block| match block {
            Block::Choices { items, .. } => {
                let chosen: Vec<String> = items
                    .iter()
                    .filter(|item| item.chosen)
                    .map(|item| heard(&item.words))
                    .collect();
                let (words, state) = match chosen.as_slice() {
                    [] => (String::new(), "voice-not-chosen"),
                    chosen => (format!("{}, ", chosen.join(", ")), "voice-chosen"),
                };
                Some(format!("{words}{}", i18n::say(language, state)))
            }
            Block::Ranking(_) | Block::Sketch { .. } => Some(sentences(block, view, language).join(". ")),
            Block::Scale(_) => sentences(block, view, language).into_iter().next(),
            _ => None,
        })
        .collect();
    (!said.is_empty()).then(|| spoken(&said.join(". "), language))
}

/// A control that the keypad stands on: its words, its value or state, and whether it can be used.
pub fn element(role: &str, label: &str, value: &str, enabled: bool, view: &View) -> String {
    let language = Language::from_code(view.language).unwrap_or_default();
    let say = |key: &str| i18n::say(language, key);
    let mut parts = vec![label.to_owned()];
    match role {
        "choice" => parts.push(say(if value == "true" {
            "voice-chosen"
        } else {
            "voice-not-chosen"
        })),
        "input" => parts.push(written(value, view, language)),
        _ => parts.push(value.to_owned()),
    }
    if !enabled {
        parts.push(say("voice-not-now"));
    }
    parts.retain(|part| !part.trim().is_empty());
    spoken(&parts.join(", "), language)
}

/// A key that was typed: its letter, or only that it was a digit where somebody could overhear a number.
pub fn key(letter: &str, view: &View) -> String {
    let language = Language::from_code(view.language).unwrap_or_default();
    match view.keyboard.as_ref().map(|keyboard| keyboard.kind) {
        Some(KeyboardKind::Digits | KeyboardKind::Money) if !view.headphones => {
            i18n::say(language, "voice-digit")
        }
        Some(KeyboardKind::Text | KeyboardKind::Email | KeyboardKind::Digits | KeyboardKind::Money)
        | None => match letter {
            " " => i18n::say(language, "key-space"),
            _ => numbers::letters(letter, language),
        },
    }
}

/// The end of the order of the keypad.
pub fn end(view: &View) -> String {
    i18n::say(
        Language::from_code(view.language).unwrap_or_default(),
        "voice-end",
    )
}

fn is_wrong(block: &Block) -> bool {
    use crate::domain::session::view::Tone;
    matches!(block, Block::Note { tone: Tone::Bad, .. })
}

/// Kichwa is spoken from recordings only; without one the Spanish beside it is said.
fn heard(words: &Words) -> String {
    if words.beside.is_empty() {
        words.text.clone()
    } else {
        words.beside.clone()
    }
}

fn written(value: &str, view: &View, language: Language) -> String {
    let count = value.chars().filter(char::is_ascii_digit).count();
    match view.keyboard.as_ref().map(|keyboard| keyboard.kind) {
        _ if value.is_empty() => i18n::say(language, "voice-empty"),
        Some(KeyboardKind::Digits | KeyboardKind::Money) => {
            i18n::fill(language, "voice-digits-written", &[("n", &count.to_string())])
        }
        Some(KeyboardKind::Text | KeyboardKind::Email) | None => {
            i18n::fill(language, "voice-written", &[("text", value)])
        }
    }
}

fn sentences(block: &Block, view: &View, language: Language) -> Vec<String> {
    let say = |key: &str, values: &[(&str, &str)]| i18n::fill(language, key, values);
    let fact = |fact: &Fact| format!("{}: {}", fact.label, fact.value);
    let options = |items: &[Item], states: bool| -> Vec<String> {
        let of = items.len().to_string();
        items
            .iter()
            .enumerate()
            .map(|(at, item)| {
                let n = (at + 1).to_string();
                let mut text = say(
                    "voice-option",
                    &[("n", &n), ("of", &of), ("what", &heard(&item.words))],
                );
                if !item.note.is_empty() {
                    text = format!("{text}, {}", item.note);
                }
                if states && item.chosen {
                    text = format!("{text}, {}", say("voice-chosen", &[]));
                }
                if item.action.is_none() {
                    text = format!("{text}, {}", say("voice-not-now", &[]));
                }
                text
            })
            .collect()
    };
    let read = |item: &Item| match item.note.as_str() {
        "" => heard(&item.words),
        note => format!("{}. {note}", heard(&item.words)),
    };
    match block {
        Block::Drawing => Vec::new(),
        Block::Display(text) | Block::Heading(text) | Block::Text(text) => vec![text.clone()],
        Block::Promises(items) | Block::Checklist(items) => items.iter().map(read).collect(),
        Block::Languages(items) => items
            .iter()
            .map(|item| format!("{}, {}", item.words.text, item.note))
            .collect(),
        Block::Tiles(items) | Block::Rows(items) | Block::BigChoices(items) => options(items, false),
        Block::Choices { items, .. } => options(items, true),
        Block::SearchBox(item) => vec![heard(&item.words)],
        Block::Facts(facts) => facts.iter().map(fact).collect(),
        Block::Review { rows, .. } => rows.iter().map(fact).collect(),
        Block::Ranking(ranked) => {
            let of = ranked.len().to_string();
            ranked
                .iter()
                .map(|one| {
                    say(
                        "voice-place",
                        &[("n", &one.place), ("of", &of), ("what", &one.words)],
                    )
                })
                .collect()
        }
        Block::Scale(scale) => {
            let chosen = if scale.stops.iter().any(|stop| stop.chosen) || scale.less.action.is_some() {
                say("voice-scale", &[("n", &scale.value)])
            } else {
                say("voice-scale-none", &[])
            };
            let stops: Vec<&str> = scale.stops.iter().map(|stop| stop.words.text.as_str()).collect();
            vec![chosen, say("voice-jump", &[("list", &stops.join(", "))])]
        }
        Block::Sketch { label, value, .. } => vec![format!("{label}: {value}")],
        Block::Cards(cards) => cards
            .iter()
            .flat_map(|card| {
                std::iter::once(card.title.clone())
                    .chain(card.lines.iter().map(fact))
                    .chain(
                        [&card.change, &card.remove]
                            .map(|button| say("voice-also", &[("button", &heard(&button.words))])),
                    )
            })
            .collect(),
        Block::Note { title, text, .. } => vec![format!("{title} {text}").trim().to_owned()],
        Block::Field { label, value, .. } => {
            vec![
                format!("{label} {}", written(value, view, language))
                    .trim()
                    .to_owned(),
            ]
        }
        Block::Date(parts) => parts
            .iter()
            .map(|part| format!("{}: {}", part.label, part.value))
            .collect(),
        Block::Panel {
            title, lines, button, ..
        } => std::iter::once(title.clone())
            .chain(lines.iter().map(read))
            .chain(
                button
                    .iter()
                    .map(|button| say("voice-also", &[("button", &heard(&button.words))])),
            )
            .collect(),
        Block::Number { label, number, facts } => std::iter::once(format!("{label}: {number}"))
            .chain(facts.iter().map(fact))
            .collect(),
        Block::Code {
            label, code, text, ..
        } => vec![format!("{label}: {code}"), text.clone()],
        Block::Countdown { left, word, .. } => vec![format!("{left} {word}")],
        Block::Setting { label, options, .. } => {
            let chosen = options
                .iter()
                .find(|option| option.chosen)
                .map(|option| heard(&option.words));
            vec![format!("{label}: {}", chosen.unwrap_or_default())]
        }
        Block::Pager { place, .. } => vec![say("voice-page", &[("place", place)])],
        Block::Buttons(buttons) => buttons
            .iter()
            .map(|button| say("voice-also", &[("button", &heard(&button.words))]))
            .collect(),
    }
}
