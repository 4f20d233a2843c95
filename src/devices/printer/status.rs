//! What a printer says, byte by byte: answers told apart by their fixed bits.
//!
//! Pure. [`Ear`] turns bytes into things [`Said`], finds its place again after garbage and does not
//! care where the line cut the bytes; [`Health`] remembers what is known and, above all, what is not.
//! A missing answer never becomes "no paper" here and never "ready".

use super::{Status, Trouble};

/// One thing a printer said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// The answer to `DLE EOT`; which question it answers, the asker knows.
    RealTime(u8),
    /// Four bytes it sends by itself when something changes (`GS a`).
    Pushed([u8; 4]),
    /// The answer to `GS r 1`, given in order after the data before it.
    Paper(u8),
    /// A longer answer without its closing NUL, such as that of `GS ( H` or `GS I`.
    Block(Vec<u8>),
}

/// Longest block that is believed; the names of models are shorter.
const BLOCK_LONGEST: usize = 80;
/// Heads of blocks: of process numbers and cleared memory, of `GS (` answers, of `GS I`.
const BLOCK_HEADS: [u8; 5] = [PROCESS, 0x35, 0x3b, 0x3d, 0x5f];
const PROCESS: u8 = 0x37;
const PRINTED: u8 = 0x22;
const CLEARED: u8 = 0x25;

/// Collects bytes into things said.
#[derive(Debug, Default)]
pub(super) struct Ear {
    /// An unfinished group or block, its head first.
    begun: Vec<u8>,
}

fn is_real_time(byte: u8) -> bool {
    byte & 0x93 == 0x12
}

fn is_push_head(byte: u8) -> bool {
    byte & 0x93 == 0x10
}

/// Bytes 2 to 4 of a push, and the answer to `GS r`.
fn is_plain(byte: u8) -> bool {
    byte & 0x90 == 0
}

impl Ear {
    /// Takes the next byte.
    pub(super) fn hear(&mut self, byte: u8) -> Option<Said> {
        match self.begun.first().copied() {
            None => self.begin(byte),
            Some(head) if is_push_head(head) => self.push(byte),
            Some(head) => self.block(head, byte),
        }
    }

    /// A silence: what was begun will not be finished.
    pub(super) fn pause(&mut self) {
        self.begun.clear();
    }

    fn begin(&mut self, byte: u8) -> Option<Said> {
        if is_real_time(byte) {
            return Some(Said::RealTime(byte));
        }
        if is_push_head(byte) || BLOCK_HEADS.contains(&byte) {
            self.begun.push(byte);
            return None;
        }
        is_plain(byte).then_some(Said::Paper(byte))
    }

    fn push(&mut self, byte: u8) -> Option<Said> {
        if is_real_time(byte) {
            // A real-time answer overtakes what is being sent.
            return Some(Said::RealTime(byte));
        }
        if !is_plain(byte) {
            self.begun.clear();
            return self.begin(byte);
        }
        self.begun.push(byte);
        let group = <[u8; 4]>::try_from(self.begun.as_slice()).ok()?;
        self.begun.clear();
        Some(Said::Pushed(group))
    }

    fn block(&mut self, head: u8, byte: u8) -> Option<Said> {
        if byte == 0 {
            return Some(Said::Block(std::mem::take(&mut self.begun)));
        }
        // Names are printable, and our process numbers have no byte of this shape.
        let fits = match (head, self.begun.len()) {
            (PROCESS, 1) => matches!(byte, PRINTED..=CLEARED),
            (PROCESS, 2..6) => self.begun[1] == PRINTED && (0x40..0x50).contains(&byte),
            (PROCESS, _) => false,
            (_, length) => (0x20..0x7f).contains(&byte) && length < BLOCK_LONGEST,
        };
        if fits {
            self.begun.push(byte);
            None
        } else if is_real_time(byte) {
            Some(Said::RealTime(byte))
        } else {
            self.begun.clear();
            self.begin(byte)
        }
    }
}

/// The number a job asks to hear back once its paper is out. Its letters are unlike any other answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ProcessId(pub(super) [u8; 4]);

impl ProcessId {
    /// A number for a job's name; two names in a row have different ones.
    pub(super) fn of(job: &str) -> Self {
        let mut hash: u32 = 0x811c_9dc5;
        for byte in job.bytes() {
            hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        }
        let folded = hash ^ (hash >> 16);
        Self([12, 8, 4, 0].map(|shift| 0x40 | u8::try_from(folded >> shift & 0x0f).unwrap_or(0)))
    }

