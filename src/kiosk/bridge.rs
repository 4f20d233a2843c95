//! Shows a `View` on the Slint component, touching only what changed.
//!
//! Rows of the models are replaced one by one, so that a letter typed redraws the field and nothing else.

use std::cell::RefCell;
use std::rc::Rc;

use i_slint_core::window::WindowInner;
use slint::{ComponentHandle, Global, Model, ModelRc, VecModel};
use ventanilla_ui as ui;

use super::compose::{Composed, compose};
use super::elements;
use super::pad::{Frame, Keypad, Moved, Pad};
use super::run::{Driver, Element, Key, Touch, give};
use crate::domain::session::view::{Action, Block, TextSize, Theme, View};
use crate::domain::sketch::Point;

/// The letters of a crowded screen shrink in these steps until everything fits.
const FITS: [f32; 11] = [1.0, 0.95, 0.9, 0.86, 0.82, 0.78, 0.74, 0.7, 0.64, 0.58, 0.5];

/// The Slint component with the view it shows.
pub struct Shown {
    ui: ui::Kiosk,
    view: RefCell<Option<(View, bool)>>,
    blocks: Rows<ui::Block>,
    aside: Rows<ui::Block>,
    bottom: Rows<ui::Item>,
    keypad: RefCell<Keypad>,
    touches: Rc<RefCell<Vec<Touch>>>,
}

impl Shown {
    /// Wraps a fresh component; `wake` is called whenever a touch waits to be taken.
    pub fn new(ui: ui::Kiosk, wake: impl Fn() + 'static) -> Self {
        let touches = Rc::new(RefCell::new(Vec::new()));
        let wake = Rc::new(wake);
        let act = ui::Act::get(&ui);
        act.on_act({
            let (touches, wake) = (touches.clone(), wake.clone());
            move |number| {
                if let Ok(number) = u16::try_from(number) {
                    touches.borrow_mut().push(Touch::Act(Action(number)));
                    wake();
                }
            }
        });
        act.on_typed({
            let (touches, wake) = (touches.clone(), wake.clone());
            move |text| {
                touches.borrow_mut().push(Touch::Typed(text.into()));
                wake();
            }
        });
        act.on_stroke({
            let (touches, wake) = (touches.clone(), wake.clone());
            move |path| {
                touches.borrow_mut().push(Touch::Stroke(points(&path)));
                wake();
            }
        });
        act.on_light({
            let (touches, wake) = (touches.clone(), wake.clone());
            move || {
                touches.borrow_mut().push(Touch::Light);
                wake();
            }
        });
        act.on_pad({
            let (touches, wake) = (touches.clone(), wake.clone());
            move |key| {
                touches.borrow_mut().push(Touch::Pad(match key {
                    ui::PadKey::Up => Pad::Up,
                    ui::PadKey::Down => Pad::Down,
                    ui::PadKey::Left => Pad::Left,
                    ui::PadKey::Right => Pad::Right,
                    ui::PadKey::Ok => Pad::Ok,
                    ui::PadKey::Back => Pad::Back,
                    ui::PadKey::Help => Pad::Help,
                }));
                wake();
            }
        });
        act.on_key({
            let touches = touches.clone();
            move |key| {
                touches.borrow_mut().push(Touch::Key(match key {
                    ui::KeyName::Shift => Key::Shift,
                    ui::KeyName::Back => Key::Back,
                    ui::KeyName::Clear => Key::Clear,
                    ui::KeyName::Digits => Key::Digits,
                }));
                wake();
            }
        });
        let shown = Self {
            blocks: Rows::default(),
            aside: Rows::default(),
            bottom: Rows::default(),
            view: RefCell::new(None),
            keypad: RefCell::default(),
            touches,
            ui,
        };
        shown.ui.set_blocks(shown.blocks.model());
        shown.ui.set_aside(shown.aside.model());
        shown.ui.set_bottom(shown.bottom.model());
        shown
    }

    /// The Slint component itself.
    pub fn ui(&self) -> &ui::Kiosk {
        &self.ui
    }

    /// Takes the touches given since the last call, in order.
    pub fn take_touches(&self) -> Vec<Touch> {
        self.touches.take()
    }

