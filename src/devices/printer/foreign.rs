//! Lengths of the commands that other programs send and this one does not.
//!
//! The simulator must find its way through them, or a picture's bytes would be taken for orders.

use super::command::Command;

type Found<'a> = Option<(Command<'a>, usize)>;

/// `ESC …`
pub(super) fn escape(bytes: &[u8], name: u8) -> Found<'_> {
    match name {
        b'<' | b'i' | b'm' | b'L' | b'S' | 0x0c => other(bytes, 2),
        b' ' | b'!' | b'%' | b'-' | b'=' | b'?' | b'G' | b'M' | b'R' | b'T' | b'V' | b'e' | b'r' | b'u'
        | b'v' | b'{' => other(bytes, 3),
        b'$' | b'\\' | b'c' => other(bytes, 4),
        b'p' => other(bytes, 5),
        b'W' => other(bytes, 10),
        b'D' => terminated(bytes, 2),
        b'*' => {
            let columns = word(bytes, 3)?;
            let dots = if *bytes.get(2)? >= 32 { 3 } else { 1 };
            other(bytes, 5 + columns * dots)
        }
        _ => Some((Command::Unknown(0x1b), 1)),
    }
}

/// `FS …`
pub(super) fn file_separator(bytes: &[u8], name: u8) -> Found<'_> {
    match name {
        b'&' => other(bytes, 2),
        b'!' | b'-' | b'C' | b'W' => other(bytes, 3),
        b'S' | b'p' => other(bytes, 4),
        b'(' => other(bytes, 5 + word(bytes, 3)?),
        _ => Some((Command::Unknown(0x1c), 1)),
    }
}

/// `GS …`
pub(super) fn group_separator(bytes: &[u8], name: u8) -> Found<'_> {
    match name {
        b':' => other(bytes, 2),
        b'/' | b'B' | b'H' | b'T' | b'b' | b'f' | b'h' | b'w' => other(bytes, 3),
        b'$' | b'L' | b'P' | b'W' | b'\\' => other(bytes, 4),
        b'^' => other(bytes, 5),
        b'8' => {
            let length = u32::from_le_bytes(bytes.get(3..7)?.try_into().ok()?);
            other(bytes, 7 + usize::try_from(length).ok()?)
        }
        b'*' => {
            let area = usize::from(*bytes.get(2)?) * usize::from(*bytes.get(3)?);
            other(bytes, 4 + area * 8)
        }
        b'k' => match *bytes.get(2)? {
            0..=6 => terminated(bytes, 3),
            _ => other(bytes, 4 + usize::from(*bytes.get(3)?)),
        },
        _ => Some((Command::Unknown(0x1d), 1)),
    }
}

fn other(bytes: &[u8], length: usize) -> Found<'_> {
    Some((Command::Other(bytes.get(..length)?), length))
}

/// A command that ends with a NUL.
fn terminated(bytes: &[u8], start: usize) -> Found<'_> {
    let length = bytes.get(start..)?.iter().position(|byte| *byte == 0)?;
    other(bytes, start + length + 1)
}

fn word(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_le_bytes(
        bytes.get(at..at + 2)?.try_into().ok()?,
    )))
}