    /// Whether `said` is the answer that the job of this number is printed.
    pub(super) fn is_printed(self, said: &Said) -> bool {
        matches!(said, Said::Block(block) if block[..] == [&[PROCESS, PRINTED], &self.0[..]].concat()[..])
    }
}

/// Whether `said` is the answer that the printer's memory is empty.
pub(super) fn is_cleared(said: &Said) -> bool {
    matches!(said, Said::Block(block) if block[..] == [PROCESS, CLEARED])
}

/// What is known of a printer; what was not said is nothing, not "no".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Health {
    offline: Option<bool>,
    cover_open: Option<bool>,
    paper_out: Option<bool>,
    paper_low: Option<bool>,
    error: Option<Error>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Error {
    None,
    Cutter,
    Other,
}

impl Health {
    /// Takes the answer to `DLE EOT question`.
    pub(super) fn real_time(&mut self, question: u8, answer: u8) {
        let has = |bits: u8| Some(answer & bits != 0);
        match question {
            1 => self.offline = has(0x08),
            2 => {
                self.cover_open = has(0x04);
                if answer & 0x20 != 0 {
                    self.paper_out = Some(true);
                }
                let named = matches!(self.error, Some(Error::Cutter));
                if answer & 0x40 == 0 {
                    self.error = Some(Error::None);
                } else if !named {
                    self.error = Some(Error::Other);
                }
            }
            3 if answer & 0x08 != 0 => self.error = Some(Error::Cutter),
            4 => {
                self.paper_out = has(0x60);
                self.paper_low = has(0x0c);
            }
            _ => {}
        }
    }

    /// Takes the four bytes it sent by itself.
    pub(super) fn pushed(&mut self, [printer, error, paper, _]: [u8; 4]) {
        self.offline = Some(printer & 0x08 != 0);
        self.cover_open = Some(printer & 0x20 != 0);
        self.error = Some(match (error & 0x08 != 0, error & 0x64 != 0) {
            (true, _) => Error::Cutter,
            (false, true) => Error::Other,
            (false, false) => Error::None,
        });
        self.paper_low = Some(paper & 0x03 != 0);
        self.paper_out = Some(paper & 0x0c != 0);
    }