    /// Gives the driver the touches since the last call; a finger takes the keypad's ring away.
    pub fn hand_over(&self, driver: &mut dyn Driver) {
        for touch in self.take_touches() {
            match touch {
                Touch::Pad(key) => self.press(key, driver),
                touch => {
                    self.keypad.borrow_mut().leave();
                    self.ring();
                    give(driver, touch);
                }
            }
        }
    }

    /// Presses a key of the keypad: moves the ring, or gives the driver the touch that comes of it.
    pub fn press(&self, key: Pad, driver: &mut dyn Driver) {
        let wanted = match key {
            Pad::Back => self.bottom_action(&["arrow-left", "house-simple", "translate"]),
            Pad::Help => self.bottom_action(&["chats-circle", "hand-waving"]),
            Pad::Up | Pad::Down | Pad::Left | Pad::Right | Pad::Ok => None,
        };
        if let Some(action) = wanted {
            give(driver, Touch::Act(action));
            return;
        }
        let (elements, frame) = (self.elements(), self.frame());
        let moved = self.keypad.borrow_mut().press(key, &elements, frame);
        if let Some(moved) = moved {
            if let Moved::Touch(x, y) = moved {
                // A dark screen lies over everything; the keypad reaches under it.
                let dark = self.ui.get_dark();
                self.ui.set_dark(false);
                elements::tap(self.ui.window(), x, y);
                self.ui.set_dark(dark);
                for touch in self.take_touches() {
                    give(driver, touch);
                }
            }
            driver.moved(&moved);
        }
        self.ring();
    }

    /// What the keypad stands on.
    pub fn focused(&self) -> Option<Element> {
        self.keypad.borrow().focused(&self.elements(), self.frame())
    }

    /// What is visible, in reading order.
    pub fn elements(&self) -> Vec<Element> {
        elements::visible(self.ui.window())
    }

    /// How much letters are shrunk.
    pub(super) fn fit_now(&self) -> f32 {
        ui::Theme::get(&self.ui).get_fit()
    }

    fn bottom_action(&self, icons: &[&str]) -> Option<Action> {
        let view = self.view.borrow();
        let (view, _) = view.as_ref()?;
        let button = view.bottom.iter().find(|button| icons.contains(&button.icon))?;
        button.action
    }

    fn frame(&self) -> Frame {
        let scale = self.ui.window().scale_factor();
        Frame {
            top: self.ui.get_page_top() * scale,
            foot: self.ui.get_page_end() * scale,
            column: self.ui.get_column() * scale,
        }
    }

    /// Draws the ring where the keypad stands.
    fn ring(&self) {
        let on = self.keypad.borrow().is_on();
        let focused = on.then(|| self.focused()).flatten();
        self.ui.set_ring(focused.is_some());
        if let Some(at) = focused {
            let scale = self.ui.window().scale_factor();
            let px = |pixels: i32| pixels as f32 / scale;
            self.ui.set_ring_x(px(at.x));
            self.ui.set_ring_y(px(at.y));
            self.ui.set_ring_width(px(at.width));
            self.ui.set_ring_height(px(at.height));
        }
    }

    /// Shows `view`; does nothing when it is shown already. Returns whether something changed.
    pub fn show(&self, view: &View) -> bool {
        let size = self.ui.window().size();
        let landscape = size.width >= size.height;
        if self
            .view
            .borrow()
            .as_ref()
            .is_some_and(|(shown, wide)| shown == view && *wide == landscape)
        {
            return false;
        }
        let theme = ui::Theme::get(&self.ui);
        theme.set_colours(match view.theme {
            Theme::Normal => ui::Colours::Normal,
            Theme::Dark => ui::Colours::Dark,
            Theme::Clear => ui::Colours::Clear,
        });
        theme.set_letters(match view.size {
            TextSize::Normal => ui::Letters::Normal,
            TextSize::Large => ui::Letters::Large,
            TextSize::Huge => ui::Letters::Huge,
        });
        theme.set_landscape(landscape);
        let Composed {
            screen,
            blocks,
            aside,
            bottom,
        } = compose(view, landscape);
        self.ui.set_screen(screen);
        self.ui.set_dark(view.dark);
        self.blocks.replace(blocks);
        self.aside.replace(aside);
        self.bottom.replace(bottom);
        self.fit(&theme);
        let before = self.view.replace(Some((view.clone(), landscape)));
        if self.keypad.borrow().is_on() {
            // Another screen begins on its heading; an error on its field; the same one keeps the focus.
            let another = before.is_none_or(|(old, _)| is_another(&old, view));
            if another {
                let elements = self.elements();
                self.keypad
                    .borrow_mut()
                    .begin(&elements, self.frame(), is_wrong(view));
            }
            self.ring();
        }
        true
    }

