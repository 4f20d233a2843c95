//! Papers beside the two promises: what to pay, and a technician's sample.

use super::papers::{copy_mark, header, push_pairs, push_qr};
use super::{Air, Block, Document, DocumentKind, FootRow, Pair, Rule};

/// The fixed words of a payment order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaymentWords {
    /// «Orden de pago».
    pub title: String,
    /// «Número para pagar».
    pub code: String,
    /// «Cómo pagar».
    pub how: String,
    /// The paragraphs beside the QR code.
    pub beside_qr: Vec<String>,
    /// The paragraphs below it: that this is not a receipt of payment.
    pub notes: Vec<String>,
    /// «COPIA», printed with its number on a reprint.
    pub copy: String,
}

/// What a payment order says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaymentPaper {
    /// «Quitumbe».
    pub place: String,
    /// «Administración Zonal».
    pub office_kind: String,
    /// What is paid, or its neutral label when it is sensitive.
    pub subject: String,
    /// The number that a bank or a window asks for.
    pub code: String,
    /// Amount, last day, and whose (masked).
    pub facts: Vec<Pair>,
    /// Where and how.
    pub steps: Vec<String>,
    /// What the QR code says; left out when nobody reads it.
    pub qr: Option<String>,
    /// «Kiosco 2».
    pub device: String,
    /// «24/11/2026 10:15».
    pub printed: String,
    /// Number of the reprint; nothing for the original.
    pub copy: Option<u32>,
    /// The fixed words.
    pub words: PaymentWords,
}

/// Lays out a payment order.
pub fn payment(paper: &PaymentPaper) -> Document {
    let words = &paper.words;
    let mut blocks = header(&paper.place, &paper.office_kind);
    blocks.push(Block::Title(words.title.clone()));
    blocks.push(Block::Subject(paper.subject.clone()));
    blocks.push(Block::Rule(Rule::Solid));
    blocks.push(Block::Label(words.code.clone()));
    blocks.push(Block::Code(paper.code.clone()));
    push_pairs(None, &paper.facts, Air::Normal, &mut blocks);
    if !paper.steps.is_empty() {
        blocks.push(Block::Rule(Rule::Solid));
        blocks.push(Block::Section(words.how.clone()));
        blocks.push(Block::Steps(paper.steps.clone()));
    }
    push_qr(paper.qr.as_deref(), &words.beside_qr, &mut blocks);
    if !words.notes.is_empty() {
        blocks.push(Block::Rule(Rule::Solid));
        blocks.extend(words.notes.iter().cloned().map(Block::Text));
    }
    blocks.push(Block::Rule(Rule::Dashed));
    let mut foot = vec![FootRow {
        left: paper.device.clone(),
        right: paper.printed.clone(),
        is_marked: false,
    }];
    if let Some(copy) = copy_mark(&words.copy, paper.copy) {
        foot.push(FootRow {
            left: String::new(),
            right: copy,
            is_marked: true,
        });
    }
    blocks.push(Block::Foot(foot));
    Document {
        kind: DocumentKind::Payment,
        blocks,
    }
}

/// What a technician's sample says: everything a paper can have, once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadinessPaper {
    /// «Quitumbe».
    pub place: String,
    /// «Administración Zonal».
    pub office_kind: String,
    /// «Prueba de impresora».
    pub title: String,
    /// What was found out about the printer.
    pub checks: Vec<Pair>,
    /// «Letras», over the lines below.
    pub letters_title: String,
    /// Lines with every letter the country writes with, and some no page has.
    pub letters: Vec<String>,
    /// A turn's number as large as it gets.
    pub number: String,
    /// A receipt's code.
    pub code: String,
    /// What the QR code says.
    pub qr: String,
    /// How to judge what is seen.
    pub judge: String,
    /// «Kiosco 2».
    pub device: String,
    /// «24/11/2026 10:15».
    pub printed: String,
}

/// Lays out a technician's sample.
pub fn readiness(paper: &ReadinessPaper) -> Document {
    let mut blocks = header(&paper.place, &paper.office_kind);
    blocks.push(Block::Title(paper.title.clone()));
    push_pairs(None, &paper.checks, Air::Close, &mut blocks);
    blocks.push(Block::Rule(Rule::Solid));
    blocks.push(Block::Section(paper.letters_title.clone()));
    blocks.extend(paper.letters.iter().cloned().map(Block::Text));
    blocks.push(Block::Rule(Rule::Solid));
    blocks.push(Block::Number(paper.number.clone()));
    blocks.push(Block::Code(paper.code.clone()));
    let judge = std::slice::from_ref(&paper.judge);
    push_qr(Some(&paper.qr), judge, &mut blocks);
    blocks.push(Block::Rule(Rule::Dashed));
    blocks.push(Block::Foot(vec![FootRow {
        left: paper.device.clone(),
        right: paper.printed.clone(),
        is_marked: false,
    }]));
    Document {
        kind: DocumentKind::Readiness,
        blocks,
    }
}
