//! What is wrong with a form, said to the person who wrote it.

use std::fmt;

/// How serious a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The form cannot be published.
    Error,
    /// The form works, but perhaps not as its author thinks.
    Warning,
}

/// One thing wrong with a form: the place, what is wrong, and the cure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Error or warning.
    pub severity: Severity,
    /// The sheet of a workbook; nothing for an XForm.
    pub sheet: Option<String>,
    /// The row of the sheet as Excel counts, or the line of the XForm.
    pub row: Option<u32>,
    /// The column heading, or the attribute of the XForm.
    pub column: Option<String>,
    /// What is wrong and what to do, in one sentence without a full stop.
    pub message: String,
}

impl Finding {
    /// An error without a place.
    pub fn error(message: impl Into<String>) -> Finding {
        Finding {
            severity: Severity::Error,
            sheet: None,
            row: None,
            column: None,
            message: message.into(),
        }
    }

    /// A warning without a place.
    pub fn warning(message: impl Into<String>) -> Finding {
        Finding {
            severity: Severity::Warning,
            ..Finding::error(message)
        }
    }

    /// Puts the finding in a cell.
    #[must_use]
    pub fn at(mut self, sheet: &str, row: u32, column: &str) -> Finding {
        self.sheet = Some(sheet.to_owned());
        self.row = (row > 0).then_some(row);
        self.column = (!column.is_empty()).then(|| column.to_owned());
        self
    }

    /// Whether the form cannot be published because of it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.severity {
            Severity::Error => "Error",
            Severity::Warning => "Warning",
        })?;
        if let Some(sheet) = &self.sheet {
            write!(f, " in sheet {sheet}")?;
        }
        match (self.row, &self.sheet) {
            (Some(row), Some(_)) => write!(f, ", row {row}")?,
            (Some(row), None) => write!(f, " on line {row}")?,
            (None, _) => {}
        }
        if let Some(column) = &self.column {
            write!(f, ", column {column}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Where in the form a problem was found, before it is known whether the form came from a workbook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// Path of the field, such as `/data/cedula`.
    pub path: String,
    /// Attribute of the bind or control, such as `relevant`.
    pub attribute: &'static str,
    pub line: u32,
}

impl Place {
    /// The finding for a form that came as XML.
    pub fn finding(&self, severity: Severity, message: String) -> Finding {
        let named = if self.path.is_empty() {
            message
        } else {
            format!("{}: {message}", self.path)
        };
        Finding {
            severity,
            sheet: None,
            row: (self.line > 0).then_some(self.line),
            column: (!self.attribute.is_empty()).then(|| self.attribute.to_owned()),
            message: named,
        }
    }
}

/// A problem and its place.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub severity: Severity,
    pub place: Place,
    pub message: String,
}

/// Problems in the order they were met.
#[derive(Default)]
pub(super) struct Problems(pub Vec<Problem>);

impl Problems {
    pub fn error(&mut self, place: Place, message: impl Into<String>) {
        self.0.push(Problem {
            severity: Severity::Error,
            place,
            message: message.into(),
        });
    }

    pub fn warning(&mut self, place: Place, message: impl Into<String>) {
        self.0.push(Problem {
            severity: Severity::Warning,
            place,
            message: message.into(),
        });
    }

    pub fn any_error(&self) -> bool {
        self.0.iter().any(|p| p.severity == Severity::Error)
    }
}
