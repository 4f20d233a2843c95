//! The QR code of a paper: black and white modules, drawn large enough for an old phone.

use qrcode::{Color, EcLevel, QrCode};

use super::bitmap::Bitmap;

/// Fewest dots of a module.
pub(super) const MODULE_DOTS: u32 = 6;
/// White modules that a reader needs around the code.
pub(super) const QUIET: u32 = 4;
/// The box of a code that fits in it; longer codes make it grow.
pub(super) const BOX_DOTS: u32 = 260;

/// Draws `payload` in a square box with its white border, or nothing when it would not fit in
/// `room` dots with modules that can be read.
pub(super) fn picture(payload: &str, room: u32) -> Option<Bitmap> {
    let fits = |code: &QrCode| (code.width() as u32 + 2 * QUIET) * MODULE_DOTS <= room;
    let code = [EcLevel::M, EcLevel::L]
        .into_iter()
        .filter_map(|level| QrCode::with_error_correction_level(payload, level).ok())
        .find(fits)?;
    let modules = code.width() as u32;
    let outer = modules + 2 * QUIET;
    let dots = (BOX_DOTS / outer).max(MODULE_DOTS);
    let side = BOX_DOTS.max(outer * dots).min(room);
    let mut bitmap = Bitmap::new(side, side);
    stamp(&code, dots, (side - modules * dots) / 2, &mut bitmap);
    Some(bitmap)
}

/// The code as a printer draws it from `GS ( k`: no border.
pub(super) fn native(payload: &[u8], level: EcLevel, dots: u32) -> Option<Bitmap> {
    let code = QrCode::with_error_correction_level(payload, level).ok()?;
    let side = code.width() as u32 * dots;
    let mut bitmap = Bitmap::new(side, side);
    stamp(&code, dots, 0, &mut bitmap);
    Some(bitmap)
}

/// Modules across the code of `payload` at level M.
pub(super) fn modules(payload: &str) -> Option<u32> {
    QrCode::with_error_correction_level(payload, EcLevel::M)
        .ok()
        .map(|code| code.width() as u32)
}

fn stamp(code: &QrCode, dots: u32, offset: u32, on: &mut Bitmap) {
    let width = code.width();
    for (index, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            let (x, y) = ((index % width) as u32, (index / width) as u32);
            on.fill((offset + x * dots) as i32, (offset + y * dots) as i32, dots, dots);
        }
    }
}
