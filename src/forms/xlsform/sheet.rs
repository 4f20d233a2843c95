//! A workbook as rows of text.

use super::{columns, pack};
use crate::forms::finding::Finding;
use crate::forms::limits;
use calamine::{DataRef, Reader, Xlsx};
use std::collections::BTreeMap;
use std::io::Cursor;

/// Columns beyond this are somebody's scratch space.
const MAX_COLUMN: u32 = 512;

pub(super) struct Book {
    sheets: Vec<Sheet>,
    /// Every name, also of sheets that are not read.
    all: Vec<String>,
}

pub(super) struct Sheet {
    pub name: String,
    pub header: Vec<columns::Column>,
    pub rows: Vec<Row>,
}

pub(super) struct Row {
    /// As Excel counts.
    pub number: u32,
    cells: BTreeMap<usize, String>,
}

impl Row {
    pub fn text(&self, column: usize) -> Option<&str> {
        self.cells.get(&column).map(String::as_str)
    }
}

impl Book {
    pub fn sheet(&self, name: &str) -> Option<&Sheet> {
        self.sheets
            .iter()
            .find(|s| s.name.trim().eq_ignore_ascii_case(name))
    }

    pub fn names(&self) -> Vec<&str> {
        self.all.iter().map(String::as_str).collect()
    }

    /// A sheet whose name is almost this one.
    pub fn similar(&self, name: &str) -> Option<&str> {
        let like =
            |s: &&String| !s.starts_with('_') && strsim::levenshtein(&s.trim().to_lowercase(), name) <= 2;
        self.all.iter().find(like).map(String::as_str)
    }
}

impl Sheet {
    /// The cell of a row under a canonical column name, without language.
    pub fn get<'a>(&self, row: &'a Row, key: &str) -> Option<&'a str> {
        self.column(key).and_then(|at| row.text(at))
    }

    pub fn column(&self, key: &str) -> Option<usize> {
        self.header
            .iter()
            .position(|c| c.key == key && c.language.is_none())
    }

    /// The heading as the author wrote it.
    pub fn title(&self, key: &str) -> &str {
        self.header
            .iter()
            .find(|c| c.key == key)
            .map_or("", |c| c.title.as_str())
    }

    /// Every language of a column, in order.
    pub fn texts(&self, row: &Row, key: &str) -> Vec<(Option<String>, String)> {
        let columns = self.header.iter().enumerate().filter(|(_, c)| c.key == key);
        columns
            .filter_map(|(at, c)| Some((c.language.clone(), row.text(at)?.to_owned())))
            .collect()
    }
}

pub(super) fn read(bytes: &[u8]) -> Result<Book, Finding> {
    pack::check(bytes).map_err(Finding::error)?;
    let broken = |e: calamine::XlsxError| {
        Finding::error(format!(
            "The workbook cannot be read ({e}); save it again as .xlsx"
        ))
    };
    let mut file: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(broken)?;
    let all = file.sheet_names();
    let mut sheets = Vec::new();
    for name in &all {
        let lower = name.trim().to_lowercase();
        if ["survey", "choices", "settings"].contains(&lower.as_str()) {
            sheets.push(sheet(&mut file, name)?);
        }
    }
    Ok(Book { sheets, all })
}

fn sheet(file: &mut Xlsx<Cursor<&[u8]>>, name: &str) -> Result<Sheet, Finding> {
    let broken = |e: calamine::XlsxError| {
        Finding::error(format!("The sheet cannot be read ({e}); save it again")).at(name, 0, "")
    };
    // Cell by cell: one cell in the last corner of a sheet would otherwise claim all the memory of the machine.
    let mut rows: BTreeMap<u32, BTreeMap<usize, String>> = BTreeMap::new();
    let mut count = 0;
    let mut cells = file.worksheet_cells_reader(name).map_err(broken)?;
    while let Some(cell) = cells.next_cell().map_err(broken)? {
        let (row, column) = cell.get_position();
        let text = text(cell.get_value());
        if text.is_empty() || column >= MAX_COLUMN {
            continue;
        }
        count += 1;
        if count > limits::SHEET_CELLS {
            return Err(
                Finding::error(format!("The sheet has more than {} cells", limits::SHEET_CELLS))
                    .at(name, 0, ""),
            );
        }
        rows.entry(row).or_default().insert(column as usize, text);
    }
    let Some((header_row, titles)) = rows.pop_first() else {
        return Ok(Sheet {
            name: name.to_owned(),
            header: vec![],
            rows: vec![],
        });
    };
    let width = titles.keys().next_back().map_or(0, |c| c + 1);
    let header: Vec<columns::Column> = (0..width)
        .map(|at| columns::column(titles.get(&at).map_or("", String::as_str)))
        .collect();
    for (at, column) in header.iter().enumerate() {
        let twin = header[..at]
            .iter()
            .find(|c| !c.key.is_empty() && c.key == column.key && c.language == column.language);
        if let Some(twin) = twin {
            let message = format!(
                "The column appears twice (`{}` and `{}`); remove one",
                twin.title, column.title
            );
            return Err(Finding::error(message).at(name, header_row + 1, &column.title));
        }
    }
    let rows = rows
        .into_iter()
        .map(|(row, cells)| Row {
            number: row + 1,
            cells,
        })
        .collect();
    Ok(Sheet {
        name: name.to_owned(),
        header,
        rows,
    })
}

fn text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Int(n) => n.to_string(),
        DataRef::Float(n) => format!("{}", n + 0.0),
        DataRef::String(s) => clean(s),
        DataRef::SharedString(s) => clean(s),
        DataRef::Bool(b) => String::from(if *b { "TRUE" } else { "FALSE" }),
        DataRef::DateTime(moment) => {
            let (y, m, d, hour, minute, second, _) = moment.to_ymd_hms_milli();
            if moment.as_f64() < 1.0 {
                format!("{hour:02}:{minute:02}:{second:02}")
            } else if hour == 0 && minute == 0 && second == 0 {
                format!("{y:04}-{m:02}-{d:02}")
            } else {
                format!("{y:04}-{m:02}-{d:02}T{hour:02}:{minute:02}:{second:02}")
            }
        }
        DataRef::DateTimeIso(s) | DataRef::DurationIso(s) => s.clone(),
        DataRef::Error(_) | DataRef::Empty => String::new(),
    }
}

/// Without outer spaces and without the hard spaces that word processors leave.
fn clean(text: &str) -> String {
    text.replace('\u{a0}', " ").trim().to_owned()
}
