//! The `tcp:` printer: port 9100, one connection for each job.
//!
//! Most of these printers serve one computer at a time and forget half a job when the line drops, so
//! the connection is opened late and closed at once. They accept bytes while out of paper; that is why
//! they are asked before the first byte and again after the last.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use super::profile::{Profile, Proof};
use super::{Outcome, Status, Trouble};

/// How long a printer is waited for.
#[derive(Debug)]
struct Delays {
    /// A printer on the same switch answers in milliseconds or is off.
    connect: Duration,
    /// A printer whose buffer is full takes no bytes while the head is busy; after 5 s it is stuck.
    write: Duration,
    /// Status is answered at once, even when off line.
    answer: Duration,
    /// The longest paper takes 3 s; a hot head rests for a few more.
    proof: Duration,
}

const DELAYS: Delays = Delays {
    connect: Duration::from_secs(1),
    write: Duration::from_secs(5),
    answer: Duration::from_secs(1),
    proof: Duration::from_secs(10),
};

const CHUNK: usize = 4096;
/// `GS r 1`: answered in order, after the data before it.
const ASK_PAPER: [u8; 3] = [0x1d, 0x72, 0x01];
const PROCESS_ID: [u8; 4] = *b"VTN1";

/// A network printer.
#[derive(Debug)]
pub(super) struct TcpPrinter {
    host: String,
    port: u16,
}

impl TcpPrinter {
    pub(super) fn new(host: &str, port: u16) -> Self {
        Self {
            host: host.to_owned(),
            port,
        }
    }

    pub(super) fn print(&self, bytes: &[u8], profile: &Profile) -> Outcome {
        let mut stream = match self.connect() {
            Ok(stream) => stream,
            Err(_) => return Outcome::NotReady(Trouble::Offline),
        };
        if profile.answers_status
            && let Status::Trouble(trouble) = ask(&mut stream)
        {
            return Outcome::NotReady(trouble);
        }
        let mut sent = 0;
        while sent < bytes.len() {
            let end = bytes.len().min(sent + CHUNK);
            match stream.write(&bytes[sent..end]) {
                Ok(0) => return broken(sent, Trouble::Offline),
                Ok(count) => sent += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return broken(sent, stuck(&error, &mut stream, profile)),
            }
        }
        let outcome = settle(&mut stream, profile);
        // The job is over; a printer that already closed the line is as good.
        let _ = stream.shutdown(Shutdown::Both);
        outcome
    }

