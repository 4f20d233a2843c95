//! Pictures of the screens, and what must hold for each of them in every frame, size and theme.
//!
//! `UPDATE_GOLDEN=1 cargo test --test screen` writes the pictures again; look at them before committing.

mod samples;
mod shape;

use std::path::PathBuf;

use ventanilla::domain::session::view::{TextSize, Theme, View};
use ventanilla::kiosk::run::Size;
use ventanilla::kiosk::screen::{Screen, encode};

fn draw(view: &View, size: Size) -> Vec<u8> {
    let mut screen = Screen::new(size).expect("a screen in memory needs nothing");
    screen.show(view);
    screen.render();
    screen.rgb()
}

/// Draws everything into `$SHOTS`, to be looked at while working on the looks.
#[test]
fn shots() {
    let Some(folder) = std::env::var_os("SHOTS").map(PathBuf::from) else {
        return;
    };
    let only = std::env::var("ONLY").unwrap_or_default();
    let frames = std::env::var("FRAMES").unwrap_or_else(|_| "p1".into());
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    for (name, view) in samples::all()
        .into_iter()
        .chain([("home-first", samples::home_first_page())])
    {
        if !only.is_empty() && !only.split(',').any(|one| one == name) {
            continue;
        }
        for frame in frames.split(',') {
            let size = if frame.starts_with('p') {
                Size::PORTRAIT
            } else {
                Size::LANDSCAPE
            };
            let mut view = view.clone();
            view.size = match &frame[1..2] {
                "1" => TextSize::Normal,
                "2" => TextSize::Large,
                _ => TextSize::Huge,
            };
            view.theme = match frame.get(2..3) {
                Some("d") => Theme::Dark,
                Some("c") => Theme::Clear,
                _ => Theme::Normal,
            };
            let png = encode(size, &draw(&view, size)).expect("it is a picture");
            std::fs::write(folder.join(format!("{name}-{frame}.png")), png)
                .expect("the folder can be written");
        }
    }
}

/// The pictures that are kept: name, frame and letters as in [`shots`].
const KEPT: [(&str, &str); 12] = [
    ("attract", "p1"),
    ("home", "p1"),
    ("home", "l1"),
    ("home-first", "p3d"),
    ("procedure", "p1"),
    ("question-choice", "p1"),
    ("question-kichwa", "p1"),
    ("question-text", "p1"),
    ("question-text", "l1"),
    ("review", "p1"),
    ("success", "p1"),
    ("turn-lane", "p1"),
];

fn kept(view: &View, frame: &str) -> (View, Size) {
    let mut view = view.clone();
    if frame.contains('3') {
        view.size = TextSize::Huge;
    }
    if frame.ends_with('d') {
        view.theme = Theme::Dark;
    }
    let size = if frame.starts_with('p') {
        Size::PORTRAIT
    } else {
        Size::LANDSCAPE
    };
    (view, size)
}

fn read_png(path: &std::path::Path) -> Option<Vec<u8>> {
    let file = std::io::BufReader::new(std::fs::File::open(path).ok()?);
    let mut reader = png::Decoder::new(file).read_info().ok()?;
    let mut pixels = vec![0; reader.output_buffer_size()?];
    reader.next_frame(&mut pixels).ok()?;
    Some(pixels)
}

fn write_png(path: &std::path::Path, size: Size, rgb: &[u8]) {
    let file = std::fs::File::create(path).expect("the picture can be written");
    let mut encoder = png::Encoder::new(file, size.width, size.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header().expect("a header");
    // Sixteen steps a colour: a third of the size, and well inside the tolerance.
    let coarse: Vec<u8> = rgb.iter().map(|value| value & 0xF0).collect();
    writer.write_image_data(&coarse).expect("the pixels");
}

/// Screens look as they did when somebody last looked at them.
#[test]
fn screens_look_as_kept() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/screen/golden");
    let renew = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut views = samples::all();
    views.push(("home-first", samples::home_first_page()));
    let mut wrong = Vec::new();
    for (name, frame) in KEPT {
        let (_, view) = views
            .iter()
            .find(|(known, _)| *known == name)
            .expect("a sample of that name");
        let (view, size) = kept(view, frame);
        let rgb = draw(&view, size);
        let path = folder.join(format!("{name}-{frame}.png"));
        if renew {
            std::fs::create_dir_all(&folder).expect("the folder can be made");
            write_png(&path, size, &rgb);
            continue;
        }
        let Some(old) = read_png(&path).filter(|old| old.len() == rgb.len()) else {
            wrong.push(format!("{name}-{frame} has no picture of its size"));
            continue;
        };
        let differ = old
            .iter()
            .zip(&rgb)
            .filter(|(old, new)| old.abs_diff(**new) > 24)
            .count();
        // One part in a thousand: the edge of a letter, never a word.
        if differ * 1000 > rgb.len() {
            wrong.push(format!(
                "{name}-{frame} differs in {differ} of {} values",
                rgb.len()
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Writes what a frame costs to `$MEASURE`.
#[test]
fn measure() {
    let Some(file) = std::env::var_os("MEASURE") else {
        return;
    };
    let start = std::time::Instant::now();
    let mut screen = Screen::new(Size::PORTRAIT).expect("a screen in memory needs nothing");
    screen.show(&samples::home());
    screen.render();
    let first = start.elapsed();
    let mut view = samples::question_choice();
    screen.show(&view);
    screen.render();
    let mut taps = Vec::new();
    for at in 0..5 {
        let start = std::time::Instant::now();
        screen.tap(540.0, 600.0);
        if let Some(ventanilla::domain::session::view::Block::Choices { items, .. }) = view.blocks.first_mut()
        {
            for (place, one) in items.iter_mut().enumerate() {
                one.chosen = place == at;
            }
        }
        screen.show(&view);
        screen.render();
        let drawn = start.elapsed();
        screen.picture().expect("it is a picture");
        taps.push((drawn, start.elapsed()));
    }
    let start = std::time::Instant::now();
    screen.show(&samples::question_text());
    screen.render();
    let page = start.elapsed();
    let rss = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let rss = rss
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap_or_default();
    let report = format!("first {first:?}\ntap, frame and with PNG {taps:?}\nother page {page:?}\n{rss}\n");
    std::fs::write(file, report).expect("the report can be written");
}
