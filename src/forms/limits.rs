//! How big a form may be. A form beyond these is a mistake or an attack; either way it is refused at the desk of the
//! person who publishes it.

/// Bytes of an XForm.
pub const XML_BYTES: usize = 8 << 20;
/// Bytes of a workbook, packed.
pub const XLSX_BYTES: usize = 8 << 20;
/// Bytes of one unpacked part of a workbook: what a zip bomb grows to.
pub const XLSX_UNPACKED_BYTES: u64 = 64 << 20;
/// Cells of one sheet.
pub const SHEET_CELLS: usize = 1_000_000;
/// Nodes of an XML document.
pub const XML_NODES: u32 = 600_000;
/// Fields and groups of the form.
pub const FIELDS: usize = 5_000;
/// Choices of all lists together.
pub const CHOICES: usize = 20_000;
/// Groups inside one another.
pub const DEPTH: usize = 64;
/// Copies of one repeat.
pub const REPEATS: usize = 500;
/// Nodes of one citizen's form, with all its repeats.
pub const INSTANCE_NODES: usize = 50_000;
/// Steps of one recalculation.
pub const STEPS: u64 = 5_000_000;
/// Characters of one answer.
pub const ANSWER_CHARS: usize = 20_000;
