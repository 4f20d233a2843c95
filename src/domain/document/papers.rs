//! The three papers of the house and what goes on each, in order.
//!
//! Every string comes translated and formatted; the only thing done to a value here is to hide an
//! identity number that somebody forgot to mask.

use super::{Air, Block, Document, DocumentKind, FootRow, Pair, Rule};
use crate::domain::redacted::mask_id;

/// The fixed words of a turn ticket, in the language of the person who took it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TurnWords {
    /// «Su turno».
    pub your_turn: String,
    /// «Antes que usted».
    pub ahead: String,
    /// «Espera».
    pub wait: String,
    /// «Tomado».
    pub taken: String,
    /// The paragraphs beside the QR code.
    pub beside_qr: Vec<String>,
    /// The paragraphs below it: what to do when the call was missed, and that a turn is free.
    pub notes: Vec<String>,
    /// «COPIA», printed with its number on a reprint.
    pub copy: String,
}

/// What a turn ticket says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TurnPaper {
    /// «Quitumbe».
    pub place: String,
    /// «Administración Zonal».
    pub office_kind: String,
    /// «T-018».
    pub number: String,
    /// The queue's public name, or the neutral label of a sensitive procedure.
    pub queue: String,
    /// «6 turnos»; left out when not known.
    pub ahead: Option<String>,
    /// «20 a 30 minutos»; left out when not known.
    pub wait: Option<String>,
    /// «24/11/2026 10:15».
    pub taken: String,
    /// What the QR code says; left out when the office has no page for phones.
    pub qr: Option<String>,
    /// «Atención de 08:00 a 16:30»; left out when not known.
    pub hours: Option<String>,
    /// «Kiosco 2».
    pub device: String,
    /// «T-018 · 0412-6», the number and the check digits that a person at the counter types.
    pub check: String,
    /// Number of the reprint; nothing for the original.
    pub copy: Option<u32>,
    /// The fixed words.
    pub words: TurnWords,
}

/// Lays out a turn ticket.
pub fn turn_ticket(paper: &TurnPaper) -> Document {
    let words = &paper.words;
    let mut blocks = header(&paper.place, &paper.office_kind);
    blocks.push(Block::Lead(words.your_turn.clone()));
    blocks.push(Block::Number(paper.number.clone()));
    blocks.push(Block::Title(paper.queue.clone()));
    let mut rows = Vec::new();
    if let Some(ahead) = &paper.ahead {
        rows.push(Pair::new(&words.ahead, ahead));
    }
    if let Some(wait) = &paper.wait {
        rows.push(Pair::new(&words.wait, wait));
    }
    rows.push(Pair::new(&words.taken, &paper.taken));
    blocks.push(Block::Rule(Rule::Solid));
    blocks.push(Block::Pairs {
        rows,
        air: Air::Roomy,
    });
    push_qr(paper.qr.as_deref(), &words.beside_qr, &mut blocks);
    if !words.notes.is_empty() {
        blocks.push(Block::Rule(Rule::Solid));
        blocks.extend(words.notes.iter().cloned().map(Block::Text));
    }
    blocks.push(Block::Rule(Rule::Dashed));
    let mut foot = Vec::new();
    if let Some(hours) = &paper.hours {
        foot.push(FootRow {
            left: hours.clone(),
            ..FootRow::default()
        });
    }
    foot.push(FootRow {
        left: paper.device.clone(),
        right: paper.check.clone(),
        is_marked: false,
    });
    if let Some(copy) = copy_mark(&words.copy, paper.copy) {
        foot.push(FootRow {
            left: String::new(),
            right: copy,
            is_marked: true,
        });
    }
    blocks.push(Block::Foot(foot));
    Document {
        kind: DocumentKind::TurnTicket,
        blocks,
    }
}

/// The fixed words of a receipt, in the language of the person who handed the form in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReceiptWords {
    /// «Comprobante de solicitud».
    pub title: String,
    /// «Código».
    pub code: String,
    /// «Lo que declaró».
    pub declared: String,
    /// «Lo que sigue».
    pub next: String,
    /// The paragraphs beside the QR code.
    pub beside_qr: Vec<String>,
    /// «Original».
    pub original: String,
    /// «COPIA», printed with its number on a reprint.
    pub copy: String,
}

