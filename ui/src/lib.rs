//! The touch screens as Slint generates them: no logic lives here.
//!
//! Begin reading at `slint/kiosk.slint`; the values that fill it come from `ventanilla`'s `kiosk` face.
#![allow(missing_docs)]

slint::include_modules!();
