//! Pictures of the screens, and what must hold for each of them in every frame, size and theme.
//!
//! `UPDATE_GOLDEN=1 cargo test --test screen` writes the pictures again; look at them before committing.

#![expect(clippy::print_stdout, reason = "timings are printed where they are asked for")]

mod board;
mod contrast;
mod fit;
mod forms;
mod keypad;
mod matrix;
mod samples;
mod shape;
mod tour;
mod web;

use std::path::PathBuf;

use ventanilla::domain::session::view::{TextSize, Theme, View};
use ventanilla::kiosk::run::Size;
use ventanilla::kiosk::screen::{Screen, encode};

fn draw(view: &View, size: Size) -> Vec<u8> {
    let mut screen = Screen::new(size).expect("a screen in memory needs nothing");
    screen.show(view);
    screen.render();
    screen.rgb().to_vec()
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
            let size = match &frame[..1] {
                "p" => Size::PORTRAIT,
                "l" => Size::LANDSCAPE,
                _ => Size {
                    width: 1280,
                    height: 800,
                },
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

/// Prints how long things take when `TIMINGS` is set; the budgets are in `benches/`.
#[test]
fn timings() {
    if std::env::var_os("TIMINGS").is_none() {
        return;
    }
    let since = std::time::Instant::now();
    let time = |what: &str, since: std::time::Instant| {
        println!("{what}: {:.1} ms", since.elapsed().as_secs_f64() * 1000.0);
    };
    let mut screen = Screen::new(Size::PORTRAIT).expect("a screen in memory needs nothing");
    screen.show(&samples::attract());
    screen.render();
    time("start to first frame", since);
    for (name, view) in samples::all() {
        let since = std::time::Instant::now();
        screen.show(&view);
        time(&format!("{name}: view to layout"), since);
        screen.render();
        time(&format!("{name}: view to frame"), since);
    }
    for (value, counter) in [
        ("Ñust", "4 letras de 40"),
        ("Ñusta", "5 letras de 40"),
        ("Ñustas", "6 letras de 40"),
    ] {
        let mut view = samples::question_text();
        if let Some(ventanilla::domain::session::view::Block::Field {
            value: shown,
            counter: count,
            ..
        }) = view.blocks.first_mut()
        {
            (*shown, *count) = (value.into(), counter.into());
        }
        let since = std::time::Instant::now();
        screen.show(&view);
        screen.render();
        time("a letter typed", since);
    }
    let since = std::time::Instant::now();
    let png = screen.picture().expect("it is a picture").png;
    time(&format!("png of {} kB", png.len() / 1024), since);
    let since = std::time::Instant::now();
    let elements = screen.elements().len();
    time(&format!("{elements} elements"), since);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    for line in status
        .lines()
        .filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM"))
    {
        println!("{line}");
    }
}

/// A share of pixels that may differ: rounding of curves on another processor.
const TOLERATED: f64 = 0.001;

#[track_caller]
fn check(name: &str, view: &View, size: Size) {
    check_pixels(name, size, &draw(view, size));
}

#[track_caller]
fn check_pixels(name: &str, size: Size, pixels: &[u8]) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/screen/golden");
    let golden = folder.join(format!("{name}.png"));
    let actual = folder.join(format!("{name}.actual.png"));
    let png = small(size, pixels);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(&folder).expect("the folder can be made");
        std::fs::write(&golden, png).expect("the picture can be written");
        return;
    }
    let wrong = match decode(&golden) {
        Some((wanted, known)) if wanted == size => differing(&known, pixels),
        _ => 1.0,
    };
    if wrong > TOLERATED {
        std::fs::write(&actual, png).expect("the picture can be written");
        panic!(
            "{:.2} % of {name} differ; compare {} with {}",
            wrong * 100.0,
            golden.display(),
            actual.display()
        );
    }
    // A picture of an earlier failure would only confuse.
    let _ = std::fs::remove_file(actual);
}

/// Encodes for keeping: small rather than quick.
fn small(size: Size, pixels: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, size.width, size.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::High);
    // Flat colours: what a pixel is says more than how it differs from the one beside it.
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header().expect("memory takes it");
    writer.write_image_data(pixels).expect("memory takes it");
    writer.finish().expect("memory takes it");
    out
}

fn decode(path: &std::path::Path) -> Option<(Size, Vec<u8>)> {
    let file = std::io::BufReader::new(std::fs::File::open(path).ok()?);
    let mut reader = png::Decoder::new(file).read_info().ok()?;
    let mut pixels = vec![0; reader.output_buffer_size()?];
    let info = reader.next_frame(&mut pixels).ok()?;
    Some((
        Size {
            width: info.width,
            height: info.height,
        },
        pixels,
    ))
}

fn differing(a: &[u8], b: &[u8]) -> f64 {
    if a.len() != b.len() {
        return 1.0;
    }
    let pairs = a.chunks_exact(3).zip(b.chunks_exact(3));
    let differ = pairs
        .filter(|(a, b)| a.iter().zip(*b).any(|(a, b)| a.abs_diff(*b) > 24))
        .count();
    differ as f64 / (a.len() / 3) as f64
}

#[test]
fn portrait_screens_look_as_designed() {
    for (name, view) in [
        ("attract", samples::attract()),
        ("home", samples::home()),
        ("procedure", samples::procedure()),
        ("question-choice", samples::question_choice()),
        ("question-text", samples::question_text()),
        ("review", samples::review()),
        ("consent", samples::consent()),
        ("success", samples::success()),
        ("turn-lane", samples::turn_lane()),
        ("no-paper", samples::no_paper()),
        ("idle", samples::idle()),
        ("accessibility", samples::accessibility()),
    ] {
        check(name, &view, Size::PORTRAIT);
    }
}

#[test]
fn the_first_page_in_the_largest_letters_looks_as_designed() {
    let mut view = samples::home_first_page();
    view.size = TextSize::Huge;
    view.theme = Theme::Dark;
    check("home-dark-x2", &view, Size::PORTRAIT);
}

#[test]
fn landscape_screens_look_as_designed() {
    check("landscape-home", &samples::home(), Size::LANDSCAPE);
    check("landscape-question", &samples::question_choice(), Size::LANDSCAPE);
    check("landscape-success", &samples::success(), Size::LANDSCAPE);
}

#[test]
fn without_a_display_a_window_says_so() {
    use ventanilla::kiosk::run::{Driver, Key, ScreenError, run_window};
    struct Nobody;
    impl Driver for Nobody {
        fn view(&self) -> View {
            samples::attract()
        }
        fn act(&mut self, _: ventanilla::domain::session::view::Action) {}
        fn typed(&mut self, _: &str) {}
        fn key(&mut self, _: Key) {}
        fn tick(&mut self) {}
        fn inbox(&mut self) -> bool {
            false
        }
    }
    if ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"]
        .iter()
        .any(|name| std::env::var_os(name).is_some())
    {
        return;
    }
    let (_commands, received) = std::sync::mpsc::channel();
    assert!(matches!(
        run_window(Box::new(Nobody), received, true),
        Err(ScreenError::NoDisplay(_))
    ));
}
