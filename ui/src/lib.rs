//! The touch screens as Slint generates them: no logic lives here.
//!
//! Begin reading at `slint/kiosk.slint` and `slint/board.slint`; the values that fill them come from the faces `kiosk`
//! and `board` of `ventanilla`.
#![allow(missing_docs)]

slint::include_modules!();

/// Draws what changed into rows of red, green and blue.
///
/// It stands here because the renderer is generic over the pixel: code made from it belongs to the crate that calls
/// it, and this crate is optimized while developing, too.
pub fn draw(
    renderer: &slint::platform::software_renderer::SoftwareRenderer,
    pixels: &mut [slint::Rgb8Pixel],
    width: usize,
) {
    renderer.render(pixels, width);
}
