//! Shows a `View` on the Slint component, touching only what changed.
//!
//! Rows of the models are replaced one by one, so that a letter typed redraws the field and nothing else.

use std::cell::RefCell;
use std::rc::Rc;

use i_slint_core::window::WindowInner;
use slint::{ComponentHandle, Global, Model, ModelRc, VecModel};
use ventanilla_ui as ui;

use super::compose::{Composed, compose};
use super::run::{Key, Touch};
use crate::domain::session::view::{Action, TextSize, Theme, View};

/// The letters of a crowded screen shrink in these steps until everything fits.
const FITS: [f32; 11] = [1.0, 0.95, 0.9, 0.86, 0.82, 0.78, 0.74, 0.7, 0.64, 0.58, 0.5];

/// The Slint component with the view it shows.
pub struct Shown {
    ui: ui::Kiosk,
    view: RefCell<Option<(View, bool)>>,
    blocks: Rows<ui::Block>,
    aside: Rows<ui::Block>,
    bottom: Rows<ui::Item>,
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
        self.blocks.replace(blocks);
        self.aside.replace(aside);
        self.bottom.replace(bottom);
        self.fit(&theme);
        *self.view.borrow_mut() = Some((view.clone(), landscape));
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

impl Same for ui::Block {
    fn same(&self, other: &Self) -> bool {
        if !self.items.same(&other.items) || !self.rows.same(&other.rows) || self.has_qr || other.has_qr {
            return false;
        }
        let mut alike = other.clone();
        alike.items = self.items.clone();
        alike.rows = self.rows.clone();
        alike.qr = self.qr.clone();
        alike == *self
    }
}
