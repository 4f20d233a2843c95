//! Looks into an old workbook (.xls) before anything reads it: two cells in opposite corners of a sheet would claim the
//! memory of all the cells between them.

use crate::forms::limits;
use std::io::{Cursor, Read};

/// Cells between the first and the last one of all sheets together.
const AREA: u64 = 4_000_000;

/// Records that stand for a cell, or a row of them: the row and the first column come first.
const CELLS: &[u16] = &[
    0x0006, 0x00bd, 0x00be, 0x00d6, 0x00fd, 0x0201, 0x0203, 0x0204, 0x0205, 0x027e, 0x0406,
];

/// Refuses a workbook whose sheets are mostly empty space.
pub(super) fn check(bytes: &[u8]) -> Result<(), String> {
    if bytes.len() > limits::XLSX_BYTES {
        return Err(format!(
            "The workbook is bigger than {} MB",
            limits::XLSX_BYTES >> 20
        ));
    }
    let stream = stream(bytes).ok_or(
        "The file is not an Excel workbook (.xls); save it again as .xlsx from Excel or LibreOffice",
    )?;
    let mut area = 0_u64;
    let mut corners: Option<(u16, u16, u16, u16)> = None;
    let mut at = 0;
    while let Some(head) = stream.get(at..at + 4) {
        let (kind, length) = (word(head, 0), usize::from(word(head, 2)));
        let body = stream.get(at + 4..at + 4 + length).unwrap_or_default();
        if kind & 0xff == 0x09 {
            area += extent(corners.take());
        } else if CELLS.contains(&kind) && body.len() >= 4 {
            let (row, column) = (word(body, 0), word(body, 2));
            // The last column of a row of cells stands at its end.
            let last = if matches!(kind, 0x00bd | 0x00be) {
                word(body, body.len() - 2)
            } else {
                column
            };
            let (top, left, bottom, right) = corners.unwrap_or((row, column, row, last));
            corners = Some((top.min(row), left.min(column), bottom.max(row), right.max(last)));
        }
        at += 4 + length;
    }
    area += extent(corners);
    if area > AREA {
        return Err("The sheets have cells far away from the others; delete them and save again".to_owned());
    }
    Ok(())
}

fn extent(corners: Option<(u16, u16, u16, u16)>) -> u64 {
    corners.map_or(0, |(top, left, bottom, right)| {
        (u64::from(bottom - top) + 1) * (u64::from(right.saturating_sub(left)) + 1)
    })
}

fn stream(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut file = cfb::CompoundFile::open(Cursor::new(bytes)).ok()?;
    let name = ["/Workbook", "/Book"].into_iter().find(|n| file.is_stream(n))?;
    let mut out = Vec::new();
    let limit = u64::try_from(limits::XLSX_BYTES).unwrap_or(u64::MAX);
    file.open_stream(name)
        .ok()?
        .take(limit)
        .read_to_end(&mut out)
        .ok()?;
    Some(out)
}

fn word(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}
