//! The paper with which somebody goes on with a form that they stopped. It never has the digits that open it.

use super::papers::{copy_mark, header, push_pairs};
use super::{Air, Block, Document, DocumentKind, FootRow, Pair, Rule};

/// The fixed words, in the language of the person who stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResumeWords {
    /// «Para seguir su trámite».
    pub title: String,
    /// «Código».
    pub code: String,
    /// «Cómo seguir».
    pub how: String,
    /// «COPIA», printed with its number on a reprint.
    pub copy: String,
}

/// What the paper says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResumePaper {
    /// «Quitumbe».
    pub place: String,
    /// «Administración Zonal».
    pub office_kind: String,
    /// The procedure's public name, or its neutral label when it is sensitive.
    pub procedure: String,
    /// «QT7M-4K2P».
    pub code: String,
    /// When it was kept, and until when.
    pub facts: Vec<Pair>,
    /// What to do.
    pub steps: Vec<String>,
    /// That it is no receipt, and what not to write on it.
    pub notes: Vec<String>,
    /// «Kiosco 2».
    pub device: String,
    /// «24/11/2026 10:15».
    pub printed: String,
    /// Number of the reprint; nothing for the original.
    pub copy: Option<u32>,
    /// The fixed words.
    pub words: ResumeWords,
}

/// Lays it out.
pub fn resume(paper: &ResumePaper) -> Document {
    let words = &paper.words;
    let mut blocks = header(&paper.place, &paper.office_kind);
    blocks.push(Block::Title(words.title.clone()));
    blocks.push(Block::Subject(paper.procedure.clone()));
    blocks.push(Block::Rule(Rule::Solid));
    blocks.push(Block::Label(words.code.clone()));
    blocks.push(Block::Code(paper.code.clone()));
    push_pairs(None, &paper.facts, Air::Normal, &mut blocks);
    blocks.push(Block::Rule(Rule::Solid));
    blocks.push(Block::Section(words.how.clone()));
    blocks.push(Block::Steps(paper.steps.clone()));
    blocks.push(Block::Rule(Rule::Solid));
    blocks.extend(paper.notes.iter().cloned().map(Block::Text));
    blocks.push(Block::Rule(Rule::Dashed));
    let copy = copy_mark(&words.copy, paper.copy);
    blocks.push(Block::Foot(vec![FootRow {
        left: paper.device.clone(),
        is_marked: copy.is_some(),
        right: copy.unwrap_or_else(|| paper.printed.clone()),
    }]));
    Document {
        kind: DocumentKind::Resume,
        blocks,
    }
}
