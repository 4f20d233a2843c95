//! What a store could not do.

use std::path::PathBuf;

/// A failed read or write.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder or file cannot be written.
    #[error(
        "Data file {path} cannot be opened for writing; give the user that runs Ventanilla write access to its folder"
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// What SQLite or the system said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file was written by a newer Ventanilla.
    #[error(
        "Data file {path} was written by a newer version (schema {found}, this version knows {known}); install that version again"
    )]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Schema number in the file.
        found: i64,
        /// Highest schema number known here.
        known: i64,
    },
    /// A pragma did not take: the durability promise would not hold.
    #[error("Data file {path} does not keep {pragma}={wanted} (it says {found}); move it to a local disk")]
    Pragma {
        /// The file.
        path: PathBuf,
        /// The setting.
        pragma: &'static str,
        /// What we asked for.
        wanted: &'static str,
        /// What SQLite answered.
        found: String,
    },
    /// The disk has no room; nothing was saved.
    #[error("The disk is full; nothing was saved. Free space in the data folder")]
    Full,
    /// The commit failed and its outcome is unknown until the file is opened again.
    #[error("The disk refused a commit; Ventanilla must be restarted to find out what was saved")]
    Broken,
    /// The writer has stopped.
    #[error("The store is closed")]
    Closed,
    /// A row is there already with other content, or a rule of the schema was broken.
    #[error("A stored row does not allow this change")]
    Conflict(#[source] rusqlite::Error),
    /// The database server does not answer, or broke off; what was under way is kept or not, nobody knows.
    #[error("The database server does not answer; start it, or check the address after --store")]
    Away(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database server is not one to trust submissions to, or the address is none.
    #[error("The database after --store cannot be used: {problem}")]
    Address {
        /// What is wrong and the way out.
        problem: String,
    },
    /// Anything else SQLite reports.
    #[error("The data file could not be read or written")]
    Sqlite(#[source] rusqlite::Error),
    /// A stored value is not one this version can read.
    #[error("A stored {what} cannot be read")]
    Unreadable {
        /// Which kind of value.
        what: &'static str,
    },
}

impl StoreError {
    /// Whether trying again later can help.
    pub fn is_permanent(&self) -> bool {
        !matches!(self, Self::Full | Self::Away(_))
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::ConstraintViolation) => Self::Conflict(error),
            _ => Self::Sqlite(error),
        }
    }
}
