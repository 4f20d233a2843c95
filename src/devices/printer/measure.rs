//! How much paper a job takes, from its bytes alone and without drawing anything.

use super::command::{Command, parse};
use super::profile::Profile;
use super::qr;

/// `ESC 2`: a sixth of an inch at 203 dots per inch.
pub(super) const DEFAULT_SPACING: u32 = 34;
/// Dots of a millimetre on the usual head.
const DOTS_PER_MM: u32 = 8;
/// From the bar to the blade: every cut pulls this much past the last line.
const TO_THE_BLADE: u32 = 10 * DOTS_PER_MM;

/// Follows the paper through the commands of a job.
#[derive(Clone, Copy, Debug)]
pub(super) struct Feeder {
    spacing: u32,
    wide: u32,
    high: u32,
    /// Dots across and down of the line that is being written.
    line: (u32, u32),
    /// Dots of a module and modules across the stored QR code.
    code: (u32, u32),
}

impl Feeder {
    pub(super) const START: Self = Self {
        spacing: DEFAULT_SPACING,
        wide: 1,
        high: 1,
        line: (0, 0),
        code: (3, 0),
    };

    /// Rows of dots that `command` moves the paper by.
    pub(super) fn feed(&mut self, command: &Command<'_>, profile: &Profile) -> u32 {
        match command {
            Command::Initialise => {
                *self = Self::START;
                0
            }
            Command::Size { wide, high } => {
                (self.wide, self.high) = (u32::from(*wide), u32::from(*high));
                0
            }
            Command::LineSpacing(dots) => {
                self.spacing = dots.map_or(DEFAULT_SPACING, u32::from);
                0
            }
            Command::Text(letters) => {
                let mut fed = 0;
                for _ in *letters {
                    if self.line.0 + 12 * self.wide > profile.safe_width() {
                        fed += self.end_line();
                    }
                    self.line = (self.line.0 + 12 * self.wide, self.line.1.max(24 * self.high));
                }
                fed
            }
            Command::LineFeed => self.end_line(),
            Command::FeedLines(lines) => self.end_pending() + u32::from(*lines) * self.spacing,
            Command::FeedDots(dots) => self.end_pending() + u32::from(*dots),
            Command::Raster { rows, .. } => self.end_pending() + u32::try_from(*rows).unwrap_or(0),
            Command::QrSize(dots) => {
                self.code.0 = u32::from(*dots);
                0
            }
            Command::QrStore(data) => {
                self.code.1 = std::str::from_utf8(data).ok().and_then(qr::modules).unwrap_or(0);
                0
            }
            Command::QrPrint => self.end_pending() + self.code.0 * self.code.1,
            Command::Cut(_) => self.end_pending() + TO_THE_BLADE,
            Command::CancelKanji
            | Command::SelectPage(_)
            | Command::Align(_)
            | Command::Bold(_)
            | Command::QrModel(_)
            | Command::QrLevel(_)
            | Command::Fence(_)
            | Command::StatusBack(_)
            | Command::Identify(_)
            | Command::RealTime(_)
            | Command::Nothing
            | Command::Other(_)
            | Command::Unknown(_)
            | Command::Truncated => 0,
        }
    }

    fn end_line(&mut self) -> u32 {
        let (_, high) = std::mem::take(&mut self.line);
        self.spacing.max(high)
    }

    fn end_pending(&mut self) -> u32 {
        if self.line.0 == 0 { 0 } else { self.end_line() }
    }
}

/// Millimetres of paper a job takes, the way to the blade included.
pub fn length_mm(job: &[u8], profile: &Profile) -> u32 {
    let mut feeder = Feeder::START;
    let dots: u32 = parse(job)
        .iter()
        .map(|placed| feeder.feed(&placed.command, profile))
        .sum();
    dots.div_ceil(DOTS_PER_MM)
}
