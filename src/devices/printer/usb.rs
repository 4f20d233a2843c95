//! Printers on USB that no driver of the kernel has: the printer class itself, without any library.

use std::io;
use std::time::Duration;

use nusb::descriptors::TransferType;
use nusb::transfer::{Buffer, Bulk, Direction, In, Out, TransferError};
use nusb::{DeviceInfo, Endpoint, Interface, MaybeFuture};

use super::Trouble;
use super::find::is_same;
use super::spec::UsbIdentity;
use super::wire::{Opened, Wire};

/// Interfaces of printers, of whatever language.
const PRINTER_CLASS: u8 = 7;
/// Room for an answer; a whole number of packets at any speed.
const ANSWER: usize = 512;

/// A printer the system sees, whoever drives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) identity: UsbIdentity,
    pub(super) name: String,
}

/// Every printer on USB.
pub(super) fn seen() -> Vec<Seen> {
    printers()
        .map(|device| Seen {
            identity: identity(&device),
            name: [device.manufacturer_string(), device.product_string()]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" "),
        })
        .collect()
}

/// Opens the wanted printer, or the first there is.
pub(super) fn open(wanted: Option<&UsbIdentity>) -> Opened {
    let device = printers()
        .find(|device| wanted.is_none_or(|wanted| is_same(wanted, &identity(device))))
        .ok_or(Trouble::Vanished)?;
    let number = device
        .interfaces()
        .find(|interface| interface.class() == PRINTER_CLASS)
        .map(nusb::InterfaceInfo::interface_number)
        .ok_or(Trouble::Vanished)?;
    let opened = device
        .open()
        .wait()
        .and_then(|device| device.claim_interface(number).wait())
        .and_then(|interface| UsbWire::new(&interface));
    match opened {
        Ok(wire) => Ok(Box::new(wire)),
        Err(error) => Err(match error.kind() {
            nusb::ErrorKind::Disconnected | nusb::ErrorKind::NotFound => Trouble::Vanished,
            nusb::ErrorKind::PermissionDenied => Trouble::Refused(
                "It may not be opened; install the udev rule and add the user to the group ventanilla-printer"
                    .to_owned(),
            ),
            nusb::ErrorKind::Busy => {
                Trouble::Refused("Another program has it; stop that program".to_owned())
            }
            _ => Trouble::Refused(error.to_string()),
        }),
    }
}

fn printers() -> impl Iterator<Item = DeviceInfo> {
    // A machine without USB has no list, which is a list without printers.
    let all = nusb::list_devices().wait().into_iter().flatten();
    all.filter(|device| {
        device
            .interfaces()
            .any(|interface| interface.class() == PRINTER_CLASS)
    })
}

fn identity(device: &DeviceInfo) -> UsbIdentity {
    UsbIdentity {
        vendor: device.vendor_id(),
        product: device.product_id(),
        serial: device.serial_number().map(str::to_owned),
    }
}

struct UsbWire {
    out: Endpoint<Bulk, Out>,
    /// Cheap ones cannot speak.
    answers: Option<Endpoint<Bulk, In>>,
    /// Answers that came and were not asked for yet.
    heard: Vec<u8>,
}

impl UsbWire {
    fn new(interface: &Interface) -> Result<Self, nusb::Error> {
        let mut addresses = (None, None);
        if let Some(descriptor) = interface.descriptor() {
            let bulk = descriptor
                .endpoints()
                .filter(|end| end.transfer_type() == TransferType::Bulk);
            for end in bulk {
                match end.direction() {
                    Direction::Out => addresses.0 = addresses.0.or(Some(end.address())),
                    Direction::In => addresses.1 = addresses.1.or(Some(end.address())),
                }
            }
        }
        Ok(Self {
            // An address that no interface has is refused as "not found".
            out: interface.endpoint(addresses.0.unwrap_or(0))?,
            answers: addresses
                .1
                .map(|address| interface.endpoint(address))
                .transpose()?,
            heard: Vec::new(),
        })
    }
}

impl Wire for UsbWire {
    fn write(&mut self, bytes: &[u8], within: Duration) -> io::Result<usize> {
        let done = self
            .out
            .transfer_blocking(Buffer::from(bytes.to_vec()), within.max(Duration::from_millis(1)));
        // A transfer that ran out of time may have gone in part, and only that part counts.
        match (done.actual_len, done.status) {
            (0, Err(error)) => Err(io_error(error)),
            (0, Ok(())) => Err(io::ErrorKind::TimedOut.into()),
            (count, _) => Ok(count),
        }
    }

    fn read(&mut self, buffer: &mut [u8], within: Duration) -> io::Result<usize> {
        if self.heard.is_empty() {
            let Some(answers) = &mut self.answers else {
                return Err(io::ErrorKind::TimedOut.into());
            };
            if answers.pending() == 0 {
                let room = answers.allocate(ANSWER);
                answers.submit(room);
            }
            // Left under way when time is up, so that an answer on the wire is not lost.
            let Some(done) = answers.wait_next_complete(within.max(Duration::from_millis(1))) else {
                return Err(io::ErrorKind::TimedOut.into());
            };
            done.status.map_err(io_error)?;
            self.heard.extend_from_slice(&done.buffer[..done.actual_len]);
            if self.heard.is_empty() {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
        let count = buffer.len().min(self.heard.len());
        buffer[..count].copy_from_slice(&self.heard[..count]);
        self.heard.drain(..count);
        Ok(count)
    }
}

fn io_error(error: TransferError) -> io::Error {
    match error {
        TransferError::Cancelled => io::ErrorKind::TimedOut.into(),
        TransferError::Disconnected => io::ErrorKind::NotConnected.into(),
        other => io::Error::other(other),
    }
}
