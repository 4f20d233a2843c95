//! A document as the bytes of a printer: pure, and the same bytes every time.
//!
//! Begin at [`compose`]. The `escpos` crate only strings commands together in memory; what it gets
//! wrong (page tables, cutting, pictures, status) is written here by hand. No real-time command may
//! appear anywhere in the bytes, because printers obey those even inside a picture.

use std::cell::RefCell;

use escpos::driver::Driver;
use escpos::printer::Printer;
use escpos::utils::{JustifyMode, Protocol, QRCodeCorrectionLevel, QRCodeModel, QRCodeOption};

use super::bitmap::Bitmap;
use super::draw::{self, Sheet};
use super::encode::{Run, encode};
use super::profile::{CELL_DOTS as CELL, Cut, Look, Profile, QrBy};
use super::qr;
use crate::domain::document::{Block, Document, clean};

/// Many printers with Chinese firmware print Chinese for accents until told not to.
const CANCEL_KANJI: [u8; 2] = [0x1c, 0x2e];
const SELECT_PAGE: [u8; 2] = [0x1b, 0x74];
const LINE_FEED: [u8; 1] = [0x0a];
/// Feeds to the blade and leaves a point uncut. The crate's "partial" is a full cut, and printers that
/// know only this form ignore it.
const PARTIAL_CUT: [u8; 4] = [0x1d, 0x56, 0x42, 0x00];
/// Feeds to the blade and cuts through.
const FULL_CUT: [u8; 4] = [0x1d, 0x56, 0x41, 0x00];
/// Three lines and the white at the end bring the last word out from under the bar.
const FEED_TO_TEAR: [u8; 3] = [0x1b, 0x64, 0x03];
/// A picture of plain dots.
const RASTER: [u8; 4] = [0x1d, 0x76, 0x30, 0x00];
/// A white run shorter than this costs more as a command of its own.
const BLANK_ROWS: u32 = 12;
const QR_MODULES_MAX: u32 = 16;

/// Writes `document` in the language of the printer that `profile` describes.
pub fn compose(document: &Document, profile: &Profile) -> Vec<u8> {
    let sheet = Sheet::new(profile.safe_width(), profile.safe_margin(), document.kind);
    let mut composer = Composer::begin(profile, sheet);
    match profile.look {
        Look::Raster => composer.picture(&draw::document(document, sheet)),
        Look::Text => composer.text_look(document),
    }
    composer.finish()
}

/// The crate's driver that goes nowhere: it keeps what it is given.
#[derive(Default)]
struct Memory(RefCell<Vec<u8>>);

impl Driver for Memory {
    fn name(&self) -> String {
        "memory".to_owned()
    }

    fn write(&self, data: &[u8]) -> escpos::errors::Result<()> {
        self.0.borrow_mut().extend_from_slice(data);
        Ok(())
    }

    fn read(&self, _: &mut [u8]) -> escpos::errors::Result<usize> {
        Ok(0)
    }

    fn flush(&self) -> escpos::errors::Result<()> {
        Ok(())
    }
}

const MEMORY: &str = "memory takes every byte";

struct Composer<'a> {
    printer: Printer<Memory>,
    profile: &'a Profile,
    sheet: Sheet,
    slot: u8,
}

impl<'a> Composer<'a> {
    fn begin(profile: &'a Profile, sheet: Sheet) -> Self {
        let mut printer = Printer::new(Memory::default(), Protocol::default(), None);
        printer.init().expect(MEMORY);
        let mut composer = Self {
            printer,
            profile,
            sheet,
            slot: profile.first_slot(),
        };
        composer.raw(&CANCEL_KANJI);
        composer.raw(&[SELECT_PAGE[0], SELECT_PAGE[1], composer.slot]);
        composer
    }

    fn finish(mut self) -> Vec<u8> {
        match self.profile.cut {
            Cut::Full => self.raw(&FULL_CUT),
            Cut::Partial => self.raw(&PARTIAL_CUT),
            Cut::Tear => self.raw(&FEED_TO_TEAR),
        }
        self.printer.print().expect(MEMORY);
        self.printer.driver().0.into_inner()
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.printer.custom(bytes).expect(MEMORY);
    }

    /// Sends a picture in strips, white runs as strips one byte wide.
    fn picture(&mut self, bitmap: &Bitmap) {
        let mut y = 0;
        while y < bitmap.height() {
            let rows = strip(bitmap, y, self.profile.safe_strip_rows());
            self.strip(bitmap, y, rows);
            y += rows;
        }
    }

