//! Recordings of a person that take the place of the made voice where every piece of a sentence is there.
//!
//! A folder a language (`es`, `qu`, `en`) holds WAV files of one format named by their piece: `turno`, `ventanilla`,
//! a letter (`t`) and a number (`18`, `0` for a leading zero). Kichwa is only ever heard from here, and Spanish
//! follows it. Begin at [`Recordings::say`].

use std::io::Cursor;
use std::path::{Path, PathBuf};

use hound::{WavReader, WavSpec, WavWriter};

/// Silence between two pieces, in milliseconds.
const BREATH: u32 = 60;
/// Longest recording of one piece, in samples: two words are not a minute.
const PIECE_MAX: u32 = 48_000 * 5;

/// The folder with recordings.
#[derive(Clone, Debug)]
pub struct Recordings {
    folder: PathBuf,
}

impl Recordings {
    /// The recordings of a folder.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The pieces of a call in a language one after the other, if all are there in one format.
    pub fn say(&self, language: &str, pieces: &[String]) -> Option<Vec<u8>> {
        let folder = self.folder.join(language);
        let read: Option<Vec<_>> = pieces.iter().map(|piece| samples(&folder, piece)).collect();
        let parts = read?;
        let spec = parts.first()?.0;
        parts.iter().all(|(other, _)| *other == spec).then_some(())?;
        let breath = vec![0i16; (spec.sample_rate * BREATH / 1000) as usize * usize::from(spec.channels)];
        let mut bytes = Cursor::new(Vec::new());
        let mut writer = WavWriter::new(&mut bytes, spec).ok()?;
        for (_, samples) in &parts {
            for sample in samples.iter().chain(&breath) {
                writer.write_sample(*sample).ok()?;
            }
        }
        writer.finalize().ok()?;
        Some(bytes.into_inner())
    }
}

/// Pieces of a call: `T-018` at counter 4 is `turno`, `t`, `0`, `18`, `ventanilla`, `4`.
pub fn pieces(number: &str, counter: u16) -> Vec<String> {
    let (series, digits) = number.split_once('-').unwrap_or(("", number));
    let rest = digits.trim_start_matches('0');
    let zeros = digits.len() - rest.len();
    let mut pieces = vec!["turno".to_owned()];
    pieces.extend(
        series
            .chars()
            .map(|letter| letter.to_ascii_lowercase().to_string()),
    );
    pieces.extend(std::iter::repeat_n("0".to_owned(), zeros));
    if !rest.is_empty() {
        pieces.push(rest.to_owned());
    }
    pieces.push("ventanilla".to_owned());
    pieces.push(counter.to_string());
    pieces
}

fn samples(folder: &Path, piece: &str) -> Option<(WavSpec, Vec<i16>)> {
    // Only our own pieces come here; a name that could leave the folder is still none.
    if piece.is_empty() || !piece.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let reader = WavReader::open(folder.join(piece).with_extension("wav")).ok()?;
    let spec = reader.spec();
    if spec.bits_per_sample != 16 || reader.len() > PIECE_MAX {
        return None;
    }
    let samples = reader.into_samples().collect::<Result<Vec<i16>, _>>().ok()?;
    Some((spec, samples))
}

/// One sound after the other, if both have one format.
pub fn joined(first: &[u8], then: &[u8]) -> Option<Vec<u8>> {
    let read = |bytes: &[u8]| {
        let reader = WavReader::new(Cursor::new(bytes.to_vec())).ok()?;
        let spec = reader.spec();
        let samples = reader.into_samples::<i16>().collect::<Result<Vec<_>, _>>().ok()?;
        Some((spec, samples))
    };
    let ((spec, mut samples), (other, more)) = (read(first)?, read(then)?);
    (spec == other).then_some(())?;
    samples.extend(more);
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = WavWriter::new(&mut bytes, spec).ok()?;
    for sample in samples {
        writer.write_sample(sample).ok()?;
    }
    writer.finalize().ok()?;
    Some(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(folder: &Path, piece: &str, rate: u32) {
        std::fs::create_dir_all(folder).expect("folder");
        let spec = WavSpec {
            channels: 1,
            sample_rate: rate,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = WavWriter::create(folder.join(format!("{piece}.wav")), spec).expect("file");
        for n in 0..100i16 {
            writer.write_sample(n).expect("sample");
        }
        writer.finalize().expect("file");
    }

    #[test]
    fn a_call_is_played_from_recordings_only_when_every_piece_is_there() {
        let folder = tempfile::tempdir().expect("folder");
        let recordings = Recordings::new(folder.path().to_owned());
        let wanted = pieces("T-018", 4);
        assert_eq!(wanted, ["turno", "t", "0", "18", "ventanilla", "4"]);
        for piece in &wanted[..5] {
            record(&folder.path().join("qu"), piece, 22_050);
        }
        assert!(recordings.say("qu", &wanted).is_none());
        record(&folder.path().join("qu"), "4", 16_000);
        assert!(recordings.say("qu", &wanted).is_none(), "another format");
        record(&folder.path().join("qu"), "4", 22_050);
        let wav = recordings.say("qu", &wanted).expect("all are there");
        assert!(recordings.say("es", &wanted).is_none());
        let length = WavReader::new(Cursor::new(wav.clone())).expect("WAV").len();
        assert_eq!(length, 6 * (100 + 22_050 * BREATH / 1000));
        let twice = joined(&wav, &wav).expect("one format");
        assert_eq!(WavReader::new(Cursor::new(twice)).expect("WAV").len(), 2 * length);
        assert!(samples(folder.path(), "../qu/t").is_none());
    }
}
