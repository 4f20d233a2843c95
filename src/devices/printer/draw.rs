//! The blocks of a document as black dots: the designed look of the papers.
//!
//! Sizes are those of the design reference, chapter Paper: margin 24, rules 4, words of 24 dots and
//! more, the number of a turn 178, a code 84. Narrow paper has the same roles, one step smaller.

use super::bitmap::Bitmap;
use super::face::{Style, Weight};
use super::qr;
use crate::domain::document::{Air, Block, Document, DocumentKind, FootRow, Pair, Rule, clean};

/// White before the first block.
pub(super) const TOP: u32 = 28;
/// White after the last.
pub(super) const BOTTOM: u32 = 36;

const RULE: u32 = 4;
const DASH: (u32, u32, u32) = (3, 6, 3);
const MARK: u32 = 76;
const BESIDE: u32 = 20;
pub(super) const PARAGRAPH_GAP: u32 = 14;
/// Narrowest column of words beside a QR code; below it the words go under the code.
const COLUMN: u32 = 200;
const PAIR_GAP: u32 = 16;

const PLACE: Style = Style::new(Weight::ExtraBold, 34.0, 1.1);
const OFFICE: Style = Style::new(Weight::SemiBold, 26.0, 1.3);
const TITLE: Style = Style::new(Weight::ExtraBold, 40.0, 1.15);
const SUBJECT: Style = Style::new(Weight::SemiBold, 30.0, 1.3);
const LEAD: Style = Style::new(Weight::Bold, 34.0, 1.3);
const LABEL: Style = Style::new(Weight::SemiBold, 26.0, 1.3);
const SECTION: Style = Style::new(Weight::Bold, 28.0, 1.3);
const TEXT: Style = Style::new(Weight::SemiBold, 26.0, 1.3);
const ITEM: Style = Style::new(Weight::SemiBold, 28.0, 1.3);
const NUMBER: Style = Style::new(Weight::ExtraBold, 178.0, 1.02);
const CODE: Style = Style {
    weight: Weight::ExtraBold,
    size: 84.0,
    leading: 1.1,
    spacing: 0.02,
};
const FOOT: Style = Style::new(Weight::SemiBold, 24.0, 1.3);
const FOOT_MARK: Style = Style::new(Weight::ExtraBold, 24.0, 1.3);

/// The paper that blocks are drawn on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sheet {
    pub(super) width: u32,
    pub(super) margin: u32,
    /// Words beside a QR code: larger on a turn ticket, which has fewer of them.
    beside: Style,
}

impl Sheet {
    pub(super) fn new(width: u32, margin: u32, kind: DocumentKind) -> Self {
        let beside = match kind {
            DocumentKind::TurnTicket if width >= 500 => Style::new(Weight::SemiBold, 28.0, 1.28),
            DocumentKind::TurnTicket
            | DocumentKind::Receipt
            | DocumentKind::Checklist
            | DocumentKind::Payment
            | DocumentKind::Resume
            | DocumentKind::Readiness => TEXT,
        };
        let sheet = Self {
            width,
            margin,
            beside,
        };
        Self {
            beside: sheet.sized(beside),
            ..sheet
        }
    }

    fn inner(self) -> u32 {
        self.width - 2 * self.margin
    }

    fn left(self) -> i32 {
        self.margin as i32
    }

    fn blank(self, height: u32) -> Bitmap {
        Bitmap::new(self.width, height)
    }

    fn is_narrow(self) -> bool {
        self.width < 500
    }

    /// Narrow paper has every role one step smaller, never below the smallest words.
    fn sized(self, style: Style) -> Style {
        if self.is_narrow() {
            Style {
                size: (style.size * 0.86).round().max(24.0),
                ..style
            }
        } else {
            style
        }
    }
}

/// The whole paper.
pub(super) fn document(document: &Document, sheet: Sheet) -> Bitmap {
    let mut paper = sheet.blank(0);
    let mut y = TOP;
    for (index, block) in document.blocks.iter().enumerate() {
        if let Some(previous) = index.checked_sub(1).and_then(|index| document.blocks.get(index)) {
            y += gap(previous, block);
        }
        let picture = self::block(block, sheet);
        paper.set_height(y + picture.height());
        paper.stamp(&picture, 0, y as i32);
        y += picture.height();
    }
    paper.set_height(y + BOTTOM);
    paper
}