    pub(super) fn status(&self, profile: &Profile) -> Status {
        match self.connect() {
            Err(_) => Status::Trouble(Trouble::Offline),
            Ok(_) if !profile.answers_status => Status::Unknown,
            Ok(mut stream) => ask(&mut stream),
        }
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for address in (self.host.as_str(), self.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, DELAYS.connect) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    stream.set_read_timeout(Some(DELAYS.answer))?;
                    stream.set_write_timeout(Some(DELAYS.write))?;
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

fn broken(sent: usize, trouble: Trouble) -> Outcome {
    if sent == 0 {
        Outcome::NotReady(trouble)
    } else {
        Outcome::Unknown(trouble)
    }
}

/// A printer that takes no more bytes may still say why.
fn stuck(error: &io::Error, stream: &mut TcpStream, profile: &Profile) -> Trouble {
    let is_full = matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
    if is_full
        && profile.answers_status
        && let Status::Trouble(trouble) = ask(stream)
    {
        return trouble;
    }
    Trouble::Offline
}

/// Every byte is gone: waits for the proof, or asks whether something went wrong meanwhile.
fn settle(stream: &mut TcpStream, profile: &Profile) -> Outcome {
    let proof = match profile.proof {
        Proof::None => None,
        Proof::PaperStatus => Some(prove(stream, &ASK_PAPER, |answer| {
            answer.last().is_some_and(|byte| byte & 0x90 == 0)
        })),
        Proof::ProcessId => {
            let mut question = vec![0x1d, 0x28, 0x48, 0x06, 0x00, 0x30, 0x30];
            question.extend(PROCESS_ID);
            Some(prove(stream, &question, |answer| {
                answer.windows(4).any(|id| id == PROCESS_ID)
            }))
        }
    };
    if proof == Some(true) {
        return Outcome::Printed;
    }
    if proof.is_none() {
        // A printer with a small buffer reads no question before it has printed most of the paper.
        let _ = stream.set_read_timeout(Some(DELAYS.proof));
    }
    let status = if profile.answers_status {
        ask(stream)
    } else {
        Status::Unknown
    };
    match (proof, status) {
        (_, Status::Trouble(trouble)) => Outcome::Unknown(trouble),
        (Some(_), _) => Outcome::Unknown(Trouble::Offline),
        (None, _) => Outcome::Sent,
    }
}

/// Sends the question that ends a job and waits for its answer.
fn prove(stream: &mut TcpStream, question: &[u8], is_answer: impl Fn(&[u8]) -> bool) -> bool {
    if stream.write_all(question).is_err() {
        return false;
    }
    let start = Instant::now();
    let mut answer = Vec::new();
    while start.elapsed() < DELAYS.proof {
        let mut byte = [0];
        match stream.read(&mut byte) {
            Ok(0) => return false,
            Ok(_) => {
                answer.push(byte[0]);
                if is_answer(&answer) {
                    return true;
                }
            }
            Err(error) if is_wait(&error) => {}
            Err(_) => return false,
        }
    }
    false
}

fn is_wait(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    )
}

/// Asks `DLE EOT` 1, 2 and 4, one byte for each. No answer is off line: never "no paper", never "ok".
fn ask(stream: &mut TcpStream) -> Status {
    let mut answers = [0; 3];
    for (answer, question) in answers.iter_mut().zip([1, 2, 4]) {
        match real_time(stream, question) {
            Some(byte) => *answer = byte,
            None => return Status::Trouble(Trouble::Offline),
        }
    }
    let [printer, cause, paper] = answers;
    if cause & 0x04 != 0 {
        Status::Trouble(Trouble::CoverOpen)
    } else if paper & 0x60 != 0 || cause & 0x20 != 0 {
        Status::Trouble(Trouble::NoPaper)
    } else if cause & 0x40 != 0 {
        Status::Trouble(Trouble::Refused("It reports a jam or a broken cutter".to_owned()))
    } else if printer & 0x08 != 0 {
        Status::Trouble(Trouble::Offline)
    } else if paper & 0x0c != 0 {
        Status::PaperLow
    } else {
        Status::Ready
    }
}

/// One real-time question; bytes that cannot be its answer are of an earlier talk and are skipped.
fn real_time(stream: &mut TcpStream, question: u8) -> Option<u8> {
    stream.write_all(&[0x10, 0x04, question]).ok()?;
    for _ in 0..16 {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        if byte[0] & 0x93 == 0x12 {
            return Some(byte[0]);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread::{self, JoinHandle};

    use super::*;
    use crate::devices::printer::{Printer, PrinterSpec};

    /// A printer that answers `status` for questions 1, 2 and 4, and stops listening after `takes` bytes.
    struct Simulated {
        status: [u8; 3],
        takes: usize,
        proof: Option<u8>,
    }

    const GOOD: Simulated = Simulated {
        status: [0x16, 0x12, 0x12],
        takes: usize::MAX,
        proof: None,
    };

    fn serve(simulated: Simulated) -> (PrinterSpec, JoinHandle<Vec<u8>>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let thread = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a customer");
            let mut taken = Vec::new();
            let mut byte = [0];
            while taken.len() < simulated.takes && stream.read(&mut byte).is_ok_and(|count| count == 1) {
                taken.push(byte[0]);
                let answer = match taken.as_slice() {
                    [.., 0x10, 0x04, 1] => Some(simulated.status[0]),
                    [.., 0x10, 0x04, 2] => Some(simulated.status[1]),
                    [.., 0x10, 0x04, 4] => Some(simulated.status[2]),
                    [.., 0x1d, 0x72, 1] => simulated.proof,
                    _ => None,
                };
                if let Some(answer) = answer {
                    stream.write_all(&[answer]).expect("the customer listens");
                }
            }
            taken
        });
        (
            PrinterSpec::Tcp {
                host: "127.0.0.1".to_owned(),
                port,
            },
            thread,
        )
    }

    #[track_caller]
    fn check(simulated: Simulated, profile: Profile, bytes: &[u8], expected: Outcome) -> Vec<u8> {
        let (spec, thread) = serve(simulated);
        let mut printer = Printer::open_with(&spec, profile).expect("a network printer can be opened");
        assert_eq!(printer.print("1", bytes), expected);
        thread.join().expect("the simulated printer lives")
    }

    #[test]
    fn a_ready_printer_gets_every_byte_and_gives_no_proof() {
        let job = vec![b'a'; 10_000];
        let taken = check(GOOD, Profile::wide(), &job, Outcome::Sent);
        assert_eq!(taken.iter().filter(|byte| **byte == b'a').count(), job.len());
    }

    #[test]
    fn a_printer_that_answers_the_fence_has_printed() {
        let profile = Profile {
            proof: Proof::PaperStatus,
            ..Profile::wide()
        };
        check(
            Simulated {
                proof: Some(0),
                ..GOOD
            },
            profile,
            b"hola",
            Outcome::Printed,
        );
    }

    #[test]
    fn trouble_before_the_first_byte_sends_none() {
        for (status, trouble) in [
            ([0x1e, 0x32, 0x7e], Trouble::NoPaper),
            ([0x1e, 0x16, 0x12], Trouble::CoverOpen),
            ([0x1e, 0x12, 0x12], Trouble::Offline),
        ] {
            let taken = check(
                Simulated { status, ..GOOD },
                Profile::wide(),
                b"hola",
                Outcome::NotReady(trouble),
            );
            assert!(!taken.contains(&b'h'));
        }
    }

    #[test]
    fn a_line_that_drops_in_the_middle_leaves_it_unknown() {
        let job = vec![b'a'; 8_000_000];
        check(
            Simulated { takes: 100, ..GOOD },
            Profile::wide(),
            &job,
            Outcome::Unknown(Trouble::Offline),
        );
    }

    #[test]
    fn a_printer_that_is_off_took_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let mut printer = Printer::open(&PrinterSpec::Tcp {
            host: "127.0.0.1".into(),
            port,
        })
        .expect("it opens");
        assert_eq!(printer.print("1", b"hola"), Outcome::NotReady(Trouble::Offline));
        assert_eq!(printer.status(), Status::Trouble(Trouble::Offline));
    }

    #[test]
    fn a_mute_printer_is_off_line_and_not_ready() {
        let taken = check(
            Simulated { takes: 3, ..GOOD },
            Profile::wide(),
            b"hola",
            Outcome::NotReady(Trouble::Offline),
        );
        assert_eq!(taken.len(), 3);
    }
}