    /// What keeps it from printing, as far as it said.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        if self.cover_open == Some(true) {
            Some(Trouble::CoverOpen)
        } else if self.paper_out == Some(true) {
            Some(Trouble::NoPaper)
        } else {
            match self.error {
                Some(Error::Cutter) => Some(Trouble::Cutter),
                Some(Error::Other) => Some(Trouble::Refused(
                    "It reports an error; switch it off and on".to_owned(),
                )),
                Some(Error::None) | None => (self.offline == Some(true)).then_some(Trouble::Offline),
            }
        }
    }

    /// The same for whoever asks how it is; nothing said is unknown.
    pub(super) fn status(&self) -> Status {
        match (self.trouble(), self.offline, self.paper_low) {
            (Some(trouble), _, _) => Status::Trouble(trouble),
            (None, None, _) => Status::Unknown,
            (None, Some(_), Some(true)) => Status::PaperLow,
            (None, Some(_), Some(false) | None) => Status::Ready,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn heard(bytes: &[u8]) -> Vec<Said> {
        let mut ear = Ear::default();
        bytes.iter().filter_map(|byte| ear.hear(*byte)).collect()
    }

    fn process(id: ProcessId) -> Vec<u8> {
        [&[PROCESS, PRINTED], &id.0[..], &[0]].concat()
    }

    #[test]
    fn answers_are_told_apart_by_their_bits() {
        let id = ProcessId::of("job");
        let mut bytes = vec![0x16, 0x14, 0, 0, 0x0f, 0x00, 0x13, 0x5f];
        bytes.extend(b"TM-T20R2\0");
        bytes.extend(process(id));
        bytes.extend([0x11, PROCESS, CLEARED, 0, 0x72]);
        let said = heard(&bytes);
        assert_eq!(
            said[..4],
            [
                Said::RealTime(0x16),
                Said::Pushed([0x14, 0, 0, 0x0f]),
                Said::Paper(0),
                Said::Block(b"_TM-T20R2".to_vec())
            ]
        );
        assert!(id.is_printed(&said[4]) && !ProcessId::of("other").is_printed(&said[4]));
        assert!(is_cleared(&said[5]));
        assert_eq!(said[6], Said::RealTime(0x72));
    }

    #[test]
    fn a_real_time_answer_may_cut_into_anything() {
        assert_eq!(
            heard(&[0x10, 0, 0x12, 0, 0]),
            [Said::RealTime(0x12), Said::Pushed([0x10, 0, 0, 0])]
        );
        let id = ProcessId::of("a");
        let mut bytes = process(id);
        bytes.insert(4, 0x72);
        let said = heard(&bytes);
        assert_eq!(said[0], Said::RealTime(0x72));
        assert!(id.is_printed(&said[1]));
    }

    #[test]
    fn what_was_not_said_is_unknown() {
        let mut health = Health::default();
        assert_eq!((health.status(), health.trouble()), (Status::Unknown, None));
        health.real_time(1, 0x16);
        assert_eq!(health.status(), Status::Ready);
        let one = |question, answer| {
            let mut health = Health::default();
            health.real_time(question, answer);
            health.trouble()
        };
        assert_eq!(one(1, 0x1e), Some(Trouble::Offline));
        assert_eq!(one(2, 0x16), Some(Trouble::CoverOpen));
        assert_eq!(one(2, 0x32), Some(Trouble::NoPaper));
        assert_eq!(one(3, 0x1a), Some(Trouble::Cutter));
        assert_eq!(one(4, 0x72), Some(Trouble::NoPaper));
        assert_eq!(one(4, 0x1e), None);
        let pushed = |group| {
            let mut health = Health::default();
            health.pushed(group);
            health.status()
        };
        assert_eq!(pushed([0x14, 0, 0, 0x0f]), Status::Ready);
        assert_eq!(pushed([0x10, 0, 3, 0]), Status::PaperLow);
        assert_eq!(pushed([0x1c, 0, 0x0f, 0x0f]), Status::Trouble(Trouble::NoPaper));
        assert_eq!(pushed([0x3c, 0, 0, 0x0f]), Status::Trouble(Trouble::CoverOpen));
        assert_eq!(pushed([0x18, 8, 0, 0]), Status::Trouble(Trouble::Cutter));
    }

    /// A thing said and its bytes.
    fn said() -> impl Strategy<Value = (Said, Vec<u8>)> {
        let plain = || (0u8..0x80).prop_map(|byte| byte & 0x6f);
        prop_oneof![
            any::<u8>().prop_map(|byte| {
                let byte = byte & 0x6c | 0x12;
                (Said::RealTime(byte), vec![byte])
            }),
            (any::<u8>(), plain(), plain(), plain()).prop_map(|(head, b, c, d)| {
                let group = [head & 0x6c | 0x10, b, c, d];
                (Said::Pushed(group), group.to_vec())
            }),
            plain().prop_map(|byte| (Said::Paper(byte), vec![byte])),
            "[ -~]{0,60}".prop_map(|name| {
                let block = format!("_{name}").into_bytes();
                (Said::Block(block.clone()), [&block[..], &[0]].concat())
            }),
            "[a-z0-9]{1,20}".prop_map(|job| {
                let bytes = process(ProcessId::of(&job));
                (Said::Block(bytes[..6].to_vec()), bytes)
            }),
        ]
    }

    proptest! {
        #[test]
        fn a_stream_cut_anywhere_says_the_same(items in prop::collection::vec(said(), 0..12)) {
            let (expected, bytes): (Vec<_>, Vec<_>) = items.into_iter().unzip();
            let bytes = bytes.concat();
            prop_assert_eq!(&heard(&bytes), &expected);
            // The ear has no notion of reads, so a cut at every byte is the same stream; what a cut could
            // spoil is a read of nothing in between.
            for cut in 0..=bytes.len() {
                let mut ear = Ear::default();
                let mut said: Vec<_> = bytes[..cut].iter().filter_map(|byte| ear.hear(*byte)).collect();
                said.extend(bytes[cut..].iter().filter_map(|byte| ear.hear(*byte)));
                prop_assert_eq!(&said, &expected);
            }
        }

        #[test]
        fn garbage_and_a_silence_spoil_nothing_after(
            garbage in prop::collection::vec(any::<u8>(), 0..200),
            (expected, bytes) in said(),
        ) {
            let mut ear = Ear::default();
            for byte in garbage {
                ear.hear(byte);
            }
            ear.pause();
            let said: Vec<_> = bytes.iter().filter_map(|byte| ear.hear(*byte)).collect();
            prop_assert_eq!(said, vec![expected]);
        }

        #[test]
        fn garbage_without_a_silence_costs_one_block_at_the_most(
            garbage in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let mut ear = Ear::default();
            for byte in garbage {
                ear.hear(byte);
            }
            let said: Vec<_> = (0..=BLOCK_LONGEST).filter_map(|_| ear.hear(0x12)).collect();
            prop_assert!(said.contains(&Said::RealTime(0x12)));
        }
    }
}
