//! The cable to a printer: bytes one way, answers the other, and a limit on every wait.
//!
//! No operation here may block longer than it is told, because a printer that is off, jammed or out of
//! paper simply stops taking bytes.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::Trouble;

/// A connection to a printer, opened for one job and closed after it.
pub(super) trait Wire {
    /// Hands over some of `bytes`, at least one; [`io::ErrorKind::TimedOut`] when none was taken in time.
    fn write(&mut self, bytes: &[u8], within: Duration) -> io::Result<usize>;

    /// Reads what has come, at least one byte; [`io::ErrorKind::TimedOut`] when nothing came in time.
    fn read(&mut self, buffer: &mut [u8], within: Duration) -> io::Result<usize>;

    /// Waits until the last bytes have left, where closing the cable would lose them.
    fn finish(&mut self, _within: Duration) -> io::Result<()> {
        Ok(())
    }

    /// Gives up what has not left yet, where closing the cable would wait for it.
    fn abandon(&mut self) {}
}

/// Why a connection could not be opened.
pub(super) type Opened = Result<Box<dyn Wire>, Trouble>;

/// Opens a connection to a network printer.
///
/// Most of them serve one computer at a time, so this is done late and undone at once.
pub(super) fn open_tcp(host: &str, port: u16, connect: Duration) -> Opened {
    // A name is looked up by the system, which has limits of its own; offices write addresses.
    let addresses = (host, port).to_socket_addrs().map_err(|_| Trouble::Vanished)?;
    for address in addresses {
        if let Ok(stream) = TcpStream::connect_timeout(&address, connect)
            && stream.set_nodelay(true).is_ok()
        {
            return Ok(Box::new(stream));
        }
    }
    Err(Trouble::Offline)
}

impl Wire for TcpStream {
    fn write(&mut self, bytes: &[u8], within: Duration) -> io::Result<usize> {
        self.set_write_timeout(Some(at_least_a_tick(within)))?;
        match Write::write(self, bytes) {
            Ok(0) => Err(io::ErrorKind::BrokenPipe.into()),
            other => other.map_err(timed_out),
        }
    }

    fn read(&mut self, buffer: &mut [u8], within: Duration) -> io::Result<usize> {
        self.set_read_timeout(Some(at_least_a_tick(within)))?;
        match Read::read(self, buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            other => other.map_err(timed_out),
        }
    }
}

/// The system takes a limit of nothing for no limit at all.
fn at_least_a_tick(within: Duration) -> Duration {
    within.max(Duration::from_millis(1))
}

/// One name for the several ways a system says that time is up.
fn timed_out(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => io::ErrorKind::TimedOut.into(),
        _ => error,
    }
}
