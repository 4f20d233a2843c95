//! Printers behind a device file: `/dev/usb/lp0` and serial ports.
//!
//! A plain read or write on these blocks for as long as the printer is off line, so the file is opened
//! non-blocking and every wait is a `poll` with a limit.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::termios::{
    ControlModes, InputModes, OptionalActions, QueueSelector, tcflush, tcgetattr, tcsetattr,
};

use super::spec::{Flow, SerialPlace};
use super::wire::Wire;

/// Opens the kernel's device file of a USB printer.
pub(super) fn open_printer(path: &Path) -> io::Result<Box<dyn Wire>> {
    Ok(Box::new(FileWire {
        file: open(path)?,
        is_serial: false,
    }))
}

/// Opens a serial port and sets it up.
pub(super) fn open_serial(place: &SerialPlace) -> io::Result<Box<dyn Wire>> {
    let file = open(&place.path)?;
    let mut modes = tcgetattr(&file)?;
    modes.make_raw();
    modes.set_speed(place.baud)?;
    modes.control_modes |= ControlModes::CREAD | ControlModes::CLOCAL;
    modes.control_modes -= ControlModes::CRTSCTS;
    modes.input_modes -= InputModes::IXON | InputModes::IXOFF;
    match place.flow {
        Flow::Wires => modes.control_modes |= ControlModes::CRTSCTS,
        // Only the way out is held up: the answers are short, and an XOFF of ours would be text to the printer.
        Flow::Bytes => modes.input_modes |= InputModes::IXON,
        Flow::None => {}
    }
    tcsetattr(&file, OptionalActions::Now, &modes)?;
    Ok(Box::new(FileWire {
        file,
        is_serial: true,
    }))
}

fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(i32::try_from(flags.bits()).unwrap_or(0))
        .open(path)
}

#[derive(Debug)]
struct FileWire {
    file: File,
    is_serial: bool,
}

