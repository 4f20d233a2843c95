//! Words to the bytes of a printer's page, and back for the picture.
//!
//! The encoder is our own because the tables of the `escpos` crate are wrong for 850 and 858 and send
//! UTF-8 when a character is missing. Nothing typed by a person may reach the printer as a command,
//! so everything goes through [`clean`](crate::domain::document::clean()) first.

use super::profile::{Page, PageSlot};

/// A piece of a line and the slot it must be printed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) slot: u8,
    pub(super) bytes: Vec<u8>,
}

/// Encodes clean words with as few changes of page as possible, or nothing when a character is in none
/// of the pages; the line must then be drawn.
pub(super) fn encode(words: &str, pages: &[PageSlot]) -> Option<Vec<Run>> {
    let mut runs: Vec<Run> = Vec::new();
    let first = pages.first()?;
    let mut current = *first;
    for c in words.chars() {
        // A no-break space has done its work once the line is broken.
        let c = if c == '\u{a0}' { ' ' } else { c };
        let (page, byte) = std::iter::once(&current)
            .chain(pages)
            .find_map(|page| page.page.byte(c).map(|byte| (*page, byte)))?;
        current = page;
        match runs.last_mut() {
            Some(run) if run.slot == page.slot => run.bytes.push(byte),
            _ => runs.push(Run {
                slot: page.slot,
                bytes: vec![byte],
            }),
        }
    }
    Some(runs)
}

const PC850: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}";
const PC437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";
/// `�` stands where the page has no character.
const WPC1252: &str = "€�‚ƒ„…†‡ˆ‰Š‹Œ�Ž��‘’“”•–—˜™š›œ�žŸ";

impl Page {
    /// The byte of `c` on this page. Control characters have none.
    pub(super) fn byte(self, c: char) -> Option<u8> {
        match c {
            ' '..='~' => u8::try_from(c).ok(),
            '�' => None,
            _ => (0x80..=0xff).find(|byte| self.character(*byte) == Some(c)),
        }
    }

    /// The character of `byte` on this page.
    pub(super) fn character(self, byte: u8) -> Option<char> {
        match (self, byte) {
            (_, 0x20..=0x7e) => Some(char::from(byte)),
            (_, 0..=0x7f) => None,
            (Self::Wpc1252, 0xa0..) => Some(char::from(byte)),
            (Self::Wpc1252, _) => WPC1252
                .chars()
                .nth(usize::from(byte - 0x80))
                .filter(|c| *c != '�'),
            (Self::Pc437, _) => PC437.chars().nth(usize::from(byte - 0x80)),
            (Self::Pc858, 0xd5) => Some('€'),
            (Self::Pc858 | Self::Pc850, _) => PC850.chars().nth(usize::from(byte - 0x80)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::printer::Profile;

    #[test]
    fn every_byte_of_every_page_goes_round() {
        for page in [Page::Wpc1252, Page::Pc858, Page::Pc850, Page::Pc437] {
            for byte in 0..=0xff {
                if let Some(c) = page.character(byte) {
                    assert_eq!(page.byte(c), Some(byte), "{page:?} {byte:02x} {c:?}");
                }
            }
        }
    }

    #[test]
    fn the_characters_the_crate_gets_wrong_are_right() {
        for (c, byte) in [('¿', 0xa8), ('-', 0x2d), ('®', 0xa9), ('Ô', 0xe2), ('Ò', 0xe3)] {
            assert_eq!(Page::Pc858.byte(c), Some(byte));
        }
        for (c, byte) in [
            ('ñ', 0xf1),
            ('•', 0x95),
            ('«', 0xab),
            ('º', 0xba),
            ('Í', 0xcd),
            ('€', 0x80),
        ] {
            assert_eq!(Page::Wpc1252.byte(c), Some(byte));
        }
    }

    /// The tables of another program: Python's codecs, written down once.
    #[test]
    fn every_page_agrees_with_the_tables_of_another_program() {
        for (page, table) in [
            (Page::Pc437, include_str!("../../../tests/golden/pages/cp437.txt")),
            (Page::Pc850, include_str!("../../../tests/golden/pages/cp850.txt")),
            (Page::Pc858, include_str!("../../../tests/golden/pages/cp858.txt")),
            (
                Page::Wpc1252,
                include_str!("../../../tests/golden/pages/cp1252.txt"),
            ),
        ] {
            assert_eq!(table.lines().count(), 128);
            for line in table.lines() {
                let (byte, code) = line.split_once(" U+").expect("a byte and its character");
                let byte = u8::from_str_radix(byte, 16).expect("a byte");
                let character = u32::from_str_radix(code, 16).ok().and_then(char::from_u32);
                let expected = character.filter(|c| *c != '\u{fffd}');
                assert_eq!(page.character(byte), expected, "{page:?} {byte:02x}");
                if let Some(c) = expected {
                    assert_eq!(page.byte(c), Some(byte), "{page:?} {c}");
                }
            }
        }
    }

    #[test]
    fn every_spanish_letter_finds_a_page_or_a_picture() {
        let letters = "áéíóúüñÁÉÍÓÚÜÑ¿¡ºª«»°-€";
        let missing = |page: Page| {
            letters
                .chars()
                .filter(|c| page.byte(*c).is_none())
                .collect::<String>()
        };
        assert_eq!(missing(Page::Wpc1252), "");
        assert_eq!(missing(Page::Pc858), "");
        assert_eq!(missing(Page::Pc850), "€");
        assert_eq!(missing(Page::Pc437), "ÁÍÓÚ€");
        let old = [PageSlot {
            page: Page::Pc437,
            slot: 0,
        }];
        assert_eq!(encode("Ávila", &old), None, "it is drawn instead");
        assert!(encode("ávila ñandú", &old).is_some());
        let mut both = old.to_vec();
        both.push(PageSlot {
            page: Page::Pc850,
            slot: 2,
        });
        let runs = encode("ñ Á ñ", &both).expect("one of them has it");
        assert_eq!(runs.iter().map(|run| run.slot).collect::<Vec<_>>(), [0, 2]);
    }

    #[test]
    fn pages_change_only_when_needed() {
        let pages = Profile::wide().pages;
        let runs = encode("año ¾ ½", &pages).expect("all in 1252");
        assert_eq!(runs.len(), 1);
        let runs = encode("a ─ b", &pages).expect("a line is in 858");
        assert_eq!(runs.iter().map(|run| run.slot).collect::<Vec<_>>(), [16, 19]);
        assert_eq!(encode("ẽ", &pages), None);
    }
}