    /// Shrinks letters and paddings until nothing is cut off.
    fn fit(&self, theme: &ui::Theme) {
        for fit in FITS {
            theme.set_fit(fit);
            // A changed model gets its elements only when somebody walks them; nothing has been drawn yet.
            WindowInner::from_pub(self.ui.window()).ensure_tree_instantiated();
            if self.ui.get_over() <= 0.5 {
                return;
            }
        }
        if let Some((view, _)) = self.view.borrow().as_ref() {
            tracing::warn!(face = view.face.name(), "the screen has more than fits");
        }
    }
}

/// The points of a path such as `M10 20L15 22`; what is not two numbers is left out.
fn points(path: &str) -> Vec<Point> {
    path.split(['M', 'L'])
        .filter_map(|part| {
            let (x, y) = part.trim().split_once(' ')?;
            let unit = |text: &str| Some(text.parse::<f32>().ok()?.clamp(0.0, 1000.0).round() as u16);
            Some((unit(x)?, unit(y)?))
        })
        .collect()
}

/// Whether the citizen is somewhere else now, and not only an answer, a letter or a second further.
fn is_another(old: &View, new: &View) -> bool {
    let place = |view: &View| view.progress.as_ref().map(|progress| progress.place.clone());
    let sheet = |view: &View| {
        view.blocks.iter().find_map(|block| match block {
            Block::Pager { place, .. } => Some(place.clone()),
            _ => None,
        })
    };
    old.face != new.face
        || old.title != new.title
        || old.keyboard.is_some() != new.keyboard.is_some()
        || place(old) != place(new)
        || sheet(old) != sheet(new)
        || (is_wrong(new) && !is_wrong(old))
}

/// Whether the screen says that something is wrong with what was typed.
fn is_wrong(view: &View) -> bool {
    view.blocks
        .iter()
        .any(|block| matches!(block, Block::Field { wrong: true, .. }))
}

/// A model whose rows are replaced one by one.
struct Rows<T: 'static>(Rc<VecModel<T>>);

impl<T: Clone + 'static> Default for Rows<T> {
    fn default() -> Self {
        Self(Rc::new(VecModel::default()))
    }
}

impl<T: Same + Clone + 'static> Rows<T> {
    fn model(&self) -> ModelRc<T> {
        ModelRc::from(self.0.clone())
    }

    fn replace(&self, rows: Vec<T>) {
        while self.0.row_count() > rows.len() {
            self.0.remove(self.0.row_count() - 1);
        }
        for (at, row) in rows.into_iter().enumerate() {
            match self.0.row_data(at) {
                Some(old) if old.same(&row) => {}
                Some(_) => self.0.set_row_data(at, row),
                None => self.0.push(row),
            }
        }
    }
}

/// Equal by content; models inside compare by their rows, not by their address.
trait Same {
    fn same(&self, other: &Self) -> bool;
}

impl Same for ui::Item {
    fn same(&self, other: &Self) -> bool {
        self == other
    }
}

impl<T: Same + Clone + 'static> Same for ModelRc<T> {
    fn same(&self, other: &Self) -> bool {
        self.row_count() == other.row_count() && self.iter().zip(other.iter()).all(|(a, b)| a.same(&b))
    }
}

impl Same for ui::Card {
    fn same(&self, other: &Self) -> bool {
        self.title == other.title
            && self.change == other.change
            && self.remove == other.remove
            && self.lines.same(&other.lines)
    }
}

impl Same for ui::Block {
    fn same(&self, other: &Self) -> bool {
        let inside =
            self.items.same(&other.items) && self.rows.same(&other.rows) && self.cards.same(&other.cards);
        if !inside || self.has_qr || other.has_qr {
            return false;
        }
        let mut alike = other.clone();
        alike.items = self.items.clone();
        alike.rows = self.rows.clone();
        alike.cards = self.cards.clone();
        alike.qr = self.qr.clone();
        alike == *self
    }
}
