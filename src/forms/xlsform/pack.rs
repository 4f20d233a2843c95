//! Looks into the zip that a workbook is before anything unpacks it, so that a small file cannot become a huge one.

use crate::forms::limits;

/// Refuses what is not a zip, and what grows beyond the limit. The sizes written in a zip may lie, so each part is
/// really unpacked, with a ceiling.
pub(super) fn check(bytes: &[u8]) -> Result<(), String> {
    if bytes.len() > limits::XLSX_BYTES {
        return Err(format!(
            "The workbook is bigger than {} MB",
            limits::XLSX_BYTES >> 20
        ));
    }
    let broken =
        || "The file is not an Excel workbook (.xlsx); save it again from Excel or LibreOffice".to_owned();
    let end = bytes
        .windows(4)
        .rposition(|w| w == b"PK\x05\x06")
        .ok_or_else(broken)?;
    let entries = number(bytes, end + 10, 2).ok_or_else(broken)?;
    let mut at = number(bytes, end + 16, 4).ok_or_else(broken)?;
    let mut left = usize::try_from(limits::XLSX_UNPACKED_BYTES).unwrap_or(usize::MAX);
    for _ in 0..entries {
        if bytes.get(at..at + 4) != Some(b"PK\x01\x02") {
            return Err(broken());
        }
        let field = |offset: usize, size: usize| number(bytes, at + offset, size).ok_or_else(broken);
        let (method, packed, local) = (field(10, 2)?, field(20, 4)?, field(42, 4)?);
        let begin = local
            + 30
            + number(bytes, local + 26, 2).ok_or_else(broken)?
            + number(bytes, local + 28, 2).ok_or_else(broken)?;
        let data = bytes
            .get(begin..begin.saturating_add(packed))
            .ok_or_else(broken)?;
        let size = match method {
            0 => packed,
            8 => miniz_oxide::inflate::decompress_to_vec_with_limit(data, left)
                .map_err(|_| {
                    format!(
                        "The workbook unpacks to more than {} MB",
                        limits::XLSX_UNPACKED_BYTES >> 20
                    )
                })?
                .len(),
            _ => return Err(broken()),
        };
        left = left
            .checked_sub(size)
            .ok_or_else(|| "The workbook unpacks to too much".to_owned())?;
        at += 46 + field(28, 2)? + field(30, 2)? + field(32, 2)?;
    }
    Ok(())
}

fn number(bytes: &[u8], at: usize, size: usize) -> Option<usize> {
    let slice = bytes.get(at..at.checked_add(size)?)?;
    Some(slice.iter().rev().fold(0, |n, b| n << 8 | usize::from(*b)))
}
