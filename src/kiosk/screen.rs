//! A screen in memory: Slint's software renderer without a display, to be looked at, read and tapped.
//!
//! It must be used on the thread that made it. Sizes and taps are in pixels of the screen; a screen smaller than
//! the reference is drawn smaller, so that every layout has at least the room it was designed for.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use i_slint_core::accessibility::{AccessibleStringProperty, accessible_descendents};
use i_slint_core::item_tree::ItemRc;
use i_slint_core::items::AccessibleRole;
use i_slint_core::window::WindowInner;
use slint::platform::software_renderer::{MinimalSoftwareWindow, RepaintBufferType};
use slint::platform::{Platform, PointerEventButton, WindowAdapter, WindowEvent};
use slint::{ComponentHandle, LogicalPosition, PhysicalSize, PlatformError, Rgb8Pixel, SharedPixelBuffer};

use super::bridge::Shown;
use super::run::{Element, Picture, ScreenError, Size, Touch};
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
        let scale = self.window.scale_factor();
        let position = LogicalPosition::new(x / scale, y / scale);
        let button = PointerEventButton::Left;
        self.window.dispatch_event(WindowEvent::PointerMoved { position });
        self.window
            .dispatch_event(WindowEvent::PointerPressed { position, button });
        self.window
            .dispatch_event(WindowEvent::PointerReleased { position, button });
        // A finger leaves no pointer behind.
        self.window.dispatch_event(WindowEvent::PointerExited);
        self.update_timers();
    }

    /// What is visible, from Slint's accessibility tree, in reading order.
    pub fn elements(&self) -> Vec<Element> {
        let inner = WindowInner::from_pub(self.window.window());
        inner.ensure_tree_instantiated();
        let root = ItemRc::new_root(inner.component());
        let scale = self.window.scale_factor();
        accessible_descendents(&root)
            .filter_map(|item| element(&item, scale, self.size))
            .collect()
    }
}

fn element(item: &ItemRc, scale: f32, size: Size) -> Option<Element> {
    if !item.is_visible() {
        return None;
    }
    let text = |what| {
        item.accessible_string_property(what)
            .map(String::from)
            .unwrap_or_default()
    };
    let role = match item.accessible_role() {
        AccessibleRole::Button => "button",
        AccessibleRole::TextInput => "input",
        AccessibleRole::Checkbox | AccessibleRole::RadioButton => "choice",
        AccessibleRole::Text if text(AccessibleStringProperty::Id) == "heading" => "heading",
        AccessibleRole::Text | AccessibleRole::Image => "text",
        _ => return None,
    };
    let geometry = item.geometry();
    let corner = item.map_to_window(geometry.origin);
    let (x, y) = (corner.x * scale, corner.y * scale);
    let (width, height) = (geometry.width() * scale, geometry.height() * scale);
    let label = text(AccessibleStringProperty::Label).replace('\n', " ");
    let outside = x + width <= 0.0 || y + height <= 0.0 || x >= size.width as f32 || y >= size.height as f32;
    if outside || width <= 0.0 || height <= 0.0 || label.is_empty() && role == "text" {
        return None;
    }
    Some(Element {
        role,
        label,
        value: text(AccessibleStringProperty::Value),
        enabled: text(AccessibleStringProperty::Enabled) != "false",
        x: x.round() as i32,
        y: y.round() as i32,
        width: width.round() as i32,
        height: height.round() as i32,
    })
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
