//! The distance between two letters, read from the `GPOS` table that `ab_glyph` does not look at.
//!
//! Only pair positioning with a horizontal advance is read, which is all the house's font has. A font
//! it cannot understand is set without kerning; it never fails.

use std::collections::HashMap;

/// Kerning of one font, in its own units.
#[derive(Debug, Default)]
pub(super) struct Kerning {
    lookups: Vec<Vec<Subtable>>,
}

#[derive(Debug)]
enum Subtable {
    Pairs(HashMap<(u16, u16), i16>),
    Classes {
        covered: Vec<u16>,
        first: HashMap<u16, u16>,
        second: HashMap<u16, u16>,
        rows: Vec<Vec<i16>>,
    },
}

impl Kerning {
    /// Reads the kerning of a TrueType file.
    pub(super) fn read(font: &[u8]) -> Self {
        Self {
            lookups: lookups(font).unwrap_or_default(),
        }
    }

    /// What to add to the advance of `left` when `right` follows.
    pub(super) fn between(&self, left: u16, right: u16) -> i16 {
        self.lookups
            .iter()
            .map(|lookup| lookup.iter().find_map(|sub| sub.value(left, right)).unwrap_or(0))
            .sum()
    }
}

impl Subtable {
    fn value(&self, left: u16, right: u16) -> Option<i16> {
        match self {
            Self::Pairs(pairs) => pairs.get(&(left, right)).copied(),
            Self::Classes {
                covered,
                first,
                second,
                rows,
            } => {
                covered.binary_search(&left).ok()?;
                let row = rows.get(usize::from(first.get(&left).copied().unwrap_or(0)))?;
                row.get(usize::from(second.get(&right).copied().unwrap_or(0)))
                    .copied()
            }
        }
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn offset_at(bytes: &[u8], at: usize) -> Option<usize> {
    u16_at(bytes, at).map(usize::from)
}

fn lookups(font: &[u8]) -> Option<Vec<Vec<Subtable>>> {
    let tables = offset_at(font, 4)?;
    let gpos = (0..tables)
        .map(|index| 12 + index * 16)
        .find(|at| font.get(*at..at + 4) == Some(b"GPOS"))?;
    let start = u32::from_be_bytes(font.get(gpos + 8..gpos + 12)?.try_into().ok()?) as usize;
    let gpos = font.get(start..)?;
    let list = gpos.get(offset_at(gpos, 8)?..)?;
    let mut lookups = Vec::new();
    for index in 0..offset_at(list, 0)? {
        let lookup = list.get(offset_at(list, 2 + index * 2)?..)?;
        if u16_at(lookup, 0)? == 2 {
            let subtables = (0..offset_at(lookup, 4)?)
                .map(|sub| subtable(lookup.get(offset_at(lookup, 6 + sub * 2)?..)?))
                .collect::<Option<Vec<_>>>()?;
            lookups.push(subtables);
        }
    }
    Some(lookups)
}

fn subtable(bytes: &[u8]) -> Option<Subtable> {
    const ADVANCE_ONLY: u16 = 0x0004;
    if u16_at(bytes, 4)? != ADVANCE_ONLY || u16_at(bytes, 6)? != 0 {
        return None;
    }
    let covered = coverage(bytes.get(offset_at(bytes, 2)?..)?)?;
    if u16_at(bytes, 0)? == 1 {
        let mut pairs = HashMap::new();
        for (index, left) in covered.into_iter().enumerate() {
            let set = bytes.get(offset_at(bytes, 10 + index * 2)?..)?;
            for pair in 0..offset_at(set, 0)? {
                let at = 2 + pair * 4;
                pairs.insert((left, u16_at(set, at)?), u16_at(set, at + 2)?.cast_signed());
            }
        }
        return Some(Subtable::Pairs(pairs));
    }
    let first = classes(bytes.get(offset_at(bytes, 8)?..)?)?;
    let second = classes(bytes.get(offset_at(bytes, 10)?..)?)?;
    let (height, width) = (offset_at(bytes, 12)?, offset_at(bytes, 14)?);
    let rows = (0..height)
        .map(|row| {
            (0..width)
                .map(|column| Some(u16_at(bytes, 16 + (row * width + column) * 2)?.cast_signed()))
                .collect()
        })
        .collect::<Option<Vec<Vec<i16>>>>()?;
    Some(Subtable::Classes {
        covered,
        first,
        second,
        rows,
    })
}

/// The glyphs of a coverage table, in order.
fn coverage(bytes: &[u8]) -> Option<Vec<u16>> {
    let count = offset_at(bytes, 2)?;
    if u16_at(bytes, 0)? == 1 {
        return (0..count).map(|index| u16_at(bytes, 4 + index * 2)).collect();
    }
    let mut glyphs = Vec::new();
    for index in 0..count {
        glyphs.extend(u16_at(bytes, 4 + index * 6)?..=u16_at(bytes, 6 + index * 6)?);
    }
    Some(glyphs)
}

/// The class of each glyph; those not named are in class 0.
fn classes(bytes: &[u8]) -> Option<HashMap<u16, u16>> {
    let mut classes = HashMap::new();
    if u16_at(bytes, 0)? == 1 {
        let start = u16_at(bytes, 2)?;
        for index in 0..u16_at(bytes, 4)? {
            classes.insert(
                start.checked_add(index)?,
                u16_at(bytes, 6 + usize::from(index) * 2)?,
            );
        }
        return Some(classes);
    }
    for index in 0..offset_at(bytes, 2)? {
        let at = 4 + index * 6;
        let class = u16_at(bytes, at + 4)?;
        classes.extend((u16_at(bytes, at)?..=u16_at(bytes, at + 2)?).map(|glyph| (glyph, class)));
    }
    Some(classes)
}
