//! Sound out of this machine: the chime, and a program of the system that plays a file.

use std::io::Cursor;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hound::{SampleFormat, WavSpec, WavWriter};
use tracing::{debug, warn};

use super::installed;

/// The chime of a call: G5 then D5, as in the design's list of sounds.
const CHIME_HZ: [f32; 2] = [784.0, 587.0];
/// Each of its tones.
const TONE: f32 = 0.35;
/// Rise and fall of a tone, so that it does not click.
const EDGE: f32 = 0.02;
/// Below −18 dB of full scale.
const LOUDNESS: f32 = 0.12;
const RATE: u32 = 22_050;
/// No announcement is this long; a player that is has lost its device.
const LONGEST: Duration = Duration::from_secs(15);
/// Programs that play a WAV file, the modern one first.
const PLAYERS: [&str; 3] = ["pw-play", "paplay", "aplay"];

/// The chime as a WAV file.
pub fn chime() -> Vec<u8> {
    let spec = WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    let mut bytes = Cursor::new(Vec::new());
    let samples = CHIME_HZ.iter().flat_map(|pitch| {
        let length = (TONE * RATE as f32) as u32;
        (0..length).map(move |n| {
            let at = n as f32 / RATE as f32;
            let edge = (at / EDGE).min((TONE - at) / (5.0 * EDGE)).clamp(0.0, 1.0);
            let wave = (std::f32::consts::TAU * pitch * at).sin();
            (wave * edge * LOUDNESS * f32::from(i16::MAX)) as i16
        })
    });
    let written = WavWriter::new(&mut bytes, spec).and_then(|mut writer| {
        for sample in samples {
            writer.write_sample(sample)?;
        }
        writer.finalize()
    });
    if let Err(problem) = written {
        warn!(%problem, "the chime could not be made");
    }
    bytes.into_inner()
}

/// Something that makes sounds heard.
pub trait Speaker: Send {
    /// Plays a WAV file to its end; false when nothing was heard.
    fn play(&mut self, wav: &[u8]) -> bool;
}

/// A machine without sound: signs for tests, silence in life.
#[derive(Clone, Debug, Default)]
pub struct NoSpeaker {
    /// Lengths of the files it was given.
    pub played: Vec<usize>,
}

impl Speaker for NoSpeaker {
    fn play(&mut self, wav: &[u8]) -> bool {
        self.played.push(wav.len());
        false
    }
}

/// The system's own player.
#[derive(Debug)]
pub struct SystemSpeaker {
    program: PathBuf,
    file: PathBuf,
}

impl SystemSpeaker {
    /// The first player that is installed, if any; sounds pass through a file in `folder`.
    pub fn find(folder: &std::path::Path) -> Option<Self> {
        let program = PLAYERS.iter().find_map(|name| installed(name))?;
        Some(Self {
            program,
            file: folder.join("sound.wav"),
        })
    }
}

impl Speaker for SystemSpeaker {
    fn play(&mut self, wav: &[u8]) -> bool {
        if let Err(problem) = std::fs::write(&self.file, wav) {
            warn!(%problem, "a sound could not be written");
            return false;
        }
        let child = Command::new(&self.program)
            .arg(&self.file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut child) = child else { return false };
        let begun = Instant::now();
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return status.success(),
                Ok(None) if begun.elapsed() < LONGEST => std::thread::sleep(Duration::from_millis(50)),
                Ok(None) | Err(_) => {
                    debug!("the player is ended");
                    let _ = child.kill();
                    let _ = child.wait();
                    return false;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chime_is_two_soft_tones() {
        let reader = hound::WavReader::new(Cursor::new(chime())).expect("a WAV file");
        assert_eq!(reader.spec().sample_rate, RATE);
        let samples: Vec<i16> = reader
            .into_samples()
            .map(|sample| sample.expect("sample"))
            .collect();
        assert!((samples.len() as f32 / RATE as f32 - 0.7).abs() < 0.01);
        let loudest = samples
            .iter()
            .map(|sample| sample.unsigned_abs())
            .max()
            .expect("sound");
        assert!((3000..4125).contains(&loudest), "{loudest}");
    }
}
