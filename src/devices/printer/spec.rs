//! Where a printer is, as one word in the settings.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where a printer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrinterSpec {
    /// `dir:PATH`, a folder that gets a picture of each paper.
    Dir(PathBuf),
    /// `tcp:HOST:PORT`, a network printer; the port is 9100 when left out.
    Tcp {
        /// Name or address; an IPv6 address stands in brackets.
        host: String,
        /// Port.
        port: u16,
    },
    /// `usb:…`, a printer on a USB cable.
    Usb(UsbPlace),
    /// `serial:PATH@BAUD,FLOW`, a printer on a serial port.
    Serial(SerialPlace),
    /// `fake:`, a printer with no paper at all, for training.
    Fake,
}

/// Which of the printers on USB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UsbPlace {
    /// `usb:any`, the only one there is.
    Any,
    /// `usb:/dev/usb/lp0`, a device file. Another number may come after the cable was pulled; better name
    /// the link that the udev rule makes, or the printer itself.
    File(PathBuf),
    /// `usb:04b8:0e15` or `usb:04b8:0e15:SERIAL`, wherever it is plugged in.
    Identity(UsbIdentity),
}

/// Who a USB printer says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsbIdentity {
    /// The maker.
    pub vendor: u16,
    /// The model.
    pub product: u16,
    /// The one machine; needed where two of a model stand together.
    pub serial: Option<String>,
}

/// A serial port and how it is spoken on: 8 data bits, no parity, one stop bit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SerialPlace {
    /// The device file; one under `/dev/serial/by-id` stays the same when the cable moves.
    pub path: PathBuf,
    /// Bits a second.
    pub baud: u32,
    /// How the printer says that its buffer is full.
    pub flow: Flow,
}

/// How a printer on a serial port says that its buffer is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// `rtscts`, a wire of its own; the usual.
    Wires,
    /// `xonxoff`, bytes in the answer.
    Bytes,
    /// `none`; a long paper then loses its middle.
    None,
}

/// A word that is not the place of a printer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// The kind before the colon is not one of ours.
    #[error(
        "Printer {0:?} is of no known kind; write dir:PATH, tcp:HOST:PORT, usb:VENDOR:PRODUCT or serial:PATH"
    )]
    Kind(String),
    /// The place after the colon is missing.
    #[error("Printer {0:?} has no place; write it after the colon")]
    Place(String),
    /// The port is not a number from 1 to 65535.
    #[error("Printer {0:?} has a bad port; the usual one is 9100")]
    Port(String),
    /// Neither a device file nor the numbers of a USB printer.
    #[error(
        "Printer {0:?} is no USB printer; write usb:any, usb:/dev/usb/lp0 or usb:04b8:0e15, as \
         `ventanilla printer list` shows it"
    )]
    Usb(String),
    /// The speed or the flow control of a serial port is not one.
    #[error(
        "Printer {0:?} is no serial port; write serial:/dev/ttyS0@38400,rtscts, with rtscts, xonxoff or none"
    )]
    Serial(String),
}

const RAW_PORT: u16 = 9100;
const USUAL_BAUD: u32 = 38_400;

impl FromStr for PrinterSpec {
    type Err = SpecError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let (kind, place) = word
            .trim()
            .split_once(':')
            .ok_or_else(|| SpecError::Kind(word.to_owned()))?;
        if kind == "fake" {
            return Ok(Self::Fake);
        }
        if !matches!(kind, "dir" | "tcp" | "usb" | "serial") {
            return Err(SpecError::Kind(word.to_owned()));
        }
        if place.is_empty() {
            return Err(SpecError::Place(word.to_owned()));
        }
        match kind {
            "dir" => Ok(Self::Dir(PathBuf::from(place))),
            "tcp" => tcp(place, word),
            "usb" => usb(place)
                .map(Self::Usb)
                .ok_or_else(|| SpecError::Usb(word.to_owned())),
            _ => serial(place)
                .map(Self::Serial)
                .ok_or_else(|| SpecError::Serial(word.to_owned())),
        }
    }
}

fn tcp(place: &str, word: &str) -> Result<PrinterSpec, SpecError> {
    let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':').or(rest.is_empty().then_some(""))),
        None => match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, Some("")),
        },
    };
    if host.is_empty() {
        return Err(SpecError::Place(word.to_owned()));
    }
    let bad_port = || SpecError::Port(word.to_owned());
    let port = match port.ok_or_else(bad_port)? {
        "" => RAW_PORT,
        digits => digits
            .parse()
            .ok()
            .filter(|port| *port > 0)
            .ok_or_else(bad_port)?,
    };
    Ok(PrinterSpec::Tcp {
        host: host.to_owned(),
        port,
    })
}

