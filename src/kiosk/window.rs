//! A window of this machine that shows the screen: the same component on Slint's winit backend.
//!
//! It is drawn in software and fills the display. Layouts are those of the reference sizes, enlarged or shrunk to
//! the pixels there are.

use std::ops::ControlFlow;
use std::time::Duration;

use i_slint_core::InternalToken;
use i_slint_core::context::with_global_context;
use slint::platform::{PointerEventButton, WindowEvent};
use slint::{ComponentHandle, LogicalPosition, PhysicalSize, PlatformError};

use super::bridge::Shown;
use super::run::{Element, ScreenError, Size, Touch};
use super::screen::{read, scale};
use crate::domain::session::view::View;

/// The window with what it shows.
pub(super) struct Window {
    shown: Shown,
    fitted: PhysicalSize,
}

impl Window {
    /// Opens the window; `size` counts until the display has given its own.
    pub(super) fn open(size: Size) -> Result<Self, ScreenError> {
        let refused = |error: PlatformError| ScreenError::NoDisplay(error.to_string());
        slint::BackendSelector::new()
            .backend_name("winit".into())
            .renderer_name("software".into())
            .select()
            .map_err(refused)?;
        let ui = ventanilla_ui::Kiosk::new().map_err(refused)?;
        ui.window().set_size(PhysicalSize::new(size.width, size.height));
        ui.window().set_fullscreen(true);
        ui.show().map_err(refused)?;
        let mut window = Self {
            shown: Shown::new(ui, || {}),
            fitted: PhysicalSize::default(),
        };
        window.fit();
        Ok(window)
    }

    /// Waits for the display at most `pause`; false when the window was closed.
    pub(super) fn wait(&mut self, pause: Duration) -> Result<bool, ScreenError> {
        let flow = with_global_context(
            || Err(PlatformError::NoPlatform),
            |context| context.platform().process_events(Some(pause), InternalToken),
        )
        .and_then(|flow| flow)
        .map_err(|error| ScreenError::NoDisplay(error.to_string()))?;
        self.fit();
        Ok(matches!(flow, ControlFlow::Continue(())) && self.shown.ui().window().is_visible())
    }

    /// Draws the layout at the scale of the window's size.
    fn fit(&mut self) {
        let window = self.shown.ui().window();
        let size = window.size();
        if size == self.fitted || size.width == 0 || size.height == 0 {
            return;
        }
        self.fitted = size;
        let scale_factor = scale(Size {
            width: size.width,
            height: size.height,
        });
        window.dispatch_event(WindowEvent::ScaleFactorChanged { scale_factor });
        window.dispatch_event(WindowEvent::Resized {
            size: size.to_logical(scale_factor),
        });
        window.request_redraw();
    }

    /// Shows a view.
    pub(super) fn show(&self, view: &View) {
        self.shown.show(view);
    }

    /// Touches given since the last call.
    pub(super) fn take_touches(&self) -> Vec<Touch> {
        self.shown.take_touches()
    }

    /// Presses and lets go at pixels of the window.
    pub(super) fn tap(&self, x: f32, y: f32) {
        let window = self.shown.ui().window();
        let scale = window.scale_factor();
        let position = LogicalPosition::new(x / scale, y / scale);
        let button = PointerEventButton::Left;
        window.dispatch_event(WindowEvent::PointerMoved { position });
        window.dispatch_event(WindowEvent::PointerPressed { position, button });
        window.dispatch_event(WindowEvent::PointerReleased { position, button });
        window.dispatch_event(WindowEvent::PointerExited);
    }

    /// What is visible, in reading order.
    pub(super) fn elements(&self) -> Vec<Element> {
        let size = self.fitted;
        read(
            self.shown.ui().window(),
            Size {
                width: size.width,
                height: size.height,
            },
        )
    }
}
