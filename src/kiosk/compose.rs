//! From a `View` to what the Slint files lay out: places, gaps and columns, never words.
//!
//! Begin at [`compose`]. The choices here are those of the design reference: which stage a face stands on, how
//! far blocks stand apart, how many columns fit the letters.

use ventanilla_ui as ui;

use super::blocks::{button, model, nav, one, whole};
use crate::domain::session::view::{Block, Face, KeyboardKind, TextSize, View};
use crate::domain::session::{above, is_beside};

/// A whole screen, ready for the Slint component.
pub(super) struct Composed {
    pub screen: ui::Screen,
    pub blocks: Vec<ui::Block>,
    /// Under the drawing of the attract screen; beside the keyboard in landscape.
    pub aside: Vec<ui::Block>,
    pub bottom: Vec<ui::Item>,
}

/// Lays a view out for a portrait or landscape frame.
pub(super) fn compose(view: &View, landscape: bool) -> Composed {
    let stage = stage(view.face);
    let mut screen = frame(view, stage, landscape);
    let mut blocks = Vec::new();
    let mut aside = Vec::new();
    let typing = view.keyboard.is_some();
    let attract = stage == ui::Stage::Attract;
    let said = spread_out(view, landscape);
    let above = above(view, landscape);
    let last = said.len().saturating_sub(1);
    // On the attract screen the words belong to the drawing; its languages begin with their heading.
    let languages = said
        .iter()
        .position(|block| matches!(block, Block::Languages(_)))
        .map(|at| {
            if at > 0 && matches!(said[at - 1], Block::Heading(_)) {
                at - 1
            } else {
                at
            }
        });
    for (at, block) in said.iter().enumerate() {
        match block {
            Block::Drawing => {
                screen.has_drawing = attract;
                continue;
            }
            Block::Countdown { left, of, word } if stage == ui::Stage::Idle => {
                screen.has_countdown = true;
                screen.left = whole(*left);
                screen.seconds = whole(*of);
                screen.seconds_word = word.as_str().into();
                continue;
            }
            // Wide and low: the last buttons stand beside what is there already.
            // The largest letters leave room for one of them there.
            Block::Buttons(buttons)
                if landscape
                    && stage == ui::Stage::Page
                    && at == last
                    && !typing
                    && (view.size != TextSize::Huge || buttons.len() == 1) =>
            {
                match buttons.as_slice() {
                    [only] if view.size == TextSize::Normal => {
                        screen.has_aside = true;
                        screen.aside = button(only);
                    }
                    several => screen.extra = model(several.iter().map(button).collect()),
                }
                continue;
            }
            _ => {}
        }
        let page = matches!(stage, ui::Stage::Page | ui::Stage::Home);
        let beside = if view.reach && page {
            at < above || (landscape && typing && !matches!(block, Block::Field { .. } | Block::Rows(_)))
        } else {
            (attract && languages.is_some_and(|first| at < first))
                || (landscape && stage == ui::Stage::Page && explains(block, view, typing))
        };
        let list = if beside { &mut aside } else { &mut blocks };
        let mut made = one(block, view, landscape, landscape && beside);
        made.before = if !list.is_empty() {
            let previous = at.checked_sub(1).and_then(|before| said.get(before));
            gap(previous, block, view.face, landscape)
        } else if stage == ui::Stage::Idle {
            36.0
        } else {
            0.0
        };
        list.push(made);
    }
    Composed {
        screen,
        blocks,
        aside,
        bottom: view.bottom.iter().map(nav).collect(),
    }
}

/// On the first page in the largest letters every tile is a row of its own, all equally far apart.
fn spread_out(view: &View, landscape: bool) -> Vec<Block> {
    let apart = view.face == Face::Home && view.size == TextSize::Huge && !landscape && !view.reach;
    view.blocks
        .iter()
        .flat_map(|block| match block {
            Block::Tiles(items) if apart => items.iter().map(|one| Block::Tiles(vec![one.clone()])).collect(),
            Block::Rows(items) if apart => items.iter().map(|one| Block::Rows(vec![one.clone()])).collect(),
            other => vec![other.clone()],
        })
        .collect()
}

/// What stands under the question in landscape: while typing everything but the field, else what is only read.
fn explains(block: &Block, view: &View, typing: bool) -> bool {
    if typing {
        return !matches!(block, Block::Field { .. });
    }
    is_beside(view, true, block)
}

fn stage(face: Face) -> ui::Stage {
    match face {
        Face::Attract => ui::Stage::Attract,
        Face::Home => ui::Stage::Home,
        Face::Idle => ui::Stage::Idle,
        Face::Saving | Face::OutOfService | Face::Covered => ui::Stage::Centred,
        Face::List
        | Face::Search
        | Face::Procedure
        | Face::Question
        | Face::Notice
        | Face::Review
        | Face::Consent
        | Face::Success
        | Face::TurnQueue
        | Face::TurnLane
        | Face::Turn
        | Face::Help
        | Face::Accessibility
        | Face::Code
        | Face::Answer
        | Face::Leave
        | Face::Service
        | Face::Satisfaction => ui::Stage::Page,
    }
}

