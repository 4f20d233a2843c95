//! What must hold for every screen in every frame, size of letters and theme.

use ventanilla::domain::session::view::{Block, TextSize, Theme, View};
use ventanilla::kiosk::run::{Element, Size};
use ventanilla::kiosk::screen::Screen;

use crate::samples;

/// The view as the session would page it for larger letters: fewer of everything that pages.
pub fn paged(view: &View, size: TextSize, landscape: bool) -> View {
    let mut view = view.clone();
    view.size = size;
    let (tiles, rows, answers) = match (size, landscape) {
        (TextSize::Normal, _) => return view,
        (TextSize::Large, false) => (6, 4, 7),
        (TextSize::Large, true) => (4, 3, 4),
        (TextSize::Huge, false) => (3, 3, 3),
        (TextSize::Huge, true) => (2, 2, 2),
    };
    let crowded = size == TextSize::Huge || landscape;
    for block in &mut view.blocks {
        match block {
            Block::Tiles(items) => items.truncate(tiles),
            Block::Rows(items) => items.truncate(rows),
            Block::Review { rows, .. } => rows.truncate(answers),
            Block::Checklist(items) => items.truncate(answers),
            Block::Choices { items, .. } if crowded => items.truncate(rows + 1),
            Block::Ranking(ranked) => ranked.truncate(answers.min(if crowded { 2 } else { 3 })),
            Block::Cards(cards) => cards.truncate(1),
            _ => {}
        }
    }
    let mut settings = 0;
    let has_tiles = view.blocks.iter().any(|block| matches!(block, Block::Tiles(_)));
    view.blocks.retain(|block| match block {
        Block::Setting { .. } => {
            settings += 1;
            settings <= if crowded { 3 } else { 6 }
        }
        // What has a page of its own.
        Block::Rows(_) | Block::Heading(_) if crowded && has_tiles => false,
        Block::Code { .. } | Block::Checklist(_) if crowded => false,
        _ => true,
    });
    view
}

fn every_screen(mut check: impl FnMut(&str, &View, Size, &[Element])) {
    for size in [Size::PORTRAIT, Size::LANDSCAPE] {
        for letters in [TextSize::Normal, TextSize::Large, TextSize::Huge] {
            for theme in [Theme::Normal, Theme::Dark, Theme::Clear] {
                let mut screen = Screen::new(size).expect("a screen in memory needs nothing");
                // Pages of states are made for usual letters.
                let states = samples::states()
                    .into_iter()
                    .filter(|_| letters == TextSize::Normal);
                for (name, view) in samples::all().into_iter().chain(states) {
                    let mut view = paged(&view, letters, size == Size::LANDSCAPE);
                    view.theme = theme;
                    screen.show(&view);
                    let elements = screen.elements();
                    let what = format!("{name} {}x{} {letters:?} {theme:?}", size.width, size.height);
                    check(&what, &view, size, &elements);
                }
            }
        }
    }
}

fn is_control(element: &Element) -> bool {
    matches!(element.role, "button" | "choice")
}

fn overlap(a: &Element, b: &Element) -> bool {
    let slack = 1;
    a.x + a.width - slack > b.x
        && b.x + b.width - slack > a.x
        && a.y + a.height - slack > b.y
        && b.y + b.height - slack > a.y
}