/// What a receipt says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReceiptPaper {
    /// «Quitumbe».
    pub place: String,
    /// «Administración Zonal».
    pub office_kind: String,
    /// The procedure's public name, or its neutral label when it is sensitive.
    pub procedure: String,
    /// «QT7M-4K2P».
    pub code: String,
    /// The facts of the submission: when, whose (masked), how much, with what result.
    pub facts: Vec<Pair>,
    /// What the person declared; may be empty.
    pub declared: Vec<Pair>,
    /// What happens next; may be empty.
    pub next: Vec<String>,
    /// What the QR code says.
    pub qr: Option<String>,
    /// «Firma 9F3A 61C0 B7D2 48E5»; left out when the receipt is not sealed yet.
    pub seal: Option<String>,
    /// «Kiosco 2 · formulario v7».
    pub device: String,
    /// Number of the reprint; nothing for the original.
    pub copy: Option<u32>,
    /// The fixed words.
    pub words: ReceiptWords,
}

/// Lays out a receipt.
pub fn receipt(paper: &ReceiptPaper) -> Document {
    let words = &paper.words;
    let mut blocks = header(&paper.place, &paper.office_kind);
    blocks.push(Block::Title(words.title.clone()));
    blocks.push(Block::Subject(paper.procedure.clone()));
    blocks.push(Block::Rule(Rule::Solid));
    blocks.push(Block::Label(words.code.clone()));
    blocks.push(Block::Code(paper.code.clone()));
    push_pairs(None, &paper.facts, Air::Normal, &mut blocks);
    push_pairs(Some(&words.declared), &paper.declared, Air::Close, &mut blocks);
    if !paper.next.is_empty() {
        blocks.push(Block::Rule(Rule::Solid));
        blocks.push(Block::Section(words.next.clone()));
        blocks.push(Block::Steps(paper.next.clone()));
    }
    push_qr(paper.qr.as_deref(), &words.beside_qr, &mut blocks);
    blocks.push(Block::Rule(Rule::Dashed));
    let mut foot = Vec::new();
    if let Some(seal) = &paper.seal {
        foot.push(FootRow {
            left: seal.clone(),
            ..FootRow::default()
        });
    }
    let copy = copy_mark(&words.copy, paper.copy);
    foot.push(FootRow {
        left: paper.device.clone(),
        is_marked: copy.is_some(),
        right: copy.unwrap_or_else(|| words.original.clone()),
    });
    blocks.push(Block::Foot(foot));
    Document {
        kind: DocumentKind::Receipt,
        blocks,
    }
}

/// The fixed words of a checklist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChecklistWords {
    /// «Lo que debe traer».
    pub title: String,
    /// The paragraphs beside the QR code.
    pub beside_qr: Vec<String>,
    /// The paragraphs below the list.
    pub notes: Vec<String>,
}

/// What a list of requirements says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChecklistPaper {
    /// «Quitumbe».
    pub place: String,
    /// «Administración Zonal».
    pub office_kind: String,
    /// The procedure's public name, or its neutral label when it is sensitive.
    pub procedure: String,
    /// What to bring.
    pub items: Vec<String>,
    /// Cost, time, where and when; may be empty.
    pub facts: Vec<Pair>,
    /// What the QR code says; left out when there is nothing to open.
    pub qr: Option<String>,
    /// «Kiosco 2».
    pub device: String,
    /// «24/11/2026 10:15».
    pub printed: String,
    /// The fixed words.
    pub words: ChecklistWords,
}

/// Lays out a list of requirements.
pub fn checklist(paper: &ChecklistPaper) -> Document {
    let words = &paper.words;
    let mut blocks = header(&paper.place, &paper.office_kind);
    blocks.push(Block::Title(words.title.clone()));
    blocks.push(Block::Subject(paper.procedure.clone()));
    if !paper.items.is_empty() {
        blocks.push(Block::Rule(Rule::Solid));
        blocks.push(Block::Checks(paper.items.clone()));
    }
    push_pairs(None, &paper.facts, Air::Normal, &mut blocks);
    push_qr(paper.qr.as_deref(), &words.beside_qr, &mut blocks);
    if !words.notes.is_empty() {
        blocks.push(Block::Rule(Rule::Solid));
        blocks.extend(words.notes.iter().cloned().map(Block::Text));
    }
    blocks.push(Block::Rule(Rule::Dashed));
    let foot = FootRow {
        left: paper.device.clone(),
        right: paper.printed.clone(),
        is_marked: false,
    };
    blocks.push(Block::Foot(vec![foot]));
    Document {
        kind: DocumentKind::Checklist,
        blocks,
    }
}