fn usb(place: &str) -> Option<UsbPlace> {
    if place == "any" {
        return Some(UsbPlace::Any);
    }
    if place.starts_with('/') {
        return Some(UsbPlace::File(PathBuf::from(place)));
    }
    let number = |word: &str| {
        let is_plain = word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_plain.then(|| u16::from_str_radix(word, 16).ok()).flatten()
    };
    let (vendor, rest) = place.split_once(':')?;
    let (product, serial) = match rest.split_once(':') {
        Some((product, serial)) => (product, Some(serial.to_owned())),
        None => (rest, None),
    };
    Some(UsbPlace::Identity(UsbIdentity {
        vendor: number(vendor)?,
        product: number(product)?,
        serial: serial.filter(|serial| !serial.is_empty()),
    }))
}

fn serial(place: &str) -> Option<SerialPlace> {
    let (rest, flow) = match place.rsplit_once(',') {
        Some((rest, "rtscts")) => (rest, Flow::Wires),
        Some((rest, "xonxoff")) => (rest, Flow::Bytes),
        Some((rest, "none")) => (rest, Flow::None),
        Some(_) => return None,
        None => (place, Flow::Wires),
    };
    let (path, baud) = match rest.rsplit_once('@') {
        Some((path, baud)) => (
            path,
            baud.parse()
                .ok()
                .filter(|baud| (300..=1_000_000).contains(baud))?,
        ),
        None => (rest, USUAL_BAUD),
    };
    path.starts_with('/').then(|| SerialPlace {
        path: PathBuf::from(path),
        baud,
        flow,
    })
}

impl fmt::Display for UsbIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}:{:04x}", self.vendor, self.product)?;
        match &self.serial {
            Some(serial) => write!(f, ":{serial}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for PrinterSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dir(path) => write!(f, "dir:{}", path.display()),
            Self::Tcp { host, port } if host.contains(':') => write!(f, "tcp:[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "tcp:{host}:{port}"),
            Self::Usb(UsbPlace::Any) => f.write_str("usb:any"),
            Self::Usb(UsbPlace::File(path)) => write!(f, "usb:{}", path.display()),
            Self::Usb(UsbPlace::Identity(identity)) => write!(f, "usb:{identity}"),
            Self::Serial(SerialPlace { path, baud, flow }) => {
                let flow = match flow {
                    Flow::Wires => "rtscts",
                    Flow::Bytes => "xonxoff",
                    Flow::None => "none",
                };
                write!(f, "serial:{}@{baud},{flow}", path.display())
            }
            Self::Fake => f.write_str("fake:"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_read_and_write_the_same() {
        for word in [
            "dir:/var/paper",
            "tcp:10.0.0.7:9100",
            "tcp:[fe80::1]:9101",
            "usb:any",
            "usb:/dev/usb/lp0",
            "usb:04b8:0e15",
            "usb:04b8:0e15:J8XK:01",
            "serial:/dev/ttyS0@9600,xonxoff",
            "serial:/dev/serial/by-id/usb-a@b-if00@115200,none",
            "fake:",
        ] {
            assert_eq!(word.parse::<PrinterSpec>().expect(word).to_string(), word);
        }
        let usual = |word: &str| word.parse::<PrinterSpec>().map(|spec| spec.to_string());
        assert_eq!(usual("tcp:caja"), Ok("tcp:caja:9100".into()));
        assert_eq!(
            usual("serial:/dev/ttyS0"),
            Ok("serial:/dev/ttyS0@38400,rtscts".into())
        );
    }

    #[test]
    fn a_bad_place_says_what_is_wrong() {
        let error = |word: &str| word.parse::<PrinterSpec>().expect_err(word);
        assert!(matches!(error("lp0"), SpecError::Kind(_)));
        assert!(matches!(error("lpt:1"), SpecError::Kind(_)));
        assert!(matches!(error("dir:"), SpecError::Place(_)));
        assert!(matches!(error("tcp::9100"), SpecError::Place(_)));
        for word in ["tcp:a:0", "tcp:a:x", "tcp:a:99999", "tcp:[::1]9"] {
            assert!(matches!(error(word), SpecError::Port(_)), "{word}");
        }
        for word in ["usb:epson", "usb:4b8:0e15", "usb:+4b8:0e15", "usb:04b8"] {
            assert!(matches!(error(word), SpecError::Usb(_)), "{word}");
        }
        for word in ["serial:ttyS0", "serial:/dev/ttyS0@fast", "serial:/dev/ttyS0,dtr"] {
            assert!(matches!(error(word), SpecError::Serial(_)), "{word}");
        }
    }
}
