//! The house's font on paper: measuring, breaking and drawing lines in whole dots.
//!
//! A dot is black when the letter covers half of it. Letters stand on whole dots, so that the same
//! letter has the same shape everywhere on a paper.

use std::sync::OnceLock;

use ab_glyph::{Font, FontRef, GlyphId, PxScale, ScaleFont, point};
use unicode_normalization::char::decompose_canonical;

use super::bitmap::Bitmap;
use super::kern::Kerning;

/// How heavy a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    SemiBold,
    Bold,
    ExtraBold,
}

/// A weight at a size, with the distance from line to line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Style {
    pub(super) weight: Weight,
    /// Dots of one em.
    pub(super) size: f32,
    /// Line height, in ems.
    pub(super) leading: f32,
    /// Added after each letter, in ems.
    pub(super) spacing: f32,
}

impl Style {
    pub(super) const fn new(weight: Weight, size: f32, leading: f32) -> Self {
        Self {
            weight,
            size,
            leading,
            spacing: 0.0,
        }
    }

    /// Dots from one line to the next.
    pub(super) fn line_height(self) -> u32 {
        (self.size * self.leading).round() as u32
    }

    /// This style, smaller when `words` would be wider than `width`.
    pub(super) fn fitted(self, words: &str, width: u32) -> Self {
        let needed = self.measure(words);
        if needed <= width as f32 {
            return self;
        }
        let size = (self.size * width as f32 / needed).floor().max(1.0);
        Self { size, ..self }
    }

    /// Dots across, letter spacing after the last letter not counted.
    pub(super) fn measure(self, words: &str) -> f32 {
        place(self, words).1
    }

    /// Draws one line whose box starts at `x`, `y`.
    pub(super) fn draw(self, words: &str, x: i32, y: i32, on: &mut Bitmap) {
        let face = face(self.weight);
        let ascent = (face.font.ascent_unscaled() * self.size / face.units).round();
        let descent = (-face.font.descent_unscaled() * self.size / face.units).round();
        let half_leading = (self.size * self.leading - ascent - descent) / 2.0;
        let baseline = (y as f32 + half_leading + ascent).round();
        let scale = face.scale(self.size);
        for (c, id, at) in place(self, words).0 {
            let left = x as f32 + at.round();
            if id.0 == 0 {
                missing(left as i32, baseline as i32, self.size, on);
                continue;
            }
            stamp(face, id.with_scale_and_position(scale, point(left, baseline)), on);
            if let Some((accent, right, up)) = face.accent(c) {
                let em = self.size / face.units;
                let at = point((left + right * em).round(), (baseline - up * em).round());
                stamp(face, accent.with_scale_and_position(scale, at), on);
            }
        }
    }

    /// Breaks `words` into lines no wider than `width`. A word wider than a line is broken too.
    pub(super) fn wrap(self, words: &str, width: u32) -> Vec<String> {
        let fits = |line: &str| self.measure(line) <= width as f32;
        let mut lines = Vec::new();
        let mut line = String::new();
        for word in words.split(' ').filter(|word| !word.is_empty()) {
            let longer = if line.is_empty() {
                word.to_owned()
            } else {
                format!("{line} {word}")
            };
            if fits(&longer) {
                line = longer;
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            for c in word.chars() {
                line.push(c);
                if !fits(&line) && line.chars().count() > 1 {
                    line.pop();
                    lines.push(std::mem::replace(&mut line, c.to_string()));
                }
            }
        }
        if !line.is_empty() {
            lines.push(line);
        }
        lines
    }
}

/// Draws `c` as the printer's own font would: in a cell of 12 by 24 dots times `wide` and `high`.
pub(super) fn draw_cell(c: char, x: i32, y: i32, (wide, high): (u32, u32), is_bold: bool, on: &mut Bitmap) {
    const SIZE: f32 = 23.0;
    let face = face(if is_bold {
        Weight::ExtraBold
    } else {
        Weight::SemiBold
    });
    let id = face.glyph(c);
    let cell = 12.0 * wide as f32;
    let mut scale = face.scale(SIZE * high as f32);
    scale.x = face.scale(SIZE * wide as f32).x;
    let advance = face.font.as_scaled(scale).h_advance(id);
    let room = cell - wide as f32;
    if advance > room {
        scale.x *= room / advance;
    }
    let advance = face.font.as_scaled(scale).h_advance(id);
    let left = x as f32 + ((cell - advance) / 2.0).round();
    let baseline = y as f32 + (19.0 * high as f32).round();
    if id.0 == 0 {
        return missing(x, baseline as i32, 16.0 * wide as f32, on);
    }
    stamp(face, id.with_scale_and_position(scale, point(left, baseline)), on);
}

struct Face {
    font: FontRef<'static>,
    kerning: Kerning,
    units: f32,
}

impl Face {
    fn read(bytes: &'static [u8]) -> Self {
        let font = FontRef::try_from_slice(bytes).expect("the embedded font is a font");
        let units = font.units_per_em().expect("the embedded font has an em");
        Self {
            kerning: Kerning::read(bytes),
            units,
            font,
        }
    }

    fn scale(&self, em: f32) -> PxScale {
        PxScale::from(em * self.font.height_unscaled() / self.units)
    }

    /// The glyph of `c`, or of its letter when only the accent is missing.
    fn glyph(&self, c: char) -> GlyphId {
        let drawn = if c == '\u{a0}' { ' ' } else { c };
        let id = self.font.glyph_id(drawn);
        if id.0 == 0 {
            self.font.glyph_id(parts(c).0)
        } else {
            id
        }
    }

