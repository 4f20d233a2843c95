//! The chain of hashes, its signed checkpoints, and the check of both.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::domain::seal::{SigningKey, VerifyingKey, hex, unhex};

/// Keeps the chain's hashes apart from every other hash of ours.
const CHAIN: &[u8] = b"ventanilla-audit-chain-1\n";
/// Keeps a checkpoint's signature apart from a receipt's, whose key signs both.
const SIGNED: &str = "ventanilla-audit-checkpoint-1\n";
/// First word of a checkpoint's text.
const WORD: &str = "VA1";

/// One line of the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// 1, 2, 3…
    pub seq: u64,
    /// Microseconds since 1970, by the office's clock.
    pub at: i64,
    /// Login, name of a token, or `office` and `terminal` for the program and its command line.
    pub who: Option<String>,
    /// Address it came from.
    pub peer: Option<String>,
    /// The event as JSON, byte for byte as it was hashed.
    pub event: String,
    /// Hash of this entry and of all before it.
    pub hash: [u8; 32],
}

/// The hash before the first entry of the data file that calls itself `epoch`.
pub fn begin(epoch: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(CHAIN);
    hash.update(epoch.as_bytes());
    hash.finalize().into()
}

/// The hash of an entry that follows one with the hash `previous`.
///
/// Every field goes in with its length, so that no two entries have the same bytes.
pub fn link(
    previous: &[u8; 32],
    seq: u64,
    at: i64,
    who: Option<&str>,
    peer: Option<&str>,
    event: &str,
) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(CHAIN);
    hash.update(previous);
    hash.update(seq.to_be_bytes());
    hash.update(at.to_be_bytes());
    for field in [who, peer, Some(event)] {
        match field {
            None => hash.update([0]),
            Some(text) => {
                hash.update([1]);
                hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
                hash.update(text.as_bytes());
            }
        }
    }
    hash.finalize().into()
}

/// A signed word that entry `seq` of a data file had this hash.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// The office.
    pub office: String,
    /// The data file.
    pub epoch: String,
    /// The entry.
    pub seq: u64,
    /// When it was signed; microseconds since 1970.
    pub at: i64,
    /// The entry's hash.
    pub hash: [u8; 32],
    /// Name of the key.
    pub kid: String,
    /// Of that key.
    pub signature: [u8; 64],
}

/// A text that is no checkpoint.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("This is no checkpoint of an audit log; give the whole text that begins with {WORD}")]
pub struct CheckpointError;

impl Checkpoint {
    /// Signs that entry `seq` has this hash.
    pub fn sign(
        key: &SigningKey,
        office: &str,
        epoch: &str,
        seq: u64,
        at: Timestamp,
        hash: [u8; 32],
    ) -> Self {
        let mut checkpoint = Self {
            // A point would end the field in the text.
            office: office.replace('.', "-"),
            epoch: epoch.to_owned(),
            seq,
            at: at.as_microsecond(),
            hash,
            kid: key.kid().to_owned(),
            signature: [0; 64],
        };
        checkpoint.signature = key.sign(SIGNED, checkpoint.body().as_bytes());
        checkpoint
    }

    fn body(&self) -> String {
        let (hash, kid) = (hex(&self.hash), &self.kid);
        format!(
            "{WORD}.{}.{}.{}.{}.{hash}.{kid}",
            self.office, self.epoch, self.seq, self.at
        )
    }

    /// Whether one of `keys` made it.
    pub fn is_signed_by(&self, keys: &[VerifyingKey]) -> bool {
        keys.iter()
            .any(|key| key.kid() == self.kid && key.verify(SIGNED, self.body().as_bytes(), &self.signature))
    }

