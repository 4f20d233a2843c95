//! The board in Slint: in memory, to be looked at, and on a window of this machine.
//!
//! It must be used on the thread that made it.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use slint::platform::WindowEvent;
use slint::platform::software_renderer::MinimalSoftwareWindow;
use slint::{
    ComponentHandle, LogicalSize, ModelRc, PhysicalSize, PlatformError, Rgb8Pixel, SharedPixelBuffer, Timer,
    TimerMode, VecModel,
};
use ventanilla_ui as ui;

use super::picture::Picture;
use crate::domain::board::Emphasis;
use crate::i18n::{self, Language};
use crate::kiosk::run::{ScreenError, Size};
use crate::kiosk::screen::{in_memory, scale};
use crate::kiosk::stage;

/// How often the window looks for news: a call is on the screen well before its chime ends.
const LOOK: Duration = Duration::from_millis(50);

/// The component with what it shows.
struct Shown {
    ui: ui::Board,
    picture: Option<Picture>,
}

impl Shown {
    fn new(ui: ui::Board, language: Language) -> Self {
        let say = |key: &str| i18n::say(language, key).into();
        ui.set_ticket_word(say("office-board-ticket"));
        ui.set_counter_word(say("office-board-counter"));
        ui.set_none_text(say("office-board-none"));
        ui.set_waiting_word(say("office-board-waiting"));
        ui.set_minutes_word(say("office-board-minutes"));
        ui.set_fair_word(say("office-board-fair"));
        ui.set_lost_text(say("office-board-lost"));
        Self { ui, picture: None }
    }

    fn show(&mut self, picture: &Picture) {
        let before = self.picture.as_ref();
        if before == Some(picture) {
            return;
        }
        let ui = &self.ui;
        ui.set_office(picture.office.as_str().into());
        ui.set_room(picture.room.as_str().into());
        ui.set_day(picture.day.as_str().into());
        ui.set_time(picture.time.as_str().into());
        ui.set_rule(picture.rule.as_str().into());
        ui.set_lost(picture.lost);
        ui.set_light(match picture.emphasis {
            Emphasis::None => ui::BoardLight::None,
            Emphasis::Lit => ui::BoardLight::Lit,
            Emphasis::Frame => ui::BoardLight::Frame,
        });
        if before.is_none_or(|before| before.calls != picture.calls || before.lost != picture.lost) {
            let mut rows = picture.calls.iter().map(|(number, counter)| ui::BoardRow {
                number: number.as_str().into(),
                counter: counter.as_str().into(),
            });
            let newest = rows.next();
            ui.set_has_call(newest.is_some());
            ui.set_newest(newest.unwrap_or_default());
            // The strip that says "no connection" lies over the last of three.
            let past = if picture.lost { 2 } else { 3 };
            ui.set_past(ModelRc::new(VecModel::from_iter(rows.take(past))));
        }
        if before.is_none_or(|before| before.queues != picture.queues) {
            ui.set_queues(ModelRc::new(VecModel::from_iter(picture.queues.iter().map(
                |queue| ui::BoardLine {
                    series: queue.series.as_str().into(),
                    name: queue.name.as_str().into(),
                    people: queue.people.as_str().into(),
                    minutes: queue.minutes.as_str().into(),
                },
            ))));
        }
        self.picture = Some(picture.clone());
    }
}

/// A board in memory.
pub struct BoardScreen {
    window: Rc<MinimalSoftwareWindow>,
    shown: Shown,
    pixels: SharedPixelBuffer<Rgb8Pixel>,
    size: Size,
}

impl BoardScreen {
    /// Makes a board of `size` pixels that shows nothing yet.
    pub fn new(size: Size, language: Language) -> Result<Self, ScreenError> {
        let (ui, window) = in_memory(size, ui::Board::new)?;
        ui.show()
            .map_err(|error| ScreenError::NotMade(error.to_string()))?;
        Ok(Self {
            window,
            shown: Shown::new(ui, language),
            pixels: SharedPixelBuffer::new(size.width, size.height),
            size,
        })
    }

    /// Draws a picture and returns its rows of red, green and blue.
    pub fn draw(&mut self, picture: &Picture) -> &[u8] {
        self.shown.show(picture);
        slint::platform::update_timers_and_animations();
        let (pixels, width) = (&mut self.pixels, self.size.width as usize);
        self.window.draw_if_needed(|renderer| {
            ui::draw(renderer, pixels.make_mut_slice(), width);
        });
        self.pixels.as_bytes()
    }
}

/// Shows a board on the whole screen of this machine until `next` has no more pictures; only from the main thread.
///
/// `bare`: without a window system. `next` is called once each turn of the loop.
pub fn run_window(
    language: Language,
    bare: bool,
    mut next: impl FnMut() -> Option<Picture> + 'static,
) -> Result<(), ScreenError> {
    let no_display = |error: PlatformError| ScreenError::NoDisplay(error.to_string());
    if bare {
        // Nobody touches a board.
        stage::on_screen([1.0, 0.0, 0.0, 0.0, 1.0, 0.0])?;
    } else {
        stage::in_window()?;
    }
    let ui = ui::Board::new().map_err(no_display)?;
    ui.window().set_fullscreen(true);
    let shown = Rc::new(RefCell::new(Shown::new(ui.clone_strong(), language)));
    let timer = Timer::default();
    timer.start(TimerMode::Repeated, LOOK, {
        let size = RefCell::new(PhysicalSize::default());
        move || match next() {
            Some(picture) => {
                let mut shown = shown.borrow_mut();
                follow_size(&shown.ui, &mut size.borrow_mut());
                shown.show(&picture);
            }
            None => {
                if let Err(error) = slint::quit_event_loop() {
                    tracing::warn!(%error, "the window could not be closed");
                }
            }
        }
    });
    ui.run().map_err(no_display)
}

/// Draws everything smaller or larger with the window.
fn follow_size(ui: &ui::Board, known: &mut PhysicalSize) {
    let window = ui.window();
    let size = window.size();
    if size.width == 0 || size.height == 0 {
        return;
    }
    let factor = scale(Size {
        width: size.width,
        height: size.height,
    });
    // The display sets a factor of its own when the window is mapped, after ours and without a new size.
    if (window.scale_factor() - factor).abs() < 0.001 && size == *known {
        return;
    }
    *known = size;
    window.dispatch_event(WindowEvent::ScaleFactorChanged { scale_factor: factor });
    window.dispatch_event(WindowEvent::Resized {
        size: LogicalSize::new(size.width as f32 / factor, size.height as f32 / factor),
    });
}