/// White between two blocks.
pub(super) fn gap(before: &Block, after: &Block) -> u32 {
    match (before, after) {
        // The title of a turn stands a little freer than its line height.
        (Block::Title(_), Block::Rule(_)) => 23,
        (Block::Rule(_), _) | (_, Block::Rule(_)) => 20,
        (Block::Lead(_), Block::Number(_)) | (Block::Label(_), Block::Code(_)) => 0,
        (Block::Number(_), Block::Title(_)) => 9,
        (Block::Title(_), Block::Subject(_)) => 12,
        (Block::Section(_), _) => 8,
        _ => PARAGRAPH_GAP,
    }
}

/// One block, as wide as the paper and as high as its words need.
pub(super) fn block(block: &Block, sheet: Sheet) -> Bitmap {
    match block {
        Block::Header { place, office_kind } => header(place, office_kind, sheet),
        Block::Rule(Rule::Solid) => {
            let mut bitmap = sheet.blank(RULE);
            bitmap.fill(sheet.left(), 0, sheet.inner(), RULE);
            bitmap
        }
        Block::Rule(Rule::Dashed) => {
            let (height, on, off) = DASH;
            let mut bitmap = sheet.blank(height);
            for x in (0..sheet.inner()).step_by((on + off) as usize) {
                bitmap.fill(sheet.left() + x as i32, 0, on.min(sheet.inner() - x), height);
            }
            bitmap
        }
        Block::Title(words) => paragraph(TITLE, words, sheet),
        Block::Subject(words) => paragraph(SUBJECT, words, sheet),
        Block::Lead(words) => paragraph(LEAD, words, sheet),
        Block::Label(words) => paragraph(LABEL, words, sheet),
        Block::Section(words) => paragraph(SECTION, words, sheet),
        Block::Text(words) => paragraph(TEXT, words, sheet),
        // The stem of the first letter, not its side bearing, stands on the margin.
        Block::Number(words) => one_line(NUMBER, words, -4, sheet),
        Block::Code(words) => one_line(CODE, words, 0, sheet),
        Block::Pairs { rows, air } => pairs(rows, *air, sheet),
        Block::Steps(steps) => {
            let marks: Vec<String> = (1..=steps.len()).map(|number| format!("{number}. ")).collect();
            let style = sheet.sized(ITEM);
            let indent = marks
                .iter()
                .map(|mark| style.measure(mark))
                .fold(0.0, f32::max)
                .ceil() as u32;
            items(steps, indent, 0, sheet, |index, y, on| {
                style.draw(&marks[index], sheet.left(), y, on)
            })
        }
        Block::Checks(checks) => items(checks, 44, 8, sheet, |_, y, on| {
            square(
                sheet.left(),
                y + (sheet.sized(ITEM).line_height() as i32 - 24) / 2,
                on,
            )
        }),
        Block::Qr { payload, beside } => code_and_words(payload, beside, sheet),
        Block::Foot(rows) => foot(rows, sheet),
    }
}

/// A line of running text drawn because the printer has no letters for it.
pub(super) fn line(left: &str, right: &str, is_bold: bool, sheet: Sheet) -> Bitmap {
    let weight = if is_bold { Weight::Bold } else { Weight::SemiBold };
    let style = Style::new(weight, 24.0, 1.25);
    let right_style = style.fitted(right, sheet.inner() * 2 / 3);
    let taken = if right.is_empty() {
        0
    } else {
        right_style.measure(right).ceil() as u32 + PAIR_GAP
    };
    let mut bitmap = sheet.blank(style.line_height());
    style
        .fitted(left, sheet.inner().saturating_sub(taken))
        .draw(left, sheet.left(), 0, &mut bitmap);
    draw_right(right_style, right, 0, sheet, &mut bitmap);
    bitmap
}

