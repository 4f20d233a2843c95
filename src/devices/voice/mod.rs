//! The voice of the waiting room: sentences made into sound on this machine, without network, and kept.
//!
//! Nothing here knows a ticket. It never runs a shell, never takes words from an address, and keeps a bounded
//! folder: its file names are hashes, so that they tell nothing. Begin at [`Voice`].

mod cache;
mod recorded;
mod sound;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::process::Command;
use tokio::sync::Semaphore;
use tracing::{debug, warn};

pub use recorded::{Recordings, joined, pieces};
pub use sound::{NoSpeaker, Speaker, SystemSpeaker, chime};

/// The synthesizer that is used where it is installed.
const PROGRAM: &str = "espeak-ng";
/// A sentence takes it some 50 ms; one that hangs must not stop the next.
const PATIENCE: Duration = Duration::from_secs(3);
/// Words a minute: slower than its 175, for people who hear badly.
const SPEED: &str = "140";
/// Longest sentence it is given.
const LONGEST: usize = 300;

/// Why there is no sound for a sentence.
#[derive(Debug, thiserror::Error)]
pub enum VoiceError {
    /// No synthesizer is installed.
    #[error("No synthesizer is installed; install espeak-ng, or the board only chimes")]
    Silent,
    /// It ended badly or took too long.
    #[error("The synthesizer {program} made no sound; try it with a word on this machine")]
    Failed {
        /// Which program.
        program: PathBuf,
    },
    /// The folder of kept sentences cannot be used.
    #[error("Folder {folder} of the voice cannot be used; check its permissions")]
    Folder {
        /// Which folder.
        folder: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// A synthesizer with the sentences it made.
#[derive(Clone, Debug)]
pub struct Voice {
    program: Option<PathBuf>,
    folder: PathBuf,
    /// One sentence at a time: a small machine has counters to serve.
    turn: Arc<Semaphore>,
    patience: Duration,
}

impl Voice {
    /// A voice that keeps its sentences in `folder`, with the synthesizer of this machine if there is one.
    pub fn new(folder: PathBuf) -> Self {
        Self::with_program(folder, installed(PROGRAM))
    }

    /// A voice with this synthesizer, which takes the arguments of espeak-ng; none only chimes.
    pub fn with_program(folder: PathBuf, program: Option<PathBuf>) -> Self {
        Self {
            program,
            folder,
            turn: Arc::new(Semaphore::new(1)),
            patience: PATIENCE,
        }
    }

    /// Whether it can speak at all.
    pub fn is_there(&self) -> bool {
        self.program.is_some()
    }

    /// The sound of a sentence as a WAV file, from the folder or made now.
    ///
    /// Two who ask for the same one wait for one synthesizer. A caller that goes away ends it.
    pub async fn say(&self, language: &str, sentence: &str) -> Result<Vec<u8>, VoiceError> {
        let program = self.program.as_ref().ok_or(VoiceError::Silent)?;
        let sentence: String = sentence
            .chars()
            .filter(|c| !c.is_control())
            .take(LONGEST)
            .collect();
        let file = self.folder.join(format!("{}.wav", key(language, &sentence)));
        if let Some(kept) = cache::read(&file) {
            return Ok(kept);
        }
        let _turn = self.turn.acquire().await.map_err(|_| VoiceError::Silent)?;
        if let Some(kept) = cache::read(&file) {
            return Ok(kept);
        }
        let folder = |source| VoiceError::Folder {
            folder: self.folder.clone(),
            source,
        };
        std::fs::create_dir_all(&self.folder).map_err(folder)?;
        let making = file.with_extension("making");
        let made = self.make(program, language, &sentence, &making).await;
        if !made {
            let _ = std::fs::remove_file(&making);
            return Err(VoiceError::Failed {
                program: program.clone(),
            });
        }
        std::fs::rename(&making, &file).map_err(folder)?;
        cache::prune(&self.folder, cache::FILES_MAX);
        cache::read(&file).ok_or_else(|| VoiceError::Failed {
            program: program.clone(),
        })
    }

    async fn make(&self, program: &Path, language: &str, sentence: &str, into: &Path) -> bool {
        let mut command = Command::new(program);
        command
            .args(["-v", voice_of(language), "-s", SPEED, "-w"])
            .arg(into)
            .arg("--")
            .arg(sentence)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A stop of the office drops whoever waits here, and the child with it.
            .kill_on_drop(true);
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(problem) => {
                warn!(%problem, "the synthesizer could not be started");
                return false;
            }
        };
        match tokio::time::timeout(self.patience, child.wait()).await {
            Ok(Ok(status)) => status.success(),
            Ok(Err(problem)) => {
                debug!(%problem, "the synthesizer was lost");
                false
            }
            Err(_) => {
                warn!("the synthesizer took too long and is ended");
                let _ = child.kill().await;
                false
            }
        }
    }
}

/// Latin American Spanish, which is nearer to Quito than Castile's.
fn voice_of(language: &str) -> &str {
    match language {
        "en" => "en-us",
        _ => "es-419",
    }
}

fn key(language: &str, sentence: &str) -> String {
    let mut hash = Sha256::new();
    for part in [voice_of(language), SPEED, sentence] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize()[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Where a program is installed, if it is.
pub(super) fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A synthesizer that writes its sentence into the file and counts how often it was asked.
    fn script(folder: &Path, body: &str) -> Option<PathBuf> {
        let path = folder.join("synthesizer");
        std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).expect("script");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("allowed");
        Some(path)
    }

    #[tokio::test]
    async fn a_sentence_is_made_once_and_kept() {
        let folder = tempfile::tempdir().expect("folder");
        let count = folder.path().join("count");
        let body = format!(
            "echo x >> '{}'\nprintf 'RIFF%s %s' \"$8\" \"$7\" > \"$6\"",
            count.display()
        );
        let program = script(folder.path(), &body);
        let voice = Voice::with_program(folder.path().join("voice"), program);
        let (one, two) = tokio::join!(voice.say("es", "Turno $(te)"), voice.say("es", "Turno $(te)"));
        assert_eq!(one.expect("sound"), b"RIFFTurno $(te) --");
        assert_eq!(two.expect("sound"), b"RIFFTurno $(te) --");
        assert_eq!(std::fs::read_to_string(&count).expect("count"), "x\n");
        voice
            .say("en", "Turno $(te)")
            .await
            .expect("another language is another sound");
        assert_eq!(std::fs::read_to_string(&count).expect("count"), "x\nx\n");
        let names: Vec<_> = std::fs::read_dir(folder.path().join("voice"))
            .expect("folder")
            .filter_map(|file| file.ok()?.file_name().into_string().ok())
            .collect();
        assert!(
            names
                .iter()
                .all(|name| name.len() == 36 && name.ends_with(".wav")),
            "{names:?}"
        );
    }

    #[tokio::test]
    async fn without_a_synthesizer_or_with_a_bad_one_it_says_so() {
        let folder = tempfile::tempdir().expect("folder");
        let at = |name: &str| folder.path().join(name);
        let none = Voice::with_program(at("a"), None);
        assert!(matches!(none.say("es", "Turno").await, Err(VoiceError::Silent)));
        let bad = Voice::with_program(at("b"), script(folder.path(), "exit 3"));
        assert!(matches!(
            bad.say("es", "Turno").await,
            Err(VoiceError::Failed { .. })
        ));
        assert!(
            bad.say("es", "Turno")
                .await
                .expect_err("still")
                .to_string()
                .contains("synthesizer")
        );
    }

    #[tokio::test]
    async fn one_that_hangs_is_ended() {
        let folder = tempfile::tempdir().expect("folder");
        let pid = folder.path().join("pid");
        let body = format!("echo $$ > '{}'\nexec sleep 600", pid.display());
        let mut voice = Voice::with_program(folder.path().join("v"), script(folder.path(), &body));
        voice.patience = Duration::from_millis(300);
        assert!(matches!(
            voice.say("es", "Turno").await,
            Err(VoiceError::Failed { .. })
        ));
        let pid = std::fs::read_to_string(pid).expect("it began");
        assert!(!Path::new("/proc").join(pid.trim()).exists(), "it goes on");
    }
}
