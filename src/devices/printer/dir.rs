//! The `dir:` printer: a folder where each paper becomes a picture, its bytes and its words.
//!
//! It prints what the bytes say, through [`Paper`], so it is as strict as a printer. A paper is never
//! written over: a job printed twice is there twice, as it would be in the hand.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::paper::Paper;
use super::profile::Profile;
use super::{Outcome, Status, Trouble};

/// A folder that gets the papers.
#[derive(Debug)]
pub(super) struct DirPrinter {
    folder: PathBuf,
}

impl DirPrinter {
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// Writes `<job>.png`, `<job>.txt` and last `<job>.bin`, each whole or not at all.
    pub(super) fn print(&self, job: &str, bytes: &[u8], words: Option<&str>, profile: &Profile) -> Outcome {
        if let Err(error) = fs::create_dir_all(&self.folder) {
            return Outcome::NotReady(trouble(&error));
        }
        let paper = Paper::print(bytes, profile);
        let mut text = words.map_or_else(|| paper.text.clone(), str::to_owned);
        for fault in &paper.faults {
            text.push_str(&format!("[fault] {fault}\n"));
        }
        let name = self.free_name(job);
        let files: [(&str, &[u8]); 3] = [("png", &paper.to_png()), ("txt", text.as_bytes()), ("bin", bytes)];
        for (index, (extension, content)) in files.into_iter().enumerate() {
            if let Err(error) = self.write(&format!("{name}.{extension}"), content) {
                let trouble = trouble(&error);
                return if index == 0 {
                    Outcome::NotReady(trouble)
                } else {
                    Outcome::Unknown(trouble)
                };
            }
        }
        Outcome::Printed
    }

    pub(super) fn status(&self) -> Status {
        // Asked every few seconds, so nothing is written: a disk of flash would wear.
        let may_write = || Ok(access(&self.folder, Access::WRITE_OK | Access::EXEC_OK)?);
        match fs::create_dir_all(&self.folder).and_then(|()| may_write()) {
            Ok(()) => Status::Ready,
            Err(error) => Status::Trouble(trouble(&error)),
        }
    }

    fn free_name(&self, job: &str) -> String {
        let is_taken = |name: &str| {
            ["png", "txt", "bin"]
                .iter()
                .any(|extension| self.folder.join(format!("{name}.{extension}")).exists())
        };
        std::iter::once(job.to_owned())
            .chain((2u32..).map(|number| format!("{job}-{number}")))
            .find(|name| !is_taken(name))
            .expect("there are more numbers than files")
    }

    fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let temporary = self.folder.join(format!(".{name}.tmp"));
        let result = File::create(&temporary)
            .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&temporary, self.folder.join(name)));
        if result.is_err() {
            // The folder may be gone with the file in it; the error that matters is the first.
            let _ = fs::remove_file(&temporary);
        }
        result
    }
}

/// A folder fails in few ways that a person can do something about.
fn trouble(error: &io::Error) -> Trouble {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            Trouble::Vanished
        }
        // A full disk is a folder's roll of paper.
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Trouble::NoPaper,
        _ => Trouble::Refused(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::printer::{Printer, PrinterSpec};

    const LINE: &[u8] = b"\x1b@\x1c.\x1bt\x10Hola\n\x1dVB\0";

    fn open(folder: &Path) -> Printer {
        Printer::open(&PrinterSpec::Dir(folder.to_owned()), Profile::default())
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("the folder is there");
        let mut names: Vec<String> = entries
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_job_is_three_files_and_twice_the_job_is_six() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("papers/today");
        let mut printer = open(&place);
        assert_eq!(printer.print("000012", LINE), Outcome::Printed);
        assert_eq!(
            printer.print_transcribed("000012", LINE, Some("Hola\n")),
            Outcome::Printed
        );
        let expected = [
            "000012-2.bin",
            "000012-2.png",
            "000012-2.txt",
            "000012.bin",
            "000012.png",
            "000012.txt",
        ];
        assert_eq!(names(&place), expected);
        assert_eq!(fs::read(place.join("000012.bin")).expect("bytes"), LINE);
        assert_eq!(
            fs::read_to_string(place.join("000012.txt")).expect("words"),
            "Hola\n"
        );
    }

    #[test]
    fn a_folder_that_vanished_comes_back_when_it_can() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("papers");
        let mut printer = open(&place);
        assert_eq!(printer.print("1", LINE), Outcome::Printed);
        fs::remove_dir_all(&place).expect("it was there");
        assert_eq!(printer.print("2", LINE), Outcome::Printed);
        assert_eq!(names(&place), ["2.bin", "2.png", "2.txt"]);
        fs::remove_dir_all(&place).expect("it was there");
        fs::write(&place, "a file where the folder was").expect("a file");
        assert_eq!(printer.print("3", LINE), Outcome::NotReady(Trouble::Vanished));
        assert_eq!(printer.status(), Status::Trouble(Trouble::Vanished));
        fs::remove_file(&place).expect("it was there");
        assert_eq!(printer.status(), Status::Ready);
        assert_eq!(names(&place), Vec::<String>::new());
    }

    #[test]
    fn a_job_cannot_leave_the_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut printer = open(folder.path());
        for job in ["", "../x", "a/b", ".x", "ñ", "a b"] {
            assert!(
                matches!(printer.print(job, LINE), Outcome::NotReady(Trouble::Refused(_))),
                "{job}"
            );
        }
        assert_eq!(names(folder.path()), Vec::<String>::new());
    }
}