    /// The accent to draw over the glyph of `c` by hand: its glyph, and how far right and up of the
    /// letter's start it goes, in units of the font.
    fn accent(&self, c: char) -> Option<(GlyphId, f32, f32)> {
        const CLEARANCE: f32 = 70.0;
        if self.font.glyph_id(c).0 != 0 {
            return None;
        }
        let (base, mark) = parts(c);
        let mark = self.font.glyph_id(spacing_form(mark?)?);
        let base = self.font.glyph_id(base);
        let (letter, accent) = (self.font.outline(base)?.bounds, self.font.outline(mark)?.bounds);
        let middle = (letter.min.x + letter.max.x) / 2.0;
        let right = middle - (accent.min.x + accent.max.x) / 2.0;
        let up = letter.min.y.max(letter.max.y) + CLEARANCE - accent.min.y.min(accent.max.y);
        Some((mark, right, up))
    }
}

/// A letter and its accent, when it has one.
fn parts(c: char) -> (char, Option<char>) {
    let (mut base, mut mark) = (None, None);
    decompose_canonical(c, |part| {
        if base.is_none() {
            base = Some(part);
        } else {
            mark = mark.or(Some(part));
        }
    });
    match (base.unwrap_or(c), mark) {
        // The accent takes the place of the dot.
        ('i', Some(mark)) => ('ı', Some(mark)),
        parts => parts,
    }
}

/// The accent as a letter of its own, which is how the font has it.
fn spacing_form(mark: char) -> Option<char> {
    Some(match mark {
        '\u{300}' => '`',
        '\u{301}' => '´',
        '\u{302}' => '^',
        '\u{303}' => '~',
        '\u{304}' => '¯',
        '\u{308}' => '¨',
        '\u{30a}' => '°',
        _ => return None,
    })
}

fn face(weight: Weight) -> &'static Face {
    static FACES: OnceLock<[Face; 3]> = OnceLock::new();
    let faces = FACES.get_or_init(|| {
        [
            Face::read(include_bytes!("../../../ui/fonts/VentanillaSans-SemiBold.ttf")),
            Face::read(include_bytes!("../../../ui/fonts/VentanillaSans-Bold.ttf")),
            Face::read(include_bytes!("../../../ui/fonts/VentanillaSans-ExtraBold.ttf")),
        ]
    });
    match weight {
        Weight::SemiBold => &faces[0],
        Weight::Bold => &faces[1],
        Weight::ExtraBold => &faces[2],
    }
}

/// The glyphs of a line with their distance from its start, and the width of the line.
fn place(style: Style, words: &str) -> (Vec<(char, GlyphId, f32)>, f32) {
    let face = face(style.weight);
    let em = style.size / face.units;
    let mut glyphs = Vec::new();
    let mut at = 0.0;
    let mut previous: Option<GlyphId> = None;
    for c in words.chars() {
        let id = face.glyph(c);
        if let Some(previous) = previous {
            at += f32::from(face.kerning.between(previous.0, id.0)) * em + style.spacing * style.size;
        }
        glyphs.push((c, id, at));
        at += if id.0 == 0 {
            MISSING_ADVANCE * style.size
        } else {
            face.font.h_advance_unscaled(id) * em
        };
        previous = Some(id);
    }
    (glyphs, at)
}

/// Ems that a character the font lacks takes up.
const MISSING_ADVANCE: f32 = 0.7;

/// An empty box where a character the font lacks would stand: the font's own is blank, and a word
/// that silently loses letters is worse than an ugly one.
fn missing(x: i32, baseline: i32, size: f32, on: &mut Bitmap) {
    let (width, height) = ((size * 0.55).round() as u32, (size * 0.668).round() as u32);
    let line = ((size / 14.0).round() as u32).max(1);
    let (left, top) = (x + (size * 0.075).round() as i32, baseline - height as i32);
    on.fill(left, top, width, line);
    on.fill(left, baseline - line as i32, width, line);
    on.fill(left, top, line, height);
    on.fill(left + width as i32 - line as i32, top, line, height);
}

fn stamp(face: &Face, glyph: ab_glyph::Glyph, on: &mut Bitmap) {
    if let Some(outline) = face.font.outline_glyph(glyph) {
        let min = outline.px_bounds().min;
        let (left, top) = (min.x as i32, min.y as i32);
        outline.draw(|x, y, cover| {
            if cover >= 0.5 {
                on.blacken(left + x as i32, top + y as i32);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: Style = Style::new(Weight::SemiBold, 26.0, 1.3);

    #[test]
    fn letters_of_the_font_are_kerned() {
        assert!(BODY.measure("To") < BODY.measure("T") + BODY.measure("o"));
    }

    #[test]
    fn lines_are_never_wider_than_the_paper() {
        let words = "Administración supercalifragilisticoespialidosoooooooooooooo de la zona";
        for width in [40, 160, 528] {
            for line in BODY.wrap(words, width) {
                assert!(BODY.measure(&line) <= width as f32, "{line}");
            }
        }
    }

    #[test]
    fn the_letters_of_the_country_are_in_the_font() {
        for c in "áéíóúüñÁÉÍÓÚÜÑ¿¡ºª•«»·×".chars() {
            assert_ne!(face(Weight::SemiBold).font.glyph_id(c).0, 0, "{c}");
        }
        // A letter that is not there is put together from its parts.
        assert_eq!(parts('ẽ'), ('e', Some('\u{303}')));
        assert_eq!(parts('ĩ'), ('ı', Some('\u{303}')));
        assert!(face(Weight::SemiBold).accent('ẽ').is_some());
        assert!(face(Weight::SemiBold).accent('ñ').is_none());
    }
}
