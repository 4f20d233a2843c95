//! The screen on a display of this machine, by whatever stage was chosen before.
//!
//! Everything happens on the main thread: touches are given to the driver as they come, and a timer looks at the
//! inbox. Begin at [`run`].

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use slint::platform::WindowEvent;
use slint::{ComponentHandle, LogicalSize, PhysicalSize, PlatformError, Timer, TimerMode};

use super::bridge::Shown;
use super::run::{Command, Driver, Hand, ScreenError, Size};
use super::screen::scale;

/// How long news from the shell may wait until the screen shows them.
const LOOK_AT_INBOX: Duration = Duration::from_millis(40);

struct Pump {
    driver: Box<dyn Driver>,
    shown: Shown,
    commands: Receiver<Command>,
    next_tick: Instant,
    size: PhysicalSize,
}

pub(super) fn run(
    driver: Box<dyn Driver>,
    commands: Receiver<Command>,
    full_screen: bool,
) -> Result<(), ScreenError> {
    let no_display = |error: PlatformError| ScreenError::NoDisplay(error.to_string());
    let ui = ventanilla_ui::Kiosk::new().map_err(no_display)?;
    if full_screen {
        ui.window().set_fullscreen(true);
    } else {
        ui.window().set_size(PhysicalSize::new(
            Size::PORTRAIT.width / 2,
            Size::PORTRAIT.height / 2,
        ));
    }
    let pump: Rc<RefCell<Option<Pump>>> = Rc::default();
    let wake = {
        let pump = Rc::downgrade(&pump);
        move || {
            // Not at once: the touch is still being handled inside Slint.
            let pump = pump.clone();
            Timer::single_shot(Duration::ZERO, move || {
                if let Some(pump) = pump.upgrade() {
                    work(&pump);
                }
            });
        }
    };
    let shown = Shown::new(ui, wake);
    *pump.borrow_mut() = Some(Pump {
        driver,
        shown,
        commands,
        next_tick: Instant::now() + Duration::from_secs(1),
        size: PhysicalSize::default(),
    });
    work(&pump);
    let timer = Timer::default();
    timer.start(TimerMode::Repeated, LOOK_AT_INBOX, {
        let pump = pump.clone();
        let mut drawn = false;
        move || {
            work(&pump);
            // Timers run before the loop draws: only the second time is a frame on the screen.
            if std::mem::replace(&mut drawn, true)
                && let Ok(mut pump) = pump.try_borrow_mut()
                && let Some(pump) = pump.as_mut()
            {
                pump.driver.turned();
            }
        }
    });
    let ui = pump.borrow().as_ref().map(|pump| pump.shown.ui().clone_strong());
    match ui {
        Some(ui) => ui.run().map_err(no_display),
        None => Ok(()),
    }
}

/// Commands, touches, news, then the view.
fn work(pump: &RefCell<Option<Pump>>) {
    // Busy only when a touch comes from inside this very function; its turn comes with the next timer.
    let Ok(mut pump) = pump.try_borrow_mut() else {
        return;
    };
    let Some(pump) = pump.as_mut() else { return };
    loop {
        match pump.commands.try_recv() {
            // Taps and pictures belong to the web page; dropping their reply tells the asker.
            Ok(
                Command::Tap { .. }
                | Command::Draw { .. }
                | Command::Type { .. }
                | Command::Pad { .. }
                | Command::Png(_)
                | Command::View(_),
            ) => {}
            Ok(Command::Free(reply)) => {
                let free = !pump.driver.view().face.is_somebodys();
                let picture = free.then(|| picture(pump.shown.ui().window())).flatten();
                let _ = reply.send(picture);
            }
            Ok(Command::Hand(Hand::Pad(key))) => pump.shown.press(key, pump.driver.as_mut()),
            Ok(Command::Hand(Hand::Voice(key))) => pump.driver.voice(key),
            Ok(Command::Hand(Hand::Headphones(are_in))) => pump.driver.headphones(are_in),
            Ok(Command::Wake) => {}
            Ok(Command::Stop) | Err(TryRecvError::Disconnected) => {
                if let Err(error) = slint::quit_event_loop() {
                    tracing::warn!(%error, "the window could not be closed");
                }
                return;
            }
            Err(TryRecvError::Empty) => break,
        }
    }
    pump.shown.hand_over(pump.driver.as_mut());
    pump.driver.inbox();
    let now = Instant::now();
    if now >= pump.next_tick {
        pump.driver.tick();
        pump.next_tick = now + Duration::from_secs(1);
    }
    follow_size(pump);
    pump.shown.show(&pump.driver.view());
}

/// The window as PNG at half the size.
fn picture(window: &slint::Window) -> Option<Vec<u8>> {
    let pixels = match window.take_snapshot() {
        Ok(pixels) => pixels,
        Err(problem) => {
            tracing::warn!(%problem, "no picture of the screen can be taken");
            return None;
        }
    };
    let size = Size {
        width: pixels.width(),
        height: pixels.height(),
    };
    let rgb: Vec<u8> = pixels
        .as_slice()
        .iter()
        .flat_map(|pixel| [pixel.r, pixel.g, pixel.b])
        .collect();
    super::picture::half(size, &rgb)
}

/// Draws everything smaller or larger with the window, so that the layout keeps the room it was designed for.
fn follow_size(pump: &mut Pump) {
    let window = pump.shown.ui().window();
    let size = window.size();
    if size.width == 0 || size.height == 0 {
        return;
    }
    let factor = scale(Size {
        width: size.width,
        height: size.height,
    });
    // The display sets a factor of its own when the window is mapped, after ours and without a new size.
    let ours = (window.scale_factor() - factor).abs() < 0.001;
    if ours && size == pump.size {
        return;
    }
    pump.size = size;
    window.dispatch_event(WindowEvent::ScaleFactorChanged { scale_factor: factor });
    window.dispatch_event(WindowEvent::Resized {
        size: LogicalSize::new(size.width as f32 / factor, size.height as f32 / factor),
    });
}