#[test]
fn everything_can_be_read_and_touched() {
    let mut faults = Vec::new();
    every_screen(|what, view, size, elements| {
        let controls = elements.iter().filter(|one| is_control(one)).count();
        if controls == 0 && !view.bottom.is_empty() {
            faults.push(format!("{what}: nothing to touch"));
        }
        for (at, one) in elements.iter().enumerate() {
            if one.label.trim().is_empty() && one.role != "input" {
                faults.push(format!("{what}: {one:?} says nothing"));
            }
            let (right, below) = (one.x + one.width, one.y + one.height);
            let inside =
                one.x >= 0 && one.y >= 0 && right <= size.width as i32 && below <= size.height as i32;
            if !inside {
                faults.push(format!(
                    "{what}: {} «{}» lies outside at {},{}",
                    one.role, one.label, right, below
                ));
            }
            if is_control(one) && (one.width < 94 || one.height < 94) {
                faults.push(format!(
                    "{what}: «{}» is only {}×{}",
                    one.label, one.width, one.height
                ));
            }
            for other in &elements[at + 1..] {
                if (is_control(one) || is_control(other)) && overlap(one, other) {
                    faults.push(format!("{what}: «{}» and «{}» overlap", one.label, other.label));
                }
            }
        }
    });
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

#[test]
fn every_control_of_the_view_is_on_the_screen() {
    let mut screen = Screen::new(Size::PORTRAIT).expect("a screen in memory needs nothing");
    for (name, view) in samples::all() {
        screen.show(&view);
        let elements = screen.elements();
        let has = |label: &str| elements.iter().any(|one| one.label.replace("  ", " ") == label);
        assert!(
            has(&view.title.text) || view.title.text.is_empty(),
            "{name}: the title is missing"
        );
        let buttons = view
            .bottom
            .iter()
            .chain(&view.primary)
            .chain(&view.secondary)
            .chain(&view.listen);
        for button in buttons {
            let shown = elements
                .iter()
                .find(|one| one.label == button.words.text)
                .unwrap_or_else(|| panic!("{name}: «{}» is missing", button.words.text));
            assert_eq!(
                shown.enabled,
                button.action.is_some(),
                "{name}: «{}»",
                button.words.text
            );
        }
    }
}

#[test]
fn a_tap_gives_the_action_of_what_it_hits() {
    use ventanilla::kiosk::run::Touch;
    for size in [
        Size::PORTRAIT,
        Size::LANDSCAPE,
        Size {
            width: 1280,
            height: 800,
        },
    ] {
        let mut screen = Screen::new(size).expect("a screen in memory needs nothing");
        let view = samples::question_choice();
        screen.show(&view);
        screen.render();
        let elements = screen.elements();
        let primary = view.primary.as_ref().expect("the sample has one");
        let spot = elements
            .iter()
            .find(|one| one.label == primary.words.text)
            .expect("it is shown");
        screen.tap(
            (spot.x + spot.width / 2) as f32,
            (spot.y + spot.height / 2) as f32,
        );
        let action = primary.action.expect("it can be touched");
        assert_eq!(screen.take_touches(), [Touch::Act(action)]);
    }
}

#[test]
fn keys_type_small_letters_and_one_capital() {
    use ventanilla::kiosk::run::{Key, Touch};
    let mut screen = Screen::new(Size::PORTRAIT).expect("a screen in memory needs nothing");
    let mut view = samples::question_text();
    let touch = |screen: &mut Screen, label: &str| {
        let elements = screen.elements();
        let key = elements
            .iter()
            .find(|one| one.label == label)
            .expect("the key is there")
            .clone();
        screen.tap((key.x + key.width / 2) as f32, (key.y + key.height / 2) as f32);
        screen.take_touches()
    };
    screen.show(&view);
    assert_eq!(touch(&mut screen, "Ñ"), [Touch::Typed("ñ".into())]);
    assert_eq!(touch(&mut screen, "Espacio"), [Touch::Typed(" ".into())]);
    assert_eq!(touch(&mut screen, "Borrar"), [Touch::Key(Key::Back)]);
    assert_eq!(touch(&mut screen, "Borrar todo"), [Touch::Key(Key::Clear)]);
    assert_eq!(touch(&mut screen, "Mayús."), [Touch::Key(Key::Shift)]);
    if let Some(keyboard) = &mut view.keyboard {
        keyboard.shift = true;
    }
    screen.show(&view);
    assert_eq!(touch(&mut screen, "Á"), [Touch::Typed("Á".into())]);
    assert_eq!(touch(&mut screen, "1 2 3"), [Touch::Key(Key::Digits)]);
    if let Some(keyboard) = &mut view.keyboard {
        keyboard.digits = true;
    }
    screen.show(&view);
    assert_eq!(touch(&mut screen, "7"), [Touch::Typed("7".into())]);
}
