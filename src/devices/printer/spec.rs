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
    /// `usb:NAME`, read but not supported yet.
    Usb(String),
    /// `serial:PATH`, read but not supported yet.
    Serial(String),
    /// `fake:`, a printer with no paper at all, for training.
    Fake,
}

/// A word that is not the place of a printer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// The kind before the colon is not one of ours.
    #[error("Printer {0:?} is of no known kind; write dir:PATH, tcp:HOST:PORT, usb:NAME or serial:PATH")]
    Kind(String),
    /// The place after the colon is missing.
    #[error("Printer {0:?} has no place; write it after the colon")]
    Place(String),
    /// The port is not a number from 1 to 65535.
    #[error("Printer {0:?} has a bad port; the usual one is 9100")]
    Port(String),
}

const RAW_PORT: u16 = 9100;

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
            "usb" => Ok(Self::Usb(place.to_owned())),
            _ => Ok(Self::Serial(place.to_owned())),
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

impl fmt::Display for PrinterSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dir(path) => write!(f, "dir:{}", path.display()),
            Self::Tcp { host, port } if host.contains(':') => write!(f, "tcp:[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "tcp:{host}:{port}"),
            Self::Usb(name) => write!(f, "usb:{name}"),
            Self::Serial(path) => write!(f, "serial:{path}"),
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
            "usb:04b8:0e15",
            "serial:/dev/ttyS0",
            "fake:",
        ] {
            assert_eq!(word.parse::<PrinterSpec>().expect(word).to_string(), word);
        }
        assert_eq!(
            "tcp:caja".parse::<PrinterSpec>().map(|spec| spec.to_string()),
            Ok("tcp:caja:9100".into())
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
    }
}
