//! Nothing is cut off and nothing is shrunk away: measured on every screen of the running session.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

use ventanilla::domain::session::view::{Block, TextSize, View};
use ventanilla::domain::session::{Comfort, Setup};
use ventanilla::i18n::Language;
use ventanilla::kiosk::run::{Element, Size};
use ventanilla::kiosk::screen::{Screen, encode};

use crate::{forms, tour};

/// How far letters may give way where words are long; below it a screen has to page instead.
///
/// Wide and low is hard on large letters with a keyboard, and so is the lower part alone.
fn shrunk_least(view: &View, size: Size) -> f32 {
    // Question, field, what is wrong, two ways out, a voice and a keyboard: the fullest screen there is.
    let wrong = view
        .blocks
        .iter()
        .any(|block| matches!(block, Block::Field { wrong: true, .. }));
    if wrong && view.listen.is_some() {
        return 0.5;
    }
    match (size.width > size.height, view.size, view.reach) {
        (false, TextSize::Large, true) => 0.64,
        (false, TextSize::Normal | TextSize::Large, _) => 0.74,
        (false, TextSize::Huge, false) if view.keyboard.is_some() => 0.57,
        (false, TextSize::Huge, false) => 0.64,
        (false, TextSize::Huge, true) => 0.5,
        (true, TextSize::Normal, true) => 0.57,
        (true, TextSize::Normal, false) => 0.74,
        (true, TextSize::Large, _) => 0.57,
        (true, TextSize::Huge, _) => 0.5,
    }
}

/// Controls lie below this part of the screen within reach.
fn reach(view: &View, size: Size) -> f32 {
    // A keyboard over the higher bar of large letters begins a little above the line.
    let tight = size.width > size.height && view.size != TextSize::Normal && view.keyboard.is_some();
    if tight { 0.36 } else { 0.4 }
}

fn is_control(element: &Element) -> bool {
    matches!(element.role, "button" | "choice")
}

fn comforts() -> Vec<Comfort> {
    let mut all = Vec::new();
    for language in Language::ALL {
        for size in [TextSize::Normal, TextSize::Large, TextSize::Huge] {
            for reach in [false, true] {
                all.push(Comfort {
                    language,
                    size,
                    reach,
                    ..Comfort::default()
                });
            }
        }
    }
    all
}

fn faults_of(what: &str, view: &View, screen: &Screen, size: Size, faults: &mut Vec<String>) {
    let elements = screen.elements();
    if screen.is_cut_off() {
        faults.push(format!("{what}: more than fits"));
    }
    if screen.fit() + 0.001 < shrunk_least(view, size) {
        faults.push(format!("{what}: letters shrunk to {:.2}", screen.fit()));
    }
    for (at, one) in elements.iter().enumerate() {
        let (right, below) = (one.x + one.width, one.y + one.height);
        if one.x < 0 || one.y < 0 || right > size.width as i32 || below > size.height as i32 {
            faults.push(format!("{what}: «{}» lies outside", one.label));
        }
        if is_control(one) && (one.width < 94 || one.height < 94) {
            faults.push(format!(
                "{what}: «{}» is only {}×{}",
                one.label, one.width, one.height
            ));
        }
        if view.reach && is_control(one) && (one.y as f32) < size.height as f32 * reach(view, size) {
            faults.push(format!("{what}: «{}» at {} is out of reach", one.label, one.y));
        }
        for other in &elements[at + 1..] {
            let overlap = one.x + one.width - 1 > other.x
                && other.x + other.width - 1 > one.x
                && one.y + one.height - 1 > other.y
                && other.y + other.height - 1 > one.y;
            if overlap && (is_control(one) || is_control(other)) {
                faults.push(format!("{what}: «{}» and «{}» overlap", one.label, other.label));
            }
        }
    }
}

/// What is shown in a comfort, each screen with its name.
type Shown = fn(&Arc<Setup>, Comfort) -> Vec<(String, View)>;

fn tour_fits(size: Size, shown: Shown, comforts: &[Comfort]) {
    let landscape = size.width > size.height;
    let setup = tour::setup(landscape);
    let folder = std::env::var_os("SHOTS").map(PathBuf::from);
    let only = std::env::var("ONLY").unwrap_or_default();
    let mut screen = Screen::new(size).expect("a screen in memory needs nothing");
    let mut faults = Vec::new();
    let mut seen = 0;
    for comfort in comforts.iter().copied() {
        let mode = format!(
            "{}-{}{}{}",
            if landscape { "l" } else { "p" },
            match comfort.size {
                TextSize::Normal => "1",
                TextSize::Large => "15",
                TextSize::Huge => "2",
            },
            if comfort.reach { "r" } else { "" },
            comfort.language.code(),
        );
        for (name, view) in shown(&setup, comfort) {
            screen.show(&view);
            seen += 1;
            let what = format!("{name} {mode}");
            faults_of(&what, &view, &screen, size, &mut faults);
            if std::env::var_os("FITS").is_some() && screen.fit() < 1.0 {
                println!("fit {:.2} {what}", screen.fit());
            }
            let wanted = only.is_empty() || only.split(',').any(|one| what.contains(one));
            if let Some(folder) = folder.as_ref().filter(|_| wanted) {
                screen.render();
                let png = encode(size, screen.rgb()).expect("it is a picture");
                std::fs::create_dir_all(folder).expect("the folder can be made");
                std::fs::write(folder.join(format!("{name}-{mode}.png")), png).expect("it can be written");
            }
        }
    }
    let mut said = String::new();
    for fault in &faults {
        let _ = writeln!(said, "{fault}");
    }
    assert!(
        faults.is_empty(),
        "{} faults on {seen} screens:\n{said}",
        faults.len()
    );
}

#[test]
fn every_screen_of_a_session_fits_in_portrait() {
    tour_fits(Size::PORTRAIT, tour::all, &comforts());
}

#[test]
fn every_screen_of_a_session_fits_in_landscape() {
    tour_fits(Size::LANDSCAPE, tour::all, &comforts());
}

#[test]
fn every_screen_of_a_technician_fits() {
    tour_fits(Size::PORTRAIT, tour::service, &form_comforts());
    tour_fits(Size::LANDSCAPE, tour::service, &form_comforts());
}

/// The languages that forms are written in, in the smallest and the largest letters.
fn form_comforts() -> Vec<Comfort> {
    let mut all = comforts();
    all.retain(|comfort| comfort.language != Language::Kichwa && comfort.size != TextSize::Large);
    all
}

#[test]
fn every_question_of_the_catalogue_fits_in_portrait() {
    tour_fits(Size::PORTRAIT, forms::all, &form_comforts());
}

#[test]
fn every_question_of_the_catalogue_fits_in_landscape() {
    tour_fits(Size::LANDSCAPE, forms::all, &form_comforts());
}
