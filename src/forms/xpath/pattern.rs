//! Regular expressions as a form writer knows them (Java), run by an engine that is linear in the length of the answer.

use regex::{Regex, RegexBuilder};

/// Compiles a pattern that must match the whole value, as `regex()` does in ODK.
pub(super) fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(&format!("^(?:{})$", ascii_classes(pattern)))
        .size_limit(1 << 20)
        .nest_limit(64)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "the regular expression is too big".to_owned(),
            _ => format!(
                "`{pattern}` is not a supported regular expression (no look-ahead, no back references)"
            ),
        })
}

/// In Java `\d`, `\w` and `\s` are ASCII; an Arabic digit must not pass for a document number.
fn ascii_classes(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('d') => out.push_str("[0-9]"),
            Some('D') => out.push_str("[^0-9]"),
            Some('w') => out.push_str("[A-Za-z0-9_]"),
            Some('W') => out.push_str("[^A-Za-z0-9_]"),
            Some('s') => out.push_str(r"[ \t\n\x0B\f\r]"),
            Some('S') => out.push_str(r"[^ \t\n\x0B\f\r]"),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_value_must_match_and_digits_are_ascii() {
        let re = compile(r"\d{2}").expect("a plain pattern");
        assert!(re.is_match("12") && !re.is_match("123") && !re.is_match("١٢"));
        assert!(compile(r"[\d\-]+").is_ok_and(|re| re.is_match("1-2")));
        assert!(compile(r"(?=a)b").is_err_and(|m| m.contains("look-ahead")));
    }
}
