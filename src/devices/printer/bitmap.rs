//! Black dots on white paper.

/// A rectangle of dots, one bit each, rows padded to whole bytes: the shape of a raster command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bitmap {
    width: u32,
    height: u32,
    bits: Vec<u8>,
}

impl Bitmap {
    /// White paper of `width` by `height` dots.
    pub fn new(width: u32, height: u32) -> Self {
        let bits = vec![0; (width.div_ceil(8) * height) as usize];
        Self { width, height, bits }
    }

    /// Dots across.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Dots down.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Bytes of one row.
    pub(super) fn stride(&self) -> u32 {
        self.width.div_ceil(8)
    }

    /// The bytes of row `y`, the leftmost dot in the highest bit.
    pub(super) fn row(&self, y: u32) -> &[u8] {
        let start = (y * self.stride()) as usize;
        &self.bits[start..start + self.stride() as usize]
    }

    /// Whether the dot is black; outside the paper nothing is.
    pub fn is_black(&self, x: u32, y: u32) -> bool {
        x < self.width && y < self.height && self.row(y)[(x / 8) as usize] & (0x80 >> (x % 8)) != 0
    }

    /// Blackens a dot; outside the paper nothing happens.
    pub fn blacken(&mut self, x: i32, y: i32) {
        if let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y))
            && x < self.width
            && y < self.height
        {
            let index = (y * self.stride() + x / 8) as usize;
            self.bits[index] |= 0x80 >> (x % 8);
        }
    }

    /// Blackens a rectangle.
    pub fn fill(&mut self, x: i32, y: i32, width: u32, height: u32) {
        for row in 0..height as i32 {
            for column in 0..width as i32 {
                self.blacken(x + column, y + row);
            }
        }
    }

    /// Lays the black dots of `other` over this paper.
    pub fn stamp(&mut self, other: &Self, x: i32, y: i32) {
        if x == 0 && y >= 0 && other.width == self.width {
            return self.stamp_rows(other, y.unsigned_abs());
        }
        for row in 0..other.height {
            for column in 0..other.width {
                if other.is_black(column, row) {
                    self.blacken(x + column as i32, y + row as i32);
                }
            }
        }
    }

    /// The same for a picture as wide as the paper, a byte at a time.
    fn stamp_rows(&mut self, other: &Self, y: u32) {
        let start = (y * self.stride()) as usize;
        let under = self.bits.iter_mut().skip(start);
        under.zip(&other.bits).for_each(|(under, over)| *under |= over);
    }

    /// Makes the paper `height` dots long, adding white or cutting off the end.
    pub fn set_height(&mut self, height: u32) {
        self.bits.resize((self.stride() * height) as usize, 0);
        self.height = height;
    }

    /// The picture as a one-bit PNG.
    pub fn to_png(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // A picture cannot be empty.
        let height = self.height.max(1);
        let mut encoder = png::Encoder::new(&mut bytes, self.width.max(1), height);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        let mut white: Vec<u8> = self.bits.iter().map(|byte| !byte).collect();
        white.resize((self.width.max(1).div_ceil(8) * height) as usize, 0xff);
        let mut writer = encoder.write_header().expect("memory takes every byte");
        writer
            .write_image_data(&white)
            .expect("the data has the size of the header");
        writer.finish().expect("memory takes every byte");
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_keeps_its_dots() {
        let mut bitmap = Bitmap::new(13, 3);
        bitmap.fill(9, 1, 3, 1);
        bitmap.blacken(-1, 0);
        bitmap.blacken(13, 0);
        let bytes = bitmap.to_png();
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
            .read_info()
            .expect("a png");
        let mut pixels = vec![0; reader.output_buffer_size().expect("it fits")];
        reader.next_frame(&mut pixels).expect("a frame");
        assert_eq!(pixels, [0xff, 0xff, 0xff, 0x8f, 0xff, 0xff]);
    }
}
