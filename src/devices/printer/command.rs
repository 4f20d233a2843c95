//! The bytes of a job cut into the commands a printer would see.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::foreign;

/// One command, with its place for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Placed<'a> {
    pub(super) at: usize,
    pub(super) command: Command<'a>,
}

/// What a printer is told. Only what [`compose`](super::compose()) and the transports send is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command<'a> {
    Initialise,
    CancelKanji,
    SelectPage(u8),
    Align(u8),
    Bold(bool),
    Size {
        wide: u8,
        high: u8,
    },
    LineSpacing(Option<u8>),
    LineFeed,
    FeedLines(u8),
    FeedDots(u8),
    Text(&'a [u8]),
    Raster {
        mode: u8,
        row_bytes: usize,
        rows: usize,
        data: &'a [u8],
    },
    QrModel(u8),
    QrSize(u8),
    QrLevel(u8),
    QrStore(&'a [u8]),
    QrPrint,
    Cut(u8),
    /// A question at the end of a job whose answer is the proof of printing.
    Fence(&'a [u8]),
    /// `GS a`: what it should say by itself.
    StatusBack(u8),
    /// `GS I`: a question for its name.
    Identify(u8),
    /// A real-time command, which a printer obeyed when it arrived.
    RealTime(&'a [u8]),
    /// NULs between commands, which printers skip.
    Nothing,
    /// A command of known length that this program never sends.
    Other(&'a [u8]),
    /// A byte no command begins with.
    Unknown(u8),
    /// A command whose end is missing.
    Truncated,
}

/// Cuts `bytes` into commands. Never fails: what is not understood is said so, as it would print.
pub(super) fn parse(bytes: &[u8]) -> Vec<Placed<'_>> {
    let mut commands = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let (command, length) = next(&bytes[at..]).unwrap_or((Command::Truncated, bytes.len() - at));
        commands.push(Placed { at, command });
        at += length.max(1);
    }
    commands
}

/// Where a real-time command begins, wherever it is: the printer does not care what it is inside of.
pub(super) fn real_time(bytes: &[u8]) -> Option<usize> {
    bytes
        .windows(2)
        .position(|pair| pair[0] == 0x10 && matches!(pair[1], 0x04 | 0x05 | 0x14))
}

/// Bytes of the longest command of a job: what a printer may still wait for when the line drops.
pub(super) fn longest(bytes: &[u8]) -> usize {
    let placed = parse(bytes);
    let ends = placed.iter().skip(1).map(|placed| placed.at).chain([bytes.len()]);
    placed
        .iter()
        .zip(ends)
        .map(|(placed, end)| end - placed.at)
        .max()
        .unwrap_or(0)
}

/// A readable list of the commands of a job, for golden files and for support.
pub fn dump(bytes: &[u8]) -> String {
    let mut text = String::new();
    for Placed { at, command } in parse(bytes) {
        let words = match command {
            Command::Text(words) => format!("text {}", words.escape_ascii()),
            Command::Raster {
                mode,
                row_bytes,
                rows,
                data,
            } => {
                let hash = Sha256::digest(data);
                let short: String = hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
                format!("raster mode {mode} {row_bytes} bytes x {rows} rows {short}")
            }
            Command::QrStore(data) => format!("qr store {}", data.escape_ascii()),
            Command::Other(bytes) => format!("other {}", bytes.escape_ascii()),
            other => format!("{other:?}"),
        };
        writeln!(text, "{at:06} {words}").expect("a string takes every line");
    }
    text
}

/// The first command of `bytes` and its length, or nothing while its end has not come.
pub(super) fn next(bytes: &[u8]) -> Option<(Command<'_>, usize)> {
    let is_text = |byte: &u8| *byte >= 0x20 && *byte != 0x7f;
    let byte = |index: usize| bytes.get(index).copied();
    Some(match byte(0)? {
        0 => (
            Command::Nothing,
            bytes.iter().take_while(|byte| **byte == 0).count(),
        ),
        0x0a => (Command::LineFeed, 1),
        0x10 => match byte(1)? {
            0x04 | 0x05 => (Command::RealTime(bytes.get(..3)?), 3),
            0x14 => {
                let length = match byte(2)? {
                    1 | 2 => 5,
                    8 => 10,
                    _ => 3,
                };
                (Command::RealTime(bytes.get(..length)?), length)
            }
            _ => (Command::Unknown(0x10), 1),
        },
        0x1b => match byte(1)? {
            b'@' => (Command::Initialise, 2),
            b't' => (Command::SelectPage(byte(2)?), 3),
            b'a' => (Command::Align(byte(2)?), 3),
            b'E' => (Command::Bold(byte(2)? & 1 == 1), 3),
            b'2' => (Command::LineSpacing(None), 2),
            b'3' => (Command::LineSpacing(Some(byte(2)?)), 3),
            b'd' => (Command::FeedLines(byte(2)?), 3),
            b'J' => (Command::FeedDots(byte(2)?), 3),
            other => return foreign::escape(bytes, other),
        },
        0x1c => match byte(1)? {
            b'.' => (Command::CancelKanji, 2),
            other => return foreign::file_separator(bytes, other),
        },
        0x1d => match byte(1)? {
            b'!' => {
                let size = byte(2)?;
                (
                    Command::Size {
                        wide: (size >> 4 & 7) + 1,
                        high: (size & 7) + 1,
                    },
                    3,
                )
            }
            b'v' if byte(2)? == b'0' => return raster(bytes),
            b'V' => match byte(2)? {
                mode @ (0 | 1 | b'0' | b'1') => (Command::Cut(mode), 3),
                mode @ (b'A' | b'B') => {
                    byte(3)?;
                    (Command::Cut(mode), 4)
                }
                _ => (Command::Unknown(0x1d), 1),
            },
            b'r' => (Command::Fence(bytes.get(..3)?), 3),
            b'a' => (Command::StatusBack(byte(2)?), 3),
            b'I' => (Command::Identify(byte(2)?), 3),
            b'(' => return sized(bytes),
            other => return foreign::group_separator(bytes, other),
        },
        first if is_text(&first) => {
            let length = bytes.iter().take_while(|byte| is_text(byte)).count();
            (Command::Text(&bytes[..length]), length)
        }
        first => (Command::Unknown(first), 1),
    })
}

fn raster(bytes: &[u8]) -> Option<(Command<'_>, usize)> {
    let size = |at: usize| {
        Some(usize::from(u16::from_le_bytes(
            bytes.get(at..at + 2)?.try_into().ok()?,
        )))
    };
    let (mode, row_bytes, rows) = (*bytes.get(3)?, size(4)?, size(6)?);
    let end = 8 + row_bytes * rows;
    Some((
        Command::Raster {
            mode,
            row_bytes,
            rows,
            data: bytes.get(8..end)?,
        },
        end,
    ))
}

/// `GS ( x pL pH …`, whose length is in its head.
fn sized(bytes: &[u8]) -> Option<(Command<'_>, usize)> {
    let length = usize::from(u16::from_le_bytes(bytes.get(3..5)?.try_into().ok()?));
    let end = 5 + length;
    let body = bytes.get(5..end)?;
    let command = match (bytes[2], body) {
        (b'k', [b'1', b'A', model, ..]) => Command::QrModel(*model),
        (b'k', [b'1', b'C', size]) => Command::QrSize(*size),
        (b'k', [b'1', b'E', level]) => Command::QrLevel(*level),
        (b'k', [b'1', b'P', b'0', data @ ..]) => Command::QrStore(data),
        (b'k', [b'1', b'Q', b'0']) => Command::QrPrint,
        (b'H', _) => Command::Fence(&bytes[..end]),
        _ => Command::Other(&bytes[..end]),
    };
    Some((command, end))
}