    fn strip(&mut self, bitmap: &Bitmap, y: u32, rows: u32) {
        let used = (y..y + rows)
            .filter_map(|y| bitmap.row(y).iter().rposition(|byte| *byte != 0))
            .max()
            .map_or(1, |last| last + 1);
        let mut bytes = RASTER.to_vec();
        let size = |length: u32| {
            u16::try_from(length)
                .expect("a strip has at most 256 rows")
                .to_le_bytes()
        };
        bytes.extend(size(used as u32));
        bytes.extend(size(rows));
        let start = bytes.len();
        for y in y..y + rows {
            bytes.extend_from_slice(&bitmap.row(y)[..used]);
        }
        disarm(&mut bytes[start..]);
        self.raw(&bytes);
    }

    fn blank(&mut self, rows: u32) {
        self.picture(&Bitmap::new(8, rows));
    }

    fn text_look(&mut self, document: &Document) {
        self.blank(draw::TOP);
        for (index, block) in document.blocks.iter().enumerate() {
            if let Some(previous) = index.checked_sub(1).and_then(|index| document.blocks.get(index)) {
                self.blank(draw::gap(previous, block));
            }
            self.text_block(block);
        }
        self.blank(draw::BOTTOM);
    }

    fn text_block(&mut self, block: &Block) {
        match block {
            Block::Header { .. } | Block::Rule(_) | Block::Title(_) | Block::Number(_) | Block::Code(_) => {
                self.picture(&draw::block(block, self.sheet));
            }
            Block::Lead(words) | Block::Section(words) => self.paragraph("", words, true),
            Block::Subject(words) | Block::Label(words) | Block::Text(words) => {
                self.paragraph("", words, false);
            }
            Block::Pairs { rows, .. } => {
                for pair in rows {
                    self.ends(&pair.label, &pair.value, true);
                }
            }
            Block::Steps(steps) => {
                for (index, step) in steps.iter().enumerate() {
                    self.paragraph(&format!("{}. ", index + 1), step, false);
                }
            }
            Block::Checks(checks) => {
                for check in checks {
                    self.paragraph("[ ] ", check, false);
                }
            }
            Block::Qr { payload, beside } => self.code(block, payload, beside),
            Block::Foot(rows) => {
                for row in rows {
                    self.ends(&row.left, &row.right, row.is_marked);
                }
            }
        }
    }

    fn code(&mut self, block: &Block, payload: &str, beside: &[String]) {
        let dots = self.native_module_dots(payload);
        let (QrBy::Native, Some(dots)) = (self.profile.qr, dots) else {
            return self.picture(&draw::block(block, self.sheet));
        };
        let quiet = u32::from(dots) * qr::QUIET;
        self.blank(quiet);
        let option = QRCodeOption::new(QRCodeModel::Model2, dots, QRCodeCorrectionLevel::M);
        self.printer.justify(JustifyMode::CENTER).expect(MEMORY);
        self.printer
            .qrcode_option(payload, option)
            .expect("the payload was measured");
        self.printer.justify(JustifyMode::LEFT).expect(MEMORY);
        self.blank(quiet);
        for (index, paragraph) in beside.iter().enumerate() {
            if index > 0 {
                self.blank(draw::PARAGRAPH_GAP);
            }
            self.paragraph("", paragraph, false);
        }
    }