impl FileWire {
    /// Waits until the file is ready for `wanted`, or says that time is up.
    fn wait(&self, wanted: PollFlags, within: Duration) -> io::Result<()> {
        let limit = Timespec::try_from(within).map_err(|_| io::ErrorKind::InvalidInput)?;
        let mut fds = [PollFd::new(&self.file, wanted)];
        match poll(&mut fds, Some(&limit)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => Err(io::ErrorKind::TimedOut.into()),
            Ok(_) if fds[0].revents().intersects(wanted) => Ok(()),
            // Only an error or a hang-up came: the cable was pulled.
            Ok(_) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Wire for FileWire {
    fn write(&mut self, bytes: &[u8], within: Duration) -> io::Result<usize> {
        self.wait(PollFlags::OUT, within)?;
        match self.file.write(bytes) {
            Ok(0) => Err(io::ErrorKind::TimedOut.into()),
            Err(error) if is_wait(&error) => Err(io::ErrorKind::TimedOut.into()),
            other => other,
        }
    }

    fn read(&mut self, buffer: &mut [u8], within: Duration) -> io::Result<usize> {
        self.wait(PollFlags::IN, within)?;
        match self.file.read(buffer) {
            // The kernel's driver says so when the printer sent an empty packet.
            Ok(0) => Err(io::ErrorKind::TimedOut.into()),
            Err(error) if is_wait(&error) => Err(io::ErrorKind::TimedOut.into()),
            other => other,
        }
    }

    fn finish(&mut self, within: Duration) -> io::Result<()> {
        // Closing the file kills the transfer that is still under way; it is over when the next could begin.
        self.wait(PollFlags::OUT, within)
    }

    fn abandon(&mut self) {
        if self.is_serial {
            // Closing waits for what is not sent yet, which may be for ever; nobody wants it any more.
            let _ = tcflush(&self.file, QueueSelector::OFlush);
        }
    }
}

fn is_wait(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;
    use std::thread;

    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    use super::*;
    use crate::devices::printer::sim::{Build, Simulator, Switches};
    use crate::devices::printer::{Outcome, Printer, PrinterSpec, Profile, Trouble};

    /// A terminal pair: what we open as a port, and the printer's end.
    fn terminal() -> (OwnedFd, String) {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal pair");
        grantpt(&master).expect("it is ours");
        unlockpt(&master).expect("it is ours");
        let name = ptsname(&master, Vec::new()).expect("a name");
        (master, name.into_string().expect("a path"))
    }

    /// Joins the printer's end with a simulated printer until nobody holds the port any more.
    fn attach(master: OwnedFd, simulator: Simulator) {
        thread::spawn(move || {
            let mut far = FileWire {
                file: File::from(master),
                is_serial: false,
            };
            let mut near = simulator.plug();
            let mut buffer = [0; 256];
            loop {
                match far.read(&mut buffer, Duration::from_millis(5)) {
                    Ok(count) => {
                        let mut rest = &buffer[..count];
                        while !rest.is_empty() {
                            match Wire::write(&mut near, rest, Duration::ZERO) {
                                Ok(taken) => rest = &rest[taken..],
                                Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                                    thread::yield_now();
                                }
                                Err(_) => return,
                            }
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::TimedOut => {}
                    Err(_) => return,
                }
                while let Ok(count) = Wire::read(&mut near, &mut buffer, Duration::ZERO) {
                    if far.write(&buffer[..count], Duration::from_secs(1)).is_err() {
                        return;
                    }
                }
            }
        });
    }

    #[test]
    fn a_printer_on_a_serial_port_is_asked_printed_on_and_proved() {
        let (master, path) = terminal();
        let profile = Profile::named("simulator").expect("it is the house's own");
        let simulator = Simulator::new(Build::new(profile.clone()));
        // Between two jobs the port stays plugged in.
        let _plugged = open(Path::new(&path)).expect("it opens");
        attach(master, simulator.clone());
        let spec: PrinterSpec = format!("serial:{path}@115200,xonxoff").parse().expect("a port");
        let mut printer = Printer::open(&spec, profile);
        let job = b"\x1b@\x1bt\x10Hola\n\x1dVB\0";
        assert_eq!(printer.print("1", job), Outcome::Printed);
        simulator.set(|it| it.cover_open = true);
        assert_eq!(printer.print("2", job), Outcome::NotReady(Trouble::CoverOpen));
        simulator.set(|it| {
            *it = Switches {
                out_after: Some(40),
                ..Switches::default()
            };
        });
        let long = [&b"x".repeat(400)[..], job].concat();
        assert_eq!(printer.print("3", &long), Outcome::Unknown(Trouble::NoPaper));
        assert_eq!(simulator.sheets(), [job.to_vec()]);
    }

    #[test]
    fn a_port_nobody_reads_takes_no_longer_than_it_may() {
        let (_master, path) = terminal();
        let place = SerialPlace {
            path: path.into(),
            baud: 9600,
            flow: Flow::None,
        };
        let mut wire = open_serial(&place).expect("it opens");
        let mut sent = 0;
        let error = loop {
            match wire.write(&[b'x'; 4096], Duration::from_millis(20)) {
                Ok(count) => sent += count,
                Err(error) => break error,
            }
            assert!(sent < 10_000_000, "a terminal keeps less than that");
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let error = wire
            .read(&mut [0], Duration::from_millis(20))
            .expect_err("nobody speaks");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        wire.abandon();
    }

    #[test]
    fn what_is_not_there_has_vanished() {
        let spec = "serial:/dev/ttyNOTHING".parse().expect("a place");
        let mut printer = Printer::open(&spec, Profile::default());
        assert_eq!(printer.print("1", b"x"), Outcome::NotReady(Trouble::Vanished));
        let spec = "usb:/dev/usb/lp-nothing".parse().expect("a place");
        let mut printer = Printer::open(&spec, Profile::default());
        assert_eq!(printer.print("1", b"x"), Outcome::NotReady(Trouble::Vanished));
    }
}