fn header(place: &str, office_kind: &str, sheet: Sheet) -> Bitmap {
    let left = MARK + BESIDE;
    let lines: Vec<(Style, String)> = [(PLACE, place), (OFFICE, office_kind)]
        .into_iter()
        .flat_map(|(style, words)| {
            style
                .wrap(&clean(words), sheet.inner() - left)
                .into_iter()
                .map(move |line| (style, line))
        })
        .collect();
    let words: u32 = lines.iter().map(|(style, _)| style.line_height()).sum();
    let height = MARK.max(words);
    let mut bitmap = sheet.blank(height);
    mark(sheet.left(), ((height - MARK) / 2) as i32, &mut bitmap);
    let mut y = (height - words) / 2;
    for (style, line) in lines {
        style.draw(&line, sheet.left() + left as i32, y as i32, &mut bitmap);
        y += style.line_height();
    }
    bitmap
}

/// The arch with its sill, from the 64 by 64 drawing of the identity.
fn mark(x: i32, y: i32, on: &mut Bitmap) {
    for row in 0..MARK {
        for column in 0..MARK {
            let unit = 64.0 / MARK as f32;
            let (px, py) = ((column as f32 + 0.5) * unit, (row as f32 + 0.5) * unit);
            let from_middle = (px - 32.0).abs();
            let arch = if py < 30.0 {
                (15.5..=22.5).contains(&from_middle.hypot(py - 30.0))
            } else {
                py <= 48.0 && (15.5..=22.5).contains(&from_middle)
            };
            let door = if py < 31.0 {
                from_middle.hypot(py - 31.0) <= 7.0
            } else {
                py <= 48.0 && from_middle <= 7.0
            };
            let sill = (50.0..=59.0).contains(&py) && from_middle <= 28.0;
            if arch || door || sill {
                on.blacken(x + column as i32, y + row as i32);
            }
        }
    }
}

fn paragraph(style: Style, words: &str, sheet: Sheet) -> Bitmap {
    let style = sheet.sized(style);
    let lines = style.wrap(&clean(words), sheet.inner());
    let mut bitmap = sheet.blank(style.line_height() * lines.len() as u32);
    draw_lines(style, &lines, sheet.left(), 0, &mut bitmap);
    bitmap
}

fn draw_lines(style: Style, lines: &[String], x: i32, y: u32, on: &mut Bitmap) -> u32 {
    let mut y = y;
    for line in lines {
        style.draw(line, x, y as i32, on);
        y += style.line_height();
    }
    y
}

fn draw_right(style: Style, words: &str, y: u32, sheet: Sheet, on: &mut Bitmap) {
    let x = (sheet.width - sheet.margin) as f32 - style.measure(words);
    style.draw(words, x.round() as i32, y as i32, on);
}

fn one_line(style: Style, words: &str, shift: i32, sheet: Sheet) -> Bitmap {
    let words = clean(words);
    let style = style.fitted(&words, sheet.inner());
    let mut bitmap = sheet.blank(style.line_height());
    style.draw(&words, sheet.left() + shift, 0, &mut bitmap);
    bitmap
}

fn pairs(rows: &[Pair], air: Air, sheet: Sheet) -> Bitmap {
    let (size, gap) = match (air, sheet.is_narrow()) {
        (Air::Roomy, false) => (30.0, 8),
        (Air::Roomy, true) => (26.0, 8),
        (Air::Normal, false) => (28.0, 8),
        (Air::Close, false) => (28.0, 6),
        (Air::Normal | Air::Close, true) => (24.0, 6),
    };
    let label = Style::new(Weight::SemiBold, size, 1.3);
    let value = Style::new(Weight::Bold, size, 1.3);
    let rows = rows
        .iter()
        .map(|pair| (pair.label.as_str(), pair.value.as_str(), value));
    ends(label, rows, gap, sheet)
}

fn foot(rows: &[FootRow], sheet: Sheet) -> Bitmap {
    let rows = rows.iter().map(|row| {
        (
            row.left.as_str(),
            row.right.as_str(),
            if row.is_marked { FOOT_MARK } else { FOOT },
        )
    });
    ends(FOOT, rows, 0, sheet)
}