fn frame(view: &View, stage: ui::Stage, landscape: bool) -> ui::Screen {
    let huge = view.size == TextSize::Huge;
    let mut screen = ui::Screen {
        stage,
        place: view.place.as_str().into(),
        place_note: view.place_note.as_str().into(),
        clock: view.clock.as_str().into(),
        offline: view.offline.as_str().into(),
        has_cover: view.cover.is_some(),
        cover: view.cover.as_ref().map(button).unwrap_or_default(),
        over_title: view.over_title.as_str().into(),
        title: view.title.text.as_str().into(),
        title_beside: view.title.beside.as_str().into(),
        help: view.help.as_str().into(),
        title_scale: title_scale(view, landscape),
        mark: mark(view.face).into(),
        has_listen: view.listen.is_some(),
        listen: view.listen.as_ref().map(button).unwrap_or_default(),
        has_primary: view.primary.is_some(),
        primary: view.primary.as_ref().map(button).unwrap_or_default(),
        has_secondary: view.secondary.is_some(),
        secondary: view.secondary.as_ref().map(button).unwrap_or_default(),
        onward_left: landscape
            && !view.reach
            && (matches!(view.face, Face::Home | Face::Accessibility)
                || (huge && view.face == Face::Consent)),
        primary_first: view.face == Face::Home,
        primary_on_top: view.face == Face::Home && huge && !landscape,
        spread: matches!(view.face, Face::Home | Face::Accessibility) && view.blocks.len() > 1 && !view.reach,
        top_gap: top_gap(view),
        title_gap: title_gap(view.face),
        has_bottom: !view.bottom.is_empty(),
        reach: view.reach,
        ..ui::Screen::default()
    };
    screen.primary.look = ui::Look::Primary;
    if let Some(progress) = &view.progress
        && stage == ui::Stage::Page
    {
        screen.has_progress = true;
        screen.progress_name = progress.name.as_str().into();
        screen.progress_place = progress.place.as_str().into();
        screen.done = whole(progress.done);
        screen.of = whole(progress.of);
    }
    if let Some(keyboard) = &view.keyboard {
        screen.keys = match keyboard.kind {
            KeyboardKind::Text => ui::Keys::Text,
            KeyboardKind::Email => ui::Keys::Email,
            KeyboardKind::Digits => ui::Keys::Digits,
            KeyboardKind::Money => ui::Keys::Money,
        };
        screen.shift = keyboard.shift;
        screen.digits = keyboard.digits;
        screen.shift_word = keyboard.words.shift.as_str().into();
        screen.back_word = keyboard.words.back.as_str().into();
        screen.clear_word = keyboard.words.clear.as_str().into();
        screen.space_word = keyboard.words.space.as_str().into();
        // In landscape the keyboard leaves the right column no room for a second button.
        if landscape && screen.has_secondary {
            screen.aside = std::mem::take(&mut screen.secondary);
            screen.has_aside = true;
            screen.has_secondary = false;
        }
    }
    screen
}

/// How much smaller a title is whose longest word does not fit beside the answers: words are never broken.
fn title_scale(view: &View, landscape: bool) -> f32 {
    // Width of the left column, size of a title there, and what a bold letter takes of it.
    let (wide, size) = match (landscape, view.size) {
        (true, TextSize::Huge) => (584.0, 104.0),
        (true, TextSize::Large) => (584.0, 84.0),
        (true, TextSize::Normal) => (584.0, 80.0),
        (false, TextSize::Huge) => (760.0, 104.0),
        (false, TextSize::Large | TextSize::Normal) => return 1.0,
    };
    let letters = view
        .title
        .text
        .split_whitespace()
        .map(|word| word.chars().count())
        .max();
    let needed = letters.unwrap_or(0) as f32 * size * 0.54;
    (wide / needed.max(1.0)).clamp(0.6, 1.0)
}

fn mark(face: Face) -> &'static str {
    match face {
        Face::Success => "check-circle-fill",
        Face::Saving => "clock",
        Face::Covered => "eye-slash",
        Face::OutOfService => "warning-circle",
        _ => "",
    }
}

/// Whether a block ends with a sill, which counts as 8 px of the gap under it.
fn has_sill(block: &Block) -> bool {
    matches!(
        block,
        Block::Languages(_)
            | Block::SearchBox(_)
            | Block::Tiles(_)
            | Block::Rows(_)
            | Block::Choices { .. }
            | Block::BigChoices(_)
            | Block::Date(_)
            | Block::Scale(_)
            | Block::Setting { .. }
            | Block::Pager { .. }
            | Block::Buttons(_)
    )
}

fn top_gap(view: &View) -> f32 {
    match view.face {
        Face::Home | Face::Accessibility => 26.0,
        Face::Review | Face::Consent => 24.0,
        _ if view.progress.is_some() => 50.0,
        _ => 38.0,
    }
}

fn title_gap(face: Face) -> f32 {
    match face {
        Face::Review | Face::Consent => 26.0,
        Face::Success | Face::Turn | Face::Procedure => 32.0,
        Face::TurnLane => 36.0,
        Face::Home | Face::Accessibility => 22.0,
        _ => 40.0,
    }
}

fn gap(previous: Option<&Block>, block: &Block, face: Face, landscape: bool) -> f32 {
    let wanted = match (previous, block, face) {
        // The first promise stands close under its display.
        (Some(Block::Display(_)), _, _) => 24.0,
        (Some(Block::Text(_)), Block::Promises(_), _) => 44.0,
        (Some(Block::Heading(_)), _, Face::Attract) => 28.0,
        // What follows a heading belongs to it, and does not drift away from it.
        (Some(Block::Heading(_)), _, _) => 15.0,
        (
            _,
            _,
            Face::Question | Face::Code | Face::Answer | Face::Help | Face::Leave | Face::Satisfaction,
        ) => 44.0,
        (_, _, Face::TurnLane | Face::TurnQueue) => 40.0,
        (_, _, Face::Review | Face::Turn) => 26.0,
        (_, _, Face::Idle) => 36.0,
        (_, _, Face::Home | Face::Accessibility) => 24.0,
        _ => 32.0,
    };
    let wanted: f32 = if landscape && wanted > 28.0 { 28.0 } else { wanted };
    if previous.is_some_and(has_sill) {
        (wanted - 8.0).max(8.0)
    } else {
        wanted
    }
}
