//! Words fit for paper: nothing typed by a person may be a command or hide what it says.

use unicode_normalization::UnicodeNormalization;

/// Composes accents and removes what is not writing: control characters (they are commands to the
/// printer), direction marks (they make a text read as another) and other invisible marks. Line ends
/// and tabs become spaces, because the layout breaks lines.
pub fn clean(words: &str) -> String {
    words.nfc().filter_map(writing).collect()
}

fn writing(c: char) -> Option<char> {
    match c {
        '\n' | '\r' | '\t' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some(' '),
        _ if c.is_control() => None,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' => None,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => None,
        '\u{fe00}'..='\u{fe0f}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}' => None,
        _ => Some(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_hidden_in_a_name_are_gone() {
        assert_eq!(clean("a\x1b@\x1dV0\x10\x14z"), "a@V0z");
        assert_eq!(clean("a\u{202e}b\u{200f}c\u{2066}d\nz\u{9b}"), "abcd z");
        assert_eq!(clean("n\u{303}"), "ñ");
    }
}
