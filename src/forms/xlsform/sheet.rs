//! A workbook as rows of text.

use super::{biff, columns, pack};
use crate::forms::finding::Finding;
use crate::forms::limits;
use calamine::{Data, Reader, Xls, Xlsx};
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

    /// The survey: the sheet of that name, or the only one there is.
    pub fn survey(&self) -> Option<&Sheet> {
        let only = || self.sheets.first().filter(|_| self.all.len() == 1);
        self.sheet("survey").or_else(only)
    }

    /// A sheet whose name is almost this one.
    pub fn similar(&self, name: &str) -> Option<&str> {
        let like = |s: &&String| {
            let lower = s.trim().to_lowercase();
            !s.starts_with('_') && !NAMES.contains(&lower.as_str()) && strsim::levenshtein(&lower, name) <= 2
        };
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

/// Sheets that mean something; every other one is the author's own.
pub(super) const NAMES: &[&str] = &[
    "survey",
    "choices",
    "settings",
    "external_choices",
    "entities",
    "osm",
];

pub(super) fn read(bytes: &[u8]) -> Result<Book, Finding> {
    // The reader of workbooks trusts the numbers in them: a cell in row 99999999999 makes it panic, not fail.
    let read = std::panic::catch_unwind(|| {
        if bytes.starts_with(b"\xd0\xcf\x11\xe0") {
            read_xls(bytes)
        } else {
            read_xlsx(bytes)
        }
    });
    read.unwrap_or_else(|_| {
        Err(Finding::error(
            "The workbook is damaged; open it in Excel or LibreOffice and save it again",
        ))
    })
}

fn is_read(name: &str, all: &[String]) -> bool {
    // As pyxform does: a lonely sheet is the survey, whatever its name.
    all.len() == 1 || NAMES.contains(&name.trim().to_lowercase().as_str())
}

fn read_xlsx(bytes: &[u8]) -> Result<Book, Finding> {
    pack::check(bytes).map_err(Finding::error)?;
    let broken = |e: calamine::XlsxError| {
        Finding::error(format!(
            "The workbook cannot be read ({e}); save it again as .xlsx"
        ))
    };
    let mut file: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(broken)?;
    let all = file.sheet_names();
    let mut sheets = Vec::new();
    for name in all.iter().filter(|n| is_read(n, &all)) {
        let broken = |e: calamine::XlsxError| {
            Finding::error(format!("The sheet cannot be read ({e}); save it again")).at(name, 0, "")
        };
        // Cell by cell: one cell in the last corner of a sheet would otherwise claim all the memory of the machine.
        let mut grid = Grid::default();
        let mut cells = file.worksheet_cells_reader(name).map_err(broken)?;
        while let Some(cell) = cells.next_cell().map_err(broken)? {
            let (row, column) = cell.get_position();
            grid.put(row, column, text(&Data::from(cell.get_value().clone())), name)?;
        }
        sheets.push(grid.sheet(name)?);
    }
    Ok(Book { sheets, all })
}

fn read_xls(bytes: &[u8]) -> Result<Book, Finding> {
    biff::check(bytes).map_err(Finding::error)?;
    let broken = |e: calamine::XlsError| {
        Finding::error(format!(
            "The workbook cannot be read ({e}); save it again as .xlsx"
        ))
    };
    let mut file: Xls<_> = Xls::new(Cursor::new(bytes)).map_err(broken)?;
    let all = file.sheet_names();
    let mut sheets = Vec::new();
    for name in all.iter().filter(|n| is_read(n, &all)) {
        let mut grid = Grid::default();
        let range = file.worksheet_range(name).map_err(broken)?;
        let (top, left) = range.start().unwrap_or_default();
        for (row, column, value) in range.used_cells() {
            let row = u32::try_from(row).unwrap_or(u32::MAX);
            let column = u32::try_from(column).unwrap_or(u32::MAX);
            grid.put(
                top.saturating_add(row),
                left.saturating_add(column),
                text(value),
                name,
            )?;
        }
        sheets.push(grid.sheet(name)?);
    }
    Ok(Book { sheets, all })
}

/// The cells of a sheet that hold something.
#[derive(Default)]
struct Grid {
    rows: BTreeMap<u32, BTreeMap<usize, String>>,
    count: usize,
}

impl Grid {
    fn put(&mut self, row: u32, column: u32, text: String, sheet: &str) -> Result<(), Finding> {
        if text.is_empty() || column >= MAX_COLUMN {
            return Ok(());
        }
        self.count += 1;
        if self.count > limits::SHEET_CELLS {
            let message = format!("The sheet has more than {} cells", limits::SHEET_CELLS);
            return Err(Finding::error(message).at(sheet, 0, ""));
        }
        self.rows.entry(row).or_default().insert(column as usize, text);
        Ok(())
    }

    fn sheet(mut self, name: &str) -> Result<Sheet, Finding> {
        let Some((header_row, titles)) = self.rows.pop_first() else {
            return Ok(Sheet {
                name: name.to_owned(),
                header: vec![],
                rows: vec![],
            });
        };
        let width = titles.keys().next_back().map_or(0, |c| c + 1);
        let doubled = titles.values().any(|t| t.contains("::"));
        let header: Vec<columns::Column> = (0..width)
            .map(|at| columns::column(titles.get(&at).map_or("", String::as_str), doubled))
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
        let rows = self
            .rows
            .into_iter()
            .map(|(row, mut cells)| {
                cells.values_mut().for_each(straighten);
                Row {
                    number: row + 1,
                    cells,
                }
            })
            .collect();
        Ok(Sheet {
            name: name.to_owned(),
            header,
            rows,
        })
    }
}

/// Word processors bend quotes; expressions need them straight, and pyxform straightens every cell.
fn straighten(cell: &mut String) {
    if cell.contains(['“', '”', '‘', '’']) {
        *cell = cell.replace(['“', '”'], "\"").replace(['‘', '’'], "'");
    }
}

fn text(value: &Data) -> String {
    match value {
        Data::Int(n) => n.to_string(),
        Data::Float(n) => format!("{}", n + 0.0),
        Data::String(s) => clean(s),
        Data::Bool(b) => String::from(if *b { "TRUE" } else { "FALSE" }),
        Data::DateTime(moment) => {
            let (y, m, d, hour, minute, second, milli) = moment.to_ymd_hms_milli();
            let time = format!("{hour:02}:{minute:02}:{second:02}");
            let fraction = if milli == 0 {
                String::new()
            } else {
                format!(".{milli:03}000")
            };
            if moment.as_f64() < 1.0 {
                time
            } else {
                format!("{y:04}-{m:02}-{d:02} {time}{fraction}")
            }
        }
        Data::DateTimeIso(s) | Data::DurationIso(s) => s.clone(),
        Data::Error(_) | Data::Empty => String::new(),
    }
}

/// Without outer spaces and without the hard spaces that word processors leave.
fn clean(text: &str) -> String {
    text.replace('\u{a0}', " ").trim().to_owned()
}