pub(super) fn header(place: &str, office_kind: &str) -> Vec<Block> {
    let header = Block::Header {
        place: place.to_owned(),
        office_kind: office_kind.to_owned(),
    };
    vec![header, Block::Rule(Rule::Solid)]
}

pub(super) fn push_pairs(section: Option<&str>, rows: &[Pair], air: Air, blocks: &mut Vec<Block>) {
    if rows.is_empty() {
        return;
    }
    blocks.push(Block::Rule(Rule::Solid));
    if let Some(section) = section {
        blocks.push(Block::Section(section.to_owned()));
    }
    let rows = rows
        .iter()
        .map(|pair| Pair::new(&pair.label, without_whole_id(&pair.value)))
        .collect();
    blocks.push(Block::Pairs { rows, air });
}

pub(super) fn push_qr(payload: Option<&str>, beside: &[String], blocks: &mut Vec<Block>) {
    if let Some(payload) = payload {
        blocks.push(Block::Rule(Rule::Solid));
        blocks.push(Block::Qr {
            payload: payload.to_owned(),
            beside: beside.to_vec(),
        });
    }
}

pub(super) fn copy_mark(word: &str, copy: Option<u32>) -> Option<String> {
    copy.map(|number| format!("{word} {number}"))
}

/// Masks a value that is nothing but a valid identity number (10 digits) or that number as a taxpayer
/// (13 digits): paper is left on chairs, so the whole number must not be on it. The third digit of a
/// person is below 6, which keeps mobile numbers (096 to 099) readable.
fn without_whole_id(value: &str) -> String {
    let digits = value.trim();
    let is_id = matches!(digits.len(), 10 | 13)
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && digits.as_bytes()[2] < b'6'
        && has_valid_check_digit(digits.as_bytes());
    if is_id { mask_id(digits) } else { value.to_owned() }
}

/// The module-10 check that the Registro Civil uses on the first ten digits.
fn has_valid_check_digit(digits: &[u8]) -> bool {
    let sum: u32 = digits[..9]
        .iter()
        .enumerate()
        .map(|(index, digit)| {
            let value = u32::from(digit - b'0') * if index % 2 == 0 { 2 } else { 1 };
            if value > 9 { value - 9 } else { value }
        })
        .sum();
    (10 - sum % 10) % 10 == u32::from(digits[9] - b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_marked_in_place_of_the_original() {
        let words = ReceiptWords {
            original: "Original".into(),
            copy: "COPIA".into(),
            ..ReceiptWords::default()
        };
        let paper = ReceiptPaper {
            device: "Kiosco 2".into(),
            words,
            ..ReceiptPaper::default()
        };
        assert!(receipt(&paper).to_text().contains("Original"));
        let copy = receipt(&ReceiptPaper {
            copy: Some(2),
            ..paper
        })
        .to_text();
        assert!(copy.contains("COPIA 2"));
        assert!(!copy.contains("Original"));
    }

    #[test]
    fn a_forgotten_identity_number_is_masked() {
        let facts = vec![
            Pair::new("Cédula", "1714307103"),
            Pair::new("Predio", "N.º 512034"),
        ];
        let text = receipt(&ReceiptPaper {
            facts,
            ..ReceiptPaper::default()
        })
        .to_text();
        assert!(text.contains("17••••7103"), "{text}");
        assert!(!text.contains("1714307103"));
        assert!(text.contains("N.º 512034"));
    }

    #[test]
    fn a_phone_number_is_not_an_identity_number() {
        for phone in ["1800510510", "0987654321", "0991234567", "0965432104"] {
            assert_eq!(without_whole_id(phone), phone);
        }
    }
}
