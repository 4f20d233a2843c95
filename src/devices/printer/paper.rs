//! The paper that comes out: executes the bytes of a job as a printer would.
//!
//! The picture is made from the bytes and not from the document, so a wrong byte is a wrong picture.
//! Begin at [`Paper::print`].

use qrcode::EcLevel;

use super::bitmap::Bitmap;
use super::command::{Command, Placed, parse, real_time};
use super::face;
use super::profile::{Page, Profile};
use super::qr;

/// A piece of paper, its words, and what was wrong with the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paper {
    /// What would be seen.
    pub picture: Bitmap,
    /// The words the printer wrote itself; pictures are mentioned by their size.
    pub text: String,
    /// What a printer would have done with the bytes that nobody meant. Empty on a good job.
    pub faults: Vec<String>,
}

impl Paper {
    /// Prints `bytes` on the printer that `profile` describes.
    pub fn print(bytes: &[u8], profile: &Profile) -> Self {
        let mut head = Head::new(profile);
        if let Some(at) = real_time(bytes) {
            head.faults.push(format!("Real-time command at byte {at}"));
        }
        for placed in parse(bytes) {
            head.execute(&placed);
        }
        head.eject()
    }

    /// The picture as a one-bit PNG.
    pub fn to_png(&self) -> Vec<u8> {
        self.picture.to_png()
    }
}

/// `ESC 2`: a sixth of an inch at 203 dots per inch.
const DEFAULT_SPACING: u32 = 34;

/// Three metres: more than any paper of the house, less than a roll.
const LONGEST: u32 = 24_000;
const TOO_LONG: &str = "The paper is longer than 3 m; the rest is not drawn";

/// The moving parts: where the paper is and what the next letter looks like.
struct Head<'a> {
    profile: &'a Profile,
    paper: Bitmap,
    y: u32,
    line: Vec<Letter>,
    style: Style,
    qr: Qr,
    text: String,
    /// Height of the pictures since the last words; they are one picture to a reader.
    pictured: u32,
    is_cut: bool,
    faults: Vec<String>,
}

#[derive(Clone, Copy)]
struct Letter {
    character: char,
    wide: u32,
    high: u32,
    is_bold: bool,
}

#[derive(Clone, Copy)]
struct Style {
    page: Option<Page>,
    align: u8,
    is_bold: bool,
    wide: u32,
    high: u32,
    spacing: u32,
}

#[derive(Clone)]
struct Qr {
    dots: u32,
    level: EcLevel,
    data: Vec<u8>,
}

impl Style {
    const START: Self = Self {
        page: None,
        align: 0,
        is_bold: false,
        wide: 1,
        high: 1,
        spacing: DEFAULT_SPACING,
    };
}

impl<'a> Head<'a> {
    fn new(profile: &'a Profile) -> Self {
        Self {
            profile,
            paper: Bitmap::new(profile.safe_width(), 0),
            y: 0,
            line: Vec::new(),
            style: Style::START,
            qr: Qr {
                dots: 3,
                level: EcLevel::L,
                data: Vec::new(),
            },
            text: String::new(),
            pictured: 0,
            is_cut: false,
            faults: Vec::new(),
        }
    }

    fn execute(&mut self, placed: &Placed<'_>) {
        match placed.command {
            Command::StatusBack(_) | Command::Identify(_) | Command::RealTime(_) | Command::Nothing => {}
            Command::Other(_) => self.fault(placed, "command that is not drawn"),
            Command::Initialise => {
                self.style = Style::START;
                self.line.clear();
            }
            Command::CancelKanji | Command::QrModel(b'2') | Command::Fence(_) => {}
            Command::SelectPage(slot) => {
                self.style.page = self.profile.page_at(slot);
                if self.style.page.is_none() && !self.profile.pages.is_empty() {
                    self.fault(placed, &format!("page slot {slot} is not in the profile"));
                }
            }
            Command::Align(align) => self.style.align = align & 3,
            Command::Bold(is_bold) => self.style.is_bold = is_bold,
            Command::Size { wide, high } => {
                (self.style.wide, self.style.high) = (u32::from(wide), u32::from(high));
            }
            Command::LineSpacing(dots) => self.style.spacing = dots.map_or(DEFAULT_SPACING, u32::from),
            Command::LineFeed => self.end_line(),
            Command::FeedLines(lines) => {
                self.end_pending();
                self.feed(u32::from(lines) * self.style.spacing);
            }
            Command::FeedDots(dots) => {
                self.end_pending();
                self.feed(u32::from(dots));
            }
            Command::Text(bytes) => self.write(bytes, placed),
            Command::Raster {
                mode,
                row_bytes,
                rows,
                data,
            } => {
                if mode != 0 {
                    self.fault(placed, "picture with doubled dots");
                }
                self.raster(row_bytes, rows, data);
            }
            Command::QrModel(model) => self.fault(placed, &format!("QR model {model} instead of 2")),
            Command::QrSize(dots) => self.qr.dots = u32::from(dots.clamp(1, 16)),
            Command::QrLevel(level) => {
                self.qr.level = match level {
                    b'1' => EcLevel::M,
                    b'2' => EcLevel::Q,
                    b'3' => EcLevel::H,
                    _ => EcLevel::L,
                }
            }
            Command::QrStore(data) => self.qr.data = data.to_vec(),
            Command::QrPrint => self.print_qr(placed),
            Command::Cut(_) => {
                self.end_pending();
                self.is_cut = true;
            }
            Command::Unknown(byte) => self.fault(placed, &format!("unknown command {byte:02x}")),
            Command::Truncated => self.fault(placed, "command without its end"),
        }
    }