/// Rows with words at both ends; the right words go below when both do not fit on a line.
fn ends<'a>(
    left_style: Style,
    rows: impl Iterator<Item = (&'a str, &'a str, Style)>,
    gap: u32,
    sheet: Sheet,
) -> Bitmap {
    let mut bitmap = sheet.blank(0);
    let mut y = 0;
    for (index, (left, right, right_style)) in rows.enumerate() {
        y += if index == 0 { 0 } else { gap };
        let (left, right) = (clean(left), clean(right));
        let both = left_style.measure(&left) + PAIR_GAP as f32 + right_style.measure(&right);
        let height = left_style.line_height();
        if right.is_empty() || both > sheet.inner() as f32 {
            let lines = left_style.wrap(&left, sheet.inner());
            let values = right_style.wrap(&right, sheet.inner());
            bitmap.set_height(y + height * (lines.len() + values.len()) as u32);
            y = draw_lines(left_style, &lines, sheet.left(), y, &mut bitmap);
            for value in values {
                draw_right(right_style, &value, y, sheet, &mut bitmap);
                y += height;
            }
        } else {
            bitmap.set_height(y + height);
            left_style.draw(&left, sheet.left(), y as i32, &mut bitmap);
            draw_right(right_style, &right, y, sheet, &mut bitmap);
            y += height;
        }
    }
    bitmap
}

fn items(
    words: &[String],
    indent: u32,
    gap: u32,
    sheet: Sheet,
    draw_mark: impl Fn(usize, i32, &mut Bitmap),
) -> Bitmap {
    let style = sheet.sized(ITEM);
    let mut bitmap = sheet.blank(0);
    let mut y = 0;
    for (index, item) in words.iter().enumerate() {
        y += if index == 0 { 0 } else { gap };
        let lines = style.wrap(&clean(item), sheet.inner() - indent);
        bitmap.set_height(y + style.line_height() * lines.len().max(1) as u32);
        draw_mark(index, y as i32, &mut bitmap);
        draw_lines(style, &lines, sheet.left() + indent as i32, y, &mut bitmap);
        y = bitmap.height();
    }
    bitmap
}

/// An empty square to tick with a pen.
fn square(x: i32, y: i32, on: &mut Bitmap) {
    const SIDE: u32 = 26;
    const LINE: u32 = 3;
    on.fill(x, y, SIDE, LINE);
    on.fill(x, y + (SIDE - LINE) as i32, SIDE, LINE);
    on.fill(x, y, LINE, SIDE);
    on.fill(x + (SIDE - LINE) as i32, y, LINE, SIDE);
}

fn code_and_words(payload: &str, beside: &[String], sheet: Sheet) -> Bitmap {
    let Some(code) = qr::picture(payload, sheet.inner()) else {
        // Too much for a code that can be read: the words of it are better than nothing.
        let text: Vec<String> = std::iter::once(payload.to_owned())
            .chain(beside.iter().cloned())
            .collect();
        return words_column(&text, sheet.inner(), sheet, sheet.left());
    };
    if beside.is_empty() || code.width() + BESIDE + COLUMN > sheet.inner() {
        let mut bitmap = sheet.blank(code.height());
        bitmap.stamp(
            &code,
            (sheet.left() + (sheet.inner() - code.width()) as i32 / 2) & !7,
            0,
        );
        let words = words_column(beside, sheet.inner(), sheet, sheet.left());
        bitmap.set_height(code.height() + words.height());
        bitmap.stamp(&words, 0, code.height() as i32);
        return bitmap;
    }
    let left = code.width() + BESIDE;
    let words = words_column(beside, sheet.inner() - left, sheet, sheet.left() + left as i32);
    let height = code.height().max(words.height());
    let mut bitmap = sheet.blank(height);
    bitmap.stamp(&code, sheet.left(), ((height - code.height()) / 2) as i32);
    bitmap.stamp(&words, 0, ((height - words.height()) / 2) as i32);
    bitmap
}

fn words_column(paragraphs: &[String], width: u32, sheet: Sheet, x: i32) -> Bitmap {
    let mut bitmap = sheet.blank(0);
    let mut y = 0;
    for (index, paragraph) in paragraphs.iter().enumerate() {
        y += if index == 0 { 0 } else { PARAGRAPH_GAP };
        let lines = sheet.beside.wrap(&clean(paragraph), width);
        bitmap.set_height(y + sheet.beside.line_height() * lines.len() as u32);
        y = draw_lines(sheet.beside, &lines, x, y, &mut bitmap);
    }
    bitmap
}