    /// Reads its text.
    ///
    /// # Errors
    /// When it is cut or something else. The signature is not looked at.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let parts: Vec<&str> = text.trim().split('.').collect();
        let [WORD, office, epoch, seq, at, hash, kid, signature] = parts[..] else {
            return Err(CheckpointError);
        };
        let signature = URL_SAFE_NO_PAD
            .decode(signature)
            .ok()
            .and_then(|bytes| bytes.try_into().ok());
        Ok(Self {
            office: office.to_owned(),
            epoch: epoch.to_owned(),
            seq: seq.parse().map_err(|_| CheckpointError)?,
            at: at.parse().map_err(|_| CheckpointError)?,
            hash: unhex(hash).ok_or(CheckpointError)?,
            kid: kid.to_owned(),
            signature: signature.ok_or(CheckpointError)?,
        })
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.body(), URL_SAFE_NO_PAD.encode(self.signature))
    }
}

/// Something that is not as it was written.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Fault {
    /// The entry does not have the content it was written with, or does not stand where it was written.
    #[error("Entry {0} was changed or moved, or the entry before it was")]
    Changed(u64),
    /// Entries are not there.
    #[error("{}", missing(*.0, *.1))]
    Missing(u64, u64),
    /// A checkpoint tells of entries behind the last one that is there.
    #[error(
        "The log ends at entry {last}, but a signed checkpoint names entry {signed}: its end was cut off"
    )]
    CutOff {
        /// Last entry that is there.
        last: u64,
        /// Entry the checkpoint names.
        signed: u64,
    },
    /// The chain agrees with itself but not with what was signed.
    #[error("Entry {0} is not the one that was signed: it or one before it was rewritten")]
    Rewritten(u64),
    /// A checkpoint is not of our key.
    #[error("The checkpoint at entry {0} does not carry a signature of the office's key")]
    Forged(u64),
    /// A line among the checkpoints is none.
    #[error("Checkpoint {0} cannot be read")]
    Garbled(usize),
    /// A checkpoint belongs to another data file, and this one does not say that it follows a damaged one.
    #[error("A checkpoint names another data file ({0}): the log was replaced by a new one")]
    Replaced(String),
}

fn missing(from: u64, to: u64) -> String {
    if from == to {
        format!("Entry {from} is missing")
    } else {
        format!("Entries {from} to {to} are missing")
    }
}

impl Fault {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Changed(_) => "changed",
            Self::Missing(..) => "missing",
            Self::CutOff { .. } => "cut_off",
            Self::Rewritten(_) => "rewritten",
            Self::Forged(_) => "forged",
            Self::Garbled(_) => "garbled",
            Self::Replaced(_) => "replaced",
        }
    }

    /// The entry it is about, if it is about one of this file.
    pub fn entry(&self) -> Option<u64> {
        match self {
            Self::Changed(seq) | Self::Missing(seq, _) | Self::Rewritten(seq) | Self::Forged(seq) => {
                Some(*seq)
            }
            Self::CutOff { last, .. } => Some(last + 1),
            Self::Garbled(_) | Self::Replaced(_) => None,
        }
    }
}

/// Something to know that is no fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Note {
    /// Checkpoints of an earlier data file, which was damaged and put aside.
    EarlierFile(String),
    /// How many of the newest entries no checkpoint vouches for yet.
    Unsigned(u64),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EarlierFile(epoch) => {
                write!(
                    f,
                    "An earlier data file ({epoch}) was damaged and put aside; its log ends there"
                )
            }
            Self::Unsigned(entries) => write!(f, "The newest {entries} entries are not signed yet"),
        }
    }
}

/// What a check found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Findings {
    /// Entries looked at.
    pub entries: u64,
    /// Number of the last one.
    pub last: u64,
    /// Checkpoints that agree.
    pub checkpoints: u64,
    /// Faults, in the order of the log.
    pub faults: Vec<Fault>,
    /// Notes.
    pub notes: Vec<Note>,
}

impl Findings {
    /// Whether the log is as it was written.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }
}

/// Checks a log, entry by entry and in the order of the numbers.
#[derive(Debug)]
pub struct Verifier {
    epoch: String,
    keys: Vec<VerifyingKey>,
    /// By entry, smallest last.
    signed: Vec<Checkpoint>,
    previous: [u8; 32],
    last_seq: u64,
    last_signed: u64,
    after_damage: bool,
    found: Findings,
}

