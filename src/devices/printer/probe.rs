//! What a printer at hand really answers, and which printers there are to ask.

use std::path::Path;

use super::profile::{Profile, Proof};
use super::spec::{PrinterSpec, UsbIdentity, UsbPlace};
use super::talk::Talk;
use super::{Device, Printer, Status, find, usb};

/// A printer that is plugged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// How to name it in the settings.
    pub spec: PrinterSpec,
    /// What it calls itself.
    pub name: String,
    /// The device file it has now, where the kernel drives it.
    pub device_file: Option<std::path::PathBuf>,
}

/// Every printer on USB, and every serial adapter that could have one.
pub fn attached() -> Vec<Attached> {
    let seated = find::seated(Path::new(find::CLASS), Path::new(find::DEVICES));
    let usb = |identity: UsbIdentity| PrinterSpec::Usb(UsbPlace::Identity(identity));
    let mut all: Vec<Attached> = seated
        .into_iter()
        .map(|seat| Attached {
            spec: usb(seat.identity),
            name: seat.name,
            device_file: Some(seat.path),
        })
        .collect();
    for seen in usb::seen() {
        let spec = usb(seen.identity);
        if !all.iter().any(|known| known.spec == spec) {
            all.push(Attached {
                spec,
                name: seen.name,
                device_file: None,
            });
        }
    }
    all.extend(find::serial_adapters(Path::new(find::ADAPTERS)));
    all
}

/// What a printer answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// How it is.
    pub status: Status,
    /// Maker and model, where it says so.
    pub name: Option<String>,
    /// Its abilities, as a profile takes them.
    pub answers_status: bool,
    /// Whether it tells of changes by itself.
    pub pushes_status: bool,
    /// The best proof of printing that it gave.
    pub proof: Proof,
    /// Whether it forgets what it holds when told to.
    pub clears: bool,
}

impl Printer {
    /// Asks everything that can be asked without paper. Takes some seconds when it does not answer.
    ///
    /// Nothing for printers without a cable, which have nothing to say.
    pub fn probe(&mut self) -> Option<Probe> {
        let Device::Wired(place) = &self.device else {
            return None;
        };
        let mut probe = Probe {
            status: Status::Unknown,
            name: None,
            answers_status: false,
            pushes_status: false,
            proof: Proof::None,
            clears: false,
        };
        let mut wire = match place.open(&self.delays) {
            Ok(wire) => wire,
            Err(trouble) => {
                probe.status = Status::Trouble(trouble);
                return Some(probe);
            }
        };
        let asking = Profile {
            answers_status: true,
            ..self.profile.clone()
        };
        Talk::new(wire.as_mut(), &asking, &self.delays).probe(self.torn, &mut probe);
        Some(probe)
    }
}