    /// Dots of a module when the printer can draw `payload` itself: plain ASCII that fits the paper.
    fn native_module_dots(&self, payload: &str) -> Option<u8> {
        if payload.is_empty() || !payload.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
            return None;
        }
        let outer = qr::modules(payload)? + 2 * qr::QUIET;
        let dots = (qr::BOX_DOTS / outer).clamp(qr::MODULE_DOTS, QR_MODULES_MAX);
        let fits = outer * dots <= self.sheet.width;
        fits.then(|| u8::try_from(dots).ok()).flatten()
    }

    fn columns(&self) -> usize {
        self.profile.columns() as usize
    }

    fn paragraph(&mut self, mark: &str, words: &str, is_bold: bool) {
        let indent = mark.chars().count();
        for (index, line) in wrap(&clean(words), self.columns().saturating_sub(indent))
            .iter()
            .enumerate()
        {
            let mark = if index == 0 {
                mark.to_owned()
            } else {
                " ".repeat(indent)
            };
            self.line(&format!("{mark}{line}"), is_bold, "", false);
        }
    }

    fn ends(&mut self, left: &str, right: &str, is_bold: bool) {
        let (left, right) = (clean(left), clean(right));
        if left.chars().count() + right.chars().count() < self.columns() {
            return self.line(&left, false, &right, is_bold);
        }
        for line in wrap(&left, self.columns()) {
            self.line(&line, false, "", false);
        }
        for line in wrap(&right, self.columns()) {
            self.line("", false, &line, is_bold);
        }
    }

    /// One line in the printer's letters, or drawn when it lacks one of them.
    fn line(&mut self, left: &str, is_left_bold: bool, right: &str, is_right_bold: bool) {
        let pages = &self.profile.pages;
        let (Some(left_runs), Some(right_runs)) = (encode(left, pages), encode(right, pages)) else {
            let is_bold = is_left_bold || (left.is_empty() && is_right_bold);
            return self.picture(&draw::line(left, right, is_bold, self.sheet));
        };
        self.raw(&b" ".repeat((self.sheet.margin / CELL) as usize));
        self.runs(left_runs, is_left_bold);
        if !right.is_empty() {
            let used = left.chars().count() + right.chars().count();
            self.raw(&b" ".repeat(self.columns().saturating_sub(used)));
            self.runs(right_runs, is_right_bold);
        }
        self.raw(&LINE_FEED);
    }

    fn runs(&mut self, runs: Vec<Run>, is_bold: bool) {
        if is_bold {
            self.printer.bold(true).expect(MEMORY);
        }
        for Run { slot, bytes } in runs {
            if slot != self.slot {
                self.slot = slot;
                self.raw(&[SELECT_PAGE[0], SELECT_PAGE[1], slot]);
            }
            self.raw(&bytes);
        }
        if is_bold {
            self.printer.bold(false).expect(MEMORY);
        }
    }
}

/// Rows of the next strip from `y`: either all white or ending where a white run begins.
fn strip(bitmap: &Bitmap, y: u32, most: u32) -> u32 {
    let is_blank = |y: u32| bitmap.row(y).iter().all(|byte| *byte == 0);
    let end = bitmap.height();
    let blank_rows = |from: u32| (from..end).take_while(|y| is_blank(*y)).count() as u32;
    let blank = blank_rows(y);
    if blank >= BLANK_ROWS || y + blank == end {
        return blank.min(most);
    }
    let last = (y + most).min(end);
    let mut row = y + blank;
    while row < last {
        let blank = blank_rows(row);
        if blank >= BLANK_ROWS {
            break;
        }
        row += blank.max(1);
    }
    row.min(last) - y
}

/// Adds one dot wherever picture bytes would read as a real-time command (`DLE EOT`, `DLE ENQ`,
/// `DLE DC4`), which a printer obeys even here. The dot stands beside a black one and is not seen.
fn disarm(bytes: &mut [u8]) {
    for index in 1..bytes.len() {
        if bytes[index - 1] == 0x10 && matches!(bytes[index], 0x04 | 0x05 | 0x14) {
            bytes[index - 1] = 0x18;
        }
    }
}

/// Breaks words at columns.
fn wrap(words: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut length = 0;
    for word in words.split(' ').filter(|word| !word.is_empty()) {
        let count = word.chars().count();
        if length > 0 && length + 1 + count > columns {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        for c in word.chars() {
            if length == columns {
                lines.push(std::mem::take(&mut line));
                length = 0;
            }
            line.push(c);
            length += 1;
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_cannot_give_orders() {
        let mut bytes = [0x10, 0x04, 0x01, 0x10, 0x10, 0x14, 0x10, 0x05];
        disarm(&mut bytes);
        assert_eq!(bytes, [0x18, 0x04, 0x01, 0x10, 0x18, 0x14, 0x18, 0x05]);
    }

    #[test]
    fn white_runs_are_strips_of_their_own() {
        let mut bitmap = Bitmap::new(64, 600);
        bitmap.fill(0, 100, 64, 300);
        let mut rows = Vec::new();
        let mut y = 0;
        while y < bitmap.height() {
            rows.push(strip(&bitmap, y, 256));
            y += rows[rows.len() - 1];
        }
        assert_eq!(rows, [100, 256, 44, 200]);
    }

    #[test]
    fn long_words_are_broken_at_the_edge() {
        assert_eq!(wrap("uno dos trescientos", 8), ["uno dos", "trescien", "tos"]);
    }
}
