//! The pieces a file is cut into, and what to say when one of them cannot be read.
//!
//! A finding is written for an analyst: it names the file, the line, what was lost, and the way out.

use std::fmt;

/// Something wrong in the files of a catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueFinding {
    /// The name of the file, as it was given.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and what became of it.
    pub what: String,
    /// What to do about it.
    pub cure: String,
}

impl fmt::Display for CatalogueFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}; {}", self.file, self.line, self.what, self.cure)
    }
}

/// A part of a file that is read alone: its head, or one `[[…]]` entry.
#[derive(Clone, Copy)]
pub(super) struct Piece<'a> {
    pub(super) file: &'a str,
    /// The word between the brackets; empty for the head.
    pub(super) kind: &'a str,
    pub(super) text: &'a str,
    /// The line of the file it begins at, from 1.
    pub(super) first_line: usize,
}

impl Piece<'_> {
    /// A finding at the first line of the piece that has `key`.
    pub(super) fn finding(&self, key: &str, what: String, cure: &str) -> CatalogueFinding {
        let at = self.text.lines().position(|line| line.contains(key)).unwrap_or(0);
        CatalogueFinding {
            file: self.file.to_owned(),
            line: self.first_line + at,
            what,
            cure: cure.to_owned(),
        }
    }
}

/// Cuts a file at its `[[…]]` lines: the head before them, and one piece for each.
pub(super) fn cut<'a>(file: &'a str, text: &'a str) -> (Piece<'a>, Vec<Piece<'a>>) {
    let mut starts = vec![("", 0, 1)];
    let mut offset = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if let Some(kind) = header(line) {
            starts.push((kind, offset, index + 1));
        }
        offset += line.len();
    }
    let ends = starts
        .iter()
        .skip(1)
        .map(|&(_, start, _)| start)
        .chain([text.len()]);
    let piece = |(&(kind, start, first_line), end)| Piece {
        file,
        kind,
        text: &text[start..end],
        first_line,
    };
    let mut pieces = starts.iter().zip(ends).map(piece);
    let head = pieces.next().expect("the head is always there");
    (head, pieces.collect())
}

fn header(line: &str) -> Option<&str> {
    let kind = line.strip_prefix("[[")?.split_once("]]")?.0.trim();
    let plain = !kind.is_empty()
        && kind
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    plain.then_some(kind)
}

/// What serde or the TOML reader found, in words for an analyst.
pub(super) fn explain(piece: &Piece<'_>, error: &toml::de::Error) -> CatalogueFinding {
    let start = error.span().map_or(0, |span| span.start.min(piece.text.len()));
    let line = piece.first_line
        + piece.text.as_bytes()[..start]
            .iter()
            .filter(|&&b| b == b'\n')
            .count();
    let message = error.message();
    let entry = match (piece.kind, identifier(piece.text)) {
        ("", _) => "the file".to_owned(),
        (kind, Some(id)) => format!("the {kind} {id}"),
        (kind, None) => format!("this {kind}"),
    };
    let words: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let (what, cure) = if message.starts_with("unknown field") && !words.is_empty() {
        (
            format!("The key {} is not known; {entry} is left out", words[0]),
            choose(words[0], &words[1..]),
        )
    } else if message.starts_with("unknown variant") && !words.is_empty() {
        (
            format!("The value \"{}\" is not known; {entry} is left out", words[0]),
            choose(words[0], &words[1..]),
        )
    } else if message.starts_with("missing field") && !words.is_empty() {
        (
            format!("The key {} is missing; {entry} is left out", words[0]),
            "add it; README.md says what it is".to_owned(),
        )
    } else {
        let message = message.replace('\n', ", ");
        (
            format!("This line cannot be read ({message}); {entry} is left out"),
            "correct it, or compare it with another entry".to_owned(),
        )
    };
    CatalogueFinding {
        file: piece.file.to_owned(),
        line,
        what,
        cure,
    }
}

/// The identifier in a piece that may be broken elsewhere.
fn identifier(text: &str) -> Option<&str> {
    let line = text
        .lines()
        .find(|line| line.trim_start().starts_with("identifier"))?;
    line.split('"').nth(1)
}

pub(super) fn choose(wrong: &str, known: &[&str]) -> String {
    let list = known.join(", ");
    match nearest(wrong, known) {
        Some(near) => format!("perhaps it is {near}; there are {list}"),
        None => format!("there are {list}"),
    }
}

pub(super) fn nearest<'a>(wrong: &str, known: &[&'a str]) -> Option<&'a str> {
    let scored = known
        .iter()
        .map(|near| (strsim::jaro_winkler(wrong, near), *near));
    scored
        .filter(|(score, _)| *score > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, near)| near)
}