    fn fault(&mut self, placed: &Placed<'_>, what: &str) {
        self.faults.push(format!("Byte {}: {what}", placed.at));
    }

    /// What is drawn after a cut is another paper: a grey edge of dots shows where.
    fn begin_paper(&mut self) {
        if std::mem::take(&mut self.is_cut) {
            self.close_picture();
            self.text.push_str("--- cut ---\n");
            self.feed(8);
            for x in (0..self.paper.width()).step_by(4) {
                self.paper.blacken(x as i32, self.y as i32 - 4);
            }
        }
    }

    fn feed(&mut self, dots: u32) {
        self.begin_paper();
        if self.y + dots > LONGEST {
            if !self.faults.iter().any(|fault| fault == TOO_LONG) {
                self.faults.push(TOO_LONG.to_owned());
            }
            return;
        }
        self.y += dots;
        self.paper.set_height(self.y);
    }

    fn write(&mut self, bytes: &[u8], placed: &Placed<'_>) {
        for byte in bytes {
            let character = match self.style.page {
                Some(page) => page.character(*byte),
                // A printer that was told nothing prints its own page; only ASCII is sure.
                None => byte.is_ascii().then(|| char::from(*byte)),
            };
            if character.is_none() {
                self.fault(placed, &format!("no letter for {byte:02x}"));
            }
            let Style {
                wide, high, is_bold, ..
            } = self.style;
            if self.line_width() + 12 * wide > self.paper.width() {
                self.end_line();
            }
            self.line.push(Letter {
                character: character.unwrap_or('\u{fffd}'),
                wide,
                high,
                is_bold,
            });
        }
    }

    fn line_width(&self) -> u32 {
        self.line.iter().map(|letter| 12 * letter.wide).sum()
    }

    fn end_pending(&mut self) {
        if !self.line.is_empty() {
            self.end_line();
        }
    }

    fn end_line(&mut self) {
        self.begin_paper();
        let letters = std::mem::take(&mut self.line);
        let high = letters.iter().map(|letter| 24 * letter.high).max().unwrap_or(0);
        let top = self.y;
        let width = letters.iter().map(|letter| 12 * letter.wide).sum();
        let mut x = self.start(width);
        self.feed(self.style.spacing.max(high));
        for letter in &letters {
            let y = top + high - 24 * letter.high;
            let size = (letter.wide, letter.high);
            face::draw_cell(
                letter.character,
                x as i32,
                y as i32,
                size,
                letter.is_bold,
                &mut self.paper,
            );
            x += 12 * letter.wide;
        }
        self.close_picture();
        let words: String = letters.iter().map(|letter| letter.character).collect();
        self.text.push_str(words.trim_end());
        self.text.push('\n');
    }

    fn start(&self, width: u32) -> u32 {
        let room = self.paper.width().saturating_sub(width);
        match self.style.align {
            1 => room / 2,
            2 => room,
            _ => 0,
        }
    }

    fn raster(&mut self, row_bytes: usize, rows: usize, data: &[u8]) {
        self.end_pending();
        self.begin_paper();
        let (width, rows) = (row_bytes as u32 * 8, rows as u32);
        let (top, left) = (self.y, self.start(width));
        self.feed(rows);
        for (index, byte) in data.iter().enumerate().filter(|(_, byte)| **byte != 0) {
            let y = top + (index / row_bytes) as u32;
            for bit in (0..8).filter(|bit| byte & (0x80 >> bit) != 0) {
                let x = left + (index % row_bytes) as u32 * 8 + bit;
                self.paper.blacken(x as i32, y as i32);
            }
        }
        if self.pictured > 0 || data.iter().any(|byte| *byte != 0) {
            self.pictured += rows;
        }
    }

    fn print_qr(&mut self, placed: &Placed<'_>) {
        self.end_pending();
        let Some(code) = qr::native(&self.qr.data, self.qr.level, self.qr.dots) else {
            return self.fault(placed, "QR without data");
        };
        if code.width() > self.paper.width() {
            return self.fault(placed, "QR wider than the paper");
        }
        self.begin_paper();
        let (top, left) = (self.y, self.start(code.width()));
        self.feed(code.height());
        self.paper.stamp(&code, left as i32, top as i32);
        self.close_picture();
        let data = String::from_utf8_lossy(&self.qr.data).into_owned();
        self.text.push_str(&format!("[QR {data}]\n"));
    }

    fn close_picture(&mut self) {
        let rows = std::mem::take(&mut self.pictured);
        if rows > 0 {
            self.text
                .push_str(&format!("[picture {}x{rows}]\n", self.paper.width()));
        }
    }

    fn eject(mut self) -> Paper {
        self.end_pending();
        self.close_picture();
        Paper {
            picture: self.paper,
            text: self.text,
            faults: self.faults,
        }
    }
}
