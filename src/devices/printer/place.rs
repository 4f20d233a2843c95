//! From the place of a printer to an open cable.

use std::io;
use std::path::Path;

use super::find;
use super::sim::Simulator;
use super::spec::{SerialPlace, UsbPlace};
use super::talk::Delays;
use super::wire::{self, Opened};
use super::{Trouble, file, usb};

/// Where a printer with a cable is.
#[derive(Debug)]
pub(super) enum Place {
    Tcp { host: String, port: u16 },
    Usb(UsbPlace),
    Serial(SerialPlace),
    Simulated(Simulator),
}

impl Place {
    /// Opens the cable, wherever the printer is now: one that was pulled out and came back has another
    /// device file.
    pub(super) fn open(&self, delays: &Delays) -> Opened {
        match self {
            Self::Tcp { host, port } => wire::open_tcp(host, *port, delays.connect),
            Self::Serial(place) => file::open_serial(place).map_err(|error| trouble(&error, &place.path)),
            Self::Usb(UsbPlace::File(path)) => open_file(path),
            Self::Usb(UsbPlace::Any) => open_usb(None),
            Self::Usb(UsbPlace::Identity(identity)) => open_usb(Some(identity)),
            Self::Simulated(simulator) => Ok(Box::new(simulator.plug())),
        }
    }
}

/// The kernel's driver has the printer on most machines; where it does not, it is spoken to directly.
fn open_usb(wanted: Option<&super::spec::UsbIdentity>) -> Opened {
    match find::device_file(Path::new(find::CLASS), Path::new(find::DEVICES), wanted) {
        Some(path) => open_file(&path),
        None => usb::open(wanted),
    }
}

fn open_file(path: &Path) -> Opened {
    file::open_printer(path).map_err(|error| trouble(&error, path))
}

/// Why a device file could not be opened, in words for whoever can help.
fn trouble(error: &io::Error, path: &Path) -> Trouble {
    match error.kind() {
        io::ErrorKind::NotFound => Trouble::Vanished,
        io::ErrorKind::PermissionDenied => Trouble::Refused(format!(
            "{} may not be opened; install the udev rule and add the user to the group ventanilla-printer",
            path.display()
        )),
        io::ErrorKind::ResourceBusy => {
            Trouble::Refused(format!("{} is used by another program; stop it", path.display()))
        }
        _ => match error.raw_os_error() {
            // ENXIO and ENODEV: the file is there, the machine behind it is not.
            Some(6 | 19) => Trouble::Vanished,
            _ => Trouble::Refused(format!("{}: {error}", path.display())),
        },
    }
}
