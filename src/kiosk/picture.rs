//! Small pictures of the screen, for whoever looks after the kiosk from afar.

use super::run::Size;

/// Rows of red, green and blue as a PNG of half the width and half the height; nothing where it cannot be made.
pub(super) fn half(size: Size, rgb: &[u8]) -> Option<Vec<u8>> {
    let (width, height) = (size.width / 2, size.height / 2);
    let row = size.width as usize * 3;
    let mut small = Vec::with_capacity(width as usize * height as usize * 3);
    for y in 0..height as usize {
        for x in 0..width as usize {
            for colour in 0..3 {
                let at = |dx: usize, dy: usize| {
                    let place = (2 * y + dy) * row + (2 * x + dx) * 3 + colour;
                    rgb.get(place).map(|value| u16::from(*value))
                };
                let sum = at(0, 0)? + at(1, 0)? + at(0, 1)? + at(1, 1)?;
                small.push(u8::try_from(sum / 4).unwrap_or(u8::MAX));
            }
        }
    }
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    // It travels over a mobile line: small counts more than quick.
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(&small).ok()?;
    writer.finish().ok()?;
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_pixels_become_one() {
        let size = Size { width: 4, height: 2 };
        let rgb: Vec<u8> = (0..24).map(|n| n * 10).collect();
        let png = half(size, &rgb).expect("made");
        let mut reader = png::Decoder::new(std::io::Cursor::new(png))
            .read_info()
            .expect("a picture");
        let mut pixels = vec![0; 6];
        reader.next_frame(&mut pixels).expect("pixels");
        assert_eq!(pixels, [75, 85, 95, 135, 145, 155]);
        assert_eq!(half(size, &rgb[..20]), None);
    }
}