impl Verifier {
    /// A check of the data file `epoch` against checkpoints that one of `keys` signed.
    ///
    /// `checkpoints` are texts, from wherever they were kept; the same one twice is one.
    pub fn new<'a>(
        epoch: &str,
        keys: Vec<VerifyingKey>,
        checkpoints: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut found = Findings::default();
        let mut signed = Vec::new();
        for (n, text) in (1..).zip(checkpoints) {
            match Checkpoint::parse(text) {
                Ok(checkpoint) => signed.push(checkpoint),
                Err(CheckpointError) => found.faults.push(Fault::Garbled(n)),
            }
        }
        signed.sort_by(|a, b| (b.seq, b.at, &b.signature).cmp(&(a.seq, a.at, &a.signature)));
        signed.dedup();
        Self {
            epoch: epoch.to_owned(),
            keys,
            signed,
            previous: begin(epoch),
            last_seq: 0,
            last_signed: 0,
            after_damage: false,
            found,
        }
    }

    /// Looks at the next entry.
    pub fn entry(&mut self, entry: &Entry) {
        self.found.entries += 1;
        if entry.seq == 1 {
            self.after_damage =
                entry.event.contains("\"log_began\"") && entry.event.contains("\"after_damage\":true");
        }
        let follows = entry.seq == self.last_seq + 1;
        if !follows {
            self.found
                .faults
                .push(Fault::Missing(self.last_seq + 1, entry.seq.saturating_sub(1)));
        }
        let (who, peer) = (entry.who.as_deref(), entry.peer.as_deref());
        // Behind a gap the hash before is not known, so this one entry is taken as it is.
        if follows && link(&self.previous, entry.seq, entry.at, who, peer, &entry.event) != entry.hash {
            self.found.faults.push(Fault::Changed(entry.seq));
        }
        self.previous = entry.hash;
        self.last_seq = entry.seq;
        while let Some(checkpoint) = self.signed.pop_if(|one| one.seq <= entry.seq) {
            self.compare(&checkpoint, Some(entry));
        }
    }

    fn compare(&mut self, checkpoint: &Checkpoint, entry: Option<&Entry>) {
        let faults = &mut self.found.faults;
        if !checkpoint.is_signed_by(&self.keys) {
            faults.push(Fault::Forged(checkpoint.seq));
        } else if checkpoint.epoch != self.epoch {
            if self.after_damage {
                let note = Note::EarlierFile(checkpoint.epoch.clone());
                if !self.found.notes.contains(&note) {
                    self.found.notes.push(note);
                }
            } else {
                let fault = Fault::Replaced(checkpoint.epoch.clone());
                if !faults.contains(&fault) {
                    faults.push(fault);
                }
            }
        } else {
            match entry {
                None => faults.push(Fault::CutOff {
                    last: self.last_seq,
                    signed: checkpoint.seq,
                }),
                // The entry it names is missing, which was said already.
                Some(entry) if entry.seq != checkpoint.seq => {}
                Some(entry) if entry.hash != checkpoint.hash => faults.push(Fault::Rewritten(entry.seq)),
                Some(entry) => {
                    self.found.checkpoints += 1;
                    self.last_signed = entry.seq;
                }
            }
        }
    }

    /// Ends the check.
    pub fn finish(mut self) -> Findings {
        self.found.last = self.last_seq;
        // One word for a cut end, however many checkpoints tell of it: the farthest.
        let mut behind = std::mem::take(&mut self.signed);
        let own_farthest = behind
            .iter()
            .position(|one| one.epoch == self.epoch && one.is_signed_by(&self.keys));
        let mut n = 0;
        behind.retain(|one| {
            let keep = one.epoch != self.epoch || !one.is_signed_by(&self.keys) || Some(n) == own_farthest;
            n += 1;
            keep
        });
        for checkpoint in behind {
            self.compare(&checkpoint, None);
        }
        let unsigned = self.last_seq - self.last_signed;
        if unsigned > 0 {
            self.found.notes.push(Note::Unsigned(unsigned));
        }
        self.found
    }
}
