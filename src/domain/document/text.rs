//! A document as plain lines, 44 columns wide like the paper.

use super::{Block, Document, FootRow, Rule, clean};

const COLUMNS: usize = 44;

pub(super) fn to_text(document: &Document) -> String {
    let mut lines = Vec::new();
    for block in &document.blocks {
        push(block, &mut lines);
    }
    let mut text = lines.join("\n");
    text.push('\n');
    text
}

fn push(block: &Block, lines: &mut Vec<String>) {
    match block {
        Block::Header { place, office_kind } => lines.extend([line(place), line(office_kind)]),
        Block::Rule(Rule::Solid) => lines.push("─".repeat(COLUMNS)),
        Block::Rule(Rule::Dashed) => lines.push("- ".repeat(COLUMNS / 2).trim_end().to_owned()),
        Block::Title(words)
        | Block::Subject(words)
        | Block::Lead(words)
        | Block::Label(words)
        | Block::Section(words)
        | Block::Text(words)
        | Block::Number(words)
        | Block::Code(words) => wrap("", words, lines),
        Block::Pairs { rows, .. } => {
            for pair in rows {
                push_ends(&pair.label, &pair.value, lines);
            }
        }
        Block::Steps(steps) => {
            for (index, step) in steps.iter().enumerate() {
                wrap(&format!("{}. ", index + 1), step, lines);
            }
        }
        Block::Checks(checks) => {
            for check in checks {
                wrap("[ ] ", check, lines);
            }
        }
        Block::Qr { payload, beside } => {
            lines.push(format!("[QR {}]", line(payload)));
            for paragraph in beside {
                wrap("", paragraph, lines);
            }
        }
        Block::Foot(rows) => {
            for FootRow { left, right, .. } in rows {
                push_ends(left, right, lines);
            }
        }
    }
}

/// One line never becomes two because of what somebody typed.
fn line(words: &str) -> String {
    clean(words).trim().to_owned()
}

fn push_ends(left: &str, right: &str, lines: &mut Vec<String>) {
    let (left, right) = (line(left), line(right));
    let used = left.chars().count() + right.chars().count();
    if right.is_empty() {
        lines.push(left);
    } else if used < COLUMNS {
        lines.push(format!("{left}{}{right}", " ".repeat(COLUMNS - used)));
    } else {
        wrap("", &left, lines);
        wrap("  ", &right, lines);
    }
}

fn wrap(mark: &str, words: &str, lines: &mut Vec<String>) {
    let indent = " ".repeat(mark.chars().count());
    let mut current = mark.to_owned();
    let mut is_empty = true;
    for word in line(words).split(' ').filter(|word| !word.is_empty()) {
        if !is_empty && current.chars().count() + 1 + word.chars().count() > COLUMNS {
            lines.push(std::mem::replace(&mut current, indent.clone()));
            is_empty = true;
        }
        if !is_empty {
            current.push(' ');
        }
        current.push_str(word);
        is_empty = false;
    }
    lines.push(current);
}
