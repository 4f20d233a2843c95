//! Every widget in every state, as pictures beside one another.
//!
//! `cargo run --example gallery -- FOLDER` writes the pictures and `FOLDER/index.html`: all samples of the screen tests
//! and pages of states, in each theme and size of letters, portrait and landscape, at rest, pressed and with the
//! keypad's ring.

#![expect(clippy::print_stdout, reason = "it says where the pictures are")]

#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../tests/screen/samples/mod.rs"]
mod samples;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ventanilla::domain::session::view::{Action, TextSize, Theme, View};
use ventanilla::kiosk::pad::Pad;
use ventanilla::kiosk::run::{Driver, Key, Size};
use ventanilla::kiosk::screen::{Screen, encode};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "gallery".into()));
    std::fs::create_dir_all(&folder)?;
    let mut page = String::from(HEAD);
    for (size, frame) in [(Size::PORTRAIT, "portrait"), (Size::LANDSCAPE, "landscape")] {
        let mut screen = Screen::new(size)?;
        let _ = write!(page, "<h1>{frame}</h1>");
        for (name, view) in samples::all().into_iter().chain(samples::states()) {
            let _ = write!(page, "<h2>{name}</h2><div>");
            for (theme, colours) in [
                (Theme::Normal, "normal"),
                (Theme::Dark, "dark"),
                (Theme::Clear, "clear"),
            ] {
                for (letters, times) in [
                    (TextSize::Normal, "x1"),
                    (TextSize::Large, "x1.5"),
                    (TextSize::Huge, "x2"),
                ] {
                    let view = View {
                        theme,
                        size: letters,
                        ..view.clone()
                    };
                    let file = format!("{frame}-{name}-{colours}-{times}.png");
                    screen.show(&view);
                    screen.render();
                    shot(&screen, &folder, &file, &mut page)?;
                }
            }
            if name.starts_with("states") {
                pressed(&mut screen, &view, &folder, &format!("{frame}-{name}"), &mut page)?;
            }
            page.push_str("</div>");
        }
    }
    std::fs::write(folder.join("index.html"), page)?;
    println!("gallery {}", folder.join("index.html").display());
    Ok(())
}

const HEAD: &str = "<!doctype html><meta charset=\"utf-8\"><title>Ventanilla · gallery</title><style>\
    body{font:16px system-ui;background:#888;margin:16px}div{display:flex;flex-wrap:wrap;gap:12px}\
    figure{margin:0}img{height:480px;display:block}</style>";

fn shot(
    screen: &Screen,
    folder: &Path,
    file: &str,
    page: &mut String,
) -> Result<(), Box<dyn std::error::Error>> {
    std::fs::write(folder.join(file), encode(screen.size(), screen.rgb())?)?;
    let _ = write!(
        page,
        "<figure><img loading=\"lazy\" src=\"{file}\" alt=\"\"><figcaption>{file}</figcaption></figure>"
    );
    Ok(())
}

/// The first control held down, and the keypad's ring on it.
fn pressed(
    screen: &mut Screen,
    view: &View,
    folder: &Path,
    name: &str,
    page: &mut String,
) -> Result<(), Box<dyn std::error::Error>> {
    screen.show(view);
    let control = screen
        .elements()
        .into_iter()
        .find(|one| matches!(one.role, "button" | "choice") && one.enabled && one.y > 300);
    if let Some(one) = control {
        screen.hold((one.x + one.width / 2) as f32, (one.y + one.height / 2) as f32);
        screen.render();
        shot(screen, folder, &format!("{name}-pressed.png"), page)?;
        screen.let_go();
    }
    let mut nobody = Still(view.clone());
    for _ in 0..2 {
        screen.press(Pad::Down, &mut nobody);
    }
    screen.render();
    shot(screen, folder, &format!("{name}-focus.png"), page)?;
    screen.tap(1.0, 1.0);
    screen.hand_over(&mut nobody);
    Ok(())
}

/// Nobody: a view that never changes.
struct Still(View);

impl Driver for Still {
    fn view(&self) -> View {
        self.0.clone()
    }
    fn act(&mut self, _: Action) {}
    fn typed(&mut self, _: &str) {}
    fn key(&mut self, _: Key) {}
    fn tick(&mut self) {}
    fn inbox(&mut self) -> bool {
        false
    }
}
