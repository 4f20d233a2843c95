//! Where a screen stands: in a window, or on the bare display of an appliance.
//!
//! One of the two is chosen once, before anything of Slint is made. The bare display needs the feature `appliance`,
//! the only one that links libraries of the system (libinput and its kind).

use super::run::ScreenError;

/// Where a finger is on the picture: the first two rows of a matrix over positions from 0 to 1.
pub type TouchMatrix = [f32; 6];

/// The next component goes into a window.
pub(crate) fn in_window() -> Result<(), ScreenError> {
    let no_display = |error: slint::PlatformError| ScreenError::NoDisplay(error.to_string());
    if ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"]
        .iter()
        .all(|name| std::env::var_os(name).is_none())
    {
        return Err(ScreenError::NoDisplay("neither is set".into()));
    }
    slint::BackendSelector::new()
        .backend_name("winit".into())
        .renderer_name("software".into())
        .select()
        .map_err(no_display)
}

/// The next component takes the whole display; touches are moved by `touch`.
#[cfg(not(all(feature = "appliance", target_os = "linux")))]
pub(crate) fn on_screen(_touch: TouchMatrix) -> Result<(), ScreenError> {
    Err(ScreenError::NotBuiltIn)
}

/// The next component takes the whole display; touches are moved by `touch`.
#[cfg(all(feature = "appliance", target_os = "linux"))]
pub(crate) fn on_screen(touch: TouchMatrix) -> Result<(), ScreenError> {
    slint::BackendSelector::new()
        .backend_name("linuxkms".into())
        .renderer_name("software".into())
        .with_libinput_event_hook(move |event| kept_back(event, touch))
        .select()
        .map_err(|error| ScreenError::NoScreen(error.to_string()))
}

/// Prepares a touch panel that appears; true for what must not reach the screen.
#[cfg(all(feature = "appliance", target_os = "linux"))]
fn kept_back(event: &input::Event, touch: TouchMatrix) -> bool {
    use input::event::keyboard::KeyboardEventTrait;
    use input::event::{DeviceEvent, Event, EventTrait};

    /// Control, Alt and the logo keys, left and right, as the kernel numbers them.
    const MODIFIERS: [u32; 6] = [29, 97, 56, 100, 125, 126];

    match event {
        Event::Device(DeviceEvent::Added(added)) => {
            let mut device = added.device();
            if device.config_calibration_has_matrix()
                && let Err(problem) = device.config_calibration_set_matrix(touch)
            {
                tracing::warn!(?problem, "the touch panel does not take its matrix");
            }
            false
        }
        // Slint ends its loop at Control, Alt and Backspace; no keyboard that is plugged in may do that.
        Event::Keyboard(key) => match key {
            input::event::KeyboardEvent::Key(key) => MODIFIERS.contains(&key.key()),
            _ => false,
        },
        _ => false,
    }
}
