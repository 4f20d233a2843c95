//! A screen in memory: Slint's software renderer without a display, to be looked at, read and tapped.
//!
//! It must be used on the thread that made it. Sizes and taps are in pixels of the screen; a screen smaller than
//! the reference is drawn smaller, so that every layout has at least the room it was designed for.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use slint::platform::software_renderer::{MinimalSoftwareWindow, RepaintBufferType};
use slint::platform::{Platform, WindowAdapter, WindowEvent};
use slint::{ComponentHandle, PhysicalSize, PlatformError, Rgb8Pixel, SharedPixelBuffer};

use super::bridge::Shown;
use super::pad::Pad;
use super::run::{Driver, Element, Picture, ScreenError, Size, Touch};
use crate::domain::session::view::View;

thread_local! {
    /// The window that the platform made last; `None` before the platform is set on this thread.
    static MADE: RefCell<Option<Rc<MinimalSoftwareWindow>>> = const { RefCell::new(None) };
    static READY: Cell<bool> = const { Cell::new(false) };
}

struct InMemory {
    started: Instant,
}

impl Platform for InMemory {
    fn create_window_adapter(&self) -> Result<Rc<dyn WindowAdapter>, PlatformError> {
        let window = MinimalSoftwareWindow::new(RepaintBufferType::ReusedBuffer);
        MADE.with(|made| *made.borrow_mut() = Some(window.clone()));
        Ok(window)
    }

    fn duration_since_start(&self) -> Duration {
        self.started.elapsed()
    }
}

/// How much smaller than the design a screen is drawn; 1 on the reference sizes.
pub fn scale(size: Size) -> f32 {
    let Size { width, height } = size;
    let design = if width >= height {
        Size::LANDSCAPE
    } else {
        Size::PORTRAIT
    };
    (width as f32 / design.width as f32).min(height as f32 / design.height as f32)
}

/// Makes a component of a window in memory, at the scale that `size` needs.
pub(crate) fn in_memory<T>(
    size: Size,
    make: impl FnOnce() -> Result<T, PlatformError>,
) -> Result<(T, Rc<MinimalSoftwareWindow>), ScreenError> {
    if !READY.get() {
        slint::platform::set_platform(Box::new(InMemory {
            started: Instant::now(),
        }))
        .map_err(|error| ScreenError::NotMade(error.to_string()))?;
        READY.set(true);
    }
    let component = make().map_err(|error| ScreenError::NotMade(error.to_string()))?;
    let window = MADE
        .with(|made| made.borrow_mut().take())
        .ok_or_else(|| ScreenError::NotMade("Slint made no window".into()))?;
    window.dispatch_event(WindowEvent::ScaleFactorChanged {
        scale_factor: scale(size),
    });
    slint::Window::set_size(&window, PhysicalSize::new(size.width, size.height));
    Ok((component, window))
}

/// The screen.
pub struct Screen {
    window: Rc<MinimalSoftwareWindow>,
    shown: Shown,
    pixels: SharedPixelBuffer<Rgb8Pixel>,
    size: Size,
    frame: u64,
    picture: Option<Picture>,
}

impl Screen {
    /// Makes a screen of `size` pixels that shows nothing yet.
    pub fn new(size: Size) -> Result<Self, ScreenError> {
        let failed = |error: PlatformError| ScreenError::NotMade(error.to_string());
        let (ui, window) = in_memory(size, ventanilla_ui::Kiosk::new)?;
        ui.show().map_err(failed)?;
        Ok(Self {
            window,
            shown: Shown::new(ui, || {}),
            pixels: SharedPixelBuffer::new(size.width, size.height),
            size,
            frame: 0,
            picture: None,
        })
    }

    /// Shows a view; the picture follows with [`Self::render`].
    pub fn show(&mut self, view: &View) -> bool {
        self.shown.show(view)
    }

    /// Touches given since the last call.
    pub fn take_touches(&mut self) -> Vec<Touch> {
        self.shown.take_touches()
    }

    /// Gives the driver the touches since the last call.
    pub fn hand_over(&mut self, driver: &mut dyn Driver) {
        self.shown.hand_over(driver);
    }

    /// Presses a key of the keypad.
    pub fn press(&mut self, key: Pad, driver: &mut dyn Driver) {
        self.shown.press(key, driver);
    }

    /// What the keypad stands on.
    pub fn focused(&self) -> Option<Element> {
        self.shown.focused()
    }

    /// How much letters and paddings were shrunk so that nothing is cut off; 1 for not at all.
    pub fn fit(&self) -> f32 {
        self.shown.fit_now()
    }

    /// Whether more is on the screen than fits, even with the smallest letters.
    pub fn is_cut_off(&self) -> bool {
        self.shown.ui().get_over() > 0.5
    }

    /// Runs timers that are due.
    pub fn update_timers(&mut self) {
        slint::platform::update_timers_and_animations();
    }

    /// Time until the next timer, if one is running.
    pub fn until_timer(&self) -> Option<Duration> {
        slint::platform::duration_until_next_timer_update()
    }

    /// Draws what changed and returns the number of the frame, which grows with every change.
    pub fn render(&mut self) -> u64 {
        let (pixels, width) = (&mut self.pixels, self.size.width as usize);
        let drawn = self.window.draw_if_needed(|renderer| {
            ventanilla_ui::draw(renderer, pixels.make_mut_slice(), width);
        });
        if drawn {
            self.frame += 1;
            self.picture = None;
        }
        self.frame
    }

    /// The drawn pixels as rows of red, green and blue.
    pub fn rgb(&self) -> &[u8] {
        self.pixels.as_bytes()
    }

    /// Size in pixels.
    pub fn size(&self) -> Size {
        self.size
    }

    /// The picture as PNG; made once for each frame.
    pub fn picture(&mut self) -> Result<Picture, ScreenError> {
        let frame = self.render();
        if let Some(picture) = &self.picture {
            return Ok(picture.clone());
        }
        let picture = Picture {
            frame,
            png: encode(self.size, self.rgb())?.into(),
        };
        self.picture = Some(picture.clone());
        Ok(picture)
    }

    /// Presses and lets go at pixels of the screen.
    pub fn tap(&mut self, x: f32, y: f32) {
        super::elements::tap(&self.window, x, y);
        self.update_timers();
    }

    /// A finger that goes along pixels of the screen.
    pub fn draw(&mut self, points: &[(f32, f32)]) {
        super::elements::draw(&self.window, points);
        self.update_timers();
    }

    /// Presses at pixels of the screen and does not let go.
    pub fn hold(&mut self, x: f32, y: f32) {
        super::elements::hold(&self.window, x, y);
        self.update_timers();
    }

    /// Takes the finger off the screen, beside everything.
    pub fn let_go(&mut self) {
        super::elements::let_go(&self.window);
        self.update_timers();
    }

    /// What is visible, from Slint's accessibility tree, in reading order.
    pub fn elements(&self) -> Vec<Element> {
        self.shown.elements()
    }
}

/// Encodes rows of red, green and blue quickly rather than small.
pub fn encode(size: Size, rgb: &[u8]) -> Result<Vec<u8>, ScreenError> {
    let mut out = Vec::with_capacity(256 * 1024);
    let mut encoder = png::Encoder::new(&mut out, size.width, size.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fastest);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(rgb)?;
    writer.finish()?;
    Ok(out)
}
