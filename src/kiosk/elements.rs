//! What is on a window, read from Slint's accessibility tree, and touches given to it.

use i_slint_core::accessibility::{AccessibleStringProperty, accessible_descendents};
use i_slint_core::item_tree::ItemRc;
use i_slint_core::items::AccessibleRole;
use i_slint_core::window::WindowInner;
use slint::platform::{PointerEventButton, WindowEvent};
use slint::{LogicalPosition, Window};

use super::run::{Element, Size};

/// Presses and lets go at pixels of the window.
pub(super) fn tap(window: &Window, x: f32, y: f32) {
    let scale = window.scale_factor();
    let position = LogicalPosition::new(x / scale, y / scale);
    let button = PointerEventButton::Left;
    window.dispatch_event(WindowEvent::PointerMoved { position });
    window.dispatch_event(WindowEvent::PointerPressed { position, button });
    window.dispatch_event(WindowEvent::PointerReleased { position, button });
    // A finger leaves no pointer behind.
    window.dispatch_event(WindowEvent::PointerExited);
}

/// Presses at pixels of the window and holds on.
pub(super) fn hold(window: &Window, x: f32, y: f32) {
    let scale = window.scale_factor();
    let position = LogicalPosition::new(x / scale, y / scale);
    window.dispatch_event(WindowEvent::PointerMoved { position });
    window.dispatch_event(WindowEvent::PointerPressed {
        position,
        button: PointerEventButton::Left,
    });
}

/// Lets go where nothing is hit.
pub(super) fn let_go(window: &Window) {
    window.dispatch_event(WindowEvent::PointerReleased {
        position: LogicalPosition::new(-10.0, -10.0),
        button: PointerEventButton::Left,
    });
    window.dispatch_event(WindowEvent::PointerExited);
}

/// Presses, moves along pixels of the window, and lets go.
pub(super) fn draw(window: &Window, points: &[(f32, f32)]) {
    let scale = window.scale_factor();
    let button = PointerEventButton::Left;
    let position = |(x, y): (f32, f32)| LogicalPosition::new(x / scale, y / scale);
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return;
    };
    let (first, last) = (position(*first), position(*last));
    window.dispatch_event(WindowEvent::PointerMoved { position: first });
    window.dispatch_event(WindowEvent::PointerPressed {
        position: first,
        button,
    });
    for point in points.iter().skip(1) {
        window.dispatch_event(WindowEvent::PointerMoved {
            position: position(*point),
        });
    }
    window.dispatch_event(WindowEvent::PointerReleased {
        position: last,
        button,
    });
    window.dispatch_event(WindowEvent::PointerExited);
}

/// What is visible, in reading order; sizes in pixels of the window.
pub(super) fn visible(window: &Window) -> Vec<Element> {
    let inner = WindowInner::from_pub(window);
    inner.ensure_tree_instantiated();
    let root = ItemRc::new_root(inner.component());
    let scale = window.scale_factor();
    let size = window.size();
    let size = Size {
        width: size.width,
        height: size.height,
    };
    accessible_descendents(&root)
        .filter_map(|item| element(&item, scale, size))
        .collect()
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
